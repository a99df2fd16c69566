package native

import (
	"strings"
)

// ldap reads the root DSE (RFC 4512, 5.1), which every server shows to everybody.
func (s *session) ldap() *service {
	answer := s.ask(rootDSE, func(b []byte) bool { return ldapDone(b) })
	found := parseLDAP(answer)
	if found == nil {
		s.overhear(answer)
	}
	return found
}

// rootDSE is a SearchRequest for base "", scope base, (objectClass=*), user and operational attributes.
var rootDSE = func() []byte {
	search := "\x04\x00" + "\x0a\x01\x00" + "\x0a\x01\x00" + "\x02\x01\x00" + "\x02\x01\x00" + "\x01\x01\x00" +
		"\x87\x0bobjectClass" + "\x30\x06" + "\x04\x01*" + "\x04\x01+"
	op := "\x02\x01\x01" + "\x63" + string(rune(len(search))) + search
	return []byte("\x30" + string(rune(len(op))) + op)
}()

// ber is one element: its tag and its contents. ok is false when b does not hold the whole of it.
func ber(b []byte) (tag byte, contents, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	tag, n, at := b[0], int(b[1]), 2
	if n > 0x80 {
		k := n & 0x7f
		if k > 4 || len(b) < 2+k {
			return 0, nil, nil, false
		}
		n = 0
		for _, c := range b[2 : 2+k] {
			n = n<<8 | int(c)
		}
		at += k
	}
	if n < 0 || n > maxAnswer || len(b)-at < n {
		return 0, nil, nil, false
	}
	return tag, b[at : at+n], b[at+n:], true
}

// ldapDone says that the messages in b include the SearchResultDone (application 5).
func ldapDone(b []byte) bool {
	for {
		_, message, rest, ok := ber(b)
		if !ok {
			return false
		}
		if _, _, op, ok := ber(message); ok && len(op) > 0 && op[0] == 0x65 {
			return true
		}
		b = rest
	}
}

func parseLDAP(b []byte) *service {
	tag, message, _, ok := ber(b)
	if !ok || tag != 0x30 {
		return nil
	}
	id, number, op, ok := ber(message)
	if !ok || id != 2 || len(number) != 1 || number[0] != 1 || len(op) == 0 {
		return nil
	}
	found := &service{Name: "ldap"}
	switch op[0] {
	case 0x65: // done without an entry: the server shows nothing
		found.note("root DSE is not shown")
		return found
	case 0x64:
	default:
		return nil
	}
	values := entry(op)
	has := func(attribute, value string) bool {
		for _, v := range values[attribute] {
			if strings.EqualFold(v, value) {
				return true
			}
		}
		return false
	}
	vendor := strings.TrimSpace(first(values["vendorname"]) + " " + first(values["vendorversion"]))
	switch {
	case has("objectclass", "OpenLDAProotDSE"):
		vendor = "OpenLDAP"
		found.note("version is not revealed")
	case strings.HasPrefix(vendor, "Samba"):
	case len(values["domainfunctionality"]) > 0 && len(values["rootdomainnamingcontext"]) > 0:
		vendor = "Active Directory"
		found.note("functional level " + first(values["domainfunctionality"]))
	}
	if g, ok := identify("ldap", vendor); ok {
		found.add(g)
	}
	found.note(vendor)
	if name := first(values["dnshostname"]); name != "" {
		found.HostNames = hostName(name)
	}
	for _, context := range values["namingcontexts"][:min(2, len(values["namingcontexts"]))] {
		found.note("context " + context)
	}
	found.Banner = []byte(found.Extra)
	return found
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// entry reads the attributes of a SearchResultEntry, names in lower case.
func entry(op []byte) map[string][]string {
	values := map[string][]string{}
	_, contents, _, ok := ber(op)
	if !ok {
		return values
	}
	_, _, attributes, ok := ber(contents) // the object's name
	if !ok {
		return values
	}
	_, list, _, ok := ber(attributes)
	for ok && len(list) > 0 && len(values) < 100 {
		var attribute, name, set []byte
		if _, attribute, list, ok = ber(list); !ok {
			break
		}
		if _, name, set, ok = ber(attribute); !ok {
			break
		}
		key := strings.ToLower(line(string(name)))
		_, set, _, ok = ber(set)
		for ok && len(set) > 0 && len(values[key]) < 50 {
			var value []byte
			if _, value, set, ok = ber(set); ok {
				values[key] = append(values[key], line(string(value)))
			}
		}
		ok = true
	}
	return values
}
