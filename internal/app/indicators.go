package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// indicatorName is an indicator's value with its kind, as intel.CanonicalIndicator tells them.
type indicatorName struct{ kind, value string }

// shownOfValue is how much of something that is no indicator its answer repeats.
const shownOfValue = 256

// LookUp answers each value, in order: whether it is listed, and as what. A value that is no indicator has that in its
// answer's Error; err is about the catalogue, or what answer returned.
func (a *App) LookUp(ctx context.Context, values []string, answer func(report.IndicatorAnswer) error) error {
	asked := make([]question, len(values))
	var names []indicatorName
	for i, value := range values {
		asked[i] = ask(value)
		names = append(names, asked[i].names...)
	}
	listed, err := a.listed(ctx, names)
	if err != nil {
		return err
	}
	urls, err := a.urlsOn(ctx, asked)
	if err != nil {
		return err
	}
	now := a.now()
	for _, q := range asked {
		if err := answer(q.answer(listed, urls, now)); err != nil {
			return err
		}
	}
	return nil
}

// question is one value that is looked up: under its own name, a URL also under its host's.
type question struct {
	value string
	names []indicatorName
	port  int
	err   error
}

func ask(value string) question {
	q := question{value: value}
	var own indicatorName
	own.kind, own.value, q.port, q.err = intel.CanonicalIndicator(value)
	if q.err != nil {
		return q
	}
	q.names = []indicatorName{own}
	if own.kind == intel.IndicatorURL {
		if kind, host, _ := intel.HostOf(own.value); host != "" {
			q.names = append(q.names, indicatorName{kind, host})
		}
	}
	return q
}

// host is the address or domain that was asked for, "" where it was something else.
func (q question) host() string {
	if q.err == nil && q.names[0].isHost() {
		return q.names[0].value
	}
	return ""
}

func (n indicatorName) isHost() bool {
	return n.kind == intel.IndicatorIP || n.kind == intel.IndicatorDomain
}

// urlsOn finds the listed URLs on the hosts that were asked for. Of a URL its own entry is wanted only: a site where
// everybody puts files is no sign of what one of them is.
func (a *App) urlsOn(ctx context.Context, asked []question) (map[string][]intel.Indicator, error) {
	var hosts []string
	for _, q := range asked {
		if host := q.host(); host != "" {
			hosts = append(hosts, host)
		}
	}
	return a.store.Catalogue().URLsOn(ctx, hosts)
}

// speaksOf says that an entry is about a port; 0 is any on either side. A URL is about the port that it leads to.
func speaksOf(i intel.Indicator, port int) bool {
	about := i.Port
	if i.Kind == intel.IndicatorURL {
		_, _, about = intel.HostOf(i.Value)
	}
	return port == 0 || about == 0 || port == about
}

func (q question) answer(listed map[indicatorName][]intel.Indicator, urls map[string][]intel.Indicator, now time.Time) report.IndicatorAnswer {
	out := report.IndicatorAnswer{Value: q.value, Indicators: []report.Indicator{}, URLs: []report.Indicator{}}
	if q.err != nil {
		out.Error = report.Text(q.err.Error())
		if len(out.Value) > shownOfValue {
			out.Value = strings.ToValidUTF8(out.Value[:shownOfValue], "") + "…"
		}
		return out
	}
	out.Kind, out.Canonical = report.Text(q.names[0].kind), report.Text(q.names[0].value)
	for _, name := range q.names {
		for _, i := range listed[name] {
			if speaksOf(i, q.port) {
				out.Indicators = append(out.Indicators, toIndicator(i, now))
			}
		}
	}
	for _, i := range urls[q.host()] {
		if speaksOf(i, q.port) {
			out.URLs = append(out.URLs, toIndicator(i, now))
		}
	}
	sortIndicators(out.Indicators)
	out.Found = len(out.Indicators) > 0
	out.Expired = out.Found && !slices.ContainsFunc(out.Indicators, func(i report.Indicator) bool { return !i.Expired })
	return out
}

func toIndicator(i intel.Indicator, now time.Time) report.Indicator {
	out := report.Indicator{
		Kind: i.Kind, Value: i.Value, Threat: report.Text(i.Threat), Malware: report.Text(i.Malware), Confidence: i.Confidence,
		Status: report.Text(i.Status), FirstSeen: pointer(i.FirstSeen), LastSeen: pointer(i.LastSeen), Expires: pointer(i.Expires),
		Expired: !i.Expires.IsZero() && !now.Before(i.Expires), Tags: notNil(i.Tags), Source: i.Source, Reference: report.Text(i.Reference),
	}
	if i.Port != 0 {
		out.Port = &i.Port
	}
	return out
}

// sortIndicators puts what holds before what has expired, then the surer first.
func sortIndicators(list []report.Indicator) {
	slices.SortStableFunc(list, func(a, b report.Indicator) int {
		if a.Expired != b.Expired {
			return map[bool]int{true: 1, false: -1}[a.Expired]
		}
		return b.Confidence - a.Confidence
	})
}

