package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestKindSurvivesWrappingAndKeepsTheCause(t *testing.T) {
	err := fmt.Errorf("import report.xml: %w", Invalid("line 3: %w", io.ErrUnexpectedEOF))
	if KindOf(err) != KindInvalid || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("kind %q of %v", KindOf(err), err)
	}
	if KindOf(io.EOF) != KindInternal || KindOf(nil) != KindInternal {
		t.Fatal("what has no kind is internal")
	}
	if outer := NotFound("host 7: %w", err); KindOf(outer) != KindNotFound {
		t.Fatalf("the outermost kind counts, got %q", KindOf(outer))
	}
}
