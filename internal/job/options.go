package job

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"
)

// Options say how a queue runs jobs in this process.
type Options struct {
	// Limits are how many jobs of a kind run at a time; a kind that is not named has 1. Only kinds with a handler are run.
	Limits map[Kind]int
	Worker string       // that runs them, for people; "" is this process
	Log    *slog.Logger // nil logs nothing
	Now    func() time.Time
	// Backoff is how long to wait before the attempt after the one that failed; nil is Backoff.
	Backoff func(attempt int) time.Duration
	// Patience is how long a job goes on of which nobody could be told; 0 is half of Alive, so that it has ended before
	// another process may begin it.
	Patience time.Duration
}

// WithDefaults fills in what was left out.
func (o Options) WithDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Backoff == nil {
		o.Backoff = Backoff
	}
	if o.Patience == 0 {
		o.Patience = Alive / 2
	}
	if o.Worker == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "this machine"
		}
		o.Worker = fmt.Sprintf("process %d on %s", os.Getpid(), host)
	}
	return o
}

// Limit is how many jobs of a kind run at a time.
func (o Options) Limit(k Kind) int { return max(1, cmp.Or(o.Limits[k], 1)) }

// SweepEvery is how often a queue looks for jobs that were lost or that nobody was told of.
const SweepEvery = 3 * time.Second

// Backoff is 5 seconds, doubled with each attempt, at most 5 minutes, and up to a quarter more: what failed together is not
// tried again together.
func Backoff(attempt int) time.Duration {
	wait := min(5*time.Minute, 5*time.Second<<min(max(attempt-1, 0), 10))
	return wait + rand.N(wait/4)
}
