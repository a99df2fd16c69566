package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// Packs returns the packed rules of products in the order asked for, nil for those that no CVE names. It is
// match.PackSource.
func (c *Catalogue) Packs(ctx context.Context, products []cpe.Product) ([][]byte, error) {
	out := make([][]byte, len(products))
	err := c.db.steady(ctx, func(tx *Tx) error {
		clear(out)
		find, err := tx.Prepare(ctx, `SELECT pack FROM product_pack1 WHERE part = ? AND vendor = ? AND product = ?`)
		if err != nil {
			return err
		}
		defer find.Close() //nolint:errcheck // it ends with its transaction anyway
		for i, p := range products {
			err := find.QueryRowContext(ctx, string(p.Part), p.Vendor, p.Product).Scan(&out[i])
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("read the rules of %s: %w", p, err)
			}
		}
		return nil
	})
	return out, err
}

// CVE returns one record, fault.NotFound if the catalogue has none.
func (c *Catalogue) CVE(ctx context.Context, id cve.ID) (*cve.Record, error) {
	found, err := c.CVEs(ctx, []cve.ID{id})
	if err != nil {
		return nil, err
	}
	if r := found[id]; r != nil {
		return r, nil
	}
	return nil, fault.NotFound("%s is not in the catalogue", id)
}

// CVEs returns the records of many ids. Ids that are not known are absent.
func (c *Catalogue) CVEs(ctx context.Context, ids []cve.ID) (map[cve.ID]*cve.Record, error) {
	out := make(map[cve.ID]*cve.Record, len(ids))
	err := c.db.steady(ctx, func(tx *Tx) error {
		clear(out)
		return readRecords(ctx, tx, ids, out)
	})
	return out, err
}

func readRecords(ctx context.Context, tx *Tx, ids []cve.ID, out map[cve.ID]*cve.Record) error {
	return eachRecord(ctx, tx, ids, func(id cve.ID, stored []byte) error {
		r, err := catalogue.Decode(id, stored)
		out[id] = r
		return err
	})
}

// eachRecord runs fn for the stored form of every CVE of ids that is there, by id within each piece of them. fn must not
// keep what it is given.
func eachRecord(ctx context.Context, tx *Tx, ids []cve.ID, fn func(id cve.ID, stored []byte) error) error {
	return eachID(ctx, tx, `SELECT id, record FROM cve WHERE id IN (%s) ORDER BY id`, ids, func(rows *sql.Rows) error {
		var id cve.ID
		var stored sql.RawBytes
		if err := rows.Scan(&id, &stored); err != nil {
			return err
		}
		return fn(id, stored)
	})
}

// idChunk ids are asked for at once: below every engine's limit of parameters.
const idChunk = 500

// eachID runs query, which holds one %s for the ids, for all of them in pieces.
func eachID(ctx context.Context, tx *Tx, query string, ids []cve.ID, fn func(*sql.Rows) error) error {
	for part := range slices.Chunk(ids, idChunk) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = int64(id)
		}
		if err := each(ctx, tx, fmt.Sprintf(query, Marks(len(part))), args, fn); err != nil {
			return err
		}
	}
	return nil
}

// Facts returns what is known of the use of CVEs. Every id asked for has an entry; a fact that is not known is nil.
func (c *Catalogue) Facts(ctx context.Context, ids []cve.ID) (map[cve.ID]intel.Facts, error) {
	out := make(map[cve.ID]intel.Facts, len(ids))
	err := c.db.steady(ctx, func(tx *Tx) error {
		clear(out)
		return readFacts(ctx, tx, ids, out)
	})
	return out, err
}

