package assess

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

// facts remembers what the catalogue said of a CVE for as long as a run lasts: the same few CVEs come back on every
// host.
type facts struct {
	catalogue Catalogue
	known     map[cve.ID]fact
}

type fact struct {
	record *cve.Record // nil when the catalogue does not hold the CVE
	facts  intel.Facts
}

func newFacts(c Catalogue) *facts { return &facts{catalogue: c, known: map[cve.ID]fact{}} }

// maxFacts bounds the memory: a record is some kilobytes.
const maxFacts = 20_000

// loadFor is load for all findings of a host.
func (f *facts) loadFor(ctx context.Context, s *state) error {
	var ids []cve.ID
	for at := range s.findings {
		ids = append(ids, at.Weakness.CVE())
	}
	return f.load(ctx, ids)
}

// load makes sure that the facts of ids are at hand.
func (f *facts) load(ctx context.Context, ids []cve.ID) error {
	if len(f.known) > maxFacts {
		clear(f.known)
	}
	var missing []cve.ID
	for _, id := range ids {
		if _, ok := f.known[id]; !ok && id != 0 {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	for chunk := range slices.Chunk(missing, 1000) {
		records, err := f.catalogue.CVEs(ctx, chunk)
		if err != nil {
			return fmt.Errorf("read CVEs: %w", err)
		}
		used, err := f.catalogue.Facts(ctx, chunk)
		if err != nil {
			return fmt.Errorf("read facts of CVEs: %w", err)
		}
		for _, id := range chunk {
			f.known[id] = fact{slim(records[id]), used[id]}
		}
	}
	return nil
}

// slim keeps of a record what rating needs; configurations are most of it.
func slim(r *cve.Record) *cve.Record {
	if r == nil {
		return nil
	}
	return &cve.Record{ID: r.ID, Status: r.Status, Published: r.Published, Title: r.Title, Description: finding.Cut(r.Description, maxWord),
		Metrics: r.Metrics, CWEs: r.CWEs, Ratings: r.Ratings, ExploitedBy: r.ExploitedBy}
}

// rate judges a finding on its host and fills in its title.
func (f *facts) rate(fi *finding.Finding, exposure priority.Exposure, now time.Time) {
	known := f.known[fi.Weakness.CVE()]
	in := priority.Input{Record: known.record, Facts: known.facts, Vector: fi.Vector, VectorSource: fi.VectorBy, Exposure: exposure, Now: now}
	if in.Vector == "" && fi.Word != "" {
		in.Vector, in.VectorSource = priority.WordVector(fi.Word), "derived: "+fi.WordBy+" says "+fi.Word
	}
	in.Word = fi.Word
	v := priority.Assess(in)
	term := priority.Term{Decision: priority.Decision(fi.Decision), Since: fi.DecisionSince, Due: fi.Due}.Next(v, fi.FirstSeen, now)
	fi.Rating = finding.Rating{
		Severity: v.Severity, SeverityBy: severityBy(v, fi), SLADue: fi.SLADue, CVSS: v.CVSS, CVSSVersion: v.CVSSVersion, CVSSSource: v.CVSSSource, CVSSVector: v.CVSSVector,
		EPSS: v.EPSS, EPSSPercentile: v.EPSSPercentile, KEV: v.KEV, Exploited: v.Exploited, ExploitedSource: v.ExploitedSource,
		Score: v.Score, ScorePartial: v.ScorePartial, Likelihood: v.Likelihood, LikelihoodSource: v.LikelihoodSource,
		Decision: string(term.Decision), DecisionSince: term.Since, Due: term.Due, Forensics: v.Forensics,
		Assumed: v.Assumed, Derived: v.Derived, Exposed: v.Exposed, ExposedWhy: v.ExposedWhy,
		RankKey: priority.RankKey(term.Decision, v.Likelihood, v.Score),
	}
	if r := known.record; r != nil {
		if r.Title != "" {
			fi.Title = r.Title
		}
		keep(&fi.Title, r.Description)
	}
	keep(&fi.Title, string(fi.Weakness))
}

// severityBy names who gave the severity.
func severityBy(v priority.Verdict, fi *finding.Finding) string {
	switch {
	case v.Severity == cve.SeverityUnknown:
		return ""
	case v.CVSSSource != "":
		return v.CVSSSource
	case fi.Weakness.CVE() != 0 && fi.Word == "":
		return "the CVE's own word"
	}
	return fi.WordBy
}

// exposure says whether the internet reaches a host.
func exposure(site asset.Site, h *asset.Host) priority.Exposure {
	return priority.Exposed(site.External, h.Addresses(), h.Exposed)
}
