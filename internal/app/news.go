package app

import (
	"context"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// News is one of the channels that Publish writes, narrowed by what was asked. The same news have the same identity in
// both, so that a reader that moves from the files to the server shows none of them twice.
func (a *App) News(ctx context.Context, req request.News) (report.Syndication, error) {
	all := channels(PublishRequest{})
	i := slices.IndexFunc(all, func(c channel) bool { return c.name == req.Channel })
	if i < 0 {
		return report.Syndication{}, fault.NotFound("no channel %.40q: want exploited, critical or latest", req.Channel)
	}
	if req.Limit < 1 || req.Limit > maxEntries {
		return report.Syndication{}, fault.InvalidOption("limit", " %d: want 1 to %d", req.Limit, maxEntries)
	}
	c := narrowed(all[i], req)
	hits, err := a.entries(ctx, c, req.Limit)
	if err != nil {
		return report.Syndication{}, err
	}
	return a.toNews(ctx, c, hits, "")
}

func narrowed(c channel, req request.News) channel {
	var kinds, names []string
	for _, by := range []struct {
		kind, text string
		into       *string
	}{{"vendor", req.Vendor, &c.filter.Vendor}, {"product", req.Product, &c.filter.Product}, {"search", req.Search, &c.filter.Words}} {
		if text := strings.TrimSpace(by.text); text != "" {
			*by.into = text
			kinds, names = append(kinds, by.kind+":"+text), append(names, by.kind+" "+text)
		}
	}
	if len(kinds) == 0 {
		return c
	}
	if c.name != "latest" {
		kinds = append([]string{c.kind}, kinds...)
	}
	c.kind = strings.Join(kinds, " ")
	c.title += ": " + strings.Join(names, ", ")
	c.about = strings.TrimSuffix(c.about, ".") + ", of " + strings.Join(names, ", ") + "."
	return c
}
