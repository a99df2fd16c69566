package scan

import (
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestTargetsAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		text string
		kind Kind
		addr string
		name string
		port uint16
		url  string
		size uint64
	}{
		{text: "192.0.2.1", kind: KindAddress, addr: "192.0.2.1"},
		{text: "::1", kind: KindAddress, addr: "::1"},
		{text: "::ffff:192.0.2.1", kind: KindAddress, addr: "192.0.2.1"},
		{text: "fe80::1%eth0", kind: KindAddress, addr: "fe80::1%eth0"},
		{text: "fe80::1%veth-a", kind: KindAddress, addr: "fe80::1%veth-a"},
		{text: "[::1]", kind: KindAddress, addr: "::1"},
		{text: "[::1]:8080", kind: KindAddress, addr: "::1", port: 8080},
		{text: "192.0.2.1:22", kind: KindAddress, addr: "192.0.2.1", port: 22},
		{text: "192.0.2.1/32", kind: KindAddress, addr: "192.0.2.1"},
		{text: "192.0.2.9/24", kind: KindNetwork, size: 256},
		{text: "10.0.0.0/16", kind: KindNetwork, size: 65536},
		{text: "::ffff:192.0.2.0/120", kind: KindNetwork, size: 256},
		{text: "2001:db8::/112", kind: KindNetwork, size: 65536},
		{text: "10.0.0.1-10.0.0.20", kind: KindRange, size: 20},
		{text: "10.0.0.1-10.0.0.1", kind: KindAddress, addr: "10.0.0.1"},
		{text: "10.0.0.1-20", kind: KindRange, size: 20},
		{text: "10.0.0-1.1-20", kind: KindRange, size: 40},
		{text: "2001:db8::1-2001:db8::ff", kind: KindRange, size: 255},
		{text: "localhost", kind: KindName, name: "localhost"},
		{text: "WWW.Example.ORG.", kind: KindName, name: "www.example.org"},
		{text: "db-1", kind: KindName, name: "db-1"},
		{text: "a-b:80", kind: KindName, name: "a-b", port: 80},
		{text: "web_1.local:8080", kind: KindName, name: "web_1.local", port: 8080},
		{text: "bücher.example", kind: KindName, name: "xn--bcher-kva.example"},
		{text: "HTTP://Example.org", kind: KindURL, name: "example.org", port: 80, url: "http://example.org"},
		{text: "https://[::1]:8443/a%20b/../c", kind: KindURL, addr: "::1", port: 8443, url: "https://[::1]:8443/a%20b/../c"},
		{text: "http://[::ffff:a9fe:a9fe]:8080/latest/", kind: KindURL, addr: "169.254.169.254", port: 8080, url: "http://169.254.169.254:8080/latest/"},
		{text: "http://Metadata.Example./", kind: KindURL, name: "metadata.example", port: 80, url: "http://metadata.example/"},
		{text: "https://192.0.2.7/", kind: KindURL, addr: "192.0.2.7", port: 443, url: "https://192.0.2.7/"},
	} {
		got, err := ParseTarget(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		addr := ""
		if got.Addr.IsValid() {
			addr = got.Addr.String()
		}
		if got.Kind != c.kind || addr != c.addr || got.Name != c.name || got.Port != c.port || got.URL != c.url || got.Size() != max(1, c.size) {
			t.Errorf("%s: got %+v, size %d", c.text, got, got.Size())
		}
	}
}

