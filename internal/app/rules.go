package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/store"
)

// RuleRequest is request.Rule.
type RuleRequest = request.Rule

// AddRule makes a rule and applies it. With DryRun it only says on how many findings it would have an effect.
func (a *App) AddRule(ctx context.Context, req RuleRequest) (_ report.Triaged, err error) {
	defer func() {
		if !req.DryRun {
			a.auditEnd(ctx, "rule.add", req.Name, req.State+" "+req.Reason, err)
		}
	}()
	doc := report.Triaged{DryRun: req.DryRun, Rules: []int64{}}
	r := finding.Rule{Name: finding.Cut(strings.TrimSpace(req.Name), 255), Created: a.now().UTC().Truncate(time.Millisecond), By: a.who.Name, Enabled: true,
		Source: finding.SourcePerson, Where: req.Where,
		Says: finding.RuleSays{State: finding.TriageState(req.State), Reason: strings.TrimSpace(req.Reason), Assign: req.Assign, Labels: req.Labels}}
	if r.Expires, err = parseDay("until", req.Until); err != nil {
		return doc, err
	}
	if req.Host != "" {
		if r.Where.Host, err = a.hostID(ctx, req.Host, ""); err != nil {
			return doc, err
		}
	}
	for _, site := range r.Where.Sites {
		if err := a.checkExist(ctx, 0, site); err != nil {
			return doc, err
		}
	}
	if r.Where.Host != 0 {
		if _, err := a.store.Estate().Host(ctx, a.who.View, r.Where.Host); err != nil {
			return doc, err
		}
	}
	if err := r.Validate(a.now()); err != nil {
		return doc, err
	}
	if r.Where.Host == 0 {
		if r.Where.Sites, err = a.bound(r.Where.Sites); err != nil {
			return doc, err
		}
	}
	if req.DryRun {
		doc.Selected, err = a.selectedBy(ctx, r)
		return doc, err
	}
	rules := []finding.Rule{r}
	swept, err := a.addRules(ctx, rules)
	doc.Rules, doc.Swept = []int64{rules[0].ID}, &swept
	return doc, err
}

// selectedBy counts the findings that a rule selects.
func (a *App) selectedBy(ctx context.Context, r finding.Rule) (n int, err error) {
	r.ID = 1
	rules := finding.NewRules([]finding.Rule{r})
	estate := a.store.Estate()
	for after := int64(0); ; {
		ids, err := estate.HostIDs(ctx, a.who.View, after, 100)
		if err != nil || len(ids) == 0 {
			return n, err
		}
		part := 0
		if err := estate.Update(ctx, func(tx *store.EstateTx) (err error) {
			part, err = countSelected(ctx, tx, rules, ids, a.now())
			return err
		}); err != nil {
			return n, err
		}
		n += part
		after = ids[len(ids)-1]
	}
}

func countSelected(ctx context.Context, tx *store.EstateTx, rules *finding.Rules, ids []int64, now time.Time) (n int, err error) {
	hosts, err := tx.HostsByID(ctx, ids)
	if err != nil {
		return 0, err
	}
	services, err := tx.Services(ctx, ids)
	if err != nil {
		return 0, err
	}
	findings, err := tx.HostFindings(ctx, ids)
	if err != nil {
		return 0, err
	}
	byID := map[int64]*asset.Host{}
	for _, h := range hosts {
		byID[h.ID] = h
	}
	for _, f := range findings {
		if len(rules.Matching(f, finding.HostFacts{Host: byID[f.HostID], Services: services}, now)) > 0 {
			n++
		}
	}
	return n, nil
}

// addRules keeps rules, gives them their ids, and applies them. A rule that exists already, with the same words, is not
// made twice.
func (a *App) addRules(ctx context.Context, rules []finding.Rule) (report.Swept, error) {
	for part := range slices.Chunk(rules, 1000) {
		if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) error {
			known, err := tx.RuleList(ctx)
			if err != nil {
				return err
			}
			for i := range part {
				r := &part[i]
				r.ID = 0 // an attempt that was taken back gave another
				if same := slices.IndexFunc(known, func(k finding.Rule) bool { return k.Enabled && k.Same(r) }); same >= 0 && r.Source == finding.SourcePerson {
					r.ID = known[same].ID
					continue
				}
				if err := tx.SaveRule(ctx, r); err != nil {
					return err
				}
				if err := tx.AddChange(ctx, ruleChange(r.ID, r.By, r.Created, "added", r.Where.String())); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return report.Swept{}, err
		}
	}
	return a.applyRules(ctx, rules)
}

