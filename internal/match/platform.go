package match

import (
	"bytes"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/version"
)

// inventory is all that is known of one host: the platform of each subject.
type inventory struct {
	queries  []query
	families map[string]bool // operating system families that the host's names show
}

func (h *inventory) add(n cpe.Name) {
	h.queries = append(h.queries, newQuery(n))
	if f := familyOf(n); f != "" {
		if h.families == nil {
			h.families = map[string]bool{}
		}
		h.families[f] = true
	}
}

// truth is three-valued: what the host does not show is not known.
type truth uint8

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

// verdict is the truth of a condition and, while it is not known, what would make it true.
type verdict struct {
	truth truth
	needs []string
}

// maxNeeds bounds how many alternatives are named.
const maxNeeds = 20

// eval evaluates e over the host: AND and OR by Kleene's tables.
func (h *inventory) eval(e *expr) verdict {
	switch e.op {
	case opLeaf:
		return h.leaf(e)
	case opNot:
		v := h.eval(&e.kids[0])
		if v.truth == isUnknown {
			return verdict{isUnknown, []string{"not " + strings.Join(v.needs, ", not ")}}
		}
		return verdict{truth: isTrue - v.truth}
	case opAnd:
		return h.all(e.kids)
	}
	return h.any(e.kids)
}

func (h *inventory) all(kids []expr) verdict {
	out := verdict{truth: isTrue}
	for i := range kids {
		v := h.eval(&kids[i])
		if v.truth == isFalse {
			return v
		}
		out.truth = min(out.truth, v.truth)
		out.needs = append(out.needs, v.needs...)
	}
	return out
}

// both is the conjunction of two verdicts.
func both(a, b verdict) verdict {
	needs := append(a.needs[:len(a.needs):len(a.needs)], b.needs...)
	return verdict{truth: min(a.truth, b.truth), needs: needs}
}

func (h *inventory) any(kids []expr) verdict {
	out := verdict{truth: isFalse}
	for i := range kids {
		v := h.eval(&kids[i])
		if v.truth == isTrue {
			return v
		}
		if v.truth == isUnknown {
			out.truth = isUnknown
			out.needs = append(out.needs, v.needs...)
		}
	}
	return out
}

// leaf looks for e among the host's names. A name of the same product settles it either way; another operating system
// of a known family, another distribution or another device contradicts; anything else leaves it open.
func (h *inventory) leaf(e *expr) verdict {
	contradicted := false
	for i := range h.queries {
		switch h.queries[i].settles(e) {
		case isTrue:
			return verdict{truth: isTrue}
		case isFalse:
			contradicted = true
		}
	}
	if contradicted {
		return verdict{truth: isFalse}
	}
	return verdict{isUnknown, []string{e.describe()}}
}

// settles says what one of the host's names tells of a condition.
func (q *query) settles(e *expr) truth {
	if cpe.Same(q.name.Product(), e.name.Product()) {
		return fitsPlatform(q, e)
	}
	return relatesTo(q.name, e)
}

// describe names a condition: its CPE and, if there is one, the range.
func (e *expr) describe() string {
	if e.bounds.empty() {
		return e.name.String()
	}
	return e.name.String() + " (" + e.bounds.String() + ")"
}

// fitsPlatform tests a host's name against a condition on the same product.
func fitsPlatform(q *query, e *expr) truth {
	if !q.attributes(attrsOf(e.name)).ok {
		return isFalse
	}
	want := e.name.Get(cpe.Version)
	if e.bounds.empty() && (want == cpe.Any || want == cpe.NA && !e.vulnerable) {
		return isTrue // the platform, whatever its version
	}
	if q.version == cpe.Any {
		return isUnknown
	}
	switch q.fits(e) {
	case no:
		return isFalse
	case yes, every:
		return isTrue
	}
	return isUnknown
}

// fits compares q with a condition on the same product exactly as with a rule of a pack.
func (q *query) fits(e *expr) grade {
	want, attr := e.name.Get(cpe.Version), open(e.name.Get(cpe.Update))
	switch {
	case !e.bounds.empty():
		return q.fitsBounds(e.bounds, attr)
	case want == cpe.Any:
		return q.fitsEvery(attr)
	case want == cpe.NA:
		return when(q.version == cpe.NA)
	case cpe.HasWildcard(want):
		return q.fitsPattern(want)
	}
	base, glued := version.Split(cpe.Unquote(want))
	if q.version == cpe.NA || !bytes.Equal(version.Key(base), q.base) {
		return no
	}
	return q.fitsUpdate(base, glued, attr)
}

