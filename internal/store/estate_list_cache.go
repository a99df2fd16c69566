package store

import (
	"context"
	"sync"
	"sync/atomic"
)

// maxListCache is how many bytes of columns a process keeps: about three million findings. What is beyond is read anew.
const maxListCache = 256 << 20

// listCache keeps blocks that were read, for a process that answers many lists. What it knows of a column holds for one
// generation of the estate; for the next, the column's directory is read again, and only the blocks that changed.
type listCache struct {
	mu      sync.Mutex
	columns map[listColumn]*directory
	size    atomic.Int64 // of the data
	memo    atomic.Int64 // of what was worked out of them
	chosen  chosenCache
	rows    listedRows
	asked   askedConditions
	marks   keptAnswers[[]place]
	trends  keptAnswers[Trend]
}

// directory is the blocks of a column at one generation. Which blocks there are never changes; their data comes later.
type directory struct {
	generation int64
	blocks     map[int64]*listBlock
}

// listBlock is one row of list_column.
type listBlock struct {
	stamp  int64
	lo, hi int64
	data   atomic.Pointer[[]byte] // nil before it was read, or where there was no room
	memo   blockMemo
}

// directory returns what blocks a column has in the transaction's generation.
func (l *lists) directory(ctx context.Context, col listColumn) (map[int64]*listBlock, error) {
	if d := l.known[col]; d != nil {
		return d, nil
	}
	old := l.cache.column(col)
	if old == nil || old.generation != l.generation {
		fresh, err := l.readDirectory(ctx, col, old)
		if err != nil {
			return nil, err
		}
		l.cache.keep(col, fresh)
		old = fresh
	}
	l.known[col] = old.blocks
	return old.blocks, nil
}

func (l *lists) readDirectory(ctx context.Context, col listColumn, old *directory) (*directory, error) {
	rows, err := l.tx.Query(ctx, `SELECT block, stamp, lo, hi FROM list_column WHERE col = ?`, int(col))
	if err != nil {
		return nil, err
	}
	d := &directory{generation: l.generation, blocks: map[int64]*listBlock{}}
	return d, eachRow(rows, func() error {
		var n int64
		b := &listBlock{}
		if err := rows.Scan(&n, &b.stamp, &b.lo, &b.hi); err != nil {
			return err
		}
		if old != nil && old.blocks[n] != nil && old.blocks[n].stamp == b.stamp {
			b = old.blocks[n]
		}
		d.blocks[n] = b
		return nil
	})
}

func (c *listCache) column(col listColumn) *directory {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.columns[col]
}

// keep replaces what is known of a column by what is newer; a reader of an older state keeps its own to itself.
func (c *listCache) keep(col listColumn, d *directory) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.columns[col]
	if old != nil && old.generation >= d.generation {
		return
	}
	if c.columns == nil {
		c.columns = map[listColumn]*directory{}
	}
	c.columns[col] = d
	if old == nil {
		return
	}
	for n, b := range old.blocks {
		if d.blocks[n] == b {
			continue
		}
		b.memo.forget(&c.memo)
		if data := b.data.Load(); data != nil {
			c.size.Add(-int64(len(*data)))
		}
	}
}

// askedConditions keeps what words and hosts a filter names, as long as nobody writes to the estate: they are looked for
// in all of them. The zero value is ready for use.
type askedConditions struct {
	mu         sync.Mutex
	generation int64
	kept       map[string]condition
}

// maxAsked is how many are kept: each takes at most some ten thousand bytes.
const maxAsked = 500

// remembered makes a condition unless it was made before.
func (l *lists) remembered(key string, make func() (condition, error)) (condition, error) {
	if l.cache == nil || len(l.held) > 0 { // words that are not written yet
		return make()
	}
	a := &l.cache.asked
	a.mu.Lock()
	c, known := a.kept[key]
	known = known && a.generation == l.generation
	a.mu.Unlock()
	if known {
		return c, nil
	}
	c, err := make()
	if err == nil {
		a.keep(l.generation, key, c)
	}
	return c, err
}

func (a *askedConditions) keep(generation int64, key string, c condition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if generation < a.generation {
		return
	}
	if generation > a.generation || a.kept == nil || len(a.kept) >= maxAsked {
		a.generation, a.kept = generation, map[string]condition{}
	}
	a.kept[key] = c
}

// fill keeps the data of a block if there is room.
func (c *listCache) fill(b *listBlock, data []byte) {
	if c.size.Add(int64(len(data))) > maxListCache || !b.data.CompareAndSwap(nil, &data) {
		c.size.Add(-int64(len(data)))
	}
}
