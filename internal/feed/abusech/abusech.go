// Package abusech reads the lists of abuse.ch: URLhaus, ThreatFox, Feodo Tracker and MalwareBazaar. It never asks
// abuse.ch about a single indicator, so nobody there learns what a user looks for.
package abusech

import (
	"context"
	"io"
	"path"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// Publisher is one list. It shows its key nowhere, whatever it is printed with.
type Publisher struct {
	feed   string
	base   string
	remote feed.Remote
	names  []string      // patterns of its files' names
	key    func() string // nil: none is needed; a function, because fmt prints all else
	read   func(context.Context, feed.File, io.Reader, *once) error
}

// URLhaus is the list of URLs that malware is loaded from: those that are alive or were added in the last 30 days.
// key is the Auth-Key of an account, free from https://auth.abuse.ch/.
func URLhaus(key string) Publisher {
	const base = "https://urlhaus-api.abuse.ch/v2/files/exports/"
	return Publisher{
		feed: "urlhaus", base: base, names: []string{"urlhaus*.csv"}, key: func() string { return key }, read: readURLhaus,
		remote: feed.Remote{Name: "urlhaus_recent.csv", URL: base + feed.KeyMark + "/recent.csv"},
	}
}

// ThreatFox is the list of indicators that its users share; fetched are those of the last days. key as for URLhaus.
func ThreatFox(key string) Publisher {
	const base = "https://threatfox-api.abuse.ch/v2/files/exports/"
	return Publisher{
		feed: "threatfox", base: base, names: []string{"threatfox*.csv", addressFile}, key: func() string { return key },
		read:   readThreatFox,
		remote: feed.Remote{Name: "threatfox_recent.csv", URL: base + feed.KeyMark + "/recent.csv"},
	}
}

// Feodo is the list of the botnet servers of Feodo Tracker. It needs no key, and is often nearly empty.
func Feodo() Publisher {
	return Publisher{
		feed: "feodo", base: "https://feodotracker.abuse.ch/downloads/", names: []string{"ipblocklist.csv"},
		read: readFeodo, remote: feed.Remote{Name: "ipblocklist.csv"},
	}
}

// MalwareBazaar is the list of the hashes of samples that were added in the last two days. key as for URLhaus.
func MalwareBazaar(key string) Publisher {
	const base = "https://mb-api.abuse.ch/v2/files/exports/"
	return Publisher{
		feed: "malwarebazaar", base: base, names: []string{"*sha256_recent.txt"}, key: func() string { return key },
		read:   readHashes,
		remote: feed.Remote{Name: "sha256_recent.txt", URL: base + feed.KeyMark + "/sha256_recent.txt"},
	}
}

// All are the four lists, with the one key that they share.
func All(key string) []feed.Publisher {
	return []feed.Publisher{URLhaus(key), ThreatFox(key), Feodo(), MalwareBazaar(key)}
}

// Feed is "urlhaus", "threatfox", "feodo" or "malwarebazaar".
func (p Publisher) Feed() string { return p.feed }

// Base is the folder of the list, without the key.
func (p Publisher) Base() string { return p.base }

// Remote is the one list.
func (p Publisher) Remote(time.Time) []feed.Remote { return []feed.Remote{p.remote} }

// Key is the Auth-Key, for feed.KeyHolder.
func (p Publisher) Key() string {
	if p.key == nil {
		return ""
	}
	return p.key()
}

// Ready says that the key is missing, if it is needed.
func (p Publisher) Ready() error {
	if p.key == nil || p.Key() != "" {
		return nil
	}
	return fault.Invalid("feed %s: needs feeds.abusech.auth_key, free from https://auth.abuse.ch/", p.feed)
}

// published are the names under which abuse.ch itself serves what needs a key; they say nothing of the list.
var published = []string{"recent.csv", "full.csv"}

// Owns knows the list's files by their names, and the names under which URLhaus and ThreatFox publish.
func (p Publisher) Owns(name string) bool {
	return p.hasName(name) || p.publishes(name)
}

// OwnsPath knows the names under which URLhaus and ThreatFox publish only in folders with the list's name.
func (p Publisher) OwnsPath(file string) bool {
	name := path.Base(file)
	return p.hasName(name) || p.publishes(name) && path.Base(path.Dir(file)) == p.feed
}

func (p Publisher) hasName(name string) bool {
	for _, pattern := range p.names {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func (p Publisher) publishes(name string) bool {
	return path.Base(p.remote.URL) == published[0] && (name == published[0] || name == published[1])
}

// Partial is true for lists of what was added lately: what such a list does not hold any more stays known until it
// expires.
func (p Publisher) Partial(name string) bool { return strings.Contains(name, "recent") }

// Less reads a list of what was added lately after a full one, and addresses without a date before both.
func (p Publisher) Less(a, b string) bool {
	if x, y := p.order(a), p.order(b); x != y {
		return x < y
	}
	return a < b
}

func (p Publisher) order(name string) int {
	switch {
	case name == addressFile:
		return 0
	case p.Partial(name):
		return 2
	default:
		return 1
	}
}

// Read streams the list into sink.Indicator. Of several rows with one indicator the first counts, which is the newest.
// See feed.Reader.
func (p Publisher) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	return p.read(ctx, file, body, &once{Sink: sink, file: file, seen: map[identity]bool{}})
}

// maxIndicators is more than all four lists have together.
const maxIndicators = 3_000_000

type identity struct {
	kind, value string
	port        int
}

// once passes each indicator on once.
type once struct {
	feed.Sink
	file feed.File
	seen map[identity]bool
	good int // rows that could be used, repeated ones included
}

func (o *once) indicator(i intel.Indicator) error {
	o.good++
	key := identity{i.Kind, i.Value, i.Port}
	if o.seen[key] {
		return nil
	}
	if len(o.seen) == maxIndicators {
		return fault.Invalid("%s: more than %d indicators", o.file.Name, maxIndicators)
	}
	o.seen[key] = true
	return o.Indicator(i)
}

// anyGood refuses a list without a single indicator, as none of the lists but Feodo Tracker's ever is.
func (o *once) anyGood() error {
	if o.good == 0 {
		return fault.Invalid("%s: no indicator in it that can be used", o.file.Name)
	}
	return nil
}
