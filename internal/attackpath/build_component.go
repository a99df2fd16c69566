package attackpath

import (
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/finding"
)

// serves says whether a package is what answers at a service: openssh-server is OpenSSH, apache2 is Apache httpd, libssl3 is
// nothing that answers by itself. A weakness over the network in a package that is merely installed is no way in, so
// what is not plainly the same is not taken to be.
func serves(component string, s Service) bool {
	words := wordsOf(packageName(component))
	if len(words) == 0 || strings.HasPrefix(words[0], "lib") || slices.ContainsFunc(words[1:], notServing) {
		return false
	}
	known := wordsOf(s.Product)
	if len(known) == 0 {
		known = wordsOf(s.Name)
	}
	return slices.ContainsFunc(known, func(k string) bool { return k == words[0] || servedBy[words[0]] == k })
}

// servedBy are packages whose service goes by another name.
var servedBy = map[string]string{
	"httpd": "apache", "mysqld": "mysql", "postgres": "postgresql", "named": "bind", "smbd": "samba", "sshd": "openssh", "slapd": "openldap",
	"exim": "exim", "vsftpd": "vsftpd", "redis": "redis", "cups": "cups", "tomcat": "tomcat",
}

func notServing(word string) bool {
	switch word {
	case "client", "clients", "common", "data", "doc", "docs", "dev", "devel", "utils", "tools", "libs", "lib", "cli", "dbg", "debuginfo", "config", "filesystem", "python", "perl", "module", "sftp", "askpass", "agent", "plugin":
		return true
	}
	return false
}

// packageName is the name of a component without its version and the place that it comes from: a plain package, since a
// library of a language runs inside something else.
func packageName(component string) string {
	name, _ := finding.SplitComponent(component)
	if strings.HasPrefix(name, "cpe:") {
		if fields := strings.Split(name, ":"); len(fields) > 4 {
			return fields[4]
		}
		return ""
	}
	if at := strings.LastIndexByte(name, '/'); at >= 0 {
		return name[at+1:]
	}
	return name
}

// wordsOf cuts a name into its words, small and without numbers: "postgresql-15" is "postgresql", "apache2" "apache".
func wordsOf(name string) (out []string) {
	fields := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	for _, w := range fields {
		if w = strings.TrimRight(w, "0123456789"); w != "" {
			out = append(out, w)
		}
	}
	return out
}
