package answer

import (
	"context"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// Estate is what is asked of the asker's own hosts and findings.
type Estate interface {
	AskCounts(ctx context.Context, req request.AskFindings) (report.FindingCounts, error)
	AskPage(ctx context.Context, req request.AskFindings) (report.FindingList, error)
	AskGroups(ctx context.Context, req request.AskFindings, by string) ([]report.Group, error)
	AskRows(ctx context.Context, req request.AskFindings, fn func(finding.Listed) error) error
	AskWeaknesses(ctx context.Context, req request.AskFindings, about request.AskWeaknesses) ([]string, error)
	AskTechniques(ctx context.Context, ids []cve.ID) (map[cve.ID][]string, error)
	AskHosts(ctx context.Context) ([]report.AskHost, error)
	AskSeen(ctx context.Context) (report.AskSeen, error)
	AskUser(ctx context.Context) string
	HostNamed(ctx context.Context, text, site string) ([]int64, error)

	Vulnerability(ctx context.Context, id int64) (report.Vulnerability, error)
	Asset(ctx context.Context, id int64) (report.HostDetail, error)
	Sites(ctx context.Context) ([]report.Site, error)
	ScanStatuses(ctx context.Context, req request.Scans) ([]report.ScanStatus, int, error)
	ScanStatus(ctx context.Context, id int64) (report.ScanStatus, error)
	Imports(ctx context.Context, limit int) (report.ImportList, error)
	Compare(ctx context.Context, req request.Compare) (report.Comparison, error)
	Trend(ctx context.Context, req request.Trend) (report.Trend, error)
	Today(ctx context.Context, since string) (report.Today, error)
	Paths(ctx context.Context, req request.Paths) (report.Paths, error)
	PathFixes(ctx context.Context, req request.Paths) (report.PathFixes, error)
	PathWhatIf(ctx context.Context, req request.WhatIf) (report.WhatIf, error)
	PathReach(ctx context.Context, req request.Paths, host string, forward bool) (report.PathReach, error)
	CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error)
	FeedStatus(ctx context.Context) (report.Feeds, error)
}

// estate answers what is asked about findings, hosts, services, software, sites, scans, imports, paths and fixes.
func estate(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }
