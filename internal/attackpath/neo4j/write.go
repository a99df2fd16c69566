package neo4j

import (
	"context"
	"fmt"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/patchscout/patchscout/internal/fault"
)

const (
	batch       = 2000 // rows of one query
	transaction = 6000 // rows of one transaction: a server with little memory holds that
	dropAtOnce  = 10_000
	longest     = time.Minute // of one transaction
	maxActions  = 500_000     // of a network; one with its nodes and relationships is some kilobytes while it is written
	indexTime   = 60          // seconds for the server to have its indexes ready
)

// Write replaces what the database holds of us. What is there already is changed, what is not in the picture is removed by
// the number of the load; until its end answers say that they are incomplete. When it fails, the next one puts all right.
func (g *Graph) Write(ctx context.Context, p Picture) error {
	d, err := Draw(p)
	if err != nil {
		return err
	}
	return g.write(ctx, d.rows, "")
}

// Drawing is a Picture as it is written: the network may change afterwards.
type Drawing struct{ rows *rows }

// Draw makes a Drawing, or fault.Invalid for a network that is too large.
func Draw(p Picture) (Drawing, error) {
	if n := len(p.Network.Actions); n > maxActions {
		return Drawing{}, fault.Invalid("the network is too large for a graph database: %d steps, at most %d", n, maxActions)
	}
	return Drawing{toRows(p)}, nil
}

// Renew is Write, unless the database holds exactly that. It says whether it wrote. A Drawing is for one time.
func (g *Graph) Renew(ctx context.Context, d Drawing) (wrote bool, err error) {
	r := d.rows
	content, err := r.content()
	if err != nil {
		return false, err
	}
	now, err := g.about(ctx)
	if err != nil || now.complete && now.content == content {
		return false, err
	}
	return true, g.write(ctx, r, content)
}

func (g *Graph) write(ctx context.Context, r *rows, content string) error {
	w := &writing{graph: g, ctx: ctx}
	if err := g.prepare(ctx); err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	for _, l := range nodeOrder {
		for _, row := range r.nodes[l] {
			row["load"] = w.load
		}
		w.all(mergeNodes(l), r.nodes[l])
	}
	for _, l := range linkOrder {
		for _, row := range r.links[l] {
			row["r"].(map[string]any)["load"] = w.load
		}
		w.all(mergeLinks(l), r.links[l])
	}
	w.end(content)
	return g.wrap(ctx, w.err)
}

// prepare makes the constraints, once: keys are found by them.
func (g *Graph) prepare(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ready {
		return nil
	}
	for _, l := range keyed {
		if err := g.run(ctx, constraint(l), nil); err != nil {
			return err
		}
	}
	if err := g.run(ctx, "CALL db.awaitIndexes($seconds)", map[string]any{"seconds": indexTime}); err != nil {
		return err
	}
	g.ready = true
	return nil
}

// run is for what changes the schema.
func (g *Graph) run(ctx context.Context, query string, params map[string]any) error {
	_, err := driver.ExecuteQuery(ctx, g.driver, query, params, driver.EagerResultTransformer, driver.ExecuteQueryWithTransactionConfig(until(ctx)))
	return g.wrap(ctx, err)
}

func (g *Graph) wrap(ctx context.Context, err error) error { return wrap(ctx, g.place, err) }

// until has the server itself end what nobody waits for.
func until(ctx context.Context) func(*driver.TransactionConfig) {
	left := longest
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, max(time.Until(deadline), time.Millisecond))
	}
	return driver.WithTxTimeout(left)
}

// writing is one load.
type writing struct {
	graph   *Graph
	ctx     context.Context
	load    int64
	pending []statement
	rows    int
	err     error
}

// statement is a query that says how much it found in n.
type statement struct {
	query  string
	params map[string]any
	rows   int
	want   int
	got    *int        // where n goes, whatever it is
	skip   func() bool // decides when it is its turn
}

func (w *writing) begin() error {
	answer, err := w.transact(func(tx driver.ManagedTransaction) (any, error) { return one(w.ctx, tx, begin, nil, "load") })
	if err != nil {
		return w.graph.wrap(w.ctx, err)
	}
	w.load = answer.(int64)
	return nil
}

func (w *writing) transact(work driver.ManagedTransactionWork) (any, error) {
	s := w.graph.driver.NewSession(w.ctx, driver.SessionConfig{AccessMode: driver.AccessModeWrite})
	defer s.Close(context.WithoutCancel(w.ctx)) //nolint:errcheck // what was committed is, and the connection is not used again when it is broken
	return s.ExecuteWrite(w.ctx, work, until(w.ctx))
}

// one runs a query of one row.
func one(ctx context.Context, tx driver.ManagedTransaction, query string, params map[string]any, field string) (int64, error) {
	result, err := tx.Run(ctx, query, params)
	if err != nil {
		return 0, err
	}
	record, err := result.Single(ctx)
	if err != nil {
		return 0, err
	}
	n, _, err := driver.GetRecordValue[int64](record, field)
	return n, err
}

// all adds rows in batches.
func (w *writing) all(query string, rows []row) {
	for len(rows) > 0 {
		n := min(len(rows), batch)
		part := make([]any, n)
		for i, r := range rows[:n] {
			part[i] = r
		}
		w.add(statement{query: query, params: map[string]any{"rows": part}, rows: n, want: n})
		rows = rows[n:]
	}
}

func (w *writing) add(s statement) {
	if w.rows+s.rows > transaction {
		w.flush()
	}
	s.params["load"] = w.load
	w.pending = append(w.pending, s)
	w.rows += s.rows
}

// flush commits what is pending. After an error nothing is done any more.
func (w *writing) flush() {
	pending := w.pending
	w.pending, w.rows = nil, 0
	if w.err != nil || len(pending) == 0 {
		return
	}
	if w.err = w.ctx.Err(); w.err != nil {
		return
	}
	_, w.err = w.transact(func(tx driver.ManagedTransaction) (any, error) {
		for _, s := range pending {
			if err := w.do(tx, s); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

func (w *writing) do(tx driver.ManagedTransaction, s statement) error {
	if s.skip != nil && s.skip() {
		return nil
	}
	n, err := one(w.ctx, tx, s.query, s.params, "n")
	switch {
	case err != nil:
		return err
	case s.got != nil:
		*s.got = int(n)
	case int(n) != s.want && n == 0:
		return fault.Conflict("another load began meanwhile; that one goes on")
	case int(n) != s.want:
		return fmt.Errorf("%d of %d rows were written", n, s.want)
	}
	return nil
}

// end removes what earlier loads left, a part at a time, and says that the load is complete. A small load with its end is
// one transaction.
func (w *writing) end(content string) {
	for done := false; !done && w.err == nil; {
		links, nodes := 0, 0
		more := func() bool { return links == dropAtOnce || nodes == dropAtOnce }
		w.add(statement{query: dropLinks, params: map[string]any{"limit": dropAtOnce}, got: &links})
		w.add(statement{query: dropNodes, params: map[string]any{"limit": dropAtOnce}, got: &nodes})
		w.add(statement{query: end, params: map[string]any{"content": content}, want: 1, skip: more})
		w.flush()
		done = !more()
	}
}
