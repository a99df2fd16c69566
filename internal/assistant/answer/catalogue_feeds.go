package answer

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// indicatorFeeds are the lists of indicators.
var indicatorFeeds = []string{"urlhaus", "threatfox", "feodo", "malwarebazaar"}

// indicators answers whether addresses, domains, URLs and hashes are known as bad.
func (k *desk) indicators(ctx context.Context) (bool, error) {
	k.values()
	var loaded, titles []string
	records := 0
	feeds, err := k.Desk.FeedStatus(ctx)
	if err != nil {
		return false, err
	}
	for _, f := range feeds.Feeds {
		if slices.Contains(indicatorFeeds, f.Feed) && f.LastGood != nil {
			loaded, titles = append(loaded, f.Feed), append(titles, report.FeedTitle(f.Feed)+" (loaded "+f.LastGood.UTC().Format(time.DateOnly)+")")
			records += f.Records
		}
	}
	k.d.Link, k.d.Command = "/threats?tab=indicators", k.lookup()
	if len(loaded) == 0 {
		k.data(indicatorFeeds...)
		k.refuse("no list of indicators was ever loaded", "Load them with `patchscout feeds sync --feed urlhaus,threatfox,feodo,malwarebazaar`.", "feeds of indicators",
			k.d.Cite(feedSource("urlhaus", "URLhaus, ThreatFox, Feodo Tracker and MalwareBazaar were never loaded.")))
		return true, nil
	}
	k.data(loaded...)
	list := report.Source{Kind: "list", ID: "threats?tab=indicators", Title: "Indicators", URL: "/threats?tab=indicators", API: "/api/v1/indicators",
		Text: report.Plural(records, "indicator", "indicators") + " of " + and(titles) + "."}
	if len(k.Values) == 0 {
		if done, err := k.indicatorKind(ctx, list); done || err != nil {
			return done, err
		}
		k.d.Facts.Count = numbered(records)
		k.d.Say([]int{k.d.Cite(list)}, "There are %s, from %s.", boldNumber(records, "indicator", "indicators"), and(titles))
		return true, nil
	}
	answers, err := k.Desk.LookUpAll(ctx, k.Values)
	if err != nil {
		return false, err
	}
	for i, a := range answers.Answers {
		yes := a.Found && !a.Expired
		if i == 0 {
			k.d.Facts.Yes, k.d.Facts.Count = truth(yes), numbered(len(a.Indicators))
		}
		value := "**" + quoted(a.Value, 120) + "**"
		switch {
		case a.Error != "":
			k.d.Facts.Yes = nil
			k.d.Say([]int{k.d.Cite(list)}, "%s is no address, domain, URL or hash that can be looked up.", value)
		case a.Found:
			word := "Yes: " + value + " is listed as bad."
			if a.Expired {
				word = "No, not any more: " + value + " was listed, but the entries have expired."
			}
			var cites []int
			for _, x := range a.Indicators[:min(len(a.Indicators), 3)] {
				cites = append(cites, k.d.Cite(indicatorSource(x)))
			}
			k.d.Say(cites, "%s", word)
			for j, x := range a.Indicators[:min(len(a.Indicators), 3)] {
				k.d.Item(cites[j:j+1], "%s", quoted(x.Sentence(), 240))
				k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "indicator", ID: x.Value, Name: x.Value, Value: report.Text(x.Source)})
			}
		case len(a.URLs) > 0:
			n := k.d.Cite(indicatorSource(a.URLs[0]))
			k.d.Facts.Yes = truth(true)
			if len(a.URLs) == 1 {
				k.d.Say([]int{n}, "Yes: not %s itself, but **1** URL that leads to it is listed as bad.", value)
				continue
			}
			k.d.Say([]int{n}, "Yes: not %s itself, but %s that lead to it are listed as bad.", value, boldNumber(len(a.URLs), "URL", "URLs"))
		default:
			k.d.Say([]int{k.d.Cite(list)}, "No: %s is not among the %s of %s. That does not say that it is good.", value, boldNumber(records, "indicator", "indicators"), and(titles))
		}
	}
	if answers.Note != "" {
		k.d.Missing = append(k.d.Missing, string(answers.Note))
		k.d.Say(nil, "%s", quoted(string(answers.Note), 240))
	}
	return true, nil
}