func readFacts(ctx context.Context, tx *Tx, ids []cve.ID, out map[cve.ID]intel.Facts) error {
	for _, id := range ids {
		out[id] = intel.Facts{}
	}
	err := eachID(ctx, tx, selectKEV+` WHERE cve IN (%s)`, ids, func(rows *sql.Rows) error {
		id, k, err := scanKEV(rows)
		f := out[id]
		f.KEV = &k
		out[id] = f
		return err
	})
	if err != nil {
		return err
	}
	err = eachID(ctx, tx, selectEPSS+` WHERE cve IN (%s)`, ids, func(rows *sql.Rows) error {
		id, e, err := scanEPSS(rows)
		f := out[id]
		f.EPSS = &e
		out[id] = f
		return err
	})
	if err != nil {
		return err
	}
	err = eachID(ctx, tx, selectExploit+` WHERE cve IN (%s) ORDER BY cve, source, key`, ids, func(rows *sql.Rows) error {
		_, x, err := scanExploit(rows)
		f := out[x.CVE]
		f.Exploits = append(f.Exploits, x)
		out[x.CVE] = f
		return err
	})
	if err != nil {
		return err
	}
	return readAssessments(ctx, tx, ids, out)
}

// Empty says whether the catalogue has never been filled, by a starter or by feeds.
func (c *Catalogue) Empty(ctx context.Context) (bool, error) {
	origin, err := c.Meta(ctx, catalogue.MetaOrigin)
	return origin == "", err
}

// Stats describes the catalogue as it is now.
func (c *Catalogue) Stats(ctx context.Context) (s catalogue.Stats, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		if err := tx.QueryRow(ctx, `SELECT n FROM generation`).Scan(&s.Generation); err != nil {
			return err
		}
		if s.Records, s.Newest, err = summary(ctx, tx, everything); err != nil {
			return err
		}
		if origin, err := meta(ctx, tx, catalogue.MetaOrigin); err != nil || origin != catalogue.OriginStarter {
			return err
		}
		s.Starter, err = starterDate(ctx, tx)
		return err
	})
	return s, err
}

// summary reads what summarise wrote.
func summary(ctx context.Context, tx *Tx, name string) (records int, newest time.Time, err error) {
	text, err := meta(ctx, tx, "summary:"+name)
	if err != nil || text == "" {
		return 0, time.Time{}, err
	}
	var at int64
	if _, err := fmt.Sscan(text, &records, &at); err != nil {
		return 0, time.Time{}, fmt.Errorf("read the summary of %s: %w", name, err)
	}
	return records, fromUnix(at), nil
}

// starterDate is zero when no starter catalogue was ever loaded.
func starterDate(ctx context.Context, tx *Tx) (time.Time, error) {
	text, err := meta(ctx, tx, catalogue.MetaStarter)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text)
}

// feedNames are the feeds that the catalogue has a place for, in the order in which people are told of them.
var feedNames = []string{
	"nvd", "cvelist", "kev", "epss", "exploitdb", "metasploit", "nuclei", "attack", "ctid", "cwe",
	"urlhaus", "threatfox", "feodo", "malwarebazaar",
}

// starterFeeds are those whose facts the starter catalogue holds.
var starterFeeds = []string{"nvd", "kev"}

