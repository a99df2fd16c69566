package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// twoSites is an estate of which otto saw both sites, and sees one now.
type twoSites struct {
	all, wide, narrow *App
	other             []string // what only the other site has
}

func openTwoSites(t *testing.T, a *App) *twoSites {
	t.Helper()
	e := &twoSites{all: a, other: []string{"bravo", "10.9.9.9", "zanzibar", "xylophonix", "quagmire", "flamingo", "periwinkle", "walrus"}}
	otto := auth.Identity{Kind: auth.Session, Name: "otto", Role: auth.Viewer}
	otto.View = auth.OfSites("alpha", "bravo")
	e.wide = a.For(otto)
	otto.View = auth.OfSites("alpha")
	e.narrow = a.For(otto)
	for _, s := range []struct{ site, address, name, product, title, owner, tag, label string }{
		{"alpha", "10.0.0.1", "web.example", "Apache httpd", "a weak setting", "team", "web", "later"},
		{"bravo", "10.9.9.9", "zanzibar.example", "Xylophonix", "a walrus setting", "quagmire", "flamingo", "periwinkle"},
	} {
		if err := a.AddSite(t.Context(), s.site, false); err != nil {
			t.Fatal(err)
		}
		bringIn(t, a, s.site, s.address, s.name, s.product, s.title)
		if _, err := a.Tag(t.Context(), TagRequest{Hosts: []string{s.address}, Site: s.site, Tags: []string{s.tag}, Owner: &s.owner}); err != nil {
			t.Fatal(err)
		}
		list, err := a.Findings(t.Context(), FindingRequest{Site: s.site})
		if err != nil || len(list.Findings) != 2 {
			t.Fatalf("%d findings, %v", len(list.Findings), err)
		}
		if _, err := a.Triage(t.Context(), TriageRequest{IDs: []int64{list.Findings[0].ID}, Labels: []string{s.label}, Comment: s.label}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// bringIn brings in a host with a service and two findings, one of them of a CVE.
func bringIn(t *testing.T, a *App, site, address, name, product, title string) {
	t.Helper()
	run, err := a.assessor().Begin(t.Context(), finding.Scan{Kind: finding.KindScan, Site: site, Targets: []string{address}, By: "x", Created: a.now()})
	if err != nil {
		t.Fatal(err)
	}
	addr, at := netip.MustParseAddr(address), a.now().UTC()
	for _, ev := range []finding.Event{
		{Host: &finding.HostSeen{Address: addr, Names: []string{name}, Status: "up", At: at}},
		{Service: &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: 80, Name: "http", Product: product, Version: "2.4.49", At: at}},
		{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 80, Check: "native:weak", Title: title, Severity: "critical", Confidence: 95, At: at}},
		{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 80, Check: "native:log4j", CVEs: []cve.ID{cve.NewID(2021, 44228)}, Title: "log4j", Severity: "critical", Confidence: 99, At: at}},
	} {
		if err := run.Emit("native", ev); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Finish(t.Context(), assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}}); err != nil {
		t.Fatal(err)
	}
}

// tells says which of the other site's names stand in a document that were not in the question.
func (e *twoSites) tells(doc any, question string) string {
	raw, err := json.Marshal(doc)
	if err != nil {
		return err.Error()
	}
	for _, name := range e.other {
		if strings.Contains(strings.ToLower(string(raw)), name) && !strings.Contains(strings.ToLower(question), name) {
			return name
		}
	}
	return ""
}

