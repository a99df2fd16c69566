package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// What is asked of attack paths, and how long an answer may take.
const (
	defaultK       = 10
	maxK           = 50
	defaultPaths   = 100
	maxPaths       = 1000
	defaultSamples = 1000
	maxSamples     = 100_000
	maxNamed       = 100 // hosts and entry points

	requestTime = 10 * time.Second
	commandTime = time.Minute
)

// pathsAsked is a question of a model while it is answered.
type pathsAsked struct {
	app    *App
	req    request.Paths
	model  *attackpath.Model
	net    *attackpath.Network
	graph  *graph.Graph
	estate *pathEstate
	assume attackpath.Assumptions

	corrected  map[attackpath.EdgeKey]bool
	entries    map[attackpath.Fact]attackpath.EntryInfo
	updates    map[string]string        // by weakness: to what to update, as the catalogue says
	remedies   map[int64]store.Remedied // by finding
	incomplete []string
}

// say notes why the answer is not complete.
func (q *pathsAsked) say(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(q.incomplete, text) {
		q.incomplete = append(q.incomplete, text)
	}
}

// why is why the answer is not complete, "" where it is.
func (q *pathsAsked) why() report.Text { return report.Text(strings.Join(q.incomplete, "; ")) }

// pathTime is how long the asker is let wait.
func (a *App) pathTime() time.Duration {
	if a.who.Kind == auth.Local {
		return commandTime
	}
	return requestTime
}

// errLate says that there is no answer yet.
var errLate = fault.Unavailable("it takes longer than one is let wait for an answer: ask again in a moment, or for less")

