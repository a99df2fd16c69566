package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/report"
)

// states is what conditional answers need of the product.
type states interface {
	// CatalogueState says which state of the catalogue answers show, at next to no cost.
	CatalogueState(ctx context.Context) (report.CatalogueState, error)
}

// Conditional is what a client remembers of an answer that it got before (RFC 9110 section 13). Inputs embed it.
type Conditional struct {
	IfNoneMatch     string `header:"If-None-Match" maxLength:"2000" doc:"the ETag of the answer that the client has: 304 without a body says that it still holds" example:"W/\"5f2b8c0a4e7d9131\""`
	IfModifiedSince string `header:"If-Modified-Since" maxLength:"100" doc:"the Last-Modified of the answer that the client has; If-None-Match goes before it" example:"Fri, 20 Nov 2026 08:30:00 GMT"`

	asked string // path and query
}

// Resolve implements huma.Resolver: the same answer is that to the same question.
func (c *Conditional) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	c.asked = u.Path + "?" + u.Query().Encode()
	return nil
}

// fresh is an answer that a client may keep, and ask for again on the condition that it has changed.
type fresh[T any] struct {
	Status       int
	ETag         string `header:"ETag" doc:"send it as If-None-Match to hear whether the answer still holds"`
	LastModified string `header:"Last-Modified"`
	CacheControl string `header:"Cache-Control"`
	Body         T
}

// mayKeep: only the asker's own cache may keep it, and has to ask each time whether it still holds.
const mayKeep = "private, no-cache"

// keep answers from the catalogue: with 304, before any work is done, where the client has what it would get.
func keep[T any](ctx context.Context, s *Server, d states, c *Conditional, work func() (T, error)) (*fresh[T], error) {
	state, err := d.CatalogueState(ctx)
	if err != nil {
		return nil, err
	}
	out := &fresh[T]{Status: http.StatusOK, CacheControl: mayKeep}
	// Ages, scores and the expiry of indicators follow the day.
	day := s.opts.Now().UTC().Truncate(24 * time.Hour)
	out.ETag = tagOf(s.opts.Version, state.Tag, day.Format(time.DateOnly), c.asked)
	changed := state.Changed
	if !changed.IsZero() {
		if day.After(changed) {
			changed = day
		}
		out.LastModified = changed.UTC().Format(http.TimeFormat)
	}
	if c.has(out.ETag, changed) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body, err = work()
	return out, err
}

// tagOf is a weak ETag: a proxy may pack the answer.
func tagOf(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(sum, "%d:%s", len(p), p)
	}
	return `W/"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
}

// has says whether the client has the answer of that tag and time already.
func (c *Conditional) has(tag string, changed time.Time) bool {
	if c.IfNoneMatch != "" {
		for one := range strings.SplitSeq(c.IfNoneMatch, ",") {
			if strings.TrimPrefix(strings.TrimSpace(one), "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(c.IfModifiedSince)
	return err == nil && !changed.IsZero() && !changed.Truncate(time.Second).After(since)
}

// amend changes what the document says of an operation that is registered.
func (s *Server) amend(op operation, change func(*huma.Operation)) {
	item := s.api.OpenAPI().Paths[op.path()]
	if item == nil {
		return // a hidden one
	}
	for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
		if o != nil && o.OperationID == op.ID {
			change(o)
		}
	}
}

// handleKept registers an operation whose answers are kept.
func handleKept[I, T any](s *Server, op operation, fn func(ctx context.Context, d Desk, in *I) (*fresh[T], error)) {
	handle(s, op, fn)
	s.amend(op, func(o *huma.Operation) {
		o.Responses[strconv.Itoa(http.StatusNotModified)] = &huma.Response{Description: "what the client has still holds"}
	})
}

// answersWith says in the document what an operation answers with beside or in place of JSON.
func (s *Server) answersWith(op operation, status int, kind string, schema *huma.Schema, example any) {
	s.amend(op, func(o *huma.Operation) {
		key := strconv.Itoa(status)
		if o.Responses[key] == nil {
			o.Responses[key] = &huma.Response{Description: http.StatusText(status)}
		}
		if o.Responses[key].Content == nil {
			o.Responses[key].Content = map[string]*huma.MediaType{}
		}
		o.Responses[key].Content[kind] = &huma.MediaType{Schema: schema, Example: example}
	})
}
