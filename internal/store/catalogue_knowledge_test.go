package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func feedsByName(ctx context.Context, s *store.Store) (map[string]catalogue.FeedStatus, error) {
	list, err := s.Catalogue().Feeds(ctx)
	out := map[string]catalogue.FeedStatus{}
	for _, f := range list {
		out[f.Feed] = f
	}
	return out, err
}

// one is a reader with one file, "f", that sends the values by a method of the sink.
func one[V any](name string, method func(feed.Sink, V) error, values ...V) *script {
	return &script{feed: name, files: map[string]func(feed.Sink) error{"f": sending(method, values...)}}
}

func sending[V any](method func(feed.Sink, V) error, values ...V) func(feed.Sink) error {
	return func(sink feed.Sink) error {
		for _, v := range values {
			if err := method(sink, v); err != nil {
				return err
			}
		}
		return nil
	}
}

// load syncs the file "f" of a script in a version that was not read before.
func load(t *testing.T, s *store.Store, sc *script, force bool) feed.Run {
	t.Helper()
	versions++
	return sync1(t, s, sc, force, sc.file("f", fmt.Sprint("version ", versions), 1))
}

var versions int // tests of this file do not run in parallel

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func exploit(source, key string, n uint32) intel.Exploit {
	return intel.Exploit{CVE: cve.NewID(2021, n), Source: source, Key: key, Title: "an exploit", Kind: "remote", Published: day}
}

func TestEachSourceOwnsItsExploits(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		edb := one("exploitdb", feed.Sink.Exploit, exploit("exploitdb", "EDB-1", 1), exploit("exploitdb", "EDB-2", 1))
		ranked := exploit("metasploit", "exploit/multi/http/x", 1)
		ranked.Rank = "excellent"
		undated := exploit("nuclei", "http/cves/2021/CVE-2021-0001.yaml", 1)
		undated.Published = time.Time{}
		wantRun(t, load(t, s, edb, false), feed.StatusOK, 2, 0, 0)
		wantRun(t, load(t, s, one("metasploit", feed.Sink.Exploit, ranked), false), feed.StatusOK, 1, 0, 0)
		wantRun(t, load(t, s, one("nuclei", feed.Sink.Exploit, undated), false), feed.StatusOK, 1, 0, 0)
		wantRun(t, load(t, s, edb, false), feed.StatusOK, 0, 0, 2)

		want := []intel.Exploit{exploit("exploitdb", "EDB-1", 1), exploit("exploitdb", "EDB-2", 1), ranked, undated}
		facts := must(s.Catalogue().Facts(t.Context(), []cve.ID{cve.NewID(2021, 1)}))(t)
		if diff := cmp.Diff(want, facts[cve.NewID(2021, 1)].Exploits); diff != "" {
			t.Errorf("exploits (-want +got):\n%s", diff)
		}
		run := load(t, s, one("metasploit", feed.Sink.Exploit, exploit("exploitdb", "EDB-9", 1)), true)
		if run.Status != feed.StatusFailed {
			t.Errorf("metasploit's reader wrote an exploit of exploitdb: %+v", run)
		}
		status := must(feedsByName(t.Context(), s))(t)
		if status["exploitdb"].Records != 2 || status["metasploit"].Records != 1 || status["nuclei"].Records != 1 {
			t.Errorf("feeds = %+v", status)
		}
	})
}

