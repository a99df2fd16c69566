package store

import (
	"cmp"
	"context"
	"database/sql"
	"math/bits"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

var (
	findingColumns = []string{"id", "host", "protocol", "port", "component", "weakness", "withdrawn",
		"triage", "triage_until", "triage_by", "triage_at", "triage_note", "demo",
		"state", "first_seen", "last_seen", "closed_at", "closed_by", "closing",
		"title", "remedy", "location", "vector", "vector_by", "status", "confidence", "reason",
		"severity", "cvss", "cvss_version", "cvss_source", "cvss_vector", "epss", "epss_percentile", "kev", "exploited",
		"exploited_source", "score", "score_partial", "likelihood", "likelihood_source", "decision", "decision_since", "due",
		"forensics", "assumed", "derived", "exposed", "exposed_why", "rank_key",
		"kind", "result", "benchmark", "reference", "cwes", "severity_by", "remedy_key", "remedy_name", "fixed_in", "assignee", "labels",
		"sla_due", "triage_rule", "chk", "own", "lapses"}

	selectFinding = `SELECT s.name, f.` + strings.Join(findingColumns, ", f.")
)

const listedColumns = `, h.address, h.owner, v.name, v.product, v.version`

const fromFinding = ` FROM finding f JOIN host h ON h.id = f.host JOIN site s ON s.id = h.site
	LEFT JOIN service v ON v.host = f.host AND v.protocol = f.protocol AND v.port = f.port`

// Findings lists findings of a view without evidence, in the order of the filter.
func (e *Estate) Findings(ctx context.Context, v auth.View, filter finding.Filter) (list []finding.Listed, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		ids, err := e.listedIDs(ctx, tx, v, filter)
		if err != nil {
			return err
		}
		if list, err = listedByID(ctx, tx, v, ids); err != nil {
			return err
		}
		return e.addRisk(ctx, tx, list)
	})
	return list, err
}

// listedIDs are the findings of a filter in its order.
func (e *Estate) listedIDs(ctx context.Context, tx *Tx, v auth.View, filter finding.Filter) ([]int64, error) {
	l, err := e.currentLists(ctx, tx)
	if err != nil {
		return nil, err
	}
	s, err := e.selected(ctx, l, v, filter)
	if err != nil {
		return nil, err
	}
	return l.page(ctx, s, filter)
}

// listedByID returns the findings that exist in the view of a list of ids, in its order.
func listedByID(ctx context.Context, tx *Tx, v auth.View, ids []int64) ([]finding.Listed, error) {
	clause, args := inView(siteName, v)
	out := make([]finding.Listed, 0, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		among := padded(chunk)
		rows, err := tx.Query(ctx, selectFinding+listedColumns+fromFinding+` WHERE f.id IN (`+Marks(len(among))+`)`+clause, append(among, args...)...) //nolint:sqlclosecheck // eachRow closes them
		if err != nil {
			return nil, err
		}
		byID := make(map[int64]finding.Listed, len(chunk))
		if err := eachRow(rows, func() error {
			l, err := scanListed(rows)
			byID[l.ID] = l
			return err
		}); err != nil {
			return nil, err
		}
		for _, id := range chunk {
			if l, found := byID[id]; found {
				out = append(out, l)
			}
		}
	}
	return out, addHostNames(ctx, tx, out)
}

// padded are ids as arguments, the last one as often as it takes to come to one of a few numbers: each number is a
// statement of its own, and both engines keep those that they have compiled.
func padded(ids []int64) []any {
	out := anys(ids)
	for n := len(ids); n > 0 && len(out) < min(roundUp(n), chunkSize); {
		out = append(out, ids[n-1])
	}
	return out
}

// roundUp is the next power of two up to 16, and the next multiple of 16 beyond.
func roundUp(n int) int {
	if n > 16 {
		return (n + 15) / 16 * 16
	}
	return 1 << bits.Len(uint(n-1)) //nolint:gosec // n is at least 1
}

// eachPage is how many findings EachFinding reads at once.
const eachPage = 2000

