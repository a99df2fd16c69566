package finding

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
)

// Ended says whether the day up to which the triage holds is over.
func (t Triage) Ended(on time.Time) bool {
	return !t.Until.IsZero() && !on.Before(t.Until.AddDate(0, 0, 1))
}

// Spoken says whether a person triaged this very finding. Such a word stands until a person says otherwise, also after its
// last day, when it hides nothing any more.
func (t Triage) Spoken() bool { return t.Rule == 0 && t.State != "" && t.State != Untriaged }

// TriageStates are the words that people use, in the order of a list.
var TriageStates = []TriageState{Untriaged, Confirmed, FalsePositive, Accepted, OutOfScope}

// Validate says what is wrong with a person's word or a rule's: a finding is only set aside with a reason, and a risk is
// only accepted until a day.
func (t Triage) Validate(now time.Time) error {
	switch {
	case !slices.Contains(TriageStates, t.State):
		return fault.Invalid("state %q: want none, confirmed, false_positive, accepted or out_of_scope", t.State)
	case t.State == Accepted && t.Until.IsZero():
		return fault.Invalid("a risk is accepted until a day: name it with --until")
	case t.Ended(now):
		return fault.Invalid("%s is over", t.Until.Format(time.DateOnly))
	case t.State != Untriaged && t.State != Confirmed && strings.TrimSpace(t.Note) == "":
		return fault.Invalid("say why: state %s needs a reason", t.State)
	case !t.Until.IsZero() && (t.State == Untriaged || t.State == Confirmed):
		return fault.Invalid("state %s has no last day", t.State)
	}
	return nil
}

// over says whether t stands where two findings turn out to be one: a person's word before a rule's, then the newer one.
func (t Triage) over(other Triage) bool {
	if t.Spoken() != other.Spoken() {
		return t.Spoken()
	}
	if !t.At.Equal(other.At) {
		return t.At.After(other.At)
	}
	return t.compare(other) > 0
}

// Own is what people said themselves of who works on a finding and of its labels. Assignee and Labels of the finding are
// this and what rules add.
type Own struct {
	Assignee   string    `json:"assignee,omitempty"`
	AssignedAt time.Time `json:"assigned_at,omitzero"` // zero: nobody said, and a rule may assign
	Labels     []string  `json:"labels,omitempty"`     // sorted
	Without    []string  `json:"without,omitempty"`    // labels taken off, which no rule puts back; sorted
}

// Assign keeps a person's word on who works on it; "" is nobody.
func (o *Own) Assign(who string, at time.Time) {
	o.Assignee, o.AssignedAt = who, at.UTC().Truncate(time.Millisecond)
}

// Relabel puts labels on and takes labels off.
func (o *Own) Relabel(on, off []string) {
	o.Labels, o.Without = asset.Relabel(o.Labels, o.Without, on, off)
}

// Join unites what was said of two findings that are one. It is commutative and associative.
func (o Own) Join(other Own) Own {
	if other.AssignedAt.After(o.AssignedAt) || other.AssignedAt.Equal(o.AssignedAt) && other.Assignee > o.Assignee {
		o.Assignee, o.AssignedAt = other.Assignee, other.AssignedAt
	}
	o.Labels = asset.Union(o.Labels, other.Labels)
	o.Without = asset.Minus(asset.Union(o.Without, other.Without), o.Labels)
	return o
}

// JoinWords unites a person's and the rules' words on two findings that are one; see Merge. The rules are to be applied
// anew afterwards.
func JoinWords(a, b *Finding) (Triage, Own) {
	t := a.Triage
	if b.Triage.over(a.Triage) {
		t = b.Triage
	}
	return t, a.Own.Join(b.Own)
}

// Change is one thing that happened to a finding, a host, a rule or a sensor by a person's or a rule's doing. Changes are
// only ever added. What scans and the catalogue did to a finding follows from its evidence: see Life.History.
type Change struct {
	ID   int64
	What Subject
	Item int64     // id of the finding, host or rule; 0 for a sensor
	At   time.Time // when it was said
	By   string    // "local:anna", "rule 7"
	Kind ChangeKind
	From string // what it was before, "" where there was nothing
	To   string
	Note string // the reason or the comment
	Rule int64  // whose effect it is; 0 is a person's own doing
}

// Subject says what a change is about.
type Subject string

// The subjects.
const (
	OfFinding Subject = "finding"
	OfHost    Subject = "host"
	OfRule    Subject = "rule"
	OfSensor  Subject = "sensor" // To names it
)

// ChangeKind says what changed.
type ChangeKind string

// The kinds.
const (
	ChangeTriage      ChangeKind = "triage"
	ChangeComment     ChangeKind = "comment"
	ChangeAssignee    ChangeKind = "assignee"
	ChangeLabels      ChangeKind = "labels"
	ChangeDecree      ChangeKind = "closed"
	ChangeRule        ChangeKind = "rule" // added, disabled, enabled, removed
	ChangeTags        ChangeKind = "tags"
	ChangeOwner       ChangeKind = "owner"
	ChangeCriticality ChangeKind = "criticality"
	ChangeExposed     ChangeKind = "exposed"
	ChangeState       ChangeKind = "state" // of a finding's life; never stored, see History
)

// History is all that happened to a finding, oldest first: what was stored, and the changes of state that its evidence
// and the decrees tell of.
func History(stored []Change, life []Transition) []Change {
	out := slices.Clone(stored)
	from := ""
	for _, t := range life {
		told := slices.ContainsFunc(stored, func(c Change) bool { return c.Kind == ChangeDecree && c.At.Equal(t.At) && c.By == t.By })
		if told {
			from = string(t.To)
			continue
		}
		note := string(t.Reason)
		if t.Sensor != "" {
			note = strings.TrimSpace(note + " (" + t.Sensor + ")")
		}
		out = append(out, Change{What: OfFinding, At: t.At, By: t.By, Kind: ChangeState, From: from, To: string(t.To), Note: note})
		from = string(t.To)
	}
	slices.SortStableFunc(out, func(a, b Change) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Differences are the changes that turn what is said of a finding before into what is said after it. The finding's id,
// time and author are the caller's to fill in; a rule's effect names its rule.
func Differences(before, after *Finding) (out []Change) {
	if was, is := before.Triage, after.Triage; was != is && !(blank(was) && blank(is)) {
		out = append(out, Change{Kind: ChangeTriage, From: was.say(), To: is.say(), Note: is.Note, Rule: is.Rule})
	}
	if before.Assignee != after.Assignee {
		out = append(out, Change{Kind: ChangeAssignee, From: before.Assignee, To: after.Assignee})
	}
	if !slices.Equal(before.Labels, after.Labels) {
		out = append(out, Change{Kind: ChangeLabels, From: strings.Join(before.Labels, " "), To: strings.Join(after.Labels, " ")})
	}
	return out
}

func blank(t Triage) bool { return (t.State == "" || t.State == Untriaged) && t.Rule == 0 }

// say is the triage in a history: "accepted until 2027-01-31".
func (t Triage) say() string {
	s := string(cmp.Or(t.State, Untriaged))
	if !t.Until.IsZero() {
		s += " until " + t.Until.Format(time.DateOnly)
	}
	return s
}
