package app

import (
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// questions counts what was asked of this process. The zero value is ready for use.
type questions struct {
	mu     sync.Mutex
	byKind map[[2]string]askedOften
}

type askedOften struct {
	questions int
	took      time.Duration
}

// mostKinds bounds the kinds that are told apart; there are fewer than that.
const mostKinds = 400

// add counts a question by kind and outcome. What was asked stays out of it.
func (q *questions) add(out report.Answer, err error, took time.Duration) {
	outcome := "answered"
	switch {
	case err != nil:
		outcome = "failed"
	case out.Refused:
		outcome = "refused"
	}
	key := [2]string{out.Kind, outcome}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.byKind == nil {
		q.byKind = map[[2]string]askedOften{}
	}
	t, known := q.byKind[key]
	if !known && len(q.byKind) >= mostKinds {
		return
	}
	t.questions++
	t.took += took
	q.byKind[key] = t
}

// samples tell how many questions there were, and how long they took together.
func (q *questions) samples() (out []telemetry.Sample) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, t := range q.byKind {
		labels := []string{"kind", key[0], "outcome", key[1]}
		out = append(out,
			telemetry.Sample{Name: "patchscout_questions", Help: "Questions to the assistant since the server began.", Labels: labels, Value: float64(t.questions)},
			telemetry.Sample{Name: "patchscout_questions_seconds", Help: "How long they took, together.", Labels: labels, Value: t.took.Seconds()})
	}
	return out
}
