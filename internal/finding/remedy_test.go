package finding

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestOneActionIsOneRemedy(t *testing.T) {
	matched := func(criteria, fixedIn, title string) Evidence {
		return Evidence{Sensor: "native", Check: VersionCheck, Status: Affected, Confidence: 80, Criteria: criteria, FixedIn: fixedIn, Title: title}
	}
	told := func(remedy, title string) Evidence {
		return Evidence{Sensor: "nessus", Check: "nessus:1", Status: Affected, Confidence: 90, Remedy: remedy, Title: title}
	}
	const openssh = "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*"
	for _, c := range []struct {
		name      string
		component string
		rows      []Evidence
		key       string
		action    string
	}{
		{"the catalogue's product", "", []Evidence{matched(openssh, "9.8", "OpenSSH before 9.8 …")}, "upgrade:openbsd:openssh", "upgrade OpenSSH to 9.8"},
		{"no fixed version", "", []Evidence{matched(openssh, "", "")}, "upgrade:openbsd:openssh", "upgrade openssh"},
		{"another spelling", "", []Evidence{matched("cpe:2.3:a:igor_sysoev:nginx:*:*:*:*:*:*:*:*", "1.27", "")}, "upgrade:f5:nginx", "upgrade nginx to 1.27"},
		{"product after to", "", []Evidence{told("Upgrade to OpenSSH version 9.8 or later.", "OpenSSH < 9.8 RCE")}, "upgrade:openbsd:openssh", "upgrade OpenSSH to 9.8"},
		{"without the word version", "", []Evidence{told("Upgrade to Apache 2.4.54 or later.", "")}, "upgrade:apache:apache", "upgrade Apache to 2.4.54"},
		{"product before to", "", []Evidence{told("Upgrade Apache Tomcat to version 9.0.37 or later", "")}, "upgrade:apache:apache_tomcat", "upgrade Apache Tomcat to 9.0.37"},
		{"only in the title", "", []Evidence{told("Update to version 9.8 or later.", "OpenSSH < 9.8 Multiple Vulnerabilities")}, "upgrade:openbsd:openssh", "upgrade OpenSSH to 9.8"},
		{"our own words", "", []Evidence{told("Update OpenSSH to 7.4 or later", "")}, "upgrade:openbsd:openssh", "upgrade OpenSSH to 7.4"},
		{"a product that nobody knows", "", []Evidence{told("Upgrade to Frobnicator version 2.1.3p4", "")}, "upgrade:frobnicator", "upgrade Frobnicator to 2.1.3p4"},
		{"a package", "pkg:npm/lodash@4.17.20?arch=x", []Evidence{{Status: Affected, FixedIn: "4.17.21"}}, "package:lodash", "upgrade lodash to 4.17.21"},
		{"a scoped package", "@babel/core@7.0.0", []Evidence{{Status: Affected}}, "package:@babel/core", "upgrade @babel/core"},
		{"advice", "", []Evidence{told("Disable  SSLv3.\n", "")}, "text:", "Disable SSLv3."},
		{"no solution", "", []Evidence{told("No known solution was made available for at least one year.", "")}, "", "no remedy is known"},
		{"nothing", "", nil, "", "no remedy is known"},
		{"the surest speaks", "", []Evidence{told("Disable it", ""), matched(openssh, "9.8", "")}, "upgrade:openbsd:openssh", "upgrade openssh to 9.8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, name, fixedIn := RemedyOf(c.component, c.rows)
			if !strings.HasPrefix(key, c.key) || (c.key == "") != (key == "") {
				t.Errorf("key %q, want %q", key, c.key)
			}
			if got := Action(key, name, fixedIn); got != c.action {
				t.Errorf("action %q, want %q", got, c.action)
			}
		})
	}
}

func TestAdviceThatFitsAnythingJoinsNothing(t *testing.T) {
	rows := func(title string) []Evidence {
		return []Evidence{{Check: "x", Remedy: "Apply the vendor's patch.", Title: title}}
	}
	a, _, _ := Remedy(rows("One"))
	b, _, _ := Remedy(rows("Another"))
	if a == "" || a == b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestRemedyDoesNotDependOnTheOrder(t *testing.T) {
	rows := []Evidence{
		{Sensor: "a", Check: "1", Status: Affected, Confidence: 80, Remedy: "Disable it"},
		{Sensor: "b", Check: "2", Status: Affected, Confidence: 80, Remedy: "Upgrade to Foo 1.2"},
		{Sensor: "c", Check: "3", Status: Affected, Confidence: 75, Remedy: "Upgrade to Bar 1.2", FixedIn: "3"},
	}
	key, name, fixedIn := Remedy(rows)
	for range 20 {
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		if k, n, v := Remedy(rows); k != key || n != name || v != fixedIn {
			t.Fatalf("%q %q %q, before %q %q %q", k, n, v, key, name, fixedIn)
		}
	}
}

func FuzzRemedy(f *testing.F) {
	f.Add("Upgrade to OpenSSH version 9.8 or later.", "OpenSSH < 9.8", "9.8", "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*", "")
	f.Add("update\xff to \x00", "", "", "", "pkg:deb/debian/x@1")
	f.Fuzz(func(t *testing.T, remedy, title, fixedIn, criteria, component string) {
		key, name, version := RemedyOf(component, []Evidence{{Remedy: remedy, Title: title, FixedIn: fixedIn, Criteria: criteria}})
		if len(name) > maxRemedyName || len(version) > maxVersion || (name == "") != (key == "") {
			t.Errorf("%q %q %q", key, name, version)
		}
	})
}
