package answer

import (
	"context"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// Catalogue is what is asked of the catalogue and the feeds.
type Catalogue interface {
	Catalogue(ctx context.Context) (report.Catalogue, error)
	FeedStatus(ctx context.Context) (report.Feeds, error)
	FeedRuns(ctx context.Context, name string, limit int) (report.FeedRuns, error)
	CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error)
	SearchCVEs(ctx context.Context, f catalogue.Filter, count bool) (report.CVEList, error)
	TopCVEs(ctx context.Context, f catalogue.Filter, by string, least bool, limit int) ([]report.CVE, error)
	CVEGroups(ctx context.Context, f catalogue.Filter, by string) ([]catalogue.Group, error)
	CWEs(ctx context.Context) ([]intel.Weakness, error)
	TouchedByCVEs(ctx context.Context, ids []string) (report.Touched, error)
	Match(ctx context.Context, lines []string, answer func(report.MatchLine) error) error
	Technique(ctx context.Context, id string) (report.Technique, error)
	Techniques(ctx context.Context, req catalogue.TechniqueFilter) (report.TechniqueList, error)
	ListIndicators(ctx context.Context, f catalogue.IndicatorFilter, value string) (report.IndicatorList, error)
	LookUpAll(ctx context.Context, values []string) (report.IndicatorAnswers, error)
}

// ofCatalogue answers what is asked about CVEs, techniques, weaknesses, indicators, feeds and the product itself.
func ofCatalogue(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }

// texts answers from what the texts have, where no query can.
func texts(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }
