package job

import (
	"encoding/json"
	"errors"
	"sync"
)

// Causes of a running job's end that come from outside; a handler returns them as they are (or wrapped).
var (
	ErrCancelled = errors.New("cancelled")
	ErrLost      = errors.New("another worker has the job by now")
	ErrStopping  = errors.New("the worker stops")
	// ErrFatal marks a failure that would happen again.
	ErrFatal = errors.New("would fail again")
)

// Run is one attempt at a job, for its handler. It is safe for concurrent use.
type Run struct {
	Job Job // as it was leased

	mu       sync.Mutex
	progress Progress
	result   json.RawMessage
}

// Progress says how far the job is; the next beat tells others.
func (r *Run) Progress(percent float64, stage string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = Progress{Percent: max(percent, r.progress.Percent), Stage: stage}
}

// Result keeps what the job came to, as JSON.
func (r *Run) Result(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result = b
	return nil
}

// told is what the next beat says.
func (r *Run) told() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress
}

// came is what the job came to.
func (r *Run) came() json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result
}
