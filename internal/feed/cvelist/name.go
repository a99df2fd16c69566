package cvelist

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
)

// companyWords say what kind of body a vendor is; a CPE name leaves them out.
var companyWords = map[string]bool{
	"inc": true, "incorporated": true, "corp": true, "corporation": true, "co": true, "company": true, "ltd": true,
	"limited": true, "llc": true, "plc": true, "gmbh": true, "ag": true, "kg": true, "sa": true, "s.a": true, "sas": true,
	"bv": true, "b.v": true, "ab": true, "oy": true, "srl": true, "s.r.l": true, "s.r.o": true, "pty": true, "pte": true,
	"foundation": true, "se": true, "project": true, "team": true, "community": true,
}

// vendorNames are vendors of several words by the name that NVD gives them, which follows no rule.
var vendorNames = map[string]string{
	"red hat": "redhat", "palo alto networks": "paloaltonetworks", "trend micro": "trendmicro", "check point": "checkpoint",
	"rockwell automation": "rockwellautomation", "schneider electric": "schneider-electric", "f5 networks": "f5",
	"hewlett packard enterprise": "hpe", "johnson controls": "johnsoncontrols", "western digital": "westerndigital",
	"hitachi energy": "hitachienergy", "cisco systems": "cisco", "node.js": "nodejs", "linux kernel": "linux",
}

// wholeNames are products whose CPE name cannot be read off their names.
var wholeNames = map[[2]string]cpe.Name{
	{"linux", "linux"}:        cpe.New('o', "linux", "linux_kernel", "", ""),
	{"linux", "linux kernel"}: cpe.New('o', "linux", "linux_kernel", "", ""),
	{"linux", "kernel"}:       cpe.New('o', "linux", "linux_kernel", "", ""),
	{"python", "cpython"}:     cpe.New('a', "python", "python", "", ""),
	{"nodejs", "node"}:        cpe.New('a', "nodejs", "node.js", "", ""),
	{"apache", "log4j2"}:      cpe.New('a', "apache", "log4j", "", ""),
	{"apple", "macos"}:        cpe.New('o', "apple", "macos", "", ""),
}

const maxName = 100 // bytes; longer ones are sentences

// derive makes a CPE name of a vendor's and a product's names, as NVD makes most of its own: lower case, blanks as "_",
// the vendor without what kind of company it is, the product without the vendor.
//
//	Apache Software Foundation, Apache HTTP Server -> apache:http_server
func derive(vendor, product string) (cpe.Name, bool) {
	if said(vendor) == "" || said(product) == "" || len(vendor) > maxName || len(product) > maxName {
		return cpe.Name{}, false
	}
	v := vendorWords(vendor)
	p := productWords(v, words(product))
	if len(v) == 0 || len(p) == 0 {
		return cpe.Name{}, false
	}
	short, long := strings.Join(v, " "), strings.Join(p, " ")
	if known := vendorNames[short]; known != "" {
		short = known
	}
	if whole, ok := wholeNames[[2]string{short, long}]; ok {
		return whole, true
	}
	name := cpe.New('a', short, long, "", "")
	_, ok := published(name.String())
	return name, ok
}

// words cuts a name at blanks and takes commas and full stops off its words' ends.
func words(text string) []string {
	fields := strings.Fields(strings.ToLower(text))
	out := fields[:0]
	for _, f := range fields {
		if f = strings.Trim(f, ",;®™"); f != "" && f != "." {
			out = append(out, f)
		}
	}
	return out
}

// vendorWords leaves out what kind of company a vendor is, as long as anything remains.
func vendorWords(vendor string) []string {
	v := words(vendor)
	if len(v) > 1 && v[0] == "the" {
		v = v[1:]
	}
	for len(v) > 1 {
		tail := strings.TrimRight(v[len(v)-1], ".")
		if !companyWords[tail] {
			break
		}
		if v = v[:len(v)-1]; tail == "foundation" && len(v) > 1 && v[len(v)-1] == "software" {
			v = v[:len(v)-1]
		}
	}
	return v
}

// productWords leaves out the vendor's name at the product's beginning, as long as anything remains.
func productWords(vendor, product []string) []string {
	n := 0
	for n < len(vendor) && n < len(product) && vendor[n] == product[n] {
		n++
	}
	if n == len(product) {
		return product
	}
	return product[n:]
}
