package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// The scopes of a person's word.
const (
	ScopeFinding    = "finding"
	ScopeHost       = "host"
	ScopeEverywhere = "everywhere"
)

// TriageRequest is request.Triage.
type TriageRequest = request.Triage

// said is a request understood.
type said struct {
	triage   *finding.Triage
	assign   *string
	on, off  []string
	comment  string
	scope    string
	site     string
	sites    []string // of rules that speak of everywhere; none is all
	by       string
	at       time.Time
	selected []selectedFinding
}

type selectedFinding struct {
	id, host int64
	weakness finding.Weakness
}

// Triage keeps what a person says of findings. It works in short transactions: an error tells how many were done, and the
// same request again does the rest.
func (a *App) Triage(ctx context.Context, req TriageRequest) (_ report.Triaged, err error) {
	defer func() {
		if !req.DryRun {
			a.auditEnd(ctx, "finding.triage", several("finding", req.IDs), req.State+" "+req.Reason, err)
		}
	}()
	doc := report.Triaged{DryRun: req.DryRun, Rules: []int64{}}
	s, err := a.understand(req)
	if err != nil {
		return doc, err
	}
	if s.selected, err = a.selectFindings(ctx, req.IDs, req.Filter); err != nil {
		return doc, err
	}
	if s.site != "" {
		if err := a.checkExist(ctx, 0, s.site); err != nil {
			return doc, err
		}
		s.sites = []string{s.site}
	}
	if s.scope == ScopeEverywhere {
		if s.sites, err = a.bound(s.sites); err != nil {
			return doc, err
		}
	}
	doc.Selected = len(s.selected)
	if err := expected(doc.Selected, req.Expect, req.Most, req.DryRun); err != nil || req.DryRun || doc.Selected == 0 {
		return doc, err
	}
	if len(req.IDs) == 0 && doc.Selected > 1 && (req.Confirm == nil || !req.Confirm(doc.Selected)) {
		return doc, fault.Conflict("%s are selected: nothing was changed; --yes changes them", report.Plural(doc.Selected, "finding", "findings"))
	}
	return doc, a.triage(ctx, s, &doc)
}

// expected refuses to change other findings than the asker believes to be selected, or too many at once.
func expected(selected int, expect *int, most int, dryRun bool) error {
	switch {
	case dryRun:
	case expect != nil && *expect != selected:
		return fault.Conflict("%s are selected, not %d: nothing was changed", report.Plural(selected, "finding", "findings"), *expect)
	case most > 0 && selected > most:
		return fault.Invalid("%s are selected, and at most %s are changed at once: nothing was changed; narrow the filter, or make a rule that says it of all",
			report.Plural(selected, "finding", "findings"), report.Thousands(most))
	}
	return nil
}

func (a *App) triage(ctx context.Context, s said, doc *report.Triaged) (err error) {
	var rules []finding.Rule
	if s.triage != nil && s.scope != ScopeFinding {
		if rules, err = s.rules(); err != nil {
			return err
		}
		s.triage = &finding.Triage{State: finding.Untriaged, By: s.by, At: s.at, Note: s.triage.Note} // the rule speaks
	}
	if doc.Changed, err = a.sayAll(ctx, s); err != nil {
		return err
	}
	if len(rules) > 0 {
		swept, err := a.addRules(ctx, rules)
		for _, r := range rules {
			doc.Rules = append(doc.Rules, r.ID)
		}
		doc.Swept = &swept
		return err
	}
	if s.triage != nil && s.triage.State == finding.Untriaged || len(s.on)+len(s.off) > 0 || s.assign != nil {
		return a.sweepSelected(ctx, s.selected) // what a person no longer says, a rule may
	}
	return nil
}

func (a *App) understand(req TriageRequest) (s said, err error) {
	s = said{assign: req.Assign, comment: strings.TrimSpace(req.Comment), scope: either(req.Scope, ScopeFinding), site: req.Site, by: a.who.Name, at: a.now().UTC().Truncate(time.Millisecond)}
	if s.on, s.off, err = splitLabels(req.Labels); err != nil {
		return s, err
	}
	if !slices.Contains([]string{ScopeFinding, ScopeHost, ScopeEverywhere}, s.scope) {
		return s, fault.InvalidOption("scope", " %s: want finding, host or everywhere", req.Scope)
	}
	if req.Site != "" && s.scope != ScopeEverywhere {
		return s, fault.InvalidOption("only-site", " belongs to --scope everywhere")
	}
	if req.State == "" {
		if req.Until != "" || req.Reason != "" || s.scope != ScopeFinding {
			return s, fault.InvalidOption("until", ", --reason and --scope belong to --state")
		}
		if s.assign == nil && s.comment == "" && len(s.on)+len(s.off) == 0 {
			return s, fault.Invalid("say something of the findings: --state, --assign, --label or --comment")
		}
		return s, nil
	}
	t := finding.Triage{State: finding.TriageState(req.State), By: s.by, At: s.at, Note: finding.Cut(strings.TrimSpace(req.Reason), finding.MaxText)}
	if t.Until, err = parseDay("until", req.Until); err != nil {
		return s, err
	}
	if t.State == finding.Untriaged && s.scope != ScopeFinding {
		return s, fault.InvalidOption("state", " none takes back what was said of findings; a rule is taken back by patchscout rules remove")
	}
	s.triage = &t
	return s, t.Validate(a.now())
}

