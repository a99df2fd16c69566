package feedtest

import (
	"context"
	"testing"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/match"
)

// packs is a catalogue in a map.
type packs map[cpe.Product][]byte

func (m packs) Packs(_ context.Context, products []cpe.Product) ([][]byte, error) {
	out := make([][]byte, len(products))
	for i, p := range products {
		out[i] = m[p]
	}
	return out, nil
}

// Matches says which of the records' CVEs a matcher finds for one CPE name: what a reader's rules come to in the end.
func Matches(t testing.TB, name string, records ...*cve.Record) []match.Match {
	t.Helper()
	b := match.NewBuilder()
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	m := packs{}
	for p, packed := range b.Packs() {
		m[p] = packed.Bytes
	}
	result, err := match.New(m).Host(context.Background(), []match.Subject{{CPE: name}}, nil)
	if err == nil {
		err = result.Subjects[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
	return result.Subjects[0].Matches
}
