package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

const (
	attempts   = 5
	firstWait  = time.Second
	longestGap = 90 * time.Second // also the most that a Retry-After can make us wait
)

// Fetcher downloads files into one folder. What is finished stays there with its ETag, so that the next run can ask
// whether it changed; what broke off stays as name.part and is resumed. Not safe for concurrent use.
type Fetcher struct {
	Client  Doer
	Dir     string
	Fetched func(file string, done, total int64)       // may be nil
	Sleep   func(context.Context, time.Duration) error // nil: real time
	Before  func(context.Context) error                // called before each request, to keep a limit; may be nil
	Log     *slog.Logger                               // nil: silent
	Key     string                                     // what KeyMark in a URL stands for; shown nowhere
}

// state is what is remembered beside a download, as name.state.json.
type state struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Checksum     string `json:"checksum,omitempty"` // of the finished file's stored bytes
	Meta         string `json:"meta,omitempty"`     // sha256 that the publisher's .meta gave for it
}

// Fetch makes sure that the newest version of a file is in the folder and returns its path. meta, if not nil, is what
// the file must unpack to; it is verified before the file takes its name. A file that the server does not have is
// fault.NotFound; one that is not what it should be is fault.Invalid; all else that fails is fault.Unavailable.
func (f *Fetcher) Fetch(ctx context.Context, from string, meta *Meta) (path string, err error) {
	u, err := url.Parse(from)
	if err != nil {
		return "", fault.Invalid("URL %.80q: %w", from, err)
	}
	name := filepath.Base(filepath.FromSlash(u.Path))
	if name == "." || name == string(filepath.Separator) || strings.HasPrefix(name, ".") {
		return "", fault.Invalid("URL %.80q names no file", from)
	}
	return f.FetchAs(ctx, from, name, meta)
}

// FetchAs is Fetch for a URL that does not end in the file's name.
func (f *Fetcher) FetchAs(ctx context.Context, from, name string, meta *Meta) (path string, err error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return "", disk("make", f.Dir, err)
	}
	d := download{Fetcher: f, url: from, name: name, path: filepath.Join(f.Dir, name), meta: meta}
	d.have = d.loadState(d.path)
	if meta != nil && d.have.Meta == meta.SHA256 {
		return d.path, nil
	}
	return d.path, d.run(ctx)
}

// Text fetches a short file (a .meta), cut at limit bytes, and keeps it nowhere.
func (f *Fetcher) Text(ctx context.Context, from string, limit int64) (string, error) {
	var text string
	err := f.retry(ctx, from, func() (time.Duration, error) {
		resp, err := f.get(ctx, from, nil)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return retryAfter(resp), statusError(from, resp.StatusCode)
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, limit))
		text = string(b)
		return 0, err
	})
	return text, err
}

func (f *Fetcher) get(ctx context.Context, from string, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.withKey(from), nil)
	if err != nil {
		return nil, fault.Invalid("URL %.80q: %w", from, f.hideKey(err))
	}
	for key, value := range header {
		if value != "" {
			req.Header.Set(key, value)
		}
	}
	if f.Before != nil {
		if err := f.Before(ctx); err != nil {
			return nil, err
		}
	}
	resp, err := f.Client.Do(req)
	if err != nil {
		return nil, f.hideKey(err)
	}
	resp.Body = keylessBody{resp.Body, f}
	return resp, nil
}

// retry calls once until it succeeds, fails in a way that will not pass, or attempts are used up. Waits double, with
// jitter, so that many installations do not come back in one moment.
func (f *Fetcher) retry(ctx context.Context, what string, once func() (wait time.Duration, err error)) error {
	gap := firstWait
	for try := 1; ; try++ {
		wait, err := once()
		var ours diskError
		if err == nil || ctx.Err() != nil || fault.KindOf(err) != fault.KindUnavailable || try >= triesFor(err) ||
			errors.As(err, &ours) {
			return err
		}
		if wait <= 0 {
			wait = gap/2 + rand.N(gap)
		}
		gap = min(2*gap, longestGap)
		f.log().Info("trying again", "what", what, "wait", wait.Round(time.Millisecond), "error", err)
		if err := f.Wait(ctx, min(wait, longestGap)); err != nil {
			return err
		}
	}
}

