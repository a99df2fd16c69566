package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/finding"
)

// flawReader reads the findings of an AttackEstate: what the lists have of them from there, the rest from their rows.
type flawReader struct {
	*attackReader
	kinds   map[string]int32 // places in Kinds
	words   map[uint64]string
	sensors map[uint64]string
	key     []byte
	batch   []flawRow
}

// flawRow is what the lists have of a finding.
type flawRow struct {
	id                                  int64
	facets, host, port                  uint64
	weakness, title, component, sensors uint64 // words
}

// flawsAtOnce is how many findings are read at once.
const flawsAtOnce = 1 << 16

// readFlaws adds the selected findings of the hosts.
func readFlaws(ctx context.Context, r *attackReader, s *findingSet, hosts []int64) error {
	ids, err := r.flawIDs(ctx, s, hosts)
	if err != nil {
		return err
	}
	if err := r.makeRoom(ctx, s); err != nil {
		return err
	}
	f := &flawReader{attackReader: r, kinds: map[string]int32{}, words: map[uint64]string{0: ""}, sensors: map[uint64]string{}}
	for batch := range slices.Chunk(ids, flawsAtOnce) {
		for _, step := range []func(context.Context, []int64) error{f.columns, f.texts, f.rows} {
			if err := step(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// flawIDs are the selected findings, in order; of few hosts only theirs.
func (r *attackReader) flawIDs(ctx context.Context, s *findingSet, hosts []int64) (ids []int64, err error) {
	if !r.some {
		for _, block := range s.alive() {
			s.blocks[block].each(func(i int) { ids = append(ids, block*blockSize+int64(i)) })
		}
		return ids, nil
	}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		rows, err := r.tx.Query(ctx, `SELECT id FROM finding WHERE host IN (`+Marks(len(chunk))+`)`, anys(chunk)...) //nolint:sqlclosecheck // appendIDs closes them
		if err == nil {
			ids, err = appendIDs(ids, rows)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return slices.DeleteFunc(ids, func(id int64) bool { return !s.has(id) }), nil
}

func (s *findingSet) has(id int64) bool {
	block := id / blockSize
	return block < int64(len(s.blocks)) && s.blocks[block].bits.has(uint16(id%blockSize)) //nolint:gosec // less than blockSize
}

// makeRoom puts all flaws of all hosts into one piece of memory.
func (r *attackReader) makeRoom(ctx context.Context, s *findingSet) error {
	if r.some {
		return nil
	}
	total, counts := 0, make([]int32, len(r.Hosts))
	if err := r.eachKey(ctx, s, colHost, func(_ int64, host uint64) {
		if at, known := r.place[int64(host)]; known { //nolint:gosec // as it was stored
			counts[at]++
			total++
		}
	}); err != nil {
		return err
	}
	flaws, of := make([]attackpath.Flaw, total), make([]int32, total)
	for i, n := range counts {
		if n > 0 {
			r.Hosts[i].Flaws, flaws = flaws[:0:n], flaws[n:]
			r.Of[i], of = of[:0:n], of[n:]
		}
	}
	return nil
}

// columns reads what the lists have of findings.
func (r *flawReader) columns(ctx context.Context, ids []int64) error {
	r.batch = make([]flawRow, len(ids))
	from := map[int64]int{} // the first of a block
	var blocks []int64
	for i, id := range ids {
		r.batch[i].id = id
		if block := id / blockSize; len(blocks) == 0 || blocks[len(blocks)-1] != block {
			blocks = append(blocks, block)
			from[block] = i
		}
	}
	for col, field := range map[listColumn]func(*flawRow) *uint64{
		colFacets: func(f *flawRow) *uint64 { return &f.facets }, colHost: func(f *flawRow) *uint64 { return &f.host }, colPort: func(f *flawRow) *uint64 { return &f.port },
		colWeakness: func(f *flawRow) *uint64 { return &f.weakness }, colTitle: func(f *flawRow) *uint64 { return &f.title },
		colComponent: func(f *flawRow) *uint64 { return &f.component }, colSensors: func(f *flawRow) *uint64 { return &f.sensors },
	} {
		if err := r.packed(ctx, col, blocks, within{}, func(block int64, data []byte) error {
			for i := from[block]; i < len(ids) && ids[i]/blockSize == block; i++ {
				*field(&r.batch[i]) = packedAt(data, int(ids[i]%blockSize))
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// texts reads the words of the batch that were not met before.
func (r *flawReader) texts(ctx context.Context, _ []int64) error {
	var unknown []uint64
	for i := range r.batch {
		f := &r.batch[i]
		for _, n := range [...]uint64{f.weakness, f.title, f.component, f.sensors} {
			if _, known := r.words[n]; !known {
				r.words[n] = ""
				unknown = append(unknown, n)
			}
		}
	}
	found, err := r.lists.words.texts(ctx, unknown)
	for n, text := range found {
		r.words[n] = text
	}
	return err
}

const selectFlaw = `SELECT id, chk, cwes, cvss_vector, remedy FROM finding WHERE `

// rows reads what only the findings themselves have, and adds them to their hosts.
func (r *flawReader) rows(ctx context.Context, ids []int64) error {
	first, last := ids[0], ids[len(ids)-1]
	if int64(len(ids))*8 > last-first {
		return r.add(ctx, `id >= ? AND id <= ? AND state IN ('open', 'reopened') AND status = 'affected'`, first, last)
	}
	for chunk := range slices.Chunk(ids, chunkSize) {
		if err := r.add(ctx, `id IN (`+Marks(len(chunk))+`)`, anys(chunk)...); err != nil {
			return err
		}
	}
	return nil
}

// add adds those findings of a condition that are in the batch.
func (r *flawReader) add(ctx context.Context, where string, args ...any) error {
	var id int64
	var own flawTexts
	at, _ := slices.BinarySearchFunc(r.batch, args[0].(int64), func(f flawRow, id int64) int { return int(f.id - id) })
	return each(ctx, r.tx, selectFlaw+where+` ORDER BY id`, args, func(rows *sql.Rows) error {
		if err := rows.Scan(&id, &own.check, &own.cwes, &own.vector, &own.remedy); err != nil {
			return err
		}
		for at < len(r.batch) && r.batch[at].id < id {
			at++
		}
		if at < len(r.batch) && r.batch[at].id == id {
			r.put(&r.batch[at], &own)
		}
		return nil
	})
}

// flawTexts are what only a finding's row has.
type flawTexts struct{ check, cwes, vector, remedy sql.RawBytes }

func (r *flawReader) put(f *flawRow, own *flawTexts) {
	place, known := r.place[int64(f.host)] //nolint:gosec // as it was stored
	if !known {
		return
	}
	n := r.kindOf(f, own)
	k := &r.Kinds[n]
	h := &r.Hosts[place]
	h.Flaws = append(h.Flaws, attackpath.Flaw{Finding: f.id, Weakness: string(k.Weakness), Protocol: wordOf(codesOfProtocol, facets(f.facets).get(facetProtocol)),
		Port: uint16(f.port), Component: r.words[f.component], Title: k.Title, Remedy: r.once(own.remedy), Scanner: r.sensor(f.sensors)}) //nolint:gosec // as it was stored
	r.Of[place] = append(r.Of[place], n)
}

// kindOf is the place of a kind in Kinds.
func (r *flawReader) kindOf(f *flawRow, own *flawTexts) int32 {
	bits := facets(f.facets)
	severity, kev, exploited := bits.get(facetSeverity), bits.get(facetKEV), bits.get(facetExploited)
	r.key = r.key[:0]
	for _, n := range [...]uint64{f.weakness, f.title, severity, kev, exploited, uint64(len(own.check)), uint64(len(own.cwes))} {
		r.key = binary.AppendUvarint(r.key, n)
	}
	r.key = append(append(append(r.key, own.check...), own.cwes...), own.vector...)
	if n, known := r.kinds[string(r.key)]; known {
		return n
	}
	n := int32(len(r.Kinds)) //nolint:gosec // far fewer
	r.kinds[string(r.key)] = n
	r.Kinds = append(r.Kinds, FlawKind{Weakness: finding.Weakness(r.words[f.weakness]), Check: r.once(own.check), CWEs: unnumber(string(own.cwes)),
		Vector: r.once(own.vector), Title: r.words[f.title], Severity: wordOf(codesOfSeverity, severity), KEV: kev == 1, Exploited: exploited == 1})
	return n
}

// sensor is the first of a set of sensors.
func (r *flawReader) sensor(set uint64) string {
	name, known := r.sensors[set]
	if !known {
		if names := unlist(r.words[set]); len(names) > 0 {
			name = names[0]
		}
		r.sensors[set] = name
	}
	return name
}
