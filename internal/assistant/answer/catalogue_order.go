package answer

import (
	"fmt"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// least says that the other end of an order is asked for.
func (k *desk) least() bool { return k.Least || k.Sort == "oldest" }

// order is what the list is sorted by, as Top and filters have it.
func (k *desk) order() string {
	switch k.Sort {
	case "epss":
		return catalogue.ByEPSS
	case "cvss", "severity":
		return catalogue.ByCVSS
	case "modified", "last_seen":
		return catalogue.ByModified
	case "kev_added", "kev":
		return catalogue.ByKEV
	case "published", "date", "first_seen", "age", "newest", "oldest":
		return string(catalogue.SortDate)
	case "likelihood":
		return string(catalogue.SortLikelihood)
	case "score", "priority", "priority_score":
		return string(catalogue.SortScore)
	case "decision", "rank", "due":
		return string(catalogue.SortDecision)
	}
	switch k.Attribute {
	case understand.EPSS:
		return catalogue.ByEPSS
	case understand.CVSS, understand.Severity:
		return catalogue.ByCVSS
	case understand.Modified:
		return catalogue.ByModified
	case understand.Likelihood:
		return string(catalogue.SortLikelihood)
	case understand.Score:
		return string(catalogue.SortScore)
	}
	switch {
	case k.Measure == understand.First:
		return string(catalogue.SortDecision)
	case k.TimeOf == "modified":
		return catalogue.ByModified
	case k.TimeOf == "kev_added", k.KEV != nil && *k.KEV:
		return catalogue.ByKEV
	}
	return string(catalogue.SortDate)
}

func (k *desk) orderWords() string {
	most := map[string][2]string{
		catalogue.ByEPSS: {"EPSS, the highest first", "EPSS, the lowest first"}, catalogue.ByCVSS: {"CVSS, the highest first", "CVSS, the lowest first"},
		catalogue.ByModified: {"change, the newest first", "change, the oldest first"}, catalogue.ByKEV: {"the day that CISA added them, the newest first", "the day that CISA added them, the oldest first"},
		string(catalogue.SortDate): {"publication, the newest first", "publication, the oldest first"}, string(catalogue.SortDecision): {"decision, the most urgent first", "decision, the least urgent first"},
		string(catalogue.SortLikelihood): {"likelihood, the highest first", "likelihood, the lowest first"}, string(catalogue.SortScore): {"priority score, the highest first", "priority score, the lowest first"},
	}[k.order()]
	if k.least() {
		return most[1]
	}
	return most[0]
}

// orderValue is what a CVE of the list is sorted by.
func (k *desk) orderValue(c *report.CVE) string {
	switch k.order() {
	case catalogue.ByEPSS, string(catalogue.SortLikelihood):
		if c.EPSS != nil {
			return shortNumber(*c.EPSS, 5)
		}
	case catalogue.ByCVSS:
		if c.CVSS != nil {
			return fmt.Sprintf("%.1f", *c.CVSS)
		}
	case catalogue.ByModified:
		return dayText(c.Modified)
	case catalogue.ByKEV:
		return dayText(c.KEVAdded)
	case string(catalogue.SortDate):
		return dayText(c.Published)
	case string(catalogue.SortScore):
		if c.PriorityScore != nil {
			return shortNumber(*c.PriorityScore, 3)
		}
	}
	return string(c.Decision)
}

func (k *desk) orderNote(c *report.CVE) string {
	switch k.order() {
	case catalogue.ByModified:
		return "changed " + dayText(c.Modified) + ", "
	case string(catalogue.SortDate):
		return "published " + dayText(c.Published) + ", "
	case string(catalogue.SortScore):
		return "score " + k.orderValue(c) + ", "
	}
	return ""
}
