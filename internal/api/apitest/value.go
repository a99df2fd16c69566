package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// raw is written into JSON as it is.
type raw string

// words are values that people use; nasty are those that they do not.
var (
	words = []string{"a", "anna", "default", "demo", "web", "dmz", "high", "CVE-2021-44228", "cve-2014-0160", "T1190", "CWE-79", "127.0.0.1", "localhost", "openssh",
		"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*", "cpe:/a:openbsd:openssh:7.2p2", "native", "nmap", "2027-01-31", "2099-12-31", "0", "1", "-1", "true",
		"http://127.0.0.1:1/", "22", "1-65535", "22,80", "text", "a sentence of several words, with a comma.", "größe", "名前", "apache", "log4j", "kev", "json", "acme.example",
		"correct horse battery staple"}
	nasty = []string{"", " ", "\x00", "a\x00b", "\u202eevil\u202c", "\ufeff", "\u200b", "\ud7ff", "💥", strings.Repeat("é", 300), "'", "\"", "';--", "' OR 1=1 --", `\`, "%", "_", "%%",
		"*", "(", "[", "AND OR NOT", "NEAR(", "\"unbalanced", "../../../etc/passwd", "..", ".", "-oX", "--script=x", "-1", "1e400", "NaN", "Infinity", "9223372036854775808",
		"-9223372036854775808", "0x10", "1_000", " 1", "1,", ",", ",,", "null", "undefined", "{}", "[]", "<script>alert(1)</script>", "${jndi:ldap://127.0.0.1/a}", "{{7*7}}",
		"\r\nSet-Cookie: a=b", "\t", "\n", "cpe:2.3:a:*:*:*:*:*:*:*:*:*:*", "cpe:2.3:::::::::::", "cpe:2.3:a:\\", "cpe:/", "CVE-", "CVE-0-0", "CVE-99999999999-1", "T", "0000-00-00",
		"2026-02-30", "2026-13-01", "127.0.0.1/33", "::1%eth0", "[::1]:99999", "127.0.0.1-", "http://", "http://user:password@127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1",
		"65536", "0-0", "1-", "999999999999999999999999", "İ", "ſ", "\u0130stanbul", "e\u0301\u0301\u0301", "a.b.c.d.e.f.g", "*.", "*.*", "!", "$where", "\x7f", "\u0085", "\u2028"}
	names = []string{"scan.xml", "", "../../x", "a\u202egpj.exe", "CON", strings.Repeat("n", 300), "x.gz", "-", "report.json", "a;b", "kev.json"}
)

// files are bodies of uploads: reports, nearly reports, and what is none.
var files = []string{
	nmapReport, nmapReport, nmapReport, nmapReport[:len(nmapReport)/2], "", "\x00", "\x1f\x8b", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00\x03", "\x28\xb5\x2f\xfd", "PK\x03\x04", "<?xml version=\"1.0\"?>", "<a/>", "{}", "[]", "null",
	`{"cve_id":"CVE-2021-44228","description":"from a test","cvss_score":9.9}` + "\n", `{"cve_id":"CVE-0-0"}` + "\n", `{"version":"2.1.0","runs":[]}`, `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[]}`,
	`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[{"ruleId":"r","level":"error","message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.c"}}}]}]}]}`,
	`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t\u0000"}},"results":[{"ruleId":"r\u0000","message":{"text":"m\u0000"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a\u0000.c"}}}]}]}]}`,
	"host,tags\n127.0.0.1,web\n", "address,owner,criticality\n127.0.0.2,anna,high\nnowhere,,\n", "a,b\n\"", "\xff\xfe<\x00?\x00", "Plugin ID,CVE,Risk,Host\n1,CVE-2014-0160,High,127.0.0.1\n",
	`{"template-id":"x","info":{"name":"n","severity":"high"},"host":"http://127.0.0.1","matched-at":"http://127.0.0.1/a"}` + "\n",
	`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><nmaprun scanner="nmap"><host>&x;</host></nmaprun>`,
}

const nmapReport = `<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap -sV -oX - 127.0.0.7" start="1700000000" version="7.93">
<scaninfo type="connect" protocol="tcp" numservices="2" services="22,80"/>
<host starttime="1700000000" endtime="1700000009"><status state="up" reason="conn-refused"/><address addr="127.0.0.7" addrtype="ipv4"/>
<hostnames><hostname name="seven.example" type="PTR"/></hostnames><ports>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" product="OpenSSH" version="7.2p2" method="probed" conf="10"><cpe>cpe:/a:openbsd:openssh:7.2p2</cpe></service></port>
</ports></host><runstats><finished time="1700000009" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`

func typeOf(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		if len(t) > 0 {
			text, _ := t[0].(string)
			return text
		}
	}
	if s["properties"] != nil {
		return "object"
	}
	return ""
}

func float(v any, otherwise float64) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	return otherwise
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = clone(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	}
	return v
}

// encode writes JSON, also what encoding/json refuses to write.
func encode(v any) []byte {
	switch v := v.(type) {
	case raw:
		return []byte(v)
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, name := range sortedKeys(v) {
			parts = append(parts, string(encode(name))+":"+string(encode(v[name])))
		}
		return []byte("{" + strings.Join(parts, ",") + "}")
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = string(encode(v[i]))
		}
		return []byte("[" + strings.Join(parts, ",") + "]")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return []byte(fmt.Sprint(v))
	}
	return text
}
