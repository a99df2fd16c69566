package native

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// say greets and then waits for the client to go.
func say(text string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

// httpServer answers every request with the same bytes.
func httpServer(response string) func(net.Conn) { return httpPages(map[string]string{"": response}) }

// httpPages answers by path; "" is for all others.
func httpPages(pages map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		request, err := r.ReadString('\n')
		for text := request; err == nil && text != "\r\n"; {
			text, err = r.ReadString('\n')
		}
		fields := strings.Fields(request)
		if err != nil || len(fields) != 3 || !strings.HasPrefix(fields[2], "HTTP/") {
			return
		}
		page, ok := pages[fields[1]]
		if !ok {
			page = pages[""]
		}
		io.WriteString(c, page)
	}
}

// lines greets, then answers each line by its first word; "" is for all others. An answer of "close" closes.
func lines(greeting string, answers map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, greeting)
		s := bufio.NewScanner(c)
		for s.Scan() {
			word, _, _ := strings.Cut(s.Text(), " ")
			answer, ok := answers[word]
			if !ok {
				answer = answers[""]
			}
			if answer == "close" {
				return
			}
			io.WriteString(c, answer)
		}
	}
}

// after answers a first message that begins with prefix, and closes on everything else.
func after(prefix string, answer []byte) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		if err != nil || !bytes.HasPrefix(buf[:n], []byte(prefix)) {
			return
		}
		c.Write(answer)
		io.Copy(io.Discard, c)
	}
}

func certificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "www.example.org"},
		DNSNames: []string{"www.example.org", "mail.example.org"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// inTLS puts a server inside of TLS.
func inTLS(cert tls.Certificate, handle func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		if s.Handshake() != nil {
			return
		}
		handle(s)
		s.Close()
	}
}

func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func postgresError() []byte {
	body := "SFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol 32767.0: server supports 3.0 to 3.0\x00Fpostmaster.c\x00\x00"
	return append(append([]byte{'E'}, be32(len(body)+4)...), body...)
}

func postgresServer(c net.Conn) {
	buf := make([]byte, 8)
	if _, err := io.ReadFull(c, buf); err != nil || !bytes.Equal(buf[4:], []byte{4, 0xd2, 0x16, 0x2f}) {
		return
	}
	c.Write([]byte("N"))
	if _, err := io.ReadFull(c, buf); err == nil {
		c.Write(postgresError())
	}
}

func mongoReply(request uint32, document []byte) []byte {
	body := append([]byte{0, 0, 0, 0, 0}, document...)
	m := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
	m = append(m, 1, 0, 0, 0)
	m = binary.LittleEndian.AppendUint32(m, request)
	m = binary.LittleEndian.AppendUint32(m, 2013)
	return append(m, body...)
}

func buildInfo(version string) []byte {
	d := []byte("\x02version\x00")
	d = binary.LittleEndian.AppendUint32(d, uint32(len(version)+1))
	d = append(append(d, version...), 0)
	d = append(d, "\x01ok\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00"...)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(d)+4)), d...)
}

func mongoServer(c net.Conn) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(c, head); err != nil || binary.LittleEndian.Uint32(head[12:]) != 2013 {
		return
	}
	c.Write(mongoReply(binary.LittleEndian.Uint32(head[4:]), buildInfo("4.4.1")))
}

func dnsAnswer(text string) []byte {
	m := []byte("ps\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03" +
		"\xc0\x0c\x00\x10\x00\x03\x00\x00\x00\x00")
	m = binary.BigEndian.AppendUint16(m, uint16(len(text)+1))
	m = append(append(m, byte(len(text))), text...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)
}

func amqpStart() []byte {
	long := func(s string) string { return string(be32(len(s))) + s }
	field := func(name, value string) string { return string(rune(len(name))) + name + "S" + long(value) }
	table := "\x0ccapabilitiesF" + long("\x12publisher_confirmst\x01") + field("platform", "Erlang/OTP 23.2") +
		field("product", "RabbitMQ") + field("version", "3.8.9")
	args := "\x00\x0a\x00\x0a\x00\x09" + long(table) + long("PLAIN AMQPLAIN") + long("en_US")
	return append(append([]byte{1, 0, 0}, be32(len(args))...), args+"\xce"...)
}

