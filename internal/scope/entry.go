package scope

import (
	"time"

	"github.com/patchscout/patchscout/internal/auth"
)

// Entry is a rule that an administrator keeps on the server: for a site, for some people, for some time.
type Entry struct {
	Rule
	Site    string    // "" is every site
	Role    auth.Role // the least role that it is for; Nobody is everybody who may scan
	User    int64     // the one user that it is for, 0 is everybody
	Name    string    // of that user; only read
	Note    string
	By      string
	At      time.Time
	Expires time.Time // the last UTC day on which it holds, at its midnight; zero is never
}

// Holds says whether the rule is for scans of somebody in a site at a time.
func (e Entry) Holds(who auth.Identity, site string, now time.Time) bool {
	return (e.Site == "" || e.Site == site) && (e.Role == auth.Nobody || who.Role.Allows(e.Role)) && (e.User == 0 || e.User == who.User) && !e.Over(now)
}

// Over says whether its last day has passed.
func (e Entry) Over(now time.Time) bool {
	return !e.Expires.IsZero() && !now.Before(e.Expires.AddDate(0, 0, 1))
}
