package app

import (
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/request"
)

func TestEverySuggestionHasAnAnswerWithSources(t *testing.T) {
	a := openAsked(t, nil)
	tried := func(t *testing.T, a *App, about *request.Thing) int {
		t.Helper()
		doc, err := a.ChatSuggestions(t.Context(), about)
		if err != nil {
			t.Fatal(err)
		}
		for _, question := range doc.Items {
			if out := asks(t, a, request.Ask{Question: question, About: about}); out.Refused || len(out.Sources) == 0 {
				t.Errorf("%q: %s", question, out.Answer)
			}
		}
		return len(doc.Items)
	}
	tried(t, a, nil) // of nothing
	if _, err := a.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, about := range map[string]*request.Thing{
		"nothing": nil, "a host": {Kind: "host", ID: "1"}, "a finding": {Kind: "finding", ID: "1"}, "a page": {Kind: "page", ID: "findings"},
		"what is not there": {Kind: "scan", ID: "4711"}, "what nobody knows": {Kind: "moon", ID: "1"},
	} {
		if n := tried(t, a, about); n < 2 {
			t.Errorf("about %s: %d suggestions", name, n)
		}
	}
	blind := a.For(auth.Identity{Kind: auth.Session, Name: "ben", Role: auth.Viewer, View: auth.OfSites()})
	tried(t, blind, nil)
}
