package scan

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchscout/patchscout/internal/finding"
)

// book answers from a map; a name that is not in it does not exist.
type book map[string][]string

func (b book) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	said, ok := b[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(said) == 1 && said[0] == "hang" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	var addrs []netip.Addr
	for _, s := range said {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs, nil
}

func targets(t *testing.T, texts ...string) []Target {
	t.Helper()
	var out []Target
	for _, text := range texts {
		target, err := ParseExclude(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, target)
	}
	return out
}

func addresses(e Expansion) string {
	var out []string
	for _, h := range e.Hosts {
		out = append(out, h.Address.String())
	}
	return strings.Join(out, " ")
}

func TestExpandNamesEveryAddressOnce(t *testing.T) {
	names := book{
		"dual.example":  {"2001:db8::1", "192.0.2.2", "192.0.2.1", "::ffff:192.0.2.1"},
		"six.example":   {"2001:db8::6"},
		"sink.example":  {"0.0.0.0"},
		"rooted.local.": {"192.0.2.9"},
	}
	for _, c := range []struct{ targets, excludes, want, unresolved string }{
		{targets: "192.0.2.0/30", want: "192.0.2.1 192.0.2.2"},
		{targets: "192.0.2.0/31", want: "192.0.2.0 192.0.2.1"},
		{targets: "192.0.2.255", want: "192.0.2.255"},
		{targets: "192.0.2.0-3", want: "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3"},
		{targets: "2001:db8::/127", want: "2001:db8:: 2001:db8::1"},
		{targets: "dual.example", want: "192.0.2.1 192.0.2.2"},
		{targets: "six.example", want: "2001:db8::6"},
		{targets: "192.0.2.1 dual.example 192.0.2.0/30", want: "192.0.2.1 192.0.2.2"},
		{targets: "192.0.2.0/29", excludes: "192.0.2.3-4 192.0.2.6", want: "192.0.2.1 192.0.2.2 192.0.2.5"},
		{targets: "192.0.2.0/29 six.example", excludes: "dual.example 2001:db8::/32", want: "192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6"},
		{targets: "no.example sink.example rooted.local.", want: "192.0.2.9", unresolved: "no.example sink.example"},
		{targets: "fe80::1%eth0 fe80::1%eth1", excludes: "fe80::1%eth1", want: "fe80::1%eth0"},
		{targets: "fe80::1%eth0 fe80::1%eth1", excludes: "fe80::/10", want: ""},
	} {
		got, err := Expand(t.Context(), targets(t, strings.Fields(c.targets)...), targets(t, strings.Fields(c.excludes)...), names)
		if err != nil {
			t.Errorf("%s: %v", c.targets, err)
			continue
		}
		var unresolved []string
		for _, u := range got.Unresolved {
			unresolved = append(unresolved, u.Target.Text)
			if u.Reason != "no such host" && u.Reason != "the name has no address of a host" {
				t.Errorf("%s: reason %q", c.targets, u.Reason)
			}
		}
		if addresses(got) != c.want || strings.Join(unresolved, " ") != c.unresolved {
			t.Errorf("%s without %s: got %s, unresolved %s", c.targets, c.excludes, addresses(got), unresolved)
		}
	}
}

func TestExpandKeepsHowTheUserNamedAHost(t *testing.T) {
	got, err := Expand(t.Context(), targets(t, "192.0.2.0/30", "www.example", "https://www.example:8443/x", "192.0.2.1:22"), nil,
		book{"www.example": {"192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	h := got.Hosts[0]
	if !h.Explicit || !slices.Equal(h.Names, []string{"www.example"}) || !slices.Equal(h.URLs, []string{"https://www.example:8443/x"}) ||
		!slices.Equal(h.Ports, []uint16{8443, 22}) {
		t.Errorf("got %+v", h)
	}
	if got.Hosts[1].Explicit {
		t.Errorf("an address out of a network is not explicit: %+v", got.Hosts[1])
	}
}

func TestExpandRefusesWhatIsTooMuch(t *testing.T) {
	if _, err := Expand(t.Context(), targets(t, "10.0.0.0/16", "10.1.0.0/16"), nil, book{}); err == nil {
		t.Error("two /16 went through")
	}
	if _, err := Expand(t.Context(), targets(t, "192.0.2.1"), targets(t, "no.example"), book{}); err == nil ||
		!strings.Contains(err.Error(), "no.example") {
		t.Errorf("an exclude that does not resolve: %v", err)
	}
}

func TestResolverThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := Expand(t.Context(), targets(t, "slow.example", "192.0.2.1"), nil, book{"slow.example": {"hang"}})
		if err != nil || addresses(got) != "192.0.2.1" || len(got.Unresolved) != 1 || !strings.Contains(got.Unresolved[0].Reason, "within 5s") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Expand(ctx, targets(t, "slow.example"), nil, book{"slow.example": {"hang"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled expansion: %v", err)
	}
}

func TestPortLists(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"80":                        "80",
		"443,80,80":                 "80,443",
		"22,80,8000-8100":           "22,80,8000-8100",
		"1-10,5-20,21":              "1-21",
		"-":                         "1-65535",
		"-100":                      "1-100",
		"65000-":                    "65000-65535",
		"22,-":                      "1-65535",
		"T:80, 90":                  "80,90",
		"65535,65534":               "65534-65535",
		"U:53":                      "only TCP",
		"0":                         "want a number",
		"65536":                     "want a number",
		"-0":                        "want a number",
		"+80":                       "want a number",
		"80,,90":                    "want a number",
		"90-80":                     "ends before",
		"http":                      "want a number",
		"80-90-100":                 "want a number",
		strings.Repeat("80,", 9000): "longer than",
	} {
		ranges, err := ParsePorts(text)
		if got := finding.PrintPorts(ranges); err == nil && got != want {
			t.Errorf("%.40q: got %s", text, got)
		}
		if err != nil && !strings.Contains(err.Error(), want) || err != nil && strings.Trim(want, "0123456789,-") == "" {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	without := SubtractPorts([]finding.PortRange{{First: 1, Last: 100}, {First: 65000, Last: 65535}},
		[]finding.PortRange{{First: 1, Last: 3}, {First: 50, Last: 50}, {First: 99, Last: 65534}})
	if got := finding.PrintPorts(without); got != "4-49,51-98,65535" {
		t.Errorf("subtract: %s", got)
	}
}

func TestWebPortsAreReadAndHoldTheUsualOnes(t *testing.T) {
	ports := WebPorts()
	for _, p := range []uint16{80, 443, 8080, 8443, 9200, 50070} {
		if !finding.Contains(ports, p) {
			t.Errorf("%d is missing", p)
		}
	}
	if !slices.Equal(ports, MergePorts(ports)) {
		t.Error("not sorted and merged")
	}
}

func FuzzParsePorts(f *testing.F) {
	f.Add("22,80,8000-8100,-")
	f.Add("T:1-,-5")
	f.Fuzz(func(t *testing.T, text string) {
		ranges, err := ParsePorts(text)
		if err != nil {
			return
		}
		again, err := ParsePorts(finding.PrintPorts(ranges))
		if err != nil || !slices.Equal(ranges, again) {
			t.Fatalf("%q: %v, then %v, %v", text, ranges, again, err)
		}
	})
}
