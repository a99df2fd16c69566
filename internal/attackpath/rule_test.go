package attackpath

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// TestKnownCVEs are facts that everybody in the field knows: vectors, CWEs and products as published, words ours.
func TestKnownCVEs(t *testing.T) {
	for _, c := range []struct{ name, id, vectors, cwes, products, words, access, gain string }{
		{"Log4Shell", "CVE-2021-44228", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H AV:N/AC:M/Au:N/C:C/I:C/A:C", "CWE-20 CWE-400 CWE-502 CWE-917", "a:apache:log4j o:siemens:6bk1602_firmware", "whoever controls log messages executes arbitrary code loaded from LDAP servers", "N 0 n", "s"},
		{"EternalBlue", "CVE-2017-0144", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H AV:N/AC:M/Au:N/C:C/I:C/A:C", "", "o:microsoft:server_message_block o:microsoft:windows_7", "the SMBv1 server in Windows allows remote attackers to execute arbitrary code via crafted packets", "N 0 n", "r"},
		{"BlueKeep", "CVE-2019-0708", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-416", "o:microsoft:windows_7", "remote desktop: an unauthenticated attacker sends crafted requests, remote code execution", "N 0 n", "r"},
		{"Dirty COW", "CVE-2016-5195", "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H AV:L/AC:L/Au:N/C:C/I:C/A:C", "CWE-362", "o:linux:linux_kernel", "a race in memory handling lets local users gain privileges", "L u n", "r"},
		{"PwnKit", "CVE-2021-4034", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CWE-787 CWE-125", "a:polkit_project:polkit", "local privilege escalation in a setuid tool: unprivileged users get administrative rights", "L u n", "r"},
		{"Heartbleed", "CVE-2014-0160", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N AV:N/AC:L/Au:N/C:P/I:N/A:N", "CWE-125", "a:openssl:openssl", "remote attackers obtain sensitive information from process memory", "N 0 n", "f"},
		{"Heartbleed by CVSS 2 alone", "CVE-2014-0160", "AV:N/AC:L/Au:N/C:P/I:N/A:N", "CWE-119", "a:openssl:openssl", "remote attackers read private keys from process memory via crafted packets", "N 0 n", "f"},
		{"regreSSHion", "CVE-2024-6387", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-364 CWE-362", "a:openbsd:openssh", "a signal handler race in the server; an unauthenticated attacker may trigger it", "N 0 n", "s"},
		{"Citrix Bleed", "CVE-2023-4966", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "CWE-119", "a:citrix:netscaler_gateway", "sensitive information disclosure when configured as a gateway", "N 0 n", "f"},
		{"ProxyShell 1", "CVE-2021-34473", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-918", "a:microsoft:exchange_server", "Exchange Server remote code execution", "N 0 n", "s"},
		{"ProxyShell 2", "CVE-2021-34523", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-287", "a:microsoft:exchange_server", "Exchange Server elevation of privilege", "N 0 n", "p"},
		{"ProxyShell 3", "CVE-2021-31207", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "CWE-434", "a:microsoft:exchange_server", "Exchange Server security feature bypass", "N r n", "s"},
		{"PrintNightmare", "CVE-2021-34527", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CWE-269", "o:microsoft:windows_10 o:microsoft:windows_server_2019", "the print spooler does privileged file operations wrongly: run arbitrary code with SYSTEM privileges, remote code execution", "N u n", "r"},
		{"Zerologon", "CVE-2020-1472", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-330", "o:microsoft:windows_server_2019", "elevation of privilege when a Netlogon channel is established to a domain controller: domain administrator access", "N 0 n", "r"},
		{"Follina", "CVE-2022-30190", "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "CWE-610", "o:microsoft:windows_10", "remote code execution when MSDT is called with a URL from Word", "N 0 y", "u"},
		{"Shellshock", "CVE-2014-6271", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H AV:N/AC:L/Au:N/C:C/I:C/A:C", "CWE-78", "a:gnu:bash", "remote attackers execute arbitrary code via a crafted environment", "N 0 n", "s"},
		{"Ghostcat", "CVE-2020-1938", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-269", "a:apache:tomcat", "AJP connections are trusted: arbitrary files are returned, or run as JSP, remote code execution where uploads are possible", "N 0 n", "s"},
		{"Apache 2.4.49", "CVE-2021-41773", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "CWE-22", "a:apache:http_server", "path traversal maps URLs to files outside the root; with CGI scripts enabled it could allow for remote code execution", "N 0 n", "f"},
		{"Spring4Shell", "CVE-2022-22965", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-94", "a:vmware:spring_framework", "remote code execution via data binding", "N 0 n", "s"},
		{"BIG-IP iControl", "CVE-2022-1388", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-306", "a:f5:big-ip_access_policy_manager", "undisclosed requests may bypass iControl REST authentication", "N 0 n", "p"},
		{"FortiOS heap overflow", "CVE-2022-42475", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-787", "o:fortinet:fortios", "heap overflow in the VPN: a remote unauthenticated attacker executes arbitrary code or commands", "N 0 n", "r"},
		{"Cisco IOS XE", "CVE-2023-20198", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-420", "o:cisco:ios_xe", "an attacker issues a privilege 15 command to create a local user", "N 0 n", "r"},
		{"sudo Baron Samedit", "CVE-2021-3156", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CWE-193", "a:sudo_project:sudo", "off-by-one: privilege escalation to root", "L u n", "r"},
		{"Samba is_known_pipename", "CVE-2017-7494", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-94", "a:samba:samba", "a client uploads a library to a writable share and has the server execute it", "N 0 n", "s"},
		{"cross-site scripting", "CVE-2020-11022", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "CWE-79", "a:jquery:jquery", "HTML from untrusted sources may execute untrusted code", "*", "-"},
		{"denial of service", "CVE-2023-44487", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CWE-400", "a:ietf:http", "HTTP/2 allows a denial of service by resetting streams", "*", "-"},
		{"physical access", "CVE-2020-0000", "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-787", "h:x:y", "crafted USB device", "*", "-"},
		{"SQL injection", "CVE-2023-0000", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-89", "a:x:shop", "SQL injection via the id parameter", "N 0 n", "p"},
		{"built-in password", "CVE-2022-0000", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-798", "o:x:camera_firmware", "hard-coded credentials of an administrator", "N 0 n", "l"},
		{"Confluence's built-in user", "CVE-2022-26138", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-798", "a:atlassian:questions_for_confluence", "a user with a hardcoded password: a remote attacker logs in with it", "N 0 n", "p"},
		{"who has an account", "CVE-2016-6210", "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", "CWE-200", "a:openbsd:openssh", "a static password is hashed another way when the user does not exist, so that remote attackers enumerate users by timing", "N 0 n", "f-"},
		{"an account of the database", "CVE-2024-10979", "", "", "a:postgresql:postgresql", "over the network, lets an unprivileged database user change environment variables, which often suffices to execute arbitrary code", "N u n", "s"},
		{"an owner in the database", "CVE-2026-14677", "", "", "a:postgresql:postgresql", "a remote attack: allows an object creator to write out of bounds, which may execute arbitrary code on the server", "N u n", "s"},
		{"the superuser of another server", "CVE-2025-8714", "", "", "a:postgresql:postgresql", "over the network, lets a malicious superuser of the origin server inject arbitrary code", "N r n", "s"},
		{"built-in login of a remote shell", "CVE-2022-0001", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-798", "a:x:dropbear_ssh", "a hard-coded account", "N 0 n", "l"},
		{"CVSS 4", "CVE-2024-0012", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:L/SI:N/SA:N", "CWE-306", "o:paloaltonetworks:pan-os", "authentication bypass: an unauthenticated attacker gains administrator privileges on the device", "N 0 n", "r"},
		{"CVSS 4 with a passive user", "CVE-2024-1111", "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "CWE-416", "a:x:viewer", "use after free", "N 0 y", "u"},
		{"no vector, clear words", "CVE-2025-1111", "", "", "", "An unauthenticated remote attacker can execute arbitrary commands as root", "N 0 n", "r"},
		{"no vector, local", "CVE-2025-1112", "", "", "", "Windows task scheduler elevation of privilege vulnerability", "L u n", "r"},
		{"no vector, no words", "CVE-2025-1113", "", "", "", "A flaw was found in the parser.", "*", "-"},
		{"the account that runs the server is not SYSTEM", "CVE-2026-14662", "", "", "a:postgresql:postgresql", "over the network, lets an unprivileged database user execute arbitrary code as the operating system user running the database", "N u n", "s"},
		{"the system account is SYSTEM", "CVE-2026-0001", "", "", "a:x:agent", "a remote attacker executes arbitrary code as the local system account", "N 0 n", "r"},
		{"code beside SQL", "CVE-2026-6637", "", "", "a:postgresql:postgresql", "Stack buffer overflow allows an unprivileged database user to execute arbitrary code. In another setting SQL injection is possible.", "N u n", "s"},
		{"a client that gives no password", "CVE-2025-21605", "", "", "a:redis:redis", "An unauthenticated client makes output buffers grow, also where no password is provided: denial of service", "*", "-"},
		{"files could be uploaded", "CVE-2025-55752", "", "", "a:apache:tomcat", "malicious files could be uploaded, leading to remote code execution", "N 0 n", "s"},
		{"constraints of a servlet container", "CVE-2025-31651", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "", "a:apache:tomcat", "A crafted request passes rewrite rules. If those enforced security constraints, those constraints could be bypassed.", "N 0 n", "p"},
		{"passwords are read", "CVE-2017-7547", "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "", "a:postgresql:postgresql", "authenticated attackers retrieve passwords from user mappings", "N u n", "f"},
		{"a man in the middle", "CVE-2018-1139", "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-522", "a:samba:samba", "A man-in-the-middle attacker reads credentials", "A 0 n", "p"},
		{"kernel commit", "CVE-2024-1114", "", "", "", "In the Linux kernel, the following vulnerability has been resolved: fix memory leak in probe", "*", "-"},
		{"denied words", "CVE-2025-1115", "", "", "", "A remote attacker can cause a denial of service. It does not allow arbitrary code execution.", "*", "-"},
	} {
		f := flawed(c.id, c.vectors, c.cwes, c.products, c.words)
		l := label{flaw: f, access: c.access, gain: c.gain}
		if e := EffectOf(f); !l.agrees(e) {
			t.Errorf("%s: want %s %s; got reach %v, needs %v, lures %v, gain %v: %s", c.name, c.access, c.gain, e.Reach, e.Needs, e.Lures, e.Gain, strings.Join(e.Why, "; "))
		}
	}
}

func TestAnExploitOfMetasploitRunsCode(t *testing.T) {
	f := flawed("CVE-2015-3306", "AV:N/AC:L/Au:N/C:C/I:C/A:C", "CWE-284", "a:proftpd:proftpd", "remote attackers read and write arbitrary files by commands of mod_copy")
	if e := EffectOf(f); e.Gain != AppAdmin {
		t.Errorf("without a module: %v", e.Gain)
	}
	f.Exploits = []intel.Exploit{{Source: "metasploit", Kind: "auxiliary"}}
	if e := EffectOf(f); e.Gain != AppAdmin {
		t.Errorf("with an auxiliary module: %v", e.Gain)
	}
	f.Exploits[0].Kind = "exploit"
	if e := EffectOf(f); e.Gain != AsService || !strings.Contains(e.Why[0], "Metasploit") {
		t.Errorf("with an exploit: %+v", e)
	}
}

func TestChanceSaysWhereItComesFrom(t *testing.T) {
	code := flawed("CVE-2024-1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-78", "a:x:y", "")
	with := func(change func(*Flawed)) Flawed { f := code; change(&f); return f }
	vector := func(v string) func(*Flawed) {
		return func(f *Flawed) { *f = flawed("CVE-2024-1", v, "CWE-78", "a:x:y", "") }
	}
	for _, c := range []struct {
		name string
		flaw Flawed
		want float64
		why  string
	}{
		{"nothing known", code, 0.27, "no public exploit known"},
		{"exploited", with(func(f *Flawed) { f.Exploited = "KEV" }), 0.9, "says KEV"},
		{"Metasploit", with(func(f *Flawed) { f.Exploits = []intel.Exploit{{Source: "metasploit", Kind: "exploit"}} }), 0.9, "Metasploit"},
		{"public", with(func(f *Flawed) { f.Exploits = []intel.Exploit{{Source: "exploitdb", Kind: "remote"}} }), 0.72, "exploitdb"},
		{"public, says SSVC", with(func(f *Flawed) { f.Published = "CISA's SSVC" }), 0.72, "CISA's SSVC"},
		{"only stops", with(func(f *Flawed) { f.Exploits = []intel.Exploit{{Source: "exploitdb", Kind: "dos"}} }), 0.27, "no public exploit known"},
		{"medium", with(vector("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H")), 0.18, "medium"},
		{"hard by both", with(vector("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")), 0.06, "hard"},
		{"hard in 2", with(vector("AV:N/AC:H/Au:N/C:C/I:C/A:C")), 0.06, "hard"},
		{"lures", with(vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H")), 0.135, "somebody must open it"},
	} {
		e := EffectOf(c.flaw)
		if fmt.Sprintf("%.3f", e.P) != fmt.Sprintf("%.3f", c.want) || !strings.Contains(e.PWhy, c.why) {
			t.Errorf("%s: %.3f because %q, want %.3f because of %q", c.name, e.P, e.PWhy, c.want, c.why)
		}
	}
}

func TestWhoLookedAtItOverrulesTheRules(t *testing.T) {
	f := flawed("CVE-2025-1", "", "", "", "Installer mishandles links")
	if e := EffectOf(f); e.Gain != Nothing {
		t.Fatalf("without CTID: %v", e.Gain)
	}
	f.Mappings = []intel.Mapping{{Technique: "T1068", Kind: intel.MappingExploitation, Source: "ctid"}}
	e := EffectOf(f)
	if e.Gain != AsRoot || e.Reach != OnHost || e.Technique != "T1068" || e.TechniqueSource != "ctid" || !strings.Contains(e.Why[0], "CTID") {
		t.Errorf("%+v", e)
	}
	f.Mappings, f.Techniques = nil, []intel.TechniqueLink{{Technique: "T1190", Kind: intel.MappingExploitation, Source: "derived"}}
	if e := EffectOf(f); e.TechniqueSource != "derived" || e.Technique != "T1190" {
		t.Errorf("%+v", e)
	}
}

func TestNewestVectorOfTheBestSourceSpeaks(t *testing.T) {
	f := flawed("CVE-2025-1", "AV:L/AC:L/Au:N/C:C/I:C/A:C CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-78", "", "")
	f.Metrics = append(f.Metrics, cve.Metric{Version: "4.0", Vector: "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", Provider: cve.ProviderOther})
	for range 3 {
		if e := EffectOf(f); e.Reach != OverNetwork || e.Gain != AsService {
			t.Errorf("%+v", e)
		}
		f.Metrics = append(f.Metrics[1:], f.Metrics[0])
	}
	f.Metrics = []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U", Provider: cve.ProviderNVD}, {Version: "2.0", Vector: "AV:L/AC:L/Au:N/C:C/I:C/A:C", Provider: cve.ProviderNVD}}
	if e := EffectOf(f); e.Reach != OverNetwork || e.Gain != AsService {
		t.Errorf("the older one fills in the impacts only: %+v", e)
	}
}

func TestChecksWithoutACVE(t *testing.T) {
	for _, c := range []struct {
		weakness, title string
		want            Gain
	}{
		{"same:redis-without-password", "Redis Server No Password", AsService},
		{"nessus:100634", "Redis Server Unprotected by Password Authentication", AsService},
		{"nmap:ftp-anon", "Anonymous FTP login allowed", ReadsFiles},
		{"nessus:19782", "FTP Writable Directories", WritesFiles},
		{"openvas:1.3.6.1.4.1.25623.1.0.900600", "Anonymous FTP Login Reporting", ReadsFiles},
		{"nmap:http-default-accounts", "Apache Tomcat default credentials", AppAdmin},
		{"nessus:34970", "Apache Tomcat Manager Common Administrative Credentials", AsService},
		{"nuclei:tomcat-default-login:", "Apache Tomcat Manager Default Login", AsService},
		{"nuclei:grafana-default-login", "Grafana Default Login", AppAdmin},
		{"nmap:mysql-empty-password", "root account has empty password", AppAdmin},
		{"nessus:10481", "MySQL Unpassworded Account Check", AppAdmin},
		{"nessus:42411", "Microsoft Windows SMB Shares Unprivileged Access", ReadsFiles},
		{"nmap:ssh-brute", "Valid credentials", ALogin},
		{"openvas:1.3.6.1.4.1.25623.1.0.103239", "SSH Brute Force Logins With Default Credentials Reporting", ALogin},
		{"nessus:11255", "Default Password (root) for 'root' Account", AsRoot},
		{"openvas:1.3.6.1.4.1.25623.1.0.113766", "rlogin Passwordless Login", AsUser},
		{"nessus:26925", "VNC Server Unauthenticated Access", AsUser},
		{"nessus:19948", "X11 Server Unauthenticated Access", AsUser},
		{"nuclei:exposed-docker-api", "Docker API - Exposed", AsRoot},
		{"nessus:124029", "Docker Remote API Detection: unauthenticated", AsRoot},
		{"nessus:41028", "SNMP Agent Default Community Name (public)", ReadsFiles},
		{"nessus:10264", "SNMP Agent Default Community Names: private, writable", AppAdmin},
		{"nessus:15984", "NFS Share User Mountable", WritesFiles},
		{"nessus:0", "NFS export with no_root_squash", AsRoot},
		{"nessus:51988", "Bind Shell Backdoor Detection", AsRoot},
		{"same:mongodb-without-password", "MongoDB Service Without Authentication Detection", AppAdmin},
		{"nuclei:git-config", "Git Configuration - Detect", ReadsFiles},
		{"nuclei:tech-detect:nginx", "Wappalyzer Technology Detection", Nothing},
		{"nuclei:tomcat-panel", "Tomcat Manager Panel", Nothing},
		{"same:tls-certificate-self-signed", "SSL Self-Signed Certificate", Nothing},
		{"nikto:999103", "The X-Content-Type-Options header is not set", Nothing},
		{"nessus:10114", "ICMP Timestamp Request Remote Date Disclosure", Nothing},
		{"openvas:1.3.6.1.4.1.25623.1.0.108718", "Cleartext transmission", Nothing},
		{"nessus:11211", "Memcached without authentication", Nothing},
		{"nessus:1", "", Nothing},
	} {
		e := EffectOf(Flawed{Weakness: c.weakness, Title: c.title, Severity: "high"})
		if e.Gain != c.want || e.P <= 0 || len(e.Why) == 0 {
			t.Errorf("%s %q: %v, want %v: %s", c.weakness, c.title, e.Gain, c.want, strings.Join(e.Why, "; "))
		}
	}
}

func TestAWordOfSeverityIsNoWayIn(t *testing.T) {
	worst := []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Provider: cve.ProviderOther}}
	if e := EffectOf(Flawed{Weakness: "nessus:5", Title: "Unsupported system", Severity: "critical", Metrics: worst}); e.Gain != Nothing {
		t.Errorf("a tool's word alone: %v", e.Why)
	}
	if e := EffectOf(Flawed{Weakness: "zap:1", Title: "Remote OS command injection", Severity: "high"}); e.Gain != AsService || e.Reach != OverNetwork {
		t.Errorf("a title without a vector: %v %v %v", e.Gain, e.Reach, e.Why)
	}
	if e := EffectOf(Flawed{Weakness: "burp:1", Title: "OS command injection", Severity: "high", Metrics: worst, CWEs: []string{"CWE-78"}}); e.Gain != AsService {
		t.Errorf("a CWE: %v %v", e.Gain, e.Why)
	}
}

func TestTheTableOfChecksIsSound(t *testing.T) {
	rules, err := readChecks(checkText)
	if err != nil || len(rules) < 25 {
		t.Fatal(len(rules), err)
	}
	for _, r := range rules {
		if r.technique != "" && !intel.IsTechniqueID(r.technique) || r.why == "" || len(r.keys)+len(r.says) == 0 {
			t.Errorf("%+v", r)
		}
	}
	for _, bad := range []string{"a | b", "    keys x", "a | root | 2 | - | w", "a | king | 1 | - | w", "a | root | 1 | - | w\n    xx y", "a | root | 1 | - | w\n    says * y"} {
		if _, err := readChecks(bad); err == nil {
			t.Errorf("%q is not refused", bad)
		}
	}
}

func TestServicesRunAs(t *testing.T) {
	for _, c := range []struct {
		s    Service
		h    Host
		want Privilege
	}{
		{Service{Port: 22, Name: "ssh", Product: "OpenSSH"}, Host{}, Root},
		{Service{Port: 445, Name: "microsoft-ds"}, Host{}, Root},
		{Service{Port: 445}, Host{}, Root},
		{Service{Port: 80, Name: "http", Product: "nginx"}, Host{}, User},
		{Service{Port: 8080, Name: "http", Product: "Apache Tomcat/Coyote JSP engine"}, Host{}, User},
		{Service{Port: 3306, Name: "mysql", Product: "MySQL"}, Host{}, User},
		{Service{Port: 53, Name: "domain", Product: "ISC BIND"}, Host{}, User},
		{Service{Port: 111, Name: "rpcbind"}, Host{}, Root},
		{Service{Port: 25, Name: "smtp", Product: "Exim smtpd"}, Host{}, Root},
		{Service{Port: 25, Name: "smtp", Product: "Postfix smtpd"}, Host{}, User},
		{Service{Port: 9999}, Host{}, User},
		{Service{Port: 9999}, Host{CPEs: []string{"cpe:2.3:h:cisco:rv340:-:*:*:*:*:*:*:*"}}, Root},
	} {
		if got, why := RunsAs(c.s, c.h); got != c.want || why == "" {
			t.Errorf("%+v: %v (%s), want %v", c.s, got, why, c.want)
		}
	}
}

func TestLoginServices(t *testing.T) {
	for _, c := range []struct {
		s    Service
		want bool
	}{
		{Service{Protocol: "tcp", Port: 2222, Name: "ssh"}, true}, {Service{Protocol: "tcp", Port: 22}, true}, {Service{Protocol: "tcp", Port: 22, Name: "http"}, false},
		{Service{Protocol: "tcp", Port: 3389, Name: "ms-wbt-server"}, true}, {Service{Protocol: "udp", Port: 3389}, false},
		{Service{Protocol: "tcp", Port: 5985, Name: "wsman"}, true}, {Service{Protocol: "tcp", Port: 3306, Name: "mysql"}, false},
	} {
		if got, why := LoginService(c.s); got != c.want || why == "" {
			t.Errorf("%+v: %v (%s)", c.s, got, why)
		}
	}
}

func TestPeopleSitAtClientsOnly(t *testing.T) {
	office := PolicySet{Clients: []netip.Prefix{netip.MustParsePrefix("10.5.0.0/16")}}
	for _, c := range []struct {
		h    Host
		want bool
	}{
		{Host{OS: "Microsoft Windows 10 Pro"}, true}, {Host{OS: "Microsoft Windows Server 2019"}, false},
		{Host{OS: "Microsoft Windows 10 or Windows Server 2016"}, false}, {Host{OS: "Debian 12"}, false}, {Host{OS: "macOS 14"}, true},
		{Host{OS: "Debian 12", Tags: []string{"Workstation"}}, true}, {Host{OS: "Windows 11", Tags: []string{"server"}}, false},
		{Host{Addresses: []netip.Addr{netip.MustParseAddr("10.5.1.1")}}, true}, {Host{Addresses: []netip.Addr{netip.MustParseAddr("10.6.1.1")}}, false},
		{Host{CPEs: []string{"cpe:2.3:o:microsoft:windows_11_22h2:*:*:*:*:*:*:*:*"}}, true}, {Host{}, false},
	} {
		if got, why := IsClient(c.h, office); got != c.want || why == "" {
			t.Errorf("%+v: %v (%s)", c.h, got, why)
		}
	}
}

func TestHostileTextEndsSoon(t *testing.T) {
	long := strings.Repeat("execute arbitrary arbitrary arbitrary \xff\x00", 1<<16)
	f := Flawed{Weakness: "CVE-2025-1", Title: long, Description: long, Exploited: long, CWEs: slices.Repeat([]string{long}, 1000),
		Metrics: slices.Repeat([]cve.Metric{{Version: "9", Vector: long}}, 1000), Products: slices.Repeat([]cpe.Product{{}}, 1000),
		Mappings: slices.Repeat([]intel.Mapping{{Technique: long, Kind: intel.MappingExploitation}}, 1000), Severity: long}
	took := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			EffectOf(f)
		}
	}).NsPerOp()
	if took > 5e6 {
		t.Errorf("%d ns", took)
	}
	e := EffectOf(f)
	if len(e.PWhy) > 500 || e.P <= 0 || e.P > 1 {
		t.Errorf("%d bytes of why, chance %v", len(e.PWhy), e.P)
	}
	f.Weakness = "tool:" + long
	EffectOf(f)
	RunsAs(Service{Name: long, Product: long}, Host{OS: long, CPEs: []string{long}})
	IsClient(Host{OS: long, Tags: []string{long}}, PolicySet{})
}

func FuzzEffectOf(f *testing.F) {
	f.Add("CVE-2021-1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "CWE-79", "remote attackers execute arbitrary code")
	f.Add("nessus:1", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "", "Default Password (root) for 'root' Account")
	f.Fuzz(func(t *testing.T, weakness, vector, cwe, text string) {
		e := EffectOf(Flawed{Weakness: weakness, Title: text, Description: text, CWEs: []string{cwe}, Metrics: []cve.Metric{{Version: "3.1", Vector: vector}}})
		if e == nil || e.P <= 0 || e.P > 1 || len(e.Why) == 0 || e.Gain != Nothing && e.Reach == FromNowhere {
			t.Errorf("%+v", e)
		}
	})
}

func BenchmarkEffectOf(b *testing.B) {
	f := flawed("CVE-2021-44228", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H AV:N/AC:M/Au:N/C:C/I:C/A:C", "CWE-20 CWE-502", "a:apache:log4j",
		"Features used in configuration, log messages and parameters do not protect against attacker controlled endpoints. An attacker who can control log messages or their parameters can execute arbitrary code loaded from directory servers when message lookup substitution is enabled. From a later release on this behavior has been disabled by default, and in still later ones it has been removed completely. Note that this is specific to the core library and does not affect the others.")
	b.ReportAllocs()
	for b.Loop() {
		EffectOf(f)
	}
}
