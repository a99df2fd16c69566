package worker

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"os"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// maxRefused is how often a report is sent that the server refuses as damaged.
const maxRefused = 3

// run does one job from its tool's start to the server's receipt.
func (w *worker) run(ctx context.Context, l Lease) {
	log := w.Log.With("job_id", l.ID, "scan_id", l.Scan, "scanner", l.Order.Scanner)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h := &hold{worker: w, lease: l, end: cancel, toolEnd: cancel}
	tool, endTool := context.WithCancelCause(ctx)
	defer endTool(nil)
	h.toolEnd = endTool
	beats, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	beating.Go(func() { h.beat(beats) })
	err := w.attend(ctx, tool, h)
	stop()
	beating.Wait()
	if err != nil {
		log.Warn("job not finished here", "error", err)
		return
	}
	log.Info("job finished")
}

// attend runs the tool and delivers what it said.
func (w *worker) attend(ctx, tool context.Context, h *hold) error {
	raw, err := newRawFile()
	if err != nil {
		return errors.Join(err, h.handBack(ctx))
	}
	defer raw.close()
	outcome := Outcome{Status: failed, Started: time.Now().UTC()}
	if s, err := w.scanner(h.lease.Order.Scanner); err != nil {
		outcome.Error, outcome.Finished = err.Error(), time.Now().UTC()
	} else {
		outcome = Run(tool, s, h.lease.Order, raw, w.welcome.MaxReport, h.progress)
	}
	outcome.Error, outcome.Version = intake.Cut(outcome.Error, 4096), intake.Cut(outcome.Version, 200)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, job.ErrStopping):
		return errors.Join(cause, h.handBack(ctx))
	case cause != nil:
		return cause
	}
	err = h.deliver(ctx, raw, outcome)
	if errors.Is(err, job.ErrStopping) {
		return errors.Join(err, h.handBack(ctx))
	}
	return err
}

// hold is a job that this worker holds.
type hold struct {
	*worker
	lease   Lease
	end     context.CancelCauseFunc // the job is lost
	toolEnd context.CancelCauseFunc // somebody wants the tool to end; what it said is still to be delivered

	mu    sync.Mutex
	pulse Pulse
}

func (h *hold) progress(p scan.Progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.Percent > h.pulse.Percent { // which is false for no number
		h.pulse.Percent = min(p.Percent, 100)
	}
	h.pulse.Stage = intake.Cut(p.Stage, 100)
}

// beat tells the server that the job is worked on. One that does not answer is told again; one that says no ends the job.
func (h *hold) beat(ctx context.Context) {
	every := min(max(time.Duration(h.welcome.BeatMS)*time.Millisecond, 100*time.Millisecond), 5*time.Second)
	for sleep(ctx, every) {
		h.mu.Lock()
		pulse := h.pulse
		h.mu.Unlock()
		pulse.Fence = h.lease.Fence
		var answer PulseAnswer
		err := h.briefly(ctx, jobPath(h.lease.ID, "beat"), pulse, &answer)
		switch {
		case err == nil && answer.Cancel:
			h.toolEnd(job.ErrCancelled)
		case err != nil && lost(err):
			h.end(fmt.Errorf("%w: %w", job.ErrLost, err))
			return
		case err != nil && ctx.Err() == nil:
			h.Log.Debug("beat not heard", "job_id", h.lease.ID, "error", err)
		}
	}
}

// briefly is a call that is worth nothing late: the next one follows.
func (h *hold) briefly(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, maxBackoff)
	defer cancel()
	return h.client.call(ctx, path, in, out)
}

// handBack gives the job to another worker. That it cannot be told is no harm: the server will notice.
func (h *hold) handBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeWithin)
	defer cancel()
	return h.client.call(ctx, jobPath(h.lease.ID, "hand-back"), Fence{Fence: h.lease.Fence}, nil)
}

// deliver sends the report and the outcome, again and again, until the server has them or the job is another's.
func (h *hold) deliver(ctx context.Context, raw *rawFile, outcome Outcome) error {
	if raw.err != nil && outcome.Status == completed {
		outcome.Status, outcome.Error = failed, "keep the raw report: "+intake.Cut(raw.err.Error(), 1000)
	}
	refused := 0
	err := h.insist(ctx, func() error {
		if raw.size == 0 || refused >= maxRefused {
			return nil
		}
		err := h.client.upload(ctx, h.lease.ID, h.lease.Fence, raw.file, raw.size, raw.digest.Sum(nil))
		if fault.KindOf(err) != fault.KindInvalid {
			return err
		}
		if refused++; refused >= maxRefused {
			outcome.Status, outcome.Error = failed, "the raw report was refused: "+intake.Cut(err.Error(), 1000)
		}
		return fault.Unavailable("%w", err)
	})
	if err != nil {
		return err
	}
	return h.insist(ctx, func() error {
		return h.quickly(ctx, jobPath(h.lease.ID, "finish"), Done{Fence: h.lease.Fence, Outcome: outcome}, nil)
	})
}

// insist repeats what fails for a reason that passes.
func (h *hold) insist(ctx context.Context, f func() error) error {
	for pause := minBackoff; ; pause = longer(pause) {
		err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !again(err):
			return err
		}
		h.Log.Warn("the result of a job could not be sent; trying again", "job_id", h.lease.ID, "error", err)
		if !sleep(ctx, jitter(pause)) {
			return context.Cause(ctx)
		}
	}
}

// rawFile is the raw report until the server has it.
type rawFile struct {
	file   *os.File
	digest hash.Hash
	size   int64
	err    error
}

func newRawFile() (*rawFile, error) {
	file, err := os.CreateTemp("", "patchscout-report-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(file.Name()) // where it cannot go now, close removes it
	return &rawFile{file: file, digest: sha256.New()}, nil
}

func (r *rawFile) Write(p []byte) (int, error) {
	n, err := r.file.Write(p)
	r.digest.Write(p[:n]) // a hash never fails
	r.size += int64(n)
	r.err = errors.Join(r.err, err)
	return n, err
}

func (r *rawFile) close() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name())
}