func technique(id, domain string, change ...func(*intel.Technique)) intel.Technique {
	v := intel.Technique{ID: id, Domain: domain, Name: "Name of " + id, Tactics: []string{"initial-access"}, Modified: day,
		Platforms: []string{"Linux", "Windows"}, Groups: []intel.Named{{ID: "G0007", Name: "APT28", Note: "used it"}}}
	v.Parent, _, _ = strings.Cut(id, ".")
	if v.Parent == id {
		v.Parent = ""
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

func TestTechniques(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		phishing := technique("T1566", "enterprise", func(v *intel.Technique) {
			v.Description, v.Tactics = "Sends Élaborate mails", []string{"initial-access", "lateral-movement"}
		})
		revoked := technique("T1086", "enterprise", func(v *intel.Technique) { v.Revoked, v.ReplacedBy = true, "T1059.001" })
		shell := technique("T1059.001", "enterprise", func(v *intel.Technique) { v.Platforms = []string{"Windows"} })
		all := []intel.Technique{phishing, revoked, shell, technique("T1059", "enterprise")}
		attack := one("attack", feed.Sink.Technique, all...)
		send := attack.files["f"]
		tactics := []intel.Tactic{
			{ID: "TA0001", Short: "initial-access", Domain: "enterprise", Name: "Initial Access", Order: 2},
			{ID: "TA0043", Short: "reconnaissance", Domain: "enterprise", Name: "Reconnaissance", Order: 0},
		}
		attack.files["f"] = func(sink feed.Sink) error {
			return errors.Join(send(sink), sending(feed.Sink.Tactic, tactics...)(sink))
		}
		wantRun(t, load(t, s, attack, false), feed.StatusOK, 6, 0, 0)
		wantRun(t, load(t, s, attack, false), feed.StatusOK, 0, 0, 6)
		ics := one("attack", feed.Sink.Technique, technique("T0800", "ics"))
		wantRun(t, load(t, s, ics, false), feed.StatusOK, 1, 0, 0) // and enterprise stays
		wantRun(t, load(t, s, ics, false), feed.StatusOK, 0, 0, 1)

		c := s.Catalogue()
		if diff := cmp.Diff(revoked, must(c.Technique(ctx, "t1086"))(t)); diff != "" {
			t.Errorf("a revoked technique (-want +got):\n%s", diff)
		}
		if _, err := c.Technique(ctx, "T9999"); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("unknown technique: %v, want not found", err)
		}
		for name, test := range map[string]struct {
			filter catalogue.TechniqueFilter
			want   string
		}{
			"all":                {catalogue.TechniqueFilter{}, "T0800 T1059 T1059.001 T1566"},
			"revoked ones too":   {catalogue.TechniqueFilter{Revoked: true}, "T0800 T1059 T1059.001 T1086 T1566"},
			"a domain":           {catalogue.TechniqueFilter{Domain: "ics"}, "T0800"},
			"a tactic":           {catalogue.TechniqueFilter{Tactic: "lateral-movement"}, "T1566"},
			"part of a tactic":   {catalogue.TechniqueFilter{Tactic: "lateral"}, ""},
			"a platform":         {catalogue.TechniqueFilter{Platform: "linux", Domain: "enterprise"}, "T1059 T1566"},
			"words in any order": {catalogue.TechniqueFilter{Words: "élaborate T1566 name"}, "T1566"},
			"quotes and SQL":     {catalogue.TechniqueFilter{Words: "'; DROP TABLE technique; --"}, ""},
			"wildcards are text": {catalogue.TechniqueFilter{Words: "%"}, ""},
		} {
			list, next, err := c.Techniques(ctx, test.filter)
			if got := techniqueIDs(list); err != nil || next != "" || got != test.want {
				t.Errorf("%s: %q, %q, %v; want %q", name, got, next, err, test.want)
			}
		}
		paged := ""
		for f := (catalogue.TechniqueFilter{Limit: 1}); ; {
			list, next, err := c.Techniques(ctx, f)
			if err != nil || len(list) > 1 {
				t.Fatal(len(list), err)
			}
			paged += techniqueIDs(list) + " "
			if f.After = next; next == "" {
				break
			}
		}
		if paged != "T0800 T1059 T1059.001 T1566 " {
			t.Errorf("page by page: %s", paged)
		}
		if _, _, err := c.Techniques(ctx, catalogue.TechniqueFilter{After: "x"}); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("odd cursor: %v, want invalid", err)
		}
		slices.Reverse(tactics)
		if diff := cmp.Diff(tactics, must(c.Tactics(ctx))(t)); diff != "" {
			t.Errorf("tactics (-want +got):\n%s", diff)
		}
	})
}

func techniqueIDs(list []intel.Technique) string {
	var ids []string
	for _, v := range list {
		ids = append(ids, v.ID)
	}
	return strings.Join(ids, " ")
}