func mqttServer(c net.Conn) {
	buf := make([]byte, 256)
	n, err := c.Read(buf)
	if err != nil || n < 2 || buf[0] != 0x10 {
		return
	}
	c.Write([]byte{0x20, 2, 0, 0})
	if _, err := c.Read(buf); err != nil || buf[0] != 0x82 {
		return
	}
	topic, payload := "$SYS/broker/version", "mosquitto version 1.4.8"
	c.Write([]byte{0x90, 4, 0, 1, 0, 0x80})
	c.Write([]byte{0x31, byte(2 + len(topic) + len(payload)), 0, byte(len(topic))})
	io.WriteString(c, topic+payload)
	io.Copy(io.Discard, c)
}

func ldapEntry() []byte {
	tlv := func(tag byte, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append([]byte{tag, byte(len(body))}, body...)
	}
	attribute := tlv(0x30, tlv(0x04, []byte("objectClass")), tlv(0x31, tlv(0x04, []byte("top")), tlv(0x04, []byte("OpenLDAProotDSE"))))
	entry := tlv(0x64, tlv(0x04, nil), tlv(0x30, attribute))
	done := tlv(0x65, []byte{0x0a, 1, 0, 4, 0, 4, 0})
	id := []byte{2, 1, 1}
	return append(tlv(0x30, id, entry), tlv(0x30, id, done)...)
}

func smbServer(challenge []byte) func(net.Conn) {
	return func(c net.Conn) {
		head := make([]byte, 4)
		for i := range 2 {
			if _, err := io.ReadFull(c, head); err != nil || head[0] != 0 || head[1] != 0 {
				return
			}
			body := make([]byte, int(head[2])<<8|int(head[3]))
			if _, err := io.ReadFull(c, body); err != nil || !bytes.HasPrefix(body, []byte("\xfeSMB")) {
				return
			}
			answer := make([]byte, 64+64)
			copy(answer, "\xfeSMB")
			if i == 0 {
				answer[64], answer[66] = 65, 1
				binary.LittleEndian.PutUint16(answer[68:], 0x302)
			} else {
				answer = append(answer, challenge...)
			}
			c.Write(frame(answer))
		}
		io.Copy(io.Discard, c)
	}
}

func ntlmChallenge(major, minor byte, build uint16, computer string) []byte {
	m := make([]byte, 56)
	copy(m, "NTLMSSP\x00\x02\x00\x00\x00")
	binary.LittleEndian.PutUint32(m[20:], 0xe2898215)
	info := []byte{1, 0, byte(2 * len(computer)), 0}
	for _, c := range computer {
		info = append(info, byte(c), 0)
	}
	info = append(info, 0, 0, 0, 0)
	binary.LittleEndian.PutUint16(m[40:], uint16(len(info)))
	binary.LittleEndian.PutUint32(m[44:], 56)
	m[48], m[49] = major, minor
	binary.LittleEndian.PutUint16(m[50:], build)
	return append(m, info...)
}

