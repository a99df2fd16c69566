package native

import (
	"regexp"
	"strings"
	"sync"
)

// distribution is a Linux distribution or another system that a banner names.
type distribution struct {
	name      string // "Debian"
	version   string // "12", "" when not said
	vendor    string // of its CPE name; "" where NVD has none
	product   string
	backports bool // its packages keep the upstream version while fixes go in
}

func (d distribution) os() string { return strings.TrimSpace(d.name + " " + d.version) }

func (d distribution) cpe() string {
	if d.vendor == "" {
		return ""
	}
	return cpeName('o', d.vendor, d.product, d.version, "")
}

// mark is how a distribution shows in a banner. Group 1 is its version; versions translates it where it is a code.
type mark struct {
	pattern  string
	system   distribution
	versions map[string]string
}

var (
	debian   = distribution{name: "Debian", vendor: "debian", product: "debian_linux", backports: true}
	ubuntu   = distribution{name: "Ubuntu", vendor: "canonical", product: "ubuntu_linux", backports: true}
	raspbian = distribution{name: "Raspbian", backports: true}
	redhat   = distribution{name: "Red Hat Enterprise Linux", vendor: "redhat", product: "enterprise_linux", backports: true}
	centos   = distribution{name: "CentOS", vendor: "centos", product: "centos", backports: true}
	fedora   = distribution{name: "Fedora", vendor: "fedoraproject", product: "fedora", backports: true}
	suse     = distribution{name: "SUSE", backports: true}
	amazon   = distribution{name: "Amazon Linux", backports: true}
	oracle   = distribution{name: "Oracle Linux", vendor: "oracle", product: "linux", backports: true}
	windows  = distribution{name: "Windows", vendor: "microsoft", product: "windows"}
	freebsd  = distribution{name: "FreeBSD", vendor: "freebsd", product: "freebsd", backports: true}
	sibling  = func(name string) distribution { return distribution{name: name, backports: true} }
	gentoo   = distribution{name: "Gentoo"}
	alpine   = distribution{name: "Alpine Linux", vendor: "alpinelinux", product: "alpine_linux", backports: true}
)

// Ubuntu says its release only through the OpenSSH version that it froze: the long-term releases and their versions.
var ubuntuBySSH = map[string]string{
	"5.3p1": "10.04", "5.9p1": "12.04", "6.6p1": "14.04", "7.2p2": "16.04", "7.6p1": "18.04", "8.2p1": "20.04",
	"8.9p1": "22.04", "9.6p1": "24.04",
}

// Debian names of releases in package versions before they carried "+debN".
var debianByName = map[string]string{"lenny": "5", "squeeze": "6", "wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10",
	"bullseye": "11", "bookworm": "12", "trixie": "13"}

// marks are tried in order: what names a release before what names only the distribution, derivatives before Debian.
var marks = []mark{
	{`(?i)raspbian[-0-9.a-z:~]*\+deb(\d{1,2})u`, raspbian, nil},
	{`(?i)raspbian|\+rpi\d|\+rpt\d`, raspbian, nil},
	{`OpenSSH_([\d.]+p\d+) Ubuntu`, ubuntu, ubuntuBySSH},
	{`(?:ubuntu0?|~)(1[024]\.04|1[68]\.04|2[024]\.04|26\.04)(?:[^\d]|$)`, ubuntu, nil},
	{`(?i)(?:^|[(~+ /-])ubuntu|ubuntu\d`, ubuntu, nil},
	{`[+~](?:deb|bpo)(\d{1,2})(?:u\d|\+\d)`, debian, nil},
	{`(?i)[+~](lenny|squeeze|wheezy|jessie|stretch|buster|bullseye|bookworm|trixie)\d*\b`, debian, debianByName},
	{`Debian GNU/Linux (\d+)\b`, debian, nil},
	{`(?i)[(~+ -]debian|debian/gnu|debian gnu|^debian`, debian, nil},
	{`(?i)\(CentOS(?: Stream)?(?: Linux)?\)|CentOS`, centos, nil},
	{`\(Rocky(?: Linux)?\)`, sibling("Rocky Linux"), nil},
	{`\(AlmaLinux\)`, sibling("AlmaLinux"), nil},
	{`\(Oracle Linux(?: Server)?\)`, oracle, nil},
	{`[.-]module\+el(\d+)`, redhat, nil},
	{`[.-]el(\d{1,2})(?:[_.\s-]|$)`, redhat, nil},
	{`(?i)red ?hat`, redhat, nil},
	{`\.amzn(\d*)`, amazon, nil},
	{`\(Amazon(?: Linux)?\)`, amazon, nil},
	{`\.fc(\d{2})\b`, fedora, nil},
	{`\(Fedora(?: Linux)?\)`, fedora, nil},
	{`(?i)\((?:linux/)?(?:open)?SUSE[^)]*\)|opensuse|\bSLES\b`, suse, nil},
	{`FreeBSD-(?:openssh-portable-)?[\d.,]*`, freebsd, nil},
	{`\(FreeBSD\)`, freebsd, nil},
	{`\((?:Win32|Win64|Windows)[^)]*\)|OpenSSH_for_Windows|Microsoft-(?:IIS|HTTPAPI)`, windows, nil},
	{`(?i)\(gentoo`, gentoo, nil},
	{`(?i)\(alpine`, alpine, nil},
}

var compiledMarks = sync.OnceValue(func() []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(marks))
	for i, m := range marks {
		all[i] = regexp.MustCompile(m.pattern)
	}
	return all
})

// distributionIn returns the distribution that a banner names.
func distributionIn(text string) (distribution, bool) {
	text = clip(text, 4096)
	for i, re := range compiledMarks() {
		m := re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		d := marks[i].system
		if len(m) > 1 {
			d.version = m[1]
			if table := marks[i].versions; table != nil {
				d.version = table[strings.ToLower(m[1])]
			}
		}
		return d, true
	}
	return distribution{}, false
}