func TestMappings(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		mapping := func(n uint32, technique, kind string) intel.Mapping {
			return intel.Mapping{CVE: cve.NewID(2021, n), Technique: technique, Kind: kind, Comment: "because", Source: "ctid", Date: day}
		}
		all := []intel.Mapping{mapping(1, "T1190", intel.MappingExploitation), mapping(1, "T1059", intel.MappingPrimary),
			mapping(2, "T1059.001", intel.MappingPrimary), mapping(3, "T10590", intel.MappingOther)}
		enterprise, mobile := sending(feed.Sink.Mapping, all[:3]...), sending(feed.Sink.Mapping, all[3], all[0])
		ctid := &script{feed: "ctid", files: map[string]func(feed.Sink) error{"enterprise": enterprise, "mobile": mobile}}
		wantRun(t, sync1(t, s, ctid, false, ctid.file("enterprise", "a", 1), ctid.file("mobile", "b", 1)), feed.StatusOK, 4, 0, 1)
		// One file of two that has changed does not take away what the other holds.
		wantRun(t, sync1(t, s, ctid, false, ctid.file("enterprise", "a", 1), ctid.file("mobile", "c", 1)), feed.StatusOK, 0, 0, 5)
		got := must(s.Catalogue().Mappings(ctx, "T1059"))(t)
		if diff := cmp.Diff([]intel.Mapping{all[1], all[2]}, got); diff != "" {
			t.Errorf("mappings of a technique and its sub-techniques (-want +got):\n%s", diff)
		}
		facts := must(s.Catalogue().Facts(ctx, []cve.ID{all[0].CVE}))(t)
		if diff := cmp.Diff([]intel.Mapping{all[1], all[0]}, facts[all[0].CVE].Mappings); diff != "" {
			t.Errorf("mappings of a CVE (-want +got):\n%s", diff)
		}
	})
}

// CWE's list and CAPEC's arrive in two files, in either order, together or not.
func TestWeaknessesAreJoinedFromTwoLists(t *testing.T) {
	cwe := intel.Weakness{ID: "CWE-79", Name: "Cross-site Scripting", Abstraction: "Base", Status: "Stable", Description: "Text.",
		Parents: []string{"CWE-74"}, CAPECs: []string{"CAPEC-63"}}
	capec := []intel.Weakness{{ID: "CWE-79", CAPECs: []string{"CAPEC-588"}}, {ID: "CWE-79", Techniques: []string{"T1189"}}}
	want := cwe
	want.CAPECs, want.Techniques = []string{"CAPEC-63", "CAPEC-588"}, []string{"T1189"}
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		for _, order := range []string{"cwe capec", "capec cwe", "both"} {
			s := storetest.NewSQLite(t).Open(t)
			if e.Name == "postgres" {
				s = storetest.NewPostgres(t).Open(t)
			}
			sc := &script{feed: "cwe", files: map[string]func(feed.Sink) error{
				"cwe": sending(feed.Sink.Weakness, cwe), "capec": sending(feed.Sink.Weakness, capec...)}}
			if order == "both" {
				sync1(t, s, sc, false, sc.file("capec", "a", 1), sc.file("cwe", "b", 1))
			} else {
				for _, name := range strings.Fields(order) {
					if run := sync1(t, s, sc, false, sc.file(name, name, 1)); run.Status != feed.StatusOK {
						t.Fatalf("%s: %+v", order, run)
					}
				}
			}
			got := must(s.Catalogue().Weaknesses(t.Context(), []string{"CWE-79", "CWE-1"}))(t)
			if diff := cmp.Diff(map[string]intel.Weakness{"CWE-79": want}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", order, diff)
			}
		}
	})
}

