package feed_test

import (
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/epss"
	"github.com/patchscout/patchscout/internal/feed/exploitdb"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

var publishers = []feed.Publisher{nvd.Reader{}, kev.Reader{}, epss.Reader{}, exploitdb.Reader{}}
