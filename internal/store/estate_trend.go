package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// Trend is how many confirmed findings were open day by day; see FindingTrend.
type Trend struct {
	Days  []TrendDay // oldest first
	Since time.Time  // the day on which anything was seen first, zero where nothing was
}

// TrendDay is one day. Open is that of the day before and Opened less Fixed less Closed.
type TrendDay struct {
	Day                         time.Time
	Open, Opened, Fixed, Closed int
}

// maxTrends is how many days of trends a process keeps.
const maxTrends = 50_000

// FindingTrend follows the confirmed findings of a view, or of one of its sites, that nobody has set aside, over the last
// days up to today (UTC). It goes back no further than Since. It is kept until somebody writes.
func (e *Estate) FindingTrend(ctx context.Context, v auth.View, site string, days int) (t Trend, err error) {
	today := e.db.opts.Now().UTC().Truncate(dayLong)
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		f := finding.Filter{Confirmed: true, Site: site}
		key, err := chosenKey(v, f, today)
		if err != nil {
			return err
		}
		key = fmt.Sprintf("%s %d", key, days)
		if len(l.held) == 0 {
			if known, ok := e.lists.trends.find(l.generation, key); ok {
				t = known
				return nil
			}
		}
		s, err := e.selected(ctx, l, v, f)
		if err != nil {
			return err
		}
		if t, err = l.trend(ctx, s, today, days); err != nil {
			return err
		}
		if err := t.begin(ctx, tx, v, site); err != nil {
			return err
		}
		if len(l.held) == 0 {
			e.lists.trends.keep(l.generation, key, t, days, maxTrends)
		}
		return nil
	})
	t.Days = slices.Clone(t.Days)
	return t, err
}

const dayLong = 24 * time.Hour

// lifeColumns are what a life is told by, beside facets.
var lifeColumns = [...]listColumn{colFacets, colFirstSeen, colClosed, colLapsed, colReturned}

// trend counts days. Since is the first day on which one of the findings was seen.
func (l *lists) trend(ctx context.Context, s *findingSet, today time.Time, days int) (Trend, error) {
	c := newCalendar(today, days)
	alive := s.alive()
	var data [len(lifeColumns)]map[int64][]byte
	for i, col := range lifeColumns {
		data[i] = make(map[int64][]byte, len(alive))
		if err := l.packed(ctx, col, alive, within{}, func(block int64, packed []byte) error {
			data[i][block] = packed
			return nil
		}); err != nil {
			return Trend{}, err
		}
	}
	var several []int64
	values := new([len(lifeColumns)]blockValues)
	for _, block := range alive {
		for i := range values {
			values[i] = blockValues{}
			if packed := data[i][block]; packed != nil {
				if err := values[i].unpack(packed); err != nil {
					return Trend{}, err
				}
			}
		}
		s.blocks[block].each(func(i int) {
			if c.live(facets(values[0][i]), values[1][i], values[2][i], values[3][i], values[4][i]) {
				several = append(several, block*blockSize+int64(i))
			}
		})
	}
	if err := l.earlier(ctx, several, c); err != nil {
		return Trend{}, err
	}
	return c.trend(), nil
}

