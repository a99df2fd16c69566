package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/patchscout/patchscout/internal/finding"
)

var sightingColumns = []string{"scan", "host", "sensor", "at", "place", "said", "seen"}

// seenList is how the findings that a report saw are kept: each distinct check once.
type seenList struct {
	Checks [][2]string `json:"checks"` // check, policy
	Seen   [][2]int64  `json:"seen"`   // finding, index of its check
}

// AddSighting keeps what a report said of a host.
func (t *EstateTx) AddSighting(_ context.Context, s finding.Sighting) error {
	said, err := json.Marshal(s.Said)
	if err != nil {
		return fmt.Errorf("sighting of host %d: %w", s.HostID, err)
	}
	list := seenList{}
	at := map[[2]string]int64{}
	for _, one := range s.Seen {
		check := [2]string{one.Check, one.Policy}
		if _, known := at[check]; !known {
			at[check] = int64(len(list.Checks))
			list.Checks = append(list.Checks, check)
		}
		list.Seen = append(list.Seen, [2]int64{one.Finding, at[check]})
	}
	seen, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("sighting of host %d: %w", s.HostID, err)
	}
	t.byName["sighting"].add(s.Scan, s.HostID, s.Sensor, millis(s.At), s.Place, pack(said), pack(seen))
	return nil
}

// Sightings returns what reports said of hosts, by host, in order of time.
func (t *EstateTx) Sightings(ctx context.Context, hosts []int64) (map[int64][]finding.Sighting, error) {
	return sightingsBy(ctx, t.tx, "host", hosts)
}

// SightingLike returns the sighting that AddSighting would replace with this one.
func (t *EstateTx) SightingLike(ctx context.Context, s finding.Sighting) (old finding.Sighting, found bool, err error) {
	rows, err := t.tx.Query(ctx, `SELECT scan, host, sensor, at, place, said, seen FROM sighting
		WHERE scan = ? AND host = ? AND sensor = ? AND at = ? AND place = ?`, s.Scan, s.HostID, s.Sensor, millis(s.At), s.Place)
	if err != nil {
		return old, false, err
	}
	err = eachRow(rows, func() error {
		found = true
		old, err = scanSighting(rows)
		return err
	})
	return old, found, err
}

// ScanSightings returns what the reports of a scan said, by host, for the pipeline.
func (e *Estate) ScanSightings(ctx context.Context, scan int64) (out map[int64][]finding.Sighting, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		out, err = sightingsBy(ctx, tx, "scan", []int64{scan})
		return err
	})
	return out, err
}

// DropSighting removes one sighting.
func (t *EstateTx) DropSighting(ctx context.Context, s finding.Sighting) error {
	_, err := t.tx.Exec(ctx, `DELETE FROM sighting WHERE scan = ? AND host = ? AND sensor = ? AND at = ? AND place = ?`,
		s.Scan, s.HostID, s.Sensor, millis(s.At), s.Place)
	return err
}

// seenBy returns the ids of the findings that a scan saw, sorted: those of its sightings, and those that the catalogue
// found later by what it saw, of which its evidence tells.
func seenBy(ctx context.Context, tx *Tx, scan int64) (ids []int64, err error) {
	//nolint:sqlclosecheck // eachRow closes them
	rows, err := tx.Query(ctx, `SELECT finding FROM evidence WHERE first_scan = ? UNION SELECT finding FROM evidence WHERE last_scan = ?`, scan, scan)
	if err == nil {
		ids, err = appendIDs(ids, rows)
	}
	if err != nil {
		return nil, err
	}
	//nolint:sqlclosecheck // eachRow closes them
	rows, err = tx.Query(ctx, `SELECT seen FROM sighting WHERE scan = ?`, scan)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		var stored []byte
		if err := rows.Scan(&stored); err != nil {
			return err
		}
		list, err := readSeen(stored)
		for _, one := range list.Seen {
			ids = append(ids, one[0])
		}
		return err
	})
	slices.Sort(ids)
	return slices.Compact(ids), err
}

func sightingsBy(ctx context.Context, tx *Tx, by string, of []int64) (map[int64][]finding.Sighting, error) {
	out := map[int64][]finding.Sighting{}
	for chunk := range slices.Chunk(of, chunkSize) {
		rows, err := tx.Query(ctx, `SELECT scan, host, sensor, at, place, said, seen FROM sighting WHERE `+by+` IN (`+Marks(len(chunk))+`)
			ORDER BY host, at, scan, sensor, place`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			s, err := scanSighting(rows)
			out[s.HostID] = append(out[s.HostID], s)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func scanSighting(rows *sql.Rows) (s finding.Sighting, err error) {
	var at int64
	var said, seen []byte
	if err := rows.Scan(&s.Scan, &s.HostID, &s.Sensor, &at, &s.Place, &said, &seen); err != nil {
		return s, err
	}
	s.At = moment(at)
	text, err := unpack(said)
	if err == nil {
		err = json.Unmarshal(text, &s.Said)
	}
	if err != nil {
		return s, fmt.Errorf("sighting of host %d by scan %d: %w", s.HostID, s.Scan, err)
	}
	list, err := readSeen(seen)
	for _, one := range list.Seen {
		if i := one[1]; i >= 0 && int(i) < len(list.Checks) {
			s.Seen = append(s.Seen, finding.Seen{Finding: one[0], Check: list.Checks[i][0], Policy: list.Checks[i][1]})
		}
	}
	return s, err
}

func readSeen(stored []byte) (list seenList, err error) {
	text, err := unpack(stored)
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		err = fmt.Errorf("what a scan saw: %w", err)
	}
	return list, err
}

// packer and unpacker are safe for concurrent use by EncodeAll and DecodeAll.
var (
	packer = sync.OnceValue(func() *zstd.Encoder {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // its options are constants
		}
		return w
	})
	unpacker = sync.OnceValue(func() *zstd.Decoder {
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxBlob))
		if err != nil {
			panic(err) // its options are constants
		}
		return r
	})
)

func pack(text []byte) []byte { return packer().EncodeAll(text, nil) }

func unpack(stored []byte) ([]byte, error) { return unpacker().DecodeAll(stored, nil) }