func TestNewerAssessmentStands(t *testing.T) {
	older := intel.SSVC{CVE: cve.NewID(2024, 1), Exploitation: "none", Automatable: "no", TechnicalImpact: "partial", Source: "CISA", At: day}
	newer := older
	newer.Exploitation, newer.At = "active", day.Add(time.Hour)
	twin := newer
	twin.Automatable = "yes"
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		for _, order := range [][]intel.SSVC{{older, newer, twin}, {twin, newer, older}, {newer, older, twin}} {
			err := s.Catalogue().Change(ctx, func(w catalogue.Writer) error {
				if err := w.SSVC().Delete(older.CVE); err != nil {
					return err
				}
				for _, v := range order {
					if err := w.SSVC().Put(v); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			facts := must(s.Catalogue().Facts(ctx, []cve.ID{older.CVE}))(t)
			if got := facts[older.CVE].SSVC; got == nil || *got != twin {
				t.Errorf("after %v: %+v", order, got)
			}
		}
	})
}

func indicator(kind, value string, seen time.Time, change ...func(*intel.Indicator)) intel.Indicator {
	v := intel.Indicator{Kind: kind, Value: value, Threat: "malware_download", Malware: "Mozi", Confidence: 75, Source: "urlhaus",
		Status: intel.IndicatorOnline, FirstSeen: seen, LastSeen: seen, Expires: seen.AddDate(0, 0, 30), Tags: []string{"elf", "32-bit"}}
	for _, c := range change {
		c(&v)
	}
	return v
}

func TestIndicatorsOutliveTheirWindow(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		first := indicator(intel.IndicatorURL, "http://198.51.100.7/bin.sh", day)
		other := indicator(intel.IndicatorIP, "198.51.100.7", day, func(v *intel.Indicator) { v.Port = 8080 })
		wantRun(t, load(t, s, one("urlhaus", feed.Sink.Indicator, first, other), false), feed.StatusOK, 2, 0, 0)

		again := indicator(first.Kind, first.Value, day.AddDate(0, 0, 3), func(v *intel.Indicator) { v.Status = intel.IndicatorOffline })
		wantRun(t, load(t, s, one("urlhaus", feed.Sink.Indicator, again), false), feed.StatusOK, 0, 1, 0)
		wantRun(t, load(t, s, one("urlhaus", feed.Sink.Indicator, first), false), feed.StatusOK, 0, 0, 1) // an old file
		joined := again
		joined.FirstSeen = first.FirstSeen
		got := must(s.Catalogue().Indicators(ctx, intel.IndicatorURL, []string{first.Value, first.Value, "http://192.0.2.1/"}))(t)
		if diff := cmp.Diff(map[string][]intel.Indicator{first.Value: {joined}}, got); diff != "" {
			t.Errorf("seen twice (-want +got):\n%s", diff)
		}
		if got := must(s.Catalogue().Indicators(ctx, intel.IndicatorIP, []string{other.Value}))(t); len(got) != 1 || got[other.Value][0].Port != 8080 {
			t.Errorf("what the window no longer shows is gone: %v", got)
		}
		// What another source says of the same value stands beside it.
		fox := indicator(first.Kind, first.Value, day, func(v *intel.Indicator) { v.Source = "threatfox" })
		load(t, s, one("threatfox", feed.Sink.Indicator, fox), false)
		if got := must(s.Catalogue().Indicators(ctx, intel.IndicatorURL, []string{first.Value}))(t); len(got[first.Value]) != 2 {
			t.Errorf("two sources: %v", got)
		}
		late := indicator(intel.IndicatorURL, "http://203.0.113.1/", day.AddDate(1, 0, 0))
		wantRun(t, load(t, s, one("urlhaus", feed.Sink.Indicator, late), false), feed.StatusOK, 1, 0, 0)
		got = must(s.Catalogue().Indicators(ctx, intel.IndicatorURL, []string{first.Value}))(t)
		if len(got[first.Value]) != 1 || got[first.Value][0].Source != "threatfox" {
			t.Errorf("a year later urlhaus still says %v", got)
		}
	})
}

func TestIndicatorListsMayBeNearlyEmpty(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		feodo := one[intel.Indicator]("feodo", feed.Sink.Indicator)
		wantRun(t, load(t, s, feodo, false), feed.StatusOK, 0, 0, 0)
		if run := load(t, s, one[intel.Indicator]("urlhaus", feed.Sink.Indicator), false); run.Status != feed.StatusFailed {
			t.Errorf("an empty URLhaus: %+v", run)
		}
		bad := &script{feed: "feodo", files: map[string]func(feed.Sink) error{"f": func(sink feed.Sink) error {
			sink.Reject("ipblocklist.csv line 9", "malformed address")
			return nil
		}}}
		if run := load(t, s, bad, false); run.Status != feed.StatusFailed {
			t.Errorf("only rejects: %+v", run)
		}
		long := indicator(intel.IndicatorURL, "http://a/"+strings.Repeat("x", 5000), day)
		run := load(t, s, one("urlhaus", feed.Sink.Indicator, long, indicator(intel.IndicatorURL, "http://a/", day)), false)
		if run.Inserted != 1 || run.Rejected != 1 {
			t.Errorf("a value of 5,000 bytes: %+v", run)
		}
	})
}

