package understand

import "net/netip"

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