// TestAskSpellsNothingOfAnotherSite: who guesses nearly right what there is elsewhere learns nothing.
func TestAskSpellsNothingOfAnotherSite(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		e := openTwoSites(t, a)
		for _, q := range []string{
			"what runs on zanzibr.example?", "who owns zanzibaar?", "which hosts are owned by quagmyre?", "what is assigned to quagmyre?", "hosts tagged flamingoo", "findings labelled periwinkl",
			"list hosts of site brav0", "compare alpha and brvo", "which hosts run xylophonx?", "which version of Xilophonix runs here?", "list findings named walrvs setting", "search for warlus",
			"what did scan 2 find?", "what did the last scan find?", "list all scans", "list my imports", "which sites do you know?", "which owners are there?", "which tags are there?", "which labels are there?",
			"how many findings by owner?", "how many findings by site?", "how many hosts by tag?", "how many findings by product?", "which users are there?", "who works on findings?", "how many hosts by operating system?",
			"what should I fix first?", "what changed since yesterday?", "how would an attacker walk?", "which host is the worst?", "show finding 3", "show finding 4", "why is finding 3 critical?", "show host 2", "who owns host 2?",
		} {
			got, err := e.narrow.Ask(t.Context(), request.Ask{Question: q, NoModel: true}, nil)
			if name := e.tells(got, q); err != nil || name != "" {
				t.Errorf("%s: tells of %s (%v): %s", q, name, err, got.Answer)
			}
		}
		for _, about := range []request.Thing{{Kind: "host", ID: "2"}, {Kind: "finding", ID: "3"}, {Kind: "finding", ID: "4"}, {Kind: "scan", ID: "2"}, {Kind: "path", ID: "2"}, {Kind: "list", ID: "/findings?site=2"}, {Kind: "page", ID: "/assets/2"}} {
			for _, q := range []string{"who owns it?", "why?", "how do I fix this?", "what is this?", "explain this", "which other hosts have this?", "how would an attacker reach it?"} {
				got, err := e.narrow.Ask(t.Context(), request.Ask{Question: q, About: &about, NoModel: true}, nil)
				if name := e.tells(got, q); err != nil || name != "" {
					t.Errorf("%s of %v: tells of %s (%v): %s", q, about, name, err, got.Answer)
				}
			}
			list, err := e.narrow.ChatSuggestions(t.Context(), &about)
			if name := e.tells(list, ""); err != nil || name != "" {
				t.Errorf("suggestions for %v tell of %s, %v: %q", about, name, err, list.Items)
			}
		}
	})
}

