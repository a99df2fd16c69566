package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Words are what people and their rules say of a finding.
type Words struct {
	TriageUntil  Date          `json:"triage_until"` // the last day on which the triage holds
	TriageBy     Text          `json:"triage_by"`
	TriageReason Text          `json:"triage_reason"`
	TriageRule   *int64        `json:"triage_rule"` // the rule that says so; null is a person
	Assignee     Text          `json:"assignee"`
	Labels       []string      `json:"labels"`
	SLADue       Date          `json:"sla_due"` // by the organisation's own terms
	Overdue      bool          `json:"overdue"`
	History      []HistoryLine `json:"history,omitempty"` // of one finding that is shown, oldest first
}

// HistoryLine is one line of a history.
type HistoryLine struct {
	At   time.Time `json:"at"`
	By   Text      `json:"by"`
	What string    `json:"what"` // state, triage, comment, assignee, labels, closed, rule, tags, owner, criticality, exposed
	From Text      `json:"from"`
	To   Text      `json:"to"`
	Note Text      `json:"note"`
	Rule *int64    `json:"rule"`
}

// HostWords are what people and their rules say of a host.
type HostWords struct {
	Owner       Text     `json:"owner"`
	Tags        []string `json:"tags"`
	Criticality Text     `json:"criticality"`
	Exposed     *bool    `json:"exposed"` // null: nobody said
}

