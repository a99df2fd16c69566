package scope

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

func rules(t *testing.T, texts string) []Rule {
	t.Helper()
	var out []Rule
	for _, text := range strings.Fields(texts) {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestWhatMayBeScanned(t *testing.T) {
	server := func(t *testing.T, r string) Scope { return ForServer(rules(t, r)) }
	command := func(t *testing.T, r string) Scope { return ForCommand(rules(t, r)) }
	zero := func(*testing.T, string) Scope { return Scope{} }
	for _, c := range []struct {
		scope func(*testing.T, string) Scope
		rules string
		addr  string
		names string
		why   string // "" = allowed
	}{
		{server, "", "127.0.0.1", "", ""},
		{server, "", "::1", "", ""},
		{server, "", "::ffff:10.1.2.3", "", ""},
		{server, "", "172.31.255.255", "", ""},
		{server, "", "172.32.0.1", "", "outside"},
		{server, "", "192.168.4.5", "", ""},
		{server, "", "100.64.0.1", "", "outside"},
		{server, "", "fd12::1", "", ""},
		{server, "", "fe80::1%eth0", "", "link-local"},
		{server, "", "169.254.1.1", "", "link-local"},
		{server, "", "169.254.169.254", "", "metadata"},
		{server, "169.254.169.254", "169.254.169.254", "", "never"},
		{server, "0.0.0.0/0 ::/0", "169.254.169.254", "", "never"},
		{server, "metadata.example", "169.254.169.254", "metadata.example", "never"},
		{server, "::/0", "::ffff:169.254.169.254", "", "never"},
		{server, "::/0", "64:ff9b::a9fe:a9fe", "", "never"},
		{server, "::/0", "64:ff9b:1:a9fe:a9:fe00::", "", "never"},
		{server, "::/0", "64:ff9b:1::a9fe:a9fe", "", "never"},
		{server, "::/0", "2002:a9fe:a9fe::1", "", "never"},
		{server, "::/0", "2001:0:a9fe:a9fe::1", "", "never"},
		{server, "::/0", "2001:0:102:304:0:0:5601:5601", "", "never"},
		{server, "::/0", "::169.254.169.254", "", "never"},
		{server, "::/0", "::ffff:0:169.254.169.254", "", "never"},
		{server, "::/0", "2001:db8::5efe:a9fe:a9fe", "", "never"},
		{server, "::/0", "fd00:ec2::254", "", "never"},
		{server, "", "fd00:ec2::254", "", "never"},
		{server, "", "fd20:ce::254", "", "never"},
		{server, "100.64.0.0/10", "100.100.100.200", "", "never"},
		{server, "100.64.0.0/10", "100.100.100.201", "", ""},
		{server, "::/0 !10.0.0.0/8", "2002:a01:203::1", "", "!10.0.0.0/8"},
		{server, "::/0 !10.0.0.0/8", "64:ff9b::a01:203", "", "!10.0.0.0/8"},
		{server, "", "64:ff9b::a01:203", "", "outside"},
		{server, "", "192.0.2.1", "", "outside"},
		{server, "", "2001:db8::1", "", "outside"},
		{server, "192.0.2.0/24", "192.0.2.1", "", ""},
		{server, "192.0.2.0/24 !192.0.2.1", "192.0.2.1", "", "!192.0.2.1"},
		{server, "!192.0.2.1 192.0.2.0/24", "192.0.2.1", "", "!192.0.2.1"},
		{server, "!10.0.0.0/8", "10.1.2.3", "", "!10.0.0.0/8"},
		{server, "::ffff:192.0.2.0/120", "192.0.2.1", "", ""},
		{server, "*.example.org", "192.0.2.1", "www.example.org", ""},
		{server, "*.example.org", "192.0.2.1", "example.org", "outside"},
		{server, "*.example.org", "192.0.2.1", "evilexample.org", "outside"},
		{server, "Example.org", "192.0.2.1", "example.org", ""},
		{server, "!www.example.org", "10.0.0.1", "www.example.org", "!www.example.org"},
		{server, "0.0.0.0/0", "224.0.0.1", "", "not the address"},
		{server, "", "0.0.0.0", "", "not the address"},
		{command, "", "192.0.2.1", "", ""},
		{command, "", "169.254.169.254", "", ""},
		{command, "!192.0.2.0/24", "192.0.2.1", "", "!192.0.2.0/24"},
		{command, "!192.0.2.0/24", "198.51.100.1", "", ""},
		{command, "10.0.0.0/8", "198.51.100.1", "", "configured"},
		{command, "10.0.0.0/8", "10.0.0.1", "", ""},
		{zero, "", "127.0.0.1", "", "outside"},
	} {
		ok, why := c.scope(t, c.rules).Allowed(netip.MustParseAddr(c.addr), strings.Fields(c.names)...)
		if ok != (c.why == "") || !strings.Contains(why, c.why) || ok != (why == "") {
			t.Errorf("rules %q, %s %s: got %v, %q", c.rules, c.addr, c.names, ok, why)
		}
	}
	if ok, _ := ForServer(nil).Allowed(netip.Addr{}); ok {
		t.Error("no address was allowed")
	}
}

func TestTheConfigurationIsTheOuterLimitOfAServer(t *testing.T) {
	for _, c := range []struct {
		configured, kept, addr string
		ok                     bool
	}{
		{"", "", "10.0.0.1", true},
		{"!10.0.0.0/8", "10.0.0.1", "10.0.0.1", false},
		{"10.1.0.0/16", "", "10.1.0.1", true},
		{"10.1.0.0/16", "", "10.2.0.1", false},
		{"192.0.2.0/24", "", "192.0.2.1", false}, // within the limit, but nobody allowed it
		{"192.0.2.0/24", "192.0.2.0/24", "192.0.2.1", true},
		{"192.0.2.0/24", "198.51.100.0/24", "198.51.100.1", false},
	} {
		s := ForServer(rules(t, c.kept)).Within(ForCommand(rules(t, c.configured)))
		if ok, why := s.Allowed(netip.MustParseAddr(c.addr)); ok != c.ok {
			t.Errorf("%+v: %v, %s", c, ok, why)
		}
	}
}

func TestARuleThatCanAllowNothingIsKnown(t *testing.T) {
	for text, want := range map[string]bool{"169.254.169.254": true, "169.254.0.0/17": true, "fe80::/10": true, "!169.254.0.0/16": false,
		"0.0.0.0/0": false, "fd00:ec2::254": true, "x.example": false, "224.0.0.0/8": true} {
		if got := rules(t, text)[0].Hopeless(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestARuleHoldsForASiteSomePeopleAndSomeTime(t *testing.T) {
	now := time.Date(2027, 3, 1, 23, 59, 0, 0, time.UTC)
	anna, admin := auth.Identity{User: 7, Role: auth.Analyst}, auth.Identity{User: 1, Role: auth.Admin}
	for _, c := range []struct {
		entry       Entry
		anna, admin bool
	}{
		{Entry{}, true, true},
		{Entry{Site: "lab"}, true, true},
		{Entry{Site: "office"}, false, false},
		{Entry{Role: auth.Admin}, false, true},
		{Entry{Role: auth.Analyst}, true, true},
		{Entry{User: 7}, true, false},
		{Entry{Expires: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}, true, true},
		{Entry{Expires: time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC)}, false, false},
	} {
		if got := c.entry.Holds(anna, "lab", now); got != c.anna {
			t.Errorf("anna, %+v: %v", c.entry, got)
		}
		if got := c.entry.Holds(admin, "lab", now); got != c.admin {
			t.Errorf("admin, %+v: %v", c.entry, got)
		}
	}
}

func TestMalformedRulesAreRefused(t *testing.T) {
	for _, text := range []string{"", "!", "10.0.0.1/8", "10.0.0.0/33", "*", "*.", "a b", "http://x/", "x:80", "*.*.x", "010.0.0.1", "-x", "::ffff:0.0.0.0/8"} {
		if r, err := ParseRule(text); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
}

func TestFilterKeepsTheOrder(t *testing.T) {
	hosts := []scan.HostTarget{{Address: netip.MustParseAddr("10.0.0.2")}, {Address: netip.MustParseAddr("192.0.2.1"), Names: []string{"a.example"}},
		{Address: netip.MustParseAddr("10.0.0.1")}}
	allowed, denied := ForServer(nil).Filter(hosts)
	if len(allowed) != 2 || allowed[0].Address != hosts[0].Address || len(denied) != 1 || denied[0].Reason == "" {
		t.Errorf("%v, %v", allowed, denied)
	}
	if allowed, _ := ForServer(rules(t, "a.example")).Filter(hosts); len(allowed) != 3 {
		t.Errorf("%v", allowed)
	}
}

func FuzzParseRule(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "!*.example.org", "::1", "::ffff:10.0.0.0/104"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err == nil && !r.prefix.IsValid() && r.name == "" {
			t.Fatalf("%q is a rule for nothing", text)
		}
	})
}
