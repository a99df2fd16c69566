package nessus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// exported is a file that the server is making of the scan: under a token since Nessus 7, under its number before.
type exported struct{ status, download string }

var tokenText = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// export fetches the scan as .nessus.
func (r *run) export(ctx context.Context, raw io.Writer) error {
	file, err := r.exportReady(ctx)
	var failed *exportError
	if errors.As(err, &failed) { // now and then it does, and the second time works
		file, err = r.exportReady(ctx)
	}
	if err != nil {
		return err
	}
	r.meter.tell("download", 97)
	return r.download(ctx, file.download, raw)
}

// exportError says that the server could not make the file.
type exportError struct{ status string }

func (e *exportError) Error() string { return fmt.Sprintf("the server says %q", e.status) }

// exportReady asks for a file and waits until it is there.
func (r *run) exportReady(ctx context.Context) (exported, error) {
	var answer struct {
		Token string `json:"token"`
		File  int64  `json:"file"`
	}
	if err := r.call(ctx, http.MethodPost, r.path("/export"), map[string]string{"format": "nessus"}, &answer); err != nil {
		return exported{}, explain("export the scan", err)
	}
	var ways []exported
	if tokenText.MatchString(answer.Token) {
		ways = append(ways, exported{"/tokens/" + answer.Token + "/status", "/tokens/" + answer.Token + "/download"})
	}
	if answer.File > 0 {
		path := r.path("/export/" + strconv.FormatInt(answer.File, 10))
		ways = append(ways, exported{path + "/status", path + "/download"})
	}
	err := error(fault.Unavailable("nessus: export the scan: the server names no file"))
	for _, way := range ways {
		if err = r.ready(ctx, way); statusOf(err) != http.StatusNotFound {
			return way, err
		}
	}
	return exported{}, err
}

// ready waits for the file. Large ones take minutes.
func (r *run) ready(ctx context.Context, file exported) error {
	wait := 250 * time.Millisecond
	for {
		var answer struct {
			Status  string `json:"status"`
			Message string `json:"message"`
		}
		if err := r.call(ctx, http.MethodGet, file.status, nil, &answer); err != nil {
			return explain("wait for the export", err)
		}
		switch answer.Status {
		case "ready":
			return nil
		case "error", "failed", "canceled", "cancelled":
			return fault.Unavailable("nessus: export the scan: %w", &exportError{printable(answer.Status + " " + answer.Message)})
		}
		if err := pause(ctx, min(wait, r.opts.Poll)); err != nil {
			return err
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// download copies the file to raw. When the connection breaks, it is fetched again, and what raw already has is compared
// and left out.
func (r *run) download(ctx context.Context, path string, raw io.Writer) error {
	c := &copying{raw: raw, sum: sha256.New()}
	for try := 1; ; try++ {
		err := r.fetch(ctx, path, c)
		switch {
		case err == nil && c.whole():
			return nil
		case err == nil:
			err = errors.New("the file ends in the middle")
		case ctx.Err() != nil, c.failed != nil, errors.Is(err, errOther):
			return fmt.Errorf("nessus: download the export: %w", errors.Join(err, ctx.Err()))
		case statusOf(err) != 0 && c.written == 0:
			return explain("download the export", err)
		}
		if try == 3 {
			return fmt.Errorf("nessus %w: %w", scan.ErrTruncated, fault.Unavailable("download the export: %w", err))
		}
		if err := pause(ctx, min(time.Second, r.opts.Poll)); err != nil {
			return err
		}
	}
}

func (r *run) fetch(ctx context.Context, path string, c *copying) error {
	resp, err := r.send(ctx, http.MethodGet, path, nil)
	if statusOf(err) == http.StatusUnauthorized && r.token != "" {
		if err := r.login(ctx); err != nil {
			return err
		}
		resp, err = r.send(ctx, http.MethodGet, path, nil)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := c.skip(resp.Body); err != nil {
		return err
	}
	_, err = io.Copy(c, resp.Body)
	return err
}

// copying is a file on its way to raw.
type copying struct {
	raw     io.Writer
	sum     hash.Hash // of what was written
	written int64
	tail    []byte // the last bytes
	failed  error  // of raw
}

var errOther = fault.Unavailable("the server gives another file the second time")

// skip reads what raw already has.
func (c *copying) skip(r io.Reader) error {
	if c.written == 0 {
		return nil
	}
	again := sha256.New()
	if _, err := io.CopyN(again, r, c.written); err != nil {
		return err
	}
	if !bytes.Equal(again.Sum(nil), c.sum.Sum(nil)) {
		return errOther
	}
	return nil
}

func (c *copying) Write(p []byte) (int, error) {
	n, err := c.raw.Write(p)
	c.failed = err
	c.written += int64(n)
	c.sum.Write(p[:n])
	c.tail = append(c.tail, p[:n]...)
	c.tail = c.tail[max(0, len(c.tail)-64):]
	return n, err
}

// whole says whether the file ends as one does: a server that closes the connection early may not say so.
func (c *copying) whole() bool {
	return bytes.HasSuffix(bytes.TrimSpace(c.tail), []byte("</"+rootV2+">"))
}
