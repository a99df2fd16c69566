package ndjson

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// span is one element of versions: one version, or from introduced on (at the beginning if that is "" or "0") to before
// fixed or up to last.
type span struct{ version, introduced, fixed, last string }

const noVersion = "affected version without version, introduced, fixed and last_affected"

// versions reads a list of strings or of {"version"} or {"introduced","fixed","last_affected"}.
func (f *flat) versions() []span {
	var out []span
	for f.Array(); f.More(); {
		var s span
		if f.Kind() == jsonstream.String {
			if s.version = feed.Clean(f.Word()); s.version == "" {
				f.Reject(noVersion)
			}
		} else {
			s = f.span()
		}
		if len(out) >= maxVersions {
			f.Reject("too many affected versions")
			return nil
		}
		out = append(out, s)
	}
	return out
}

func (f *flat) span() (s span) {
	said := 0
	for f.Object(); f.More(); {
		to := (*string)(nil)
		switch string(f.Key()) {
		case "version":
			to = &s.version
		case "introduced":
			to = &s.introduced
		case "fixed":
			to = &s.fixed
		case "last_affected":
			to = &s.last
		default:
			f.Skip()
			continue
		}
		if *to = feed.Clean(f.Word()); *to != "" {
			said++
		}
	}
	ranged := s.introduced + s.fixed + s.last
	switch {
	case f.Err() != nil:
	case said == 0:
		f.Reject(noVersion)
	case s.version != "" && ranged != "", s.fixed != "" && s.last != "":
		f.Reject("affected version with more than one end")
	case ranged != "" && s.prose():
		f.Reject("malformed version of a range")
	}
	return s
}

// prose says that a text of s is none that can be compared: it stays for people.
func (s span) prose() bool {
	for _, v := range []string{s.version, s.introduced, s.fixed, s.last} {
		if len(v) > 128 || strings.HasSuffix(strings.ToLower(v), ".x") || strings.ContainsAny(v, " ,;<>=*?/\\\t") || v != "" && !strings.ContainsAny(v, "0123456789") {
			return true
		}
	}
	return false
}

// String writes s for people, as cve.Affected has it.
func (s span) String() string {
	from := s.introduced
	if from == "0" {
		from = ""
	}
	switch {
	case s.version != "":
		return s.version
	case s.fixed != "":
		return strings.TrimSpace(from + " before " + s.fixed)
	case s.last != "":
		return strings.TrimSpace(from + " up to " + s.last)
	case from == "":
		return "all versions"
	default:
		return from + " and later"
	}
}

// match writes s as a rule for a product.
func (s span) match(name cpe.Name, derived bool) cve.CPEMatch {
	if s.version != "" {
		name = name.With(cpe.Version, cpe.Quote(s.version)).With(cpe.Update, cpe.Any)
		return cve.CPEMatch{Vulnerable: true, Criteria: name.String(), Derived: derived}
	}
	m := cve.CPEMatch{
		Vulnerable: true, Derived: derived, EndExcluding: s.fixed, EndIncluding: s.last,
		Criteria: name.With(cpe.Version, cpe.Any).With(cpe.Update, cpe.Any).String(),
	}
	if s.introduced != "0" {
		m.StartIncluding = s.introduced
	}
	return m
}