// indicatorWords tell of which kind indicators are asked for.
var indicatorWords = []struct {
	kind, one, many string
	words           *regexp.Regexp
}{
	{"url", "malicious URL", "malicious URLs", regexp.MustCompile(`(?i)\b(?:urls?|links?)\b`)},
	{"ip", "malicious address", "malicious addresses", regexp.MustCompile(`(?i)\b(?:ips?|addresses|ip addresses)\b`)},
	{"domain", "malicious domain", "malicious domains", regexp.MustCompile(`(?i)\b(?:domains?|hostnames?)\b`)},
	{"hash", "malicious hash", "malicious hashes", regexp.MustCompile(`(?i)\b(?:hash(?:es)?|checksums?|md5s?|sha256s?|files?)\b`)},
}

// indicatorKind counts indicators of the kind or source that the question names; false: it names none.
func (k *desk) indicatorKind(ctx context.Context, list report.Source) (bool, error) {
	f := catalogue.IndicatorFilter{}
	one, many := "indicator", "indicators"
	for _, w := range indicatorWords {
		if w.words.MatchString(k.Text) {
			f.Kind, one, many = w.kind, w.one, w.many
			break
		}
	}
	for _, feed := range k.Question.Feeds {
		if slices.Contains(indicatorFeeds, feed) {
			f.Source = feed
		}
	}
	if f.Kind == "" && f.Source == "" {
		return false, nil
	}
	n, err := k.Desk.IndicatorCount(ctx, f)
	if err != nil {
		return false, err
	}
	link := "/threats?tab=indicators"
	of := ""
	if f.Kind != "" {
		link += "&kind=" + f.Kind
	}
	if f.Source != "" {
		link, of = link+"&source="+f.Source, " of "+report.FeedTitle(f.Source)
	}
	list.ID, list.URL = strings.TrimPrefix(link, "/"), link
	list.Text = report.Plural(n, one, many) + of + "."
	k.d.Facts.Count, k.d.Link, k.d.Command = numbered(n), link, ""
	k.d.Say([]int{k.d.Cite(list)}, "%s known%s.", boldNumber(n, one+" is", many+" are"), of)
	return true, nil
}

// looksLike is what may be an indicator, in a question that nothing else explains.
var looksLike = regexp.MustCompile(`(?i)\bhttps?://\S+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b[0-9a-f]{32,64}\b|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b`)

// lookup is the command that looks the values up.
func (k *desk) lookup() string {
	var shown []string
	for _, v := range k.Values {
		if plainValue.MatchString(v) {
			shown = append(shown, v)
		}
	}
	if len(shown) == 0 {
		return ""
	}
	return "patchscout ioc lookup " + strings.Join(shown, " ")
}

