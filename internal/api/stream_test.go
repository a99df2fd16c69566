package api

import (
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestOneAskerCannotHoldEveryPlaceWithDownloads(t *testing.T) {
	var d downloads
	var ends []func()
	for range maxDownloads {
		end, err := d.begin("session anna")
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	if _, err := d.begin("session anna"); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("one more: %v, want unavailable", err)
	}
	if _, err := d.begin("session ben"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	ends[0]()
	if _, err := d.begin("session anna"); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}
