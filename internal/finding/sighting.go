package finding

import (
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
)

// Sighting is what one report said of one host, kept so that exactly this can be taken back, moved to another host, or
// looked up: the estate's other rows are what all sightings came to.
type Sighting struct {
	Scan   int64
	HostID int64
	Sensor string
	At     time.Time // the report's
	// Place tells the parts of a report apart that are about one host: its address, or its name where it has none.
	Place string
	Said  Said
	Seen  []Seen
}

// Said is what a report said that a host is.
type Said struct {
	Host     asset.Sighting `json:"host"`
	Status   string         `json:"status,omitempty"`
	OS       string         `json:"os,omitempty"`
	CPEs     []string       `json:"cpes,omitempty"`
	Services []SaidService  `json:"services,omitempty"`
}

// SaidService is what a report said of a service.
type SaidService struct {
	Protocol string     `json:"protocol"`
	Port     uint16     `json:"port"`
	Said     asset.Said `json:"said"`
}

// Seen is a finding that a check of the report saw.
type Seen struct {
	Finding int64
	Check   string
	Policy  string
}

// Join adds what an earlier report of the same scan, sensor, time and place said. Where both speak, the later one counts.
func (s *Sighting) Join(before Sighting) {
	known := make(map[Seen]bool, len(s.Seen))
	for _, seen := range s.Seen {
		known[seen] = true
	}
	for _, seen := range before.Seen {
		if !known[seen] {
			s.Seen = append(s.Seen, seen)
		}
	}
	for _, old := range before.Said.Services {
		if !slices.ContainsFunc(s.Said.Services, func(w SaidService) bool { return w.Protocol == old.Protocol && w.Port == old.Port }) {
			s.Said.Services = append(s.Said.Services, old)
		}
	}
	if before.Said.Status == "up" {
		s.Said.Status = before.Said.Status
	}
	fill(&s.Said.OS, before.Said.OS)
	if len(s.Said.CPEs) == 0 {
		s.Said.CPEs = before.Said.CPEs
	}
}
