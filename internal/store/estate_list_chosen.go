package store

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// chosen is what a filter selects in a view, and what that comes to. Nobody changes the set.
type chosen struct {
	set    *findingSet
	counts Counts
	used   int64
}

// chosenCache keeps what was selected last as long as nobody writes: the pages of a list share their filter, and so do
// people who open the same page. The zero value is ready for use.
type chosenCache struct {
	mu         sync.Mutex
	generation int64
	kept       map[string]*chosen
	uses       int64
}

// maxChosen is how many bytes of sets are kept.
const maxChosen = 16 << 20

// chosenKey tells filters apart; the order and the place in the list do not matter. What is due changes with the day.
func chosenKey(v auth.View, f finding.Filter, now time.Time) (string, error) {
	f.Sort, f.After, f.Skip, f.Limit = finding.Sort{}, finding.Cursor{}, 0, 0
	key, err := json.Marshal(struct {
		Day   string
		All   bool
		Sites []string
		finding.Filter
	}{now.UTC().Format(time.DateOnly), v.All(), v.Sites(), f})
	return string(key), err
}

// chosen selects and counts, or returns what was found before.
func (e *Estate) chosen(ctx context.Context, l *lists, v auth.View, f finding.Filter) (*findingSet, Counts, error) {
	key, err := chosenKey(v, f, e.db.opts.Now())
	if err != nil {
		return nil, Counts{}, err
	}
	if len(l.held) == 0 {
		if c := e.lists.chosen.find(l.generation, key); c != nil {
			return c.set, c.counts.clone(), nil
		}
	}
	c := &chosen{counts: Counts{BySeverity: map[string]int{}, ByDecision: map[string]int{}}}
	if c.set, err = e.selected(ctx, l, v, f); err != nil {
		return nil, Counts{}, err
	}
	if err := l.count(ctx, c.set, &c.counts); err != nil {
		return nil, Counts{}, err
	}
	if len(l.held) == 0 {
		e.lists.chosen.keep(l.generation, key, c)
	}
	return c.set, c.counts.clone(), nil
}

func (c Counts) clone() Counts {
	c.BySeverity, c.ByDecision = maps.Clone(c.BySeverity), maps.Clone(c.ByDecision)
	return c
}

func (c *chosenCache) find(generation int64, key string) *chosen {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.kept[key]
	if found == nil || c.generation != generation {
		return nil
	}
	c.uses++
	found.used = c.uses
	return found
}

// keep takes a set of the newest generation that was seen; it lets go of the one that was not asked for the longest.
func (c *chosenCache) keep(generation int64, key string, s *chosen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation < c.generation {
		return
	}
	if generation > c.generation || c.kept == nil {
		c.generation, c.kept = generation, map[string]*chosen{}
	}
	size := len(s.set.blocks)*(blockSize/8+8) + 1
	if len(c.kept) >= maxChosen/size {
		c.drop()
	}
	c.uses++
	s.used = c.uses
	c.kept[key] = s
}

func (c *chosenCache) drop() {
	oldest := ""
	for key, s := range c.kept {
		if oldest == "" || s.used < c.kept[oldest].used {
			oldest = key
		}
	}
	delete(c.kept, oldest)
}
