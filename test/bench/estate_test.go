package main

import (
	"context"
	"path/filepath"
	"testing"
)

// A tenth of what `make bench` measures, within the same limits twice over: a list that walks everything is far beyond.
func TestListsOfAHundredThousandFindingsAreQuick(t *testing.T) {
	b := &bench{findings: 100_000, slack: 2}
	answers, err := b.askEstate(context.Background(), &database{name: "SQLite", dir: filepath.Join(t.TempDir(), "estate")})
	if err != nil {
		t.Fatal(err)
	}
	if b.missed > 0 {
		t.Errorf("%d figures of lists are beyond their limits", b.missed)
	}
	if len(answers) < 900 {
		t.Errorf("%d answers", len(answers))
	}
}
