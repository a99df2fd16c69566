package store

import (
	"context"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// FindingPage is Findings with their evidence and CountFindings of one state of the estate, for those who ask often: what a
// filter selects, and the findings that were shown, are kept until somebody writes. What the findings point to must not
// be changed.
func (e *Estate) FindingPage(ctx context.Context, v auth.View, filter finding.Filter) (list []finding.Listed, c Counts, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		var s *findingSet
		if s, c, err = e.chosen(ctx, l, v, filter); err != nil {
			return err
		}
		ids, err := l.page(ctx, s, filter)
		if err == nil {
			list, err = e.withEvidenceByID(ctx, l, v, ids)
		}
		return err
	})
	return list, c, err
}

// page are the ids of a selection that the filter's order, cursor, skip and limit leave.
func (l *lists) page(ctx context.Context, s *findingSet, filter finding.Filter) ([]int64, error) {
	most := filter.Limit
	if most > 0 {
		most += filter.Skip
	}
	ids, err := l.first(ctx, s, filter.Sort, filter.After, most)
	return ids[min(filter.Skip, len(ids)):], err
}