// triesFor is how often to try. Nobody there, or no such name, is a machine without a network more often than a passing
// fault: whoever waits at the terminal is told after one more try.
func triesFor(err error) int {
	var name *net.DNSError
	if machine.Refused(err) || errors.As(err, &name) && !name.IsTimeout {
		return 2
	}
	return attempts
}

// Wait waits by the Fetcher's own clock, or until ctx ends.
func (f *Fetcher) Wait(ctx context.Context, d time.Duration) error {
	if f.Sleep != nil {
		return f.Sleep(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (f *Fetcher) log() *slog.Logger {
	if f.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return f.Log
}

func statusError(from string, status int) error {
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		return fault.NotFound("%s: the server has no such file (%d)", from, status)
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		return fault.Unavailable("%s: the server answers %d %s", from, status, http.StatusText(status))
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Denied("%s: the server answers %d %s", from, status, http.StatusText(status))
	default:
		return fault.Invalid("%s: the server answers %d %s", from, status, http.StatusText(status))
	}
}

// retryAfter is the wait that a server asks for, in seconds or as a date; 0 if it does not.
func retryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return time.Until(at)
	}
	return 0
}

// download is the fetching of one file.
type download struct {
	*Fetcher
	url, name, path string
	meta            *Meta
	have            state // of the finished file, zero if there is none
}

func (d *download) part() string { return d.path + ".part" }

func (d *download) run(ctx context.Context) error {
	err := d.retry(ctx, d.url, func() (time.Duration, error) { return d.once(ctx) })
	if fault.KindOf(err) == fault.KindInvalid {
		d.dropPart() // resuming what is wrong would stay wrong
	}
	return err
}

// once asks for the file, or for the rest of what broke off, and finishes it if it is whole.
func (d *download) once(ctx context.Context) (time.Duration, error) {
	offset, begun := d.begun()
	header := map[string]string{"If-None-Match": d.have.ETag, "If-Modified-Since": d.have.LastModified}
	if offset > 0 {
		header = map[string]string{"Range": fmt.Sprintf("bytes=%d-", offset), "If-Range": begun.validator()}
	}
	resp, err := d.get(ctx, d.url, header)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && d.have.Checksum != "":
		return 0, nil
	case resp.StatusCode == http.StatusPartialContent && offset > 0 && startsAt(resp, offset):
	case resp.StatusCode == http.StatusOK:
		offset = 0
	case offset > 0 && (resp.StatusCode == http.StatusRequestedRangeNotSatisfiable ||
		resp.StatusCode == http.StatusPartialContent):
		d.dropPart()
		return time.Millisecond, fault.Unavailable("%s: the server cannot resume at byte %d", d.url, offset)
	default:
		return retryAfter(resp), statusError(d.url, resp.StatusCode)
	}
	now := state{URL: d.url, ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified")}
	if err := d.body(resp, offset, now); err != nil {
		return 0, err
	}
	return 0, d.finish(ctx, now)
}

// begun is how much of the file a broken download left, 0 if it cannot be resumed safely.
func (d *download) begun() (int64, state) {
	info, err := os.Stat(d.part())
	s := d.loadState(d.part())
	if err != nil || s.URL != d.url || s.validator() == "" {
		return 0, state{}
	}
	return info.Size(), s
}

// validator is what If-Range may carry: a strong ETag, or the date.
func (s state) validator() string {
	if s.ETag != "" && !strings.HasPrefix(s.ETag, "W/") {
		return s.ETag
	}
	return s.LastModified
}

func startsAt(resp *http.Response, offset int64) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset))
}