func TestEveryProtocolIsRecognisedOnAPortThatDoesNotHintAtIt(t *testing.T) {
	cert := certificate(t)
	info := "# Server\r\nredis_version:4.0.9\r\nredis_mode:standalone\r\n"
	cases := []struct {
		name     string
		handle   func(net.Conn)
		want     string // name product version
		cpe      string
		backport string
	}{
		{"ftp", say("220 (vsFTPd 2.3.4)\r\n"), "ftp vsftpd 2.3.4", "cpe:2.3:a:vsftpd_project:vsftpd:2.3.4:*:*:*:*:*:*:*", ""},
		{"ftp that names itself only in HELP", lines("220 Welcome\r\n", map[string]string{"HELP": "214 ProFTPD 1.3.5 Server\r\n", "": "500 What?\r\n"}),
			"ftp ProFTPD 1.3.5", "cpe:2.3:a:proftpd:proftpd:1.3.5:*:*:*:*:*:*:*", ""},
		{"smtp", lines("220 mail.example.org ESMTP Exim 4.87 Mon, 06 Jun 2016\r\n", map[string]string{"EHLO": "250-mail.example.org\r\n250 HELP\r\n"}),
			"smtp Exim 4.87", "cpe:2.3:a:exim:exim:4.87:*:*:*:*:*:*:*", ""},
		{"smtp of Debian", lines("220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n", map[string]string{"EHLO": "250 mail.example.org\r\n"}),
			"smtp Postfix ", "cpe:2.3:a:postfix:postfix:*:*:*:*:*:*:*:*", "Debian"},
		{"smtp in several lines", lines("220-mail.example.org\r\n220 ESMTP Sendmail 8.14.4/8.14.4\r\n", map[string]string{"": "250 ok\r\n"}),
			"smtp Sendmail 8.14.4", "cpe:2.3:a:sendmail:sendmail:8.14.4:*:*:*:*:*:*:*", ""},
		{"pop3", lines("+OK Dovecot (Ubuntu) ready.\r\n", map[string]string{"": "-ERR\r\n"}), "pop3 Dovecot pop3d ", "cpe:2.3:a:dovecot:dovecot:*:*:*:*:*:*:*:*", "Ubuntu"},
		{"imap", lines("* OK [CAPABILITY IMAP4rev1 ID] ready\r\n", map[string]string{"a1": "* CAPABILITY IMAP4rev1 ID\r\na1 OK done\r\n",
			"a2": "* ID (\"name\" \"Dovecot\" \"version\" \"2.3.4.1\")\r\na2 OK done\r\n", "a3": "* BYE\r\na3 OK\r\n"}),
			"imap Dovecot imapd 2.3.4.1", "cpe:2.3:a:dovecot:dovecot:2.3.4.1:*:*:*:*:*:*:*", ""},
		{"nntp", say("200 news InterNetNews NNRP server INN 2.6.3 ready\r\n"), "nntp INN 2.6.3", "cpe:2.3:a:isc:inn:2.6.3:*:*:*:*:*:*:*", ""},
		{"vnc", say("RFB 003.008\n"), "vnc  ", "", ""},
		{"rsync", say("@RSYNCD: 31.0\n"), "rsync rsync ", "cpe:2.3:a:samba:rsync:*:*:*:*:*:*:*:*", ""},
		{"svn", say("( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) "), "svn Subversion svnserve ", "cpe:2.3:a:apache:subversion:*:*:*:*:*:*:*:*", ""},
		{"telnet", say("\xff\xfd\x18\xff\xfd\x20\r\nDebian GNU/Linux 11\r\nhost login: "), "telnet telnetd ", "", "Debian"},
		{"nats", say("INFO {\"server_id\":\"X\",\"version\":\"2.1.0\"} \r\n"), "nats NATS server 2.1.0", "cpe:2.3:a:nats:nats_server:2.1.0:*:*:*:*:*:*:*", ""},
		{"mariadb", say("\x3b\x00\x00\x00\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\x00" + strings.Repeat("x", 25)), "mysql MariaDB 10.11.19",
			"cpe:2.3:a:mariadb:mariadb:10.11.19:*:*:*:*:*:*:*", "Debian"},
		{"mysql that refuses us", say("\x45\x00\x00\x00\xff\x6a\x04Host '10.0.0.9' is not allowed to connect to this MariaDB server.."), "mysql MariaDB ",
			"cpe:2.3:a:mariadb:mariadb:*:*:*:*:*:*:*:*", ""},
		{"postgresql", postgresServer, "postgresql PostgreSQL ", "cpe:2.3:a:postgresql:postgresql:*:*:*:*:*:*:*:*", ""},
		{"redis", after("*2\r\n", fmt.Appendf(nil, "$%d\r\n%s\r\n", len(info), info)), "redis Redis 4.0.9", "cpe:2.3:a:redis:redis:4.0.9:*:*:*:*:*:*:*", ""},
		{"redis with a password", after("*2\r\n", []byte("-NOAUTH Authentication required.\r\n")), "redis Redis ", "cpe:2.3:a:redis:redis:*:*:*:*:*:*:*:*", ""},
		{"memcached", lines("", map[string]string{"version": "VERSION 1.5.5\r\n", "": "ERROR\r\n"}), "memcached memcached 1.5.5",
			"cpe:2.3:a:memcached:memcached:1.5.5:*:*:*:*:*:*:*", ""},
		{"zookeeper", after("srvr", []byte("Zookeeper version: 3.4.13-2d71af4dbe22557fda74f9a9b4309b15a7487f03, built on 06/29/2018\nNode count: 4\n")),
			"zookeeper Apache ZooKeeper 3.4.13", "cpe:2.3:a:apache:zookeeper:3.4.13:*:*:*:*:*:*:*", ""},
		{"mongodb", mongoServer, "mongodb MongoDB 4.4.1", "cpe:2.3:a:mongodb:mongodb:4.4.1:*:*:*:*:*:*:*", ""},
		{"dns", after("\x00\x1e", dnsAnswer("9.11.0-P1")), "domain BIND 9.11.0P1", "cpe:2.3:a:isc:bind:9.11.0:p1:*:*:*:*:*:*", ""},
		{"amqp", after("AMQP", amqpStart()), "amqp RabbitMQ 3.8.9", "cpe:2.3:a:vmware:rabbitmq:3.8.9:*:*:*:*:*:*:*", ""},
		{"mqtt", mqttServer, "mqtt Mosquitto 1.4.8", "cpe:2.3:a:eclipse:mosquitto:1.4.8:*:*:*:*:*:*:*", ""},
		{"ldap", after("\x30", ldapEntry()), "ldap OpenLDAP ", "cpe:2.3:a:openldap:openldap:*:*:*:*:*:*:*:*", ""},
		{"samba", smbServer(ntlmChallenge(6, 1, 0, "FILES")), "microsoft-ds Samba ", "cpe:2.3:a:samba:samba:*:*:*:*:*:*:*:*", ""},
		{"windows", smbServer(ntlmChallenge(10, 0, 17763, "DC01")), "microsoft-ds Microsoft Windows SMB ", "", ""},
		{"mssql", after("\x12", []byte("\x04\x01\x00\x15\x00\x00\x01\x00\x00\x00\x06\x00\x06\xff\x0f\x00\x07\xd0\x00\x00\x00")),
			"ms-sql-s Microsoft SQL Server 2019 15.0.2000", "cpe:2.3:a:microsoft:sql_server:2019:*:*:*:*:*:*:*", ""},
		{"rdp", after("\x03\x00\x00\x13\x0e", []byte("\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x02\x00\x00\x00")), "ms-wbt-server  ", "", ""},
		{"http", httpServer("HTTP/1.1 200 OK\r\nServer: Apache/2.4.49 (Unix)\r\nContent-Length: 0\r\n\r\n"), "http Apache httpd 2.4.49",
			"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*", ""},
		{"http with parts", httpServer("HTTP/1.1 200 OK\r\nServer: Apache/2.4.7 (Ubuntu) OpenSSL/1.0.1f\r\nX-Powered-By: PHP/5.5.9-1ubuntu4.29\r\n\r\n" +
			"<meta name=\"generator\" content=\"WordPress 4.7.1\" />"), "http Apache httpd 2.4.7",
			"cpe:2.3:a:apache:http_server:2.4.7:*:*:*:*:*:*:* cpe:2.3:a:openssl:openssl:1.0.1f:*:*:*:*:*:*:* cpe:2.3:a:php:php:5.5.9:*:*:*:*:*:*:* cpe:2.3:a:wordpress:wordpress:4.7.1:*:*:*:*:*:*:*", "Ubuntu"},
		{"elasticsearch", httpServer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\n \"version\" : {\n \"number\" : \"1.4.2\",\n \"lucene_version\" : \"4.10.2\"\n }\n}"),
			"http Elasticsearch 1.4.2", "cpe:2.3:a:elastic:elasticsearch:1.4.2:*:*:*:*:*:*:*", ""},
		{"couchdb", httpServer("HTTP/1.1 200 OK\r\nServer: CouchDB/2.1.1 (Erlang OTP/18)\r\n\r\n{\"couchdb\":\"Welcome\",\"version\":\"2.1.1\"}"),
			"http Apache CouchDB 2.1.1", "cpe:2.3:a:apache:couchdb:2.1.1:*:*:*:*:*:*:*", ""},
		{"jenkins behind jetty", httpServer("HTTP/1.1 403 Forbidden\r\nX-Jenkins: 2.441\r\nServer: Jetty(10.0.18)\r\n\r\n"), "http Jetty 10.0.18",
			"cpe:2.3:a:eclipse:jetty:10.0.18:*:*:*:*:*:*:* cpe:2.3:a:jenkins:jenkins:2.441:*:*:*:*:*:*:*", ""},
		{"tomcat by its error page", httpPages(map[string]string{"/": "HTTP/1.1 200 OK\r\n\r\nhello",
			"": "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n<h3>Apache Tomcat/8.5.19</h3>\r\n0\r\n\r\n"}), "http Apache Tomcat 8.5.19",
			"cpe:2.3:a:apache:tomcat:8.5.19:*:*:*:*:*:*:*", ""},
		{"prometheus", httpPages(map[string]string{"/": "HTTP/1.1 302 Found\r\nLocation: /graph\r\n\r\n",
			"/api/v1/status/buildinfo": "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"success\",\"data\":{\"version\":\"2.42.0\"}}", "": "HTTP/1.1 404 Not Found\r\n\r\n"}),
			"http Prometheus 2.42.0", "cpe:2.3:a:prometheus:prometheus:2.42.0:*:*:*:*:*:*:*", ""},
		{"grafana", httpPages(map[string]string{"/": "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", "/login": "HTTP/1.1 200 OK\r\n\r\n<title>Grafana</title>",
			"/api/health": "HTTP/1.1 200 OK\r\n\r\n{\"database\": \"ok\", \"version\": \"8.3.0\"}", "": "HTTP/1.1 404 Not Found\r\n\r\n"}),
			"http Grafana 8.3.0", "cpe:2.3:a:grafana:grafana:8.3.0:*:*:*:*:*:*:*", ""},
		{"docker", httpPages(map[string]string{"/version": "HTTP/1.1 200 OK\r\n\r\n{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\"}",
			"": "HTTP/1.1 404 Not Found\r\n\r\n{\"message\":\"page not found\"}"}), "http Docker Engine 20.10.24", "cpe:2.3:a:docker:docker:20.10.24:*:*:*:*:*:*:*", ""},
		{"kubernetes", httpPages(map[string]string{"/version": "HTTP/1.1 200 OK\r\n\r\n{\n  \"gitVersion\": \"v1.24.3\"\n}",
			"": "HTTP/1.1 403 Forbidden\r\n\r\n{\n  \"kind\": \"Status\"\n}"}), "http Kubernetes API server 1.24.3", "cpe:2.3:a:kubernetes:kubernetes:1.24.3:*:*:*:*:*:*:*", ""},
		{"varnish before nginx", httpServer("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nX-Varnish: 2\r\nVia: 1.1 varnish (Varnish/7.1)\r\n\r\n"), "http Varnish 7.1",
			"cpe:2.3:a:varnish_cache_project:varnish_cache:7.1:*:*:*:*:*:*:* cpe:2.3:a:f5:nginx:1.22.1:*:*:*:*:*:*:*", ""},
		{"https", inTLS(cert, httpServer("HTTP/1.1 200 OK\r\nServer: nginx/1.16.1\r\n\r\n")), "http+tls nginx 1.16.1", "cpe:2.3:a:f5:nginx:1.16.1:*:*:*:*:*:*:*", ""},
		{"imaps", inTLS(cert, lines("* OK Dovecot (Debian) ready.\r\n", map[string]string{"a2": "a2 BAD\r\n", "": "a1 OK\r\n"})), "imap+tls Dovecot imapd ",
			"cpe:2.3:a:dovecot:dovecot:*:*:*:*:*:*:*:*", "Debian"},
		{"redis in TLS", inTLS(cert, after("*2\r\n", fmt.Appendf(nil, "$%d\r\n%s\r\n", len(info), info))), "redis+tls Redis 4.0.9", "cpe:2.3:a:redis:redis:4.0.9:*:*:*:*:*:*:*", ""},
	}
	var ports []uint16
	for _, c := range cases {
		ports = append(ports, listen(t, c.handle))
	}
	began := time.Now()
	r := runJob(t, jobFor(ports...))
	t.Logf("%d services in %v", len(cases), time.Since(began))
	for i, c := range cases {
		s := r.services[ports[i]]
		name := s.Name
		if s.TLS {
			name += "+tls"
		}
		if got := name + " " + s.Product + " " + s.Version; got != c.want {
			t.Errorf("%s: %q, want %q (%s; %q)", c.name, got, c.want, s.Extra, s.Banner)
		}
		if got := strings.Join(s.CPEs, " "); got != c.cpe {
			t.Errorf("%s: CPEs %q, want %q", c.name, got, c.cpe)
		}
		if s.Backport != c.backport {
			t.Errorf("%s: backport %q, want %q", c.name, s.Backport, c.backport)
		}
		if s.TLS && !strings.Contains(s.Extra, "CN=www.example.org") {
			t.Errorf("%s: no certificate in %q", c.name, s.Extra)
		}
	}
}

