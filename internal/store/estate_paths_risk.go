package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// What fixing a finding takes off the risk stands in a column of the lists (estate_list.go), which is where it is sorted by:
//
//	not worked out   0: paths never ran, the finding is younger than their last run, or it did not count then
//	0 and above      finding.RiskKey
//
// A run replaces the column in one transaction, a row for each 4,096 findings. A finding that stops counting (it ended, or
// somebody set it aside) loses its figure with that change, see fold; one that counts again has none until the next run.

// RiskState says when the risk of findings was worked out last; the zero value is never.
type RiskState struct {
	At         time.Time
	Generation int64 // of the estate that it was worked out for
	Written    int64 // the estate's generation that writing it made: as long as that is the newest, nobody else wrote
}

// SetRisk replaces what fixing each finding takes off the risk. figures has every finding that counted, also those of 0;
// of findings that do not stand any more it is not kept.
func (e *Estate) SetRisk(ctx context.Context, at time.Time, generation int64, figures map[int64]float64) error {
	return e.Update(ctx, func(t *EstateTx) error {
		query := `SELECT n FROM generation`
		if t.tx.Engine() == Postgres {
			query += ` FOR UPDATE` // so that nobody writes between this and the end
		}
		var now int64
		if err := t.tx.QueryRow(ctx, query).Scan(&now); err != nil {
			return err
		}
		if err := freshenLists(ctx, t.tx); err != nil {
			return err
		}
		l, err := newLists(ctx, t.tx, &listCache{})
		if err != nil {
			return err
		}
		s, err := e.selected(ctx, l, auth.Everything(), attackFilter)
		if err != nil {
			return err
		}
		if err := l.writeRisk(ctx, s, figures); err != nil {
			return err
		}
		_, err = t.tx.Exec(ctx, `INSERT INTO path_run (id, at, generation, written) VALUES (1, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET at = excluded.at, generation = excluded.generation, written = excluded.written`, millis(at), generation, now+1)
		return err
	})
}

// writeRisk writes the blocks of the column that change.
func (l *lists) writeRisk(ctx context.Context, s *findingSet, figures map[int64]float64) error {
	byBlock := map[int64]*blockValues{}
	for id, figure := range figures {
		block := id / blockSize
		if id <= 0 || block >= int64(len(s.blocks)) || !s.blocks[block].bits.has(uint16(id%blockSize)) { //nolint:gosec // less than blockSize
			continue
		}
		if byBlock[block] == nil {
			byBlock[block] = &blockValues{}
		}
		byBlock[block][id%blockSize] = finding.RiskKey(&figure)
	}
	stored, err := l.riskBlocks(ctx)
	if err != nil {
		return err
	}
	changed := &bulk{table: "list_column", columns: []string{"col", "block", "lo", "hi", "stamp", "data"}, key: []string{"col", "block"}}
	for block, values := range byBlock {
		lo, hi, data := values.pack()
		if !bytes.Equal(data, stored[block]) {
			changed.add(int(colRisk), block, int64(lo), int64(hi), l.generation+1, data) //nolint:gosec // 33 bits
		}
	}
	for block := range stored {
		if byBlock[block] != nil {
			continue
		}
		if _, err := l.tx.Exec(ctx, `DELETE FROM list_column WHERE col = ? AND block = ?`, int(colRisk), block); err != nil {
			return err
		}
	}
	return changed.flush(ctx, l.tx)
}

func (l *lists) riskBlocks(ctx context.Context) (map[int64][]byte, error) {
	stored := map[int64][]byte{}
	return stored, each(ctx, l.tx, `SELECT block, data FROM list_column WHERE col = ?`, []any{int(colRisk)}, func(rows *sql.Rows) error {
		var block int64
		var data []byte
		err := rows.Scan(&block, &data)
		stored[block] = data
		return err
	})
}

// RiskState says when SetRisk was called last.
func (e *Estate) RiskState(ctx context.Context) (state RiskState, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var at int64
		err := tx.QueryRow(ctx, `SELECT at, generation, written FROM path_run`).Scan(&at, &state.Generation, &state.Written)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		state.At = moment(at)
		return err
	})
	return state, err
}

// RiskRanking lists the findings of a filter of which fixing takes most off the risk, and says how many there are that take
// anything off.
func (e *Estate) RiskRanking(ctx context.Context, v auth.View, filter finding.Filter, limit int) (list []finding.Listed, total int, err error) {
	above := finding.LeastRisk
	filter.Sort, filter.After, filter.Skip, filter.Limit, filter.MinRisk = finding.Sort{By: finding.ByRisk}, finding.Cursor{}, 0, limit, &above
	list, counts, err := e.FindingPage(ctx, v, filter)
	return list, counts.Total, err
}

// addRisk is lists.addRisk for who has no lists open.
func (e *Estate) addRisk(ctx context.Context, tx *Tx, listed []finding.Listed) error {
	l, err := e.currentLists(ctx, tx)
	if err != nil {
		return err
	}
	return l.addRisk(ctx, listed)
}

// addRisk fills in what fixing each finding of a list takes off the risk.
func (l *lists) addRisk(ctx context.Context, listed []finding.Listed) error {
	var blocks []int64
	byBlock := map[int64][]int{}
	for i := range listed {
		block := listed[i].ID / blockSize
		if byBlock[block] == nil {
			blocks = append(blocks, block)
		}
		byBlock[block] = append(byBlock[block], i)
	}
	slices.Sort(blocks)
	return l.packed(ctx, colRisk, blocks, within{}, func(block int64, data []byte) error {
		for _, i := range byBlock[block] {
			listed[i].RiskRemoved = finding.RiskOfKey(packedAt(data, int(listed[i].ID%blockSize)))
		}
		return nil
	})
}
