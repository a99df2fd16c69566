package nmap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

const recorded = "testdata/*.xml"

func TestRecordedReports(t *testing.T)  { scantest.Golden(t, &Scanner{}, recorded) }
func TestTruncatedReports(t *testing.T) { scantest.Truncated(t, &Scanner{}, recorded) }
func TestReadStopsOnError(t *testing.T) { scantest.Stops(t, &Scanner{}, recorded) }

func TestDetectKnowsItsOwn(t *testing.T) {
	paths, _ := filepath.Glob(recorded)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil || !Detect(b[:min(len(b), 4096)]) {
			t.Errorf("%s: not detected, %v", path, err)
		}
	}
	for _, other := range []string{"", "<NessusClientData_v2>", "{}", "# Nmap 7.93 scan initiated"} {
		if Detect([]byte(other)) {
			t.Errorf("%q detected", other)
		}
	}
}

const begin = `<nmaprun scanner="nmap" start="1700000000">`

func TestReportsThatAreNone(t *testing.T) {
	for raw, want := range map[string]string{
		"# Nmap 7.93 scan initiated Sat Nov 21 as: nmap -oN x 192.0.2.1\n":              "use the XML",
		"Starting Nmap 7.93 ( https://nmap.org )\n":                                     "use the XML",
		"Host: 192.0.2.1 ()\tStatus: Up\n":                                              "use the XML",
		"hello":                                                                         "does not begin like XML",
		"<NessusClientData_v2></NessusClientData_v2>":                                   "root is <NessusClientData_v2>",
		begin + `<host></wrong></host></nmaprun>`:                                       "line 1",
		begin + "\n\n<host attr></host></nmaprun>":                                      "line 3",
		begin + `<host>&xxe;</host></nmaprun>`:                                          "line 1",
		`<!DOCTYPE x [<!ENTITY a "b">]>` + begin + `<host>&a;</host></nmaprun>`:         "line 1",
		begin + strings.Repeat("<a>", 100):                                              "nested too deeply",
		begin + `<a b="` + strings.Repeat("x", (4<<20)+1) + `"/></nmaprun>`:             "larger than",
		begin + `<!-- ` + strings.Repeat("<x> ", (4<<20)/4+1) + ` --></nmaprun>`:        "larger than",
		begin + `<runstats><finished exit="error" errormsg="no"/></runstats></nmaprun>`: "nmap ended with an error: no",
	} {
		_, err := scantest.Read(t, &Scanner{}, []byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, scan.ErrTruncated) {
			t.Errorf("%.60q: %v, want %q", raw, err, want)
		}
	}
	if _, err := scantest.Read(t, &Scanner{}, []byte(begin+`<runstats><finished exit="success"/><hosts total="0"/></runstats></nmaprun>`)); !errors.Is(err, ErrNoHosts) || fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a run without hosts: %v", err)
	}
	for _, raw := range []string{"", "  ", "<?xml version=\"1.0\"?>", begin} {
		if _, err := scantest.Read(t, &Scanner{}, []byte(raw)); !errors.Is(err, scan.ErrTruncated) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestHugeHostIsRefusedAndTheOthersStay(t *testing.T) {
	var b strings.Builder
	b.WriteString(begin + `<host><status state="up" reason="x"/><address addr="192.0.2.1"/></host><host><address addr="192.0.2.2"/><ports>`)
	text := strings.Repeat("A", 1<<20)
	for i := range 70 {
		fmt.Fprintf(&b, `<port protocol="tcp" portid="%d"><state state="open"/><script id="x" output="%s"/></port>`, i+1, text)
	}
	b.WriteString("</ports></host></nmaprun>")
	events, err := scantest.Read(t, &Scanner{}, []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "a record is larger") || len(events) != 1 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestHostsWithoutNamesAndIPv6AloneAreCounted(t *testing.T) {
	var b strings.Builder
	b.WriteString(begin + `<scaninfo type="syn" protocol="tcp" numservices="5" services="1-5"/>`)
	for i := range 251 {
		if i >= 5 {
			fmt.Fprintf(&b, `<host endtime="1700000009"><status state="down" reason="no-response"/><address addr="2001:db8::%x" addrtype="ipv6"/></host>`, i)
			continue
		}
		fmt.Fprintf(&b, `<host endtime="1700000009"><status state="up" reason="syn-ack"/><address addr="2001:db8::%x" addrtype="ipv6"/><ports>`, i)
		for port := range 4 + i/4 { // 4, 4, 4, 4, 5
			fmt.Fprintf(&b, `<port protocol="tcp" portid="%d"><state state="open" reason="syn-ack"/></port>`, port+1)
		}
		b.WriteString("</ports></host>")
	}
	b.WriteString(`<runstats><finished exit="success"/><hosts up="5" down="246" total="251"/></runstats></nmaprun>`)
	events, err := scantest.Read(t, &Scanner{}, []byte(b.String()))
	hosts, up, open, records := 0, 0, 0, 0
	for _, e := range events {
		records += scan.Records(e)
		switch {
		case e.Host != nil && e.Host.Status == "up":
			up++
			hosts++
		case e.Host != nil:
			hosts++
		case e.Service != nil:
			open++
		}
	}
	if err != nil || hosts != 251 || up != 5 || open != 21 || records != 21 {
		t.Errorf("%d hosts, %d up, %d open ports, %d records, %v", hosts, up, open, records, err)
	}
}

func TestScriptsThatCouldNotTellCoverNothing(t *testing.T) {
	raw := begin[:len(begin)-1] + ` args="nmap --script http-slowloris-check,http-trace,sshv1 192.0.2.1"><scaninfo type="syn" protocol="tcp" services="80"/>` +
		`<host><status state="up" reason="syn-ack"/><address addr="192.0.2.1"/><ports><port protocol="tcp" portid="80"><state state="open"/>` +
		`<script id="http-slowloris-check" output="&#xa;  X&#xa;    State: UNKNOWN (unable to test)"/><script id="http-trace" output="ERROR: Script execution failed (use -d to debug)"/>` +
		`</port></ports></host></nmaprun>`
	events, err := scantest.Read(t, &Scanner{}, []byte(raw))
	last := events[len(events)-1]
	if err != nil || last.Coverage == nil || strings.Join(last.Coverage.Checks, " ") != "nmap:sshv1" {
		t.Errorf("%+v, %v", last.Coverage, err)
	}
}

func TestMasscansReportIsNotNmaps(t *testing.T) {
	raw := []byte(`<?xml version="1.0"?><nmaprun scanner="masscan" start="1700000000" version="1.3"></nmaprun>`)
	if Detect(raw) {
		t.Error("detected as nmap's")
	}
	if _, err := scantest.Read(t, &Scanner{}, raw); err == nil || !strings.Contains(err.Error(), "masscan") {
		t.Errorf("read as nmap's: %v", err)
	}
}

func TestVersionsAreWhatTheServiceSaid(t *testing.T) {
	for raw, want := range map[string]string{
		"7.2p2 Ubuntu 4ubuntu2.8":          "7.2p2",
		"9.2p1 Debian 2+deb12u3":           "9.2p1",
		"9.18.19-1~deb12u1-Debian":         "9.18.19",
		"9.11.5-P4-5.1+deb10u9":            "9.11.5-P4",
		"2.4.6-97.el7":                     "2.4.6",
		"1.1.0~dfsg-1":                     "1.1.0",
		"9.11.0-P1":                        "9.11.0-P1",
		"5.5.5-10.11.6-MariaDB-0+deb12u1":  "10.11.6",
		"5.5.5-10.3.39-MariaDB":            "10.3.39",
		"8.0.36-0ubuntu0.22.04.1":          "8.0.36",
		"5.7.20-log":                       "5.7.20",
		"2.2.X - 2.3.X":                    "",
		"4.6.2 or later":                   "",
		"9.6.4 - 9.6.6 or 9.6.13 - 9.6.19": "",
		"3.X - 4.X":                        "",
		"3.X":                              "",
		"1.14.0 or later":                  "",
		"9.6.0 or later":                   "",
		"2.4.57":                           "2.4.57",
		"2.4.6":                            "2.4.6",
		"1.3.5rc3":                         "1.3.5rc3",
		"1.0.2-beta1":                      "1.0.2-beta1",
		"3.0.20-Debian":                    "3.0.20",
		"4.96":                             "4.96",
		"12.2.1.4.0":                       "12.2.1.4.0",
		"6.0":                              "6.0",
		"2019.78":                          "2019.78",
		"unknown":                          "",
		"":                                 "",
	} {
		if got := cleanVersion(raw); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

func TestNamesOfServices(t *testing.T) {
	for _, c := range []struct {
		service  service
		want     string
		backport string
	}{
		{service{product: "Apache Tomcat/Coyote JSP engine", version: "1.1", cpes: []string{"cpe:/a:apache:coyote_http_connector:1.1"}},
			"cpe:2.3:a:apache:coyote_http_connector:*:*:*:*:*:*:*:*", ""},
		{service{product: "Samba smbd", version: "4.6.2", cpes: []string{"cpe:/a:samba:samba:4.6.2"}}, "cpe:2.3:a:samba:samba:*:*:*:*:*:*:*:*", ""},
		{service{product: "OpenLDAP", version: "2.2.X - 2.3.X", cpes: []string{"cpe:/a:openldap:openldap:2.2.x"}}, "cpe:2.3:a:openldap:openldap:*:*:*:*:*:*:*:*", ""},
		{service{product: "MySQL", version: "5.5.5-10.11.6-MariaDB-0+deb12u1", cpes: []string{"cpe:/a:mysql:mysql:5.5.5-10.11.6-mariadb-0%2Bdeb12u1"}},
			"cpe:2.3:a:mariadb:mariadb:10.11.6:*:*:*:*:*:*:*", "Debian"},
		{service{product: "MySQL", version: "8.0.36-0ubuntu0.22.04.1", cpes: []string{"cpe:/a:mysql:mysql:8.0.36-0ubuntu0.22.04.1"}},
			"cpe:2.3:a:mysql:mysql:8.0.36:*:*:*:*:*:*:*", "Ubuntu"},
		{service{product: "Squid http proxy", version: "5.7"}, "cpe:2.3:a:squid-cache:squid:5.7:*:*:*:*:*:*:*", ""},
		{service{product: "A server nobody knows", version: "5.7"}, "", ""},
		{service{product: "Apache httpd", version: "2.4.6", extra: "(CentOS)", cpes: []string{"cpe:/a:apache:http_server:2.4.6"}},
			"cpe:2.3:a:apache:http_server:2.4.6:*:*:*:*:*:*:*", "CentOS"},
		{service{product: "Apache httpd", version: "2.4.6", extra: "(CentOS) OpenSSL/1.0.2k-fips PHP/5.4.16", cpes: []string{"cpe:/a:apache:http_server:2.4.6"}},
			"cpe:2.3:a:apache:http_server:2.4.6:*:*:*:*:*:*:* cpe:2.3:a:openssl:openssl:1.0.2k:*:*:*:*:*:*:* cpe:2.3:a:php:php:5.4.16:*:*:*:*:*:*:*", "CentOS"},
		{service{product: "Apache httpd", extra: "PHP/7.4.3-4ubuntu2.18"}, "cpe:2.3:a:php:php:7.4.3:*:*:*:*:*:*:*", "Ubuntu"},
		{service{product: "x", version: "1", cpes: []string{"cpe:/a:%02:%02:1", "cpe:2.3:a:*:*:1", "nonsense", "cpe:/o:linux:linux_kernel"}}, "", ""},
	} {
		p := port{service: c.service}
		got := strings.Join(p.service.applicationCPEs(p.service.cleanVersion()), " ")
		if got != c.want || p.backport() != c.backport {
			t.Errorf("%s %s: got %s, %s", c.service.product, c.service.version, got, p.backport())
		}
	}
}

func TestProgressOfGroupsNeverFalls(t *testing.T) {
	var percents []float64
	m := newMeter(8, func(p scan.Progress) { percents = append(percents, p.Percent) })
	m.begin(6)
	for _, tag := range []string{`<taskprogress task="Connect Scan" time="1" percent="50.00"/>`, `<taskprogress task="Service scan" time="2" percent="10.00" remaining="9" etc="7"/>`,
		"<host><x a='1'/>", "</host>", "</host>", "</host>", "</host>", "</host>", `<taskprogress task="Connect Scan" time="3" percent="90.00"/>`, "</host>"} {
		for i := range len(tag) { // as it comes through a pipe, in any pieces
			m.Write([]byte(tag[i : i+1]))
		}
	}
	m.end()
	m.begin(2)
	m.Write([]byte("</host></host>"))
	m.end()
	last := 0.0
	for _, p := range percents {
		if p < last || p > 100 {
			t.Errorf("progress %v", percents)
			break
		}
		last = p
	}
	if last != 100 || percents[0] < 10 || percents[0] > 40 {
		t.Errorf("progress %v", percents)
	}
}

func FuzzRead(f *testing.F) {
	paths, _ := filepath.Glob(recorded)
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil && len(b) < 8<<10 {
			f.Add(b)
		}
	}
	f.Add([]byte(begin + `<host><status state="up"/><address addr="192.0.2.1"/><ports><port protocol="tcp" portid="1"><state state="open"/></port></ports></host>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		scantest.Read(t, &Scanner{}, raw)
		m := newMeter(1, func(scan.Progress) {})
		m.begin(1)
		m.Write(raw)
	})
}

func BenchmarkRead(b *testing.B) {
	raw, err := os.ReadFile("testdata/services-7.93.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		(&Scanner{}).Read(b.Context(), strings.NewReader(string(raw)), func(finding.Event) error { return nil })
	}
}
