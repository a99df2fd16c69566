package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/match"
)

// groupCache keeps what groups of CVEs are made from and those that were asked for last, as long as nobody writes to the
// catalogue. The zero value is ready for use.
type groupCache struct {
	mu         sync.Mutex
	generation int64
	named      *namings
	kept       map[string][]catalogue.Group
	weight     int
}

// maxGroups is how many groups are kept, of all questions together: by product each has sixty thousand.
const maxGroups = 150_000

// maxGroupKey is how long the text of a filter may be for its groups to be kept: one of many ids is not asked for again.
const maxGroupKey = 2048

// groupKey tells filters and what is counted by apart.
func groupKey(f catalogue.Filter, by string) (key string, ok bool) {
	f.Words, f.Sort, f.After, f.Limit, f.Skip = "", "", "", 0, 0
	if len(f.IDs) > maxGroupKey/8 {
		return "", false
	}
	text, err := json.Marshal(f)
	return by + " " + string(text), err == nil && len(text) <= maxGroupKey
}

func (c *groupCache) find(generation int64, key string) ([]catalogue.Group, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	groups, known := c.kept[key]
	return slices.Clone(groups), known && c.generation == generation
}

func (c *groupCache) keep(generation int64, key string, groups []catalogue.Group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.current(generation) {
		return
	}
	weight := 1 + len(groups)
	if c.kept == nil || c.weight+weight > maxGroups {
		c.kept, c.weight = map[string][]catalogue.Group{}, 0
	}
	if _, known := c.kept[key]; !known {
		c.kept[key] = slices.Clone(groups)
		c.weight += weight
	}
}

// current forgets what is older than a generation, and says whether what is of it may be kept.
func (c *groupCache) current(generation int64) bool {
	if generation > c.generation {
		c.generation, c.named, c.kept, c.weight = generation, nil, nil, 0
	}
	return generation == c.generation
}

// namings are which CVEs the rules of which products name, in two bytes or so for each: to read all packs of rules takes
// longer than a person should wait for each count.
type namings struct {
	ids   []cve.ID // of all of them, in order
	rows  []naming // by vendor, then product
	lists []byte   // of places in ids, each as its distance from the one before
}

// naming is a list of one product; it has one for each part of CPE that it has rules of.
type naming struct {
	vendor, product string // as CPE quotes them
	from, to        int    // within lists
}

// namings returns those of the generation that tx reads.
func (c *Catalogue) namings(ctx context.Context, tx *Tx, generation int64) (*namings, error) {
	cache := &c.store.groups
	cache.mu.Lock()
	named, of := cache.named, cache.generation
	cache.mu.Unlock()
	if named != nil && of == generation {
		return named, nil
	}
	named, err := readNamings(ctx, tx)
	if err != nil {
		return nil, err
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if cache.current(generation) {
		cache.named = named
	}
	return named, nil
}

func readNamings(ctx context.Context, tx *Tx) (*namings, error) {
	n := &namings{}
	var lists [][]cve.ID
	all := map[cve.ID]int{}
	vendors := map[string]string{} // one text for all products of a vendor
	err := each(ctx, tx, `SELECT vendor, product, pack FROM product_pack1`, nil, func(rows *sql.Rows) error {
		var row naming
		var pack sql.RawBytes
		if err := rows.Scan(&row.vendor, &row.product, &pack); err != nil {
			return err
		}
		ids, err := match.CVEs(pack)
		if err != nil {
			return err
		}
		if known, ok := vendors[row.vendor]; ok {
			row.vendor = known
		}
		vendors[row.vendor] = row.vendor
		for _, id := range ids {
			all[id] = 0
		}
		row.from = len(lists)
		n.rows, lists = append(n.rows, row), append(lists, ids)
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.ids = make([]cve.ID, 0, len(all))
	for id := range all {
		n.ids = append(n.ids, id)
	}
	slices.Sort(n.ids)
	for place, id := range n.ids {
		all[id] = place
	}
	slices.SortFunc(n.rows, func(a, b naming) int {
		return cmp.Or(strings.Compare(a.vendor, b.vendor), strings.Compare(a.product, b.product), a.from-b.from)
	})
	for i := range n.rows {
		ids := lists[n.rows[i].from]
		n.rows[i].from = len(n.lists)
		before := 0
		for _, id := range ids { // in order, as packs hold them
			n.lists = binary.AppendUvarint(n.lists, uint64(all[id]-before))
			before = all[id]
		}
		n.rows[i].to = len(n.lists)
	}
	return n, nil
}

// groups counts, of the CVEs of ids, those that each vendor or product is named in. One that several parts of a product, or
// products of a vendor, are named in counts once.
func (n *namings) groups(ids []cve.ID, products bool) (groups []catalogue.Group) {
	among := n.places(ids)
	counted := make([]int32, len(n.ids)) // the group that counted it last, from 1
	group := int32(0)
	for i := 0; i < len(n.rows); {
		first, count := &n.rows[i], 0
		group++
		for ; i < len(n.rows) && n.rows[i].vendor == first.vendor && (!products || n.rows[i].product == first.product); i++ {
			place := 0
			for at := n.rows[i].from; at < n.rows[i].to; {
				step, size := binary.Uvarint(n.lists[at:])
				at += size
				place += int(step)
				if among[place] && counted[place] != group {
					counted[place] = group
					count++
				}
			}
		}
		if count == 0 {
			continue
		}
		g := catalogue.Group{Key: cpe.Unquote(first.vendor), CVEs: count}
		if products {
			g.Key, g.Other = cpe.Unquote(first.product), cpe.Unquote(first.vendor)
		}
		groups = append(groups, g)
	}
	return groups
}

// places says of each of n.ids whether it is among others.
func (n *namings) places(ids []cve.ID) []bool {
	slices.Sort(ids)
	among := make([]bool, len(n.ids))
	place := 0
	for _, id := range ids {
		for place < len(n.ids) && n.ids[place] < id {
			place++
		}
		if place < len(n.ids) && n.ids[place] == id {
			among[place] = true
		}
	}
	return among
}