// body writes what comes to the part file, from offset on.
func (d *download) body(resp *http.Response, offset int64, now state) error {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if offset > 0 {
		flags = os.O_WRONLY | os.O_APPEND
	}
	out, err := os.OpenFile(d.part(), flags, 0o600)
	if err != nil {
		return disk("write", d.part(), err)
	}
	defer out.Close()
	if offset == 0 {
		if err := saveState(d.part(), now); err != nil {
			return err
		}
	}
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = offset + resp.ContentLength
	}
	n, err := io.Copy(out, &fetchCounter{r: resp.Body, name: d.name, done: offset, total: total, tell: d.Fetched})
	switch {
	case err != nil && isPathError(err):
		return disk("write", d.part(), err)
	case err != nil && fault.KindOf(err) == fault.KindInternal:
		return fault.Unavailable("%s breaks off after %d bytes: %w", d.url, offset+n, err)
	case err != nil:
		return err
	case total >= 0 && offset+n != total:
		return fault.Unavailable("%s breaks off at %d of %d bytes", d.url, offset+n, total)
	}
	if err := out.Sync(); err != nil {
		return disk("write", d.part(), err)
	}
	return nil
}

// diskError is a fault of our own disk, such as a full one: asking the server again would not help.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

func disk(doing, path string, err error) error {
	return diskError{fault.Unavailable("%s %s: %w", doing, path, err)}
}

type fetchCounter struct {
	r           io.Reader
	name        string
	done, total int64
	tell        func(string, int64, int64)
}

func (c *fetchCounter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.done += int64(n)
	if c.tell != nil && n > 0 {
		c.tell(c.name, c.done, c.total)
	}
	return n, err
}

// finish verifies the part file and only then gives it its name.
func (d *download) finish(ctx context.Context, now state) error {
	if err := d.verify(ctx); err != nil {
		return err
	}
	sum, _, err := checksum(ctx, d.part())
	if err != nil {
		return err
	}
	now.Checksum = sum
	if d.meta != nil {
		now.Meta = d.meta.SHA256
	}
	// The state of the old file must not be taken for the new one's if we die between the two renames.
	if err := os.Remove(statePath(d.path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return disk("replace", d.path, err)
	}
	if err := os.Rename(d.part(), d.path); err != nil {
		return disk("finish", d.path, err)
	}
	_ = os.Remove(statePath(d.part())) // without its part it says nothing
	return saveState(d.path, now)
}

// verify unpacks the part file once: a truncated or damaged one, a page for people in its place, a bomb and a wrong
// checksum all show here, before anybody uses it.
func (d *download) verify(ctx context.Context) error {
	s := stored{name: plainName(d.path), path: d.part(), meta: d.meta}
	r, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	if parts, many := r.(Parts); many {
		return d.verifyParts(parts)
	}
	zipped := r.(*verifier).zipped // by gzip
	body, err := Begin(File{Name: d.name}, contextReader{ctx, r})
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	if err == nil && (!zipped && strings.HasSuffix(d.name, ".gz") || strings.HasSuffix(d.name, ".zip")) {
		err = fault.Invalid("%s: what came is not compressed, so it is not the file", d.url)
	}
	if err != nil && fault.KindOf(err) == fault.KindInvalid {
		return fault.Invalid("%s: %w", d.url, err)
	}
	return err
}

// verifyParts looks at an archive's directory, which stands at its end; each of its files has a checksum of its own.
func (d *download) verifyParts(parts Parts) error {
	var bad *PartError
	if _, err := parts.Next(); err != nil && !errors.As(err, &bad) {
		return fault.Invalid("%s: no file in the archive that can be read: %w", d.url, err)
	}
	return nil
}

func (d *download) dropPart() {
	_ = os.Remove(d.part()) // one that stays is verified again, and refused again
	_ = os.Remove(statePath(d.part()))
}

func statePath(path string) string { return path + ".state.json" }

// loadState returns what is remembered of a file, the zero state when the file is gone or no longer what it was.
func (d *download) loadState(path string) state {
	var s state
	b, err := os.ReadFile(statePath(path))
	if err != nil || json.Unmarshal(b, &s) != nil {
		return state{}
	}
	if s.Checksum != "" {
		if sum, _, err := checksum(context.Background(), path); err != nil || sum != s.Checksum {
			return state{}
		}
	}
	return s
}

// saveState writes beside and renames, so that a state is whole or absent.
func saveState(path string, s state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temp := statePath(path) + ".new"
	if err := os.WriteFile(temp, b, 0o600); err != nil {
		return disk("write", temp, err)
	}
	if err := os.Rename(temp, statePath(path)); err != nil {
		return disk("write", statePath(path), err)
	}
	return nil
}
