package attackpath

import (
	"fmt"
	"strings"
)

// RunsAs says as what a service runs where nobody changed how it comes, and why we think so. What is not known is taken to
// run as a user: too little rather than too much.
func RunsAs(s Service, h Host) (Privilege, string) {
	name, product := strings.ToLower(shorten(s.Name, 100)), strings.ToLower(shorten(s.Product, 100))
	for i := range masters {
		if m := &masters[i]; m.is(name, product, s.Port) {
			return m.as, m.why
		}
	}
	if why, device := isDevice(h); device {
		return Root, why
	}
	return User, "nothing is known of what it runs as, so a user"
}

// master is a kind of service with what its master process, or the one that talks to clients, runs as.
type master struct {
	products []string // words in the product's name, in lower case
	names    []string // services as nmap names them
	ports    []uint16 // where neither is known
	as       Privilege
	why      string
}

// masters are asked in their order, so that a product speaks before a name, and both before a port.
var masters = []master{
	{products: []string{"nginx", "apache httpd", "lighttpd", "caddy", "haproxy", "varnish", "squid", "apache http server"},
		as: User, why: "web servers and proxies answer in workers without privileges"},
	{products: []string{"microsoft iis", "iis httpd", "microsoft httpapi"},
		as: User, why: "IIS answers in worker processes of an application pool"},
	{products: []string{"tomcat", "jetty", "jboss", "wildfly", "weblogic", "websphere", "glassfish", "coyote", "node.js", "gunicorn", "uvicorn", "werkzeug", "puma", "php-fpm", "php cli"},
		as: User, why: "application servers come with an account of their own"},
	{products: []string{"mysql", "mariadb", "postgres", "redis", "valkey", "mongo", "elasticsearch", "opensearch", "couchdb", "cassandra", "memcached", "influxdb", "oracle tns", "db2", "sybase", "sql server", "neo4j", "clickhouse", "solr", "kibana", "grafana", "prometheus"},
		as: User, why: "databases come with an account of their own"},
	{products: []string{"vsftpd", "pure-ftpd", "proftpd", "wu-ftpd", "microsoft ftpd", "filezilla"},
		as: Root, why: "FTP servers keep a process of root's to change accounts"},
	{products: []string{"openssh", "dropbear", "tectia", "bitvise", "wolfssh", "libssh"},
		as: Root, why: "SSH servers run as root to start sessions"},
	{products: []string{"samba", "microsoft-ds", "windows smb", "netbios"},
		as: Root, why: "SMB servers run as root, on Windows in the kernel"},
	{products: []string{"exim", "sendmail", "exchange", "mdaemon", "hmailserver", "qmail smtpd"},
		as: Root, why: "this mail server keeps root's privileges, or SYSTEM's, to deliver"},
	{products: []string{"postfix", "opensmtpd", "haraka"},
		as: User, why: "this mail server answers in processes without privileges"},
	{products: []string{"dovecot", "cyrus", "courier"},
		as: User, why: "mail boxes are served by processes without privileges"},
	{products: []string{"cups", "ipp"}, as: Root, why: "the print scheduler runs as root"},
	{products: []string{"net-snmp", "snmpd"}, as: Root, why: "the SNMP agent runs as root where it comes from its makers"},
	{products: []string{"bind", "unbound", "dnsmasq", "powerdns", "nsd"}, as: User, why: "name servers give up root once they listen"},
	{products: []string{"microsoft dns"}, as: Root, why: "Windows' DNS server runs as SYSTEM"},
	{products: []string{"docker", "containerd", "kubelet", "cockpit", "webmin", "usermin", "ajenti", "plesk", "cpanel", "proxmox", "vmware", "esxi", "salt", "ansible", "veeam", "fortigate", "fortios", "pan-os", "ivanti", "pulse secure", "citrix", "netscaler", "big-ip", "sonicwall", "watchguard", "mikrotik", "routeros", "synology", "qnap", "idrac", "ilo ", "integrated lights-out", "supermicro"},
		as: Root, why: "it manages a whole system, as its root"},
	{products: []string{"splunk", "jenkins", "gitlab", "jira", "confluence", "teamcity", "nexus", "wordpress", "drupal", "joomla", "zabbix"},
		as: User, why: "this application comes with an account of its own"},
	{products: []string{"remote desktop", "terminal services", "xrdp", "microsoft terminal"}, as: Root, why: "remote desktop runs as SYSTEM, or root"},
	{products: []string{"vnc", "teamviewer", "anydesk"}, as: User, why: "the shared desktop belongs to the person at it"},

	{names: []string{"ssh"}, as: Root, why: "SSH servers run as root to start sessions"},
	{names: []string{"microsoft-ds", "netbios-ssn", "smb"}, as: Root, why: "SMB servers run as root, on Windows in the kernel"},
	{names: []string{"msrpc", "epmap", "kerberos-sec", "kpasswd5", "ldap", "ldaps", "globalcatldap", "globalcatldapssl", "adws"},
		as: Root, why: "services of Windows and of its domain run as SYSTEM"},
	{names: []string{"ms-wbt-server", "rdp"}, as: Root, why: "remote desktop runs as SYSTEM"},
	{names: []string{"wsman", "winrm"}, as: Root, why: "remote management runs with an administrator's rights"},
	{names: []string{"telnet", "login", "shell", "exec", "rlogin", "rsh", "rexec"}, as: Root, why: "servers that start sessions run as root"},
	{names: []string{"rpcbind", "mountd", "nfs", "nfsd", "nfs_acl", "nlockmgr", "status", "ypbind", "ypserv", "rusersd", "sunrpc"},
		as: Root, why: "NFS and RPC run as root, or in the kernel"},
	{names: []string{"snmp"}, as: Root, why: "the SNMP agent runs as root where it comes from its makers"},
	{names: []string{"ipp", "printer", "jetdirect", "lpd"}, as: Root, why: "print services run as root"},
	{names: []string{"ftp", "ftps"}, as: Root, why: "FTP servers keep a process of root's to change accounts"},
	{names: []string{"isakmp", "ike", "l2tp", "pptp", "openvpn", "ipsec-nat-t", "wireguard"}, as: Root, why: "VPN servers change the system's network and run as root"},
	{names: []string{"dhcps", "dhcpc", "tftp", "ntp", "bgp", "zebra"}, as: Root, why: "it needs the system's own rights"},
	{names: []string{"docker", "kubelet", "iscsi", "iscsi-target", "ipmi", "asf-rmcp", "cisco-smi", "x11-fs"}, as: Root, why: "it manages a whole system, as its root"},
	{names: []string{"http", "https", "http-proxy", "http-alt", "https-alt", "ajp13", "www", "ssl/http"}, as: User, why: "web servers answer without privileges, as far as is known"},
	{names: []string{"mysql", "postgresql", "ms-sql-s", "oracle-tns", "redis", "mongodb", "mongod", "elasticsearch", "memcached", "memcache", "couchdb", "cassandra", "ibm-db2"},
		as: User, why: "databases come with an account of their own"},
	{names: []string{"vnc", "x11"}, as: User, why: "the desktop belongs to the person at it"},

	{ports: []uint16{22}, as: Root, why: "SSH servers run as root to start sessions (by the port)"},
	{ports: []uint16{135, 139, 445}, as: Root, why: "Windows' own services run as SYSTEM (by the port)"},
	{ports: []uint16{3389, 5985, 5986}, as: Root, why: "remote desktop and management run as SYSTEM (by the port)"},
	{ports: []uint16{23, 111, 512, 513, 514, 2049}, as: Root, why: "remote shells and NFS run as root (by the port)"},
}