// plainValue needs no quotes on a command line.
var plainValue = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:/._%+-]*$`)

// values are what is looked up: addresses may have been read as hosts.
func (k *desk) values() {
	if len(k.Values) > 0 {
		return
	}
	for _, h := range k.Hosts {
		if h.Kind == "address" || h.Kind == "name" || h.Kind == "" {
			k.Values = append(k.Values, h.Text)
		}
	}
	if len(k.Values) == 0 {
		k.Values = looksLike.FindAllString(k.Text, 10)
	}
}

func indicatorSource(x report.Indicator) report.Source {
	return report.Source{Kind: "indicator", ID: quoted(x.Value, 200), Title: quoted(x.Value, 120), Text: quoted(x.Sentence(), 300), URL: "/threats?tab=indicators",
		From: report.Text(report.FeedTitle(x.Source)), At: x.LastSeen}
}

// feeds answers about the publishers' data: its age, its last runs, how much there is.
func (k *desk) feeds(ctx context.Context) (bool, error) {
	status, err := k.Desk.FeedStatus(ctx)
	if err != nil {
		return false, err
	}
	k.d.Link, k.d.Command = "/threats?tab=feeds", "patchscout feeds status"
	if k.Attribute == understand.Records && len(k.Question.Feeds) == 0 || k.Measure == understand.Count && len(k.Question.Feeds) == 0 && k.Status == "" {
		return true, k.howMuch(status)
	}
	var some []report.FeedState
	for _, f := range status.Feeds {
		switch {
		case len(k.Question.Feeds) > 0 && !slices.Contains(k.Question.Feeds, f.Feed):
		case len(k.Question.Feeds) == 0 && !f.Enabled && f.LastGood == nil && f.Starter.IsZero():
		case k.wantsFeed(f):
			some = append(some, f)
		}
	}
	switch {
	case len(k.Question.Feeds) == 1 && len(some) == 1:
		return true, k.oneFeed(ctx, some[0])
	case len(k.Question.Feeds) == 0 && k.Measure == understand.Whether && k.Status == "":
		return true, k.howCurrent(status.Feeds)
	}
	var cites []int
	stale := 0
	var oldest *report.FeedState
	for i := range some {
		f := &some[i]
		cites = append(cites, k.d.Cite(feedSource(f.Feed, feedText(*f, k.Now))))
		if f.Stale {
			stale++
		}
		if at := feedDate(*f); !at.IsZero() && (oldest == nil || at.Before(feedDate(*oldest))) {
			oldest = f
		}
	}
	k.d.Facts.Count = numbered(len(some))
	switch {
	case len(some) == 0:
		k.d.Facts.Yes = truth(false)
		k.d.Say([]int{k.d.Cite(feedSource("all", "All feeds were looked at."))}, "No feed is %s.", map[bool]string{true: quoted(k.Status, 30), false: "known by that name"}[k.Status != ""])
		return true, nil
	case k.Status != "":
		k.d.Facts.Yes = truth(true)
		k.d.Say(cites[:1], "%s %s:", boldNumber(len(some), "feed is", "feeds are"), quoted(k.Status, 30))
	case oldest != nil:
		k.d.Say([]int{k.d.Cite(feedSource(oldest.Feed, feedText(*oldest, k.Now)))}, "The oldest data is **%s**'s, %s; %s stale.",
			report.FeedTitle(oldest.Feed), report.Age(k.Now.Sub(feedDate(*oldest))), sentenceCount(stale, "feed is", "feeds are"))
	default:
		k.d.Say(cites, "No feed was ever loaded. Load them with `patchscout feeds sync`.")
	}
	for i, f := range some[:min(len(some), manyItems)] {
		line, _, failed := strings.Cut(feedText(f, k.Now), "; the last run failed")
		if failed {
			line += "; the last run failed"
		}
		if len(k.Question.Feeds) > 0 || k.Status != "" || k.Attribute == understand.Errors {
			line = feedText(f, k.Now)
		}
		k.d.Item(cites[i:i+1], "%s", line)
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "feed", ID: f.Feed, Name: report.FeedTitle(f.Feed), Count: numbered(f.Records)})
	}
	return true, nil
}

// wantsFeed says whether a feed has the state that is asked for.
func (k *desk) wantsFeed(f report.FeedState) bool {
	switch k.Status {
	case "stale", "old", "outdated":
		return f.Stale
	case "failed", "failing", "error":
		return f.Status == "failed"
	case "never", "missing":
		return f.LastGood == nil
	}
	return k.Attribute != understand.Errors || f.Error != "" || f.Status == "failed" || len(k.Question.Feeds) > 0
}

func feedDate(f report.FeedState) time.Time {
	if f.LastGood != nil {
		return *f.LastGood
	}
	return f.Starter.Time
}

func feedText(f report.FeedState, now time.Time) string {
	title := report.FeedTitle(f.Feed)
	at := feedDate(f)
	if at.IsZero() {
		return title + ": never loaded"
	}
	text := fmt.Sprintf("%s: %s, loaded %s (%s)", title, report.Plural(f.Records, "record", "records"), at.UTC().Format("2006-01-02 15:04"), report.Age(now.Sub(at)))
	if f.LastGood == nil {
		text = fmt.Sprintf("%s: %s of the starter catalogue of %s", title, report.Plural(f.Records, "record", "records"), dayText(f.Starter))
	}
	if !f.Newest.IsZero() {
		text += ", the newest of " + dayText(f.Newest)
	}
	if f.Stale {
		text += ", stale"
	}
	if f.Error != "" {
		text += "; the last run failed: " + quoted(string(f.Error), 160)
	}
	return text
}

// oneFeed says of one feed what is asked.
func (k *desk) oneFeed(ctx context.Context, f report.FeedState) error {
	title := report.FeedTitle(f.Feed)
	n := k.d.Cite(feedSource(f.Feed, feedText(f, k.Now)))
	k.data(f.Feed)
	k.d.Command = "patchscout feeds runs " + f.Feed
	at := feedDate(f)
	switch {
	case k.Attribute == understand.Errors:
		if f.Error == "" {
			k.d.Facts.Yes, k.d.Facts.Count = truth(false), numbered(0)
			k.d.Say([]int{n}, "No: the last run of **%s** had no error.", title)
			break
		}
		k.d.Facts.Yes = truth(true)
		k.d.Say([]int{n}, "The last run of **%s** failed: %s.", title, quoted(string(f.Error), 240))
	case at.IsZero():
		k.d.Facts.Yes = truth(false)
		k.refuse(title+" was never loaded", "Load it with `patchscout feeds sync --feed "+f.Feed+"`.", "feed "+f.Feed, n)
		return nil
	case k.Attribute == understand.Records || k.Measure == understand.Count:
		k.d.Facts.Count = numbered(f.Records)
		k.d.Say([]int{n}, "**%s** has %s.", title, boldNumber(f.Records, "record", "records"))
	case k.Measure == understand.Whether:
		k.d.Facts.Yes = truth(!f.Stale)
		if k.Status == "stale" || k.Status == "failed" {
			yes := f.Stale && k.Status == "stale" || f.Status == "failed" && k.Status == "failed"
			k.d.Facts.Yes = truth(yes)
			k.d.Say([]int{n}, "%s: %s.", yesText(yes), feedText(f, k.Now))
			break
		}
		k.d.Say([]int{n}, "%s: %s.", map[bool]string{true: "Yes", false: "No"}[!f.Stale], feedText(f, k.Now))
	default:
		k.d.Facts.Value = report.Text(at.UTC().Format("2006-01-02"))
		k.d.Say([]int{n}, "%s.", "**"+title+"**"+strings.TrimPrefix(feedText(f, k.Now), title))
	}
	if k.Attribute == understand.History || k.Measure == understand.List || k.Attribute == understand.Duration {
		runs, err := k.Desk.FeedRuns(ctx, f.Feed, 5)
		if err != nil {
			return err
		}
		for _, r := range runs.Runs {
			k.d.Item([]int{n}, "%s", runText(r))
		}
	}
	return nil
}

func runText(r report.FeedRun) string {
	text := r.Status
	if r.StartedAt != nil {
		text = r.StartedAt.UTC().Format("2006-01-02 15:04") + ": " + text
		if r.EndedAt != nil {
			text += " in " + r.EndedAt.Sub(*r.StartedAt).Round(time.Second).String()
		}
	}
	text += fmt.Sprintf(", %s new, %s changed, %s rejected", report.Thousands(r.Inserted), report.Thousands(r.Updated), report.Thousands(r.Rejected))
	if r.Error != "" {
		text += ": " + quoted(string(r.Error), 120)
	}
	return text
}

// howMuch says how many records there are.
func (k *desk) howMuch(status report.Feeds) error {
	n := k.d.Cite(report.Source{Kind: "list", ID: "catalogue", Title: "Catalogue", URL: "/catalogue", API: "/api/v1/catalogue",
		Text: fmt.Sprintf("%d CVEs, the newest change of %s.", status.Catalogue.Records, dayText(status.Catalogue.Newest))})
	k.d.Facts.Count = numbered(status.Catalogue.Records)
	note := ""
	if status.Catalogue.Starter {
		note = " It is the starter, which holds part of all CVEs; `patchscout feeds sync` loads the rest."
	}
	k.d.Say([]int{n}, "The catalogue holds %s.%s", boldNumber(status.Catalogue.Records, "CVE", "CVEs"), note)
	for _, f := range status.Feeds {
		if f.Records > 0 && f.Feed != "nvd" {
			k.d.Item([]int{k.d.Cite(feedSource(f.Feed, feedText(f, k.Now)))}, "%s: **%s** records", report.FeedTitle(f.Feed), report.Thousands(f.Records))
			k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "feed", ID: f.Feed, Name: report.FeedTitle(f.Feed), Count: numbered(f.Records)})
		}
	}
	k.data("nvd")
	return nil
}

// howCurrent says whether the data is up to date.
func (k *desk) howCurrent(all []report.FeedState) error {
	var stale, cites = []string{}, []int{}
	for _, f := range all {
		if f.Stale {
			stale = append(stale, report.FeedTitle(f.Feed))
			cites = append(cites, k.d.Cite(feedSource(f.Feed, feedText(f, k.Now))))
		}
	}
	k.d.Facts.Yes = truth(len(stale) == 0)
	if len(stale) == 0 {
		for _, f := range all {
			if !feedDate(f).IsZero() && len(cites) < 3 {
				cites = append(cites, k.d.Cite(feedSource(f.Feed, feedText(f, k.Now))))
			}
		}
		k.d.Say(cites, "Yes: no feed that was loaded is stale.")
		return nil
	}
	k.d.Say(cites, "No: %s stale: %s. Update with `patchscout feeds sync`.", sentenceCount(len(stale), "feed is", "feeds are"), and(stale))
	return nil
}
