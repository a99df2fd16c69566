package main

import "strings"

// The fixture estate: some 40 hosts of a small firm in four sites, looked at three times. Products, versions and what is
// wrong with them are true; the firm is not.

// rounds is how often the estate was scanned: long ago, a while ago, and just now.
const rounds = 3

// daysAgo is when each round was.
var daysAgo = [rounds]int{40, 12, 2}

// place is a site of the estate.
type place struct {
	name     string
	external bool
	rounds   [rounds]bool // in which it was scanned
}

var places = []place{
	{"office", false, [rounds]bool{true, false, true}},
	{"dmz", true, [rounds]bool{true, true, true}},
	{"servers", false, [rounds]bool{true, true, true}},
	{"branch", false, [rounds]bool{true, false, false}}, // nobody went there again
}

// machine is a host with what answered on it in each round.
type machine struct {
	site, address, name string
	system              string // as nmap guesses it
	answers             []answering
	since               int // the round in which it was first there
}

// answering is a port with the versions that were there in each round; "" in a round is closed, "?" open without a version.
type answering struct {
	port     int
	service  string
	product  string
	cpe      string // before the version: a:apache:http_server
	versions [rounds]string
}

func always(version string) [rounds]string { return [rounds]string{version, version, version} }

func ssh(version string) answering {
	return answering{22, "ssh", "OpenSSH", "a:openbsd:openssh", always(version)}
}

func web(port int, product, cpe string, versions ...string) answering {
	return on(port, "http", product, cpe, versions...)
}

// on is a service with one version for all rounds, or one for each.
func on(port int, service, product, cpe string, versions ...string) answering {
	a := answering{port: port, service: service, product: product, cpe: cpe}
	if len(versions) == 1 {
		a.versions = always(versions[0])
	} else {
		copy(a.versions[:], versions)
	}
	return a
}

// smb is file sharing, and windowsCalls what else each Windows answers.
func smb() answering { return on(445, "microsoft-ds", "", "", "?") }
func rdp() answering { return on(3389, "ms-wbt-server", "Microsoft Terminal Services", "", "?") }
func msrpc() answering {
	return on(135, "msrpc", "Microsoft Windows RPC", "", "?")
}
func jet() answering { return on(9100, "jetdirect", "", "", "?") }

const (
	httpd      = "a:apache:http_server"
	nginx      = "a:f5:nginx"
	tomcat     = "a:apache:tomcat"
	postgres   = "a:postgresql:postgresql"
	iis        = "a:microsoft:internet_information_services"
	linux      = "Linux 5.4"
	windows10  = "Microsoft Windows 10 1909"
	windows7   = "Microsoft Windows 7 SP1"
	server2016 = "Microsoft Windows Server 2016"
	server2019 = "Microsoft Windows Server 2019"
)

