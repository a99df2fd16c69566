package native

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cpe"
)

var update = flag.Bool("update", false, "write the golden files")

func TestSignaturesNameWhatServersSay(t *testing.T) {
	table, err := os.ReadFile("testdata/banners.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for row := range strings.Lines(string(table)) {
		kind, text, ok := strings.Cut(strings.TrimRight(row, "\n"), "\t")
		if !ok {
			continue
		}
		s := learnText(kind, text)
		fmt.Fprintf(&got, "%s: %s\n\t%s | %s\n", kind, text, s.Product, s.Version)
		for _, c := range s.CPEs {
			fmt.Fprintf(&got, "\t%s\n", c)
		}
		if s.OS != "" || s.Backport != "" {
			fmt.Fprintf(&got, "\tos %s, backport %q %s\n", s.OS, s.Backport, strings.Join(s.OSCPEs, " "))
		}
	}
	golden(t, "testdata/banners.golden", got.Bytes())
}

// learnText is what a probe of that kind would do with one text.
func learnText(kind, text string) *service {
	s := &service{}
	switch kind {
	case "http.server":
		s.learnServer(text)
	case "http.header", "http.title", "http.generator", "http.body":
		s.addAll(kind, text)
	default:
		if g, ok := identify(kind, text); ok {
			s.add(g)
		}
	}
	s.distribution(text)
	return s
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), -update writes it anew:\n%s", name, diff)
	}
}

func TestTheSignatureTableIsSound(t *testing.T) {
	table, err := parseSignatures(signaturesText)
	if err != nil {
		t.Fatal(err)
	}
	for kind, list := range table {
		for _, sig := range list {
			where := fmt.Sprintf("signatures.txt:%d", sig.line)
			for i := sig.pattern.NumSubexp() + 1; i < 10; i++ {
				if group := fmt.Sprintf("$%d", i); strings.Contains(sig.version+strings.Join(sig.cpes, ""), group) {
					t.Errorf("%s: %s is not in the expression", where, group)
				}
			}
			if sig.version == "" && strings.Contains(strings.Join(sig.cpes, ""), "$") && kind != "app" {
				t.Errorf("%s: a CPE name has a version that the service has not", where)
			}
			if kind == "banner" && sig.protocol == "" {
				t.Errorf("%s: a banner names no protocol", where)
			}
			for _, c := range sig.guess(make([]string, sig.pattern.NumSubexp()+1)).cpes {
				if _, err := cpe.Parse(c); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
		}
	}
}

func TestBannerTextNeverBecomesAWildcard(t *testing.T) {
	for _, text := range []string{"redis 1.2.3", "*", "?", `\*`, "1.*", "a:b:c", "1.0 beta\x00"} {
		name, err := cpe.Parse(cpeName('a', "v", "p", text, text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, a := range []cpe.Attribute{cpe.Version, cpe.Update} {
			if v := name.Get(a); cpe.HasWildcard(v) || v == cpe.Any || v == cpe.NA {
				t.Errorf("%q became %q", text, v)
			}
		}
	}
}

func TestPagesDoNotNameADistribution(t *testing.T) {
	r := parseResponse([]byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\n<title>How to install Debian</title> (Ubuntu) .el7"))
	s := &service{Name: "http", Banner: []byte(r.head)}
	s.learnHTTP(r)
	s.complete()
	if s.Backport != "" || s.OS != "" {
		t.Errorf("a page about Debian made it backport %q on %q", s.Backport, s.OS)
	}
}
