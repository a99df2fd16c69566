package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"math/bits"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// MatrixTechnique is a technique as the matrix shows it.
type MatrixTechnique struct {
	ID, Name, Parent, ReplacedBy string
	Tactics                      []string // short names
	Revoked, Deprecated          bool
}

// Matrix lists the techniques of a domain by id, revoked ones too, without all that is said of them.
func (c *Catalogue) Matrix(ctx context.Context, domain string) (list []MatrixTechnique, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT document FROM technique WHERE domain = ? ORDER BY id`, []any{domain}, func(rows *sql.Rows) error {
			var document sql.RawBytes
			var t MatrixTechnique
			if err := rows.Scan(&document); err != nil {
				return err
			}
			err := json.Unmarshal(document, &t)
			list = append(list, t)
			return err
		})
	})
	return list, err
}

// AllMappings returns what is published of techniques, by CVE.
func (c *Catalogue) AllMappings(ctx context.Context) (map[cve.ID][]intel.Mapping, error) {
	out := map[cve.ID][]intel.Mapping{}
	return out, c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, selectMapping+` ORDER BY cve, technique, kind, source`, nil, func(rows *sql.Rows) error {
			m, err := scanMapping(rows)
			out[m.CVE] = append(out[m.CVE], m)
			return err
		})
	})
}

// TechniqueRules says by which rules techniques are derived of CVEs, as intel.RuleBits. Those of which none fires are absent.
func (c *Catalogue) TechniqueRules(ctx context.Context, ids []cve.ID) (map[cve.ID]uint32, error) {
	out := make(map[cve.ID]uint32, len(ids))
	return out, c.db.steady(ctx, func(tx *Tx) error {
		clear(out)
		return eachID(ctx, tx, `SELECT id, techniques FROM cve_fact WHERE id IN (%s) AND techniques <> 0`, ids, func(rows *sql.Rows) error {
			var id cve.ID
			var rules uint32
			err := rows.Scan(&id, &rules)
			out[id] = rules
			return err
		})
	})
}

// LedTo is what leads to a technique: confirmed findings that stand and that nobody set aside.
type LedTo struct {
	Findings, Hosts, KEV int
	Decision             string // of the most urgent, "" for none
}

// Exposure counts, for each of n techniques, the findings of a view whose CVE leads to it. lead says which techniques those
// are, by number, each once.
func (e *Estate) Exposure(ctx context.Context, v auth.View, n int, lead func(context.Context, []cve.ID) (map[cve.ID][]int32, error)) (out []LedTo, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		s, err := e.selected(ctx, l, v, standingFilter)
		if err != nil {
			return err
		}
		x := &exposing{grouping: grouping{lists: l, findings: s}, tallies: make([]workTally, n), hosts: make([][]uint64, n)}
		for _, step := range []func(context.Context) error{x.weaknesses, func(ctx context.Context) error { return x.lead(ctx, lead) }, x.count} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		out = x.told()
		return nil
	})
	return out, err
}

// exposing is an exposure in the making.
type exposing struct {
	grouping
	of      [][]uint32 // the weakness of every selected finding, by block and place in it: a word
	asked   []bool     // words that are weaknesses of selected findings
	leads   [][]int32  // techniques by word
	tallies []workTally
	hosts   [][]uint64 // sets by technique
}

func (x *exposing) weaknesses(ctx context.Context) error {
	x.of = make([][]uint32, len(x.findings.blocks))
	for _, block := range x.findings.alive() {
		x.of[block] = make([]uint32, blockSize)
	}
	return x.each(ctx, x.findings, colWeakness, func(block int64, i int, n uint64) {
		if n >= uint64(len(x.asked)) {
			x.asked = append(x.asked, make([]bool, n+wordBlockSize-uint64(len(x.asked)))...)
		}
		x.of[block][i], x.asked[n] = uint32(n), true //nolint:gosec // words are numbered without gaps
	})
}

// lead asks to which techniques the weaknesses lead.
func (x *exposing) lead(ctx context.Context, lead func(context.Context, []cve.ID) (map[cve.ID][]int32, error)) error {
	x.leads = make([][]int32, len(x.asked))
	names, err := x.named(ctx)
	if err != nil {
		return err
	}
	ids := make([]cve.ID, 0, len(names))
	for _, id := range names {
		ids = append(ids, id)
	}
	techniques, err := lead(ctx, ids)
	for n, id := range names {
		x.leads[n] = techniques[id]
	}
	return err
}

// named are the CVEs of the weaknesses, by word: they are read from the blocks that are there for searching, since they are
// many.
func (x *exposing) named(ctx context.Context) (map[uint64]cve.ID, error) {
	out := map[uint64]cve.ID{}
	note := func(n uint64, body string) {
		for at, line := range strings.Split(body, "\n") {
			word := n*wordBlockSize + uint64(at) //nolint:gosec // not negative
			if word >= uint64(len(x.asked)) || !x.asked[word] || !strings.HasPrefix(line, "cve-") {
				continue
			}
			if id, err := cve.ParseID(strings.ToUpper(line)); err == nil {
				out[word] = id
			}
		}
	}
	err := each(ctx, x.tx, `SELECT block, body FROM list_words`, nil, func(rows *sql.Rows) error {
		var n uint64
		var body sql.RawBytes
		if err := rows.Scan(&n, &body); err != nil {
			return err
		}
		note(n, string(body))
		return nil
	})
	for n, block := range x.words.blocks { // of findings that are not in the lists yet
		note(n, string(block.body))
	}
	return out, err
}

func (x *exposing) count(ctx context.Context) error {
	if err := x.each(ctx, x.findings, colFacets, func(block int64, i int, n uint64) {
		for _, t := range x.leads[x.of[block][i]] {
			x.tallies[t].add(facets(n))
		}
	}); err != nil {
		return err
	}
	return x.each(ctx, x.findings, colHost, func(block int64, i int, host uint64) {
		for _, t := range x.leads[x.of[block][i]] {
			if at := host / 64; at >= uint64(len(x.hosts[t])) {
				x.hosts[t] = append(x.hosts[t], make([]uint64, at+64-uint64(len(x.hosts[t])))...)
			}
			x.hosts[t][host/64] |= 1 << (host % 64)
		}
	})
}

func (x *exposing) told() []LedTo {
	out := make([]LedTo, len(x.tallies))
	for i, t := range x.tallies {
		out[i] = LedTo{Findings: int(t.findings), KEV: int(t.kev), Decision: wordOf(codesOfDecision, uint64(t.decision))}
		for _, w := range x.hosts[i] {
			out[i].Hosts += bits.OnesCount64(w)
		}
	}
	return out
}
