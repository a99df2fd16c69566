package answer

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// refuse says that there is no answer, why, and what can be done instead.
func (k *desk) refuse(because, instead, missing string, cites ...int) {
	k.d.Refused = true
	text := "I don't know, because " + because + "."
	if instead != "" {
		text += " " + instead
	}
	k.d.Say(cites, "%s", text)
	if missing != "" {
		k.d.Missing = append(k.d.Missing, missing)
	}
}

// unsynced refuses where a feed was never loaded that the answer would rest on.
func (k *desk) unsynced(feeds ...string) bool {
	for _, f := range feeds {
		if k.cat.Synced(f) {
			continue
		}
		k.data(f)
		k.refuse(report.FeedTitle(f)+" was never loaded", "Load it with `patchscout feeds sync --feed "+f+"`.", "feed "+f,
			k.d.Cite(feedSource(f, report.FeedTitle(f)+" was never loaded.")))
		return true
	}
	return false
}

func feedSource(name, text string) report.Source {
	return report.Source{Kind: "feed", ID: name, Title: "Feed " + report.FeedTitle(name), Text: text, URL: "/threats?tab=feeds", API: "/api/v1/feeds"}
}

// data says how old feeds are that the answer rests on, and says so in its text where they are stale.
func (k *desk) data(feeds ...string) {
	for _, name := range feeds {
		if slices.ContainsFunc(k.d.Data, func(a report.DataAge) bool { return a.Name == name }) {
			continue
		}
		age := report.DataAge{Name: name, Note: "never loaded"}
		for _, f := range k.cat.Feeds {
			if f.Name != name || f.AgeHours == nil {
				continue
			}
			at := k.Now.Add(-time.Duration(*f.AgeHours * float64(time.Hour))).UTC()
			age = report.DataAge{Name: name, At: &at, AgeHours: f.AgeHours, Stale: *f.AgeHours > staleHours}
		}
		if k.cat.Starter && name == "nvd" {
			age.Note = "the starter catalogue, part of all CVEs"
		}
		k.d.Data = append(k.d.Data, age)
	}
}

// staleHours is when the age of a feed is worth a word: all publishers update at least weekly.
const staleHours = 7 * 24

// aged ends an answer with what is old or missing of what it rests on.
func (k *desk) aged() {
	var stale, none []string
	for _, a := range k.d.Data {
		switch {
		case a.At == nil:
			none = append(none, report.FeedTitle(a.Name))
		case a.Stale:
			stale = append(stale, report.FeedTitle(a.Name)+" is "+report.Age(time.Duration(*a.AgeHours*float64(time.Hour))))
		}
	}
	if len(none) > 0 {
		k.d.Missing = append(k.d.Missing, none...)
		k.d.Say(nil, "Not loaded, so not looked at: %s.", and(none))
	}
	if len(stale) > 0 {
		k.d.Say(nil, "The data is stale: %s.", and(stale))
	}
}

// shortNumber is a number without needless digits.
func shortNumber(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// inPercent is a probability as people read it; what is small keeps digits that tell.
func inPercent(v float64) string {
	digits := 1
	if v > 0 && v < 0.01 {
		digits = min(2+int(-math.Log10(v*100)), 4)
	}
	return shortNumber(v*100, digits) + " %"
}

// productName writes a vendor and product of CPE names as people do.
func productName(vendor, product string) string {
	vendor, product = anyName(vendor), anyName(product)
	if vendor == "" {
		return quoted(catalogue.DisplayName(":"+product), 60)
	}
	if product == "" {
		return quoted(catalogue.DisplayName(vendor+":"), 60)
	}
	return quoted(catalogue.DisplayName(vendor+":"+product), 60)
}

func dayText(d report.Date) string { return d.Format(time.DateOnly) }

func numbered(n int) *int { return &n }

func truth(b bool) *bool { return &b }

func yesText(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}

func boldNumber(n int, one, many string) string {
	word := many
	if n == 1 {
		word = one
	}
	return fmt.Sprintf("**%s** %s", report.Thousands(n), word)
}