// earlier adds the lapses before the last one, of which columns do not know.
func (l *lists) earlier(ctx context.Context, ids []int64, c *calendar) error {
	for chunk := range slices.Chunk(ids, chunkSize) {
		rows, err := l.tx.Query(ctx, `SELECT lapses FROM finding WHERE id IN (`+Marks(len(chunk))+`)`, anys(chunk)...) //nolint:sqlclosecheck // eachRow closes them
		if err != nil {
			return err
		}
		if err := eachRow(rows, func() error {
			var text string
			err := rows.Scan(&text)
			if all := lapsesOf(text); len(all) > 0 {
				for _, one := range all[:len(all)-1] {
					c.away(one.From.UnixMilli(), one.To.UnixMilli(), one.Fixed)
				}
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// calendar counts what happens on days. What was before them counts on the first, and only for what is open.
type calendar struct {
	first  int64 // the number of the first day
	days   []TrendDay
	change []int // of what is open, by day
	since  int64 // the number of the earliest day on which something was seen, 0 is none
}

const dayMillis = int64(dayLong / time.Millisecond)

func newCalendar(today time.Time, days int) *calendar {
	c := &calendar{first: today.UnixMilli()/dayMillis - int64(days) + 1, days: make([]TrendDay, days), change: make([]int, days)}
	for i := range c.days {
		c.days[i].Day = time.UnixMilli((c.first + int64(i)) * dayMillis).UTC()
	}
	return c
}

// day is the place of a moment's day, -1 for what was before all of them; what comes after them is len(days).
func (c *calendar) day(ms int64) int {
	return int(max(-1, min(ms/dayMillis-c.first, int64(len(c.days)))))
}

// opens and ends count one finding.
func (c *calendar) opens(ms int64) {
	d := c.day(ms)
	if d >= len(c.days) {
		return
	}
	c.change[max(d, 0)]++
	if d >= 0 {
		c.days[d].Opened++
	}
}

func (c *calendar) ends(ms int64, fixed bool) {
	d := c.day(ms)
	switch {
	case d >= len(c.days):
		return
	case d >= 0 && fixed:
		c.days[d].Fixed++
	case d >= 0:
		c.days[d].Closed++
	}
	c.change[max(d, 0)]--
}

// away counts a lapse.
func (c *calendar) away(from, to int64, fixed bool) {
	c.ends(from, fixed)
	c.opens(to)
}

var (
	codeFixed  = code(codesOfState, string(finding.Fixed), facetState)
	codeClosed = code(codesOfState, string(finding.Closed), facetState)
)

// live counts one finding by its columns; it says whether there are lapses besides the last.
func (c *calendar) live(f facets, first, closed, lapsed, returned uint64) (more bool) {
	state := f.get(facetState)
	over := state == codeFixed || state == codeClosed
	if first == 0 || over && closed == 0 { // it never was open
		return false
	}
	opened := int64(first) //nolint:gosec // as it was stored
	if day := opened / dayMillis; c.since == 0 || day < c.since {
		c.since = day
	}
	c.opens(opened)
	if returned != 0 {
		c.away(int64(lapsed), int64(returned), f.get(facetLapseFixed) == 1) //nolint:gosec // as they were stored
	}
	if over {
		c.ends(max(int64(closed), opened), state == codeFixed) //nolint:gosec // as it was stored
	}
	return f.get(facetLapses) == 1
}

func (c *calendar) trend() Trend {
	open := 0
	for i := range c.days {
		open += c.change[i]
		c.days[i].Open = open
	}
	t := Trend{Days: c.days}
	if c.since != 0 {
		t.Since = time.UnixMilli(c.since * dayMillis).UTC()
	}
	return t
}

// begin takes away the days before anything was looked at: nothing is known of them. A host that has no findings was looked
// at, too.
func (t *Trend) begin(ctx context.Context, tx *Tx, v auth.View, site string) error {
	c := conditions{}
	c.add("h.first_seen > 0")
	if site != "" {
		c.add("s.name = ?", site)
	}
	c.see("s.name", v)
	var earliest int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(min(h.first_seen), 0) FROM host h JOIN site s ON s.id = h.site WHERE `+c.String(), c.args...).Scan(&earliest); err != nil {
		return err
	}
	if day := moment(earliest).Truncate(dayLong); earliest > 0 && (t.Since.IsZero() || day.Before(t.Since)) {
		t.Since = day
	}
	t.Days = slices.DeleteFunc(t.Days, func(d TrendDay) bool { return t.Since.IsZero() || d.Day.Before(t.Since) })
	return nil
}

// mostLapses is how many are kept of one finding: the last ones.
const mostLapses = 100

// lapsesText is finding.lapses.
func lapsesText(all []finding.Lapse) string {
	var b strings.Builder
	for i, one := range all[max(0, len(all)-mostLapses):] {
		if i > 0 {
			b.WriteByte(' ')
		}
		sign := "-"
		if one.Fixed {
			sign = "+"
		}
		fmt.Fprintf(&b, "%d-%d%s", millis(one.From), millis(one.To), sign)
	}
	return b.String()
}

// lapsesOf reads what lapsesText wrote.
func lapsesOf(text string) (out []finding.Lapse) {
	for word := range strings.FieldsSeq(text) {
		from, to, ok := strings.Cut(word, "-")
		if !ok || to == "" {
			continue
		}
		a, errA := strconv.ParseInt(from, 10, 64)
		b, errB := strconv.ParseInt(to[:len(to)-1], 10, 64)
		if errA == nil && errB == nil {
			out = append(out, finding.Lapse{From: moment(a), To: moment(b), Fixed: to[len(to)-1] == '+'})
		}
	}
	return out
}
