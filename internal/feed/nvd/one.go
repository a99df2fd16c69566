package nvd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
)

const (
	answerAge  = 24 * time.Hour
	maxAnswers = 5_000
	maxAnswer  = 32 << 20
)

// One returns NVD's record of one CVE, as the page of its API that Reader reads. An answer of the last 24 hours is
// given again without asking. A CVE that NVD does not have is fault.NotFound; a limit that NVD keeps in spite of ours, and
// whatever the network did, is fault.Unavailable. Safe for concurrent use where Dir is set.
func (a *API) One(ctx context.Context, client feed.Doer, id cve.ID) ([]byte, error) {
	if raw := a.answer(ctx, id); raw != nil {
		return raw, nil
	}
	if err := a.pace(ctx, a.wait); err != nil {
		return nil, err
	}
	raw, err := a.ask(ctx, client, id)
	if err != nil {
		return nil, err
	}
	if err := check(ctx, id, raw); err != nil {
		return nil, err
	}
	return raw, a.keep(id, raw)
}

func (a *API) wait(ctx context.Context, d time.Duration) error {
	return (&feed.Fetcher{Sleep: a.Sleep}).Wait(ctx, d)
}

func (a *API) ask(ctx context.Context, client feed.Doer, id cve.ID) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url()+"?cveId="+id.String(), nil)
	if err != nil {
		return nil, fault.Invalid("the NVD API's URL: %w", err)
	}
	if a.Key != "" {
		req.Header.Set("apiKey", a.Key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := refusal(id, resp); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fault.Unavailable("read the NVD API's answer on %s: %w", id, err)
	case len(raw) > maxAnswer:
		return nil, fault.Invalid("the NVD API's answer on %s has more than %d bytes", id, maxAnswer)
	}
	return raw, nil
}

// refusal says what NVD means by a status. It names a wrong key in a header, with 404.
func refusal(id cve.ID, resp *http.Response) error {
	switch status := resp.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound && strings.Contains(strings.ToLower(resp.Header.Get("message")), "apikey"):
		return fault.Denied("NVD does not accept the API key; check the one in the configuration")
	case status == http.StatusNotFound:
		return fault.NotFound("NVD has no %s", id)
	case status == http.StatusForbidden || status == http.StatusTooManyRequests:
		return fault.Unavailable("NVD answers %d: too many requests from this address; try again in half a minute, "+
			"or set an API key, which allows ten times as many", status)
	default:
		return fault.Unavailable("NVD answers %d %s; try again later", status, http.StatusText(status))
	}
}

// wanted is a sink for one record.
type wanted struct {
	feed.Nothing
	id    cve.ID
	found bool
	why   string // it was rejected
}

func (w *wanted) CVE(r *cve.Record) error { w.found = w.found || r.ID == w.id; return nil }
func (w *wanted) Reject(_, reason string) { w.why = reason }

// check reads an answer as it will be read later.
func check(ctx context.Context, id cve.ID, raw []byte) error {
	w := wanted{id: id}
	err := Reader{}.Read(ctx, feed.File{Feed: "nvd", Name: "NVD's answer on " + id.String()}, bytes.NewReader(raw), &w)
	switch {
	case err != nil:
		return err
	case w.found:
		return nil
	case w.why != "":
		return fault.Invalid("NVD's record of %s cannot be used: %s", id, w.why)
	default:
		return fault.NotFound("NVD has no %s", id)
	}
}

func (a *API) answers() string { return filepath.Join(a.Dir, "one") }

// answer is what was asked within the last day; nil if nothing that can be used.
func (a *API) answer(ctx context.Context, id cve.ID) []byte {
	if a.Dir == "" {
		return nil
	}
	path := filepath.Join(a.answers(), id.String()+".json")
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	age := a.now().Sub(info.ModTime())
	if age >= answerAge || age < -time.Minute || info.Size() > maxAnswer { // from the future: a clock was set back
		return nil
	}
	raw, err := os.ReadFile(path)
	if err != nil || check(ctx, id, raw) != nil {
		return nil
	}
	return raw
}

// keep stores an answer beside the others, which stay few. The file's time is when it was asked.
func (a *API) keep(id cve.ID, raw []byte) error {
	if a.Dir == "" {
		return nil
	}
	if err := a.store(filepath.Join(a.answers(), id.String()+".json"), raw); err != nil {
		return fault.Unavailable("keep NVD's answer on %s: %w", id, err)
	}
	return nil
}

func (a *API) store(path string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".answer-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(raw)
	err = errors.Join(err, temp.Close(), os.Chtimes(temp.Name(), a.now(), a.now()))
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return prune(filepath.Dir(path))
}

// prune takes the oldest answers away when there are too many.
func prune(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= maxAnswers {
		return err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else another process took it away
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, info := range files[:max(0, len(files)-maxAnswers)] {
		if err := os.Remove(filepath.Join(dir, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
