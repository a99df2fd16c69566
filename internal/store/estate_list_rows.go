package store

import (
	"context"
	"sync"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// listedRows keeps findings that pages showed as long as nobody writes to the estate: lists begin with the same urgent
// ones, and a finding with its host and evidence takes a dozen lookups. The zero value is ready for use.
type listedRows struct {
	mu         sync.Mutex
	generation int64
	kept       map[int64]finding.Listed
	size       int
}

// maxListedRows is how many bytes of them are kept, as reckoned by sizeOf.
const maxListedRows = 32 << 20

// withEvidenceByID returns the findings that exist in the view of a list of ids with their evidence, in its order. What
// they point to is shared: nobody changes it.
func (e *Estate) withEvidenceByID(ctx context.Context, l *lists, v auth.View, ids []int64) ([]finding.Listed, error) {
	known, unknown := e.lists.rows.find(l.generation, ids)
	read, err := listedByID(ctx, l.tx, v, unknown)
	if err != nil {
		return nil, err
	}
	found := make([]*finding.Finding, len(read))
	for i := range read {
		found[i] = &read[i].Finding
	}
	if err := withEvidence(ctx, l.tx, found); err != nil {
		return nil, err
	}
	if err := l.addRisk(ctx, read); err != nil {
		return nil, err
	}
	e.lists.rows.keep(l.generation, read)
	for _, row := range read {
		known[row.ID] = row
	}
	out := make([]finding.Listed, 0, len(ids))
	for _, id := range ids {
		if row, ok := known[id]; ok && v.Sees(row.Site) {
			out = append(out, row)
		}
	}
	return out, nil
}

func (r *listedRows) find(generation int64, ids []int64) (known map[int64]finding.Listed, unknown []int64) {
	known = make(map[int64]finding.Listed, len(ids))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if row, ok := r.kept[id]; ok && r.generation == generation {
			known[id] = row
			continue
		}
		unknown = append(unknown, id)
	}
	return known, unknown
}

// keep takes rows of the newest generation that was seen; where there is no more room, any others go.
func (r *listedRows) keep(generation int64, rows []finding.Listed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation < r.generation {
		return
	}
	if generation > r.generation || r.kept == nil {
		r.generation, r.kept, r.size = generation, map[int64]finding.Listed{}, 0
	}
	for _, row := range rows {
		if _, twice := r.kept[row.ID]; !twice {
			r.kept[row.ID] = row
			r.size += sizeOf(&row)
		}
	}
	for id, row := range r.kept {
		if r.size <= maxListedRows {
			return
		}
		delete(r.kept, id)
		r.size -= sizeOf(&row)
	}
}

// sizeOf reckons what a row takes: the struct with its short texts, and what may be long.
func sizeOf(l *finding.Listed) int {
	n := 3000 + len(l.Title) + len(l.Remedy) + len(l.Triage.Note)
	for _, e := range l.Evidence {
		n += 600 + len(e.Output) + len(e.Remedy) + len(e.Title)
	}
	return n
}
