package understand

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/questions.txt anew")

// now is a Sunday.
var now = time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)

// names are those of a small catalogue and estate.
func names(t testing.TB) *NameBook {
	t.Helper()
	l := Lists{
		Sites: []string{"default", "dmz", "Berlin", "office-munich"}, Owners: []string{"ops", "Anna Schmidt"}, Tags: []string{"web", "jewel", "pci"}, Labels: []string{"urgent"},
		Scanners: []string{"native", "nmap", "nessus"}, Feeds: []string{"nvd", "kev", "epss", "exploitdb", "metasploit", "nuclei", "attack", "cwe"},
		Ours:       []string{"OpenSSH", "nginx", "Apache httpd", "Log4j", "vsftpd"},
		Hosts:      []HostEntry{{1, "dmz", []string{"10.0.0.5", "web1.example.org"}}, {2, "default", []string{"10.0.0.7", "db1"}}, {3, "default", []string{"10.0.0.8", "web-01"}}},
		Techniques: []TechniqueName{{"T1190", "Exploit Public-Facing Application"}, {"T1566", "Phishing"}, {"T1059", "Command and Scripting Interpreter"}, {"T1078", "Valid Accounts"}},
	}
	for line := range strings.Lines(products) {
		var p Known
		if _, err := fmt.Sscan(strings.NewReplacer(":", " ").Replace(strings.TrimSpace(line)), &p.Vendor, &p.Product, &p.CVEs); err == nil {
			l.Products = append(l.Products, p)
		}
	}
	return NewNames(l)
}

// products are some of the catalogue's, with numbers as they were in 2026: big ones, and small ones that are called like
// words.
const products = `
apache:http_server 278
apache:struts 77
apache:log4j 15
apache:tomcat 227
openbsd:openssh 107
openssl:openssl 260
nginx:nginx 20
f5:nginx 67
microsoft:windows 76
microsoft:windows_7 1215
microsoft:windows_10 1108
microsoft:windows_server_2008 1477
microsoft:exchange_server 134
microsoft:office 566
microsoft:edge 531
cybozu:office 57
google:chrome 3571
mozilla:firefox 2442
linux:linux_kernel 2589
atlassian:confluence_server 40
fortinet:fortios 61
citrix:netscaler_application_delivery_controller 7
citrix:xenserver 60
cisco:ios 530
cisco:ios_xe 274
oracle:weblogic_server 228
vmware:vcenter_server 90
jenkins:jenkins 193
grafana:grafana 60
wordpress:wordpress 306
joomla:joomla\! 150
filezilla-project:filezilla_server 9
gitlab:gitlab 1116
file:file 4
user_project:user 1
report_project:report 1
vmware:server 57
palo_alto_networks:firewall 1
php:php 639
postgresql:postgresql 120
drupal:drupal 192
samba:samba 150
dell:idrac 20
`

