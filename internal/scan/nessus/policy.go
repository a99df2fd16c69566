package nessus

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/scan/intake"
)

// login is whether Nessus was logged in on a host.
type login string

const (
	loggedIn     login = "yes"
	notLoggedIn  login = "no"
	loginUnknown login = "" // reports from before 2014
)

// withLogin ends the policy id of what only a scan that is logged in sees.
const withLogin = " +login"

// policy is what was to be looked for when the item was found, as coverage names it. Nessus lists no checks, and its set
// of plugins changes every week, so a look covers what was seen under the same policy (design decision 4):
//
//	remote check            "Basic Network Scan 1f8e6c0a"
//	local check             "Basic Network Scan 1f8e6c0a +login"
//	combined check          the second if the scan was logged in or that is not known, else the first
//
// A completed scan covers the first id, and the second only on hosts where it was logged in: a scan whose login failed must
// not close what the one before saw from the inside. The number is a hash of the settings that decide what is looked at.
func (it *item) policy(from origin) string {
	switch {
	case from.policy == "":
		return ""
	case it.local(), it.kind == "combined" && from.login != notLoggedIn, it.compliance.result != "":
		return from.policy + withLogin
	}
	return from.policy
}

// policy reads the <Policy> of a report: its name, and the settings that make two scans of one name look for different
// things. Of the plugins that were selected one by one only the smaller side is the user's choice; the other grows with
// every update.
type policy struct {
	name     string
	id       string // of a web application scan, whose policy has no name
	settings []string
	enabled  []string
	disabled []string
}

// deciding are the settings that decide what is looked at, among the server's and the plugins'.
var deciding = map[string]bool{
	"port_range": true, "safe_checks": true, "unscanned_closed": true, "assessment_mode": true,
	"Thorough tests (slow)": true, "Report paranoia": true, "Display the superseded patches in the report": true,
}

// maxSettings bounds what one policy may hold; there are under a hundred families and some ten thousand plugins in one.
const maxSettings = 200_000

func (p *policy) note(list *[]string, text string) {
	if len(*list) < maxSettings && len(text) < 512 {
		*list = append(*list, text)
	}
}

// identity is the policy's id, "" when the report tells of none.
func (p *policy) identity() string {
	name := oneLine(p.name)
	if name == "" {
		name = oneLine(p.id)
	}
	if name == "" {
		return ""
	}
	chosen := p.enabled
	if len(p.disabled) < len(p.enabled) {
		chosen = p.disabled
	}
	all := slices.Concat(p.settings, chosen)
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return fmt.Sprintf("%s %s", intake.Cut(name, 200), hex.EncodeToString(sum[:4]))
}

// read consumes the <Policy> element.
func (p *policy) read(x *intake.XML) error {
	return x.Each(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "policyName":
			p.name, err = x.Text()
			return err
		case "Preferences":
			return x.Each(func(e xml.StartElement) error {
				return x.Each(func(e xml.StartElement) error { return p.preference(x, e.Name.Local) })
			})
		case "FamilySelection":
			return eachOf(x, func(f map[string]string) {
				if status := strings.ToLower(f["Status"]); status != "enabled" {
					p.note(&p.settings, "family "+f["FamilyName"]+" "+status)
				}
			})
		case "IndividualPluginSelection":
			return eachOf(x, func(f map[string]string) {
				if strings.EqualFold(f["Status"], "enabled") {
					p.note(&p.enabled, "plugin "+f["PluginId"])
				} else {
					p.note(&p.disabled, "plugin "+f["PluginId"]+" off")
				}
			})
		}
		return x.Skip()
	})
}

// preference reads one of the server's (name, value), one of a plugin's (preferenceName, selectedValue), or an element of
// its own as web application scans write them.
func (p *policy) preference(x *intake.XML, element string) error {
	if element == "config_id" {
		id, err := x.Text()
		p.id = id
		return err
	}
	fields, err := texts(x)
	if err != nil {
		return err
	}
	name, value := fields["name"], fields["value"]
	if name == "" {
		name, value = fields["preferenceName"], fields["selectedValue"]
	}
	if deciding[name] {
		p.note(&p.settings, name+"="+value)
	}
	return nil
}

// eachOf gives the child elements of each child of the open element to f.
func eachOf(x *intake.XML, f func(map[string]string)) error {
	return x.Each(func(xml.StartElement) error {
		fields, err := texts(x)
		f(fields)
		return err
	})
}

// texts reads the children of the open element as text, by name; of several of one name the first, of many only some.
func texts(x *intake.XML) (map[string]string, error) {
	out := map[string]string{}
	err := x.Each(func(e xml.StartElement) error {
		name := e.Name.Local
		text, err := x.Text()
		if _, twice := out[name]; !twice && len(out) < 16 {
			out[name] = text
		}
		return err
	})
	return out, err
}