func ruleChange(id int64, by string, at time.Time, to, note string) finding.Change {
	return finding.Change{What: finding.OfRule, Item: id, At: at, By: by, Kind: finding.ChangeRule, To: to, Note: note}
}

// applyRules applies the present rules where rules that were added, changed or removed can have an effect.
func (a *App) applyRules(ctx context.Context, changed []finding.Rule) (report.Swept, error) {
	estate := a.store.Estate()
	hosts, all, err := estate.RuleHosts(ctx, a.who.View, changed)
	if err != nil {
		return report.Swept{}, err
	}
	if all {
		if hosts, err = a.allHosts(ctx); err != nil {
			return report.Swept{}, err
		}
	} else if hosts == nil {
		hosts = []int64{}
	}
	swept, err := a.assessor().Sweep(ctx, hosts, false)
	doc := report.Swept{Hosts: swept.Hosts, Findings: swept.Findings, Assets: swept.Assets, Rerated: swept.Rerated}
	if err != nil {
		return doc, fmt.Errorf("the rules are kept but not applied everywhere yet, which patchscout rules apply does: %w", err)
	}
	return doc, estate.Update(ctx, func(tx *store.EstateTx) error { return tx.SetHits(ctx, hitsOf(changed, swept.Hits)) })
}

// Rules lists the rules about findings and hosts. Without all, rules without effect (of VEX documents that say affected)
// are left out.
func (a *App) Rules(ctx context.Context, all bool) ([]report.Rule, error) {
	ofFindings, err := a.store.Estate().FindingRules(ctx, a.who.View)
	if err != nil {
		return nil, err
	}
	ofHosts, err := a.store.Estate().HostRules(ctx, a.who.View)
	if err != nil {
		return nil, err
	}
	out := []report.Rule{}
	for _, r := range ofFindings {
		if all || r.Says.State != finding.Untriaged {
			out = append(out, a.toRule(r))
		}
	}
	for _, r := range ofHosts {
		out = append(out, a.toHostRule(r))
	}
	slices.SortFunc(out, func(x, y report.Rule) int { return int(x.ID - y.ID) })
	return out, nil
}

func (a *App) toRule(r finding.Rule) report.Rule {
	r.Where.Sites = seenOf(a.who.View, r.Where.Sites)
	hits := &r.Hits
	if r.Hits < 0 {
		hits = nil
	}
	says := []string{}
	for _, s := range []string{string(r.Says.State), r.Says.Reason} {
		if s != "" {
			says = append(says, s)
		}
	}
	text := strings.Join(says, ": ")
	if r.Says.Assign != "" {
		text = strings.TrimSpace(text + " assign " + r.Says.Assign)
	}
	if len(r.Says.Labels) > 0 {
		text = strings.TrimSpace(text + " label " + strings.Join(r.Says.Labels, ", "))
	}
	enabled := r
	enabled.Enabled = true
	return report.Rule{ID: r.ID, About: "finding", Name: report.Text(r.Name), CreatedAt: r.Created.UTC(), By: report.Text(r.By), Until: report.Date{Time: r.Expires},
		Enabled: r.Enabled, Ended: !enabled.Active(a.now()), Source: report.Text(r.Source), Where: report.RuleWhere(r.Where), Says: saysOf(r.Says), Hits: hits,
		WhereText: report.Text(r.Where.String()), SaysText: report.Text(text)}
}

func saysOf(s finding.RuleSays) report.RuleSays {
	return report.RuleSays{State: string(s.State), Reason: s.Reason, Assign: s.Assign, Labels: s.Labels, VEX: string(s.VEX), Said: s.Said}
}

func (a *App) toHostRule(r asset.Rule) report.Rule {
	r.Where.Sites = seenOf(a.who.View, r.Where.Sites)
	enabled := r
	enabled.Enabled = true
	return report.Rule{ID: r.ID, About: "host", Name: report.Text(r.Name), CreatedAt: r.Created.UTC(), By: report.Text(r.By), Until: report.Date{Time: r.Expires},
		Enabled: r.Enabled, Ended: !enabled.Active(a.now()), Source: report.Text(r.Source),
		Where:     report.RuleWhere{Sites: r.Where.Sites, Hosts: r.Where.Hosts},
		Says:      report.RuleSays{Owner: r.Says.Owner, Tags: r.Says.Tags, Criticality: r.Says.Criticality, Exposed: r.Says.Exposed},
		WhereText: report.Text("hosts " + strings.Join(append(slices.Clone(r.Where.Hosts), r.Where.Sites...), ", ")), SaysText: report.Text(sayHost(r.Says))}
}

