package asset

import (
	"slices"
	"strings"
)

// Hear takes in what a sensor says of the service and chooses anew what the service is. An older word of the same
// sensor changes nothing but the dates.
func (s *Service) Hear(said Said) {
	if s.FirstSeen.IsZero() || said.At.Before(s.FirstSeen) {
		s.FirstSeen = said.At
	}
	if said.At.After(s.LastSeen) {
		s.LastSeen = said.At
	}
	i := slices.IndexFunc(s.Said, func(old Said) bool { return old.Sensor == said.Sensor })
	switch {
	case i < 0:
		s.Said = append(s.Said, said)
	case said.At.Before(s.Said[i].At):
		return
	default:
		s.Said[i] = said
	}
	slices.SortFunc(s.Said, func(a, b Said) int { return strings.Compare(a.Sensor, b.Sensor) })
	s.choose()
}

// choose shows the word that says most: of the newest scan's words one with a version before one with a product before
// a name; sensors of older scans speak only when no newer one knows the product at all.
func (s *Service) choose() {
	best := s.Said[0]
	for _, w := range s.Said[1:] {
		if w.beats(best) {
			best = w
		}
	}
	s.Name, s.Product, s.Version = best.Name, best.Product, best.Version
	s.CPEs, s.TLS, s.Banner, s.Backport, s.Candidates = best.CPEs, best.TLS, best.Banner, best.Backport, best.Candidates
	for _, w := range s.Said {
		s.TLS = s.TLS || w.TLS && w.Scan == best.Scan
		if s.Backport == "" && w.Version == best.Version {
			s.Backport = w.Backport
		}
		if s.Banner == "" && w.Scan == best.Scan {
			s.Banner = w.Banner
		}
	}
}

// Choose chooses anew what the service is, after a word was changed in place.
func (s *Service) Choose() {
	if len(s.Said) > 0 {
		s.choose()
	}
}

func (w Said) beats(other Said) bool {
	if (w.Product != "") != (other.Product != "") {
		return w.Product != ""
	}
	if w.Scan != other.Scan {
		return w.At.After(other.At)
	}
	if (w.Version != "") != (other.Version != "") {
		return w.Version != ""
	}
	if w.Guessed != other.Guessed {
		return !w.Guessed
	}
	return false
}