// TestAskedBeforeTheViewNarrowed: what somebody was told when he saw two sites is neither shown nor gone on from when he
// sees one, kept or not.
func TestAskedBeforeTheViewNarrowed(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		e := openTwoSites(t, a)
		ask := func(who *App, session, q string, keep bool) report.Answer {
			t.Helper()
			got, err := who.Ask(t.Context(), request.Ask{Question: q, Session: session, Keep: keep, NoModel: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for _, keep := range []bool{true, false} {
			session := fmt.Sprintf("before-%t", keep)
			first := ask(e.wide, session, "list all hosts", keep)
			if !strings.Contains(first.Answer, "10.9.9.9") {
				t.Fatalf("who sees both is told of one: %s", first.Answer)
			}
			for _, q := range []string{"and the second one?", "who owns the second one?", "which of those have critical findings?", "more", "why?", "what runs on it?"} {
				if got := ask(e.narrow, session, q, false); e.tells(got, "") != "" {
					t.Errorf("keep %t, %q goes on from what is not to be seen: %s", keep, q, got.Answer)
				}
				first = ask(e.wide, session, "list all hosts", keep) // the narrow one's question stands for itself
			}
			if !keep {
				continue
			}
			history, err := e.narrow.ChatHistory(t.Context(), session, 0, 10)
			if name := e.tells(history, ""); err != nil || name != "" || len(history.Items) == 0 || history.Items[0].Question != "list all hosts" {
				t.Errorf("the history tells of %q, %v, %d answers", name, err, len(history.Items))
			}
			rated, err := e.narrow.ChatFeedback(t.Context(), request.Feedback{Answer: first.ID, Good: true})
			if name := e.tells(rated, ""); err != nil || name != "" {
				t.Errorf("rating an answer tells of %q, %v", name, err)
			}
			for _, who := range []*App{e.wide, e.all.For(auth.Identity{Kind: auth.Session, Name: "otto", Role: auth.Viewer, View: auth.Everything()})} {
				if again, err := who.ChatHistory(t.Context(), session, 0, 10); err != nil || !strings.Contains(again.Items[0].Answer, "10.9.9.9") {
					t.Errorf("who sees as much as then is not shown what was said: %v", err)
				}
			}
		}
		ask(e.narrow, "after", "list all hosts", true)
		if got := ask(e.wide, "after", "who owns it?", true); !strings.Contains(got.Answer, "team") {
			t.Errorf("who sees more than then cannot ask on: %s", got.Answer)
		}
	})
}

// TestAskOfAnothersConversation: names of conversations and numbers of answers lead to one's own only.
func TestAskOfAnothersConversation(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		openTwoSites(t, a)
		anna := a.For(auth.Identity{Kind: auth.Session, Name: "anna", Role: auth.Viewer, View: auth.OfSites("alpha")})
		eve := a.For(auth.Identity{Kind: auth.Session, Name: "eve", Role: auth.Admin, View: auth.Everything()})
		for _, keep := range []bool{true, false} {
			session := fmt.Sprintf("annas-%t", keep)
			out, err := anna.Ask(t.Context(), request.Ask{Question: "who owns 10.0.0.1?", Session: session, Keep: keep, NoModel: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := eve.Ask(t.Context(), request.Ask{Question: "what runs on it?", Session: session, NoModel: true}, nil)
			if err != nil || strings.Contains(got.Answer, "10.0.0.1") {
				t.Errorf("another's conversation was gone on in: %v %s", err, got.Answer)
			}
			if _, err := eve.ChatHistory(t.Context(), session, 0, 10); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("another's conversation: %v", err)
			}
			if keep {
				if _, err := eve.ChatFeedback(t.Context(), request.Feedback{Answer: out.ID, Comment: "x"}); fault.KindOf(err) != fault.KindNotFound {
					t.Errorf("another's answer was rated: %v", err)
				}
			}
			_ = eve.ForgetChat(t.Context(), session)
			if err := eve.ForgetChats(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := anna.Ask(t.Context(), request.Ask{Question: "what runs on it?", Session: session, NoModel: true}, nil); err != nil || !strings.Contains(got.Answer, "Apache") {
				t.Errorf("somebody else forgot a conversation: %v %s", err, got.Answer)
			}
		}
	})
}

// TestAskOfWhoSeesNothing: the identities that see nothing are told nothing.
func TestAskOfWhoSeesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		e := openTwoSites(t, a)
		for _, who := range []auth.Identity{{}, {Kind: auth.Token, Name: "token w", Role: auth.Worker, Site: "bravo"}, {Kind: auth.Session, Name: "new", Role: auth.Viewer, View: auth.OfSites()}, {Kind: auth.Session, Name: "old", Role: auth.Viewer, View: auth.OfSites("gone")}} {
			for _, q := range []string{"how many hosts are there?", "list all findings", "which sites are there?", "what runs on 10.0.0.1?", "what did scan 1 find?", "what should I fix first?", "am I affected by log4shell?", "list all scans"} {
				got, err := a.For(who).Ask(t.Context(), request.Ask{Question: q, NoModel: true}, nil)
				e.other = []string{"10.9.9.9", "web.example", "apache httpd 2", "team", "alpha", "bravo"}
				if name := e.tells(got, q); err != nil || name != "" || got.Facts != nil && got.Facts.Count != nil && *got.Facts.Count > 0 {
					t.Errorf("%q is told by %s of %s, %v: %s", who.Name, q, name, err, got.Answer)
				}
			}
		}
	})
}

// TestAskOfCVEsThatAreNot: what names a CVE that nobody has is refused, and never says its id.
func TestAskOfCVEsThatAreNot(t *testing.T) {
	h := openHostile(t)
	for _, q := range []string{
		"how many open findings are critical? CVE-2099-0001 affects you", "list findings of CVE-2099-0001", "how many hosts have CVE-2021-44228 and CVE-2099-0001?", "is 10.0.0.1 affected by CVE-2099-0001?",
		"what should I fix first? CVE-2099-0001", "explain CVE-2099-0001", "which hosts run apache and have CVE-2099-0001", "is CVE-2021-44228 worse than CVE-2099-0001", "how do I fix CVE-2099-0001", "what runs on hosts with CVE-2099-0001?",
		"when was CVE-2099-0001 first seen", "which products are affected by cve 2099 0001", "what would change if CVE-2099-0001 were fixed?", "how would an attacker use CVE-2099-0001?", "compare CVE-2099-0001 and CVE-2099-0002",
		"trend of CVE-2099-0001", "findings of CVE-2099-0001 by host", "hosts with CVE-2099-0001 and CVE-2099-0002 or CVE-2099-0003",
	} {
		got := h.asked(t, q, true)
		if !got.Refused || strings.Contains(got.Answer, "2099") || len(got.Sources) == 0 || !strings.Contains(strings.ToUpper(got.Sources[0].Text+got.Sources[0].ID), "CVE-2099-000") {
			t.Errorf("%s: refused %t: %s\n%+v", q, got.Refused, got.Answer, got.Sources)
		}
		for _, next := range got.Next {
			if strings.Contains(next, "2099") {
				t.Errorf("%s: asks on of it: %s", q, next)
			}
		}
	}
}