// RemoveRule forgets a rule and takes back what it said.
func (a *App) RemoveRule(ctx context.Context, id int64) (_ report.Swept, err error) {
	defer func() { a.auditEnd(ctx, "rule.remove", numbered("rule", id), "", err) }()
	return a.changeRule(ctx, id, "removed", func(tx *store.EstateTx) error { return tx.RemoveRule(ctx, id) })
}

// EnableRule turns a rule on or off.
func (a *App) EnableRule(ctx context.Context, id int64, on bool) (_ report.Swept, err error) {
	defer func() { a.auditEnd(ctx, "rule.enable", numbered("rule", id), fmt.Sprintf("enabled %t", on), err) }()
	to := map[bool]string{true: "enabled", false: "disabled"}[on]
	return a.changeRule(ctx, id, to, func(tx *store.EstateTx) error { return tx.EnableRule(ctx, id, on) })
}

func (a *App) changeRule(ctx context.Context, id int64, to string, change func(*store.EstateTx) error) (report.Swept, error) {
	ofFindings, ofHosts, err := a.store.Estate().Rule(ctx, a.who.View, id)
	if err != nil {
		return report.Swept{}, err
	}
	if ofHosts != nil {
		err = a.mayChange(id, ofHosts.Where.Sites, 0)
	} else {
		err = a.mayChange(id, ofFindings.Where.Sites, ofFindings.Where.Host)
	}
	if err != nil {
		return report.Swept{}, err
	}
	if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) error {
		if err := change(tx); err != nil {
			return err
		}
		return tx.AddChange(ctx, ruleChange(id, a.who.Name, a.now().UTC(), to, ""))
	}); err != nil {
		return report.Swept{}, err
	}
	if ofHosts != nil {
		hosts, err := a.allHosts(ctx)
		if err != nil {
			return report.Swept{}, err
		}
		swept, err := a.assessor().Sweep(ctx, hosts, false)
		return report.Swept{Hosts: swept.Hosts, Findings: swept.Findings, Assets: swept.Assets, Rerated: swept.Rerated}, err
	}
	return a.applyRules(ctx, []finding.Rule{*ofFindings})
}

// ImportRules reads VEX documents of any format that an import knows and makes rules of their statements.
func (a *App) ImportRules(ctx context.Context, req ImportRequest) (_ report.RuleImport, err error) {
	defer func() { a.auditEnd(ctx, "rule.import", strings.Join(req.Files, ", "), "", err) }()
	doc := report.RuleImport{Files: []report.RuleLedger{}}
	if err := a.wide("importing statements"); err != nil {
		return doc, err
	}
	if err := CheckImport(req); err != nil {
		return doc, err
	}
	var changed []finding.Rule
	for _, path := range req.Files {
		format, statements, dropped, err := readStatements(ctx, req, path)
		if err != nil {
			return doc, fmt.Errorf("read %s: %w", path, err)
		}
		ledger, rules, err := a.keepStatements(ctx, statements)
		if err != nil {
			return doc, err
		}
		ledger.File, ledger.Format = path, format
		for _, reason := range sortedKeys(dropped) {
			ledger.Statements += dropped[reason]
			ledger.Refused = append(ledger.Refused, report.Dropped{Reason: reason, Count: dropped[reason]})
		}
		doc.Files, changed = append(doc.Files, ledger), append(changed, rules...)
	}
	if len(changed) == 0 {
		return doc, nil
	}
	swept, err := a.applyRules(ctx, changed)
	doc.Swept = &swept
	return doc, err
}

// maxStatements bounds what one file may bring.
const maxStatements = 1_000_000

// readStatements also counts, by reason, what the reader could not take for a statement; components are none.
func readStatements(ctx context.Context, req ImportRequest, path string) (format string, statements []finding.Statement, dropped map[string]int, err error) {
	file, _, err := openReport(req, path)
	if err != nil {
		return "", nil, nil, err
	}
	defer file.Close()
	unpacked, err := unpack(file)
	if err != nil {
		return "", nil, nil, err
	}
	head, whole := intake.Head(unpacked)
	reader, err := chooseReader(req.Tool, head)
	if err != nil {
		return "", nil, nil, err
	}
	dropped = map[string]int{}
	err = reader.Read(ctx, whole, func(e finding.Event) error {
		if d := e.Drop; d != nil && !d.Informational && !strings.Contains(d.Reason, "component") {
			dropped[d.Reason] += d.Count
		}
		if e.Statement == nil {
			return nil
		}
		if len(statements) >= maxStatements {
			return fault.Invalid("more than %d statements", maxStatements)
		}
		statements = append(statements, *e.Statement)
		return nil
	})
	if errors.Is(err, scan.ErrTruncated) { // half a document would be half of what its author says
		err = fault.Invalid("%w", err)
	}
	if err == nil && len(statements) == 0 {
		err = fault.Invalid("a %s report without any VEX statement", reader.Name())
	}
	return reader.Name(), statements, dropped, err
}

