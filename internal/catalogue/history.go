package catalogue

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// EPSSHistory keeps what EPSS said of each CVE on each day that was read. A row stands only where the score differs from
// that of the day before among those read, so that a quiet CVE costs one row in two years. Days are unix seconds of their
// midnight in UTC.
type EPSSHistory interface {
	// Current returns the rows of the current day, by ascending CVE.
	Current() ([]intel.EPSS, error)
	// Days returns the days that were read, ascending.
	Days() ([]EPSSDay, error)
	// Scores returns the scores of a day that was read, by ascending CVE. A CVE without score is absent.
	Scores(day int64) ([]EPSSScore, error)
	// AddDay notes that a day was read.
	AddDay(EPSSDay) error
	// Put writes a row; Scored false says that the CVE has no score from that day on.
	Put(EPSSChange) error
	// SetCurrent puts the rows of a day, by ascending CVE, in the place of the current ones.
	SetCurrent([]intel.EPSS) error
	// Delete removes the row of a CVE and day.
	Delete(id cve.ID, day int64) error
	// Fold forgets the days before first, which was read. Every CVE keeps what it had on that day.
	Fold(first int64) error
}

// EPSSDay is a day with the model that its scores were made by.
type EPSSDay struct {
	Day   int64
	Model string
}

// EPSSScore is what one CVE had on one day.
type EPSSScore struct {
	CVE   cve.ID
	Score float64
}

// EPSSChange is the score that a CVE has from a day on.
type EPSSChange struct {
	CVE    cve.ID
	Day    int64
	Score  float64
	Scored bool
	// New says that there is no row of that CVE and day yet, which makes it cheaper to write.
	New bool
}

const (
	// epssKeep days of history are kept, and the rest of the oldest month: folding reads the whole history, so it
	// happens once a month.
	epssKeep = 730
)

// oldestDay is the first day of which history is kept when newest is the newest.
func oldestDay(newest int64) int64 {
	t := time.Unix(newest, 0).UTC().AddDate(0, 0, -epssKeep)
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Unix()
}

// epss loads days. Files of days that were read before are not read again. The newest day is the current one, whatever
// the order in which days arrive; the others become history.
//
// Files are read inside the transaction, one after another: years of days would not fit into memory.
func (l *loading) epss(ctx context.Context) error {
	return l.Target.Change(ctx, func(w Writer) error {
		l.run.Inserted, l.run.Updated, l.run.Unchanged, l.accepted = 0, 0, 0, 0
		h, err := l.openHistory(w)
		if err != nil {
			return err
		}
		for _, f := range changed(l.files) {
			var rows []intel.EPSS
			sink := listSink{loading: l, epss: func(e intel.EPSS) { rows = append(rows, e) }}
			if err := l.read(ctx, []feed.File{f}, sink); err != nil {
				return err
			}
			if err := h.addFile(rows); err != nil {
				return err
			}
		}
		if l.accepted == 0 {
			return l.nothing()
		}
		if err := h.finish(); err != nil {
			return err
		}
		if err := l.standByEPSS(ctx, w); err != nil {
			return err
		}
		return l.finish(w)
	})
}

// epssLoad is the history while days are added.
type epssLoad struct {
	*loading
	h      EPSSHistory
	days   []EPSSDay
	before []intel.EPSS // the current day as it was found
	newest []intel.EPSS // the current day to be, nil while it stays
	// known holds the scores of the days that were used last.
	known map[int64][]EPSSScore
}

func (l *loading) openHistory(w Writer) (*epssLoad, error) {
	e := &epssLoad{loading: l, h: w.EPSSHistory(), known: map[int64][]EPSSScore{}}
	var err error
	if e.days, err = e.h.Days(); err != nil {
		return nil, err
	}
	if e.before, err = e.h.Current(); err != nil {
		return nil, err
	}
	if n := len(e.days); n > 0 && len(e.before) > 0 && unix(e.before[0].Date) == e.days[n-1].Day {
		e.known[e.days[n-1].Day] = scoresOf(e.before)
	}
	return e, nil
}

