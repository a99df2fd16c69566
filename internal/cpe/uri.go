package cpe

import (
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// uriOrder is what the components of a 2.2 URI after part hold (NISTIR 7695, section 6.1).
var uriOrder = [...]Attribute{Vendor, ProductName, Version, Update, Edition, Language}

// packedOrder is what a packed edition ("~ed~sw_edition~target_sw~target_hw~other") holds.
var packedOrder = [...]Attribute{Edition, SWEdition, TargetSW, TargetHW, Other}

func parseURI(s string) (n Name, err error) {
	components := strings.Split(s[len("cpe:/"):], ":")
	if n.Part, err = parsePart(components[0]); err != nil {
		return n, err
	}
	components = components[1:]
	if len(components) > len(uriOrder) {
		return n, fault.Invalid("more than 7 components")
	}
	for i, component := range components {
		if uriOrder[i] == Edition && strings.HasPrefix(component, "~") {
			err = n.unpackEdition(component)
		} else {
			err = n.setURI(uriOrder[i], component)
		}
		if err != nil {
			return n, err
		}
	}
	for _, a := range []Attribute{Vendor, ProductName} {
		if n.Get(a) == Any {
			return n, fault.Invalid("ends before the %s", names[a])
		}
	}
	return n, nil
}

func (n *Name) unpackEdition(component string) error {
	parts := strings.Split(component[1:], "~")
	if len(parts) != len(packedOrder) {
		return fault.Invalid("packed edition %q: want 5 parts, has %d", component, len(parts))
	}
	for i, part := range parts {
		if err := n.setURI(packedOrder[i], part); err != nil {
			return err
		}
	}
	return nil
}

// setURI decodes one component: percent-encoding, %01 and %02 as wildcards, "" as ANY. A plain "*" is no URI, but many
// write it for ANY as in 2.3; taken literally it would be a version of its own, below every range's end.
func (n *Name) setURI(a Attribute, component string) error {
	switch {
	case component == Any && (a == Vendor || a == ProductName):
		return fault.Invalid("%s %q is a wildcard: name one %s", names[a], component, names[a])
	case component == Any:
		return nil
	case component == "" || component == NA:
		n.values[a] = component
		return nil
	}
	if len(component) > maxValue {
		return fault.Invalid("%s: longer than %d characters", names[a], maxValue)
	}
	out := make([]byte, 0, len(component)+4)
	for i := 0; i < len(component); i++ {
		c := component[i]
		if c == '%' {
			if i+2 >= len(component) {
				return fault.Invalid("%s %q: cut percent-encoding", names[a], component)
			}
			high, okHigh := unhex(component[i+1])
			low, okLow := unhex(component[i+2])
			if !okHigh || !okLow {
				return fault.Invalid("%s %q: bad percent-encoding", names[a], component)
			}
			c = high<<4 | low
			i += 2
			switch c {
			case 0x01:
				out = append(out, '?')
				continue
			case 0x02:
				out = append(out, '*')
				continue
			}
		}
		if isControl(c) {
			return fault.Invalid("%s %q: control character", names[a], component)
		}
		// nmap writes plain backslashes nowhere, but some tools mix the bindings: "\(" means "(".
		if c == '\\' && i+1 < len(component) && isPunctuation(component[i+1]) {
			i++
			c = component[i]
		}
		out = appendEscaped(out, c)
	}
	n.set(a, string(out))
	return nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
