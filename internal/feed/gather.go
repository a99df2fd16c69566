package feed

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Doer sends HTTP requests; outbound.Client is the one that the product uses.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Options say what Gather looks for and where. A folder or mirror need not hold all feeds: what is not there is left out
// of the Gathering, unless it stands in Feeds.
type Options struct {
	Publishers []Publisher // all that this build reads
	Feeds      []string    // names that a person asked for: that there is nothing of one is its error
	Enabled    []string    // names to gather when Feeds is empty, where there is something of them; empty: all
	From       string      // a folder or an http(s) URL; "": each publisher's own

	// Seen maps Publisher feed + "/" + File.Name to the checksum of the last good run.
	Seen map[string]string

	// The rest is for fetching only.
	Client Doer                 // nil refuses to fetch
	Dir    string               // download folder, made if missing; finished and partial downloads stay for the next run
	URLs   map[string]string    // feed -> base URL (or that of the file itself) in place of the publisher's own
	Since  map[string]time.Time // feed -> when its last good run began, for publishers that answer by date

	Fallbacks map[string]Fallback // feed -> another way to it, when its files cannot be had from the publisher

	// Progress hooks, each may be nil. They may be called from several goroutines.
	Fetched func(file string, done, total int64) // bytes of a download; total is -1 where unknown
	Read    func(feed string, n int64)           // n more stored bytes of the feed's files were consumed by reading

	Now   func() time.Time                           // nil: time.Now
	Sleep func(context.Context, time.Duration) error // nil: real time; waits between attempts
	Log   *slog.Logger                               // nil: nothing is logged
}

// Gathering is the answer of Gather.
type Gathering struct {
	Feeds   []Gathered // one per asked feed, in the order of Options.Publishers
	Unknown []string   // files below a folder that no asked publisher knows, sorted, relative to it; at most 1,000

	// Unready are feeds that nobody asked for by name and that cannot be fetched as things are configured.
	Unready []Unready
}

// Unready is a feed with what its Readier says is missing.
type Unready struct {
	Feed string
	Err  error
}

// Gather finds, or fetches and verifies, the files of every asked feed. A feed that fails carries its own Err and does
// not disturb the others. The error is for what concerns all: an unknown feed name, a folder that cannot be read, a
// cancelled context.
func Gather(ctx context.Context, o Options) (Gathering, error) {
	for _, name := range slices.Concat(o.Feeds, o.Enabled) {
		if !slices.ContainsFunc(o.Publishers, func(p Publisher) bool { return p.Feed() == name }) {
			return Gathering{}, fault.Invalid("unknown feed %.40q: want %s", name, strings.Join(feedNames(o.Publishers), ", "))
		}
	}
	if o.From != "" && !isURL(o.From) {
		return gatherFolder(ctx, o)
	}
	return gatherRemote(ctx, o)
}

// asked is the publishers whose feeds are wanted, in their order.
func (o Options) asked() []Publisher {
	names := o.Feeds
	if len(names) == 0 {
		names = o.Enabled
	}
	if len(names) == 0 {
		return o.Publishers
	}
	var out []Publisher
	for _, p := range o.Publishers {
		if slices.Contains(names, p.Feed()) {
			out = append(out, p)
		}
	}
	return out
}

func feedNames(publishers []Publisher) []string {
	var names []string
	for _, p := range publishers {
		names = append(names, p.Feed())
	}
	return names
}

func isURL(s string) bool {
	lower := strings.ToLower(s)
	return strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://")
}
