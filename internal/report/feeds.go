package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Sync is the document of `feeds sync`.
type Sync struct {
	Runs    []FeedRun `json:"runs"`
	Skipped []Skipped `json:"skipped"` // feeds that cannot be fetched as things are configured
	Unknown []string  `json:"unknown_files"`
	Estate  *Rematch  `json:"estate"` // null: nothing changed, or no hosts are known
}

// Skipped is a feed that is on and that was not asked for by name, with what is missing to fetch it.
type Skipped struct {
	Feed   string `json:"feed"`
	Reason string `json:"reason"`
}

// Rematch says what a changed catalogue means for the hosts that are known.
type Rematch struct {
	Hosts     int `json:"hosts"`
	New       int `json:"new"`
	Withdrawn int `json:"withdrawn"`
	Returned  int `json:"returned"`
}

// FeedRun is one run of one feed. Seen = Inserted + Updated + Unchanged + Rejected.
type FeedRun struct {
	Feed      string     `json:"feed"`
	Source    Text       `json:"source"`
	Status    string     `json:"status"` // ok, unchanged, failed
	Seen      int        `json:"seen"`
	Inserted  int        `json:"inserted"`
	Updated   int        `json:"updated"`
	Unchanged int        `json:"unchanged"`
	Rejected  int        `json:"rejected"`
	Reasons   []Rejected `json:"reasons"`
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"completed_at"`
	Error     Text       `json:"error"`
}

// Rejected is why records could not be used, with the first places.
type Rejected struct {
	Reason string   `json:"reason"`
	Count  int      `json:"count"`
	Places []string `json:"places"`
}

// Feeds is the document of `feeds status`.
type Feeds struct {
	Catalogue Catalogue   `json:"catalogue"`
	Feeds     []FeedState `json:"feeds"`
}

// FeedState is what there is of one feed.
type FeedState struct {
	Feed     string     `json:"feed"`
	Enabled  bool       `json:"enabled"`
	Status   Text       `json:"status"` // of the last attempt: ok, unchanged, failed; null: never synced
	Records  int        `json:"records"`
	Newest   Date       `json:"newest"`
	Starter  Date       `json:"starter"` // the records are the starter catalogue's, of this day
	LastGood *time.Time `json:"last_good_at"`
	LastRun  *time.Time `json:"last_run_at"`
	AgeHours *float64   `json:"age_hours"`
	Source   Text       `json:"source"`
	Error    Text       `json:"error"`
	Schedule Text       `json:"schedule"` // as configured; null: nothing loads it by itself
	DueAt    *time.Time `json:"due_at"`   // when it is to be loaded next; null: it is off, or without a schedule
	Stale    bool       `json:"stale"`    // the data is older than twice the schedule's interval
	Missing  Text       `json:"missing"`  // what must be configured before it can be fetched; null: nothing
}

// FeedRuns is the document of `feeds runs`, newest first.
type FeedRuns struct {
	Runs []FeedRun `json:"runs"`
}

// RunTable lists runs of feeds.
func RunTable(w io.Writer, doc FeedRuns, v View) error {
	p := &printer{w: w, view: v}
	if len(doc.Runs) == 0 {
		p.text("No runs yet. Begin with: patchscout feeds sync")
		return p.err
	}
	g := &grid{columns: []column{
		{Title: "STARTED"}, {Title: "FEED"}, {Title: "STATUS"}, {Title: "SEEN", Right: true}, {Title: "NEW", Right: true},
		{Title: "CHANGED", Right: true}, {Title: "SAME", Right: true}, {Title: "REJECTED", Right: true}, {Title: "TIME", Right: true},
		{Title: "SOURCE OR ERROR", Flex: 12},
	}}
	for _, r := range doc.Runs {
		started, say := missing, string(r.Source)
		if r.StartedAt != nil {
			started = r.StartedAt.Local().Format("2006-01-02 15:04:05")
		}
		if r.Error != "" {
			say = string(r.Error)
		}
		g.add(cellValue{text: started}, cellValue{text: r.Feed}, feedStatus(r.Status), count(r.Seen), count(r.Inserted), count(r.Updated),
			count(r.Unchanged), count(r.Rejected), cellValue{text: r.took()}, cellValue{text: orMissing(say)})
	}
	p.err = g.draw(w, v.Terminal)
	return p.err
}

// SyncTable shows what each run did.
func SyncTable(w io.Writer, s Sync, v View) error {
	p := &printer{w: w, view: v}
	if len(s.Runs)+len(s.Skipped) == 0 {
		p.text("No feed is due (patchscout feeds status).")
		return p.err
	}
	g := &grid{columns: []column{
		{Title: "FEED"}, {Title: "STATUS"}, {Title: "SEEN", Right: true}, {Title: "NEW", Right: true}, {Title: "CHANGED", Right: true},
		{Title: "SAME", Right: true}, {Title: "REJECTED", Right: true}, {Title: "TIME", Right: true}, {Title: "SOURCE", Flex: 12, Optional: 1},
	}}
	for _, r := range s.Runs {
		g.add(cellValue{text: r.Feed}, feedStatus(r.Status), count(r.Seen), count(r.Inserted), count(r.Updated), count(r.Unchanged),
			count(r.Rejected), cellValue{text: r.took()}, cellValue{text: orMissing(string(r.Source))})
	}
	p.err = g.draw(w, v.Terminal)
	for _, r := range s.Runs {
		p.runNotes(r)
	}
	for _, k := range s.Skipped {
		p.item("  ", k.Feed+": left out: "+k.Reason)
	}
	p.rematch(s.Estate)
	if len(s.Unknown) > 0 {
		p.line("")
		more := map[bool]string{true: ", …"}[len(s.Unknown) > 10]
		p.text(Plural(len(s.Unknown), "file", "files") + " of no known feed, left alone: " +
			strings.Join(s.Unknown[:min(len(s.Unknown), 10)], ", ") + more)
	}
	return p.err
}

func (p *printer) rematch(e *Rematch) {
	if e == nil {
		return
	}
	p.line("")
	p.text(fmt.Sprintf("%s matched anew: %s, %s withdrawn, %s returned.", Plural(e.Hosts, "known host", "known hosts"),
		Plural(e.New, "new finding", "new findings"), Thousands(e.Withdrawn), Thousands(e.Returned)))
}

func count(n int) cellValue { return cellValue{text: Thousands(n)} }

func (r FeedRun) took() string {
	if r.StartedAt == nil || r.EndedAt == nil {
		return missing
	}
	return r.EndedAt.Sub(*r.StartedAt).Round(100 * time.Millisecond).String()
}

func feedStatus(status string) cellValue {
	switch status {
	case "failed":
		return cellValue{status, toneUrgent}
	case "":
		return cellValue{"not synced", toneFaint}
	}
	return cellValue{status, toneNone}
}

func (p *printer) runNotes(r FeedRun) {
	if r.Error != "" {
		p.item("  ", r.Feed+": "+string(r.Error))
	}
	for _, reason := range r.Reasons {
		say := r.Feed + ": " + Thousands(reason.Count) + " rejected: " + reason.Reason
		if len(reason.Places) > 0 {
			say += ", first at " + reason.Places[0]
		}
		p.item("  ", say)
	}
}

// FeedTable shows the state of each feed.
func FeedTable(w io.Writer, f Feeds, v View) error {
	p := &printer{w: w, view: v}
	g := &grid{columns: []column{
		{Title: "FEED"}, {Title: "LAST RUN"}, {Title: "RECORDS", Right: true}, {Title: "NEWEST"}, {Title: "DATA FROM"},
		{Title: "SOURCE", Flex: 12, Optional: 1},
	}}
	for _, s := range f.Feeds {
		status := feedStatus(string(s.Status))
		if s.Status == "" && !s.Enabled {
			status.text = "off"
		}
		from := cellValue{text: s.from(v.Now)}
		if s.Stale {
			from = cellValue{from.text + " (!)", toneHigh}
		}
		g.add(cellValue{text: s.Feed}, status, count(s.Records), cellValue{text: s.Newest.String()}, from,
			cellValue{text: orMissing(orElse(string(s.Source), string(s.Missing)))})
	}
	p.err = g.draw(w, v.Terminal)
	for _, s := range f.Feeds {
		if s.Error != "" {
			p.item("  ", s.Feed+": "+string(s.Error))
		}
	}
	if say := staleness(f.Feeds); say != "" {
		p.line("")
		p.text(say)
	}
	p.catalogue(f.Catalogue)
	return p.err
}

// staleness names the feeds that were not loaded when they ought to have been, "" if all were.
func staleness(feeds []FeedState) string {
	var names []string
	for _, s := range feeds {
		if s.Stale {
			names = append(names, s.Feed)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "(!) " + names[0] + " is stale: older than twice the interval of its schedule. Update with: patchscout feeds sync --feed " + names[0]
	}
	return "(!) " + strings.Join(names, ", ") +
		" are stale: older than twice the interval of their schedules. Update with: patchscout feeds sync --feed " + strings.Join(names, ",")
}

// from says how old the data is, or that there is none.
func (s FeedState) from(now time.Time) string {
	switch {
	case s.LastGood != nil:
		return "a sync, " + Age(now.Sub(*s.LastGood))
	case !s.Starter.IsZero():
		return "the starter, " + s.Starter.String()
	}
	return missing
}
