package report

import "io"

// ScannerList is the answer to which scanners there are.
type ScannerList struct {
	Scanners []ScannerInfo `json:"scanners"`
}

// ScannerInfo is one scanner that can be chosen, and whether it can run here.
type ScannerInfo struct {
	Name      string `json:"name"`
	What      string `json:"what"` // for people
	Version   Text   `json:"version"`
	Available bool   `json:"available"`
	Reason    Text   `json:"reason"`  // why it is not available
	Default   bool   `json:"default"` // runs when none is named
}

// ScannerTable lists scanners for people.
func ScannerTable(w io.Writer, scanners []ScannerInfo, t Terminal) error {
	g := &grid{columns: []column{{Title: "SCANNER"}, {Title: "VERSION"}, {Title: "RUNS HERE"}, {Title: "WHAT IT DOES, OR WHY IT CANNOT", Flex: 20}}}
	for _, s := range scanners {
		runs, text := "yes", s.What
		if s.Default {
			runs = "yes, default"
		}
		if !s.Available {
			runs, text = "no", string(s.Reason)
		}
		g.add(plainCells(s.Name, string(s.Version), runs, text)...)
	}
	return g.draw(w, t)
}
