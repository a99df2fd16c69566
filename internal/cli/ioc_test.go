package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestLookupsEndAtTheirLimit(t *testing.T) {
	l := &lookup{asked: maxLookups}
	if err := l.all(context.Background(), []string{"-"}, strings.NewReader("# a comment\n\n192.0.2.1\n")); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("error %v", err)
	}
}
