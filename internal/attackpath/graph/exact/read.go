package exact

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"encoding/json"

	"github.com/patchscout/patchscout/internal/fault"
)

// Read reads a case:
//
//	{"init": [fact…], "actions": [{"id", "pre": [fact…], "post": fact, "p": 0..1, "fix": name}…], "goals": [fact…]}
//
// pre, post and fix are a text or a list of them; p is 1 where it is absent. Where goals are absent those that "expected"
// answers are about stand for them. Other members say where a network is from, and are passed over. Errors name the file
// and the field, and are fault.Invalid.
func Read(name string, r io.Reader) (Case, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return Case{}, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxBytes {
		return Case{}, fault.Invalid("%s: longer than %d MiB", name, maxBytes>>20)
	}
	c, err := readCase(data)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return Case{}, fault.Invalid("%s: %w", name, err)
	}
	if c.Name == "" {
		c.Name = filepath.Base(name)
	}
	return c, nil
}

func readCase(data []byte) (Case, error) {
	doc, err := parse(data)
	if err != nil {
		return Case{}, err
	}
	members, ok := doc.(map[string]any)
	if !ok {
		return Case{}, fault.Invalid("want an object with init, actions and goals, got %s", kind(doc))
	}
	var c Case
	if c.Name, err = text("name", members["name"]); err != nil {
		return Case{}, err
	}
	if c.Init, err = wanted(members, "", "init"); err != nil {
		return Case{}, err
	}
	if c.Actions, err = readActions(members["actions"]); err != nil {
		return Case{}, err
	}
	c.Goals, err = readGoals(members)
	return c, err
}

func readActions(v any) ([]Action, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fault.Invalid("actions: want a list, got %s", kind(v))
	}
	if len(list) > maxActions {
		return nil, fault.Invalid("actions: %d are more than %d", len(list), maxActions)
	}
	actions := make([]Action, len(list))
	for i, v := range list {
		var err error
		if actions[i], err = readAction(fmt.Sprintf("actions[%d]", i), v); err != nil {
			return nil, err
		}
	}
	return actions, nil
}

func readAction(field string, v any) (a Action, err error) {
	members, ok := v.(map[string]any)
	if !ok {
		return a, fault.Invalid("%s: want an object, got %s", field, kind(v))
	}
	if _, ok := members["id"]; !ok {
		return a, fault.Invalid("%s.id: missing", field)
	}
	if a.ID, err = text(field+".id", members["id"]); err != nil {
		return a, err
	}
	if a.Pre, err = wanted(members, field+".", "pre"); err != nil {
		return a, err
	}
	if a.Post, err = wanted(members, field+".", "post"); err != nil {
		return a, err
	}
	if a.P, err = chance(field+".p", members["p"]); err != nil {
		return a, err
	}
	if members["fix"] != nil {
		a.Fix, err = texts(field+".fix", members["fix"])
	}
	return a, err
}

func readGoals(members map[string]any) ([]string, error) {
	if members["goals"] != nil {
		goals, err := texts("goals", members["goals"])
		return distinct(goals), err
	}
	expected, _ := members["expected"].([]any)
	var goals []string
	for i, v := range expected {
		answer, _ := v.(map[string]any)
		goal, ok := answer["goal"].(string)
		if !ok {
			return nil, fault.Invalid("expected[%d].goal: want a text; or name the goals", i)
		}
		goals = append(goals, goal)
	}
	return distinct(goals), nil
}

// wanted reads a text or a list of them that must be there.
func wanted(members map[string]any, prefix, name string) ([]string, error) {
	v, ok := members[name]
	if !ok {
		return nil, fault.Invalid("%s%s: missing; [] is none", prefix, name)
	}
	list, err := texts(prefix+name, v)
	return distinct(list), err
}

// texts reads a list of texts; one text is a list of one.
func texts(field string, v any) ([]string, error) {
	if one, ok := v.(string); ok {
		if one == "" {
			return nil, fault.Invalid("%s: it is empty", field)
		}
		return []string{one}, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fault.Invalid("%s: want a text or a list of texts, got %s", field, kind(v))
	}
	out := make([]string, 0, len(list))
	for i, v := range list {
		one, ok := v.(string)
		if !ok {
			return nil, fault.Invalid("%s[%d]: want a text, got %s", field, i, kind(v))
		}
		if err := validateText(fmt.Sprintf("%s[%d]", field, i), one); err != nil { // before distinct moves the places
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// text reads one text; what is absent is "".
func text(field string, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", fault.Invalid("%s: want a text, got %s", field, kind(v))
}

// chance reads p; what is absent works always.
func chance(field string, v any) (float64, error) {
	if v == nil {
		return 1, nil
	}
	n, ok := v.(json.Number)
	if !ok {
		return 0, fault.Invalid("%s: want a number from 0 to 1, got %s", field, kind(v))
	}
	p, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || p < 0 || p > 1 {
		return 0, fault.Invalid("%s: %.40s is not from 0 to 1", field, n)
	}
	return p, nil
}

func distinct(texts []string) []string {
	seen := make(map[string]bool, len(texts))
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// kind says what a value is, for people.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case string:
		return "a text"
	case json.Number:
		return "the number " + strings.TrimSpace(fmt.Sprintf("%.40s", v.String()))
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