func TestURLsAreFoundByTheirHost(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		urls := []string{"http://192.0.2.7/a%zz", "https://192.0.2.7:8443/b", "http://192.0.2.70/c", "ftp://[2001:db8::1]/d",
			"http://files.example/e", "http://other.files.example/f", "http://files.example.org/g"}
		var all []intel.Indicator
		for i, url := range urls {
			all = append(all, indicator(intel.IndicatorURL, url, day.Add(time.Duration(i)*time.Hour)))
		}
		for i := range 30 {
			all = append(all, indicator(intel.IndicatorURL, fmt.Sprintf("http://many.example/%d", i), day.Add(time.Duration(i)*time.Hour)))
		}
		load(t, s, one("urlhaus", feed.Sink.Indicator, all...), false)
		hosts := []string{"files.example", "192.0.2.7", "2001:db8::1", "many.example", "nowhere.example", "192.0.2.7", "x'); --\x00"}
		found := must(s.Catalogue().URLsOn(t.Context(), hosts))(t)
		got := map[string][]string{}
		for host, list := range found {
			for _, v := range list {
				got[host] = append(got[host], v.Value)
			}
		}
		if many := got["many.example"]; len(many) != 20 || many[0] != "http://many.example/29" {
			t.Errorf("of a host with 30: %q", many)
		}
		delete(got, "many.example")
		want := map[string][]string{"192.0.2.7": {urls[1], urls[0]}, "2001:db8::1": {urls[3]}, "files.example": {urls[4]}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestIndicatorList(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		var all []intel.Indicator
		for i := range 120 {
			all = append(all, indicator(intel.IndicatorURL, fmt.Sprintf("http://192.0.2.%d/a b", i), day))
		}
		all = append(all, indicator(intel.IndicatorDomain, "evil.example", day, func(v *intel.Indicator) {
			v.Malware, v.Threat, v.Expires, v.Tags = "Emotet", "botnet_cc", time.Time{}, nil
		}))
		load(t, s, one("urlhaus", feed.Sink.Indicator, all...), false)
		for name, test := range map[string]struct {
			filter catalogue.IndicatorFilter
			want   int
		}{
			"all":            {catalogue.IndicatorFilter{}, 121},
			"a kind":         {catalogue.IndicatorFilter{Kind: intel.IndicatorDomain}, 1},
			"a threat":       {catalogue.IndicatorFilter{Threat: "botnet_cc"}, 1},
			"words":          {catalogue.IndicatorFilter{Words: "EMOTET evil"}, 1},
			"a tag":          {catalogue.IndicatorFilter{Words: "32-bit"}, 120},
			"another source": {catalogue.IndicatorFilter{Source: "feodo"}, 0},
			"active then":    {catalogue.IndicatorFilter{Active: true, Now: day}, 121},
			"active now":     {catalogue.IndicatorFilter{Active: true}, 1},
			"wildcards":      {catalogue.IndicatorFilter{Words: "192_0%"}, 0},
		} {
			seen, pages := map[string]bool{}, 0
			for test.filter.Limit = 50; ; pages++ {
				page, next, err := s.Catalogue().ListIndicators(ctx, test.filter)
				if err != nil {
					t.Fatal(name, err)
				}
				for _, v := range page {
					seen[v.Value] = true
				}
				if test.filter.After = next; next == "" {
					break
				}
			}
			if len(seen) != test.want || pages > 3 {
				t.Errorf("%s: %d on %d pages, want %d", name, len(seen), pages, test.want)
			}
		}
		if _, _, err := s.Catalogue().ListIndicators(ctx, catalogue.IndicatorFilter{After: "url x"}); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("odd cursor: %v, want invalid", err)
		}
		values := make([]string, 100_000)
		for i := range values {
			values[i] = fmt.Sprintf("http://192.0.2.%d/a b", i)
		}
		if got := must(s.Catalogue().Indicators(ctx, intel.IndicatorURL, values))(t); len(got) != 120 {
			t.Errorf("100,000 values: %d known, want 120", len(got))
		}
	})
}