// EachFinding calls fn for every finding of the filter in the view, in list order, so that no list need fit memory. It lists what
// there was when it began: what is removed meanwhile is left out, what is changed is told as it is now.
func (e *Estate) EachFinding(ctx context.Context, v auth.View, filter finding.Filter, fn func(finding.Listed) error) error {
	var ids []int64
	if err := e.db.view(ctx, func(tx *Tx) (err error) {
		ids, err = e.listedIDs(ctx, tx, v, filter)
		return err
	}); err != nil {
		return err
	}
	for chunk := range slices.Chunk(ids, eachPage) {
		var page []finding.Listed
		if err := e.db.view(ctx, func(tx *Tx) (err error) {
			if page, err = listedByID(ctx, tx, v, chunk); err != nil {
				return err
			}
			return e.addRisk(ctx, tx, page)
		}); err != nil {
			return err
		}
		for _, l := range page {
			if err := fn(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// Counts are how many findings a filter selects, altogether and by kind.
type Counts struct {
	Total      int
	Confirmed  int
	KEV        int
	BySeverity map[string]int
	ByDecision map[string]int
}

// CountFindings counts what Findings would list without its cursor and limit. The kinds count confirmed findings only.
func (e *Estate) CountFindings(ctx context.Context, v auth.View, filter finding.Filter) (c Counts, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err == nil {
			_, c, err = e.chosen(ctx, l, v, filter)
		}
		return err
	})
	return c, err
}

// count counts the findings of a selection.
func (l *lists) count(ctx context.Context, s *findingSet, c *Counts) error {
	there, err := l.directory(ctx, colFacets)
	if err != nil {
		return err
	}
	alive := s.alive()
	for _, block := range alive {
		c.Total += s.blocks[block].n
	}
	var severities, decisions [8]int
	err = l.packed(ctx, colFacets, alive, within{}, func(block int64, data []byte) error {
		t, err := l.tally(l.memo(there, colFacets, block), data)
		if err != nil {
			return err
		}
		selected := &s.blocks[block].bits
		c.Confirmed += common(selected, &t.confirmed)
		c.KEV += common(selected, &t.kev)
		for i := range severities {
			severities[i] += common(selected, &t.severity[i])
			decisions[i] += common(selected, &t.decision[i])
		}
		return nil
	})
	for i := range severities {
		if n := severities[i]; n > 0 {
			c.BySeverity[wordOf(codesOfSeverity, uint64(i))] += n //nolint:gosec // small
		}
		if n := decisions[i]; n > 0 {
			c.ByDecision[wordOf(codesOfDecision, uint64(i))] += n //nolint:gosec // small
		}
	}
	return err
}

func (l *lists) tally(b *listBlock, data []byte) (*blockTally, error) {
	if b == nil {
		return newTally(data)
	}
	return b.memo.counts(&l.cache.memo, data)
}

func texts[T ~string](items []T) []any {
	out := make([]any, len(items))
	for i, s := range items {
		out[i] = string(s)
	}
	return out
}

// Finding returns one finding with its evidence and the history of its life, fault.NotFound when there is none in
// the view.
func (e *Estate) Finding(ctx context.Context, v auth.View, asked int64) (l finding.Listed, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		id, err := followed(ctx, tx, "finding", asked)
		if err != nil {
			return err
		}
		clause, args := inView(siteName, v)
		rows, err := tx.Query(ctx, selectFinding+listedColumns+fromFinding+` WHERE f.id = ?`+clause, append([]any{id}, args...)...)
		if err != nil {
			return err
		}
		var found []finding.Listed
		if err := eachRow(rows, func() error {
			l, err := scanListed(rows)
			found = append(found, l)
			return err
		}); err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.NotFound("there is no finding %d", asked)
		}
		if err := addHostNames(ctx, tx, found); err != nil {
			return err
		}
		if err := e.addRisk(ctx, tx, found); err != nil {
			return err
		}
		l = found[0]
		if err := addEvidence(ctx, tx, []int64{id}, map[int64]*finding.Finding{id: &l.Finding}); err != nil {
			return err
		}
		looks, err := looksOf(ctx, tx, []int64{l.HostID})
		if err != nil {
			return err
		}
		decrees, err := decreesOf(ctx, tx, []int64{l.HostID})
		if err == nil {
			l.Life = finding.Fold(&l.Finding, looks[l.HostID], decrees[l.HostID]...)
		}
		return err
	})
	return l, err
}

