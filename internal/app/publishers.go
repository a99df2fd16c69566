package app

import (
	"slices"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/abusech"
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

// publishers are all that this build reads, in the order in which they load (config.Feeds.All).
func publishers(cfg config.Config) []feed.Publisher {
	lists := []feed.Publisher{
		kev.Reader{}, epss.Reader{}, exploitdb.Reader{}, metasploit.Reader{}, nuclei.Reader{}, attack.Reader{}, ctid.Reader{}, cwe.Reader{},
	}
	records := []feed.Publisher{cvelist.Reader{}, nvd.Reader{}}
	return slices.Concat(lists, abusech.All(cfg.Feeds.AbuseCH.AuthKey.Reveal()), records)
}

// FeedNames are the feeds that this build reads, in load order, as users write them.
func FeedNames() []string {
	var names []string
	for _, p := range publishers(config.Config{}) {
		names = append(names, p.Feed())
	}
	return names
}