var machines = []machine{
	// dmz
	{"dmz", "203.0.113.10", "www1.example.org", linux, []answering{ssh("9.9"), web(80, "Apache httpd", httpd, "2.4.49", "2.4.62", "2.4.49"), web(443, "Apache httpd", httpd, "2.4.49", "2.4.62", "2.4.49")}, 0},
	{"dmz", "203.0.113.11", "www2.example.org", linux, []answering{ssh("8.0"), web(80, "nginx", nginx, "1.16.1", "1.16.1", "1.27.4")}, 0},
	{"dmz", "203.0.113.12", "shop.example.org", linux, []answering{web(443, "nginx", nginx, "1.18.0"), web(8080, "Apache Tomcat", tomcat, "9.0.30")}, 0},
	{"dmz", "203.0.113.13", "blog.example.org", linux, []answering{web(80, "Apache httpd", httpd, "2.4.29"), web(8443, "WordPress", "a:wordpress:wordpress", "5.0", "5.0", "5.0")}, 0},
	{"dmz", "203.0.113.14", "ftp.example.org", linux, []answering{on(21, "ftp", "vsftpd", "a:vsftpd_project:vsftpd", "2.3.4", "2.3.4", "3.0.5")}, 0},
	{"dmz", "203.0.113.15", "mail.example.org", server2016, []answering{on(25, "smtp", "Microsoft Exchange smtpd", "", "?"), web(443, "Microsoft IIS httpd", iis, "10.0"), rdp()}, 0},
	{"dmz", "203.0.113.16", "vpn.example.org", "FortiOS", []answering{web(10443, "Fortinet FortiGate SSL VPN", "", "?")}, 0},
	{"dmz", "203.0.113.17", "ns1.example.org", linux, []answering{on(53, "domain", "ISC BIND", "a:isc:bind", "9.11.3"), ssh("9.6")}, 0},
	{"dmz", "203.0.113.18", "relay.example.org", linux, []answering{on(25, "smtp", "Exim smtpd", "a:exim:exim", "4.87", "4.87", "4.98")}, 0},
	{"dmz", "203.0.113.19", "api.example.org", linux, []answering{web(443, "nginx", nginx, "", "", "1.20.0"), ssh("9.6")}, 2},

	// servers
	{"servers", "10.20.0.5", "db1.corp.example.org", linux, []answering{ssh("9.6"), on(5432, "postgresql", "PostgreSQL DB", postgres, "9.6.1")}, 0},
	{"servers", "10.20.0.6", "db2.corp.example.org", linux, []answering{ssh("9.9"), on(5432, "postgresql", "PostgreSQL DB", postgres, "12.2", "16.8", "16.8")}, 0},
	{"servers", "10.20.0.7", "db3.corp.example.org", linux, []answering{ssh("7.4"), on(3306, "mysql", "MySQL", "a:oracle:mysql", "5.7.20")}, 0},
	{"servers", "10.20.0.8", "cache1.corp.example.org", linux, []answering{on(6379, "redis", "Redis key-value store", "a:redis:redis", "5.0.3")}, 0},
	{"servers", "10.20.0.9", "cache2.corp.example.org", linux, []answering{on(6379, "redis", "Redis key-value store", "a:redis:redis", "6.2.6", "6.2.6", ""), on(11211, "memcached", "Memcached", "a:memcached:memcached", "1.4.31")}, 0},
	{"servers", "10.20.0.10", "wiki.corp.example.org", linux, []answering{web(8090, "Atlassian Confluence", "a:atlassian:confluence_server", "7.13.0"), ssh("9.6")}, 0},
	{"servers", "10.20.0.11", "app1.corp.example.org", linux, []answering{web(8080, "Apache Tomcat", tomcat, "9.0.30", "9.0.30", "9.0.105"), on(8009, "ajp13", "Apache Jserv", "", "?")}, 0},
	{"servers", "10.20.0.12", "app2.corp.example.org", linux, []answering{ssh("8.0"), web(8983, "Apache Solr", "a:apache:solr", "8.3.0")}, 0},
	{"servers", "10.20.0.13", "build.corp.example.org", linux, []answering{web(8080, "Jenkins", "a:jenkins:jenkins", "2.441"), ssh("9.6")}, 0},
	{"servers", "10.20.0.14", "search.corp.example.org", linux, []answering{web(9200, "Elasticsearch REST API", "a:elastic:elasticsearch", "1.4.2")}, 0},
	{"servers", "10.20.0.15", "files.corp.example.org", linux, []answering{on(445, "netbios-ssn", "Samba smbd", "a:samba:samba", "4.5.8"), ssh("7.4")}, 0},
	{"servers", "10.20.0.16", "dc1.corp.example.org", server2016, []answering{on(53, "domain", "Simple DNS Plus", "", "?"), msrpc(), on(389, "ldap", "Microsoft Windows Active Directory LDAP", "", "?"), smb()}, 0},
	{"servers", "10.20.0.17", "dc2.corp.example.org", server2019, []answering{msrpc(), on(389, "ldap", "Microsoft Windows Active Directory LDAP", "", "?"), smb()}, 0},
	{"servers", "10.20.0.18", "erp.corp.example.org", server2019, []answering{smb(), rdp(), on(1433, "ms-sql-s", "Microsoft SQL Server", "", "?")}, 0},
	{"servers", "10.20.0.19", "legacy.corp.example.org", windows7, []answering{smb(), rdp()}, 0},
	{"servers", "10.20.0.20", "mq.corp.example.org", linux, []answering{on(61616, "apachemq", "Apache ActiveMQ", "a:apache:activemq", "5.15.9")}, 0},
	{"servers", "10.20.0.21", "mon.corp.example.org", linux, []answering{web(3000, "Grafana", "a:grafana:grafana", "8.0.0", "8.0.0", "11.5.2"), ssh("9.9")}, 0},
	{"servers", "10.20.0.22", "new1.corp.example.org", linux, []answering{web(80, "Apache httpd", httpd, "", "", "2.4.50")}, 2},

	// office
	{"office", "10.10.0.10", "nas.office.example.org", linux, []answering{on(445, "netbios-ssn", "Samba smbd", "a:samba:samba", "4.5.8"), web(80, "nginx", nginx, "1.18.0")}, 0},
	{"office", "10.10.0.21", "pc-anna.office.example.org", windows10, []answering{msrpc(), smb(), rdp()}, 0},
	{"office", "10.10.0.22", "pc-bert.office.example.org", windows10, []answering{msrpc(), smb()}, 0},
	{"office", "10.10.0.23", "pc-carla.office.example.org", windows7, []answering{msrpc(), smb(), rdp()}, 0},
	{"office", "10.10.0.24", "pc-dora.office.example.org", windows10, []answering{msrpc(), smb()}, 0},
	{"office", "10.10.0.50", "ci-runner.office.example.org", linux, []answering{ssh("9.6"), web(8080, "lighttpd", "a:lighttpd:lighttpd", "1.4.35")}, 0},
	{"office", "10.10.0.200", "printer1.office.example.org", "HP LaserJet", []answering{jet(), web(80, "HP HTTP Server", "", "?")}, 0},
	{"office", "10.10.0.201", "printer2.office.example.org", "HP LaserJet", []answering{jet(), on(631, "ipp", "CUPS", "a:openprinting:cups", "2.2.7")}, 0},

	// branch
	{"branch", "10.30.0.1", "gw.branch.example.org", linux, []answering{on(53, "domain", "dnsmasq", "a:thekelleys:dnsmasq", "2.76"), on(23, "telnet", "", "", "?")}, 0},
	{"branch", "10.30.0.10", "pos1.branch.example.org", windows7, []answering{smb(), rdp()}, 0},
	{"branch", "10.30.0.11", "pos2.branch.example.org", windows7, []answering{smb()}, 0},
	{"branch", "10.30.0.20", "cam1.branch.example.org", linux, []answering{web(80, "GoAhead WebServer", "a:embedthis:goahead", "3.6.4"), on(554, "rtsp", "", "", "?")}, 0},
	{"branch", "10.30.0.30", "files.branch.example.org", linux, []answering{on(21, "ftp", "ProFTPD", "a:proftpd:proftpd", "1.3.5"), ssh("7.4")}, 0},
}