func triageState(t finding.Triage) string {
	if t.State == "" {
		return string(finding.Untriaged)
	}
	return string(t.State)
}

func findingRow(f *finding.Finding) []any {
	return []any{f.ID, f.HostID, f.Protocol, int(f.Port), f.Component, string(f.Weakness), millis(f.Withdrawn),
		triageState(f.Triage), millis(f.Triage.Until), f.Triage.By, millis(f.Triage.At), f.Triage.Note, truth(f.Demo),
		string(f.State), millis(f.FirstSeen), millis(f.LastSeen), millis(f.ClosedAt), f.ClosedBy, string(f.Closing),
		f.Title, f.Remedy, f.Location, f.Vector, f.VectorBy, string(f.Status), f.Confidence, f.Reason,
		f.Severity, f.CVSS, f.CVSSVersion, f.CVSSSource, f.CVSSVector, f.EPSS, f.EPSSPercentile, truth(f.KEV), truth(f.Exploited),
		f.ExploitedSource, f.Score, truth(f.ScorePartial), f.Likelihood, f.LikelihoodSource, f.Decision, millis(f.DecisionSince),
		millis(f.Due), truth(f.Forensics), list(f.Assumed), list(f.Derived), truth(f.Exposed), f.ExposedWhy, f.RankKey,
		string(cmp.Or(f.Kind, finding.KindVulnerability)), f.Result, f.Benchmark, f.Reference, numbers(f.CWEs), f.SeverityBy,
		f.RemedyKey, f.RemedyName, f.FixedIn, f.Assignee, list(f.Labels), millis(f.SLADue), f.Triage.Rule, f.Check, ownText(f.Own),
		lapsesText(f.Lapses)}
}

// findingScan holds what a row of selectFinding is scanned into before it becomes a Finding.
type findingScan struct {
	f                                                           finding.Finding
	weakness, triage, state, closing, status, assumed, derived  string
	kind, cwes, labels, own, lapses                             string
	withdrawn, until, triageAt, first, last, closed, since, due int64
	slaDue                                                      int64
}

func (s *findingScan) into() []any {
	f := &s.f
	return []any{&f.Site, &f.ID, &f.HostID, &f.Protocol, &f.Port, &f.Component, &s.weakness, &s.withdrawn,
		&s.triage, &s.until, &f.Triage.By, &s.triageAt, &f.Triage.Note, &f.Demo,
		&s.state, &s.first, &s.last, &s.closed, &f.ClosedBy, &s.closing,
		&f.Title, &f.Remedy, &f.Location, &f.Vector, &f.VectorBy, &s.status, &f.Confidence, &f.Reason,
		&f.Severity, &f.CVSS, &f.CVSSVersion, &f.CVSSSource, &f.CVSSVector, &f.EPSS, &f.EPSSPercentile, &f.KEV, &f.Exploited,
		&f.ExploitedSource, &f.Score, &f.ScorePartial, &f.Likelihood, &f.LikelihoodSource, &f.Decision, &s.since,
		&s.due, &f.Forensics, &s.assumed, &s.derived, &f.Exposed, &f.ExposedWhy, &f.RankKey,
		&s.kind, &f.Result, &f.Benchmark, &f.Reference, &s.cwes, &f.SeverityBy, &f.RemedyKey, &f.RemedyName, &f.FixedIn, &f.Assignee,
		&s.labels, &s.slaDue, &f.Triage.Rule, &f.Check, &s.own, &s.lapses}
}

func (s *findingScan) finding() finding.Finding {
	f := s.f
	f.Weakness, f.Withdrawn = finding.Weakness(s.weakness), moment(s.withdrawn)
	f.Triage.State, f.Triage.Until, f.Triage.At = finding.TriageState(s.triage), moment(s.until), moment(s.triageAt)
	f.State, f.Closing, f.Status = finding.State(s.state), finding.Closing(s.closing), finding.Status(s.status)
	f.FirstSeen, f.LastSeen, f.ClosedAt = moment(s.first), moment(s.last), moment(s.closed)
	f.DecisionSince, f.Due = moment(s.since), moment(s.due)
	f.Assumed, f.Derived = unlist(s.assumed), unlist(s.derived)
	f.Kind, f.CWEs, f.Labels, f.SLADue = finding.Kind(s.kind), unnumber(s.cwes), unlist(s.labels), moment(s.slaDue)
	f.Own, f.Lapses = ownOf(s.own), lapsesOf(s.lapses)
	return f
}

