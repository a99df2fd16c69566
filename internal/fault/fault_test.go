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

func TestAFieldIsKeptBesideTheText(t *testing.T) {
	err := At("ports", Invalid("ports 0: want 1 to 65535"))
	if field, text := FieldOf(err); field != "ports" || text != "ports 0: want 1 to 65535" || err.Error() != text || KindOf(err) != KindInvalid {
		t.Errorf("%q, %q, %v", field, text, err)
	}
	if field, _ := FieldOf(At("other", InvalidOption("ports", " 0: want 1 to 65535"))); field != "ports" {
		t.Errorf("%q was put over what is known", field)
	}
	if At("ports", nil) != nil {
		t.Error("nothing is wrong")
	}
}
