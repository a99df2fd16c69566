package demo

import (
	"fmt"
	"strings"
)

// persona is how one simulated server behaves. All words below were written for it after what such servers say.
type persona struct {
	name     string
	greets   string
	greeting string // sent at once
	// answer replies to one line; more is false when the connection ends after the reply. nil: what comes is ignored.
	answer func(line string) (reply string, more bool)
}

// personas are versions that are known for what was found in them. Each says its version as the original does.
var personas = []persona{
	{name: "OpenSSH 7.2p2", greets: "SSH-2.0-OpenSSH_7.2p2", greeting: "SSH-2.0-OpenSSH_7.2p2\r\n",
		answer: func(string) (string, bool) { return "", false }}, // there is no key to exchange
	{name: "vsftpd 2.3.4", greets: "220 (vsFTPd 2.3.4)", greeting: "220 (vsFTPd 2.3.4)\r\n", answer: ftpAnswers},
	{name: "ProFTPD 1.3.5", greets: "220 ProFTPD 1.3.5 Server (demo) [127.0.0.1]", greeting: "220 ProFTPD 1.3.5 Server (demo) [127.0.0.1]\r\n",
		answer: ftpAnswers},
	{name: "Exim 4.87", greets: "220 demo.invalid ESMTP Exim 4.87", greeting: "220 demo.invalid ESMTP Exim 4.87 Sat, 01 Oct 2016 12:00:00 +0000\r\n",
		answer: smtpAnswers},
	{name: "Apache httpd 2.4.49", greets: "Server: Apache/2.4.49 (Unix)", answer: web("Apache/2.4.49 (Unix)", "text/html",
		"<html><head><title>Simulated by PatchScout</title></head><body>This server is a demonstration.</body></html>\n")},
	{name: "nginx 1.16.1", greets: "Server: nginx/1.16.1", answer: web("nginx/1.16.1", "text/html",
		"<html><head><title>Simulated by PatchScout</title></head><body>This server is a demonstration.</body></html>\n")},
	{name: "Elasticsearch 1.4.2", greets: `"number" : "1.4.2"`, answer: web("", "application/json; charset=UTF-8", elastic)},
	{name: "Redis 4.0.9", greets: "redis_version:4.0.9", answer: redisAnswers},
	{name: "MySQL 5.5.23", greets: "5.5.23", greeting: mysqlHandshake("5.5.23")},
	{name: "MariaDB 10.1.8", greets: "5.5.5-10.1.8-MariaDB", greeting: mysqlHandshake("5.5.5-10.1.8-MariaDB")},
}

func ftpAnswers(line string) (string, bool) {
	switch strings.ToUpper(firstWord(line)) {
	case "QUIT":
		return "221 Goodbye.\r\n", false
	case "USER", "PASS":
		return "530 This is a simulated server: nobody can log in.\r\n", true
	}
	return "530 Please login with USER and PASS.\r\n", true
}

func smtpAnswers(line string) (string, bool) {
	switch strings.ToUpper(firstWord(line)) {
	case "EHLO", "HELO":
		return "250-demo.invalid Hello\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 HELP\r\n", true
	case "QUIT":
		return "221 demo.invalid closing connection\r\n", false
	case "HELP":
		return "214-Commands supported:\r\n214 HELO EHLO NOOP QUIT HELP\r\n", true
	}
	return "550 This is a simulated server: it takes no mail.\r\n", true
}

// web answers every request with the same page once its headers have ended.
func web(server, contentType, body string) func(string) (string, bool) {
	head := "HTTP/1.1 200 OK\r\nDate: Sat, 01 Oct 2016 12:00:00 GMT\r\n"
	if server != "" {
		head += "Server: " + server + "\r\n"
	}
	head += fmt.Sprintf("Content-Length: %d\r\nContent-Type: %s\r\nX-Simulated-By: PatchScout demo\r\nConnection: close\r\n\r\n", len(body), contentType)
	return func(line string) (string, bool) {
		if line == "" {
			return head + body, false
		}
		return "", true
	}
}

const elastic = `{
  "status" : 200,
  "name" : "demo",
  "cluster_name" : "elasticsearch",
  "version" : {
    "number" : "1.4.2",
    "build_hash" : "927caff6f05403e936c20bf4529f144f0c89fd8c",
    "build_timestamp" : "2014-12-16T14:11:12Z",
    "build_snapshot" : false,
    "lucene_version" : "4.10.2"
  },
  "tagline" : "You Know, for Search"
}
`

func redisAnswers(line string) (string, bool) {
	switch strings.ToUpper(firstWord(line)) {
	case "INFO":
		info := "# Server\r\nredis_version:4.0.9\r\nredis_git_sha1:00000000\r\nredis_mode:standalone\r\nos:Linux 4.15.0 x86_64\r\n" +
			"arch_bits:64\r\nprocess_id:1\r\ntcp_port:0\r\nsimulated:1\r\n"
		return fmt.Sprintf("$%d\r\n%s\r\n", len(info), info), true
	case "PING":
		return "+PONG\r\n", true
	case "QUIT":
		return "+OK\r\n", false
	case "":
		return "", true
	}
	if line[0] == '*' || line[0] == '$' || strings.EqualFold(line, "server") { // the framing of a request
		return "", true
	}
	return "-ERR unknown command\r\n", false
}

// mysqlHandshake is protocol 10's first packet with a fixed challenge; what the client answers is never read as a login.
func mysqlHandshake(version string) string {
	body := "\x0a" + version + "\x00" + // protocol, version
		"\x01\x00\x00\x00" + "simulate" + "\x00" + // connection id, first part of the challenge
		"\xff\xf7" + "\x08" + "\x02\x00" + "\x0f\x80" + "\x15" + // capabilities, latin1, autocommit, length of the challenge
		strings.Repeat("\x00", 10) + "d-by-patchsc\x00" + "mysql_native_password\x00"
	return string([]byte{byte(len(body)), 0, 0, 0}) + body
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}
