package cpe

import (
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestParsePrintsCanonically(t *testing.T) {
	for in, want := range map[string]string{
		"cpe:/a:openbsd:openssh:7.2p2":                                   "cpe:2.3:a:openbsd:openssh:7.2p2:*:*:*:*:*:*:*",
		"cpe:/o:linux:linux_kernel":                                      "cpe:2.3:o:linux:linux_kernel:*:*:*:*:*:*:*:*",
		"CPE:2.3:A:OpenBSD:OpenSSH:7.2:P2:*:*:*:*:*:*":                   "cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*",
		"cpe:2.3:a:openbsd:openssh:7.2":                                  "cpe:2.3:a:openbsd:openssh:7.2:*:*:*:*:*:*:*",
		"cpe:/a:yoast:seo:1.0::~~~wordpress~~":                           "cpe:2.3:a:yoast:seo:1.0:*:*:*:*:wordpress:*:*",
		"cpe:/o:cisco:ios:12.2%2833%29sxi":                               `cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*:*:*:*:*:*:*`,
		"cpe:2.3:o:cisco:ios:12.2(33)sxi:*:*:*:*:*:*:*":                  `cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*:*:*:*:*:*:*`,
		`cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*:*:*:*:*:*:*`:                `cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*:*:*:*:*:*:*`,
		"cpe:2.3:a:notepad-plus-plus:notepad++:8.1:-:*:*:*:*:*:*":        `cpe:2.3:a:notepad-plus-plus:notepad\+\+:8.1:-:*:*:*:*:*:*`,
		`cpe:2.3:a:hp:a\/b:1:*:*:*:*:*:*:*`:                              `cpe:2.3:a:hp:a\/b:1:*:*:*:*:*:*:*`,
		`cpe:2.3:a:x:y\.z:1\.0:*:*:*:*:*:*:*`:                            `cpe:2.3:a:x:y.z:1.0:*:*:*:*:*:*:*`,
		`cpe:2.3:a:x:y:1\:2.3:*:*:*:*:*:*:*`:                             `cpe:2.3:a:x:y:1\:2.3:*:*:*:*:*:*:*`,
		"cpe:/a:foo%5cbar:big%24money_2010%07:1":                         "",
		"cpe:/h:cisco:asa_5505:-":                                        "cpe:2.3:h:cisco:asa_5505:-:*:*:*:*:*:*:*",
		"cpe:/a:apache:http_server:*":                                    "cpe:2.3:a:apache:http_server:*:*:*:*:*:*:*:*",
		"cpe:/a:apache:http_server:*:*:*":                                "cpe:2.3:a:apache:http_server:*:*:*:*:*:*:*:*",
		"cpe:2.3:a:apache:http_server:2.4.*:*:*:*:*:*:*:*":               "cpe:2.3:a:apache:http_server:2.4.*:*:*:*:*:*:*:*",
		"cpe:/a:mysql:mysql:5.7.20-log":                                  "cpe:2.3:a:mysql:mysql:5.7.20-log:*:*:*:*:*:*:*",
		"cpe:2.3:a:microsoft:internet_information_services:10.0:*:*:*:*": "cpe:2.3:a:microsoft:internet_information_services:10.0:*:*:*:*:*:*:*",
	} {
		n, err := Parse(in)
		if want == "" {
			if err == nil {
				t.Errorf("Parse(%q) = %s, want an error", in, n)
			}
			continue
		}
		if err != nil || n.String() != want {
			t.Errorf("Parse(%q) = %s, %v, want %s", in, n, err, want)
		}
	}
}

func TestParseNamesTheMistake(t *testing.T) {
	for in, want := range map[string]string{
		"":                                `want "cpe:2.3:…"`,
		"openssh 7.2":                     "openssh 7.2",
		"cpe:2.3:x:a:b:1":                 `part "x"`,
		"cpe:/a:*:http_server:2.4.49":     `vendor "*" is a wildcard: name one vendor`,
		"cpe:/a:apache:*:2.4.49":          `product "*" is a wildcard: name one product`,
		"cpe:2.3:a":                       "ends before the vendor",
		"cpe:2.3:a:openbsd":               "ends before the product",
		"cpe:/a:openbsd":                  "ends before the product",
		"cpe:/a":                          "ends before the vendor",
		`cpe:2.3:a:b:c:1\`:                `version: "1\\" ends in a lone backslash`,
		"cpe:/a:b:c:1%2":                  "cut percent-encoding",
		"cpe:/a:b:c:1%zz":                 "bad percent-encoding",
		"cpe:2.3:a:b:c:1\x00":             "control character",
		"cpe:/a:b:c:1:2:3:4:5":            "more than 7",
		"cpe:/a:b:c:1::~a~b~c":            "want 5 parts",
		"cpe:2.3:a:b:c:1:2:3:4:5:6:7:8:9": "more than 11",
		"cpe:2.3:a:b:" + strings.Repeat("c", 2000):      "longer than",
		"cpe:2.3:a:b:c:" + strings.Repeat("1", 300):     "longer than 255",
		"cpe:/a:b:c:" + strings.Repeat("1", 300):        "longer than 255",
		"cpe:2.3:*:openbsd:openssh:7.2:*:*:*:*:*:*:*:*": `part "*"`,
	} {
		_, err := Parse(in)
		if err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("Parse(%q): error %v, want %q", in, err, want)
		}
	}
}

func TestBannerTextNeverBecomesAWildcard(t *testing.T) {
	n := New('a', "x", "-", "1.*?:2", "*")
	if HasWildcard(n.Get(ProductName)) || HasWildcard(n.Get(Version)) || HasWildcard(n.Get(Update)) {
		t.Fatalf("wildcard in %s", n)
	}
	again, err := Parse(n.String())
	if err != nil || again != n {
		t.Fatalf("%s reads back as %s, %v", n, again, err)
	}
	if got := n.Text(Version); got != "1.*?:2" {
		t.Fatalf("text %q", got)
	}
}

func TestAliasesAreOneProduct(t *testing.T) {
	for _, group := range [][]string{
		{"f5:nginx", "nginx:nginx", "igor_sysoev:nginx"},
		{"beasts:vsftpd", "vsftpd_project:vsftpd", "vsftpd:vsftpd"},
		{"microsoft:iis", "microsoft:internet_information_services", "microsoft:internet_information_server"},
		{"oracle:mysql", "mysql:mysql"},
		{"dropbear_ssh_project:dropbear_ssh", "matt_johnston:dropbear_ssh_server"},
		{"redis:redis", "redislabs:redis"},
	} {
		first := product(group[0])
		for _, g := range group {
			found := false
			for _, a := range Aliases(product(g)) {
				found = found || a == first
			}
			if !found {
				t.Errorf("%s is not an alias of %s", g, first)
			}
		}
	}
	if got := Aliases(product("openbsd:openssh"))[0]; got != product("openbsd:openssh") {
		t.Errorf("the product itself comes first, got %s", got)
	}
}

func product(s string) Product {
	vendor, name, _ := strings.Cut(s, ":")
	return Product{Part: 'a', Vendor: vendor, Product: name}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"cpe:/a:openbsd:openssh:7.2p2", `cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*:*:*:*:*:*:*`, "cpe:/a:y:s:1::~~~wordpress~~", "cpe:/a:a:b:%02"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(n.String())
		if err != nil || again.String() != n.String() {
			t.Fatalf("%q prints %q, which reads back as %q, %v", s, n, again, err)
		}
		q := New('a', s, s, s, "")
		if HasWildcard(q.Get(Vendor)) && q.Get(Vendor) != Any {
			t.Fatalf("Quote(%q) holds a wildcard: %s", s, q)
		}
	})
}
