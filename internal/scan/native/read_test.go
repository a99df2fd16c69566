package native

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

const goodReport = `{"kind":"start","at":"2026-11-20T10:00:00Z","format":1,"tool":"native","version":"1","profile":"quick","hosts":3}
{"kind":"host","at":"2026-11-20T10:00:01Z","address":"127.0.0.1","names":["localhost"],"status":"up","reason":"connected to 22/tcp"}
{"kind":"host","at":"2026-11-20T10:00:01Z","address":"127.0.0.2","status":"up","reason":"refused 80/tcp"}
{"kind":"service","at":"2026-11-20T10:00:02Z","address":"127.0.0.1","port":80,"name":"http","product":"nginx","version":"1.16.1","cpes":["cpe:2.3:a:f5:nginx:1.16.1:*:*:*:*:*:*:*"]}
{"kind":"service","at":"2026-11-20T10:00:02Z","address":"127.0.0.1","port":22,"name":"ssh","product":"OpenSSH","version":"9.2p1","backport":"Debian","ssh_key":"SHA256:x"}
{"kind":"done","at":"2026-11-20T10:00:03Z","address":"127.0.0.1","names":["localhost"],"status":"up","reason":"connected to 22/tcp","os":"Debian 12","ssh_key":"SHA256:x","ports":"22,80-81,443","open":2}
{"kind":"done","at":"2026-11-20T10:00:03Z","address":"127.0.0.3","status":"unknown","reason":"did not answer on 100 ports"}
{"kind":"done","at":"2026-11-20T10:00:03Z","address":"127.0.0.2","status":"up","reason":"refused 80/tcp","ports":"80"}
{"kind":"end","at":"2026-11-20T10:00:04Z","hosts":3}
`

