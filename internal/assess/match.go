package assess

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/match"
)

// serviceMatch is what the catalogue says of one service.
type serviceMatch struct {
	matches    []match.Match // one per CVE, by CVE
	candidates int           // CVEs of a product whose version is not known
	known      bool          // the service told a version that could be matched
}

// matchServices asks the catalogue about the services of one host at once: each is the others' platform, and so are the
// host's own CPEs. A CPE of the host itself (an operating system told from the way its packets look) is a guess that
// confirms or contradicts a platform; no finding comes from it.
func matchServices(ctx context.Context, m Matcher, services []asset.Said, platform []string) ([]serviceMatch, error) {
	out := make([]serviceMatch, len(services))
	var subjects []match.Subject
	var of []int
	platform = slices.Clone(platform)
	for i, s := range services {
		for _, c := range s.CPEs {
			switch {
			case s.Guessed:
			case isSubject(c):
				subjects, of = append(subjects, match.Subject{CPE: c, Backport: s.Backport}), append(of, i)
			default:
				platform = append(platform, c)
			}
		}
	}
	if len(subjects) == 0 {
		return out, nil
	}
	res, err := m.Host(ctx, subjects, platform)
	if err != nil {
		return nil, fmt.Errorf("match services: %w", err)
	}
	for j, r := range res.Subjects {
		s := &out[of[j]]
		if r.Err != nil {
			continue // a CPE that cannot be read says nothing; the others of the service still do
		}
		s.known = s.known || r.Name.Get(cpe.Version) != cpe.Any
		s.candidates = max(s.candidates, len(r.Candidates))
		s.matches = append(s.matches, r.Matches...)
	}
	for i := range out {
		out[i].tidy()
	}
	return out, nil
}

// isSubject: an operating system or device without a version only says what runs underneath. Linux alone would bring
// thousands of candidates to every service.
func isSubject(c string) bool {
	name, err := cpe.Parse(c)
	if err != nil {
		return false
	}
	return name.Product().Part == 'a' || name.Get(cpe.Version) != cpe.Any
}

// tidy leaves one match per CVE, the surest; candidates do not count beside a version.
func (s *serviceMatch) tidy() {
	slices.SortStableFunc(s.matches, func(a, b match.Match) int {
		return cmp.Or(cmp.Compare(a.CVE, b.CVE), cmp.Compare(b.Confidence, a.Confidence))
	})
	s.matches = slices.CompactFunc(s.matches, func(a, b match.Match) bool { return a.CVE == b.CVE })
	if s.known {
		s.candidates = 0
	}
}

// versionEvidence turns a match into evidence.
func versionEvidence(s asset.Said, m match.Match) finding.Evidence {
	e := finding.Evidence{Sensor: s.Sensor, Check: finding.VersionCheck, FirstSeen: s.At, LastSeen: s.At, FirstScan: s.Scan,
		LastScan: s.Scan, Status: finding.Status(m.Status), Confidence: m.Confidence, Reason: m.Reason, Criteria: m.Criteria,
		Needs: m.Needs, FixedIn: m.FixedIn, Output: s.Banner}
	if m.FixedIn != "" {
		product := s.Product
		if product == "" {
			product = "the software"
		}
		e.Remedy = "Update " + product + " to " + m.FixedIn + " or later"
	}
	e.Trim()
	return e
}

// weaknesses are what an observation names: its CVEs, those of its title where the tool lists none, or what its check sees
// when it names none. A compliance check is itself, whatever its benchmark mentions.
func weaknesses(o finding.Observation) []finding.Weakness {
	if o.Compliance != nil || len(o.CVEs) == 0 {
		return []finding.Weakness{finding.OfCheck(o.Check)}
	}
	out := make([]finding.Weakness, len(o.CVEs))
	for i, id := range o.CVEs {
		out[i] = finding.OfCVE(id)
	}
	return out
}

// cves lists every CVE that the host's report leads to.
func (h *hostReport) cves() (ids []cve.ID) {
	for _, m := range h.matched {
		for _, one := range m.matches {
			ids = append(ids, one.CVE)
		}
	}
	for _, o := range h.Observations {
		ids = append(ids, o.CVEs...)
	}
	return ids
}