// parseDay reads a UTC day; "" is the zero time.
func parseDay(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fault.InvalidOption(flag, " %q: want a day as 2027-01-31", text)
	}
	return t, nil
}

// splitLabels reads "x" and "-x".
func splitLabels(labels []string) (on, off []string, err error) {
	for _, l := range labels {
		name, minus := strings.CutPrefix(l, "-")
		if err := asset.CheckLabel(name); err != nil {
			return nil, nil, err
		}
		if minus {
			off = append(off, name)
		} else {
			on = append(on, name)
		}
	}
	return on, off, nil
}

// maxScoped bounds how many rules one word makes: beyond it, one rule with a filter says the same.
const maxScoped = 100

// rules are those of a scope beyond the finding: one for each weakness, or weakness and host.
func (s *said) rules() ([]finding.Rule, error) {
	var rules []finding.Rule
	seen := map[selectedFinding]bool{}
	for _, f := range s.selected {
		key := selectedFinding{weakness: f.weakness}
		where := finding.RuleWhere{Weaknesses: []string{string(f.weakness)}}
		if s.scope == ScopeHost {
			key.host, where.Host = f.host, f.host
		} else {
			where.Sites = slices.Clone(s.sites)
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		rules = append(rules, finding.Rule{Name: string(f.weakness) + " " + s.scope, Created: s.at, By: s.by, Expires: s.triage.Until, Enabled: true,
			Source: finding.SourcePerson, Where: where, Says: finding.RuleSays{State: s.triage.State, Reason: s.triage.Note}})
		if len(rules) > maxScoped {
			return nil, fault.Invalid("that would be more than %d rules: say it by one, with patchscout rules add", maxScoped)
		}
	}
	return rules, nil
}

// selectFindings finds what a person means, by id or by filter, in the order of the ids.
func (a *App) selectFindings(ctx context.Context, ids []int64, by *FindingRequest) ([]selectedFinding, error) {
	if len(ids) > 0 {
		return a.findingsNamed(ctx, ids)
	}
	if by == nil {
		return nil, fault.Invalid("name findings by id, or select them with --filter")
	}
	filter, err := a.filter(ctx, *by)
	if err != nil {
		return nil, err
	}
	var out []selectedFinding
	err = a.store.Estate().EachFinding(ctx, a.who.View, filter, func(l finding.Listed) error {
		out = append(out, selectedFinding{l.ID, l.HostID, l.Weakness})
		return nil
	})
	slices.SortFunc(out, func(x, y selectedFinding) int { return int(x.id - y.id) })
	return out, err
}

func (a *App) findingsNamed(ctx context.Context, ids []int64) (out []selectedFinding, err error) {
	for _, id := range ids {
		l, err := a.store.Estate().Finding(ctx, a.who.View, id)
		if err != nil {
			return nil, err
		}
		one := selectedFinding{l.ID, l.HostID, l.Weakness}
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out, nil
}

// sayAll says it of the findings in transactions of at most some 5,000 rows.
func (a *App) sayAll(ctx context.Context, s said) (changed int, err error) {
	const perTransaction = 1200 // a finding has its row and up to three lines of history
	done := 0
	for part := range slices.Chunk(s.selected, perTransaction) {
		n := 0
		if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) (err error) {
			n, err = s.say(ctx, tx, part)
			return err
		}); err != nil {
			return changed, fmt.Errorf("%d of %d findings were changed and stay so, the others are as before; the same again does the rest: %w",
				done, len(s.selected), err)
		}
		changed += n
		done += len(part)
	}
	return changed, nil
}