// A session setup answer of SMB 1, without a security blob: the system and the software, in UTF-16.
func TestSMB1NamesSambaAndItsDistribution(t *testing.T) {
	answer := make([]byte, 32)
	copy(answer, "\xffSMB")
	answer = append(answer, 4, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, c := range "Unix\x00Samba 3.0.20-Debian\x00WORKGROUP\x00" {
		answer = append(answer, byte(c), 0)
	}
	found := &service{}
	found.learnSMB1(frame(answer))
	if found.Product != "Samba" || found.Version != "3.0.20" || found.Backport != "Debian" || found.CPEs[0] != "cpe:2.3:a:samba:samba:3.0.20:*:*:*:*:*:*:*" {
		t.Errorf("%+v", found)
	}
}

func TestSSHTellsVersionSystemAndHostKey(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{ServerVersion: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", NoClientAuth: false,
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
			t.Error("somebody tried to log in")
			return nil, io.EOF
		}}
	config.AddHostKey(signer)
	p := listen(t, func(c net.Conn) { ssh.NewServerConn(c, config) })
	r := runJob(t, jobFor(p))
	s, want := r.services[p], ssh.FingerprintSHA256(signer.PublicKey())
	if s.Product != "OpenSSH" || s.Version != "9.2p1" || s.Backport != "Debian" || s.SSHKey != want {
		t.Errorf("service: %+v", s)
	}
	h := r.hosts[0]
	if h.SSHKey != want || h.OS != "Debian 12" || len(h.CPEs) != 1 || h.CPEs[0] != "cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*" {
		t.Errorf("host: %+v", h)
	}
}

