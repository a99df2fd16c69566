package openvas

import (
	"bufio"
	"encoding/xml"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// Limits on a hostile report. The longest token of real ones is a check's tags.
var limits = intake.Limits{Token: 4 << 20, Depth: 64, Record: 32 << 20}

// roots are the documents that hold results.
var roots = []string{"report", "get_reports_response", "get_results_response", "create_report", "results", "result"}

// readXML reads documents that follow each other: a scan of many hosts is several tasks of gvmd.
func readXML(s *sink, raw *bufio.Reader) error {
	x := intake.NewXML(Name, raw, limits)
	var coverage []finding.Coverage
	for {
		start, err := x.Root(roots...)
		if err == io.EOF { //nolint:errorlint // Root returns it bare
			break
		}
		if err != nil {
			return err
		}
		d := &document{XML: x, sink: s, unfinished: map[hostKey]bool{}, ends: map[hostKey]time.Time{}}
		if err := d.root(start); err != nil {
			return err
		}
		if err := d.end(); err != nil {
			return err
		}
		coverage = append(coverage, d.covered()...)
	}
	for i := range coverage {
		if err := s.emit(finding.Event{Coverage: &coverage[i]}); err != nil {
			return err
		}
	}
	return nil
}

// document is one root element while it is read. Its parts come in this order: task and filter, status, times, results,
// their count, hosts, the end's time, errors.
type document struct {
	*intake.XML
	*sink

	created time.Time // of the report, or of its import into this gvmd
	start   time.Time
	finish  time.Time
	status  string
	task    string
	config  string
	marker  string // our own, see policyComment
	filter  string
	delta   bool

	policy   string
	decided  bool // the policy stands: there was a result
	results  int
	first    int // number of the first result in the list, 1 unless it is a later page
	filtered int // results that the filter lets through, on all pages; 0 when not told
	hosts    []finding.Coverage

	unfinished map[hostKey]bool      // a check failed or ran out of time there
	ends       map[hostKey]time.Time // of dialects that list them apart
}

// root reads a document; one result alone is one, too.
func (d *document) root(e xml.StartElement) error {
	if name := e.Name.Local; name == "results" || name == "result" {
		return d.part(e)
	}
	return d.container(e)
}

// container reads what holds results at any depth: the response, the outer report, the inner one.
func (d *document) container(e xml.StartElement) error {
	if intake.Attr(e, "type") == "delta" {
		d.delta = true
	}
	return d.Each(d.part)
}

func (d *document) part(e xml.StartElement) (err error) {
	switch e.Name.Local {
	case "report":
		return d.container(e)
	case "results":
		d.first, _ = strconv.Atoi(intake.Attr(e, "start"))
		return d.Each(d.part)
	case "result":
		return d.result()
	case "result_count", "compliance_count":
		return d.resultCount()
	case "host":
		return d.hostFacts()
	case "host_end":
		return d.hostEnd()
	case "errors":
		return d.Each(d.failure)
	case "task":
		return d.taskFacts(e)
	case "filters":
		return d.filterTerm()
	case "delta":
		d.delta = true
	case "scan_run_status":
		d.status, err = d.Text()
		return err
	case "scan_start", "timestamp", "scan_end", "creation_time":
		return d.time(e.Name.Local)
	}
	return d.Skip()
}

func (d *document) time(name string) error {
	text, err := d.Text()
	t := timeOf(text)
	switch {
	case t.IsZero():
	case name == "scan_end":
		d.finish = t
	case name == "creation_time":
		d.created = t
	case name == "scan_start" || d.start.IsZero():
		d.start = t
	}
	return err
}

// now is the report's time as far as it is known. Results carry the start of the scan, since the end comes behind them; the
// hosts that follow carry the end, and the newest time of a report is the report's.
func (d *document) now() time.Time {
	switch {
	case !d.finish.IsZero():
		return d.finish
	case !d.start.IsZero():
		return d.start
	}
	return d.created
}

func (d *document) filterTerm() error {
	return d.Each(func(e xml.StartElement) (err error) {
		if e.Name.Local == "term" {
			d.filter, err = d.Text()
			return err
		}
		return d.Skip()
	})
}

func (d *document) taskFacts(e xml.StartElement) error {
	if id := intake.Attr(e, "id"); id != "" {
		d.task = id
	}
	return d.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "config":
			d.config = intake.Attr(e, "id")
		case "comment":
			text, err := d.Text()
			if marker, ok := strings.CutPrefix(text, policyComment); ok {
				d.marker = marker
			}
			return err
		}
		return d.Skip()
	})
}

// lookedFor says under which policy the report was made; it is decided once, before the first result.
func (d *document) lookedFor() string {
	if !d.decided {
		d.policy, d.decided = policyOf(d.marker, d.config, d.task, d.filter), true
	}
	return d.policy
}

// resultCount reads <result_count>12<full>40</full><filtered>12</filtered>…: more than are here means that this is a page.
func (d *document) resultCount() error {
	return d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "filtered" {
			return d.Skip()
		}
		text, err := d.Text()
		d.filtered, _ = strconv.Atoi(text)
		return err
	})
}

// end gives hosts that the report does not describe the report's time, which came behind their results.
func (d *document) end() error {
	if d.finish.IsZero() {
		return nil
	}
	var keys []hostKey
	for key, described := range d.known {
		if !described {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, hostKey.compare)
	for _, key := range keys {
		d.known[key] = true
		if err := d.emit(finding.Event{Host: &finding.HostSeen{Address: key.addr, Names: withName(key, nil), Status: string(asset.Up),
			Reason: reasonUp, At: d.finish}}); err != nil {
			return err
		}
	}
	return nil
}

// covered lists the hosts that were looked at to their end, in a scan that was done, whose results are all here.
func (d *document) covered() []finding.Coverage {
	page := d.first > 1 || d.results < d.filtered
	policy := d.lookedFor()
	if d.status != "Done" || d.delta || page || policy == "" {
		return nil
	}
	var out []finding.Coverage
	for _, c := range d.hosts {
		key := hostKey{addr: c.Address, name: c.HostName}
		if _, up := d.known[key]; !up || d.unfinished[key] {
			continue
		}
		c.Policy = policy
		out = append(out, c)
	}
	return out
}

// failure notes a host on which a check failed or ran out of time: its silence means nothing.
func (d *document) failure(e xml.StartElement) error {
	if e.Name.Local != "error" {
		return d.Skip()
	}
	return d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "host" {
			return d.Skip()
		}
		text, err := d.Text()
		if key, ok := keyOf(text); ok {
			d.unfinished[key] = true
		}
		return err
	})
}