func (m *master) is(name, product string, port uint16) bool {
	for _, p := range m.products {
		if product != "" && hasWord(product, p) {
			return true
		}
	}
	for _, n := range m.names {
		if name == n {
			return true
		}
	}
	if name != "" && name != "unknown" || product != "" {
		return false
	}
	for _, p := range m.ports {
		if p == port {
			return true
		}
	}
	return false
}

// hasWord finds a name that begins a word: "bind" stands in "ISC BIND 9", not in "rpcbind".
func hasWord(text, name string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], name)
		if at < 0 {
			return false
		}
		at += from
		if at == 0 || !partOfWord(text[at-1]) {
			return true
		}
		from = at + 1
	}
}

// isDevice says whether a host is an appliance, on which nearly all runs as root.
func isDevice(h Host) (why string, device bool) {
	for _, c := range h.CPEs[:min(len(h.CPEs), 16)] {
		if strings.HasPrefix(c, "cpe:2.3:h:") || strings.HasPrefix(c, "cpe:2.3:o:") && strings.Contains(c, "_firmware:") {
			return "a device's services run as root", true
		}
	}
	os := strings.ToLower(shorten(h.OS, 200))
	for _, word := range []string{"ios xe", "cisco ios", "nx-os", "junos", "fortios", "routeros", "pan-os", "embedded", "printer", "firmware", "switch", "router", "webcam"} {
		if strings.Contains(os, word) {
			return "its system, " + shorten(h.OS, 60) + ", is a device's: its services run as root", true
		}
	}
	return "", false
}

// logins are the services that take a login and give a session or the host's files with it.
var logins = []struct {
	names []string
	ports []uint16
	why   string
}{
	{[]string{"ssh"}, []uint16{22}, "SSH gives a session to who logs in"},
	{[]string{"ms-wbt-server", "rdp"}, []uint16{3389}, "remote desktop gives a session to who logs in"},
	{[]string{"microsoft-ds", "smb", "netbios-ssn"}, []uint16{445}, "SMB runs services and tasks for who logs in"},
	{[]string{"wsman", "winrm"}, []uint16{5985, 5986}, "remote management runs commands for who logs in"},
	{[]string{"telnet", "telnets"}, []uint16{23}, "telnet gives a session to who logs in"},
	{[]string{"vnc"}, []uint16{5900}, "the shared desktop is there for who logs in"},
	{[]string{"login", "shell", "exec", "rlogin", "rsh", "rexec"}, []uint16{512, 513, 514}, "remote shells give a session to who logs in"},
}

// LoginService says whether a service takes logins that give a session on the host, and why.
func LoginService(s Service) (bool, string) {
	if s.Protocol == "udp" {
		return false, "it answers over UDP, which gives no session"
	}
	name := strings.ToLower(shorten(s.Name, 100))
	for _, l := range logins {
		for _, n := range l.names {
			if name == n {
				return true, l.why
			}
		}
		if name != "" && name != "unknown" {
			continue
		}
		for _, p := range l.ports {
			if s.Port == p {
				return true, fmt.Sprintf("%s (by the port)", l.why)
			}
		}
	}
	return false, "it gives no session on the host"
}