func scoresOf(rows []intel.EPSS) []EPSSScore {
	out := make([]EPSSScore, len(rows))
	for i, r := range rows {
		out[i] = EPSSScore{r.CVE, r.Score}
	}
	return out
}

// addFile adds what a file held: one day, as a rule.
func (e *epssLoad) addFile(rows []intel.EPSS) error {
	for i := range rows {
		rows[i].Date = midnight(rows[i].Date)
	}
	slices.SortStableFunc(rows, func(a, b intel.EPSS) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.CVE, b.CVE)) })
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Date.Equal(rows[0].Date) {
			n++
		}
		if err := e.addDay(lastOfEach(rows[:n])); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func midnight(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(24 * time.Hour)
}

// lastOfEach drops all but the last of the rows of a CVE.
func lastOfEach(rows []intel.EPSS) []intel.EPSS {
	out := rows[:0]
	for i, r := range rows {
		if i+1 == len(rows) || rows[i+1].CVE != r.CVE {
			out = append(out, r)
		}
	}
	return slices.Clip(out)
}

// addDay puts a day into its place among those read.
func (e *epssLoad) addDay(rows []intel.EPSS) error {
	date := rows[0].Date
	if date.After(e.Now().Add(feed.Ahead)) {
		return fault.Invalid("feed %s: scores of %s, which is yet to come", e.run.Feed, date.Format(time.DateOnly))
	}
	if date.IsZero() { // no history without a date; better than nothing while there is nothing
		if len(e.days) == 0 {
			e.newest = rows
		}
		return nil
	}
	day := EPSSDay{Day: date.Unix(), Model: rows[0].Model}
	if n := len(e.days); n > 0 && day.Day < oldestDay(e.days[n-1].Day) {
		return nil
	}
	i, read := slices.BinarySearchFunc(e.days, day.Day, func(d EPSSDay, day int64) int { return cmp.Compare(d.Day, day) })
	if err := e.insert(i, read, day.Day, scoresOf(rows)); err != nil {
		return err
	}
	if read {
		e.days[i] = day
	} else {
		e.days = slices.Insert(e.days, i, day)
	}
	if i == len(e.days)-1 {
		e.newest = rows
	}
	return e.h.AddDay(day)
}

// insert writes the rows of a day. What was read of all other days must stay, so the day after it may need rows of its
// own that it could do without before, and the other way round:
//
//	prev   day   next              rows that must stand
//	 .1     .1    .1      ->       none at day, none at next
//	 .1     .2    .1      ->       .2 at day, .1 at next
//	 .1     .2    .2      ->       .2 at day; the row that next had goes
func (e *epssLoad) insert(i int, read bool, day int64, now []EPSSScore) error {
	var prev, old, next []EPSSScore
	var err error
	after := i
	if read {
		after = i + 1
		if old, err = e.scores(i); err != nil {
			return err
		}
		if slices.Equal(old, now) {
			return nil
		}
	}
	if i > 0 {
		if prev, err = e.scores(i - 1); err != nil {
			return err
		}
	}
	before := prev
	if read {
		before = old
	}
	if err := e.holdDay(before, now); err != nil {
		return err
	}
	nextDay := int64(0)
	if after < len(e.days) {
		nextDay = e.days[after].Day
		if next, err = e.scores(after); err != nil {
			return err
		}
	}
	e.remember(map[int64][]EPSSScore{day: now, nextDay: next})
	return e.write(plan(prev, old, next, now, read, day, nextDay))
}

// scores returns those of one of the days read.
func (e *epssLoad) scores(i int) ([]EPSSScore, error) {
	day := e.days[i].Day
	if s, ok := e.known[day]; ok {
		return s, nil
	}
	s, err := e.h.Scores(day)
	if err == nil {
		e.known[day] = s
	}
	return s, err
}

// remember keeps the days beside which the next one of this run will most probably stand.
func (e *epssLoad) remember(days map[int64][]EPSSScore) {
	delete(days, 0)
	e.known = days
}

