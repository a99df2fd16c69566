package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/patchscout/patchscout/internal/scan"
)

// availableWithin is how long a scanner has to say its version.
const availableWithin = 10 * time.Second

// The statuses of an Outcome are those of scan that a single run can have.
const (
	completed = string(scan.Completed)
	failed    = string(scan.Failed)
	cancelled = string(scan.Cancelled)
)

// Run runs a scanner as ordered and writes its raw report, of at most limit bytes, to raw. Whatever happens is in the
// outcome; what was written until then can be read. It returns when the tool has ended, which takes at most two seconds
// once ctx did.
func Run(ctx context.Context, s scan.Scanner, o Order, raw io.Writer, limit int64, progress func(scan.Progress)) Outcome {
	out := Outcome{Started: time.Now().UTC()}
	job, err := o.Job()
	if err == nil {
		out.Version, err = version(ctx, s)
	}
	if err == nil {
		err = run(ctx, s, job, &bounded{w: raw, left: limit, limit: limit}, progress)
	}
	out.Finished = time.Now().UTC()
	switch {
	case ctx.Err() != nil:
		out.Status, out.Error = cancelled, context.Cause(ctx).Error()
	case err != nil:
		out.Status, out.Error = failed, err.Error()
	default:
		out.Status = completed
	}
	return out
}

func version(ctx context.Context, s scan.Scanner) (version string, err error) {
	defer recovered(s, &err)
	ctx, cancel := context.WithTimeout(ctx, availableWithin)
	defer cancel()
	return s.Available(ctx)
}

func run(ctx context.Context, s scan.Scanner, job scan.Job, raw *bounded, progress func(scan.Progress)) (err error) {
	defer recovered(s, &err)
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	err = s.Run(ctx, job, raw, progress)
	switch {
	case raw.err != nil:
		return raw.err
	case job.Timeout > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("not finished after %s: %w", job.Timeout, context.DeadlineExceeded)
	}
	return err
}

// recovered turns a scanner's panic into its failure: other jobs run in this process.
func recovered(s scan.Scanner, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("scanner %s: %v", s.Name(), p)
	}
}

// bounded passes on so many bytes and then fails, which ends the tool.
type bounded struct {
	w           io.Writer
	left, limit int64
	err         error
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.err == nil && int64(len(p)) > b.left {
		b.err = fmt.Errorf("raw report is larger than %d MiB", b.limit>>20)
	}
	if b.err != nil {
		return 0, b.err
	}
	b.left -= int64(len(p))
	n, err := b.w.Write(p)
	if err != nil {
		b.err = fmt.Errorf("keep the raw report: %w", err)
	}
	return n, b.err
}
