package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// news is what this resource needs of the product.
type news interface {
	states
	News(ctx context.Context, r request.News) (report.Syndication, error)
}

type newsInput struct {
	Conditional
	Channel string `path:"channel" enum:"exploited,critical,latest" doc:"what the news are of" example:"exploited"`
	Format  string `path:"format" enum:"rss,atom" doc:"RSS 2.0 or Atom 1.0" example:"rss"`
	Vendor  string `query:"vendor" maxLength:"200" doc:"only in products of this CPE vendor" example:"openbsd"`
	Product string `query:"product" maxLength:"200" doc:"only in this CPE product" example:"openssh"`
	Search  string `query:"search" maxLength:"200" doc:"only with these words" example:"remote code execution"`
	Limit   int    `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"how many entries" example:"50"`
}

type newsAnswer struct {
	Status       int
	ContentType  string `header:"Content-Type"`
	ETag         string `header:"ETag"`
	LastModified string `header:"Last-Modified"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

// newsFormats are what each channel is written as.
var newsFormats = map[string]struct {
	kind  string
	write func(*strings.Builder, report.Syndication) error
}{
	"rss":  {"application/rss+xml; charset=utf-8", func(b *strings.Builder, n report.Syndication) error { return report.RSS(b, n) }},
	"atom": {"application/atom+xml; charset=utf-8", func(b *strings.Builder, n report.Syndication) error { return report.Atom(b, n) }},
}

func (s *Server) newsOperations() {
	for _, at := range []operation{{ID: "get-news", Path: "/feeds/{channel}.{format}"}, {ID: "get-news-short", Path: "//feeds/{channel}.{format}"}} {
		op := operation{ID: at.ID, Method: http.MethodGet, Path: at.Path, Tag: "feeds", Role: auth.Viewer, Summary: "News for feed readers",
			Description: "What is newly exploited, critical or published, as RSS or Atom: the files of the command feeds publish. It tells nothing of your hosts."}
		handle(s, op, s.news)
		for _, f := range newsFormats {
			kind, _, _ := strings.Cut(f.kind, ";")
			s.answersWith(op, http.StatusOK, kind, &huma.Schema{Type: huma.TypeString}, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>…")
		}
		s.amend(op, func(o *huma.Operation) {
			delete(o.Responses["200"].Content, "application/json")
			o.Responses["304"] = &huma.Response{Description: "what the reader has still holds"}
		})
	}
}

func (s *Server) news(ctx context.Context, d Desk, in *newsInput) (*newsAnswer, error) {
	format := newsFormats[in.Format]
	answer, err := keep(ctx, s, d, &in.Conditional, func() ([]byte, error) {
		doc, err := d.News(ctx, request.News{Channel: in.Channel, Vendor: in.Vendor, Product: in.Product, Search: in.Search, Limit: in.Limit})
		if err != nil {
			return nil, err
		}
		var text strings.Builder
		err = format.write(&text, doc)
		return []byte(text.String()), err
	})
	if err != nil {
		return nil, err
	}
	return &newsAnswer{answer.Status, format.kind, answer.ETag, answer.LastModified, answer.CacheControl, answer.Body}, nil
}