func TestPlainHTTPToATLSPortIsNotTheService(t *testing.T) {
	r := parseResponse([]byte("HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>"))
	if r != nil {
		t.Error("taken for the service")
	}
}

func TestRedirectsStayOnThePort(t *testing.T) {
	s := &session{target: target{names: []string{"www.example.org"}}}
	s.target.addr = mustAddrPort("127.0.0.1:8080")
	for location, want := range map[string]string{
		"/login":                             "/login",
		"login?x=1":                          "/login?x=1",
		"http://127.0.0.1:8080/a":            "/a",
		"http://www.example.org:8080/b":      "/b",
		"http://127.0.0.1/c":                 "",
		"https://127.0.0.1:8080/d":           "",
		"http://other.example:8080/e":        "",
		"http://u:p@127.0.0.1:8080/f":        "",
		"//other.example/g":                  "",
		"javascript:alert(1)":                "",
		"/" + strings.Repeat("long/", 1000):  "",
		"/has%0d%0aInjected:%20yes":          "/has%0d%0aInjected:%20yes",
		"http://[::1]:8080/":                 "",
		"http://127.0.0.1:8080@evil.example": "",
	} {
		r := &response{status: 302, header: [][2]string{{"location", location}}}
		if got := s.redirect(r); got != want {
			t.Errorf("%q leads to %q, want %q", location, got, want)
		}
	}
}
