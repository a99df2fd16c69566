// Package nvd reads the National Vulnerability Database's CVE records, from its yearly JSON 2.0 files and from the pages
// of its API, which share one shape. It never judges a record: what NVD says is passed on as it stands.
package nvd

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// Limits on one record. The largest that NVD published until 2026, CVE-2016-1409, has 4,891 matches in 0.7 MB;
// CVE-2018-12207 has 1,520 nodes, and nobody has more than 302 references.
const (
	maxRecord     = 32 << 20
	maxMatches    = 200_000
	maxNodes      = 20_000
	maxReferences = 5_000
	maxMetrics    = 200
	maxCWEs       = 200
	maxString     = 1 << 20
)

// Reader reads NVD files. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "nvd".
func (Reader) Feed() string { return "nvd" }

// Read streams {"vulnerabilities":[{"cve":{…}},…]} into sink.CVE. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	p := &parser{file: file.Name, sink: sink, d: jsonstream.New(body, jsonstream.Limits{String: maxString, Record: maxRecord})}
	return p.document(ctx)
}

// parser holds the state of one file and the scratch space that its records share.
type parser struct {
	file string
	sink feed.Sink
	d    *jsonstream.Decoder

	n     int    // the record's number in the file, from 1
	id    cve.ID // 0 until seen
	field string // the top-level member being read
	nodes int    // of the record so far
	leafs int    // its CPE matches so far

	matches  []cve.CPEMatch
	children []cve.Node
	refs     []cve.Reference
	metrics  []cve.Metric
	words    []string
}

func (p *parser) document(ctx context.Context) error {
	d, list := p.d, false
	d.Object()
	for d.More() {
		if string(d.Key()) != "vulnerabilities" {
			d.Skip()
			continue
		}
		list = true
		if err := p.records(ctx); err != nil {
			return err
		}
	}
	d.End()
	if err := d.Err(); err != nil {
		return p.broken(err)
	}
	if !list {
		return fault.Invalid("%s: no list of vulnerabilities in it, this is no NVD 2.0 file", p.file)
	}
	return nil
}

func (p *parser) records(ctx context.Context) error {
	d := p.d
	d.Array()
	for d.More() {
		if p.n&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p.n++
		mark := d.Record()
		rec := p.vulnerability()
		if err := d.Err(); err != nil {
			if !d.Recover(mark) {
				return p.broken(d.Err())
			}
			p.reject(err)
			continue
		}
		if err := p.sink.CVE(rec); err != nil {
			return err
		}
	}
	return nil
}

// broken is the error for the file as a whole.
func (p *parser) broken(err error) error { return jsonstream.Broken(p.file, p.n, err) }

func (p *parser) reject(err error) {
	id := ""
	if p.id != 0 {
		id = p.id.String()
	}
	p.sink.Reject(jsonstream.Rejection(p.file, p.n, id, p.field, err))
}

// begin forgets the record before.
func (p *parser) begin() {
	p.id, p.field, p.nodes, p.leafs = 0, "", 0, 0
	p.matches, p.children, p.refs = p.matches[:0], p.children[:0], p.refs[:0]
	p.metrics, p.words = p.metrics[:0], p.words[:0]
}

// vulnerability reads {"cve":{…}}.
func (p *parser) vulnerability() *cve.Record {
	p.begin()
	var rec *cve.Record
	d := p.d
	for d.Object(); d.More(); {
		if string(d.Key()) == "cve" && rec == nil {
			rec = p.record()
		} else {
			d.Skip()
		}
	}
	if rec == nil || rec.ID == 0 {
		d.Reject("record without a CVE id")
	}
	return rec
}

func (p *parser) record() *cve.Record {
	rec, d := &cve.Record{}, p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "id":
			p.field = "id"
			id, err := cve.ParseID(string(d.Bytes()))
			if err != nil {
				d.Reject("malformed CVE id")
			}
			rec.ID, p.id = id, id
		case "sourceIdentifier":
			p.field = "sourceIdentifier"
			rec.Source = d.Word()
		case "vulnStatus":
			p.field = "vulnStatus"
			rec.Status = d.Word()
		case "published":
			p.field = "published"
			rec.Published = p.time()
		case "lastModified":
			p.field = "lastModified"
			rec.Modified = p.time()
		case "descriptions":
			p.field = "descriptions"
			rec.Description = p.english()
		case "metrics":
			p.field = "metrics"
			rec.Metrics = p.allMetrics()
		case "weaknesses":
			p.field = "weaknesses"
			rec.CWEs = p.weaknesses()
		case "configurations":
			p.field = "configurations"
			rec.Configurations = p.configurations()
		case "references":
			p.field = "references"
			rec.References = p.references()
		default:
			d.Skip()
		}
	}
	if d.Err() == nil {
		p.field = "" // else it names the place of the error
	}
	return rec
}

// time reads NVD's "2024-07-01T12:37:25.431", which is UTC, also with Z or an offset as other publishers of the shape
// write it. Null and "" are the zero time.
func (p *parser) time() time.Time {
	b := p.d.Bytes()
	if len(b) == 0 {
		return time.Time{}
	}
	if t, ok := plainTime(b); ok {
		return t
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, string(b)); err == nil {
			return t.UTC()
		}
	}
	p.d.Reject("malformed time")
	return time.Time{}
}

