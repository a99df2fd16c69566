package exact_test

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
	"github.com/patchscout/patchscout/internal/fault"
)

func read(text string) (exact.Case, error) {
	return exact.Read("dir/net.json", strings.NewReader(text))
}

func TestReadTakesTextsAndLists(t *testing.T) {
	c, err := read("\uFEFF" + `{"note": {"p": [1]}, "init": "a", "goals": "c", "actions": [
		{"id": "one", "pre": "a", "post": "b", "rule": "any", "p": null, "fix": null},
		{"id": "two", "pre": ["a", "b", "a"], "post": ["c", "d"], "p": 0.25, "fix": ["x", "y"]},
		{"id": "three", "pre": [], "post": "c", "p": 0, "fix": "x"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := exact.Case{Name: "net.json", Init: []string{"a"}, Goals: []string{"c"}, Actions: []exact.Action{
		{ID: "one", Pre: []string{"a"}, Post: []string{"b"}, P: 1},
		{ID: "two", Pre: []string{"a", "b"}, Post: []string{"c", "d"}, P: 0.25, Fix: []string{"x", "y"}},
		{ID: "three", Pre: []string{}, Post: []string{"c"}, P: 0, Fix: []string{"x"}},
	}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v\nwant %+v", c, want)
	}
}

func TestReadTakesTheGoalsOfWhatIsExpected(t *testing.T) {
	c, err := read(`{"init": [], "actions": [], "expected": [{"goal": "b", "reachable": true}, {"goal": "a"}, {"goal": "b"}]}`)
	if err != nil || !reflect.DeepEqual(c.Goals, []string{"b", "a"}) {
		t.Errorf("%v, %v", c.Goals, err)
	}
}

func TestReadSaysWhichFieldIsWrong(t *testing.T) {
	good := `{"id": "a", "pre": ["x"], "post": "y"}`
	for _, tt := range []struct{ text, want string }{
		{``, "line 1: the document ends too early"},
		{`[]`, "want an object with init, actions and goals, got a list"},
		{`{"init": [],`, "line 1: the document ends too early"},
		{"{\"init\": [],\n \"actions\": [}", "line 2: "},
		{`{"init": [], "init": []}`, "init: it stands there twice"},
		{`{"init": [], "actions": [` + good + `, {"id": "b", "p": 1, "p": 1}]}`, "actions[1].p: it stands there twice"},
		{`{"init": [], "actions": [], "goals": ["x"]} {}`, "something stands behind the end"},
		{`{"actions": [], "goals": ["x"]}`, "init: missing"},
		{`{"init": null, "actions": [], "goals": ["x"]}`, "init: want a text or a list of texts, got nothing"},
		{`{"init": [7], "actions": [], "goals": ["x"]}`, "init[0]: want a text, got the number 7"},
		{`{"init": ["a", "a", ""], "actions": [], "goals": ["x"]}`, "init[2]: it is empty"},
		{`{"init": [], "goals": ["x"]}`, "actions: want a list, got nothing"},
		{`{"init": [], "actions": [7], "goals": ["x"]}`, "actions[0]: want an object, got the number 7"},
		{`{"init": [], "actions": [], "name": 7, "goals": ["x"]}`, "name: want a text"},
		{`{"init": [], "actions": []}`, "goals: missing"},
		{`{"init": [], "actions": [], "goals": []}`, "goals: missing"},
		{`{"init": [], "actions": [], "goals": [{"goal": "x"}]}`, "goals[0]: want a text, got an object"},
		{`{"init": [], "actions": [], "expected": [{"fact": "x"}]}`, "expected[0].goal: want a text"},
		{action(`{"pre": [], "post": "y"}`), "actions[0].id: missing"},
		{action(`{"id": "", "pre": [], "post": "y"}`), "actions[0].id: it is empty"},
		{action(`{"id": "a", "post": "y"}`), "actions[0].pre: missing"},
		{action(`{"id": "a", "pre": []}`), "actions[0].post: missing"},
		{action(`{"id": "a", "pre": [], "post": []}`), "actions[0].post: it gives nothing"},
		{action(`{"id": "a", "pre": [], "post": ""}`), "actions[0].post: it is empty"},
		{action(`{"id": "a", "pre": [true], "post": "y"}`), "actions[0].pre[0]: want a text, got true or false"},
		{action(`{"id": "a", "pre": [], "post": "y", "p": "1"}`), "actions[0].p: want a number from 0 to 1, got a text"},
		{action(`{"id": "a", "pre": [], "post": "y", "p": 1.5}`), "actions[0].p: 1.5 is not from 0 to 1"},
		{action(`{"id": "a", "pre": [], "post": "y", "p": -0.1}`), "actions[0].p: -0.1 is not from 0 to 1"},
		{action(`{"id": "a", "pre": [], "post": "y", "p": 1e999}`), "actions[0].p: 1e999 is not from 0 to 1"},
		{action(`{"id": "a", "pre": [], "post": "y", "fix": 7}`), "actions[0].fix: want a text or a list of texts, got the number 7"},
		{action(`{"id": "a", "pre": [], "post": "y", "fix": ""}`), "actions[0].fix: it is empty"},
		{action(good + `, {"id": "b", "pre": [], "post": "z"}, ` + good), `actions[2].id: "a" is the id of actions[0] too`},
		{action(`{"id": "` + strings.Repeat("a", 5000) + `", "pre": [], "post": "y"}`), "actions[0].id: longer than 4096 bytes"},
		{`{"init": [], "x": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "nested deeper than 64"},
		{"{\"init\": [\"\xff\"]}", "it is not UTF-8"},
		{strings.Repeat(" ", 16<<20) + "{}", "longer than 16 MiB"},
	} {
		_, err := read(tt.text)
		if err == nil || fault.KindOf(err) != fault.KindInvalid || !strings.HasPrefix(err.Error(), "dir/net.json: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80s: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func action(actions string) string {
	return fmt.Sprintf(`{"init": [], "actions": [%s], "goals": ["x"]}`, actions)
}

func TestReadSaysThatTheFileCouldNotBeRead(t *testing.T) {
	_, err := exact.Read("net.json", iotest.ErrReader(io.ErrClosedPipe))
	if err == nil || fault.KindOf(err) == fault.KindInvalid {
		t.Errorf("%v is no mistake in the file", err)
	}
}

// FuzzRead: whatever is read can be answered for, and nothing is read twice differently.
func FuzzRead(f *testing.F) {
	f.Add(`{"init": ["a"], "actions": [{"id": "x", "pre": ["a"], "post": "b", "p": 0.5, "fix": "f"}, {"id": "y", "pre": "b", "post": ["a", "c"]}], "goals": ["c"]}`)
	f.Add(`{"init": [], "actions": [{"id": "x", "pre": [], "post": "b", "p": 0, "fix": ["f", "g"]}], "expected": [{"goal": "b"}]}`)
	f.Add(`{"init": "a", "actions": [], "goals": ["a", "z"], "note": [{}]}`)
	f.Add(`{"init": [], "init": 7}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := read(text)
		if err != nil {
			if fault.KindOf(err) != fault.KindInvalid {
				t.Fatalf("%v has no kind", err)
			}
			return
		}
		if len(c.Actions) > 20 {
			return
		}
		answer, err := exact.Solve(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range answer.Goals {
			if len(c.Actions) < 8 && (!g.Complete || g.ExactProbability == nil) {
				t.Fatalf("%+v is not complete", g)
			}
		}
	})
}
