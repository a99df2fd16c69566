package native

import "bytes"

// generic lists the protocols in which the client speaks first, in the order in which a silent port is asked.
// It is set by init: the probes themselves come back to it for what is inside of TLS.
var generic []probe

func init() {
	generic = []probe{
		{"http", (*session).http}, {"tls", (*session).tls}, {"redis", (*session).redis}, {"postgresql", (*session).postgres},
		{"mongodb", (*session).mongo}, {"smb", (*session).smb}, {"mqtt", (*session).mqtt}, {"amqp", (*session).amqp},
		{"memcached", (*session).memcached}, {"dns", (*session).dns}, {"ldap", (*session).ldap},
		{"zookeeper", (*session).zookeeper}, {"mssql", (*session).mssql}, {"rdp", (*session).rdp},
		{"epmd", (*session).epmd},
	}
}

// hints names the probes for ports where the client is known to speak first.
var hints = map[uint16][]string{
	53: {"dns"}, 135: nil, 139: {"smb"}, 389: {"ldap"}, 443: {"tls", "http"}, 445: {"smb"}, 465: {"tls"}, 563: {"tls"},
	636: {"tls"}, 853: {"tls"}, 989: {"tls"}, 990: {"tls"}, 992: {"tls"}, 993: {"tls"}, 994: {"tls"}, 995: {"tls"},
	1433: {"mssql"}, 1434: {"mssql"}, 1883: {"mqtt"}, 2181: {"zookeeper"}, 2182: {"zookeeper"}, 2376: {"tls"},
	3268: {"ldap"}, 3269: {"tls"}, 3389: {"rdp"}, 4369: {"epmd"}, 5061: {"tls"}, 5223: {"tls"}, 5353: {"dns"}, 5432: {"postgresql"}, 5433: {"postgresql"},
	5671: {"tls"}, 5672: {"amqp"}, 5986: {"tls"}, 6379: {"redis"}, 6380: {"redis", "tls"}, 6443: {"tls"}, 8443: {"tls", "http"},
	8883: {"tls"}, 9443: {"tls", "http"}, 10250: {"tls"}, 11211: {"memcached"}, 26379: {"redis"},
	27017: {"mongodb"}, 27018: {"mongodb"}, 27019: {"mongodb"},
	80: {"http"}, 81: {"http"}, 280: {"http"}, 591: {"http"}, 631: {"http"}, 2375: {"http"}, 2379: {"http"}, 2380: {"http"},
	3000: {"http"}, 3001: {"http"}, 3128: {"http"}, 5000: {"http"}, 5601: {"http"}, 5984: {"http"}, 5985: {"http"}, 7001: {"http"},
	8000: {"http"}, 8001: {"http"}, 8008: {"http"}, 8080: {"http"}, 8081: {"http"}, 8082: {"http"}, 8086: {"http"},
	8088: {"http"}, 8090: {"http"}, 8161: {"http"}, 8180: {"http"}, 8404: {"http"}, 8500: {"http"}, 8888: {"http"}, 8983: {"http"},
	9000: {"http"}, 9090: {"http"}, 9091: {"http"}, 9093: {"http"}, 9100: {"http"}, 9200: {"http", "tls"}, 10000: {"http", "tls"}, 15672: {"http"},
}

// insideTLS names what is usually spoken inside of TLS; where nothing is named it is HTTP.
var insideTLS = map[uint16]string{
	465: "listen", 563: "listen", 636: "ldap", 853: "dns", 989: "listen", 990: "listen", 992: "listen", 993: "listen",
	994: "listen", 995: "listen", 3269: "ldap", 5671: "amqp", 6380: "redis", 8883: "mqtt",
}

// speaksFirst names the ports where the server is known to greet, sometimes only after it has looked us up.
var speaksFirst = map[uint16]bool{
	21: true, 22: true, 23: true, 24: true, 25: true, 26: true, 110: true, 119: true, 143: true, 587: true, 873: true, 2121: true,
	2222: true, 2525: true, 3306: true, 3307: true, 3690: true, 4190: true, 4222: true, 5038: true, 5900: true, 5901: true, 5902: true,
}

// prints says that a port is where printers take raw pages (JetDirect): whatever is sent there comes out on paper. Such a
// port is only listened to, unless the user named it himself. nmap leaves the same ports alone.
func prints(port uint16) bool { return 9100 <= port && port <= 9107 }

// usualNames names services after their port alone, for people; nothing is matched on such a name.
var usualNames = map[uint16]string{
	21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 80: "http", 88: "kerberos", 110: "pop3", 111: "rpcbind",
	135: "msrpc", 139: "netbios-ssn", 143: "imap", 389: "ldap", 443: "https", 445: "microsoft-ds", 465: "smtps", 514: "shell",
	515: "printer", 548: "afp", 554: "rtsp", 587: "submission", 631: "ipp", 636: "ldaps", 873: "rsync", 993: "imaps", 995: "pop3s",
	1080: "socks", 1099: "rmi", 1433: "ms-sql-s", 1521: "oracle", 1723: "pptp", 1883: "mqtt", 2049: "nfs", 2181: "zookeeper",
	3128: "http-proxy", 3268: "ldap", 3306: "mysql", 3389: "ms-wbt-server", 3690: "svn", 4369: "epmd", 5060: "sip", 5432: "postgresql",
	5672: "amqp", 5900: "vnc", 5985: "wsman", 6000: "x11", 6379: "redis", 8009: "ajp13", 8080: "http", 8443: "https", 8883: "mqtts",
	9042: "cassandra", 9092: "kafka", 9100: "jetdirect", 9200: "elasticsearch", 11211: "memcached", 25672: "erlang-dist",
	27017: "mongodb",
}

func probesNamed(names []string) []probe {
	var found []probe
	for _, name := range names {
		for _, p := range generic {
			if p.name == name {
				found = append(found, p)
			}
		}
	}
	return found
}

// likelyFrom names the protocol of an answer that was given to the wrong question.
func likelyFrom(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case hasAnyPrefix(b, "-ERR", "-NOAUTH", "-DENIED", "-LOADING", "-WRONG", "+PONG"):
		return "redis"
	case hasAnyPrefix(b, "ERROR\r\n", "CLIENT_ERROR"):
		return "memcached"
	case hasAnyPrefix(b, "AMQP"):
		return "amqp"
	case b[0] == 'E' && len(b) > 8 && bytes.Contains(b, []byte("SFATAL")):
		return "postgresql"
	case len(b) >= 5 && (b[0] == 0x15 || b[0] == 0x16) && b[1] == 3:
		return "tls"
	case b[0] == 0x30 && len(b) > 2:
		return "ldap"
	}
	return ""
}

func hasAnyPrefix(b []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if bytes.HasPrefix(b, []byte(p)) {
			return true
		}
	}
	return false
}