func (s *said) say(ctx context.Context, tx *store.EstateTx, part []selectedFinding) (changed int, err error) {
	ids := make([]int64, len(part))
	for i, f := range part {
		ids[i] = f.id
	}
	found, err := tx.FindingsByID(ctx, ids)
	if err != nil {
		return 0, err
	}
	for _, f := range found {
		before := *f
		s.apply(f)
		changes := finding.Differences(&before, f)
		if len(changes) > 0 || !sameWords(&before, f) {
			changed++
			if err := tx.SaveWords(ctx, f); err != nil {
				return 0, err
			}
		}
		if s.comment != "" {
			changes = append(changes, finding.Change{Kind: finding.ChangeComment, Note: s.comment})
			if len(changes) == 1 {
				changed++
			}
		}
		for _, c := range changes {
			c.What, c.Item, c.At, c.By = finding.OfFinding, f.ID, s.at, s.by
			if err := tx.AddChange(ctx, c); err != nil {
				return 0, err
			}
		}
	}
	return changed, nil
}

func sameWords(a, b *finding.Finding) bool {
	return a.Own.Assignee == b.Own.Assignee && slices.Equal(a.Own.Labels, b.Own.Labels) && slices.Equal(a.Own.Without, b.Own.Without)
}

// apply says it of one finding. What rules say of it besides stays.
func (s *said) apply(f *finding.Finding) {
	if s.triage != nil && !repeats(f.Triage, *s.triage) && (s.triage.State != finding.Untriaged || f.Triage.Spoken()) {
		f.Triage = *s.triage
	}
	if s.assign != nil && (f.Own.Assignee != *s.assign || f.Own.AssignedAt.IsZero()) {
		f.Own.Assign(*s.assign, s.at)
		f.Assignee = *s.assign
	}
	if len(s.on)+len(s.off) > 0 {
		byRules := asset.Minus(f.Labels, f.Own.Labels)
		f.Own.Relabel(s.on, s.off)
		f.Labels = asset.Minus(asset.Union(f.Own.Labels, byRules), f.Own.Without)
	}
}

// repeats says whether a person said just this before.
func repeats(before, now finding.Triage) bool {
	return before.Rule == 0 && before.State == now.State && before.Until.Equal(now.Until) && before.Note == now.Note
}

// sweepSelected applies the rules to the hosts of findings of which a person took something back.
func (a *App) sweepSelected(ctx context.Context, selected []selectedFinding) error {
	rules, err := a.store.Estate().FindingRules(ctx, a.who.View)
	if err != nil || len(rules) == 0 {
		return err
	}
	_, err = a.assessor().Sweep(ctx, hostsOf(selected), false)
	return err
}

