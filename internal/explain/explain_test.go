package explain_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

var update = flag.Bool("update", false, "write the golden file")

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var now = day("2026-11-20")

// everything is that all feeds have been loaded.
var everything = map[string]time.Time{"kev": {}, "epss": {}, "exploitdb": {}, "metasploit": {}, "nuclei": {}, "cvelist": {}}

// known is a famous CVE, with true facts cut small.
type known struct {
	name string
	in   explain.Input
}

func (k known) kev(added, vendor, product, name, action string, ransomware bool) known {
	k.in.Facts.KEV = &intel.KEV{
		CVE: k.in.ID, Added: day(added), Vendor: vendor, Product: product, Name: name, RequiredAction: action, Ransomware: ransomware,
	}
	return k
}

func (k known) epss(date string, score, percentile float64) known {
	k.in.Facts.EPSS = &intel.EPSS{CVE: k.in.ID, Score: score, Percentile: percentile, Date: day(date)}
	return k
}

func (k known) exploit(source, rank, date string, verified bool) known {
	e := intel.Exploit{CVE: k.in.ID, Source: source, Rank: rank, Verified: verified}
	if date != "" {
		e.Published = day(date)
	}
	k.in.Facts.Exploits = append(k.in.Facts.Exploits, e)
	return k
}

func (k known) linked(tags ...string) known {
	k.in.Record.References = append(k.in.Record.References, cve.Reference{URL: "https://example.org/", Tags: tags})
	return k
}

func (k known) ssvc(exploitation string) known {
	k.in.Facts.SSVC = &intel.SSVC{CVE: k.in.ID, Exploitation: exploitation, Source: "CISA-ADP"}
	return k
}

// affects adds vulnerable criteria: a CPE up to the product, then versions: "1.0" exactly, "<1.0", "<=1.0", "2.0<2.3" or "*".
func (k known) affects(product string, versions ...string) known {
	r := k.in.Record
	if len(r.Configurations) == 0 {
		r.Configurations = []cve.Node{{}}
	}
	for _, v := range versions {
		m := cve.CPEMatch{Vulnerable: true, Criteria: "cpe:2.3:" + product + ":*:*:*:*:*:*:*:*"}
		switch from, to, ranged := strings.Cut(v, "<"); {
		case v == "*":
		case !ranged:
			m.Criteria = "cpe:2.3:" + product + ":" + v + ":*:*:*:*:*:*:*"
		case strings.HasPrefix(to, "="):
			m.StartIncluding, m.EndIncluding = from, to[1:]
		default:
			m.StartIncluding, m.EndExcluding = from, to
		}
		r.Configurations[0].Matches = append(r.Configurations[0].Matches, m)
	}
	return k
}

const (
	byNVD = cve.ProviderNVD
	byCNA = cve.ProviderCNA
)

func (k known) scored(by cve.Provider, score float64, vector string) known {
	version := "2.0"
	if rest, ok := strings.CutPrefix(vector, "CVSS:"); ok {
		version = rest[:3]
	}
	k.in.Record.Metrics = append(k.in.Record.Metrics, cve.Metric{Version: version, Vector: vector, Score: score, Provider: by, Source: "nvd@nist.gov"})
	return k
}

func record(id, name, description string, cwes ...string) known {
	parsed, err := cve.ParseID(id)
	if err != nil {
		panic(err)
	}
	return known{name, explain.Input{
		ID: parsed, Loaded: everything, Name: catalogue.DisplayName,
		Record: &cve.Record{ID: parsed, Status: "Analyzed", Published: day("2020-01-01"), Description: description, CWEs: cwes},
	}}
}

const all3 = "/C:H/I:H/A:H"

