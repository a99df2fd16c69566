package app

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// SearchRequest says what to search for; all of it must apply. Limit may be up to MaxSearch.
type SearchRequest = catalogue.Filter

// MaxSearch is how many CVEs one search answers with at most; page on with After.
const MaxSearch = 10_000

// searchPage is what the catalogue answers at once.
const searchPage = 1_000

// ExploitKinds are the values of SearchRequest.Exploit.
var ExploitKinds = []string{"any", "exploitdb", "metasploit", "nuclei", "verified", "remote", "local", "webapps", "dos"}

var (
	severities = []string{"critical", "high", "medium", "low", "info", "unknown"}
	sorts      = []string{
		string(catalogue.SortRelevance), string(catalogue.SortDecision), string(catalogue.SortLikelihood),
		string(catalogue.SortScore), string(catalogue.SortDate),
	}
	techniqueID = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
	weaknessID  = regexp.MustCompile(`^(?i:CWE-)?[0-9]{1,6}$`)
)

// CheckSearch says what is wrong with a request before anything is opened.
func CheckSearch(req SearchRequest) error {
	for _, check := range []struct {
		flag, got string
		wanted    []string
	}{
		{"exploit", req.Exploit, ExploitKinds},
		{"sort", string(req.Sort), sorts},
	} {
		if check.got != "" && !slices.Contains(check.wanted, check.got) {
			return fault.InvalidOption(check.flag, " %.40s: want %s", check.got, strings.Join(check.wanted, ", "))
		}
	}
	for _, s := range req.Severities {
		if !slices.Contains(severities, s) {
			return fault.InvalidOption("severity", " %.40s: want %s", s, strings.Join(severities, ", "))
		}
	}
	if _, err := cpe.Parse(req.CPE); req.CPE != "" && err != nil {
		return fault.InvalidOption("cpe", ": %w", err)
	}
	switch words := strings.TrimSpace(req.Words); {
	case req.Technique != "" && !techniqueID.MatchString(req.Technique):
		return fault.InvalidOption("technique", " %.40s: want an id such as T1190 or T1059.001", req.Technique)
	case req.CWE != "" && !weaknessID.MatchString(req.CWE):
		return fault.InvalidOption("cwe", " %.40s: want an id such as CWE-79", req.CWE)
	case req.Sort == catalogue.SortRelevance && words == "":
		return fault.InvalidOption("sort", " relevance: only with words to search for")
	case req.Limit < 1 || req.Limit > MaxSearch:
		return fault.InvalidOption("limit", " %d: want 1 to %d", req.Limit, MaxSearch)
	case words == "" && !narrows(req):
		return fault.Invalid("cve search: say what to search for")
	}
	return checkRanges(req)
}

// narrows says whether anything but words selects.
func narrows(req SearchRequest) bool {
	return req.KEV || req.Ransomware || req.MinCVSS != nil || req.MaxCVSS != nil || req.MinEPSS != nil || req.MaxEPSS != nil ||
		len(req.Severities) > 0 || req.Vendor+req.Product+req.CPE+req.CWE+req.Exploit+req.Technique != "" || req.Sort != "" ||
		!req.PublishedFrom.IsZero() || !req.PublishedTo.IsZero() || !req.ModifiedFrom.IsZero() || !req.ModifiedTo.IsZero()
}

// checkRanges refuses what nothing can satisfy: an empty answer would look like a clean product.
func checkRanges(req SearchRequest) error {
	above := func(lo, hi *float64) bool { return lo != nil && hi != nil && *lo > *hi }
	empty := func(from, to time.Time) bool { return !from.IsZero() && !to.IsZero() && !from.Before(to) }
	switch {
	case above(req.MinCVSS, req.MaxCVSS):
		return fault.InvalidOption("min-cvss", " is above --max-cvss")
	case above(req.MinEPSS, req.MaxEPSS):
		return fault.InvalidOption("min-epss", " is above --max-epss")
	case empty(req.PublishedFrom, req.PublishedTo):
		return fault.InvalidOption("published-after", " is not before --published-before")
	case empty(req.ModifiedFrom, req.ModifiedTo):
		return fault.InvalidOption("modified-after", " is not before --modified-before")
	}
	return nil
}

// Search finds CVEs in the order asked for.
func (a *App) Search(ctx context.Context, req SearchRequest) (report.Search, report.Catalogue, error) {
	doc := report.Search{Query: req.Words, Items: []report.CVEBrief{}}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return doc, cat, err
	}
	for want := req.Limit; want > 0; want = req.Limit - len(doc.Items) {
		page := req
		page.Limit = min(want, searchPage)
		found, err := a.find.Search(ctx, page)
		if err != nil {
			return doc, cat, err
		}
		a.indexLater(ctx, found.Note)
		for _, h := range found.Hits {
			doc.Items = append(doc.Items, brief(a.toCVE(h.Record, h.Facts, cat)))
		}
		doc.Next, doc.More, doc.Note = report.Text(found.Next), found.Next != "", report.Text(found.Note)
		if req.After = found.Next; req.After == "" {
			break
		}
	}
	return doc, cat, nil
}

func brief(c report.CVE) report.CVEBrief {
	return report.CVEBrief{
		ID: c.ID, Title: c.Title, Published: c.Published, Severity: c.Severity, CVSS: c.CVSS, EPSS: c.EPSS, KEV: c.KEV,
		Decision: c.Decision, Likelihood: c.Likelihood, LikelihoodSource: c.LikelihoodSource, PriorityScore: c.PriorityScore,
		ScorePartial: c.ScorePartial,
	}
}