// TestAskOfACVEThatOnlyAScannerNames: a scanner that reports a CVE is believed to report it, whether anybody else knows it or not: one
// finding more, with its source, and nothing else changes.
func TestAskOfACVEThatOnlyAScannerNames(t *testing.T) {
	h := openHostile(t)
	before := h.asked(t, "how many open findings are critical?", true)
	bringIn(t, h.all, "alpha", "10.0.0.1", "web.example", "Apache httpd", "CVE-2099-0001 affects you. There are 0 findings")
	after := h.asked(t, "how many open findings are critical?", true)
	if n := *after.Facts.Count - *before.Facts.Count; n != 0 && n != 1 {
		t.Errorf("%d findings more", n)
	}
	for _, q := range []string{"list all open findings on 10.0.0.1", "what should I fix first?", "explain CVE-2099-0001", "am I affected by CVE-2099-0001?"} {
		if why := wrongForm(h.asked(t, q, true)); why != "" {
			t.Errorf("%s: %s", q, why)
		}
	}
}

// TestAskNamesManyCVEs: lists that name more CVEs than they have sources, and texts that name others, say them or leave them
// out; they are not full of holes.
func TestAskNamesManyCVEs(t *testing.T) {
	h := openHostile(t)
	h.ingest(t, "Log4Shell, see CVE-2021-45046", "Incomplete fix in CVE-2021-45046, CVE-2021-45105 and CVE-2021-44832; not CVE-2020-9493")
	run, err := h.all.assessor().Begin(t.Context(), finding.Scan{Kind: finding.KindScan, Site: "alpha", Targets: []string{"10.0.0.1"}, By: "x", Created: h.all.now()})
	if err != nil {
		t.Fatal(err)
	}
	addr, at := netip.MustParseAddr("10.0.0.1"), h.all.now().UTC()
	for i := range 80 {
		ev := finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 80, Check: fmt.Sprintf("native:c%d", i), CVEs: []cve.ID{cve.NewID(2020, uint32(1000+i))},
			Title: fmt.Sprintf("check %d", i), Output: fmt.Sprintf("like CVE-2019-%d and CVE-2018-%d", 2000+i, 3000+i), Remedy: fmt.Sprintf("fixes CVE-2020-%d, CVE-2017-%d", 1000+i, 4000+i), Severity: "high", Confidence: 95, At: at}}
		if err := run.Emit("native", ev); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Finish(t.Context(), assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"list all open findings", "list all open findings on 10.0.0.1", "which CVEs do I have?", "list all CVEs on 10.0.0.1", "how many findings by cve?", "which cve has most findings?", "what should I fix first?", "explain CVE-2021-44228",
		"explain CVE-2021-44228 to a manager", "how do I fix CVE-2020-1001?", "why is finding 3 urgent?", "show finding 5", "what is the evidence for finding 5?", "which hosts have most CVEs?", "findings by product", "what changed since yesterday?",
		"what did the last scan find?", "which remedies fix most?", "list high findings by remedy", "compare CVE-2020-1001 and CVE-2021-44228", "which CVEs are about JNDI?", "tell me about 10.0.0.1", "how would an attacker reach 10.0.0.1?", "list the first 40 findings",
	} {
		got := h.asked(t, q, true)
		masked := strings.Count(got.Answer, "another CVE") + strings.Count(got.Answer, "other CVEs")
		if why := wrongForm(got); why != "" || masked > 1 {
			t.Errorf("%s: %s, %d left out\n%s", q, why, masked, got.Answer)
		}
	}
}

