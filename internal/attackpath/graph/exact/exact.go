// Package exact answers questions of small networks of facts and actions exactly: every minimal path, the chance of a goal
// over all outcomes, every minimal set of fixes that cuts it off. It knows nothing of hosts or findings, so that any
// published network can be tried. It never passes a part of an answer for the whole: what does not fit in its limits is
// said to be incomplete.
//
// Facts only ever come to hold. An action needs all of its facts and gives others; it works or does not, decided once and
// independently of all others. Whoever cannot take an action away (no fix) must live with it.
package exact

import (
	"fmt"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

// Case is a network with its questions.
type Case struct {
	Name    string   `json:"name"`
	Init    []string `json:"init"` // facts that hold from the beginning
	Actions []Action `json:"actions"`
	Goals   []string `json:"goals"`
}

// Action gives all of Post when all of Pre hold and it works.
type Action struct {
	ID   string   `json:"id"`
	Pre  []string `json:"pre"` // none: it can always be tried
	Post []string `json:"post"`
	P    float64  `json:"p"`             // that it works; 0 is never
	Fix  []string `json:"fix,omitempty"` // each of them takes it away; several actions may share one. None: nothing does
}

// Answer is what is to say of a Case, in the order of its goals.
type Answer struct {
	Name  string       `json:"name"`
	Goals []GoalAnswer `json:"goals"`
}

// GoalAnswer is what is to say of a goal.
type GoalAnswer struct {
	Goal               string     `json:"goal"`
	Reachable          bool       `json:"reachable"`
	MinimalPaths       []Path     `json:"minimal_paths"` // the likeliest first, then those of fewer steps, then as text
	PathCount          int        `json:"path_count"`    // that were found: all of them where Complete
	MaxPathProbability float64    `json:"max_path_probability"`
	ExactProbability   *float64   `json:"exact_probability"`            // nil where it took too long: ProbabilityBounds are true then
	ProbabilityBounds  []float64  `json:"probability_bounds,omitempty"` // lower, upper
	MinFixCut          *FixCut    `json:"min_fix_cut"`                  // nil where no set of fixes is enough, or none was found in time
	SinglePointFixes   []string   `json:"single_point_fixes"`
	AllMinimalFixCuts  [][]string `json:"all_minimal_fix_cuts"` // the smallest first, then as text
	Complete           bool       `json:"complete"`
	Incomplete         []string   `json:"incomplete"` // what is not, and why
}

// Path is a set of actions of which none is superfluous, each after those that give what it needs.
type Path struct {
	Steps       []string `json:"steps"`
	Probability float64  `json:"probability"` // that all of them work
}

// FixCut is all the sets of fixes of the smallest size that leave no path. A goal that cannot be reached needs none: size
// 0 and one empty set.
type FixCut struct {
	Size int        `json:"size"`
	Sets [][]string `json:"sets"`
}

// Limits of a case. A network of this size is far beyond what has exact answers in time; they bound what is held.
const (
	maxBytes   = 16 << 20
	maxActions = 20_000
	maxFacts   = 100_000
	maxGoals   = 1_000
	maxNeeds   = 1_000 // of one action: needs, gains or fixes
	maxText    = 4_096 // bytes of one name
	maxDepth   = 64
)

// Validate says what is wrong with a case by the field that is: "actions[3].p".
func (c Case) Validate() error {
	if err := c.validateLists(); err != nil {
		return err
	}
	ids := make(map[string]int, len(c.Actions))
	facts := map[string]bool{}
	for i, a := range c.Actions {
		field := fmt.Sprintf("actions[%d]", i)
		if err := a.validate(field); err != nil {
			return err
		}
		if first, twice := ids[a.ID]; twice {
			return fault.Invalid("%s.id: %q is the id of actions[%d] too", field, a.ID, first)
		}
		ids[a.ID] = i
		for _, f := range a.Pre {
			facts[f] = true
		}
		for _, f := range a.Post {
			facts[f] = true
		}
	}
	if len(facts) > maxFacts {
		return fault.Invalid("actions: they name %d facts, more than %d", len(facts), maxFacts)
	}
	return nil
}

func (c Case) validateLists() error {
	switch {
	case len(c.Name) > maxText:
		return fault.Invalid("name: longer than %d bytes", maxText)
	case len(c.Actions) > maxActions:
		return fault.Invalid("actions: %d are more than %d", len(c.Actions), maxActions)
	case len(c.Goals) == 0:
		return fault.Invalid("goals: missing: name at least one fact")
	}
	if err := validateTexts("init", c.Init, maxFacts); err != nil {
		return err
	}
	return validateTexts("goals", c.Goals, maxGoals)
}

func (a Action) validate(field string) error {
	if err := validateText(field+".id", a.ID); err != nil {
		return err
	}
	if !(a.P >= 0 && a.P <= 1) { // also what is not a number
		return fault.Invalid("%s.p: %v is not from 0 to 1", field, a.P)
	}
	if len(a.Post) == 0 {
		return fault.Invalid("%s.post: it gives nothing: name a fact", field)
	}
	for _, list := range []struct {
		name  string
		texts []string
	}{{"pre", a.Pre}, {"post", a.Post}, {"fix", a.Fix}} {
		if err := validateTexts(field+"."+list.name, list.texts, maxNeeds); err != nil {
			return err
		}
	}
	return nil
}

func validateTexts(field string, texts []string, most int) error {
	if len(texts) > most {
		return fault.Invalid("%s: %d are more than %d", field, len(texts), most)
	}
	for i, text := range texts {
		if err := validateText(fmt.Sprintf("%s[%d]", field, i), text); err != nil {
			return err
		}
	}
	return nil
}

func validateText(field, text string) error {
	switch {
	case text == "":
		return fault.Invalid("%s: it is empty", field)
	case len(text) > maxText:
		return fault.Invalid("%s: longer than %d bytes", field, maxText)
	case !utf8.ValidString(text):
		return fault.Invalid("%s: it is not UTF-8", field)
	}
	return nil
}