// plainTime reads exactly "2006-01-02T15:04:05.000".
func plainTime(b []byte) (time.Time, bool) {
	const form = "0000-00-00T00:00:00.000"
	if len(b) != len(form) {
		return time.Time{}, false
	}
	for i := range len(form) {
		if form[i] == '0' && (b[i] < '0' || b[i] > '9') || form[i] != '0' && b[i] != form[i] {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	ms := int(b[20]-'0')*100 + two(21)
	t := time.Date(year, time.Month(month), day, hour, minute, second, ms*1e6, time.UTC)
	// time.Date carries 31 February over into March: such a date is none.
	return t, t.Month() == time.Month(month) && t.Day() == day && hour < 24 && minute < 60 && second < 60
}

// english reads [{"lang":"en","value":…}] and returns the first English value.
func (p *parser) english() string {
	var text string
	d := p.d
	for d.Array(); d.More(); {
		english, value := false, ""
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "lang":
				lang := d.Bytes()
				english = len(lang) >= 2 && string(lang[:2]) == "en"
			case "value":
				value = d.Text()
			default:
				d.Skip()
			}
		}
		if english && text == "" {
			text = value
		}
	}
	return text
}

func (p *parser) allMetrics() []cve.Metric {
	d := p.d
	for d.Object(); d.More(); {
		version := ""
		switch string(d.Key()) {
		case "cvssMetricV2":
			version = "2.0"
		case "cvssMetricV30":
			version = "3.0"
		case "cvssMetricV31":
			version = "3.1"
		case "cvssMetricV40":
			version = "4.0"
		default: // SSVC and what comes after it
			d.Skip()
			continue
		}
		for d.Array(); d.More(); {
			p.metric(version)
		}
	}
	return own(p.metrics)
}

func (p *parser) metric(version string) {
	m, scored, d := cve.Metric{Version: version}, false, p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "source":
			m.Source = d.Word()
		case "type":
			m.Primary = string(d.Bytes()) == "Primary"
		case "cvssData":
			scored = p.cvss(&m)
		default:
			d.Skip()
		}
	}
	if m.Score < 0 || m.Score > 10 {
		d.Reject("CVSS score outside 0 to 10")
	}
	if len(p.metrics) >= maxMetrics {
		d.Reject("too many metrics")
	}
	if !scored {
		return // neither score nor vector: nothing is known, and nothing is not 0
	}
	m.Provider = provider(m.Source)
	p.metrics = append(p.metrics, m)
}

func (p *parser) cvss(m *cve.Metric) (scored bool) {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "vectorString":
			m.Vector = d.Word()
		case "baseScore":
			m.Score, scored = d.Float()
		case "version":
			// The member's name is NVD's sorting; where the assessor's own version differs, it is the one to believe.
			switch v := d.Word(); v {
			case "2.0", "3.0", "3.1", "4.0":
				m.Version = v
			}
		default:
			d.Skip()
		}
	}
	return scored
}

// sourceADP is CISA's Authorized Data Publisher, "Vulnrichment".
const sourceADP = "134c704f-9b21-4f2e-91b3-4a467353bcc0"

func provider(source string) cve.Provider {
	switch source {
	case "nvd@nist.gov":
		return cve.ProviderNVD
	case sourceADP:
		return cve.ProviderADP
	default:
		return cve.ProviderCNA
	}
}

// weaknesses reads [{"description":[{"lang":"en","value":"CWE-79"}]}].
func (p *parser) weaknesses() []string {
	p.words = p.words[:0]
	d := p.d
	for d.Array(); d.More(); {
		for d.Object(); d.More(); {
			if string(d.Key()) != "description" {
				d.Skip()
				continue
			}
			for d.Array(); d.More(); {
				p.weakness()
			}
		}
	}
	return own(p.words)
}

func (p *parser) weakness() {
	d := p.d
	for d.Object(); d.More(); {
		if string(d.Key()) != "value" {
			d.Skip()
			continue
		}
		id := d.Word()
		if !isCWE(id) || slices.Contains(p.words, id) {
			continue
		}
		if len(p.words) >= maxCWEs {
			d.Reject("too many weaknesses")
			return
		}
		p.words = append(p.words, id)
	}
}

// isCWE tells "CWE-79" from NVD-CWE-noinfo, NVD-CWE-Other and prose.
func isCWE(id string) bool {
	if len(id) < 5 || len(id) > 10 || id[:4] != "CWE-" {
		return false
	}
	for _, c := range []byte(id[4:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func (p *parser) references() []cve.Reference {
	d := p.d
	for d.Array(); d.More(); {
		var ref cve.Reference
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "url":
				ref.URL = d.Text()
			case "tags":
				ref.Tags = p.tags()
			default:
				d.Skip()
			}
		}
		if len(p.refs) >= maxReferences {
			d.Reject("too many references")
			return nil
		}
		p.reference(ref)
	}
	return own(p.refs)
}

// reference keeps each URL once with everybody's tags: NVD repeats a URL for each source that named it.
func (p *parser) reference(ref cve.Reference) {
	if ref.URL == "" {
		return
	}
	for i := range p.refs {
		if p.refs[i].URL != ref.URL {
			continue
		}
		for _, tag := range ref.Tags {
			if !slices.Contains(p.refs[i].Tags, tag) {
				p.refs[i].Tags = append(p.refs[i].Tags, tag)
			}
		}
		return
	}
	p.refs = append(p.refs, ref)
}

func (p *parser) tags() []string {
	p.words = p.words[:0]
	d := p.d
	for d.Array(); d.More(); {
		if len(p.words) >= 50 {
			d.Reject("too many tags")
			return nil
		}
		p.words = append(p.words, d.Word())
	}
	return own(p.words)
}
