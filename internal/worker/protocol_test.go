package worker

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

func TestAnOrderArrivesAsItWasGiven(t *testing.T) {
	job := scan.Job{
		Hosts: []scan.HostTarget{
			{Address: netip.MustParseAddr("192.0.2.1"), Names: []string{"www.example.org"}, URLs: []string{"https://www.example.org:8443/shop"},
				Ports: []uint16{8443}, Explicit: true, Web: []scan.WebPort{{Port: 8443, TLS: true, Name: "www.example.org", Path: "/shop"}, {Port: 80}}},
			{Address: netip.MustParseAddr("fe80::1%eth0")}, {Address: netip.MustParseAddr("2001:db8::5")},
		},
		Ports: []finding.PortRange{{First: 22, Last: 22}, {First: 80, Last: 90}}, Exclude: []finding.PortRange{{First: 85, Last: 85}},
		Profile: scan.Full, Rate: 500, Timeout: 90 * time.Minute, Scanning: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	text, err := json.Marshal(OrderOf("native", job))
	if err != nil {
		t.Fatal(err)
	}
	var o Order
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	if got, err := o.Job(); err != nil || !reflect.DeepEqual(got, job) || o.Scanner != "native" {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, job)
	}
}

func TestAnOrderThatNoUserCouldGiveIsRefused(t *testing.T) {
	for what, spoil := range map[string]func(*Order){
		"option as address": func(o *Order) { o.Targets[0].Address = "--script=x" },
		"network":           func(o *Order) { o.Targets[0].Address = "10.0.0.0/8" },
		"name as address":   func(o *Order) { o.Targets[0].Address = "example.org" },
		"address with port": func(o *Order) { o.Targets[0].Address = "192.0.2.1:80" },
		"option as name":    func(o *Order) { o.Targets[0].Names = []string{"-oN"} },
		"shell in a name":   func(o *Order) { o.Targets[0].Names = []string{"a;b"} },
		"file URL":          func(o *Order) { o.Targets[0].URLs = []string{"file:///etc/passwd"} },
		"user in a URL":     func(o *Order) { o.Targets[0].URLs = []string{"http://a:b@example.org/"} },
		"no web port":       func(o *Order) { o.Targets[0].Web = []OrderWeb{{}} },
		"web path":          func(o *Order) { o.Targets[0].Web = []OrderWeb{{Port: 80, Path: "x"}} },
		"web query":         func(o *Order) { o.Targets[0].Web = []OrderWeb{{Port: 80, Path: "/?a=$(b)"}} },
		"web name":          func(o *Order) { o.Targets[0].Web = []OrderWeb{{Port: 80, Name: "a/b"}} },
		"no targets":        func(o *Order) { o.Targets = nil },
		"profile":           func(o *Order) { o.Profile = "loud" },
		"ports":             func(o *Order) { o.Ports = "0" },
		"rate":              func(o *Order) { o.Rate = -1 },
		"many names":        func(o *Order) { o.Targets[0].Names = strings.Split(strings.Repeat("a,", 2000), ",") },
	} {
		o := orderOf("192.0.2.1")
		spoil(&o)
		if _, err := o.Job(); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzOrder: whatever arrives, what is taken for a job is printed and read as the same job.
func FuzzOrder(f *testing.F) {
	f.Add([]byte(`{"scanner":"nmap","profile":"quick","targets":[{"address":"192.0.2.1","names":["a.example"],"urls":["http://a.example/"],"web":[{"port":80,"path":"/x"}]}],"ports":"1-5"}`))
	f.Add([]byte(`{"targets":[{"address":"::ffff:192.0.2.1"}],"profile":"web","timeout_ms":5}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var o Order
		if json.Unmarshal(text, &o) != nil {
			return
		}
		job, err := o.Job()
		if err != nil {
			return
		}
		again, err := OrderOf(o.Scanner, job).Job()
		if err != nil || len(again.Hosts) != len(job.Hosts) || again.Hosts[0].Address != job.Hosts[0].Address {
			t.Fatalf("%v: %+v is not %+v", err, again, job)
		}
	})
}
