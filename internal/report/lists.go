package report

import (
	"fmt"
	"io"
)

// FindingList, HostList, ScanList and SiteList are the documents of the commands that list.
type (
	FindingList struct {
		Findings []Finding `json:"findings"`
		Total    int       `json:"total"` // of all pages
		Next     *string   `json:"next"`  // the cursor of the next page, null on the last
	}
	HostList struct {
		Hosts []Host `json:"hosts"`
	}
	ScanList struct {
		Scans []Run `json:"scans"`
	}
	SiteList struct {
		Sites []Site `json:"sites"`
	}
)

// Site is a vantage point.
type Site struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	External bool   `json:"external"`
}

// SiteTable lists sites.
func SiteTable(w io.Writer, sites []Site, t Terminal) error {
	g := &grid{columns: []column{{Title: "SITE"}, {Title: "SEES", Flex: 20}}}
	for _, s := range sites {
		sees := "an internal network"
		if s.External {
			sees = "what the internet sees: hosts that answer are exposed"
		}
		g.add(plainCells(s.Name, sees)...)
	}
	return g.draw(w, t)
}

// Incompleteness says in one clause what of a run is not known: "2 targets did not answer; scanner nmap failed".
func Incompleteness(r Run) string {
	text := ""
	if n := len(r.Problems); n == 1 {
		text = r.Problems[0].Target + ": " + r.Problems[0].Reason
	} else if n > 1 {
		text = fmt.Sprintf("%s are not known to be clean, the first is %s: %s", Plural(n, "target", "targets"), r.Problems[0].Target, r.Problems[0].Reason)
	}
	for _, s := range r.Scanners {
		if s.Error != "" {
			if text != "" {
				text += "; "
			}
			text += "scanner " + s.Name + ": " + string(s.Error)
		}
	}
	return text
}
