package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// How many questions are suggested, how long each may take to be answered on trial, and all of them together: who opens the
// page waits for them.
const (
	mostSuggested   = 8
	fewestSuggested = 3 // about what is on the screen, before others follow
	suggestOne      = time.Second
	suggestPatience = 1500 * time.Millisecond
)

// ChatSuggestions are questions that the asker's own data gives reason for, and what is on his screen. Each of them has an
// answer: that was tried.
func (a *App) ChatSuggestions(ctx context.Context, about *request.Thing) (report.ChatSuggestions, error) {
	doc := report.ChatSuggestions{Items: []string{}}
	shown, err := thing(about)
	if err != nil {
		return doc, err
	}
	names, err := a.vocabulary(ctx)
	if err != nil {
		return doc, err
	}
	catalogue, estate, err := a.generations(ctx)
	if err != nil {
		return doc, err
	}
	key := fmt.Sprintf("%d %s %s", catalogue, a.now().UTC().Format(time.DateOnly), viewKey(a.who.View))
	if shown != nil {
		key += fmt.Sprintf(" %q %q", shown.Kind, shown.ID)
	}
	if known, ok := a.asking.suggested.find(estate, key); ok {
		doc.Items = known
		return doc, nil
	}
	asked, err := a.worthAsking(ctx, shown)
	if err != nil {
		return doc, err
	}
	var whole bool
	if doc.Items, whole = a.withAnswers(ctx, names, shown, asked); len(doc.Items) < fewestSuggested && shown != nil && whole { // of what is not there
		if asked, err = a.ofEstate(ctx); err != nil {
			return doc, err
		}
		var more []string
		more, whole = a.withAnswers(ctx, names, nil, asked)
		doc.Items = append(doc.Items, more[:min(len(more), mostSuggested-len(doc.Items))]...)
	}
	if whole {
		a.asking.suggested.keep(estate, key, doc.Items)
	}
	return doc, nil
}

// withAnswers leaves the questions that have an answer; whole is false where there was no time for all.
func (a *App) withAnswers(ctx context.Context, names nameBook, shown *understand.Thing, asked []string) (out []string, whole bool) {
	out = []string{}
	end := time.Now().Add(suggestPatience)
	for _, question := range asked {
		if len(out) == mostSuggested {
			break
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return out, false
		}
		answer, _, err := assistant.Ask(ctx, assistant.Request{
			Question: question, Context: understand.Context{About: shown}, Vocabulary: names.NameBook, Desk: a, Search: a.searcher(),
			View: a.who.View, Admin: a.who.Role.Allows(auth.Admin), Now: a.now(), Patience: suggestOne,
		}, nil)
		if err == nil && !answer.Refused && len(answer.Sources) > 0 && !slices.Contains(out, question) {
			out = append(out, question)
		}
	}
	return out, true
}

// worthAsking are the questions that might be suggested, the best first.
func (a *App) worthAsking(ctx context.Context, shown *understand.Thing) ([]string, error) {
	if shown == nil {
		return a.ofEstate(ctx)
	}
	switch shown.Kind {
	case "finding":
		return []string{"Why does this finding have its decision?", "How do I fix this finding?", "Which other hosts have this finding?", "When was this finding first seen?",
			"Is this finding known to be exploited?", "What is the evidence for this finding?"}, nil
	case "host":
		return []string{"What should I fix first on this host?", "How many open findings does this host have?", "What runs on this host?", "How would an attacker reach this host?",
			"When was this host last scanned?", "Which ports are open on this host?", "Which findings on this host are known to be exploited?"}, nil
	case "cve":
		id := shown.ID
		if _, err := cve.ParseID(id); err != nil {
			return a.ofEstate(ctx)
		}
		return []string{"Which of my hosts are affected by " + id + "?", "Is " + id + " known to be exploited?", "Explain " + id + " to a manager", "How do I fix " + id + "?",
			"What is the CVSS score of " + id + "?", "Are there public exploits for " + id + "?"}, nil
	case "scan":
		return []string{"What did scan " + shown.ID + " find?", "What changed since scan " + shown.ID + "?", "Did scan " + shown.ID + " have errors?", "How long did scan " + shown.ID + " take?"}, nil
	case "technique":
		return []string{"What is " + shown.ID + "?", "Which of my findings lead to " + shown.ID + "?", "Which CVEs lead to " + shown.ID + "?", "How can " + shown.ID + " be mitigated?"}, nil
	case "path":
		return []string{"Which fixes cut the most attack paths?", "How would an attacker reach my jewels?", "Which jewels can be reached from the internet?"}, nil
	}
	return a.ofPage(ctx, shown)
}