// KeepStatements brings the VEX statements of an imported report into the rules and applies them; it does nothing without
// any. They speak of all sites, so of who sees only some they are refused.
func (a *App) KeepStatements(ctx context.Context, statements []finding.Statement) (report.RuleLedger, error) {
	if len(statements) == 0 {
		return report.RuleLedger{Refused: []report.Dropped{}}, nil
	}
	if !a.who.View.All() {
		return report.RuleLedger{Statements: len(statements), Refused: []report.Dropped{
			{Reason: "it concerns all sites: that takes somebody who sees all of them", Count: len(statements)},
		}}, nil
	}
	ledger, changed, err := a.keepStatements(ctx, statements)
	if err == nil && len(changed) > 0 {
		_, err = a.applyRules(ctx, changed)
	}
	return ledger, err
}

func (a *App) keepStatements(ctx context.Context, statements []finding.Statement) (report.RuleLedger, []finding.Rule, error) {
	ledger := report.RuleLedger{Statements: len(statements), Refused: []report.Dropped{}}
	refused := map[string]int{}
	for _, s := range statements {
		if reason := finding.RefuseStatement(s); reason != "" {
			refused[reason]++
		} else {
			ledger.Used++
		}
	}
	for _, reason := range sortedKeys(refused) {
		ledger.Refused = append(ledger.Refused, report.Dropped{Reason: reason, Count: refused[reason]})
	}
	var changed []finding.Rule
	for _, part := range byCVE(statements) {
		var change finding.VEXChange
		var rules []finding.Rule
		if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) (err error) {
			change, rules, err = a.mergeStatements(ctx, tx, part)
			return err
		}); err != nil {
			return ledger, changed, err
		}
		changed = append(changed, rules...)
		ledger.Added += len(change.Add)
		ledger.Removed += len(change.Remove)
		ledger.Unchanged += change.Kept
	}
	return ledger, changed, nil
}

// byCVE cuts statements into parts for a transaction each; all of one CVE are in one.
func byCVE(statements []finding.Statement) (parts [][]finding.Statement) {
	const perTransaction = 1500
	sorted := slices.Clone(statements)
	slices.SortStableFunc(sorted, func(a, b finding.Statement) int { return cmp.Compare(a.CVE, b.CVE) })
	for len(sorted) > 0 {
		n := min(perTransaction, len(sorted))
		for n < len(sorted) && sorted[n].CVE == sorted[n-1].CVE {
			n++
		}
		parts, sorted = append(parts, sorted[:n]), sorted[n:]
	}
	return parts
}

func (a *App) mergeStatements(ctx context.Context, tx *store.EstateTx, statements []finding.Statement) (finding.VEXChange, []finding.Rule, error) {
	stored, err := tx.RuleList(ctx)
	if err != nil {
		return finding.VEXChange{}, nil, err
	}
	change := finding.MergeStatements(stored, statements, a.now())
	changed := slices.Clone(change.Add)
	for _, r := range stored {
		if _, gone := slices.BinarySearch(change.Remove, r.ID); gone {
			changed = append(changed, r)
		}
	}
	return change, changed, a.replaceRules(ctx, tx, changed[:len(change.Add)], change.Remove)
}

func (a *App) replaceRules(ctx context.Context, tx *store.EstateTx, add []finding.Rule, remove []int64) error {
	for _, id := range remove {
		if err := tx.RemoveRule(ctx, id); err != nil {
			return err
		}
		if err := tx.AddChange(ctx, ruleChange(id, a.who.Name, a.now().UTC(), "removed", "a newer statement replaces it")); err != nil {
			return err
		}
	}
	for i := range add {
		if err := tx.SaveRule(ctx, &add[i]); err != nil {
			return err
		}
		if err := tx.AddChange(ctx, ruleChange(add[i].ID, a.who.Name, add[i].Created, "added", add[i].Source+": "+add[i].Where.String())); err != nil {
			return err
		}
	}
	return nil
}

// CheckFile opens a file for reading, to refuse a mistyped name early.
func CheckFile(path string) error {
	if path == "-" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fault.Invalid("%s: no such file", path)
	}
	return f.Close()
}

// openFile opens a file, or the standard input.
func openFile(path string, stdin io.Reader) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(path)
}