// Whatever the list: a file that breaks off changes nothing, an empty one neither, and one that would take away too much
// is held.
func TestListsThatFailChangeNothing(t *testing.T) {
	many := func(n int, of func(i int) func(feed.Sink) error) func(feed.Sink) error {
		return func(sink feed.Sink) error {
			for i := range n {
				if err := of(i)(sink); err != nil {
					return err
				}
			}
			return nil
		}
	}
	lists := map[string]func(i int) func(feed.Sink) error{
		"metasploit": func(i int) func(feed.Sink) error {
			return sending(feed.Sink.Exploit, exploit("metasploit", fmt.Sprint("m", i), uint32(i)))
		},
		"nuclei": func(i int) func(feed.Sink) error {
			return sending(feed.Sink.Exploit, exploit("nuclei", fmt.Sprint("n", i), uint32(i)))
		},
		"attack": func(i int) func(feed.Sink) error {
			return sending(feed.Sink.Technique, technique(fmt.Sprint("T", 1000+i), "enterprise"))
		},
		"ctid": func(i int) func(feed.Sink) error {
			return sending(feed.Sink.Mapping, intel.Mapping{CVE: cve.NewID(2021, uint32(i)), Technique: "T1190", Source: "ctid", Date: day})
		},
		"cwe": func(i int) func(feed.Sink) error {
			return sending(feed.Sink.Weakness, intel.Weakness{ID: fmt.Sprint("CWE-", i), Name: "A name"})
		},
		"epss": func(i int) func(feed.Sink) error {
			return sending(feed.Sink.EPSS, intel.EPSS{CVE: cve.NewID(2021, uint32(i)), Score: 0.5, Date: day})
		},
	}
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		for name, of := range lists {
			sc := &script{feed: name, files: map[string]func(feed.Sink) error{"f": many(100, of)}}
			wantRun(t, load(t, s, sc, false), feed.StatusOK, 100, 0, 0)
			for what, bad := range map[string]func(feed.Sink) error{
				"torn": func(sink feed.Sink) error {
					return errors.Join(many(99, of)(sink), errors.New("unexpected EOF"))
				},
				"empty":      func(feed.Sink) error { return nil },
				"three gone": many(97, of),
			} {
				sc.files["f"] = bad
				if run := load(t, s, sc, false); run.Status != feed.StatusFailed {
					t.Errorf("%s %s: %+v", name, what, run)
				}
			}
			if status := must(feedsByName(t.Context(), s))(t); status[name].Records != 100 || status[name].Status != "failed" {
				t.Errorf("%s after failures: %+v", name, status[name])
			}
			sc.files["f"] = many(98, of)
			if run := load(t, s, sc, false); run.Status != feed.StatusOK {
				t.Errorf("%s: 2 of 100 gone: %+v", name, run)
			}
			sc.files["f"] = many(10, of)
			if run := load(t, s, sc, true); run.Status != feed.StatusOK {
				t.Errorf("%s forced: %+v", name, run)
			}
			if status := must(feedsByName(t.Context(), s))(t); status[name].Records != 10 {
				t.Errorf("%s forced: %+v", name, status[name])
			}
		}
	})
}

// What is known beside the records survives a catalogue that is built anew.
func TestKnowledgeIsCarriedOver(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		load(t, s, one("attack", feed.Sink.Technique, technique("T1190", "enterprise")), false)
		load(t, s, one("urlhaus", feed.Sink.Indicator, indicator(intel.IndicatorIP, "192.0.2.1", day)), false)
		load(t, s, one("cwe", feed.Sink.Weakness, intel.Weakness{ID: "CWE-79", Name: "XSS"}), false)
		load(t, s, one("epss", feed.Sink.EPSS, intel.EPSS{CVE: log4shell().ID, Score: 0.9, Date: day}), false)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"f": send(log4shell(), regresshion())}}
		wantRun(t, load(t, s, nvd, false), feed.StatusOK, 2, 0, 0)
		c := s.Catalogue()
		_ = must(c.Technique(ctx, "T1190"))(t)
		if got := must(c.Indicators(ctx, intel.IndicatorIP, []string{"192.0.2.1"}))(t); len(got) != 1 {
			t.Errorf("indicators: %v", got)
		}
		if got := must(c.Weaknesses(ctx, []string{"CWE-79"}))(t); len(got) != 1 {
			t.Errorf("weaknesses: %v", got)
		}
		if got := must(c.EPSSHistory(ctx, log4shell().ID))(t); len(got) != 1 {
			t.Errorf("history: %v", got)
		}
	})
}

// epssDays are some days of a few CVEs that come, go, rise and stay.
func epssDays(rng *rand.Rand, days, cves int) map[int]map[cve.ID]float64 {
	out := map[int]map[cve.ID]float64{}
	for d := range days {
		scores := map[cve.ID]float64{}
		for n := range cves {
			if rng.IntN(4) > 0 {
				scores[cve.NewID(2021, uint32(n+1))] = float64(rng.IntN(3)) / 8
			}
		}
		scores[cve.NewID(2020, 1)] = 0.5 // quiet, and no day is empty
		out[d*d*7] = scores              // gaps, and the last ones are years behind the first
	}
	return out
}