// askPaths answers a question of the model of a scenario, or gives the answer that was given before. The answer must not be
// changed. errLate is for the caller to put into the words of his answer.
func askPaths[T any](ctx context.Context, a *App, kind string, req request.Paths, work func(context.Context, *pathsAsked) (T, error)) (out T, at *pathEstate, err error) {
	assume, err := a.assumptions(ctx, &req)
	if err != nil {
		return out, nil, err
	}
	limited, cancel := context.WithTimeout(ctx, a.pathTime())
	defer cancel()
	question := fmt.Sprintf("%s %#v", kind, req)
	if known, at := a.answered(limited, req.Scan, assume, question); at != nil {
		return known.(T), at, nil
	}
	// Before the model: who waits must not hold one that is not kept.
	if err := a.walks.enter(limited); err != nil {
		return out, nil, errLate
	}
	defer a.walks.leave()
	m, err := a.pathModel(limited, req.Scan, assume)
	if tooSlow(ctx, err) {
		return out, nil, errLate
	}
	if err != nil {
		return out, nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if known, ok := m.answers.find(question); ok {
		return known.(T), m.estate, nil
	}
	q := newPathsAsked(a, req, m, assume)
	out, err = work(limited, q)
	if tooSlow(ctx, err) {
		return out, nil, errLate
	}
	if err == nil && len(q.incomplete) == 0 {
		m.answers.keep(question, out)
	}
	return out, m.estate, err
}

func newPathsAsked(a *App, req request.Paths, m *pathModel, assume attackpath.Assumptions) *pathsAsked {
	q := &pathsAsked{app: a, req: req, model: m.model, net: m.model.Network(), graph: m.graph, estate: m.estate, assume: assume}
	q.learn()
	return q
}

// learn notes what paths are told with.
func (q *pathsAsked) learn() {
	q.corrected, q.entries, q.updates = map[attackpath.EdgeKey]bool{}, map[attackpath.Fact]attackpath.EntryInfo{}, map[string]string{}
	q.remedies = map[int64]store.Remedied{}
	for _, c := range q.estate.Corrections {
		q.corrected[c.Edge] = true
	}
	for _, e := range q.model.Entries() {
		for _, f := range e.Facts {
			q.entries[f] = e
		}
	}
}

// assumptions checks a question, fills in what it does not say, and says what it assumes.
func (a *App) assumptions(ctx context.Context, req *request.Paths) (s attackpath.Assumptions, err error) {
	if err := a.checkExist(ctx, req.Scan, req.Site); err != nil {
		return s, err
	}
	switch req.Assume {
	case "", "site":
	case "flat":
		s.Flat = true
	default:
		return s, fault.InvalidOption("assume", " %.40s: want site or flat", req.Assume)
	}
	for _, o := range []struct {
		name        string
		value       *int
		least, most int
		otherwise   int
	}{{"k", &req.K, 0, maxK, defaultK}, {"limit", &req.Limit, 0, maxPaths, defaultPaths}, {"samples", &req.Samples, -1, maxSamples, defaultSamples}} {
		if *o.value < o.least || *o.value > o.most {
			return s, fault.InvalidOption(o.name, " %d: want %d at most", *o.value, o.most)
		}
		*o.value = cmp.Or(*o.value, o.otherwise)
	}
	s.Reuse, s.Secrets = req.Reuse, req.Secrets
	if len(req.From) > maxNamed || len(req.To) > maxNamed {
		return s, fault.Invalid("more than %d hosts or entry points are named", maxNamed)
	}
	for _, text := range req.From {
		entry, err := a.entry(ctx, text, req.Site)
		if err != nil {
			return s, err
		}
		if !slices.Contains(s.From, entry) {
			s.From = append(s.From, entry)
		}
	}
	for _, text := range req.To {
		id, err := a.hostID(ctx, text, req.Site)
		if err != nil {
			return s, err
		}
		if !slices.Contains(s.To, id) {
			s.To = append(s.To, id)
		}
	}
	return s, nil
}

// entry reads where somebody says that attackers begin.
func (a *App) entry(ctx context.Context, text, site string) (e attackpath.Entry, err error) {
	kind, rest, _ := strings.Cut(text, ":")
	if kind == "user" {
		if name, all := strings.CutPrefix(rest, "site:"); all {
			return attackpath.Entry{Kind: attackpath.FromUser, Site: name}, a.checkExist(ctx, 0, cmp.Or(name, "-"))
		}
	}
	switch {
	case text == "internet":
		return attackpath.Entry{Kind: attackpath.FromInternet}, nil
	case kind == "site" && rest != "":
		return attackpath.Entry{Kind: attackpath.FromSite, Site: rest}, a.checkExist(ctx, 0, rest)
	case (kind == "host" || kind == "user") && rest != "":
		e.Kind = attackpath.FromHost
		if kind == "user" {
			e.Kind = attackpath.FromUser
		}
		e.Host, err = a.hostID(ctx, rest, site)
		return e, err
	}
	return e, fault.InvalidOption("from", " %.80s: want internet, site:NAME, host:HOST, user:HOST or user:site:NAME", text)
}

// scenario tells what an answer assumes.
func (q *pathsAsked) scenario(ctx context.Context) report.PathScenario {
	out := report.PathScenario{Assume: assumeWord(q.assume.Flat), Reuse: q.assume.Reuse, Secrets: q.assume.Secrets, Entries: []report.PathEntry{},
		Policy: len(q.estate.Policy.Rules), Corrections: len(q.estate.Corrections)}
	for _, e := range q.model.Entries() {
		out.Entries = append(out.Entries, report.PathEntry{Kind: string(e.Kind), Name: explain.Line(e.Name), Ref: e.Ref, Assumed: e.Assumed, Reaches: e.Reaches})
	}
	other, err := q.otherReached(ctx)
	if err != nil {
		q.say("how many jewels are reached with assume=%s was not worked out in time", assumeWord(!q.assume.Flat))
	}
	out.OtherReached = other
	return out
}

func assumeWord(flat bool) string {
	if flat {
		return "flat"
	}
	return "site"
}

// otherReached counts the jewels that are reached under the other answer to assume.
func (q *pathsAsked) otherReached(ctx context.Context) (int, error) {
	assume := q.assume
	assume.Flat = !assume.Flat
	other, err := q.app.pathModel(ctx, q.req.Scan, assume)
	if err != nil {
		return 0, err
	}
	other.mu.RLock() // others may bring it up to date; they never wait for a lock, so that holding two is safe
	defer other.mu.RUnlock()
	reached, err := other.graph.Reached(ctx, attackpath.Removal{})
	return reached.Goals, err
}

// notices are what is assumed of the whole.
func (q *pathsAsked) notices() []string {
	out := []string{}
	if q.estate.limited {
		out = append(out, fmt.Sprintf("Only what you see is looked at: %s.", report.Plural(len(q.estate.Sites), "site", "sites")))
	}
	for _, n := range q.net.Notices {
		out = append(out, explain.Line(n))
	}
	return out
}

// totals count what an attacker reaches.
func (q *pathsAsked) totals(ctx context.Context, without attackpath.Removal) (report.PathTotals, error) {
	r, err := q.graph.Reached(ctx, without)
	return report.PathTotals{Hosts: len(q.estate.Hosts), Reached: r.Hosts, Jewels: len(q.net.Goals), JewelsReached: r.Goals,
		Facts: len(q.net.Facts), Actions: len(q.net.Actions)}, err
}

// hostOf names a host.
func (q *pathsAsked) hostOf(id int64) report.PathHost {
	h, known := q.estate.host(id)
	if !known {
		return report.PathHost{ID: id, Name: fmt.Sprintf("host %d", id)}
	}
	out := report.PathHost{ID: id, Name: cmp.Or(h.Name, fmt.Sprintf("host %d", id)), Site: h.Site, OS: report.Text(h.OS), Jewel: h.Jewel}
	if h.Criticality > 0 {
		out.Criticality = &h.Criticality
	}
	return out
}