func hostsOf(selected []selectedFinding) []int64 {
	hosts := make([]int64, 0, len(selected))
	for _, f := range selected {
		hosts = append(hosts, f.host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// CloseRequest is request.Close.
type CloseRequest = request.Close

// CloseFindings ends findings until they are seen again. Those that have ended are left alone.
func (a *App) CloseFindings(ctx context.Context, req CloseRequest) (_ report.Triaged, err error) {
	defer func() {
		if !req.DryRun {
			a.auditEnd(ctx, "finding.close", several("finding", req.IDs), req.Reason, err)
		}
	}()
	doc := report.Triaged{DryRun: req.DryRun, Rules: []int64{}}
	if strings.TrimSpace(req.Reason) == "" {
		return doc, fault.Invalid("say why they are closed: --reason")
	}
	selected, err := a.selectFindings(ctx, req.IDs, req.Filter)
	if err != nil {
		return doc, err
	}
	doc.Selected = len(selected)
	if err := expected(doc.Selected, req.Expect, req.Most, req.DryRun); err != nil || req.DryRun || doc.Selected == 0 {
		return doc, err
	}
	if len(req.IDs) == 0 && doc.Selected > 1 && (req.Confirm == nil || !req.Confirm(doc.Selected)) {
		return doc, fault.Conflict("%s are selected: nothing was changed; --yes closes them", report.Plural(doc.Selected, "finding", "findings"))
	}
	byHost := map[int64][]int64{}
	for _, f := range selected {
		byHost[f.host] = append(byHost[f.host], f.id)
	}
	doc.Changed, err = a.assessor().CloseFindings(ctx, byHost, a.decree(finding.ByPerson, req.Reason))
	return doc, err
}

func (a *App) decree(reason finding.Closing, note string) finding.Decree {
	return finding.Decree{At: a.now().UTC().Truncate(time.Millisecond), Reason: reason, By: a.who.Name, Note: strings.TrimSpace(note)}
}

// RetireSensor ends what only this sensor saw, in one site or, without one, in all. preview only counts.
func (a *App) RetireSensor(ctx context.Context, sensor, site, reason string, preview bool) (ended int, err error) {
	defer func() {
		if !preview {
			a.auditEnd(ctx, "sensor.retire", sensor, "site "+site+", "+reason, err)
		}
	}()
	known, err := a.store.Estate().Sensors(ctx, a.who.View)
	if err != nil {
		return 0, err
	}
	if !slices.Contains(known, sensor) {
		return 0, fault.NotFound("no finding was ever seen by %s; known are: %s", sensor, either(strings.Join(known, ", "), "none"))
	}
	sites, err := a.sitesNamed(ctx, site)
	if err != nil {
		return 0, err
	}
	d := a.decree(finding.SensorRetired, reason)
	d.Sensor = sensor
	for _, name := range sites {
		hosts, err := a.store.Estate().SensorHosts(ctx, a.who.View, name, sensor)
		if err != nil {
			return ended, err
		}
		if len(hosts) == 0 {
			continue
		}
		n := 0
		if preview {
			n, err = a.assessor().Preview(ctx, d, hosts)
		} else {
			n, err = a.assessor().Decree(ctx, name, d, hosts)
		}
		ended += n
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}

func (a *App) sitesNamed(ctx context.Context, site string) ([]string, error) {
	if site != "" {
		return []string{site}, a.checkExist(ctx, 0, site)
	}
	sites, err := a.store.Estate().Sites(ctx, a.who.View)
	names := make([]string, 0, len(sites))
	for _, s := range sites {
		names = append(names, s.Name)
	}
	return names, err
}

// terms are the organisation's own from the configuration; what administrators set stands before them, see finding.Rules.
func (a *App) terms() finding.Terms {
	return finding.Terms{Decision: a.cfg.SLA.ByDecision(), Severity: a.cfg.SLA.BySeverity()}
}

// ApplyRules applies all rules and the terms to every finding. Terms that were changed since the last time are applied
// from the beginning; else no day moves later.
func (a *App) ApplyRules(ctx context.Context) (_ report.Swept, err error) {
	defer func() { a.auditEnd(ctx, "rule.apply", "", "", err) }()
	if err := a.wide("applying all rules"); err != nil {
		return report.Swept{}, err
	}
	estate := a.store.Estate()
	before, body := "", []byte(nil)
	if err := estate.Update(ctx, func(tx *store.EstateTx) error {
		rules, err := tx.Rules(ctx)
		if err != nil {
			return err
		}
		if body, err = json.Marshal(a.terms().With(rules.Terms)); err != nil {
			return err
		}
		before, err = tx.Terms(ctx)
		return err
	}); err != nil {
		return report.Swept{}, err
	}
	swept, err := a.assessor().Sweep(ctx, nil, before != string(body))
	doc := report.Swept{Hosts: swept.Hosts, Findings: swept.Findings, Assets: swept.Assets, Rerated: swept.Rerated}
	if err != nil {
		return doc, err
	}
	rules, err := estate.FindingRules(ctx, a.who.View)
	if err != nil {
		return doc, err
	}
	return doc, estate.Update(ctx, func(tx *store.EstateTx) error {
		if err := tx.SetHits(ctx, hitsOf(rules, swept.Hits)); err != nil {
			return err
		}
		return tx.SetTerms(ctx, string(body))
	})
}

func hitsOf(rules []finding.Rule, hits map[int64]int) map[int64]int {
	out := map[int64]int{}
	for _, r := range rules {
		out[r.ID] = hits[r.ID]
	}
	return out
}

// words shows what people and rules say of a finding.
func (a *App) words(f *finding.Finding) report.Words {
	w := report.Words{TriageUntil: report.Date{Time: f.Triage.Until}, TriageBy: report.Text(f.Triage.By), TriageReason: report.Text(f.Triage.Note),
		Assignee: report.Text(f.Assignee), Labels: notNil(f.Labels), SLADue: report.Date{Time: f.SLADue}, Overdue: f.Overdue(a.now())}
	if f.Triage.Rule != 0 {
		rule := f.Triage.Rule
		w.TriageRule = &rule
	}
	return w
}

// history shows everything that happened to a finding, oldest first.
func (a *App) history(ctx context.Context, f *finding.Finding) ([]report.HistoryLine, error) {
	stored, err := a.store.Estate().Changes(ctx, a.who.View, finding.OfFinding, f.ID)
	if err != nil {
		return nil, err
	}
	return historyLines(finding.History(stored, f.History)), nil
}

func historyLines(changes []finding.Change) []report.HistoryLine {
	out := []report.HistoryLine{}
	for _, c := range changes {
		line := report.HistoryLine{At: c.At.UTC(), By: report.Text(c.By), What: string(c.Kind), From: report.Text(c.From), To: report.Text(c.To), Note: report.Text(c.Note)}
		if c.Rule != 0 {
			rule := c.Rule
			line.Rule = &rule
		}
		out = append(out, line)
	}
	return out
}
