package native

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/cpe"
)

//go:embed signatures.txt
var signaturesText string

// signature is one line of signatures.txt.
type signature struct {
	protocol string // only of the kind "banner"
	pattern  *regexp.Regexp
	product  string
	version  string   // template, "$1$2"
	cpes     []string // templates, "a:openbsd:openssh:$1:$2"
	line     int
}

// signatures is the table by kind, in the order of the file. It is parsed when the first text is looked at, so that
// commands that do not scan do not pay for it.
var signatures = sync.OnceValue(func() map[string][]signature {
	table, err := parseSignatures(signaturesText)
	if err != nil {
		panic(err) // the embedded file is part of the program; a test reads it
	}
	return table
})

func parseSignatures(text string) (map[string][]signature, error) {
	table := map[string][]signature{}
	n := 0
	for row := range strings.Lines(text) {
		n++
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' {
			continue
		}
		fields := strings.Split(row, " :: ")
		if len(fields) < 4 || len(fields) > 5 {
			return nil, fmt.Errorf("signatures.txt:%d: %d fields, not 4 or 5", n, len(fields))
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		kind, protocol, _ := strings.Cut(fields[0], ":")
		pattern, err := regexp.Compile(fields[1])
		if err != nil {
			return nil, fmt.Errorf("signatures.txt:%d: %w", n, err)
		}
		sig := signature{protocol: protocol, pattern: pattern, product: fields[2], version: fields[3], line: n}
		if sig.product == "-" {
			sig.product = ""
		}
		if sig.version == "-" {
			sig.version = ""
		}
		if len(fields) == 5 {
			sig.cpes = strings.Fields(fields[4])
		}
		for _, c := range sig.cpes {
			if k := strings.Count(c, ":"); k < 2 || k > 4 {
				return nil, fmt.Errorf("signatures.txt:%d: %q is not part:vendor:product[:version[:update]]", n, c)
			}
		}
		table[kind] = append(table[kind], sig)
	}
	return table, nil
}

// guess is what a signature says about a text.
type guess struct {
	protocol string
	product  string
	version  string
	cpes     []string
}

// maxSignatureText bounds what a pattern is run over; RE2 is linear, a page of a server that hates us is long.
const maxSignatureText = 64 << 10

// identify returns what the first matching signature of kind says about text.
func identify(kind, text string) (guess, bool) {
	text = clip(text, maxSignatureText)
	for _, sig := range signatures()[kind] {
		if m := sig.pattern.FindStringSubmatch(text); m != nil {
			return sig.guess(m), true
		}
	}
	return guess{}, false
}

// identifyAll returns what every matching signature of kind says, in the order of the table.
func identifyAll(kind, text string) []guess {
	text = clip(text, maxSignatureText)
	var all []guess
	for _, sig := range signatures()[kind] {
		if m := sig.pattern.FindStringSubmatch(text); m != nil {
			all = append(all, sig.guess(m))
		}
	}
	return all
}

func (sig signature) guess(groups []string) guess {
	fill := func(template string) string {
		for i := len(groups) - 1; i > 0; i-- {
			template = strings.ReplaceAll(template, fmt.Sprintf("$%d", i), clip(groups[i], 64))
		}
		return strings.TrimSpace(template)
	}
	g := guess{protocol: sig.protocol, product: line(fill(sig.product)), version: line(fill(sig.version))}
	for _, template := range sig.cpes {
		var part [5]string
		for i, field := range strings.SplitN(template, ":", 5) {
			part[i] = fill(field)
		}
		g.cpes = append(g.cpes, cpeName(part[0][0], part[1], part[2], part[3], part[4]))
	}
	return g
}

// cpeName writes a CPE 2.3 name from plain text; text from a banner never becomes a wildcard. An empty version is ANY.
func cpeName(part byte, vendor, product, version, update string) string {
	return cpe.New(part, strings.ToLower(vendor), strings.ToLower(product), strings.ToLower(version), strings.ToLower(update)).String()
}

// bySignature is the service whose text a signature of kind knows, nil otherwise. name is the protocol, unless the
// signature names one.
func bySignature(kind, name, text string, said []byte) *service {
	g, ok := identify(kind, text)
	if !ok {
		return nil
	}
	s := &service{Name: name, Banner: said}
	s.add(g)
	return s
}

// recognise is bySignature for a protocol that is certain: without a signature the product stays unknown.
func recognise(kind, name, text string, said []byte) *service {
	if s := bySignature(kind, name, text, said); s != nil {
		return s
	}
	return &service{Name: name, Banner: said}
}

// add puts what a signature says on the service: the first product that is said is the service's own, later ones only
// add their CPE names; a version that is said later completes a product known without one. Operating systems go where
// they belong.
func (s *service) add(g guess) {
	if g.protocol != "" && s.Name == "" {
		s.Name = g.protocol
	}
	if s.Product == "" && g.product != "" || s.Product == g.product && s.Version == "" {
		s.Product, s.Version = g.product, g.version
	}
	for _, name := range g.cpes {
		if !strings.HasPrefix(name, "cpe:2.3:o:") {
			s.addCPE(name)
		} else if len(s.OSCPEs) == 0 {
			s.OSCPEs = []string{name}
			s.OS = systemNames[strings.Join(strings.Split(name, ":")[3:5], ":")]
		}
	}
}

// systemNames names for people the systems that only one kind of product runs on.
var systemNames = map[string]string{
	"microsoft:windows": "Windows", "cisco:ios": "Cisco IOS", "mikrotik:routeros": "MikroTik RouterOS", "oracle:solaris": "Solaris",
	"vmware:esxi": "VMware ESXi", "openwrt:openwrt": "OpenWrt", "fortinet:fortios": "FortiOS", "paloaltonetworks:pan-os": "PAN-OS",
	"citrix:netscaler_application_delivery_controller_firmware": "Citrix ADC",
}

// addCPE keeps one name of a product: the one that has a version.
func (s *service) addCPE(name string) {
	product, version := splitCPE(name)
	for i, known := range s.CPEs {
		if p, v := splitCPE(known); p == product && (v == "*" || version == "*" || known == name) {
			if v == "*" {
				s.CPEs[i] = name
			}
			return
		}
	}
	if len(s.CPEs) < maxList {
		s.CPEs = append(s.CPEs, name)
	}
}

func splitCPE(name string) (product, version string) {
	n, err := cpe.Parse(name)
	if err != nil {
		return name, ""
	}
	return n.Product().String(), n.Get(cpe.Version)
}

// note appends to Extra, which is for people.
func (s *service) note(text string) {
	text = line(clip(text, 200))
	if text == "" || strings.Contains(s.Extra, text) || len(s.Extra) > 400 {
		return
	}
	if s.Extra != "" {
		s.Extra += "; "
	}
	s.Extra += text
}

// complete fills in what the banner says about the distribution, and bounds what goes into the report.
func (s *service) complete() {
	s.Banner = s.Banner[:min(len(s.Banner), maxBanner)]
	if s.Name != "http" && s.Backport == "" && s.OS == "" { // a page may talk about any distribution
		s.distribution(string(s.Banner))
	}
}

// distribution reads text for a distribution's mark and sets what was not known.
func (s *service) distribution(text string) {
	d, ok := distributionIn(text)
	if !ok {
		return
	}
	if s.Backport == "" && d.backports {
		s.Backport = d.name
	}
	if s.OS == "" {
		s.OS = d.os()
		if c := d.cpe(); c != "" {
			s.OSCPEs = []string{c}
		}
	}
}
