package finding

import (
	"slices"

	"github.com/patchscout/patchscout/internal/asset"
)

// Left says whether a service is not there any more: every sensor that saw it has looked again since and found nothing
// there, as with findings.
func Left(s *asset.Service, looks []Look) bool {
	place := Fingerprint{Protocol: s.Protocol, Port: s.Port}
	return len(s.Said) > 0 && !slices.ContainsFunc(s.Said, func(said asset.Said) bool {
		last := said.At
		for _, l := range looks {
			if l.Sensor == said.Sensor && l.Protocol == s.Protocol && Contains(l.Open, s.Port) && l.At.After(last) {
				last = l.At
			}
		}
		return !slices.ContainsFunc(looks, func(l Look) bool {
			return l.Sensor == said.Sensor && l.At.After(last) && l.Gone(place)
		})
	})
}