func (q *query) fitsBounds(b bounds, attr string) grade {
	if q.version == cpe.NA {
		return no
	}
	var start, end *edge
	if b.start != "" {
		start = newEdge(b.start)
	}
	if b.end != "" {
		end = newEdge(b.end)
	}
	return q.inRange(start, end, boundFlags(b), attr)
}

// relatesTo compares a host's name with a condition on another product.
func relatesTo(host cpe.Name, e *expr) truth {
	if host.Part != e.name.Part || host.Part == 'a' {
		return isUnknown
	}
	if host.Part == 'h' {
		return isFalse // one host is one device
	}
	have, want := familyOf(host), familyOf(e.name)
	switch {
	case have == "" && want == "":
		return isFalse // two devices' firmware
	case have == "" || want == "":
		return isUnknown
	case have != want:
		return isFalse
	case isGeneric(e.name) && e.bounds.empty() && versionless(e.name):
		return isTrue // a Debian is a Linux
	case isGeneric(e.name) || isGeneric(host):
		return isUnknown
	}
	return isFalse // another distribution, another Windows
}

func versionless(n cpe.Name) bool {
	v := n.Get(cpe.Version)
	return v == cpe.Any || v == cpe.NA
}

// isGeneric says whether n names a whole family instead of one of its products.
func isGeneric(n cpe.Name) bool {
	switch n.Get(cpe.ProductName) {
	case "windows", "linux_kernel", "linux", "unix", "mac_os", "kernel":
		return n.Get(cpe.Vendor) == "linux" || n.Get(cpe.Vendor) == "microsoft" || n.Get(cpe.Vendor) == "apple" || n.Get(cpe.ProductName) == "unix"
	}
	return false
}

// linuxes are products that are Linux distributions, by the beginning of their names.
var linuxes = []string{
	"linux", "debian", "ubuntu", "enterprise_linux", "centos", "fedora", "opensuse", "leap", "suse", "sles", "alpine",
	"gentoo", "arch_linux", "mandrake", "mandriva", "mageia", "slackware", "amazon_linux", "rocky", "almalinux", "kali",
	"raspbian", "raspberry_pi_os", "photon_os", "openwrt",
}

// familyOf names the operating system family of n, "" for applications, hardware, and systems of their own (firmware).
func familyOf(n cpe.Name) string {
	if n.Part != 'o' {
		return ""
	}
	product := n.Get(cpe.ProductName)
	for _, l := range linuxes {
		if strings.HasPrefix(product, l) {
			return "linux"
		}
	}
	if strings.HasPrefix(product, "windows") && n.Get(cpe.Vendor) == "microsoft" {
		return "windows"
	}
	return osFamily(product)
}

// osFamilies maps names as they stand in product and target_sw.
var osFamilies = map[string]string{
	"windows": "windows", "windows_nt": "windows", "windows_10": "windows", "windows_11": "windows", "win32": "windows",
	"linux": "linux", "linux_kernel": "linux", "debian": "linux", "ubuntu": "linux", "unix": "unix",
	"macos": "macos", "mac_os": "macos", "mac_os_x": "macos", "mac_os_x_server": "macos", "mac": "macos", "osx": "macos", "os_x": "macos",
	"android": "android", "iphone_os": "ios", "ios": "ios", "ipados": "ios", "ipad_os": "ios",
	"freebsd": "freebsd", "openbsd": "openbsd", "netbsd": "netbsd", "solaris": "solaris", "sunos": "solaris", "opensolaris": "solaris",
	"aix": "aix", "hp-ux": "hp-ux", "irix": "irix", "esxi": "esxi", "chrome_os": "chrome_os",
}

// osFamily names the family of an operating system by its name alone, "" if it is none that we know.
func osFamily(name string) string { return osFamilies[name] }

// shows says whether the host's platform is the operating system that a rule's target_sw names.
func (h *inventory) shows(targetOS string) verdict {
	switch {
	case h.families[osFamily(targetOS)]:
		return verdict{truth: isTrue}
	case len(h.families) > 0 && targetOS != "unix":
		return verdict{truth: isFalse}
	}
	return verdict{isUnknown, []string{"target_sw:" + cpe.Unquote(targetOS)}}
}
