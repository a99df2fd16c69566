package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// SLA is the organisation's terms as they hold now.
func (a *App) SLA(ctx context.Context) (report.SLA, error) {
	set, by, err := a.store.Estate().TermsOverride(ctx)
	file := a.terms()
	now := file.With(set)
	doc := report.SLA{Decision: termsByDecision(now), Severity: termsBySeverity(now), Source: "file",
		File: report.SLATerms{Decision: termsByDecision(file), Severity: termsBySeverity(file)}, ChangedAt: pointer(by.At), By: report.Text(by.By)}
	if len(set.Decision)+len(set.Severity) > 0 {
		doc.Source = "settings"
	}
	return doc, err
}

func termsByDecision(t finding.Terms) report.SLADecision {
	d := t.Decision
	return report.SLADecision{Act: d["act"], Attend: d["attend"], Plan: d["plan"], Track: d["track"]}
}

func termsBySeverity(t finding.Terms) report.SLASeverity {
	s := t.Severity
	return report.SLASeverity{Critical: s["critical"], High: s["high"], Medium: s["medium"], Low: s["low"], Info: s["info"]}
}

// ChangeSLA sets the organisation's terms in the place of the configuration file's and has a job work out the due dates
// anew. What is not set is the file's again.
func (a *App) ChangeSLA(ctx context.Context, req request.SLA) (doc report.SLA, err error) {
	detail := ""
	defer func() { a.auditEnd(ctx, "settings.sla", "the organisation's terms", detail, err) }()
	if err := a.wide("changing the organisation's terms"); err != nil {
		return doc, err
	}
	set, err := termsOf(req)
	if err != nil {
		return doc, err
	}
	before, _, err := a.store.Estate().TermsOverride(ctx)
	if err != nil {
		return doc, err
	}
	if detail = describeTerms(before) + " → " + describeTerms(set); describeTerms(before) == describeTerms(set) {
		detail = "as before: " + describeTerms(set)
		return a.SLA(ctx)
	}
	if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) error {
		return tx.OverrideTerms(ctx, set, store.Set{At: a.now().UTC().Truncate(time.Millisecond), By: a.who.Name})
	}); err != nil {
		return doc, err
	}
	queued, err := a.enqueue(ctx, job.Job{Kind: job.Triage, Key: "rules after " + describeTerms(set), Args: rulesArgs, By: a.who.Name})
	if err != nil {
		return doc, fmt.Errorf("the terms are kept; due dates are worked out anew at the latest tonight: %w", err)
	}
	if doc, err = a.SLA(ctx); err == nil {
		doc.JobID = &queued.JobID
	}
	return doc, err
}

// termsOf are the terms that are set.
func termsOf(req request.SLA) (set finding.Terms, err error) {
	for _, part := range []struct {
		name  string
		asked map[string]*int
		into  *map[string]int
	}{{"decision", req.Decision, &set.Decision}, {"severity", req.Severity, &set.Severity}} {
		for word, days := range part.asked {
			if days == nil {
				continue
			}
			if *days < 0 || *days > config.MaxTerm {
				return set, fault.InvalidOption(part.name, ".%s %d: want 0 to %d days; 0 sets no term", word, *days, config.MaxTerm)
			}
			if *part.into == nil {
				*part.into = map[string]int{}
			}
			(*part.into)[word] = *days
		}
	}
	return set, nil
}

// describeTerms is what is set, for the audit trail.
func describeTerms(t finding.Terms) string {
	var out []string
	for _, part := range []map[string]int{t.Decision, t.Severity} {
		for _, word := range sortedKeys(part) {
			out = append(out, fmt.Sprintf("%s %d", word, part[word]))
		}
	}
	if len(out) == 0 {
		return "the configuration file's"
	}
	return strings.Join(out, ", ")
}