// systemCPE is the operating system as nmap would name it.
var systemCPE = map[string]string{
	linux:      "cpe:/o:linux:linux_kernel:5.4",
	windows10:  "cpe:/o:microsoft:windows_10:1909",
	windows7:   "cpe:/o:microsoft:windows_7::sp1",
	server2016: "cpe:/o:microsoft:windows_server_2016",
	server2019: "cpe:/o:microsoft:windows_server_2019",
	"FortiOS":  "cpe:/o:fortinet:fortios",
}

// vendorOf is who makes an operating system, as nmap puts it.
func vendorOf(system string) string { return strings.Fields(system)[0] }

// silentHost is scanned and never answers; nobody ever scanned unknownHost.
const (
	silentHost  = "10.20.0.99"
	unknownHost = "10.20.0.250"
)

// claim is what a tool that checks says of a host, in one of its reports.
type claim struct {
	address string
	port    int
	key     string // of the check: plugin, OID, template, Nikto's id
	title   string
	level   string // critical, high, medium, low, info
	vector  string
	cves    []string
	output  string
	path    string
	remedy  string
}

const (
	remote  = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	readAll = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
	small   = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N"
	harder  = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
)

// nessusClaims are of the servers, eight days ago.
var nessusClaims = []claim{
	{"10.20.0.16", 445, "140657", "Microsoft Netlogon Elevation of Privilege (Zerologon)", "critical", remote, []string{"CVE-2020-1472"}, "The remote domain controller accepted a session without a key.", "", "Install the update of August 2020."},
	{"10.20.0.19", 445, "97833", "MS17-010: Security Update for Microsoft Windows SMB Server", "high", harder, []string{"CVE-2017-0143", "CVE-2017-0144"}, "Sent: trans2\nReceived: STATUS_INSUFF_SERVER_RESOURCES", "", "Microsoft has released a set of patches for Windows 7."},
	{"10.20.0.19", 3389, "125313", "Microsoft RDP RCE (CVE-2019-0708) (BlueKeep)", "critical", remote, []string{"CVE-2019-0708"}, "", "", "Microsoft has released a patch for Windows 7."},
	{"10.20.0.18", 3389, "57582", "SSL Self-Signed Certificate", "medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", nil, "The certificate is its own issuer.", "", "Purchase or generate a proper certificate."},
	{"10.20.0.17", 445, "57608", "SMB Signing not required", "medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", nil, "", "", "Enforce message signing."},
	{"10.20.0.16", 445, "57608", "SMB Signing not required", "medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", nil, "", "", "Enforce message signing."},
	{"10.20.0.18", 1433, "10673", "Microsoft SQL Server sa Account Default Blank Password", "critical", remote, nil, "The account sa has no password.", "", "Set a password for the account."},
}

// openvasClaims are of the branch, forty days ago.
var openvasClaims = []claim{
	{"10.30.0.10", 445, "1.3.6.1.4.1.25623.1.0.810676", "Microsoft Windows SMB Server Multiple Vulnerabilities-Remote (4013389)", "high", harder, []string{"CVE-2017-0144"}, "", "", "The vendor has released updates."},
	{"10.30.0.10", 3389, "1.3.6.1.4.1.25623.1.0.108611", "Microsoft Windows Remote Desktop Services Remote Code Execution Vulnerability (BlueKeep)", "critical", remote, []string{"CVE-2019-0708"}, "", "", "The vendor has released updates."},
	{"10.30.0.1", 23, "1.3.6.1.4.1.25623.1.0.108522", "Telnet Unencrypted Cleartext Login", "medium", "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", nil, "", "", "Replace Telnet with a protocol like SSH."},
	{"10.30.0.30", 21, "1.3.6.1.4.1.25623.1.0.108528", "FTP Unencrypted Cleartext Login", "medium", "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", nil, "", "", "Enable FTPS."},
	{"10.30.0.11", 445, "1.3.6.1.4.1.25623.1.0.801991", "Microsoft Windows SMB/NETBIOS NULL Session Authentication Bypass", "medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", nil, "", "", "Restrict anonymous access."},
}

// nucleiClaims are of the dmz, two days ago.
var nucleiClaims = []claim{
	{"203.0.113.16", 10443, "CVE-2018-13379", "Fortinet FortiOS - Credentials Disclosure", "critical", readAll, []string{"CVE-2018-13379"}, "var fgt_lang", "/remote/fgt_lang?lang=/../../../..//////////dev/cmdb/sslvpn_websession", "Update FortiOS to 6.0.5 or newer."},
	{"203.0.113.15", 443, "CVE-2021-26855", "Microsoft Exchange Server SSRF Vulnerability", "critical", remote, []string{"CVE-2021-26855"}, "X-CalculatedBETarget: localhost", "/owa/auth/x.js", "Apply the appropriate security update."},
	{"203.0.113.10", 443, "CVE-2021-41773", "Apache 2.4.49 - Path Traversal and Remote Code Execution", "high", readAll, []string{"CVE-2021-41773"}, "root:x:0:0", "/icons/.%2e/%2e%2e/%2e%2e/etc/passwd", "Upgrade to 2.4.51 or newer."},
	{"203.0.113.12", 8080, "tomcat-default-login", "Apache Tomcat Manager Default Login", "high", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:L", nil, "", "/manager/html", "Change the password."},
	{"203.0.113.13", 80, "git-config", "Git Configuration - Detect", "medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", nil, "[core]", "/.git/config", ""},
}

// niktoClaims are of the blog, two days ago.
var niktoClaims = []claim{
	{"203.0.113.13", 80, "999103", "The X-Content-Type-Options header is not set.", "low", "", nil, "", "/", ""},
	{"203.0.113.13", 80, "001675", "/wp-login.php: Wordpress login found.", "info", "", nil, "", "/wp-login.php", ""},
	{"203.0.113.13", 80, "000725", "/config/: Directory indexing found.", "low", "", nil, "", "/config/", ""},
}

// parts of the bill of materials of app2.
var billOfMaterials = [][2]string{
	{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "log4j-core"},
	{"pkg:maven/org.springframework/spring-beans@5.3.17", "spring-beans"},
	{"pkg:maven/org.apache.commons/commons-text@1.9", "commons-text"},
}

const policyFile = `rules:
  - {from: internet, to: "site:dmz", ports: [tcp/25, tcp/80, tcp/443, tcp/8080, tcp/8443, tcp/10443], action: allow, note: the published services}
  - {from: internet, to: any, action: deny, note: nothing else from outside}
  - {from: "site:dmz", to: "site:servers", ports: [tcp/5432, tcp/8080, tcp/8090], action: allow, note: the shop and its database}
  - {from: "site:dmz", to: any, action: deny}
  - {from: "site:office", to: "site:servers", action: allow}
  - {from: "site:branch", to: "site:servers", ports: [tcp/445], action: allow, note: files}
  - {from: "site:branch", to: any, action: deny}
`
