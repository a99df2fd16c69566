package outbound

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/patchscout/patchscout/internal/fault"
)

// nameServer answers every question for an address with the next of its answers, the last one from then on.
type nameServer struct {
	mu      sync.Mutex
	answers [][]string
	asked   map[dnsmessage.Type]int
}

// resolver starts a DNS server on loopback and returns what asks it.
func (n *nameServer) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		packet := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if answer := n.answer(packet[:size]); answer != nil {
				_, _ = conn.WriteTo(answer, from) // who asked asks again
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// wasAsked says whether anything was asked.
func (n *nameServer) wasAsked() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.asked) > 0
}

// next is the answer to one look-up, which asks for both families.
func (n *nameServer) next(kind dnsmessage.Type) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked == nil {
		n.asked = map[dnsmessage.Type]int{}
	}
	at := min(n.asked[kind], len(n.answers)-1)
	n.asked[kind]++
	var out []string
	for _, text := range n.answers[at] {
		if netip.MustParseAddr(text).Is4() == (kind == dnsmessage.TypeA) {
			out = append(out, text)
		}
	}
	return out
}

func (n *nameServer) answer(packet []byte) []byte {
	var question dnsmessage.Message
	if question.Unpack(packet) != nil || len(question.Questions) != 1 {
		return nil
	}
	q := question.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true, RecursionAvailable: true}, Questions: question.Questions}
	for _, text := range n.next(q.Type) {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}}
		if addr := netip.MustParseAddr(text); addr.Is4() {
			r.Body = &dnsmessage.AResource{A: addr.As4()}
		} else {
			r.Body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
		}
		reply.Answers = append(reply.Answers, r)
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func TestANameThatIsPointedAtOurOwnNetworkIsNotAsked(t *testing.T) {
	asked := 0
	s := server(t, func(http.ResponseWriter, *http.Request) { asked++ })
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, answers := range [][]string{{"127.0.0.1"}, {"10.0.0.1"}, {"192.168.1.1", "127.0.0.1"}, {"169.254.169.254"}, {"::1"}, {"::ffff:127.0.0.1"},
		{"fe80::1"}, {"fd00:ec2::254"}, {"64:ff9b::7f00:1"}, {"2002:7f00:1::1"}, {"100.100.100.200"}, {"0.0.0.0"}, {"192.0.0.192"}} {
		dns := &nameServer{answers: [][]string{answers}}
		c := client(t, Config{Hosts: []string{"publisher.example"}, Resolver: dns.resolver(t)})
		_, err := get(t, c, "https://publisher.example"+port+"/")
		if fault.KindOf(err) != fault.KindDenied || !strings.Contains(err.Error(), "no public address") {
			t.Errorf("%v: %v", answers, err)
		}
		if !dns.wasAsked() {
			t.Errorf("%v: the name server was not asked", answers)
		}
	}
	if asked > 0 {
		t.Errorf("asked %d times", asked)
	}
}

// A configured mirror may be in our own network. Its name may not be turned round to a cloud's metadata service afterwards.
func TestAConfiguredNameMayLeadHomeButNotToMetadata(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "fine")
	})
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, later := range []string{"169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
		"100.100.100.200", "168.63.129.16"} {
		dns := &nameServer{answers: [][]string{{"127.0.0.1"}, {later}}}
		c := client(t, Config{Named: []string{"http://mirror.example" + port}, Resolver: dns.resolver(t)})
		resp, err := get(t, c, "http://mirror.example"+port+"/")
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(resp.Body); string(body) != "fine" {
			t.Errorf("got %q", body)
		}
		if _, err := get(t, c, "http://mirror.example"+port+"/"); fault.KindOf(err) != fault.KindDenied {
			t.Errorf("%s: %v", later, err)
		}
	}
}

func TestARedirectToAnAddressOfOurOwnIsNotFollowed(t *testing.T) {
	inner := 0
	private := server(t, func(http.ResponseWriter, *http.Request) { inner++ })
	for _, to := range []string{private.URL, "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "file:///etc/passwd", "gopher://127.0.0.1/"} {
		outer := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		dns := &nameServer{answers: [][]string{{"127.0.0.1"}}}
		port := outer.URL[strings.LastIndex(outer.URL, ":"):]
		c := client(t, Config{Named: []string{"http://mirror.example" + port}, Resolver: dns.resolver(t)})
		if _, err := get(t, c, "http://mirror.example"+port+"/"); fault.KindOf(err) != fault.KindDenied {
			t.Errorf("to %s: %v", to, err)
		}
	}
	if inner > 0 {
		t.Errorf("the redirect was followed %d times", inner)
	}
}