// famous are records of all kinds.
func famous() []known {
	list := []known{
		record("CVE-2021-44228", "Log4Shell", "Log4j evaluates JNDI lookups in what it logs.", "CWE-502", "CWE-400", "CWE-20", "CWE-917").
			scored(byNVD, 10, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C"+all3).affects("a:apache:log4j", "2.0.1<2.3.1", "2.4.0<2.12.2", "2.13.0<2.15.0").
			kev("2021-12-10", "Apache", "Log4j2", "Apache Log4j2 Remote Code Execution Vulnerability", "Apply updates.", true).
			epss("2025-08-01", 0.94358, 0.99957).exploit("metasploit", "excellent", "2021-12-09", false).
			exploit("exploitdb", "", "2021-12-14", false).exploit("exploitdb", "", "2021-12-14", false).exploit("nuclei", "", "", false),
		record("CVE-2014-0160", "Heartbleed", "A missing bounds check in the heartbeat extension.", "CWE-125").
			scored(byNVD, 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N").scored(byNVD, 5, "AV:N/AC:L/Au:N/C:P/I:N/A:N").
			affects("a:openssl:openssl", "1.0.1<1.0.1g").affects("o:debian:debian_linux", "7.0").
			kev("2022-05-04", "OpenSSL", "OpenSSL", "OpenSSL Information Disclosure Vulnerability", "Apply updates per vendor instructions.", false).
			exploit("exploitdb", "", "2014-04-08", true).exploit("exploitdb", "", "2014-04-24", true).exploit("metasploit", "normal", "2014-04-07", false),
		record("CVE-2017-0144", "EternalBlue", "Crafted packets to the SMBv1 server of Microsoft Windows let remote attackers execute arbitrary code.").
			scored(byNVD, 8.1, "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U"+all3).affects("a:microsoft:server_message_block", "1.0").
			kev("2022-02-10", "Microsoft", "SMBv1", "Microsoft SMBv1 Remote Code Execution Vulnerability", "Apply updates per vendor instructions.", true).
			exploit("metasploit", "average", "2017-03-14", false).exploit("metasploit", "normal", "2017-03-14", false).linked("Vendor Advisory"),
		record("CVE-2014-6271", "Shellshock", "GNU Bash runs what stands behind a function in an environment variable.", "CWE-78").
			scored(byNVD, 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U"+all3).affects("a:gnu:bash", "1.14.0", "4.2", "4.3").linked("Patch").
			kev("2022-01-28", "GNU", "Bourne-Again Shell (Bash)", "GNU Bash Arbitrary Code Execution Vulnerability", "Apply updates per vendor instructions.", false),
		record("CVE-2024-6387", "regreSSHion", "A signal handler race condition in OpenSSH's server.", "CWE-364").ssvc("poc").
			scored(byCNA, 8.1, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U"+all3).affects("a:openbsd:openssh", "<4.4", "8.6<9.8"),
		record("CVE-2020-1472", "Zerologon", "Netlogon accepts a secure channel without the right key.", "CWE-330").
			scored(byNVD, 10, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C"+all3).
			affects("o:microsoft:windows_server_2012", "*").affects("o:microsoft:windows_server_2016", "*").affects("o:microsoft:windows_server_2019", "*").
			kev("2021-11-03", "Microsoft", "Netlogon", "Microsoft Netlogon Privilege Escalation Vulnerability", "Apply updates per vendor instructions.", true),
		record("CVE-2024-3094", "the XZ backdoor", "Malicious code in the release archives of xz.", "CWE-506").
			scored(byCNA, 10, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C"+all3).affects("a:tukaani:xz", "5.6.0", "5.6.1").linked("Vendor Advisory"),
		record("CVE-2019-0708", "BlueKeep", "Requests over RDP can use memory after it was freed.", "CWE-416").
			scored(byNVD, 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U"+all3).
			affects("o:microsoft:windows_7", "-").affects("o:microsoft:windows_server_2003", "-").affects("o:microsoft:windows_server_2008", "-").
			affects("o:microsoft:windows_xp", "-").exploit("metasploit", "manual", "2019-05-14", false).
			kev("2021-11-03", "Microsoft", "Multiple Products", "Microsoft Remote Desktop Services Remote Code Execution Vulnerability", "Apply updates per vendor instructions.", true),
		record("CVE-2016-5195", "Dirty COW", "A race in the copy-on-write handling of the Linux kernel.", "CWE-362").
			scored(byNVD, 7, "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U"+all3).affects("o:linux:linux_kernel", "2.6.22<3.2.83", "3.3<3.4.113", "3.5<3.10.104",
			"3.11<3.12.66", "4.8<4.8.3").exploit("exploitdb", "", "2016-10-19", true).exploit("exploitdb", "", "2016-11-28", false).
			kev("2022-03-03", "Linux", "Kernel", "Linux Kernel Race Condition Vulnerability", "Apply updates per vendor instructions.", false),
		record("CVE-2021-26855", "ProxyLogon", "Exchange passes requests on.", "CWE-918").
			scored(byNVD, 9.8, "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U"+all3).affects("a:microsoft:exchange_server", "2013:cumulative_update_23", "2016:cumulative_update_19").
			kev("2021-11-03", "Microsoft", "Exchange Server", "Microsoft Exchange Server Remote Code Execution Vulnerability", "Apply updates per vendor instructions.", true),
		record("CVE-2023-4966", "CitrixBleed", "Answers of the gateway hold memory contents.", "CWE-119").
			scored(byCNA, 9.4, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:L").
			affects("a:citrix:netscaler_application_delivery_controller", "13.0<13.0-92.19", "13.1<13.1-49.15", "14.1<14.1-8.50").
			affects("a:citrix:netscaler_gateway", "13.0<13.0-92.19", "13.1<13.1-49.15", "14.1<14.1-8.50").
			kev("2023-10-18", "Citrix", "NetScaler ADC and NetScaler Gateway", "Citrix NetScaler Buffer Overflow Vulnerability", "Apply mitigations and kill sessions.", true),
		record("CVE-2023-34362", "MOVEit", "", "CWE-89").scored(byNVD, 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U"+all3).
			affects("a:progress:moveit_transfer", "<2021.0.6", "2021.1.0<2021.1.4", "2022.0.0<2022.0.4", "2022.1.0<2022.1.5", "2023.0.0<2023.0.1").
			kev("2023-06-02", "Progress", "MOVEit Transfer", "Progress MOVEit Transfer SQL Injection Vulnerability", "Apply updates per vendor instructions.", true).
			exploit("metasploit", "excellent", "2023-05-31", false),
		record("CVE-2020-11022", "jQuery's XSS", "", "CWE-79").scored(byNVD, 6.1, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N").
			affects("a:jquery:jquery", "1.2<3.5.0").affects("o:debian:debian_linux", "9.0").epss("2025-08-01", 0.0043, 0.6),
		record("CVE-2011-3192", "a denial of service with CVSS 2 only", "", "CWE-400").scored(byNVD, 7.8, "AV:N/AC:L/Au:N/C:N/I:N/A:C").
			affects("a:apache:http_server", "2.0.35<2.0.65", "2.2.0<2.2.20").exploit("exploitdb", "", "2011-08-19", true),
		record("CVE-1999-0095", "an old one without CWE", "The debug command of Sendmail is enabled, allowing attackers to execute commands as root.").
			scored(byNVD, 10, "AV:N/AC:L/Au:N/C:C/I:C/A:C").affects("a:eric_allman:sendmail", "5.58"),
		record("CVE-2011-10035", "a description and nothing else", "Nagios XI before 2011R1.9 lets local users gain rights by scripts that edit crontab entries. They run as root."),
		record("CVE-2024-0012", "CVSS 4.0", "", "CWE-306").scored(byCNA, 9.3, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:L/SA:L").
			affects("o:paloaltonetworks:pan-os", "10.2.0<=10.2.12").kev("2024-11-18", "Palo Alto Networks", "PAN-OS",
			"Palo Alto Networks PAN-OS Management Interface Authentication Bypass Vulnerability",
			"Apply mitigations per vendor instructions or discontinue use of the product if mitigations are unavailable.", true),
		record("CVE-2017-5753", "Spectre: hardware", "", "CWE-203").scored(byNVD, 5.6, "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:C/C:H/I:N/A:N").
			affects("h:intel:core_i5", "*").affects("h:intel:xeon_e3", "*").affects("h:arm:cortex-a15", "*").affects("h:arm:cortex-a57", "*"),
		record("CVE-2017-13077", "KRACK: from nearby", "", "CWE-330").scored(byNVD, 6.8, "CVSS:3.0/AV:A/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N").
			affects("a:w1.fi:hostapd", "2.6").affects("a:w1.fi:wpa_supplicant", "2.6"),
		record("CVE-2017-11882", "a prepared document", "", "CWE-787").scored(byNVD, 7.8, "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U"+all3).
			affects("a:microsoft:office", "2007", "2010", "2016").linked("Patch").
			kev("2021-11-03", "Microsoft", "Office", "Microsoft Office Memory Corruption Vulnerability", "Apply updates per vendor instructions.", true),
		record("CVE-2026-0002", "made up: no damage by the rating", "", "CWE-1").scored(byNVD, 0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"),
	}
	return append(list, unusual()...)
}

// unusual are inputs that lack what the others have.
func unusual() []known {
	withdrawn := record("CVE-2005-1390", "withdrawn", "** REJECT ** DO NOT USE THIS CANDIDATE NUMBER. Reason: This candidate is a duplicate of CVE-2005-0174. "+
		"Notes: users should reference CVE-2005-0174 instead.")
	withdrawn.in.Record.Status = "Rejected"
	stub := record("CVE-2018-4878", "in KEV only", "").kev("2021-11-03", "Adobe", "Flash Player", "Adobe Flash Player Use-After-Free Vulnerability",
		"The impacted product is end-of-life and should be disconnected if still in use.", false)
	stub.in.Record = nil
	assigner := record("CVE-2024-21626", "the assigner's words", "", "CWE-403")
	assigner.in.Record.Title = "runc container breakout through leaked file descriptors"
	assigner.in.Record.Origins = []cve.Origin{{Field: cve.FieldTitle, Source: "cvelist"}}
	assigner.in.Record.Affected = []cve.Affected{{Vendor: "opencontainers", Product: "runc", Versions: []string{">= 1.0.0-rc93, < 1.1.12"}}}
	assigner.in.Record.Ratings = []cve.Rating{{Level: "high", Source: "GitHub_M"}}
	assigner.in.Weaknesses = map[string]intel.Weakness{"CWE-403": {ID: "CWE-403", Name: "Exposure of File Descriptor to Unintended Control Sphere"}}
	asserted := record("CVE-2023-1389", "asserted by SSVC, nothing loaded", "", "CWE-77").ssvc("active").
		scored(byNVD, 8.8, "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U"+all3).affects("o:tp-link:archer_ax21_firmware", "<1.1.4")
	asserted.in.Loaded = nil
	nothing := record("CVE-2026-0001", "made up: nothing at all", "")
	nothing.in.Loaded = nil
	vector := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"
	check := known{"a check", explain.Input{Loaded: everything, Check: &explain.Check{Source: "nikto", Key: "999103", Title: "The X-Content-Type-Options header is not set"}}}
	check.in.Verdict = priority.Assess(priority.Input{Vector: vector, VectorSource: "derived", Now: now})
	dated := found(record("CVE-2021-44228", "a finding with a date", "", "CWE-917").scored(byNVD, 10, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C"+all3).
		affects("a:apache:log4j", "<2.15.0").
		kev("2021-12-10", "Apache", "Log4j2", "Apache Log4j2 Remote Code Execution Vulnerability", "Apply updates.", true))
	return []known{withdrawn, stub, assigner, asserted, nothing, check, dated}
}

func found(k known) known {
	k.in.Due = day("2026-11-24")
	k.in.Verdict = priority.Assess(priority.Input{Record: k.in.Record, Facts: k.in.Facts, Exposure: priority.Exposure{Exposed: true, Known: true}, Now: now})
	return k
}

func (k known) judged() explain.Input {
	if k.in.Verdict.Decision == "" && k.name != "made up: nothing at all" {
		k.in.Verdict = priority.Assess(priority.Input{Record: k.in.Record, Facts: k.in.Facts, Now: now})
	}
	if v := &k.in.Verdict; k.in.Facts.EPSS == nil { // an estimate changes whenever its weights are fitted anew
		v.Likelihood, v.LikelihoodSource = nil, ""
		if chance := 0.4234; k.name == "Heartbleed" {
			v.Likelihood, v.LikelihoodSource = &chance, "estimated"
		}
	}
	return k.in
}

func TestExplanationsReadAsWritten(t *testing.T) {
	var b strings.Builder
	for _, k := range famous() {
		in := k.judged()
		fmt.Fprintf(&b, "%s: %s\n  = %s\n", k.name, in.ID, explain.Short(in).Text)
		for _, s := range explain.CVE(in).Sentences {
			fmt.Fprintf(&b, "  %s\n      %s\n", s.Text, strings.Join(s.Fields, " "))
		}
		b.WriteByte('\n')
	}
	path := filepath.Join("testdata", "explanations.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("-golden +got:\n%s", d)
	}
}

// sound says what every explanation must be, whatever it is made from.
func sound(t *testing.T, in explain.Input) {
	t.Helper()
	e := explain.CVE(in)
	low := 3
	if in.Record != nil && in.Record.Rejected() {
		low = 1
	}
	if n := len(e.Sentences); n < low || n > 6 {
		t.Errorf("%d sentences: %+v", n, e)
	}
	short := explain.Short(in)
	for _, s := range append(slices.Clone(e.Sentences), short) {
		switch {
		case s.Text == "" || len(s.Fields) == 0 || s.Topic == "":
			t.Errorf("empty: %+v", s)
		case !utf8.ValidString(s.Text) || strings.ContainsFunc(s.Text, func(r rune) bool { return !unicode.IsPrint(r) }):
			t.Errorf("unprintable: %q", s.Text)
		case strings.ContainsAny(s.Text, "⟨⟩"):
			t.Errorf("a message or a value is missing: %s", s.Text)
		case utf8.RuneCountInString(s.Text) > 2000:
			t.Errorf("%d runes", utf8.RuneCountInString(s.Text))
		case !slices.IsSorted(s.Fields):
			t.Errorf("fields %v", s.Fields)
		}
	}
}

func TestEveryExplanationIsSound(t *testing.T) {
	for _, k := range famous() {
		t.Run(k.name, func(t *testing.T) { sound(t, k.judged()) })
	}
	t.Run("the zero input", func(t *testing.T) { sound(t, explain.Input{}) })
}

func text(e explain.Explanation) string {
	var all []string
	for _, s := range e.Sentences {
		all = append(all, s.Text)
	}
	return strings.Join(all, "\n")
}

func TestSilenceOfASourceIsOnlySaidWhenItWasLoaded(t *testing.T) {
	k := record("CVE-2024-1000", "", "A flaw.").judged()
	k.Loaded = map[string]time.Time{"exploitdb": {}}
	if got := text(explain.CVE(k)); strings.Contains(got, "CISA does not list") || strings.Contains(got, "Metasploit") || strings.Contains(got, "EPSS") {
		t.Errorf("speaks of feeds that were not loaded:\n%s", got)
	}
	k.Loaded = map[string]time.Time{"kev": {}, "exploitdb": {}}
	if got := text(explain.CVE(k)); !strings.Contains(got, "CISA does not list it as known to be exploited; Exploit-DB has no attack code for it.") {
		t.Errorf("does not say what was looked at:\n%s", got)
	}
}

func TestCodeExecutionIsOnlyClaimedWhenAFieldSupportsIt(t *testing.T) {
	full, some := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U"+all3, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L"
	for _, c := range []struct {
		name, vector, description string
		cwe                       string
		want                      bool
	}{
		{"everything is lost and nothing says how", full, "A flaw.", "", false},
		{"command injection", some, "", "CWE-78", true},
		{"memory, everything lost", full, "", "CWE-787", true},
		{"memory, something lost", some, "", "CWE-787", false},
		{"memory, something lost, but the text says it", some, "Attackers can execute arbitrary code.", "CWE-787", true},
		{"the text says that it does not", full, "This does not allow attackers to execute arbitrary code.", "", false},
		{"SQL is no program", full, "Attackers can execute arbitrary SQL commands.", "CWE-89", false},
		{"script runs elsewhere", some, "Attackers can execute arbitrary JavaScript code.", "CWE-79", false},
		{"who is on the machine runs code already", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U" + all3, "", "CWE-416", false},
	} {
		k := record("CVE-2024-1000", "", c.description, c.cwe).scored(byNVD, 9, c.vector)
		if got := text(explain.CVE(k.judged())); strings.Contains(got, "run their own code") != c.want {
			t.Errorf("%s:\n%s", c.name, got)
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	evil := "\x1b[31mred\x00 \u202egnp.exe\u2028<script>alert(1)</script> “quoted” {id} ⟨what⟩ " + strings.Repeat("long ", 5000) + "\xff\xfe"
	k := record("CVE-2024-1000", "", evil, "CWE-79", evil).scored(byNVD, 9, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U"+all3+evil).
		kev("2024-01-01", evil, evil, evil, evil, true).exploit(evil, evil, "", true).exploit("metasploit", evil, "", true).affects("a:"+evil+":"+evil, evil, "<"+evil)
	k.in.Record.Ratings = []cve.Rating{{Level: evil, Source: evil}}
	k.in.Record.ExploitedBy = []string{evil}
	k.in.Weaknesses = map[string]intel.Weakness{evil: {Name: evil}}
	sound(t, k.judged())
	got := text(explain.CVE(k.judged()))
	if strings.Contains(got, "\x1b") || strings.Contains(got, "\u202e") || len(got) > 6000 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if strings.Count(got, "“") != strings.Count(got, "”") {
		t.Errorf("a quotation ends elsewhere: %s", got)
	}
}

func TestNumbersAreRoundedAsPeopleReadThem(t *testing.T) {
	for _, c := range []struct {
		score, percentile float64
		want              string
	}{
		{0.97565, 0.99996, "98 %, more than for 99.9 % of"},
		{0.0321, 0.85999, "3.2 %, more than for 85 % of"},
		{0.00043, 0.08, "0.04 %, more than for 8 % of"},
		{0.00001, 0.001, "under 0.01 %."},
		{0.00996, 0.99, "1 %, more than for 99 % of"},
		{1, 1, "100 %, more than for 99.9 % of"},
	} {
		got := text(explain.CVE(record("CVE-2024-1000", "", "A flaw.").epss("2021-11-03", c.score, c.percentile).judged()))
		if !strings.Contains(got, "the EPSS forecast of 3 November 2021 puts the chance of attacks within 30 days at "+c.want) {
			t.Errorf("%v:\n%s", c, got)
		}
	}
}

func TestVersionsToUpdateToAreOnlyNamedWhenNothingBehindThemIsAffected(t *testing.T) {
	for _, c := range []struct {
		versions []string
		want     string
	}{
		{[]string{"<2.4.51"}, "Update it to 2.4.51 or later"},
		{[]string{"1.0<1.0.9", "2.0<2.0.3"}, "Update it to the fixed version of its line (1.0.9 or 2.0.3) or later"},
		{[]string{"<2.4.51", "2.4.60"}, "No fixed version is recorded"},
		{[]string{"<2.4.51", "*"}, "No fixed version is recorded"},
		{[]string{"<2.4.51", "2.3"}, "Update it to 2.4.51 or later"},
		{[]string{"<=2.4.50"}, "No fixed version is recorded"},
		{[]string{"2.4.49"}, "No fixed version is recorded"},
	} {
		got := text(explain.CVE(record("CVE-2024-1000", "", "A flaw.").affects("a:apache:http_server", c.versions...).judged()))
		if !strings.Contains(got, c.want) {
			t.Errorf("%v: no %q in\n%s", c.versions, c.want, got)
		}
	}
}

func TestATitleThatWeMadeIsNotCalledThePublishers(t *testing.T) {
	k := record("CVE-2024-1000", "", "")
	k.in.Record.Title = "Something: made from facts, CVSS 9.8"
	if got := text(explain.CVE(k.judged())); strings.Contains(got, "made from facts") {
		t.Error(got)
	}
}

func TestAScoreWithoutAVectorIsAScore(t *testing.T) {
	k := record("CVE-2024-1000", "", "A flaw.")
	k.in.Record.Metrics = []cve.Metric{{Score: 9.8, Source: "house", Provider: cve.ProviderOther}}
	got := text(explain.CVE(k.judged()))
	if !strings.Contains(got, "It is rated critical, 9.8 of 10 (by another assessor)") || strings.Contains(got, "scored it yet") {
		t.Error(got)
	}
}

// TestEveryMessageIsUsedAndEveryKeyExists keeps the texts and the program together, for whoever adds a language.
func TestEveryMessageIsUsedAndEveryKeyExists(t *testing.T) {
	texts, err := os.ReadFile("english.txt")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && !strings.HasSuffix(f, "_test.go") {
			source.Write(b)
		}
	}
	have := map[string]bool{}
	for line := range strings.Lines(string(texts)) {
		keys, _, ok := strings.Cut(line, " = ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for _, key := range strings.Fields(keys) {
			if have[key] {
				t.Errorf("%s stands there twice", key)
			}
			have[key] = true
		}
	}
	for _, m := range regexp.MustCompile(`w\.(?:text|optional)\("([^"]+)"[,)]`).FindAllStringSubmatch(source.String(), -1) {
		if !have[m[1]] {
			t.Errorf("there is no message %s", m[1])
		}
	}
	for key := range have {
		used := strings.Contains(source.String(), `"`+key+`"`)
		for at := range key { // keys that are put together: "who." + …
			used = used || key[at] == '.' && strings.Contains(source.String(), `"`+key[:at+1]+`"`) || key[at] == '.' && strings.Contains(source.String(), `"`+key[:at]+`"`)
		}
		if !used && !strings.Contains(source.String(), `"`+key[strings.LastIndexByte(key, '.')+1:]+`"`) {
			t.Errorf("nothing says %s", key)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("CVE-2021-44228 is bad. It runs arbitrary code.", "cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "2.15.0", "CWE-502", "Apply updates", uint64(0xffff), 0.5)
	f.Add("** REJECT ** no", "cpe:2.3:o:a\\:b:c", "AV:N/AC:M/Au:S/C:P/I:N/A:C", "", "CWE-79", "end-of-life", uint64(1), -1.0)
	f.Add("“x”", "cpe:2.3:h::", "CVSS:4.0/AV:P/AC:L/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:H/SI:S/SA:N", "1", "CWE-0", "\x1b", uint64(0x5555), 1e300)
	f.Fuzz(func(t *testing.T, words, cpe, vector, version, cwe, action string, flags uint64, number float64) {
		has := func(bit int) bool { return flags&(1<<bit) != 0 }
		r := &cve.Record{ID: cve.NewID(2024, uint32(flags)), Description: words, CWEs: []string{cwe, "CWE-" + action}}
		if has(0) {
			r.Status = "Rejected"
		}
		for i := range int(flags >> 56 % 8) {
			r.Configurations = append(r.Configurations, cve.Node{Negate: has(9), Matches: []cve.CPEMatch{
				{Vulnerable: true, Criteria: cpe + strings.Repeat("x", i), EndExcluding: version}, {Vulnerable: has(1), Criteria: words, EndIncluding: version},
			}})
		}
		if has(2) {
			r.Metrics = []cve.Metric{{Version: version, Vector: vector, Score: number, Source: words, Provider: cve.Provider(action)}}
		}
		r.Title, r.Affected = action, []cve.Affected{{Vendor: words, Product: version}, {Product: action}}
		r.Origins = []cve.Origin{{Field: cve.FieldTitle}}
		r.Ratings, r.ExploitedBy = []cve.Rating{{Level: version, Source: words}}, []string{action}
		r.References = []cve.Reference{{Tags: []string{words, "Patch"}}}
		at := time.Unix(int64(flags), 0)
		facts := intel.Facts{}
		if has(3) {
			facts.KEV = &intel.KEV{Vendor: words, Product: version, Name: action, RequiredAction: action, Added: at, Ransomware: has(8)}
		}
		if has(4) {
			facts.EPSS = &intel.EPSS{Score: number, Percentile: number, Date: at}
		}
		if has(5) {
			facts.SSVC = &intel.SSVC{Exploitation: []string{"active", "poc", "none", words}[flags>>10%4], At: at}
		}
		for i := range int(flags >> 20 % 5) {
			facts.Exploits = append(facts.Exploits, intel.Exploit{
				Source: []string{"metasploit", "exploitdb", "nuclei", words}[i%4], Rank: words, Verified: has(i), Published: at,
			})
		}
		in := explain.Input{ID: r.ID, Record: r, Facts: facts, Loaded: everything, Weaknesses: map[string]intel.Weakness{cwe: {Name: words}}}
		in.Verdict = priority.Assess(priority.Input{Record: r, Facts: facts, Now: now})
		if has(6) {
			in.Name, in.Due = catalogue.DisplayName, at
		}
		if has(7) {
			in.Record, in.Loaded = nil, nil
		}
		sound(t, in)
	})
}
