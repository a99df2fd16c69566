package catalogue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
)

// Syncer loads what feed.Gather found into a Target.
type Syncer struct {
	Target  Target
	Readers []feed.Reader
	// Force loads a run that would otherwise be held for removing or downgrading too much.
	Force bool
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nothing is logged
}

// Sync loads each gathered feed and records a run of it. A feed that fails leaves its old data standing and does not
// stop the others; its run says why. The error is for what concerns all: a cancelled context, a lock that others hold,
// a database that cannot be written.
func (s *Syncer) Sync(ctx context.Context, gathered []feed.Gathered) ([]feed.Run, error) {
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	unlock, err := s.Target.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.upgrade(ctx); err != nil {
		return nil, err
	}
	var runs []feed.Run
	for _, g := range gathered {
		run, err := s.one(ctx, g)
		if err != nil {
			return runs, fmt.Errorf("sync %s: %w", g.Feed, err)
		}
		runs = append(runs, run)
	}
	return runs, s.rescore(ctx)
}

func (s *Syncer) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// one syncs one feed. The error is one that ends the whole sync.
func (s *Syncer) one(ctx context.Context, g feed.Gathered) (feed.Run, error) {
	run := feed.Run{Feed: g.Feed, Source: g.Source, Status: feed.StatusOK, Started: s.Now().UTC()}
	for _, f := range g.Files {
		run.Files = append(run.Files, feed.FileRun{Name: f.Name, Checksum: f.Checksum, Size: f.Size})
	}
	err := s.load(ctx, g, &run)
	if err == nil && run.Status == feed.StatusOK {
		return run, nil // recorded in the transaction that changed the data
	}
	if ctx.Err() != nil {
		return run, ctx.Err()
	}
	if err != nil {
		s.Log.Warn("feed not loaded", "feed", g.Feed, "error", err)
		run = feed.Run{Feed: run.Feed, Source: run.Source, Status: feed.StatusFailed, Started: run.Started, Error: err.Error()}
	}
	run.Finished = s.Now().UTC()
	return run, s.Target.Change(ctx, func(w Writer) error { return w.Finish(run) })
}

func (s *Syncer) load(ctx context.Context, g feed.Gathered, run *feed.Run) error {
	if g.Err != nil {
		return g.Err
	}
	reader, err := s.reader(g.Feed)
	if err != nil {
		return err
	}
	if len(g.Files) == 0 {
		return fault.NotFound("no file of feed %s in %s", g.Feed, g.Source)
	}
	seen, err := s.Target.Seen(ctx)
	if err != nil {
		return err
	}
	g.Files = refresh(g.Files, seen)
	if !g.Changed() {
		run.Status = feed.StatusUnchanged
		return nil
	}
	l := &loading{Syncer: s, reader: reader, files: g.Files, run: run, loadedBefore: hasFeed(seen, g.Feed)}
	switch g.Feed {
	case "kev":
		return l.kev(ctx)
	case "epss":
		return l.epss(ctx)
	case "exploitdb", "metasploit", "nuclei":
		return l.exploits(ctx)
	case "attack":
		return l.attack(ctx)
	case "ctid":
		return l.mappings(ctx)
	case "cwe":
		return l.weaknesses(ctx)
	case "urlhaus", "threatfox", "feodo", "malwarebazaar":
		return l.indicators(ctx)
	default: // NVD, the CVE List, and whatever somebody ingests under a name
		if err := CheckSource(g.Feed); err != nil {
			return err
		}
		return l.records(ctx)
	}
}

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)

// CheckSource says what is wrong with the name of a source of records.
func CheckSource(name string) error {
	if !sourceName.MatchString(name) {
		return fault.Invalid("source %.60q: want 1 to 40 of a-z, 0-9, dot, underscore and hyphen, a letter or digit first", name)
	}
	return nil
}

func (s *Syncer) reader(name string) (feed.Reader, error) {
	for _, r := range s.Readers {
		if r.Feed() == name {
			return r, nil
		}
	}
	return nil, fault.Invalid("feed %s: no reader", name)
}

// refresh judges again which files are unchanged: another process may have loaded them while this one waited.
func refresh(files []feed.File, seen map[string]string) []feed.File {
	out := slices.Clone(files)
	for i := range out {
		f := &out[i]
		f.Unchanged = f.Checksum != "" && seen[f.Feed+"/"+f.Name] == f.Checksum
	}
	return out
}

func hasFeed(seen map[string]string, name string) bool {
	for key := range seen {
		if strings.HasPrefix(key, name+"/") {
			return true
		}
	}
	return false
}

// loading is one feed on its way into the catalogue.
type loading struct {
	*Syncer
	reader feed.Reader
	files  []feed.File
	run    *feed.Run
	tally  feed.Tally
	// accepted counts the records that a list's reader sent.
	accepted int
	// touched are CVEs of whose use something else is known now.
	touched []cve.ID
	// loadedBefore: the feed has had a good run; what the starter brought does not count.
	loadedBefore bool
}

// finish completes the run record inside the transaction that changes the data.
func (l *loading) finish(w Writer) error {
	l.run.Rejected = l.tally.Count()
	l.run.Reasons = l.tally.Reasons()
	l.run.Seen = l.run.Inserted + l.run.Updated + l.run.Unchanged + l.run.Rejected
	l.run.Finished = l.Now().UTC()
	return w.Finish(*l.run)
}

// count adds one record to the run.
func (l *loading) count(known, changed bool) {
	switch {
	case !known:
		l.run.Inserted++
	case changed:
		l.run.Updated++
	default:
		l.run.Unchanged++
	}
}

// held says whether a run would take away too much to be believed: more than 2 % of what there is (design decision 14).
func (l *loading) held(had, removed, downgraded int) error {
	if l.Force || had == 0 {
		return nil
	}
	if removed >= had {
		return fault.Conflict("held: feed %s would become empty (it has %d records); use --force if that is meant",
			l.run.Feed, had)
	}
	if lost := removed + downgraded; lost*50 > had {
		return fault.Conflict("held: feed %s would remove %d and downgrade %d of its %d records, over 2 %%; "+
			"use --force if that is meant", l.run.Feed, removed, downgraded, had)
	}
	return nil
}

var errEmpty = errors.New("no usable record")

// nothing reports a feed whose files held no record that could be used: an error page, a new format.
func (l *loading) nothing() error {
	if l.tally.Count() > 0 {
		r := l.tally.Reasons()[0]
		return fault.Invalid("feed %s: %w in %d (%s at %s)", l.run.Feed, errEmpty, l.tally.Count(), r.Reason, r.Places[0])
	}
	return fault.Invalid("feed %s: %w", l.run.Feed, errEmpty)
}