// holdDay measures a day against the day before it, or against what was read of it before.
func (e *epssLoad) holdDay(before, now []EPSSScore) error {
	if !e.loadedBefore {
		return nil
	}
	gone := 0
	eachScore(func(_ cve.ID, s []stand) {
		if s[0].scored && !s[1].scored {
			gone++
		}
	}, before, now)
	return e.held(len(before), gone, 0)
}

func (e *epssLoad) write(deletes, puts []EPSSChange) error {
	for _, c := range deletes {
		if err := e.h.Delete(c.CVE, c.Day); err != nil {
			return err
		}
	}
	for _, c := range puts {
		if err := e.h.Put(c); err != nil {
			return err
		}
	}
	return nil
}

// stand is the score of a CVE on a day.
type stand struct {
	score  float64
	scored bool
}

// plan says which rows must go and which must be written for a day to hold now. old is what it held if it was read
// before; nextDay is 0 when it is the newest.
func plan(prev, old, next, now []EPSSScore, read bool, day, nextDay int64) (deletes, puts []EPSSChange) {
	put := func(id cve.ID, day int64, s stand, fresh bool) {
		puts = append(puts, EPSSChange{CVE: id, Day: day, Score: s.score, Scored: s.scored, New: fresh})
	}
	eachScore(func(id cve.ID, s []stand) {
		prev, old, next, now := s[0], s[1], s[2], s[3]
		if !read {
			old = prev // as if the day before had been carried over
		}
		switch {
		case now == old: // the row that is there, or none, is right
		case now == prev:
			deletes = append(deletes, EPSSChange{CVE: id, Day: day})
		default:
			put(id, day, now, old == prev)
		}
		switch had, want := next != old, next != now; {
		case nextDay == 0 || had == want:
		case want:
			put(id, nextDay, next, true)
		default:
			deletes = append(deletes, EPSSChange{CVE: id, Day: nextDay})
		}
	}, prev, old, next, now)
	return deletes, puts
}

// eachScore walks over lists that are sorted by CVE and tells fn what each CVE that occurs has in each of them. The
// slice is fn's for the call only.
func eachScore(fn func(cve.ID, []stand), lists ...[]EPSSScore) {
	at, stands := make([]int, len(lists)), make([]stand, len(lists))
	for {
		id, found := cve.ID(0), false
		for i, list := range lists {
			if at[i] < len(list) && (!found || list[at[i]].CVE < id) {
				id, found = list[at[i]].CVE, true
			}
		}
		if !found {
			return
		}
		for i, list := range lists {
			stands[i] = stand{}
			if at[i] < len(list) && list[at[i]].CVE == id {
				stands[i] = stand{list[at[i]].Score, true}
				at[i]++
			}
		}
		fn(id, stands)
	}
}

// finish makes the newest day the current one and forgets what is too old.
func (e *epssLoad) finish() error {
	if e.newest != nil {
		if err := e.makeCurrent(); err != nil {
			return err
		}
	}
	e.run.Unchanged = e.accepted - e.run.Inserted - e.run.Updated
	n := len(e.days)
	if n == 0 {
		return nil
	}
	first := slices.IndexFunc(e.days, func(d EPSSDay) bool { return d.Day >= oldestDay(e.days[n-1].Day) })
	if first <= 0 {
		return nil
	}
	return e.h.Fold(e.days[first].Day)
}

// makeCurrent makes the table of the current day hold the newest. The run counts what changes there; what only enters
// the history counts as unchanged.
func (e *epssLoad) makeCurrent() error {
	stored, changed := e.before, len(e.before) != len(e.newest)
	for _, row := range e.newest {
		for len(stored) > 0 && stored[0].CVE < row.CVE {
			stored = stored[1:]
		}
		switch known := len(stored) > 0 && stored[0].CVE == row.CVE; {
		case !known:
			e.run.Inserted++
		case stored[0] != row:
			e.run.Updated++
		default:
			continue
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return e.h.SetCurrent(e.newest)
}