func TestAReportBecomesEventsHostByHost(t *testing.T) {
	var got []string
	err := Scanner{}.Read(t.Context(), strings.NewReader(goodReport), func(e finding.Event) error {
		switch {
		case e.Host != nil:
			got = append(got, "host "+e.Host.Address.String()+" "+e.Host.Status+" "+e.Host.OS)
		case e.Service != nil:
			got = append(got, "service "+e.Service.Address.String()+" "+e.Service.Product+" "+e.Service.Version)
		case e.Coverage != nil:
			got = append(got, "coverage "+e.Coverage.Address.String()+" "+finding.PrintPorts(e.Coverage.Ports))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"host 127.0.0.1 up Debian 12", "service 127.0.0.1 OpenSSH 9.2p1", "service 127.0.0.1 nginx 1.16.1", "coverage 127.0.0.1 22,80-81,443",
		"host 127.0.0.3 unknown ", "host 127.0.0.2 up ", "coverage 127.0.0.2 80",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("events:\n%s", strings.Join(got, "\n"))
	}
}

// Wherever a report breaks off, what stood in whole lines before is kept, and no host is covered that had no last line.
func TestATruncatedReportKeepsItsCompletePart(t *testing.T) {
	for cut := range len(goodReport) - 1 {
		r, err := readAll([]byte(goodReport[:cut]))
		whole := strings.TrimSuffix(goodReport[:cut], "\n")
		if strings.HasSuffix(whole, `"hosts":3}`) && strings.Contains(whole, `"end"`) {
			continue // only the last line end is missing
		}
		if !errors.Is(err, scan.ErrTruncated) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		done := strings.Count(goodReport[:cut], `"kind":"done"`)
		if len(r.coverage) > done || len(r.drops) > 0 {
			t.Fatalf("cut at %d: %d of %d hosts covered, drops %v", cut, len(r.coverage), done, r.drops)
		}
	}
	head := strings.Join(strings.SplitAfter(goodReport, "\n")[:5], "")
	r, _ := readAll([]byte(head + `{"kind":"do`))
	if len(r.hosts) != 2 || len(r.services) != 2 || len(r.coverage) != 0 {
		t.Errorf("%d hosts, %d services, %d covered", len(r.hosts), len(r.services), len(r.coverage))
	}
}

func TestABadLineIsDroppedAndNamed(t *testing.T) {
	bad := strings.Replace(goodReport, "{\"kind\":\"done\",\"at\":\"2026-11-20T10:00:03Z\",\"address\":\"127.0.0.3\"", "not json\n{\"kind\":\"service\",\"address\":\"999\"}\n"+
		"{\"kind\":\"service\",\"address\":\"127.0.0.9\",\"port\":1}\n{\"kind\":\"done\",\"address\":\"127.0.0.8\",\"ports\":\"9-1\"}\n{\"kind\":\"strange\"}\n"+
		strings.Repeat("x", maxLine+10)+"\n{\"kind\":\"done\",\"at\":\"2026-11-20T10:00:03Z\",\"address\":\"127.0.0.3\"", 1)
	r, err := readAll([]byte(bad))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.drops) != 6 || !strings.HasPrefix(r.drops[0].Reason, "malformed: line 7:") || len(r.hosts) != 3 {
		t.Errorf("%d hosts, drops: %+v", len(r.hosts), r.drops)
	}
}

func TestWhatIsNoReportOfOursIsRefused(t *testing.T) {
	for _, text := range []string{"<?xml version=\"1.0\"?>\n<nmaprun>", "{}\n", "[]\n", `{"kind":"start","tool":"other","format":1}` + "\n",
		`{"kind":"start","tool":"native","format":99}` + "\n"} {
		if _, err := readAll([]byte(text)); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readAll(nil); !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestReadStopsWhenEmitFailsOrContextEnds(t *testing.T) {
	stop := errors.New("enough")
	if err := (Scanner{}).Read(t.Context(), strings.NewReader(goodReport), func(finding.Event) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Scanner{}).Read(ctx, strings.NewReader(goodReport), func(finding.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestEvidenceIsPrintable(t *testing.T) {
	if got := printable([]byte("a\x1b[31mb\x00\r\n\xffü\u202e")); got != "a\\x1b[31mb\\x00\n\\xffü\\xe2\\x80\\xae" {
		t.Errorf("%q", got)
	}
	if len(printable(bytes.Repeat([]byte{0}, 10000))) > maxBanner+4 {
		t.Error("not bounded")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(goodReport))
	f.Add([]byte(`{"kind":"start","tool":"native","format":1}` + "\n" + `{"kind":"done","address":"::1%eth0","status":"up","ports":"1-65535"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		begun := map[string]bool{}
		err := Scanner{}.Read(t.Context(), bytes.NewReader(raw), func(e finding.Event) error {
			switch {
			case e.Host != nil:
				begun[e.Host.Address.String()] = true
			case e.Service != nil:
				if !begun[e.Service.Address.String()] || e.Service.Port == 0 || len(e.Service.Banner) > maxBanner {
					t.Errorf("service %+v", e.Service)
				}
			case e.Coverage != nil:
				if !begun[e.Coverage.Address.String()] {
					t.Error("coverage of a host that was not seen")
				}
			}
			return nil
		})
		if err == nil && !bytes.Contains(raw, []byte("end")) {
			t.Error("complete without an end")
		}
	})
}

// FuzzReplies gives every parser of answers what servers could send.
func FuzzReplies(f *testing.F) {
	for _, seed := range [][]byte{
		postgresError(), mongoReply(1, buildInfo("4.4.1")), dnsAnswer("9.11.0-P1"), amqpStart(), ldapEntry(),
		[]byte("\x31\x20\x00\x13$SYS/broker/versionmosquitto"), ntlmChallenge(10, 0, 17763, "DC01"),
		[]byte("\x04\x01\x00\x15\x00\x00\x01\x00\x00\x00\x06\x00\x06\xff\x0f\x00\x07\xd0\x00\x00\x00"),
		[]byte("\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x02\x00\x00\x00"),
		[]byte("HTTP/1.1 200 OK\r\nServer: nginx/1.16.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
		[]byte("\x3b\x00\x00\x00\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\x00xxxxxxxxxxxxxxxxxxxxxxxxx"), []byte("220-a\r\n220 b\r\n"),
		[]byte("$10\r\nredis_version:1\r\n"), []byte("\xff\xfa\x18\x00\xff\xf0login:"), []byte("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
		[]byte("INFO {\"version\":\"2.1.0\"}\r\n"), []byte("RFB 003.008\n"), []byte("* ID (\"name\" \"Dovecot\")\r\n"), []byte("+OK Dovecot ready.\r\n"),
		frame(make([]byte, 32), []byte{4, 0, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0, 'U', 0, 0, 0, 'S', 0, 0, 0}),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &session{heard: &overheard{}, target: target{addr: mustAddrPort("127.0.0.1:1")}}
		for _, found := range []*service{
			parsePostgres(b), parseMongo(b), parseDNS(b), parseAMQP(b), parseLDAP(b), parseTDS(b), parseRDP(b), mysql(b), telnet(b), vnc(b),
			rsync(b), nats(b), nntp(b), smtp(b, b), s.pop3(nil, b), s.imap(nil, b), s.ftpOrSMTP(nil, b), s.ssh(nil, b), s.parseRedis(b),
			s.parseMemcached(b), s.parseZookeeper(b), httpService(b), smbService(b),
		} {
			if found == nil {
				continue
			}
			found.complete()
			rec := found.record(loopback, 1)
			for _, text := range []string{rec.Product, rec.Version, rec.Extra, rec.OS} {
				if strings.ContainsAny(text, "\x00\x1b\n\r") {
					t.Errorf("%q is not printable", text)
				}
			}
			for _, c := range append(rec.CPEs, found.OSCPEs...) {
				if strings.Count(strings.ReplaceAll(c, `\:`, ""), ":") != 12 {
					t.Errorf("CPE %q", c)
				}
			}
			if len(rec.Banner) > maxBanner || len(rec.Extra) > 512 {
				t.Errorf("banner %d, extra %d bytes", len(rec.Banner), len(rec.Extra))
			}
		}
		published(b)
		amqpTable(b, map[string]string{})
		for _, complete := range []func([]byte) bool{pageEnd, replyEnd, greetingEnd, bulkEnd, messageEnd, mongoEnd, amqpEnd, frameEnd, ldapDone} {
			complete(b)
		}
		likelyFrom(b)
	})
}

func httpService(b []byte) *service {
	r := parseResponse(b)
	if r == nil {
		return nil
	}
	found := &service{Name: "http", Banner: []byte(r.head)}
	found.learnHTTP(r)
	for _, f := range followUps {
		f.applies(80, r.head)
		found.follow(f, r)
	}
	return found
}

func smbService(b []byte) *service {
	found := &service{Name: "microsoft-ds"}
	found.learnNTLM(b)
	found.learnSMB1(b)
	return found
}

func FuzzSignatures(f *testing.F) {
	table, err := os.ReadFile("testdata/banners.txt")
	if err != nil {
		f.Fatal(err)
	}
	for row := range strings.Lines(string(table)) {
		if kind, text, ok := strings.Cut(row, "\t"); ok {
			f.Add(kind, text)
		}
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		for _, c := range learnText(kind, text).CPEs {
			if fields := strings.Split(strings.ReplaceAll(c, `\:`, ""), ":"); len(fields) != 13 || strings.ContainsAny(fields[5], "?") && !strings.Contains(fields[5], `\?`) {
				t.Errorf("%q became %q", text, c)
			}
		}
	})
}