// Rule is a rule about findings or hosts.
type Rule struct {
	ID        int64     `json:"id"`
	About     string    `json:"about"` // finding, host
	Name      Text      `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	By        Text      `json:"by"`
	Until     Date      `json:"until"` // the last day on which it holds
	Enabled   bool      `json:"enabled"`
	Ended     bool      `json:"ended"`
	Source    Text      `json:"source"`
	Where     RuleWhere `json:"where"`
	Says      RuleSays  `json:"says"`
	Hits      *int      `json:"hits"` // findings on which it has an effect; null for rules about hosts and where a part cannot be told

	WhereText Text `json:"-"`
	SaysText  Text `json:"-"`
}

// RuleWhere is what a rule is about: all that is not empty must hold, each by one of its values. A rule about hosts has
// sites and hosts only.
type RuleWhere struct {
	Sites      []string `json:"sites,omitempty" example:"[\"default\"]"`
	Host       int64    `json:"host,omitempty" example:"5" doc:"one host, wherever it moves"`
	Hosts      []string `json:"hosts,omitempty" example:"[\"10.9.0.0/16\"]" doc:"networks, addresses or names"`
	Tags       []string `json:"tags,omitempty" example:"[\"lab\"]" doc:"of the host"`
	Weaknesses []string `json:"weaknesses,omitempty" example:"[\"CVE-2024-6387\"]" doc:"CVEs or checks, * allowed"`
	Products   []string `json:"products,omitempty" example:"[\"openbsd:openssh\"]"`
	Within     []string `json:"within,omitempty" example:"[\"pkg:oci/shop\"]" doc:"products (images) that are the host itself"`
	Components []string `json:"components,omitempty" example:"[\"openssl\"]"`
	Severities []string `json:"severities,omitempty" example:"[\"low\"]"`
	Sensors    []string `json:"sensors,omitempty" example:"[\"nmap\"]"`
	Ports      []string `json:"ports,omitempty" example:"[\"443/tcp\"]"`
	Labels     []string `json:"labels,omitempty" example:"[\"web\"]" doc:"that people put on"`
}

// RuleSays is what a rule says: of findings the first six, of hosts the others.
type RuleSays struct {
	State  string    `json:"state,omitempty" example:"accepted"`
	Reason string    `json:"reason,omitempty" example:"the lab"`
	Assign string    `json:"assign,omitempty" example:"anna"`
	Labels []string  `json:"labels,omitempty" example:"[\"web\"]"`
	VEX    string    `json:"vex,omitempty" example:"not_affected" doc:"the status that made the rule"`
	Said   time.Time `json:"said,omitzero" example:"2026-11-20T08:30:00Z" doc:"when its author said so"`

	Owner       string   `json:"owner,omitempty" example:"web"`
	Tags        []string `json:"tags,omitempty" example:"[\"dmz\"]"`
	Criticality string   `json:"criticality,omitempty" example:"high"`
	Exposed     *bool    `json:"exposed,omitempty" example:"true"`
}

// RuleList is the document of rules list.
type RuleList struct {
	Rules []Rule `json:"rules"`
}

// Triaged says what a person's word came to.
type Triaged struct {
	Selected int     `json:"selected"`
	Changed  int     `json:"changed"`
	DryRun   bool    `json:"dry_run"`
	Rules    []int64 `json:"rules"`   // made for a scope beyond the finding
	Swept    *Swept  `json:"applied"` // what the rules changed, where they were applied
}

// Swept says what applying rules changed.
type Swept struct {
	Hosts    int `json:"hosts"`
	Findings int `json:"findings"`
	Assets   int `json:"assets"`
	Rerated  int `json:"rerated"`
}

// RuleImport is the ledger of VEX documents that became rules.
type RuleImport struct {
	Files []RuleLedger `json:"files"`
	Swept *Swept       `json:"applied"`
}

// RuleLedger accounts for the statements of one file: Statements = Used + the counts of Refused.
type RuleLedger struct {
	File       string    `json:"file"`
	Format     string    `json:"format"`
	Statements int       `json:"statements"`
	Used       int       `json:"used"`
	Refused    []Dropped `json:"refused"`
	Added      int       `json:"rules_added"`
	Removed    int       `json:"rules_removed"` // that a newer statement replaces
	Unchanged  int       `json:"rules_unchanged"`
}

// AssetImport is the ledger of a CSV file of hosts: Records = Changed + Unchanged + Kept + the counts of Refused.
type AssetImport struct {
	File      string    `json:"file"`
	Records   int       `json:"records"`
	Changed   int       `json:"changed"`
	Unchanged int       `json:"unchanged"`
	Kept      int       `json:"kept_as_rules"` // hosts that are not known yet
	Refused   []Dropped `json:"refused"`
	Problems  []Problem `json:"problems"` // the first of them, with their lines
	Rerated   int       `json:"rerated"`
}

// RuleTable lists rules.
func RuleTable(w io.Writer, rules []Rule, t Terminal) error {
	if len(rules) == 0 {
		_, err := fmt.Fprintln(w, "No rules. Make one with: patchscout rules add --help")
		return err
	}
	g := &grid{columns: []column{
		{Title: "ID", Right: true}, {Title: "ABOUT", Flex: 12}, {Title: "SAYS", Flex: 10}, {Title: "UNTIL"}, {Title: "STATUS"},
		{Title: "HITS", Right: true}, {Title: "BY", Flex: 4, Optional: 1},
	}}
	for _, r := range rules {
		hits := missing
		if r.Hits != nil {
			hits = Thousands(*r.Hits)
		}
		g.add(plainCells(fmt.Sprint(r.ID), string(r.WhereText), string(r.SaysText), r.Until.String(), r.status(), hits, string(r.By))...)
	}
	return g.draw(w, t)
}

func (r Rule) status() string {
	switch {
	case !r.Enabled:
		return "disabled"
	case r.Ended:
		return "ended"
	}
	return "active"
}

// Sentence is what was done, for people.
func (t Triaged) Sentence() string {
	if t.DryRun {
		return Plural(t.Selected, "finding", "findings") + " would be changed; nothing was"
	}
	s := Plural(t.Changed, "finding", "findings") + " changed"
	if t.Changed < t.Selected && len(t.Rules) == 0 {
		s = Plural(t.Selected, "finding", "findings") + ", " + Thousands(t.Changed) + " changed"
	}
	if len(t.Rules) > 0 {
		ids := make([]string, len(t.Rules))
		for i, id := range t.Rules {
			ids[i] = fmt.Sprint(id)
		}
		s = "rule " + strings.Join(ids, ", ") + " says so"
		if t.Swept != nil {
			s += "; " + Plural(t.Swept.Findings, "finding", "findings") + " changed"
		}
	}
	return s
}

// Sentence is what was done, for people.
func (s Swept) Sentence() string {
	out := Plural(s.Findings, "finding", "findings") + " changed, of " + Plural(s.Hosts, "host", "hosts") + " looked at"
	if s.Assets > 0 {
		out += ", " + Plural(s.Assets, "host", "hosts") + " described anew"
	}
	if s.Rerated > 0 {
		out += ", " + Plural(s.Rerated, "finding", "findings") + " judged anew"
	}
	return out
}

// Sentence is what became of a report's VEX statements, for people.
func (l RuleLedger) Sentence() string {
	s := fmt.Sprintf("of its %s %s rules (patchscout rules)", Plural(l.Statements, "VEX statement", "VEX statements"),
		Plural(l.Used, "is part of", "are part of"))
	for _, d := range l.Refused {
		s += fmt.Sprintf(", %d %s", d.Count, d.Reason)
	}
	return s
}

// RuleImportTable shows what became of every statement.
func RuleImportTable(w io.Writer, doc RuleImport) error {
	p := &printer{w: w}
	for _, f := range doc.Files {
		p.line("%s (%s)", Plain(f.File), Plain(f.Format))
		p.line("  %7s  statements", Thousands(f.Statements))
		p.line("  %7s  used: %s new, %s replaced, %s as they were", Thousands(f.Used), Plural(f.Added, "rule", "rules"),
			Thousands(f.Removed), Thousands(f.Unchanged))
		for _, d := range f.Refused {
			p.line("  %7s  refused: %s", Thousands(d.Count), Plain(d.Reason))
		}
	}
	if doc.Swept != nil {
		p.line("%s", doc.Swept.Sentence())
	}
	return p.err
}

// AssetImportTable shows what became of every row.
func AssetImportTable(w io.Writer, doc AssetImport) error {
	p := &printer{w: w}
	p.line("%s", Plain(doc.File))
	p.line("  %7s  rows", Thousands(doc.Records))
	p.line("  %7s  hosts changed", Thousands(doc.Changed))
	p.line("  %7s  as they were", Thousands(doc.Unchanged))
	p.line("  %7s  not known yet: kept as rules, for when they are", Thousands(doc.Kept))
	for _, d := range doc.Refused {
		p.line("  %7s  refused: %s", Thousands(d.Count), Plain(d.Reason))
	}
	for _, problem := range doc.Problems {
		p.item("    ", problem.Target+": "+problem.Reason)
	}
	if doc.Rerated > 0 {
		p.line("%s judged anew", Plural(doc.Rerated, "finding", "findings"))
	}
	return p.err
}

// wordRows are the rows of a finding's detail on what people say of it.
func (f Finding) wordRows() (rows [][2]string) {
	if f.Triage != "none" && f.Triage != "" {
		by := string(f.TriageBy)
		if f.TriageRule != nil {
			by = fmt.Sprintf("rule %d (%s)", *f.TriageRule, by)
		}
		s := f.Triage
		if !f.TriageUntil.IsZero() {
			s += " until " + f.TriageUntil.String()
		}
		rows = append(rows, [2]string{"Triage", s + " by " + by + ": " + orMissing(string(f.TriageReason))})
	}
	if f.Assignee != "" {
		rows = append(rows, [2]string{"Assigned to", string(f.Assignee)})
	}
	if len(f.Labels) > 0 {
		rows = append(rows, [2]string{"Labels", strings.Join(f.Labels, ", ")})
	}
	if !f.SLADue.IsZero() {
		rows = append(rows, [2]string{"Term", "due " + f.SLADue.String() + map[bool]string{true: ", overdue"}[f.Overdue]})
	}
	return rows
}

// history prints what happened, oldest first.
func (p *printer) history(changes []HistoryLine) {
	if len(changes) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.view.paint(toneTitle, "History"))
	for _, c := range changes {
		s := stamp(c.At) + "  " + string(c.By) + "  " + c.What
		switch {
		case c.From != "" && c.To != "":
			s += " " + string(c.From) + " -> " + string(c.To)
		case c.To != "":
			s += " " + string(c.To)
		case c.From != "":
			s += " " + string(c.From) + " -> nothing"
		}
		switch note := string(c.Note); {
		case strings.HasPrefix(note, "("): // who saw it, without a reason
			s += " " + note
		case note != "":
			s += ": " + note
		}
		p.item("  ", s)
	}
}
