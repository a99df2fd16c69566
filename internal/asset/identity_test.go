package asset

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var day1 = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func at(addr string, days int) Sighting {
	return Sighting{Site: DefaultSite, Address: netip.MustParseAddr(addr), Sensor: "native", At: day1.AddDate(0, 0, days)}
}

func key(value string) map[uint16]string { return map[uint16]string{22: value} }

// estate resolves sightings as the pipeline does: what is new becomes a host.
type estate struct {
	Index
	hosts []*Host
}

func (e *estate) see(s Sighting) *Host {
	h := Resolve(e, s)
	if h == nil {
		h = &Host{ID: int64(len(e.hosts) + 1), Site: s.Site}
		e.hosts = append(e.hosts, h)
	}
	h.Note(s)
	e.Add(h)
	return h
}

func TestAddressFindsTheHostWithinItsSite(t *testing.T) {
	var e estate
	first := e.see(at("10.0.0.1", 0))
	if e.see(at("::ffff:10.0.0.1", 1)) != first {
		t.Error("an IPv4-mapped address is the same host")
	}
	other := at("10.0.0.1", 1)
	other.Site = "branch"
	if e.see(other) == first {
		t.Error("the same address in two sites is two hosts")
	}
	if e.see(at("fe80::1%eth0", 1)) == e.see(at("fe80::1%eth1", 1)) {
		t.Error("a zone tells link-local addresses apart")
	}
}

func TestAReportWithOnlyANameFindsTheHostThatHoldsIt(t *testing.T) {
	var e estate
	named := at("10.0.0.1", 0)
	named.Names = []string{"WWW.Example.org."}
	h := e.see(named)
	only := Sighting{Site: DefaultSite, Names: []string{"www.example.org"}, Sensor: "nikto", At: day1}
	if e.see(only) != h {
		t.Error("the name must find its host")
	}
	only.Names = []string{"other.example.org"}
	if e.see(only) == h {
		t.Error("another name is another host")
	}
	moved := at("10.0.0.2", 5)
	moved.Names = []string{"www.example.org"}
	h2 := e.see(moved)
	only.Names = []string{"www.example.org"}
	if h2 == h || e.see(only) != h2 {
		t.Error("the name belongs to the host seen last with it")
	}
}

func TestAnotherSSHKeyAtOneAddressIsAnotherHost(t *testing.T) {
	var e estate
	a := at("10.0.0.1", 0)
	a.SSHKeys = key("SHA256:aaa")
	first := e.see(a)
	b := at("10.0.0.1", 1)
	b.SSHKeys = key("SHA256:bbb")
	second := e.see(b)
	if second == first {
		t.Fatal("a strong contradiction must not be the same host")
	}
	if e.see(at("10.0.0.1", 2)) != second {
		t.Error("without a key the address belongs to the host seen last")
	}
	byNmap := at("10.0.0.1", 3)
	byNmap.Sensor, byNmap.SSHKeys = "nmap", key("SHA256:rsa-key-of-the-same-server")
	if e.see(byNmap) != second {
		t.Error("another sensor's first key contradicts nothing")
	}
}

func TestAKeyOnAnotherPortContradictsNothing(t *testing.T) {
	var e estate
	a := at("10.0.0.1", 0)
	a.SSHKeys = key("SHA256:aaa")
	host := e.see(a)
	container := at("10.0.0.1", 1)
	container.SSHKeys = map[uint16]string{2222: "SHA256:ccc"}
	if e.see(container) != host {
		t.Error("a scan of another port")
	}
	container.At = container.At.AddDate(0, 0, 1)
	container.SSHKeys = map[uint16]string{22: "SHA256:aaa", 2222: "SHA256:ddd"}
	if e.see(container) != host {
		t.Error("the container is new, the host is not")
	}
}

func TestTheSameSSHKeyFollowsAHostToItsNewAddress(t *testing.T) {
	var e estate
	a := at("10.0.0.1", 0)
	a.SSHKeys = key("SHA256:aaa")
	first := e.see(a)
	moved := at("10.0.0.9", 3)
	moved.SSHKeys = key("SHA256:aaa")
	if e.see(moved) != first {
		t.Error("the host moved")
	}
	if first.Address.String() != "10.0.0.9" || len(first.Addresses()) != 2 {
		t.Errorf("addresses %v", first.Addresses())
	}
	v6 := at("fd00::9", 3)
	v6.SSHKeys = key("SHA256:aaa")
	if e.see(v6) != first {
		t.Error("the other family in the same report is the same host")
	}
	clone := at("10.0.0.10", 3)
	clone.SSHKeys = key("SHA256:aaa")
	if e.see(clone) == first {
		t.Error("two addresses of one family in one report may be clones")
	}
}

func TestAnOlderSightingTakesNothingBack(t *testing.T) {
	var h Host
	h.Note(at("10.0.0.2", 5))
	h.Note(at("10.0.0.1", 0))
	if h.Address.String() != "10.0.0.2" || !h.FirstSeen.Equal(day1) || !h.LastSeen.Equal(day1.AddDate(0, 0, 5)) {
		t.Errorf("%+v", h)
	}
}

func TestAServiceShowsTheWordThatSaysMost(t *testing.T) {
	words := []Said{
		{Sensor: "native", Scan: 2, At: day1.AddDate(0, 0, 1), Product: "OpenSSH", Version: "9.2p1", Backport: "Debian"},
		{Sensor: "nmap", Scan: 2, At: day1.AddDate(0, 0, 1).Add(time.Minute), Product: "OpenSSH"},
		{Sensor: "old", Scan: 1, At: day1, Product: "OpenSSH", Version: "7.2p2"},
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		var s Service
		for _, i := range order {
			s.Hear(words[i])
		}
		if s.Version != "9.2p1" || s.Backport != "Debian" || !s.FirstSeen.Equal(day1) {
			t.Errorf("order %v: %+v", order, s)
		}
	}
	var s Service
	s.Hear(words[0])
	older := words[0]
	older.At, older.Version = day1, "1.0"
	s.Hear(older)
	if s.Version != "9.2p1" {
		t.Error("an older word of the same sensor won")
	}
}

func TestNamesThatAreNoNamesAreLeftOut(t *testing.T) {
	s := at("10.0.0.1", 0)
	s.Names = []string{"10.0.0.1", "a b", "", "OK.example", "ok.example."}
	var names []string
	for _, id := range s.Identifiers() {
		if id.Kind == Name {
			names = append(names, id.Value)
		}
	}
	if !slices.Equal(names, []string{"ok.example"}) {
		t.Errorf("%q", names)
	}
}