func TestTargetsAreRefusedByName(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "empty",
		"  ":                               "empty",
		"-iL":                              "looks like an option",
		"--script=x":                       "looks like an option",
		"a b":                              `contains ' '`,
		"a\x00b":                           "contains",
		"a;reboot":                         `contains ';'`,
		"$(id)":                            `contains '$'`,
		"a\u202eb":                         "not",
		"010.0.0.1":                        "leading zero",
		"10.0.0.08-20":                     "leading zero",
		"0x7f.1":                           "not an IPv4 address",
		"2130706433":                       "not an IPv4 address",
		"127.1":                            "not an IPv4 address",
		"10.0.0.256":                       "not an IPv4 address",
		"10.0.0.20-10.0.0.1":               "ends before",
		"10.0.0.20-1":                      "ends before",
		"10.0.0.1-::1":                     "one family",
		"10.0.0.0/8":                       "16777216 addresses",
		"2001:db8::/64":                    "2^64 or more",
		"0.0.0.0-255.255.255.255":          "unspecified",
		"1-255.0-255.0-255.0-255":          "addresses",
		"10.0.0.0/33":                      "not a network",
		"example.org/24":                   "not a network",
		"0.0.0.0":                          "unspecified",
		"224.0.0.1":                        "multicast",
		"ff02::1":                          "multicast",
		"255.255.255.255":                  "broadcast",
		"192.0.2.1:0":                      "port",
		"192.0.2.1:99999":                  "port",
		"::1:99999":                        "IPv6",
		"[::1":                             "want [IPv6",
		"[192.0.2.1]:80":                   "want [IPv6",
		"fe80::1%eth0;x":                   "contains",
		"2001:db8::1%eth0":                 "link-local",
		"ftp://example.org":                "only http",
		"file:///etc/passwd":               "only http",
		"javascript://x":                   "only http",
		"http://":                          "names no host",
		"http://user:pw@host/":             "user name or password",
		"user@host":                        "not an address",
		"http://10.0.0.1@169.254.169.254/": "user name or password",
		"http://a.example#@b.example/":     "leave out",
		"http://a.example?@b.example/":     "leave out",
		"http://2852039166/":               "not an IPv4 address",
		"http://0xa9fea9fe/":               "not an IPv4 address",
		"http://0xa9.0xfe.0xa9.0xfe/":      "not an IPv4 address",
		"http://0251.0376.0251.0376/":      "leading zero",
		"http://169.254.43518/":            "not an IPv4 address",
		"http://-oX.example/":              "not an address",
		"http:/host":                       "not a network",
		"http:host":                        "port",
		"//host/path":                      "not a network",
		"https:\\\\host":                   "contains",
		"http://host%00.example/":          "not a URL",
		"http://host%2f.example/":          "not a URL",
		"HTTPS+unix://host/":               "only http",
		"gopher://127.0.0.1:25/":           "only http",
		"http://[fe80::1%25-x]/":           "not an interface name",
		"fe80::1%-x":                       "not an interface name",
		"http://host/?q=1":                 "leave out",
		"http://host/#a":                   "leave out",
		"http://host:/":                    "names no port",
		"http://host:0/":                   "port",
		"http://010.0.0.1/":                "leading zero",
		"-x.example":                       "option",
		"x-.example":                       "not an address",
		"a..b":                             "not an address",
		strings.Repeat("a", 64):            "not an address",
		strings.Repeat("a.", 200):          "253",
		strings.Repeat("a", 100000):        "longer",
	} {
		_, err := ParseTarget(text)
		if err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%.60q: got %v, want %q", text, err, want)
			continue
		}
		if strings.Contains(err.Error(), "user:pw") || len(err.Error()) > 400 {
			t.Errorf("%.60q: the error shows too much: %v", text, err)
		}
	}
}

func TestExcludesMayBeLarge(t *testing.T) {
	if _, err := ParseExclude("10.0.0.0/8"); err != nil {
		t.Error(err)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"192.0.2.1", "10.0.0.0/24", "10.0.0-1.1-20", "::1", "[::1]:80", "http://a.example:80/x", "fe80::1%eth0",
		"bücher.example", "-oX", "010.0.0.1", "a-b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseTarget(text)
		if err != nil {
			return
		}
		if target.Size() > MaxAddresses {
			t.Fatalf("%q: size %d", text, target.Size())
		}
		for _, said := range []string{target.Name, target.URL, target.Addr.Zone()} {
			if strings.HasPrefix(said, "-") || strings.ContainsAny(said, " \t\r\n;|&$`\"'<>\x00") {
				t.Fatalf("%q became %q", text, said)
			}
		}
		n := uint64(0)
		for addr := range target.addresses() {
			n++
			if !target.Contains(addr) {
				t.Fatalf("%q yields %s and does not contain it", text, addr)
			}
		}
		if n > target.Size() {
			t.Fatalf("%q yields %d of %d addresses", text, n, target.Size())
		}
		again := target.URL
		if target.Name != "" && again == "" {
			again = target.Name
		}
		if again != "" {
			if _, err := ParseTarget(again); err != nil {
				t.Fatalf("%q was rebuilt as %q: %v", text, again, err)
			}
		}
	})
}