// ofPage are questions about a list that is on the screen, and then the usual ones.
func (a *App) ofPage(ctx context.Context, shown *understand.Thing) ([]string, error) {
	pages := map[string][]string{
		"findings":  {"How many open findings are critical?", "Which findings are overdue?", "Which product has the most findings?"},
		"assets":    {"Which host has the most findings?", "Which hosts are exposed to the internet?", "Which hosts have no owner?"},
		"catalogue": {"Which CVEs were added to KEV in the last 30 days?", "How many CVEs does the catalogue have?"},
		"scans":     {"When was the last scan?", "Which scans failed?", "What changed since the last scan?"},
		"feeds":     {"How old is the data of the feeds?", "Which feeds are stale?"},
		"paths":     {"How would an attacker reach my jewels?", "Which fixes cut the most attack paths?"},
	}
	usual, err := a.ofEstate(ctx)
	return append(slices.Clone(pages[strings.Trim(shown.ID, "/")]), usual...), err
}

// ofEstate are questions about what stands out in the asker's estate.
func (a *App) ofEstate(ctx context.Context) ([]string, error) {
	hosts, err := a.AskHosts(ctx)
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return append([]string{"Which CVEs were added to KEV in the last 30 days?", "What is log4shell?", "How do I start a scan?"}, a.ofFeeds(ctx)...), nil
	}
	out := []string{"What should I fix first?"}
	exploited, err := a.FindingPage(ctx, request.Findings{KEV: true, Sort: "first_seen:desc", Limit: 1})
	if err != nil {
		return nil, err
	}
	for _, f := range exploited.Findings {
		out = append(out, "Which of my hosts are affected by "+string(f.CVE)+"?")
	}
	out = append(out, "Which findings on "+askedName(hosts[0])+" are the most urgent?")
	if at := slices.IndexFunc(hosts, func(h report.AskHost) bool { return slices.Contains(h.Tags, "jewel") }); at >= 0 {
		out = append(out, "How would an attacker reach "+askedName(hosts[at])+"?")
	}
	overdue, err := a.FindingCounts(ctx, request.Findings{Overdue: true})
	if err != nil {
		return nil, err
	}
	if overdue.Confirmed > 0 {
		out = append(out, "Which findings are overdue?")
	}
	services, err := a.ServiceInventory(ctx, request.Inventory{Limit: 5})
	if err != nil {
		return nil, err
	}
	for _, s := range services.Services {
		if product := explain.Line(string(s.Product)); product != "" && s.Findings > 0 {
			out = append(out, "Which hosts run "+product+"?")
			break
		}
	}
	out = append(out, a.ofFeeds(ctx)...)
	return append(out, "How many open findings are critical?", "Which host has the most findings?", "What changed since the last scan?"), nil
}

// ofFeeds asks about data that is old.
func (a *App) ofFeeds(ctx context.Context) []string {
	status, err := a.FeedStatus(ctx)
	if err != nil {
		return nil // the answers will say so
	}
	for _, f := range status.Feeds {
		if f.Stale && f.LastGood != nil {
			return []string{"How old is the data of the feed " + f.Feed + "?"}
		}
	}
	return nil
}

// askedName is what a host is called in a question: its address, else its name.
func askedName(h report.AskHost) string { return explain.Line(h.Name()) }
