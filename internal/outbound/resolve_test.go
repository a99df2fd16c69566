package outbound

import (
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestAddressesOfANamedHostMayBeThisMachine(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1", "localhost", "10.1.2.3"} {
		found, err := Addresses(t.Context(), nil, host)
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %v, %v", host, found, err)
		}
	}
	literal, err := Addresses(t.Context(), nil, "169.254.10.1")
	if err != nil || !slices.ContainsFunc(literal, revealing) {
		t.Errorf("an address that somebody wrote down: %v, %v", literal, err)
	}
	if _, err := Addresses(t.Context(), nil, "no such host."); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("no such host: %v", err)
	}
}