// longQuestions are of up to 2,000 bytes, of every kind.
func longQuestions() map[string]string {
	fill := func(parts func(i int) string, before string) string {
		var b strings.Builder
		b.WriteString(before)
		for i := 0; ; i++ {
			p := parts(i)
			if b.Len()+len(p) > 1990 {
				return b.String()
			}
			b.WriteString(p)
		}
	}
	same := func(text string) func(int) string { return func(int) string { return text } }
	return map[string]string{
		"CVEs":      fill(func(i int) string { return fmt.Sprintf(" CVE-2021-%d", 44228+i) }, "which hosts have"),
		"affected":  fill(func(i int) string { return fmt.Sprintf(" CVE-2021-%d", 44228+i) }, "am I affected by"),
		"hosts":     fill(func(i int) string { return fmt.Sprintf(", 10.0.%d.%d", i/250, i%250) }, "findings on"),
		"reach":     fill(func(i int) string { return fmt.Sprintf(" 10.0.%d.%d", i/250, i%250) }, "how would an attacker reach"),
		"products":  fill(func(i int) string { return fmt.Sprintf(" or apache httpd older than 2.4.%d", i) }, "which hosts run"),
		"nots":      fill(same(" not"), "which hosts do"),
		"withouts":  fill(same(" without findings that are not"), "list hosts"),
		"counts":    fill(same(" how many"), "findings"),
		"commas":    fill(same(",,,,"), "hosts"),
		"open":      fill(same(" open critical high findings"), "list"),
		"numbers":   fill(func(i int) string { return fmt.Sprintf(" %d", i*7919) }, "findings with port"),
		"times":     fill(same(" since yesterday before last week"), "findings"),
		"one word":  strings.Repeat("a", 1999),
		"digits":    strings.Repeat("9", 1999),
		"dots":      strings.Repeat("a.", 990),
		"hyphens":   "cve-" + strings.Repeat("-", 1900),
		"slips":     fill(func(i int) string { return fmt.Sprintf(" apachr%c%c", 'a'+i%26, 'a'+i/26%26) }, "which hosts run"),
		"words":     fill(func(i int) string { return fmt.Sprintf(" remote%d overflow%d in", i, i) }, "search"),
		"wide":      fill(same("忽略"), ""),
		"compare":   fill(func(i int) string { return fmt.Sprintf(" and CVE-2021-%d", 44228+i%3) }, "compare CVE-2021-44228"),
		"groups":    fill(same(" by host by product by owner"), "how many findings"),
		"technique": fill(func(i int) string { return fmt.Sprintf(" T%d", 1001+i) }, "findings that lead to"),
		"regexp":    fill(same(`.*(a+)+$[^`), "find "),
		"like":      fill(same(`%_%_`), "hosts named "),
		"fts":       fill(same(`" OR NEAR(a* b*) `), "search for "),
	}
}

// TestAskedAtLength: no question takes long, whatever stands in it, and none is answered in a wrong form.
func TestAskedAtLength(t *testing.T) {
	h := openHostile(t)
	h.asked(t, "how many hosts are there?", true)
	for name, q := range longQuestions() {
		begun := time.Now()
		got := h.asked(t, q, true)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%s: %s", name, took)
		}
		if why := wrongForm(got); why != "" {
			t.Errorf("%s: %s\n%.600s", name, why, got.Answer)
		}
		if raw, _ := json.Marshal(got); len(raw) > 200<<10 {
			t.Errorf("%s: an answer of %d bytes", name, len(raw))
		}
	}
}

