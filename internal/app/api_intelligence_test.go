package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/job/local"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// withQueue has the product of a client run what it queues.
func withQueue(c *client) *client {
	c.t.Helper()
	a := c.app
	queue := local.New(a.store.Jobs(), map[job.Kind]job.Handler{job.Import: a.importJob, job.Ingest: a.ingestJob, job.Feeds: a.feedsJob},
		local.Options{Log: slog.New(slog.DiscardHandler)})
	a.queue = queue
	if err := queue.Start(context.Background()); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := queue.Stop(ctx); err != nil {
			c.t.Error(err)
		}
	})
	return c
}

func TestTheCatalogueIsSearchedAndPaged(t *testing.T) {
	c := known(t)
	var all, page, rest report.CVEList
	c.want(200, "GET", "/api/v1/cves?query=openssh&severity=high,critical&min_cvss=7&limit=3", nil, &page)
	if len(page.Items) != 3 || page.Next == "" || page.Total != nil {
		t.Fatalf("%+v", page)
	}
	c.want(200, "GET", "/api/v1/cves?limit=10", nil, &all)
	if len(all.Items) != 10 || all.Items[0].Published.Before(all.Items[9].Published.Time) {
		t.Errorf("all, newest first: %+v", all.Items)
	}
	for _, query := range []string{"", "&vendor=apache&sort=score", "&query=path+traversal", "&query=path+traversal&sort=decision&severity=critical,high", "&kev=true"} {
		var whole report.CVEList
		c.want(200, "GET", "/api/v1/cves?limit=20&skip=0"+query, nil, &whole)
		c.want(200, "GET", "/api/v1/cves?limit=7&skip=5"+query, nil, &rest)
		if whole.Total == nil || *whole.Total < 12 || rest.Skip == nil || *rest.Skip != 5 || len(rest.Items) != 7 || rest.Items[0].ID != whole.Items[5].ID ||
			rest.Items[6].ID != whole.Items[11].ID {
			t.Errorf("skip with %q: %d of %+v", query, len(rest.Items), whole.Total)
		}
		var next report.CVEList
		c.want(200, "GET", "/api/v1/cves?limit=3&cursor="+string(rest.Next)+query, nil, &next)
		if len(next.Items) != 3 || next.Items[0].ID != whole.Items[12].ID {
			t.Errorf("after skip with %q: %+v", query, next.Items)
		}
	}
	var one report.CVE
	c.want(200, "GET", "/api/v1/cves/cve-2021-44228", nil, &one)
	if one.ID != "CVE-2021-44228" || one.KEV == nil || len(one.Explanation) == 0 || len(one.Provenance) == 0 || one.Notices == nil {
		t.Errorf("%+v", one)
	}
	c.want(404, "GET", "/api/v1/cves/CVE-1999-99999", nil, nil)
	for path, field := range map[string]string{
		"/api/v1/cves?min_cvss=11": "min_cvss", "/api/v1/cves?min_cvss=NaN": "CVSS", "/api/v1/cves?min_cvss=8&max_cvss=7": "min_cvss",
		"/api/v1/cves?published_after=yesterday": "published_after", "/api/v1/cves?severity=terrible": "severity", "/api/v1/cves?skip=-1": "skip",
		"/api/v1/cves?skip=1&cursor=x": "skip", "/api/v1/cves?cursor=nonsense": "cursor", "/api/v1/cves?cpe=nothing": "cpe", "/api/v1/cves/17": "id",
		"/api/v1/cves?sort=relevance": "sort", "/api/v1/techniques/x": "id", "/api/v1/iocs?kind=colour": "kind", "/api/v1/iocs?value=%20x%20y": "value",
		"/api/v1/iocs?cursor=x": "cursor", "/api/v1/techniques?domain=moon": "domain", "/api/v1/feeds/latest.rss?limit=0": "limit",
		"/api/v1/feeds/nothing.rss": "channel", "/api/v1/feeds/latest.txt": "format", "/api/v1/assets?cursor=0": "cursor", "/api/v1/imports/0": "id",
	} {
		if got := c.do("GET", path, nil); got.status != 422 || !strings.Contains(string(got.body), field) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func TestWhatAClientHasIsNotSentAgain(t *testing.T) {
	c := known(t)
	for _, path := range []string{"/api/v1/cves/CVE-2021-44228", "/api/v1/cves?query=log4j", "/api/v1/techniques", "/api/v1/iocs", "/feeds/exploited.rss", "/api/v1/feeds/latest.atom"} {
		first := c.do("GET", path, nil)
		tag := first.header.Get("ETag")
		if first.status != 200 || tag == "" || first.header.Get("Cache-Control") != "private, no-cache" {
			t.Fatalf("%s: %d %v", path, first.status, first.header)
		}
		again := c.do("GET", path, nil, "If-None-Match", `"other", `+tag)
		if again.status != 304 || len(again.body) != 0 || again.header.Get("ETag") != tag {
			t.Errorf("%s: %d %q", path, again.status, again.body)
		}
		if other := c.do("GET", path, nil, "If-None-Match", `"other"`); other.status != 200 {
			t.Errorf("%s: %d for somebody who has something else", path, other.status)
		}
		if limit := c.do("GET", path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"limit=1", nil, "If-None-Match", tag); limit.status == 304 {
			t.Errorf("%s: another question has the same answer", path)
		}
	}
}

func TestALoadMakesAnswersAnew(t *testing.T) {
	c := withQueue(known(t))
	const path = "/api/v1/cves/CVE-2021-44228"
	tag := c.want(200, "GET", path, nil, nil).header.Get("ETag")
	var done report.Ingest
	line := `{"cve_id":"CVE-2024-6387","description":"A race condition in the signal handler of OpenSSH's server.","cvss_score":8.1}`
	c.want(200, "POST", "/api/v1/ingest?source=acme&wait=true&filename=own.ndjson", []byte(line+"\nnonsense\n"), &done)
	if done.Run.Seen != 2 || done.Run.Rejected != 1 || len(done.Rejected) != 1 || done.Files[0] != "own.ndjson" {
		t.Fatalf("%+v", done)
	}
	fresh := c.do("GET", path, nil, "If-None-Match", tag)
	if fresh.status != 200 || fresh.header.Get("ETag") == tag || fresh.header.Get("Last-Modified") == "" {
		t.Errorf("after a load: %d, %v", fresh.status, fresh.header)
	}
	if same := c.do("GET", path, nil, "If-Modified-Since", fresh.header.Get("Last-Modified")); same.status != 304 {
		t.Errorf("by date: %d", same.status)
	}
	if old := c.do("GET", path, nil, "If-Modified-Since", "Mon, 02 Jan 2006 15:04:05 GMT"); old.status != 200 {
		t.Errorf("by an old date: %d", old.status)
	}
	var runs report.IngestionRunList
	c.want(200, "GET", "/api/v1/ingestion/runs?feed=acme&limit=1", nil, &runs)
	var run report.IngestionRun
	c.want(200, "GET", fmt.Sprintf("/api/v1/ingestion/runs/%d", runs.Runs[0].ID), nil, &run)
	if run.Feed != "acme" || run.Seen != 2 || runs.Next != nil {
		t.Errorf("%+v %+v", run, runs)
	}
	c.want(404, "GET", "/api/v1/ingestion/runs/999999", nil, nil)
	if blobs := c.blobs(); len(blobs) != 0 {
		t.Errorf("what was loaded is still kept: %v", blobs)
	}
}

// blobs lists the raw data that is kept.
func (c *client) blobs() []string {
	c.t.Helper()
	pruned, err := c.app.store.Estate().Prune(context.Background(), store.Retention{})
	if err != nil {
		c.t.Fatal(err)
	}
	return make([]string, pruned.Kept)
}

func TestIndicatorsTechniquesFeedsAndTheServerAreTold(t *testing.T) {
	c := known(t)
	var answers report.IndicatorAnswers
	c.want(200, "POST", "/api/v1/iocs/lookup", map[string]any{"values": []string{"192.0.2.1", "no indicator at all"}}, &answers)
	if len(answers.Answers) != 2 || answers.Answers[0].Found || answers.Answers[1].Error == "" || answers.Note == "" {
		t.Errorf("%+v", answers)
	}
	c.want(200, "GET", "/api/v1/iocs?kind=ip&value=192.0.2.1&active=true", nil, nil)
	c.want(200, "GET", "/api/v1/techniques?query=public&limit=2", nil, nil)
	c.want(404, "GET", "/api/v1/techniques/T1190", nil, nil) // ATT&CK was never loaded here
	var status report.Feeds
	c.want(200, "GET", "/api/v1/feeds/status", nil, &status)
	var system report.System
	c.want(200, "GET", "/api/v1/system", nil, &system)
	if system.Version != "test" || system.Engine != "sqlite" || len(status.Feeds) == 0 || !system.Catalogue.Starter || len(system.Tools) < 5 {
		t.Errorf("%+v", system)
	}
	c.want(200, "GET", "/api/v1/catalogue", nil, nil)
	var scanners report.ScannerList
	c.want(200, "GET", "/api/v1/scanners", nil, &scanners)
	if i := slices.IndexFunc(scanners.Scanners, func(s report.ScannerInfo) bool { return s.Name == "native" }); i < 0 || !scanners.Scanners[i].Available {
		t.Errorf("%+v", scanners)
	}
}

func TestLinesOfCPEsAreAnsweredInOrder(t *testing.T) {
	c := known(t)
	lines := []string{"cpe:/a:openbsd:openssh:7.2p2", "nonsense", "", strings.Repeat("x", MaxLine+1)}
	for range 1200 {
		lines = append(lines, "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*")
	}
	got := c.want(200, "POST", "/api/v1/match", map[string]any{"lines": lines}, nil)
	answers := strings.Split(strings.TrimSuffix(string(got.body), "\n"), "\n")
	if len(answers) != len(lines) || got.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%d answers, %s", len(answers), got.header.Get("Content-Type"))
	}
	schema := c.doc.Paths["/api/v1/match"].Post.Responses["200"].Content["application/x-ndjson"].Schema
	for _, i := range []int{0, 1, 2, 3, 4, len(lines) - 1} {
		for _, problem := range c.document.Check(schema, []byte(answers[i])) {
			t.Errorf("line %d: %s", i, problem)
		}
	}
	var first report.MatchAnswer
	if err := json.Unmarshal([]byte(answers[0]), &first); err != nil || len(first.CVEs) == 0 || first.CPE != lines[0] {
		t.Errorf("%+v, %v", first, err)
	}
	if !strings.Contains(answers[3], LineTooLong) || !strings.Contains(answers[len(lines)-1], "CVE-2022-22720") {
		t.Errorf("%.200s\n%.2000s", answers[3], answers[len(lines)-1])
	}
	c.want(422, "POST", "/api/v1/match", map[string]any{"lines": []string{}}, nil)
}

func TestNewsAreTheOnesOfTheFiles(t *testing.T) {
	c := known(t)
	got := c.want(200, "GET", "/feeds/exploited.rss?limit=5", nil, nil)
	var rss struct {
		Items []struct {
			GUID string `xml:"guid"`
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal(got.body, &rss); err != nil || len(rss.Items) != 5 || !strings.HasPrefix(got.header.Get("Content-Type"), "application/rss+xml") {
		t.Fatalf("%d items, %v", len(rss.Items), err)
	}
	dir := t.TempDir()
	if _, err := c.app.Publish(context.Background(), PublishRequest{Dir: dir, Limit: 5, Vendors: []string{"apache"}}); err != nil {
		t.Fatal(err)
	}
	for file, path := range map[string]string{"exploited.rss": "/api/v1/feeds/exploited.rss?limit=5", "latest.atom": "/feeds/latest.atom?limit=5"} {
		if want := read(t, dir+"/"+file); string(c.want(200, "GET", path, nil, nil).body) != want {
			t.Errorf("%s is not %s", path, file)
		}
	}
	narrow := string(c.want(200, "GET", "/feeds/latest.rss?vendor=apache&limit=5", nil, nil).body)
	for _, id := range strings.Split(read(t, dir+"/vendor-apache.rss"), "<guid ")[1:] {
		if guid, _, _ := strings.Cut(id, "</guid>"); !strings.Contains(narrow, guid) {
			t.Errorf("the same news has another identity on the server: %s", guid)
		}
	}
	if strings.Contains(narrow, "192.0.2.") || strings.Contains(narrow, "203.0.113.") {
		t.Error("news tell of hosts")
	}
}

func TestHostsAreListedTaggedJoinedAndRetired(t *testing.T) {
	c := known(t)
	var first, second report.HostPage
	c.want(200, "GET", "/api/v1/assets?limit=2", nil, &first)
	if len(first.Hosts) != 2 || first.Next == nil {
		t.Fatalf("%+v", first)
	}
	c.want(200, "GET", fmt.Sprintf("/api/v1/assets?limit=2&cursor=%s", *first.Next), nil, &second)
	if len(second.Hosts) != 2 || second.Hosts[0].ID <= first.Hosts[1].ID {
		t.Errorf("%+v", second)
	}
	id := first.Hosts[0].ID
	path := fmt.Sprintf("/api/v1/assets/%d", id)
	c.want(200, "PATCH", path, map[string]any{"tags": []string{"dmz"}, "owner": "web", "criticality": "high", "exposed": "yes"}, nil)
	var host report.HostDetail
	c.want(200, "GET", path, nil, &host)
	if host.Owner != "web" || host.Exposed == nil || !*host.Exposed || len(host.Scans) == 0 || len(host.Services) == 0 || len(host.History) < 4 {
		t.Errorf("%+v", host)
	}
	if len(host.Identifiers) == 0 || len(host.Evidence) != len(host.Services) || host.Reach.Exposed == nil || !*host.Reach.Exposed ||
		host.Reach.Why != "a person said so" || host.Own.Owner != "web" || !slices.Equal(host.Own.Tags, []string{"dmz"}) {
		t.Errorf("%+v", host)
	}
	c.want(200, "POST", "/api/v1/assets/tag", map[string]any{"hosts": []string{fmt.Sprint(id), fmt.Sprint(second.Hosts[0].ID)}, "tags": []string{"-dmz", "lab"}}, nil)
	var tagged report.HostPage
	c.want(200, "GET", "/api/v1/assets?tag=lab", nil, &tagged)
	if len(tagged.Hosts) != 2 {
		t.Errorf("%d hosts with the tag", len(tagged.Hosts))
	}
	var table report.AssetImport
	csv := "address,owner,criticality\n" + string(first.Hosts[1].Address) + ",database,critical\n198.51.100.77,nobody yet,low\nx y,z,low\n"
	c.want(200, "POST", "/api/v1/assets/import?site="+first.Hosts[1].Site+"&filename=owners.csv", []byte(csv), &table)
	if table.File != "owners.csv" || table.Records != 3 || table.Changed != 1 || table.Kept != 1 || len(table.Refused) != 1 {
		t.Errorf("%+v", table)
	}
	var ended report.Retired
	c.want(200, "POST", "/api/v1/assets/retire", map[string]any{"hosts": []string{fmt.Sprint(id)}, "preview": true}, &ended)
	c.want(200, "POST", "/api/v1/assets/merge", map[string]any{"host": fmt.Sprint(id), "other": fmt.Sprint(second.Hosts[0].ID)}, nil)
	var split report.HostNamed
	c.want(200, "POST", path+"/split", map[string]any{"place": second.Hosts[0].Address}, &split)
	if split.ID == id || split.ID == 0 {
		t.Errorf("%+v", split)
	}
	var inventory report.ServiceInventory
	if c.want(200, "GET", "/api/v1/assets/services?limit=1&site="+first.Hosts[1].Site, nil, &inventory); len(inventory.Services) != 1 {
		t.Errorf("%+v", inventory)
	}
	c.want(404, "GET", "/api/v1/assets/999999", nil, nil)
	c.want(422, "PATCH", path, map[string]any{}, nil)
	c.who.View = auth.OfSites("elsewhere")
	c.want(404, "GET", path, nil, nil)
	c.want(404, "PATCH", path, map[string]any{"owner": "x"}, nil)
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// form makes a multipart body of files and fields.
func form(t *testing.T, fields map[string]string, files ...[2]string) (body []byte, kind string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, f := range files {
		part, err := w.CreateFormFile("file", f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}

func TestAnUploadIsReadAsTheCommandReadsIt(t *testing.T) {
	c := withQueue(known(t))
	var ledgers report.Import
	got := c.want(200, "POST", "/api/v1/imports?wait=true&full=true&filename=scan.xml.gz", packed(t, nmapXML), &ledgers)
	if len(ledgers.Files) != 1 || !ledgers.Files[0].Balanced() || ledgers.Files[0].HostsUp != 1 || ledgers.Files[0].File != "scan.xml.gz" || ledgers.Files[0].Tool != "nmap" {
		t.Fatalf("%+v", ledgers)
	}
	path := got.header.Get("Location")
	var one report.Imported
	c.want(200, "GET", path, nil, &one)
	if one.Status != "completed" || one.By != "anna" || one.Ledger.ID != ledgers.Files[0].ID {
		t.Errorf("%+v", one)
	}
	raw := c.want(200, "GET", path+"/raw", nil, nil)
	if string(raw.body) != nmapXML || raw.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(raw.header.Get("Content-Type"), "text/plain") ||
		!strings.HasPrefix(raw.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %.80s", raw.header, raw.body)
	}
	var undo report.Undo
	c.want(200, "DELETE", path+"?preview=true", nil, &undo)
	if undo.Applied || undo.Undone.HostsGone != 1 {
		t.Errorf("%+v", undo)
	}
	c.want(200, "DELETE", path, nil, &undo)
	c.want(200, "GET", path, nil, &one)
	if !undo.Applied || !strings.HasPrefix(string(one.Reason), "undone by anna") {
		t.Errorf("%+v %+v", undo, one)
	}
}

func TestSeveralReportsOfOneForm(t *testing.T) {
	c := withQueue(known(t))
	other := strings.ReplaceAll(nmapXML, "192.0.2.7", "192.0.2.8")
	body, kind := form(t, map[string]string{"tool": "auto", "site": "default"}, [2]string{`..\..\one.xml`, nmapXML}, [2]string{"../../etc/two.xml", other})
	var queued report.QueuedImports
	got := c.want(202, "POST", "/api/v1/imports", body, &queued, "Content-Type", kind)
	if len(queued.Imports) != 2 || queued.Imports[0].File != "one.xml" || queued.Imports[1].File != "two.xml" || got.header.Get("Location") == "" {
		t.Fatalf("%+v", queued)
	}
	doc, err := c.app.AwaitImports(context.Background(), queued)
	if err != nil || len(doc.Files) != 2 || doc.Files[1].ID != queued.Imports[1].ID {
		t.Fatalf("%+v, %v", doc, err)
	}
	var page report.ImportPage
	c.want(200, "GET", "/api/v1/imports?limit=1", nil, &page)
	if len(page.Imports) != 1 || page.Imports[0].ID != queued.Imports[1].ID || page.Next == nil {
		t.Errorf("%+v", page)
	}
}

// nothingKept fails if an upload left anything behind.
func (c *client) nothingKept(what string) {
	c.t.Helper()
	scans, err := c.app.store.Estate().Scans(context.Background(), auth.Everything(), store.ScanFilter{Kind: finding.KindImport})
	if err != nil {
		c.t.Fatal(err)
	}
	jobs, err := c.app.store.Jobs().Jobs(context.Background(), job.Filter{})
	if err != nil {
		c.t.Fatal(err)
	}
	if n := len(c.blobs()); len(scans)+len(jobs)+n > 0 {
		c.t.Errorf("%s left %d imports, %d jobs and %d raw reports", what, len(scans), len(jobs), n)
	}
}

func TestHostileUploadsLeaveNothing(t *testing.T) {
	a := open(t)
	a.cfg.Server.MaxUploadMB = 1
	c := withQueue(serving(t, a))
	whole, kind := form(t, nil, [2]string{"a.xml", nmapXML}, [2]string{"b.xml", nmapXML})
	strange, strangeKind := form(t, map[string]string{"colour": "red"}, [2]string{"a.xml", nmapXML})
	onlyFields, fieldsKind := form(t, map[string]string{"tool": "nmap"})
	wrongSite, siteKind := form(t, map[string]string{"site": "nowhere"}, [2]string{"a.xml", nmapXML})
	big := nmapXML + strings.Repeat(" ", 2<<20)
	for name, u := range map[string]struct {
		body   []byte
		kind   string
		query  string
		status int
	}{
		"no report":               {[]byte("<html>no</html>"), "application/octet-stream", "", 422},
		"nothing":                 {[]byte{}, "application/xml", "", 422},
		"a bomb of nothing":       {packed(t, strings.Repeat("\x00", 64<<20)), "application/gzip", "", 422},
		"too large":               {[]byte(big), "application/xml", "", 413},
		"of a form without files": {onlyFields, fieldsKind, "", 422},
		"cut short":               {whole[:len(whole)-200], kind, "", 400},
		"cut in a header":         {whole[:60], kind, "", 400},
		"without its boundary":    {whole, "multipart/form-data", "", 400},
		"an unknown field":        {strange, strangeKind, "", 422},
		"no such site":            {wrongSite, siteKind, "", 422},
		"another tool":            {[]byte(nmapXML), "application/xml", "?tool=nessus", 422},
		"no such tool":            {[]byte(nmapXML), "application/xml", "?tool=hammer", 422},
		"an unknown parameter":    {[]byte(nmapXML), "application/xml", "?colour=red", 422},
		"of a browser's form":     {[]byte("a=b"), "application/x-www-form-urlencoded", "", 415},
		"a picture":               {[]byte(nmapXML), "image/png", "", 415},
		"zip":                     {[]byte("PK\x03\x04rest"), "application/zip", "", 422},
		"broken gzip":             {[]byte("\x1f\x8bnonsense"), "application/gzip", "", 422},
	} {
		if got := c.do("POST", "/api/v1/imports"+u.query, u.body, "Content-Type", u.kind); got.status != u.status {
			t.Errorf("%s: %d, want %d: %s", name, got.status, u.status, got.body)
		}
		c.nothingKept(name)
	}
	c.declared(10 << 30)
	c.nothingKept("ten gigabytes that were only said")
	c.cutShort()
	c.nothingKept("a connection that broke")
}

// declared says that a huge body comes, and expects to be told at once that it is too large.
func (c *client) declared(size int64) {
	c.t.Helper()
	conn := c.raw(fmt.Sprintf("POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n<nmaprun", size))
	defer conn.Close()
	answer := make([]byte, 64)
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, answer); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 413")) {
		c.t.Errorf("declared %d bytes: %s, %v", size, answer, err)
	}
}

// cutShort breaks the connection in the middle of a report.
func (c *client) cutShort() {
	c.t.Helper()
	conn := c.raw("POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: 5000\r\n\r\n" + nmapXML[:300])
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.CloseWrite(); err != nil {
			c.t.Fatal(err)
		}
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 400")) {
		c.t.Errorf("cut short: %.100s, %v", answer, err)
	}
	_ = conn.Close()
}

func (c *client) raw(text string) net.Conn {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.web.URL, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		c.t.Fatal(err)
	}
	return conn
}

func TestAReportThatBreaksInTheMiddleSaysSo(t *testing.T) {
	c := withQueue(known(t))
	broken := strings.Replace(nmapXML, "<ports>", "<ports><<<", 1)
	got := c.do("POST", "/api/v1/imports?wait=true&filename=broken.xml", []byte(broken))
	if got.status != 422 || !strings.Contains(string(got.body), "broken.xml") || strings.Contains(string(got.body), "would fail") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var page report.ImportPage
	c.want(200, "GET", "/api/v1/imports", nil, &page)
	if page.Imports[0].Status != "failed" || page.Imports[0].Reason == "" {
		t.Errorf("%+v", page.Imports[0])
	}
	if hosts, err := c.app.Assets(context.Background(), AssetRequest{Text: "192.0.2.7"}); err != nil || len(hosts) != 0 {
		t.Errorf("%d hosts, %v", len(hosts), err)
	}
}

func TestAnImportIsFinishedByWhoTakesItOver(t *testing.T) {
	c := known(t)
	a, ctx := c.app, context.Background()
	var queued report.QueuedImports
	c.want(202, "POST", "/api/v1/imports?filename=scan.xml", []byte(nmapXML), &queued)
	run := func() report.Ledger {
		t.Helper()
		jobs, err := a.store.Jobs().Jobs(ctx, job.Filter{IDs: []int64{queued.Imports[0].JobID}})
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		r := &job.Run{Job: jobs[0]}
		if err := a.importJob(ctx, r); err != nil {
			t.Fatal(err)
		}
		one, err := a.Imported(ctx, queued.Imports[0].ID)
		if err != nil || one.Status != "completed" {
			t.Fatalf("%+v, %v", one, err)
		}
		return one.Ledger
	}
	first := run()
	s, err := a.store.Estate().Scan(ctx, auth.Everything(), queued.Imports[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	s.Status = finding.Running // as a process that dies between the ledger and the end leaves it
	if err := a.store.Estate().UpdateScan(ctx, s); err != nil {
		t.Fatal(err)
	}
	if again := run(); again.Records != first.Records || again.Findings != first.Findings {
		t.Errorf("%+v, then %+v", first, again)
	}
}

func TestFeedsAreLoadedByAJob(t *testing.T) {
	c := known(t)
	var one, same, other report.Queued
	c.want(202, "POST", "/api/v1/feeds/sync", map[string]any{"feeds": []string{"kev", "epss"}}, &one)
	c.want(202, "POST", "/api/v1/feeds/sync", map[string]any{"feeds": []string{"epss", "kev"}}, &same)
	c.want(202, "POST", "/api/v1/feeds/sync", map[string]any{"feeds": []string{"kev"}, "force": true}, &other)
	if one.JobID != same.JobID || other.JobID == one.JobID || one.Status != "queued" {
		t.Errorf("%+v %+v %+v", one, same, other)
	}
	c.want(422, "POST", "/api/v1/feeds/sync", map[string]any{"feeds": []string{"../etc"}}, nil)
	c.want(422, "POST", "/api/v1/feeds/sync", map[string]any{"from": "https://example.org/"}, nil)
	c.who.Role = auth.Analyst
	c.want(403, "POST", "/api/v1/feeds/sync", map[string]any{}, nil)
	c.want(403, "POST", "/api/v1/ingest?source=x", []byte("{}"), nil)
}

func TestUploadsHaveExamplesAndTheirTypesInTheDocument(t *testing.T) {
	c := serving(t, open(t))
	for _, path := range []string{"/api/v1/imports", "/api/v1/ingest", "/api/v1/assets/import"} {
		body := c.doc.Paths[path].Post.RequestBody
		if body == nil || body.Content["multipart/form-data"] == nil || body.Content["application/octet-stream"] == nil {
			t.Errorf("%s takes %+v", path, body)
			continue
		}
		if file := body.Content["multipart/form-data"].Schema.Properties["file"]; file == nil || file.Type != huma.TypeArray {
			t.Errorf("%s: %+v", path, file)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	file, err := openFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnImportThatWaitsIsTakenBack(t *testing.T) {
	c := known(t)
	var queued report.QueuedImports
	c.want(202, "POST", "/api/v1/imports?filename=scan.xml", []byte(nmapXML), &queued)
	path := fmt.Sprintf("/api/v1/imports/%d", queued.Imports[0].ID)
	var one report.Imported
	c.want(200, "GET", path, nil, &one)
	if one.Status != "pending" || one.Reason != "" {
		t.Errorf("%+v", one)
	}
	c.want(404, "GET", path+"/raw", nil, nil)
	c.want(200, "DELETE", path, nil, nil)
	c.want(200, "GET", path, nil, &one)
	if one.Status != "failed" || one.Reason == "" {
		t.Errorf("%+v", one)
	}
	left, err := c.app.store.Jobs().Jobs(context.Background(), job.Filter{States: []job.State{job.Queued, job.Running}})
	if err != nil || len(left) != 0 {
		t.Errorf("%d jobs are left, %v", len(left), err)
	}
}
