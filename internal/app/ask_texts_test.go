package app

import (
	"context"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

const aboutMessages = "JNDI features configuration log messages parameters"

func current(t *testing.T, a *App) map[string]bool {
	t.Helper()
	doc, err := a.AssistantState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]bool{}
	for _, p := range doc.Index {
		parts[p.Name] = p.Current && (p.Records > 0 || p.Name != "docs" && p.Name != "cves")
	}
	return parts
}

func TestACommandWithoutAnIndexAnswersAndMakesItBeforeItEnds(t *testing.T) {
	a := openAsked(t, nil)
	if err := a.Prepare(t.Context(), func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	out := asks(t, a, request.Ask{Question: aboutMessages})
	if !strings.Contains(out.Answer, "index") {
		t.Errorf("without an index: %s", out.Answer)
	}
	a.texts.indexing.done.Wait()
	if a.Indexing() {
		t.Error("indexing goes on after its end")
	}
	for name, ok := range current(t, a) {
		if !ok {
			t.Errorf("the texts of %s are not indexed after the command waited", name)
		}
	}
	if again := asks(t, a, request.Ask{Question: aboutMessages}); strings.Contains(again.Answer, retrieve.NoteStandIn) {
		t.Errorf("with an index: %s", again.Answer)
	}
}

func TestAnInterruptEndsTheIndexingOfACommand(t *testing.T) {
	a := openAsked(t, nil)
	if err := a.Prepare(t.Context(), func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	if _, err := a.Ask(ctx, request.Ask{Question: aboutMessages}, func(p report.AnswerPart) error {
		if p.Whole != nil {
			interrupt()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	a.texts.indexing.done.Wait() // does not hang
}

func TestSmallTextsAreIndexedForTheFirstQuestionOfACommand(t *testing.T) {
	a := openAsked(t, nil)
	found, err := a.searcher().Search(t.Context(), retrieve.Query{Text: "restore a backup", Kinds: []retrieve.Kind{retrieve.Doc}, View: auth.Everything()})
	if err != nil || len(found.Passages[retrieve.Doc]) == 0 || found.Behind {
		t.Errorf("%d pages, behind %v, %v", len(found.Passages[retrieve.Doc]), found.Behind, err)
	}
}