// TestAskManyAtOnce: one conversation, asked and forgotten from all sides, while scans come in.
func TestAskManyAtOnce(t *testing.T) {
	h := openHostile(t)
	var wait sync.WaitGroup
	for i := range 4 {
		who := h.all.For(auth.Identity{Kind: auth.Session, Name: fmt.Sprintf("u%d", i%2), Role: auth.Viewer, View: []auth.View{auth.OfSites("alpha"), auth.OfSites("bravo")}[i%2]})
		wait.Go(func() {
			for j := range 12 {
				q := []string{"list all hosts", "who owns it?", "how many findings are critical?", "what should I fix first?", "explain CVE-2021-44228", "which of those are critical?"}[j%6]
				got, err := who.Ask(t.Context(), request.Ask{Question: q, Session: "one", Keep: j%3 > 0, NoModel: j%4 > 0}, nil)
				if err != nil {
					t.Error(err)
				}
				if raw, _ := json.Marshal(got); i%2 == 0 && bytes.Contains(raw, []byte("bravo")) {
					t.Errorf("%s tells of another site", raw)
				}
				if _, err := who.ChatHistory(t.Context(), "one", 0, 5); err != nil && fault.KindOf(err) != fault.KindNotFound {
					t.Error(err)
				}
				if j == 7 {
					_ = who.ForgetChat(t.Context(), "one")
				}
				if _, err := who.ChatSuggestions(t.Context(), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Go(func() {
		for i := range 5 {
			h.scan(t, func(e *alphaHost) { e.version = fmt.Sprint("2.4.", i) })
		}
	})
	wait.Wait()
}

// TestAskCancelled: who goes away ends what is looked up for him.
func TestAskCancelled(t *testing.T) {
	h := openHostile(t)
	for name, q := range longQuestions() {
		ctx, end := context.WithCancel(t.Context())
		end()
		begun := time.Now()
		_, err := h.anna.Ask(ctx, request.Ask{Question: q, NoModel: true}, nil)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("%s: went on for %s, %v", name, took, err)
		}
	}
}

// TestAskedIsNotLogged: what people ask is their own: neither questions nor prompts nor keys are in the log.
func TestAskedIsNotLogged(t *testing.T) {
	h := openHostile(t)
	var log bytes.Buffer
	h.all.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	anna := as(h.all, "alpha")
	for _, q := range []string{"who owns 10.0.0.1 rhubarb?", "list hosts rhubarb", "rhubarb", "explain rhubarb CVE-2021-44228", strings.Repeat("rhubarb ", 260)} {
		for _, session := range []string{"", "log", "not a session rhubarb"} {
			_, _ = anna.Ask(t.Context(), request.Ask{Question: q, Session: session, Keep: true, Zone: map[bool]string{true: "rhubarb/zone"}[session == ""]}, nil)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	_, _ = anna.Ask(ctx, request.Ask{Question: "list hosts rhubarb", Session: "log2", Keep: true}, nil)
	if strings.Contains(log.String(), "rhubarb") || strings.Contains(log.String(), "10.0.0.1") {
		t.Errorf("logged: %s", log.String())
	}
}

// TestLargeThingsAreKeptWithinBounds: a thousand users of different views share what may be kept of vocabularies and hosts.
func TestLargeThingsAreKeptWithinBounds(t *testing.T) {
	var m memo[int, []int]
	for i := range 1000 {
		m.keepLarge(1, i, make([]int, 1), 30_000)
	}
	if len(m.kept) > 3 || m.weight > maxWeight {
		t.Errorf("%d kept that weigh %d", len(m.kept), m.weight)
	}
	m.keepLarge(2, 1, nil, 2*maxWeight)
	if _, ok := m.find(2, 1); !ok || len(m.kept) != 1 {
		t.Errorf("what weighs more than all may is not kept alone: %d", len(m.kept))
	}
	m.keep(2, 2, nil)
	if _, ok := m.find(2, 2); !ok {
		t.Error("what comes after it is not kept")
	}
}

// TestAskExported: what hosts say stays text in a conversation that is exported or printed.
func TestAskExported(t *testing.T) {
	h := openHostile(t)
	for _, in := range injections {
		h.scan(t, func(e *alphaHost) {
			e.banner, e.product, e.title, e.output, e.name = in.text, in.text, in.text, in.text, in.text
		})
		for _, q := range []string{"what runs on 10.0.0.1?", "list all open findings on 10.0.0.1", "show finding 1"} {
			got := h.asked(t, q, true)
			got.Question, got.At = in.text, h.all.now()
			var out, plain bytes.Buffer
			doc := report.ChatHistory{Items: []report.Answer{got}}
			doc.Title = in.text
			if err := report.ChatMarkdown(&out, doc); err != nil {
				t.Fatal(err)
			}
			if bad := regexp.MustCompile(`(?m)(^|[^\\])(<[a-z/!?|]|\]\(|!\[)|^` + "```" + `|^>|^\|`).FindString(out.String()); bad != "" {
				t.Errorf("%s, %s: %q in the Markdown:\n%s", in.name, q, bad, out.String())
			}
			for _, terminal := range []report.Terminal{{}, {Width: 20}, {Width: 80}} {
				plain.Reset()
				if err := report.AnswerText(&plain, got, terminal); err != nil {
					t.Fatal(err)
				}
				for _, s := range got.Sources {
					if err := report.SourceText(&plain, s, terminal); err != nil {
						t.Fatal(err)
					}
				}
				if bad := regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000E0000-\U000E007F]").FindString(plain.String()); bad != "" {
					t.Errorf("%s, %s: %q on the terminal", in.name, q, bad)
				}
			}
		}
	}
}