// Feeds returns the status of every feed, those never synced included, and of every name that files were ingested under.
func (c *Catalogue) Feeds(ctx context.Context) ([]catalogue.FeedStatus, error) {
	var out []catalogue.FeedStatus
	err := c.db.view(ctx, func(tx *Tx) error {
		names, err := feedOrder(ctx, tx)
		if err != nil {
			return err
		}
		for _, name := range names {
			s, err := feedStatus(ctx, tx, name)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

func feedStatus(ctx context.Context, tx *Tx, name string) (catalogue.FeedStatus, error) {
	s := catalogue.FeedStatus{Feed: name}
	var err error
	if s.Records, s.Newest, err = summary(ctx, tx, name); err != nil {
		return s, err
	}
	last, err := lastRun(ctx, tx, name, ``)
	if err != nil {
		return s, err
	}
	if last != nil {
		s.LastRun, s.Status, s.Error = last.Started, string(last.Status), last.Error
	}
	good, err := lastRun(ctx, tx, name, ` AND status <> 'failed'`)
	if err != nil {
		return s, err
	}
	if good != nil {
		s.LastGood, s.Source = good.Finished, good.Source
		return s, nil
	}
	if slices.Contains(starterFeeds, name) && s.Records > 0 {
		s.Starter, err = starterDate(ctx, tx)
	}
	return s, err
}

func lastRun(ctx context.Context, tx *Tx, name, where string) (*feed.Run, error) {
	runs, err := readRuns(ctx, tx, ` WHERE feed = ?`+where+` ORDER BY id DESC LIMIT 1`, name)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// Runs returns the latest runs of a feed ("" for all), newest first, at most limit.
func (c *Catalogue) Runs(ctx context.Context, name string, limit int) (runs []feed.Run, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		runs, err = readRuns(ctx, tx, ` WHERE feed = ? OR ? = '' ORDER BY id DESC LIMIT ?`, name, name, limit)
		return err
	})
	return runs, err
}

// RunsBefore returns the latest runs of a feed ("" for all) whose ids are below one (0 for all), newest first.
func (c *Catalogue) RunsBefore(ctx context.Context, name string, before int64, limit int) (runs []feed.Run, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		runs, err = readRuns(ctx, tx, ` WHERE (feed = ? OR ? = '') AND (id < ? OR CAST(? AS BIGINT) = 0) ORDER BY id DESC LIMIT ?`, name, name, before, before, limit)
		return err
	})
	return runs, err
}

// Run returns one run, fault.NotFound when there is none.
func (c *Catalogue) Run(ctx context.Context, id int64) (feed.Run, error) {
	var runs []feed.Run
	err := c.db.view(ctx, func(tx *Tx) (err error) {
		runs, err = readRuns(ctx, tx, ` WHERE id = ?`, id)
		return err
	})
	if err == nil && len(runs) == 0 {
		err = fault.NotFound("there is no run %d", id)
	}
	if err != nil {
		return feed.Run{}, err
	}
	return runs[0], nil
}

// Search finds CVEs with what the database alone can: words by its own full-text search, over the newest hits only.
// Ranked search is package catalogue/find's.
func (c *Catalogue) Search(ctx context.Context, f catalogue.Filter) (page catalogue.Page, err error) {
	s, err := newSearch(f)
	if err != nil {
		return page, err
	}
	among, err := c.appliesTo(ctx, f.CPE)
	if err != nil {
		return page, err
	}
	err = c.db.steady(ctx, func(tx *Tx) error {
		records, next, err := s.find(ctx, tx, among)
		if err != nil {
			return err
		}
		page.Next = next
		page.Hits, err = withFacts(ctx, tx, records)
		return err
	})
	return page, err
}

// appliesTo lists the CVEs of a CPE name: those that apply or may apply to its version, all of the product's if it has
// none.
func (c *Catalogue) appliesTo(ctx context.Context, name string) (ids []cve.ID, err error) {
	if name == "" {
		return nil, nil
	}
	result, err := match.New(c).Host(ctx, []match.Subject{{CPE: name}}, nil)
	if err != nil {
		return nil, err
	}
	for _, subject := range result.Subjects {
		if subject.Err != nil {
			return nil, subject.Err
		}
		for _, m := range subject.Matches {
			ids = append(ids, m.CVE)
		}
		ids = append(ids, subject.Candidates...)
	}
	return ids, nil
}

func withFacts(ctx context.Context, tx *Tx, records []*cve.Record) ([]catalogue.Hit, error) {
	ids := make([]cve.ID, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	facts := make(map[cve.ID]intel.Facts, len(ids))
	if err := readFacts(ctx, tx, ids, facts); err != nil {
		return nil, err
	}
	hits := make([]catalogue.Hit, len(records))
	for i, r := range records {
		hits[i] = catalogue.Hit{Record: r, Facts: facts[r.ID]}
	}
	return hits, nil
}

func readRuns(ctx context.Context, tx *Tx, where string, args ...any) (runs []feed.Run, err error) {
	const columns = `SELECT id, feed, source, status, seen, inserted, updated, unchanged, rejected, reasons, started, finished, error FROM run`
	err = each(ctx, tx, columns+where, args, func(rows *sql.Rows) error {
		var r feed.Run
		var reasons string
		var started, finished int64
		err := rows.Scan(&r.ID, &r.Feed, &r.Source, &r.Status, &r.Seen, &r.Inserted, &r.Updated, &r.Unchanged, &r.Rejected, &reasons,
			&started, &finished, &r.Error)
		if err != nil {
			return err
		}
		r.Started, r.Finished = fromUnix(started), fromUnix(finished)
		runs = append(runs, r)
		return decodeReasons(reasons, &runs[len(runs)-1].Reasons)
	})
	return runs, err
}