func scanListed(rows *sql.Rows) (finding.Listed, error) {
	var s findingScan
	var l finding.Listed
	var name, product, version sql.NullString
	if err := rows.Scan(append(s.into(), &l.HostAddress, &l.Owner, &name, &product, &version)...); err != nil {
		return l, err
	}
	l.Finding, l.Service, l.Product, l.Version = s.finding(), name.String, product.String, version.String
	return l, nil
}

// addHostNames fills in the names of the hosts of a list, the one seen last first.
func addHostNames(ctx context.Context, tx *Tx, listed []finding.Listed) error {
	names := map[int64][]string{}
	var hosts []int64
	for _, l := range listed {
		if _, seen := names[l.HostID]; !seen {
			names[l.HostID] = nil
			hosts = append(hosts, l.HostID)
		}
	}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		among := padded(chunk)
		rows, err := tx.Query(ctx, `SELECT host, value, max(last_seen) AS seen FROM identifier WHERE kind = 'name' AND host IN (`+Marks(len(among))+
			`) GROUP BY host, value ORDER BY host, seen DESC, value`, among...)
		if err != nil {
			return err
		}
		if err := eachRow(rows, func() error {
			var host, seen int64
			var name string
			err := rows.Scan(&host, &name, &seen)
			names[host] = append(names[host], name)
			return err
		}); err != nil {
			return err
		}
	}
	for i := range listed {
		listed[i].HostNames = names[listed[i].HostID]
	}
	return nil
}

// findingsOf returns the findings of hosts with their evidence, by id.
func findingsOf(ctx context.Context, tx *Tx, hosts []int64) ([]*finding.Finding, error) {
	var out []*finding.Finding
	for chunk := range slices.Chunk(hosts, chunkSize) {
		found, err := findingsWhere(ctx, tx, `f.host IN (`+Marks(len(chunk))+`)`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, withEvidence(ctx, tx, out)
}

// findingsAt returns those of a host that are at one of the places, with their evidence. Places that differ in nothing but
// the weakness are asked for together: the unique index answers such a question, and not one of rows of values.
func findingsAt(ctx context.Context, tx *Tx, host int64, places []finding.Fingerprint) ([]*finding.Finding, error) {
	weaknesses := map[finding.Fingerprint][]any{}
	for _, at := range places {
		where := finding.Fingerprint{Protocol: at.Protocol, Port: at.Port, Component: at.Component}
		weaknesses[where] = append(weaknesses[where], string(at.Weakness))
	}
	var out []*finding.Finding
	for at, names := range weaknesses {
		for chunk := range slices.Chunk(names, chunkSize) {
			found, err := findingsWhere(ctx, tx, `f.host = ? AND f.protocol = ? AND f.port = ? AND f.component = ? AND f.weakness IN (`+Marks(len(chunk))+`)`,
				append([]any{host, at.Protocol, int(at.Port), at.Component}, chunk...)...)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	slices.SortFunc(out, func(a, b *finding.Finding) int { return cmp.Compare(a.ID, b.ID) })
	return out, withEvidence(ctx, tx, out)
}

func withEvidence(ctx context.Context, tx *Tx, found []*finding.Finding) error {
	byID := map[int64]*finding.Finding{}
	ids := make([]int64, len(found))
	for i, f := range found {
		byID[f.ID], ids[i] = f, f.ID
	}
	return addEvidence(ctx, tx, ids, byID)
}

// findingsWhere returns findings without evidence, by id.
func findingsWhere(ctx context.Context, tx *Tx, where string, args ...any) (out []*finding.Finding, err error) {
	rows, err := tx.Query(ctx, selectFinding+` FROM finding f JOIN host h ON h.id = f.host JOIN site s ON s.id = h.site
		WHERE `+where+` ORDER BY f.id`, args...)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		var s findingScan
		if err := rows.Scan(s.into()...); err != nil {
			return err
		}
		f := s.finding()
		out = append(out, &f)
		return nil
	})
	return out, err
}