// shape is a question in one line: subject, measure, and what is set besides.
func shape(q Question) string {
	parts := []string{orDash(string(q.Subject)), orDash(string(q.Measure))}
	var rest []string
	say := func(key string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "[]" && text != "0" && text != "false" && text != "<nil>" {
			rest = append(rest, key+"="+strings.ReplaceAll(text, " ", "_"))
		}
	}
	yes := func(key string, b *bool) {
		if b != nil {
			rest = append(rest, fmt.Sprintf("%s=%v", key, *b))
		}
	}
	number := func(key string, f *float64) {
		if f != nil {
			rest = append(rest, fmt.Sprintf("%s=%.4g", key, *f))
		}
	}
	period := func(key string, p *Period) {
		if p == nil {
			return
		}
		day := func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.Format("2006-01-02")
		}
		rest = append(rest, key+"="+day(p.From)+".."+day(p.To))
	}
	say("attr", q.Attribute)
	say("by", q.GroupBy)
	say("audience", q.Audience)
	say("least", q.Least)
	say("limit", q.Limit)
	say("all", q.All)
	say("sort", q.Sort)
	say("not", q.Negated)
	say("cve", q.CVEs)
	say("cwe", q.CWEs)
	say("technique", q.Techniques)
	for _, h := range q.Hosts {
		say("host", h.Text)
	}
	for _, h := range q.From {
		say("from", h.Text)
	}
	say("site", q.Sites)
	for _, p := range q.Products {
		say("product", p.Vendor+":"+p.Product+p.Relation+p.Version)
	}
	for _, p := range q.Ports {
		say("port", portWords([]Port{p}))
	}
	say("value", q.Values)
	say("finding", q.Findings)
	say("scan", q.Scans)
	say("import", q.Imports)
	say("feed", q.Feeds)
	say("topic", q.Topics)
	say("severity", q.Severities)
	say("decision", q.Decisions)
	yes("kev", q.KEV)
	yes("exploited", q.Exploited)
	say("exploit", q.Exploit)
	yes("ransomware", q.Ransomware)
	number("mincvss", q.MinCVSS)
	number("maxcvss", q.MaxCVSS)
	number("minepss", q.MinEPSS)
	number("maxepss", q.MaxEPSS)
	say("state", q.State)
	say("triage", q.Triage)
	say("overdue", q.Overdue)
	period("due", q.DueWithin)
	say("potential", q.Potential)
	say("jewels", q.Jewels)
	yes("exposed", q.Exposed)
	say("criticality", q.Criticality)
	say("tag", q.Tags)
	say("label", q.Labels)
	say("owner", q.Owner)
	say("assignee", q.Assignee)
	say("scanner", q.Scanner)
	say("os", q.OS)
	say("status", q.Status)
	period("time", q.Time)
	period("against", q.Against)
	say("timeof", q.TimeOf)
	for _, n := range []struct {
		key   string
		value *int
	}{{"atleast", q.AtLeast}, {"atmost", q.AtMost}} {
		if n.value != nil {
			rest = append(rest, fmt.Sprintf("%s=%d", n.key, *n.value))
		}
	}
	say("share", q.Share)
	yes("fixable", q.Fixable)
	say("titled", q.Titled)
	say("owners", q.Owners)
	say("systems", q.Systems)
	say("follows", q.Follows)
	say("those", q.Those)
	say("more", q.More)
	say("ordinal", q.Ordinal)
	say("rest", q.Rest)
	say("unknown", q.Unknown)
	say("act", q.Act)
	say("outside", q.Outside)
	for _, c := range q.Corrected {
		say("corrected", c.From+">"+c.To)
	}
	sort.Strings(rest)
	return strings.Join(append(parts, rest...), " ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// TestQuestions reads testdata/questions.txt: a question, and below it how it is to be read. A question that begins with
// "+" follows the one before it.
func TestQuestions(t *testing.T) {
	const file = "testdata/questions.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v := names(t)
	var c Context
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	rows := 0
	for i, line := range lines {
		if line == "" || strings.HasPrefix(line, "#") {
			fmt.Fprintln(&out, line)
			continue
		}
		if strings.HasPrefix(line, "    ") {
			continue
		}
		text, follows := strings.CutPrefix(line, "+ ")
		if !follows {
			c = Context{}
		}
		q := Parse(text, v, c, now)
		got := shape(q)
		fmt.Fprintf(&out, "%s\n    %s\n", line, got)
		rows++
		if want := expected(lines, i); !*update && got != want {
			t.Errorf("line %d: %s\n got %s\nwant %s", i+1, text, got, want)
		}
		if q.Words() == "" {
			t.Errorf("line %d: %s: no words", i+1, text)
		}
		c = Context{Question: &q, Shown: []Thing{{"finding", "7", "a finding"}, {"host", "1", "10.0.0.5"}, {"cve", "CVE-2021-44228", "Log4j"}}}
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d questions", rows)
}

func expected(lines []string, i int) string {
	if i+1 < len(lines) {
		return strings.TrimSpace(lines[i+1])
	}
	return ""
}

func FuzzParse(f *testing.F) {
	v := names(f)
	for _, s := range []string{"", "?", "how many critical findings in dmz", "cve 2021 44228", "port 443-80", "between and", "top <n>", "a-b-c", "10.0.0.0/33", "since", "\x00", "ﬀ İ", "CVE-99999-1", "::", "0x", "older than"} {
		f.Add(s)
	}
	last := Parse("critical findings in dmz", v, Context{}, now)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		q := Parse(text, v, Context{}, now)
		if q.Understood < 0 || q.Understood > 1 {
			t.Errorf("understood %v", q.Understood)
		}
		_ = q.Words()
		follow := Parse(text, v, Context{Question: &last, Shown: []Thing{{"host", "1", "a"}}, About: &Thing{"cve", "CVE-2021-44228", ""}}, now)
		_ = follow.Words()
	})
}

// Whatever is pasted takes a bounded time.
func TestLongTextIsReadInTime(t *testing.T) {
	v := names(t)
	Parse("warm up", v, Context{}, now)
	for _, word := range []string{"a", "how many ", "CVE-2021-44228 ", "findngs ", "the ", "at least ", "from ", "apache ", "1.2.3 ", "- ", "qwrtzp "} {
		text := strings.Repeat(word, 2000/len(word))
		begun := time.Now()
		Parse(text, v, Context{}, now)
		if took := time.Since(begun); took > 200*time.Millisecond {
			t.Errorf("%q … took %s", word, took)
		}
	}
}

func TestAliasesAndNicknames(t *testing.T) {
	if n := len(aliases()); n < 300 {
		t.Errorf("%d aliases", n)
	}
	if n := len(nicknames()); n < 100 {
		t.Errorf("%d nicknames", n)
	}
}

func BenchmarkParse(b *testing.B) {
	v := names(b)
	for b.Loop() {
		Parse("How many critical or high findings with EPSS above 50 % are there on hosts in dmz that run OpenSSH older than 9.3?", v, Context{}, now)
	}
}

// An import changes what hosts are called each second: With is what that costs.
func BenchmarkWith(b *testing.B) {
	n, l := names(b), Lists{Sites: []string{"dmz"}}
	for i := range 10_000 {
		l.Hosts = append(l.Hosts, HostEntry{int64(i), "dmz", []string{fmt.Sprintf("10.0.%d.%d", i/256, i%256), fmt.Sprintf("host%d.corp.example.org", i)}})
	}
	b.ReportAllocs()
	for b.Loop() {
		n.With(l)
	}
}

// The figures of a name are no slips: another host is another host.
func TestASlipInAHostNameKeepsItsFigures(t *testing.T) {
	v := names(t)
	for text, want := range map[string]string{"who owns web1.exmaple.org": "web1.example.org", "who owns web2.example.org": ""} {
		q := Parse(text, v, Context{}, now)
		if got := len(q.Corrected) > 0; got != (want != "") || got && q.Hosts[0].Text != want {
			t.Errorf("%s: %v %v", text, q.Hosts, q.Corrected)
		}
	}
}

func BenchmarkNewNames(b *testing.B) {
	var l Lists
	for i := range 60_000 {
		l.Products = append(l.Products, Known{fmt.Sprintf("vendor_%d", i/3), fmt.Sprintf("some_product_%d", i), 1 + i%10/9*20})
	}
	b.ReportAllocs()
	for b.Loop() {
		NewNames(l)
	}
}
