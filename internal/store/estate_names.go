package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// Names are what things are called in a view: what a question may name.
type Names struct {
	Hosts    []NamedHost // by id
	Products []string    // what services and packages are called, without versions
	Owners   []string    // of hosts, and assignees of findings
	Tags     []string    // of hosts, in lower case
	Labels   []string    // of findings
	Sensors  []string
}

// NamedHost is a host with its addresses and names, in lower case.
type NamedHost struct {
	ID    int64
	Site  string
	Names []string
}

// Names lists what things are called in a view. It reads what lists are made of, which is mostly in memory.
func (e *Estate) Names(ctx context.Context, v auth.View) (n Names, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		roll, err := e.roll(ctx, l)
		if err != nil {
			return err
		}
		owners, products := map[string]bool{}, map[string]bool{}
		n.addRoll(roll, v, owners, products)
		all, err := e.selected(ctx, l, v, finding.Filter{ShowHidden: true})
		if err != nil {
			return err
		}
		for col, add := range map[listColumn]func(text string){
			colAssignee:  func(text string) { owners[text] = true },
			colLabels:    func(text string) { n.Labels = append(n.Labels, unlist(text)...) },
			colSensors:   func(text string) { n.Sensors = append(n.Sensors, unlist(text)...) },
			colComponent: func(text string) { name, _ := finding.SplitComponent(text); products[name] = true },
		} {
			if err := l.wordsOf(ctx, all, col, add); err != nil {
				return err
			}
		}
		n.Owners, n.Products = slices.Sorted(maps.Keys(owners)), slices.Sorted(maps.Keys(products))
		for _, names := range []*[]string{&n.Labels, &n.Sensors} {
			slices.Sort(*names)
			*names = slices.Compact(*names)
		}
		return nil
	})
	return n, err
}

// roll is what is kept of all hosts.
func (e *Estate) roll(ctx context.Context, l *lists) (*hostRoll, error) {
	e.inventory.mu.Lock()
	defer e.inventory.mu.Unlock()
	return e.inventory.hostRoll(ctx, l.tx, l.generation)
}

func (n *Names) addRoll(r *hostRoll, v auth.View, owners, products map[string]bool) {
	sites, tags, kinds := r.seenSites(v, ""), map[string]bool{}, make([]bool, len(r.kinds))
	for i := range r.hosts {
		h := &r.hosts[i]
		if !sites[h.site] {
			continue
		}
		_, names, _ := strings.Cut(h.text, "\n") // behind the operating system
		n.Hosts = append(n.Hosts, NamedHost{h.id, r.sites[h.site], strings.Split(names, "\n")})
		for _, tag := range unlist(h.tags) {
			tags[tag] = true
		}
		if h.owner != "" {
			owners[h.owner] = true
		}
		for _, s := range r.services[h.first:h.end] {
			kinds[s.kind] = true
		}
	}
	for i, seen := range kinds {
		if seen && r.kinds[i].product != "" {
			products[r.kinds[i].product] = true
		}
	}
	n.Tags = slices.Sorted(maps.Keys(tags))
}

// wordsOf calls fn for each different word of a column in a set, in no order.
func (l *lists) wordsOf(ctx context.Context, s *findingSet, col listColumn, fn func(text string)) error {
	ids := map[uint64]bool{}
	if err := l.scan(ctx, col, s.alive(), within{}, func(block int64, values *blockValues) {
		last := uint64(0)
		s.blocks[block].each(func(i int) {
			if n := values[i]; n != last {
				ids[n], last = true, n
			}
		})
	}); err != nil {
		return err
	}
	delete(ids, 0)
	texts, err := l.words.texts(ctx, slices.Collect(maps.Keys(ids)))
	for _, text := range texts {
		fn(text)
	}
	return err
}
