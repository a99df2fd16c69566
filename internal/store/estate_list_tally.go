package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// FindingPlaces calls fn with where each finding is that a filter selects in a view, by id. The filter's order, cursor and
// limit do not matter.
func (e *Estate) FindingPlaces(ctx context.Context, v auth.View, f finding.Filter, fn func(finding.Place)) error {
	return e.db.view(ctx, func(tx *Tx) error {
		g, err := e.tally(ctx, tx, v, f)
		if err != nil {
			return err
		}
		at, places := map[int64]int{}, []finding.Place{}
		components := map[uint64][]int{}
		for _, column := range []struct {
			col  listColumn
			take func(p *finding.Place, n uint64)
		}{
			{colHost, func(p *finding.Place, n uint64) { p.Host = int64(n) }},  //nolint:gosec // as it was stored
			{colPort, func(p *finding.Place, n uint64) { p.Port = uint16(n) }}, //nolint:gosec // a port
			{colFacets, func(p *finding.Place, n uint64) { p.Protocol = wordOf(codesOfProtocol, facets(n).get(facetProtocol)) }},
			{colRemedy, func(p *finding.Place, n uint64) { p.Fix = p.Fix || n != 0 }},
			{colFixedIn, func(p *finding.Place, n uint64) { p.Fix = p.Fix || n != 0 }},
			{colComponent, func(p *finding.Place, n uint64) {
				if n != 0 {
					components[n] = append(components[n], at[p.ID])
				}
			}},
		} {
			if err := g.each(ctx, g.findings, column.col, func(block int64, i int, n uint64) {
				id := block*blockSize + int64(i)
				place, known := at[id]
				if !known {
					place = len(places)
					at[id] = place
					places = append(places, finding.Place{ID: id})
				}
				column.take(&places[place], n)
			}); err != nil {
				return err
			}
		}
		numbers := make([]uint64, 0, len(components))
		for n := range components {
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		texts, err := g.words.texts(ctx, numbers)
		if err != nil {
			return err
		}
		for n, list := range components {
			for _, i := range list {
				places[i].Component = texts[n]
			}
		}
		for _, p := range places {
			fn(p)
		}
		return nil
	})
}

// FindingTally counts the findings that a filter selects in a view by what no list groups by: port ("443/tcp"), scanner or cwe
// ("CWE-79"). A finding counts for each scanner that reported it and for each of its kinds of weakness.
func (e *Estate) FindingTally(ctx context.Context, v auth.View, f finding.Filter, by string) (map[string]int, error) {
	out := map[string]int{}
	err := e.db.view(ctx, func(tx *Tx) error {
		g, err := e.tally(ctx, tx, v, f)
		if err != nil {
			return err
		}
		switch by {
		case "port":
			return g.tallyPorts(ctx, out)
		case "scanner":
			return g.tallySets(ctx, colSensors, out)
		case "cwe":
			return g.tallyKinds(ctx, tx, out)
		}
		return fmt.Errorf("findings are not counted by %q", by)
	})
	return out, err
}

// tally is what a filter selects, to be counted.
func (e *Estate) tally(ctx context.Context, tx *Tx, v auth.View, f finding.Filter) (*grouping, error) {
	l, err := e.currentLists(ctx, tx)
	if err != nil {
		return nil, err
	}
	g := &grouping{lists: l}
	g.findings, err = e.selected(ctx, l, v, f)
	return g, err
}

func (g *grouping) tallyPorts(ctx context.Context, out map[string]int) error {
	type port struct{ protocol, number uint64 }
	protocols, counts := map[int64]uint64{}, map[port]int{}
	if err := g.each(ctx, g.findings, colFacets, func(block int64, i int, n uint64) {
		protocols[block*blockSize+int64(i)] = facets(n).get(facetProtocol)
	}); err != nil {
		return err
	}
	if err := g.each(ctx, g.findings, colPort, func(block int64, i int, n uint64) {
		counts[port{protocols[block*blockSize+int64(i)], n}]++
	}); err != nil {
		return err
	}
	for p, n := range counts {
		name := "no port"
		if p.number != 0 {
			name = fmt.Sprintf("%d/%s", p.number, wordOf(codesOfProtocol, p.protocol))
		}
		out[name] += n
	}
	return nil
}

// tallySets counts by the members of a column of sets.
func (g *grouping) tallySets(ctx context.Context, col listColumn, out map[string]int) error {
	counts := map[uint64]int{}
	if err := g.each(ctx, g.findings, col, func(_ int64, _ int, n uint64) { counts[n]++ }); err != nil {
		return err
	}
	numbers := make([]uint64, 0, len(counts))
	for n := range counts {
		if n != 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	texts, err := g.words.texts(ctx, numbers)
	for n, text := range texts {
		for _, name := range unlist(text) {
			out[name] += counts[n]
		}
	}
	return err
}

// tallyKinds counts by kind of weakness, which no column has.
func (g *grouping) tallyKinds(ctx context.Context, tx *Tx, out map[string]int) error {
	var ids []int64
	for _, block := range g.findings.alive() {
		g.findings.blocks[block].each(func(i int) { ids = append(ids, block*blockSize+int64(i)) })
	}
	for chunk := range slices.Chunk(ids, chunkSize) {
		among := padded(chunk)
		rows, err := tx.Query(ctx, `SELECT cwes, count(*) FROM finding WHERE id IN (`+Marks(len(among))+`) GROUP BY cwes`, among...) //nolint:sqlclosecheck // eachRow closes them
		if err != nil {
			return err
		}
		if err := eachRow(rows, func() error {
			var text string
			var n int
			var kinds []int
			if err := rows.Scan(&text, &n); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(text), &kinds); err != nil {
				return err
			}
			for _, k := range kinds {
				out[fmt.Sprintf("CWE-%d", k)] += n
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