func epssScript(days map[int]map[cve.ID]float64) *script {
	sc := &script{feed: "epss", files: map[string]func(feed.Sink) error{}}
	for d, scores := range days {
		sc.files[fmt.Sprint(d)] = func(sink feed.Sink) error {
			for id, score := range scores {
				e := intel.EPSS{CVE: id, Score: score, Percentile: score / 2, Date: day.AddDate(-3, 0, d), Model: fmt.Sprint("v", d/100)}
				if err := sink.EPSS(e); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return sc
}

// dump is the tables of EPSS as a Writer sees them.
func dump(t *testing.T, s *store.Store) map[string]any {
	t.Helper()
	out := map[string]any{}
	err := s.Catalogue().Change(t.Context(), func(w catalogue.Writer) error {
		h := w.EPSSHistory()
		days, err := h.Days()
		out["days"] = days
		for _, d := range days {
			scores, scoresErr := h.Scores(d.Day)
			out[fmt.Sprint("scores ", d.Day)] = scores
			err = errors.Join(err, scoresErr)
		}
		current, currentErr := h.Current()
		out["current"] = current
		return errors.Join(err, currentErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOrderOfDaysDoesNotMatter(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		rng := rand.New(rand.NewPCG(3, 5))
		days := epssDays(rng, 12, 30) // up to 847 days: the first ones are folded away
		sc := epssScript(days)
		var want map[string]any
		var wantRows string
		for round := range 6 {
			s := storetest.NewSQLite(t).Open(t)
			if e.Name == "postgres" {
				s = storetest.NewPostgres(t).Open(t)
			}
			var order []int
			for d := range days {
				order = append(order, d)
			}
			slices.Sort(order)
			if round > 0 {
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			for len(order) > 0 { // one sync or several, of one day or several
				n := 1 + rng.IntN(len(order))
				var files []feed.File
				for _, d := range order[:n] {
					files = append(files, sc.file(fmt.Sprint(d), fmt.Sprint(d), 1))
				}
				if run := sync1(t, s, sc, true, files...); run.Status != feed.StatusOK {
					t.Fatalf("%v: %+v", order[:n], run)
				}
				order = order[n:]
			}
			got, rows := dump(t, s), historyRows(t, s)
			if round == 0 {
				want, wantRows = got, rows
				checkSeries(t, s, days)
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("round %d (-in order +shuffled):\n%s", round, diff)
			}
			if diff := cmp.Diff(wantRows, rows); diff != "" {
				t.Errorf("round %d, rows (-in order +shuffled):\n%s", round, diff)
			}
		}
	})
}

// historyRows is the table itself: a row that is not needed is as wrong as one that is missing.
func historyRows(t *testing.T, s *store.Store) string {
	t.Helper()
	var b strings.Builder
	rows, err := s.Catalogue().EPSSRows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		fmt.Fprintln(&b, r.CVE, r.Day, r.Score, r.Scored)
	}
	return b.String()
}

// checkSeries compares each CVE's history with the days as they were sent, from the first that is kept.
func checkSeries(t *testing.T, s *store.Store, days map[int]map[cve.ID]float64) {
	t.Helper()
	numbers := []int{}
	for d := range days {
		numbers = append(numbers, d)
	}
	slices.Sort(numbers)
	last := day.AddDate(-3, 0, numbers[len(numbers)-1])
	cut := last.AddDate(0, 0, -730)
	cut = time.Date(cut.Year(), cut.Month(), 1, 0, 0, 0, 0, time.UTC)
	for n := range 31 {
		id := cve.NewID(2021, uint32(n))
		if n == 0 {
			id = cve.NewID(2020, 1)
		}
		var want []intel.EPSS
		for _, d := range numbers {
			score, ok := days[d][id]
			at := day.AddDate(-3, 0, d)
			if !ok || at.Before(cut) {
				continue
			}
			e := intel.EPSS{CVE: id, Score: score, Date: at, Model: fmt.Sprint("v", d/100)}
			if at.Equal(last) {
				e.Percentile = score / 2
			}
			want = append(want, e)
		}
		if diff := cmp.Diff(want, must(s.Catalogue().EPSSHistory(t.Context(), id))(t)); diff != "" {
			t.Errorf("history of %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestDayIsCorrectedByItsPublisher(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		rng := rand.New(rand.NewPCG(11, 1))
		days := epssDays(rng, 6, 20)
		corrected := epssDays(rng, 6, 20)
		s, fresh := e.Open(t), storetest.NewSQLite(t).Open(t)
		for _, load := range []struct {
			into *store.Store
			days map[int]map[cve.ID]float64
		}{{s, days}, {s, corrected}, {fresh, corrected}} {
			sc := epssScript(load.days)
			for d := range load.days {
				versions++
				if run := sync1(t, load.into, sc, true, sc.file(fmt.Sprint(d), fmt.Sprint(versions), 1)); run.Status != feed.StatusOK {
					t.Fatalf("%+v", run)
				}
			}
		}
		if diff := cmp.Diff(historyRows(t, fresh), historyRows(t, s)); diff != "" {
			t.Errorf("(-corrected days only +corrected later):\n%s", diff)
		}
		if diff := cmp.Diff(dump(t, fresh), dump(t, s)); diff != "" {
			t.Errorf("(-corrected days only +corrected later):\n%s", diff)
		}
	})
}

func TestDayOfTheFutureIsRefused(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		score := intel.EPSS{CVE: cve.NewID(2021, 1), Score: 0.1, Date: day}
		load(t, s, one("epss", feed.Sink.EPSS, score), false)
		score.Date = time.Now().AddDate(1, 0, 0)
		if run := load(t, s, one("epss", feed.Sink.EPSS, score), true); run.Status != feed.StatusFailed || !strings.Contains(run.Error, "yet to come") {
			t.Errorf("scores of next year: %+v", run)
		}
		if got := must(s.Catalogue().EPSSHistory(t.Context(), score.CVE))(t); len(got) != 1 || !got[0].Date.Equal(day) {
			t.Errorf("history = %+v", got)
		}
	})
}

func TestFeedsNameWhatWasIngested(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		err := s.Catalogue().Change(t.Context(), func(w catalogue.Writer) error {
			return w.Finish(feed.Run{Feed: "our advisories", Status: feed.StatusOK, Started: day, Finished: day})
		})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range must(s.Catalogue().Feeds(t.Context()))(t) {
			names = append(names, f.Feed)
		}
		want := "nvd cvelist kev epss exploitdb metasploit nuclei attack ctid cwe urlhaus threatfox feodo malwarebazaar our advisories"
		if got := strings.Join(names, " "); got != want {
			t.Errorf("feeds are %s, want %s", got, want)
		}
	})
}

// PostgreSQL is sent rows in batches: what is written, replaced and removed across their ends, in one transaction, must
// be what SQLite has row by row.
func TestManyRowsAreWrittenInOrder(t *testing.T) {
	const rows = 12_003
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		err := s.Catalogue().Change(t.Context(), func(w catalogue.Writer) error {
			x := w.Exploits()
			for i := range rows {
				first, second := exploit("nuclei", fmt.Sprint(i), uint32(i)), exploit("nuclei", fmt.Sprint(i), uint32(i))
				first.Title = "overwritten at once"
				second.Published = time.Time{}
				err := x.Put(first)
				if i%1000 == 0 {
					err = errors.Join(err, x.Put(second))
				}
				if i%5000 == 1 {
					err = errors.Join(err, x.Delete(catalogue.ExploitKey{CVE: first.CVE, Source: "nuclei", Key: first.Key}))
				}
				if err != nil {
					return err
				}
			}
			all, err := x.All()
			if len(all) != rows-3 {
				t.Errorf("%d rows within the transaction, want %d", len(all), rows-3)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		facts := must(s.Catalogue().Facts(t.Context(), []cve.ID{cve.NewID(2021, 11000), cve.NewID(2021, 5001), cve.NewID(2021, 12002)}))(t)
		last := facts[cve.NewID(2021, 11000)].Exploits
		if len(last) != 1 || last[0].Title != "an exploit" || !last[0].Published.IsZero() {
			t.Errorf("a row that was put twice = %+v", last)
		}
		if gone, kept := facts[cve.NewID(2021, 5001)].Exploits, facts[cve.NewID(2021, 12002)].Exploits; len(gone) != 0 || len(kept) != 1 {
			t.Errorf("a row that was removed = %+v, the last one = %+v", gone, kept)
		}
	})
}

// What people type may be anything; it finds nothing and breaks nothing.
func TestOddQuestionsFindNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		c, ctx := e.Open(t).Catalogue(), t.Context()
		for _, odd := range []string{"\x00", "\xff\xfe", "'; --", "%", "|", strings.Repeat("x", 1<<16)} {
			if _, err := c.Technique(ctx, odd); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("technique %.10q: %v, want not found", odd, err)
			}
			_, mappingErr := c.Mappings(ctx, odd)
			_, weaknessErr := c.Weaknesses(ctx, []string{odd})
			_, indicatorErr := c.Indicators(ctx, odd, []string{odd})
			_, _, techniquesErr := c.Techniques(ctx, catalogue.TechniqueFilter{Words: odd, Tactic: odd, Platform: odd, Domain: odd, After: odd + "/" + odd})
			_, _, listErr := c.ListIndicators(ctx, catalogue.IndicatorFilter{Words: odd, Kind: odd, Source: odd, Threat: odd, After: odd + " 0 1 " + odd})
			for _, err := range []error{mappingErr, weaknessErr, indicatorErr, techniquesErr, listErr} {
				if err != nil && fault.KindOf(err) != fault.KindInvalid {
					t.Errorf("%.10q: %v", odd, err)
				}
			}
		}
	})
}
