package app

import (
	"slices"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/attack"
	"github.com/patchscout/patchscout/internal/feed/ctid"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/cwe"
	"github.com/patchscout/patchscout/internal/feed/epss"
	"github.com/patchscout/patchscout/internal/feed/exploitdb"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/metasploit"
	"github.com/patchscout/patchscout/internal/feed/nuclei"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

// publishers are all that this build reads, in the order in which they load (config.FeedNames).
func publishers(config.Config) []feed.Publisher {
	all := map[string]feed.Publisher{}
	for _, p := range []feed.Publisher{
		kev.Reader{}, epss.Reader{}, exploitdb.Reader{}, metasploit.Reader{}, nuclei.Reader{}, attack.Reader{}, ctid.Reader{}, cwe.Reader{},
		nvd.Reader{}, cvelist.Reader{},
	} {
		all[p.Feed()] = p
	}
	var out []feed.Publisher
	for _, name := range config.FeedNames() {
		if p := all[name]; p != nil {
			out = append(out, p)
		}
	}
	return out
}

// FeedNames are the feeds that this build reads, in load order, as users write them.
func FeedNames() []string {
	var names []string
	for _, p := range publishers(config.Config{}) {
		names = append(names, p.Feed())
	}
	return names
}

// enabledFeeds are those of the configuration that are on and that this build reads.
func (a *App) enabledFeeds() []string {
	names := FeedNames()
	return slices.DeleteFunc(a.cfg.EnabledFeeds(), func(name string) bool { return !slices.Contains(names, name) })
}
