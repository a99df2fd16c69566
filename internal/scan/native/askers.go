package native

import (
	"bytes"
	"regexp"
	"strings"
)

// The text protocols in which the client speaks first.

// redis asks for INFO. Without a password only the product is known.
func (s *session) redis() *service {
	answer := s.ask([]byte("*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"), bulkEnd)
	return s.parseRedis(answer)
}

func (s *session) parseRedis(answer []byte) *service {
	switch {
	case hasAnyPrefix(answer, "-NOAUTH", "-DENIED", "-ERR operation not permitted", "-LOADING", "-MASTERDOWN", "-NOPERM"):
		found := recognise("app", "redis", "redis", answer)
		found.note("wants a password; version is not revealed")
		if hasAnyPrefix(answer, "-DENIED", "-LOADING", "-MASTERDOWN") {
			found.Extra = line(clip(strings.TrimPrefix(string(answer), "-"), 120))
		}
		return found
	case hasAnyPrefix(answer, "$") && bytes.Contains(answer, []byte("_version:")):
	default:
		s.overhear(answer)
		return nil
	}
	info := map[string]string{}
	for text := range bytes.Lines(answer) {
		if key, value, ok := strings.Cut(line(string(text)), ":"); ok && len(info) < 100 {
			info[key] = value
		}
	}
	text := "redis " + info["redis_version"]
	if info["valkey_version"] != "" {
		text = "valkey " + info["valkey_version"]
	}
	found := recognise("app", "redis", text, answer)
	for _, key := range []string{"redis_mode", "os", "gcc_version"} {
		if info[key] != "" {
			found.note(key + " " + info[key])
		}
	}
	return found
}

// bulkEnd says that a RESP answer is complete: an error line, or a bulk string of its announced length.
func bulkEnd(b []byte) bool {
	head, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok {
		return len(b) > 0 && b[0] != '$' && b[0] != '-' && lineEnd(b)
	}
	if len(head) == 0 || head[0] != '$' || !isDigits(head[1:]) || len(head) > 8 {
		return true
	}
	n := 0
	for _, c := range head[1:] {
		n = 10*n + int(c-'0')
	}
	return len(rest) >= n
}

func (s *session) memcached() *service {
	answer := s.ask([]byte("version\r\n"), lineEnd)
	return s.parseMemcached(answer)
}

func (s *session) parseMemcached(answer []byte) *service {
	version, ok := strings.CutPrefix(firstLine(answer), "VERSION ")
	if !ok {
		s.overhear(answer)
		return nil
	}
	found := recognise("app", "memcached", "memcached "+line(version), answer)
	found.distribution(version)
	return found
}

var zookeeperVersion = regexp.MustCompile(`Zookeeper version: (\d+\.\d+\.\d+)`)

func (s *session) zookeeper() *service {
	answer := s.ask([]byte("srvr"), func(b []byte) bool { return bytes.Contains(b, []byte("Node count:")) })
	return s.parseZookeeper(answer)
}

func (s *session) parseZookeeper(answer []byte) *service {
	if m := zookeeperVersion.FindSubmatch(answer); m != nil {
		return recognise("app", "zookeeper", "zookeeper "+string(m[1]), answer)
	}
	if bytes.Contains(answer, []byte("srvr is not executed because it is not in the whitelist")) {
		found := recognise("app", "zookeeper", "zookeeper", answer)
		found.note("version is not revealed: srvr is not allowed")
		return found
	}
	s.overhear(answer)
	return nil
}