// markHosts says of each host what lists of malicious hosts say of its addresses and names, and of URLs that lead there.
func (a *App) markHosts(ctx context.Context, hosts []report.Host) error {
	names := make([][]indicatorName, len(hosts))
	for i, h := range hosts {
		names[i] = hostIndicators(slices.Concat(h.Addresses, h.Hostnames))
	}
	listed, err := a.listedHosts(ctx, slices.Concat(names...))
	if err != nil || len(listed) == 0 {
		return err
	}
	for i := range hosts {
		hosts[i].Indicators = a.of(names[i], listed, 0)
	}
	return nil
}

// markFindings gives each finding what is said of its host, but for what is said of another port.
func (a *App) markFindings(ctx context.Context, findings []report.Finding, rows []finding.Listed) error {
	for i := range findings {
		findings[i].Words = a.words(&rows[i].Finding)
	}
	names := map[int64][]indicatorName{}
	for _, l := range rows {
		if _, known := names[l.HostID]; !known {
			names[l.HostID] = hostIndicators(append([]string{l.HostAddress}, l.HostNames...))
		}
	}
	listed, err := a.listedHosts(ctx, slices.Concat(slices.Collect(maps.Values(names))...))
	if err != nil || len(listed) == 0 {
		return err
	}
	for i := range findings {
		f := &findings[i]
		port := 0
		if f.Port != nil {
			port = int(*f.Port)
		}
		f.Indicators = a.of(names[f.HostID], listed, port)
	}
	return nil
}

// of picks what is said of some names and a port, 0 for all ports, surest first.
func (a *App) of(names []indicatorName, listed map[indicatorName][]intel.Indicator, port int) []report.Indicator {
	out := []report.Indicator{}
	now := a.now()
	for _, name := range names {
		for _, known := range listed[name] {
			if speaksOf(known, port) {
				out = append(out, toIndicator(known, now))
			}
		}
	}
	sortIndicators(out)
	return out
}

// hostIndicators are a host's addresses and names as indicators. What is none of either is left out.
func hostIndicators(texts []string) []indicatorName {
	var out []indicatorName
	for _, text := range texts {
		kind, value, _, err := intel.CanonicalIndicator(text)
		name := indicatorName{kind, value}
		if err == nil && name.isHost() && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// listedHosts asks for hosts: what is listed of themselves, then URLs that lead there.
func (a *App) listedHosts(ctx context.Context, names []indicatorName) (map[indicatorName][]intel.Indicator, error) {
	generation, err := a.store.Catalogue().Generation(ctx)
	if err != nil {
		return nil, err
	}
	out, unknown := a.listing.find(generation, names)
	if len(unknown) == 0 {
		return out, nil
	}
	found, err := a.askHosts(ctx, unknown)
	if err != nil {
		return nil, err
	}
	if after, err := a.store.Catalogue().Generation(ctx); err == nil && after == generation { // else somebody wrote in between
		a.listing.keep(generation, unknown, found)
	}
	maps.Copy(out, found)
	return out, nil
}

// listing is what lists say of hosts, nothing of most, as long as nobody writes to the catalogue: every page of findings
// asks for all of its hosts. The zero value is ready for use.
type listing struct {
	mu         sync.Mutex
	generation int64
	said       map[indicatorName][]intel.Indicator
}

// maxListing is how many names are kept.
const maxListing = 50_000

func (l *listing) find(generation int64, names []indicatorName) (known map[indicatorName][]intel.Indicator, unknown []indicatorName) {
	known = map[indicatorName][]intel.Indicator{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range names {
		said, asked := l.said[n]
		switch {
		case !asked || l.generation != generation:
			unknown = append(unknown, n)
		case len(said) > 0:
			known[n] = said
		}
	}
	return known, unknown
}

func (l *listing) keep(generation int64, names []indicatorName, found map[indicatorName][]intel.Indicator) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if generation < l.generation {
		return
	}
	if generation > l.generation || l.said == nil || len(l.said)+len(names) > maxListing {
		l.generation, l.said = generation, map[indicatorName][]intel.Indicator{}
	}
	for _, n := range names {
		l.said[n] = found[n]
	}
}

// askHosts is listedHosts of the catalogue.
func (a *App) askHosts(ctx context.Context, names []indicatorName) (map[indicatorName][]intel.Indicator, error) {
	out, err := a.listed(ctx, names)
	if err != nil {
		return nil, err
	}
	hosts := make([]string, len(names))
	for i, n := range names {
		hosts[i] = n.value
	}
	urls, err := a.store.Catalogue().URLsOn(ctx, hosts)
	if err != nil {
		return nil, err
	}
	asked := map[indicatorName]bool{}
	for _, n := range names {
		if list := urls[n.value]; len(list) > 0 && !asked[n] {
			out[n] = append(out[n], list...)
		}
		asked[n] = true
	}
	return out, nil
}

// listed asks the catalogue for indicators by their names.
func (a *App) listed(ctx context.Context, names []indicatorName) (map[indicatorName][]intel.Indicator, error) {
	byKind := map[string][]string{}
	for _, n := range names {
		byKind[n.kind] = append(byKind[n.kind], n.value)
	}
	out := map[indicatorName][]intel.Indicator{}
	for kind, values := range byKind {
		found, err := a.store.Catalogue().Indicators(ctx, kind, values)
		if err != nil {
			return nil, err
		}
		for value, list := range found {
			out[indicatorName{kind, value}] = list
		}
	}
	return out, nil
}
