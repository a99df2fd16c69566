package cvelist

import (
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// The organisations whose containers mean something special (https://www.cve.org/ProgramOrganization/ADPs).
const (
	sourceCISA = "134c704f-9b21-4f2e-91b3-4a467353bcc0" // CISA-ADP, "Vulnrichment"
	nameCISA   = "CISA-ADP"
	ssvcCISA   = "cisa-adp" // as intel.SSVC names it
)

// parser reads one record after another with the same scratch space.
type parser struct {
	d     *jsonstream.Decoder
	field string // the member being read

	meta struct {
		id                 cve.ID
		state, short, org  string
		published, updated time.Time
	}
	format string // dataVersion
	cna    container
	adps   []container
	at     map[string]int // URL -> its place among the record's references
}

// container is what one organisation says of the CVE.
type container struct {
	short, org  string // of the organisation
	updated     time.Time
	title       string
	description string
	rejected    string // why the CVE was
	metrics     []cve.Metric
	rating      string // a severity in words
	cwes        []string
	references  []cve.Reference
	affected    []product
	applies     []cve.Node // cpeApplicability
	ssvc        *intel.SSVC
}

func newParser() *parser {
	return &parser{
		d:  jsonstream.New(strings.NewReader(""), jsonstream.Limits{String: maxString, Record: maxRecord}),
		at: map[string]int{},
	}
}

// read gives the record in raw to the sink or rejects it.
func (p *parser) read(place string, raw []byte, sink feed.Sink) (good bool, err error) {
	p.meta.id, p.meta.state, p.meta.short, p.meta.org = 0, "", "", ""
	p.meta.published, p.meta.updated = time.Time{}, time.Time{}
	p.field, p.format, p.cna, p.adps = "", "", container{}, p.adps[:0]
	p.d.Reset(raw)
	p.document()
	if p.d.End(); p.d.Err() == nil {
		p.field = ""
		p.check()
	}
	if err := p.d.Err(); err != nil {
		sink.Reject(jsonstream.RejectionAt(place, p.meta.id.String(), p.field, err))
		return false, nil
	}
	if err := sink.CVE(p.record()); err != nil {
		return true, err
	}
	if err := p.cna.assess(p.meta.id, sink); err != nil {
		return true, err
	}
	for i := range p.adps {
		if err := p.adps[i].assess(p.meta.id, sink); err != nil {
			return true, err
		}
	}
	return true, nil
}

// assess gives the container's SSVC to the sink, if it has one.
func (c *container) assess(id cve.ID, sink feed.Sink) error {
	if c.ssvc == nil {
		return nil
	}
	v := *c.ssvc
	v.CVE, v.Source = id, strings.ToLower(firstOf(c.short, c.org))
	if c.cisa() {
		v.Source = ssvcCISA
	}
	if v.At.IsZero() {
		v.At = c.updated
	}
	return sink.SSVC(v)
}

// document reads the members in whatever order they come.
func (p *parser) document() {
	for p.d.Object(); p.d.More(); {
		switch key := string(p.d.Key()); key {
		case "dataVersion":
			p.format = p.d.Text()
		case "cveMetadata":
			p.metadata()
		case "containers":
			p.containers()
		default:
			p.d.Skip()
		}
	}
}

// check refuses what is no record of ours; whoever reads other formats names them otherwise.
func (p *parser) check() {
	switch {
	case p.format != "" && !strings.HasPrefix(p.format, "5."):
		p.d.Reject("a format that is not 5.x")
	case p.meta.id == 0:
		p.d.Reject("record without a CVE id")
	case p.meta.state != "PUBLISHED" && p.meta.state != "REJECTED":
		p.d.Reject("state is neither PUBLISHED nor REJECTED")
	}
}

func (p *parser) metadata() {
	d := p.d
	for d.Object(); d.More(); {
		p.field = string(d.Key())
		switch p.field {
		case "cveId":
			id, err := cve.ParseID(d.Text())
			if err != nil {
				d.Reject("malformed CVE id")
			}
			p.meta.id = id
		case "state":
			p.meta.state = strings.ToUpper(d.Word())
		case "assignerShortName":
			p.meta.short = d.Word()
		case "assignerOrgId":
			p.meta.org = d.Word()
		case "datePublished":
			p.meta.published = p.time()
		case "dateUpdated":
			p.meta.updated = p.time()
		default:
			p.field = "cveMetadata" // a name of its own may be of any length
			d.Skip()
		}
	}
}

// time reads "2024-08-01T16:27:56.465Z", which without a zone is UTC as well. Null and "" are the zero time.
func (p *parser) time() time.Time {
	text := p.d.Text()
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil { // Parse takes a fraction of a second after any layout
			return t.UTC()
		}
	}
	p.d.Reject("malformed time")
	return time.Time{}
}

func (p *parser) containers() {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "cna":
			p.cna = container{}
			p.container("cna", &p.cna)
		case "adp":
			for d.Array(); d.More(); {
				if len(p.adps) >= maxMetrics {
					d.Reject("too many containers")
					break
				}
				p.adps = append(p.adps, container{})
				p.container("adp", &p.adps[len(p.adps)-1])
			}
		default:
			d.Skip()
		}
	}
}

func (p *parser) container(name string, c *container) {
	d := p.d
	for d.Object(); d.More(); {
		key := string(d.Key())
		p.field = name + " " + key
		switch key {
		case "providerMetadata":
			p.provider(c)
		case "title":
			c.title = d.Text()
		case "descriptions":
			c.description = p.english()
		case "rejectedReasons":
			c.rejected = p.english()
		case "metrics":
			for d.Array(); d.More(); {
				p.metric(c)
			}
		case "problemTypes":
			p.problemTypes(c)
		case "references":
			p.references(c)
		case "affected":
			p.affected(c)
		case "cpeApplicability":
			c.applies = (&applicability{d: d}).read()
		default:
			p.field = name // as above
			d.Skip()
		}
	}
}

func (p *parser) provider(c *container) {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "orgId":
			c.org = d.Word()
		case "shortName":
			c.short = d.Word()
		case "dateUpdated":
			c.updated = p.time()
		default:
			d.Skip()
		}
	}
}

// english reads [{"lang":"en","value":…}] and returns the first English text.
func (p *parser) english() string {
	var text string
	d := p.d
	for d.Array(); d.More(); {
		english, value := false, ""
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "lang":
				lang := d.Bytes()
				english = len(lang) >= 2 && lang[0]|0x20 == 'e' && lang[1]|0x20 == 'n'
			case "value":
				value = strings.TrimSpace(d.Text())
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

// problemTypes reads [{"descriptions":[{"cweId":"CWE-79","description":"CWE-79: …"}]}]; some give the number in the
// text only.
func (p *parser) problemTypes(c *container) {
	d := p.d
	for d.Array(); d.More(); {
		for d.Object(); d.More(); {
			if string(d.Key()) != "descriptions" {
				d.Skip()
				continue
			}
			for d.Array(); d.More(); {
				p.problemType(c)
			}
		}
	}
}

func (p *parser) problemType(c *container) {
	d := p.d
	id, text := "", ""
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "cweId":
			id = leadingCWE(d.Word())
		case "description":
			text = leadingCWE(d.Word())
		default:
			d.Skip()
		}
	}
	if id == "" {
		id = text
	}
	switch {
	case id == "" || slices.Contains(c.cwes, id):
	case len(c.cwes) >= maxCWEs:
		d.Reject("too many weaknesses")
	default:
		c.cwes = append(c.cwes, id)
	}
}

// leadingCWE takes "CWE-79" off the front of "CWE-79: Cross-site Scripting".
func leadingCWE(text string) string {
	const prefix = "CWE-"
	end := len(prefix)
	if len(text) <= end || !strings.EqualFold(text[:end], prefix) {
		return ""
	}
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	digits := strings.TrimLeft(text[len(prefix):end], "0")
	if digits == "" || len(digits) > 6 {
		return ""
	}
	return prefix + digits
}

func (p *parser) references(c *container) {
	d := p.d
	for d.Array(); d.More(); {
		var ref cve.Reference
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "url":
				ref.URL = strings.TrimSpace(d.Text())
			case "tags":
				ref.Tags = p.tags()
			default:
				d.Skip()
			}
		}
		if len(c.references) >= maxReferences {
			d.Reject("too many references")
			return
		}
		if ref.URL != "" && len(ref.URL) <= maxURL {
			c.references = append(c.references, ref)
		}
	}
}

// tagNames spells the schema's tags as NVD does, so that a reference has one set of tags whoever names it.
var tagNames = map[string]string{
	"broken-link": "Broken Link", "exploit": "Exploit", "government-resource": "US Government Resource",
	"issue-tracking": "Issue Tracking", "mailing-list": "Mailing List", "mitigation": "Mitigation",
	"not-applicable": "Not Applicable", "patch": "Patch", "permissions-required": "Permissions Required",
	"product": "Product", "related": "Related", "release-notes": "Release Notes", "signature": "Signature",
	"technical-description": "Technical Description", "third-party-advisory": "Third Party Advisory",
	"tool-signature": "Tool Signature", "vdb-entry": "VDB Entry", "vendor-advisory": "Vendor Advisory",
	"media-coverage": "Press/Media Coverage",
}

// tags reads the tags of the schema; what begins with "x_" is an assigner's own bookkeeping.
func (p *parser) tags() []string {
	var tags []string
	for p.d.Array(); p.d.More(); {
		if tag := tagNames[string(p.d.Bytes())]; tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// record puts what all containers say together: the assigner's word first, then the publishers' where it is silent.
func (p *parser) record() *cve.Record {
	r := &cve.Record{
		ID: p.meta.id, Source: firstOf(p.meta.short, p.meta.org), Published: p.meta.published, Modified: p.meta.updated,
		Title: p.cna.title, Description: firstOf(p.cna.description, p.cna.rejected), CWEs: p.cna.cwes,
	}
	if p.meta.state == "REJECTED" {
		r.Status = "Rejected"
	}
	if r.Modified.IsZero() {
		r.Modified = p.cna.updated
	}
	r.Metrics = p.cna.assessments(cve.ProviderCNA)
	r.Affected, r.Configurations = p.cna.products()
	for i := range p.adps {
		adp := &p.adps[i]
		r.Metrics = append(r.Metrics, adp.assessments(cve.ProviderADP)...)
		if len(r.CWEs) == 0 {
			r.CWEs = adp.cwes
		}
		p.complete(r, adp)
	}
	p.rate(r)
	r.References = p.allReferences()
	return r
}

// complete takes products from an ADP where the assigner names none, and rules where none could be made of its words.
func (p *parser) complete(r *cve.Record, adp *container) {
	if len(r.Affected) > 0 && len(r.Configurations) > 0 {
		return
	}
	affected, rules := adp.products()
	if len(r.Affected) == 0 {
		r.Affected = affected
	}
	if len(r.Configurations) == 0 {
		r.Configurations = rules
	}
}

// rate keeps severities in words where nobody gave a score.
func (p *parser) rate(r *cve.Record) {
	if len(r.Metrics) > 0 {
		return
	}
	for _, c := range append([]container{p.cna}, p.adps...) {
		if c.rating != "" {
			r.Ratings = append(r.Ratings, cve.Rating{Level: c.rating, Source: c.source()})
		}
	}
}

// source names the organisation as NVD does where it matters, and else by its short name.
func (c *container) source() string {
	if c.cisa() {
		return sourceCISA
	}
	return firstOf(c.short, c.org)
}

func (c *container) cisa() bool { return c.org == sourceCISA || strings.EqualFold(c.short, nameCISA) }

func (c *container) assessments(by cve.Provider) []cve.Metric {
	for i := range c.metrics {
		c.metrics[i].Provider, c.metrics[i].Source = by, c.source()
	}
	return c.metrics
}

// allReferences merges the containers' links: each URL once, with everybody's tags.
func (p *parser) allReferences() []cve.Reference {
	refs := p.cna.references
	clear(p.at)
	kept := refs[:0]
	for _, ref := range refs {
		kept = p.reference(kept, ref)
	}
	for i := range p.adps {
		for _, ref := range p.adps[i].references {
			kept = p.reference(kept, ref)
		}
	}
	return kept
}

func (p *parser) reference(refs []cve.Reference, ref cve.Reference) []cve.Reference {
	i, known := p.at[ref.URL]
	if !known {
		p.at[ref.URL] = len(refs)
		return append(refs, ref)
	}
	for _, tag := range ref.Tags {
		if !slices.Contains(refs[i].Tags, tag) {
			refs[i].Tags = append(refs[i].Tags, tag)
		}
	}
	return refs
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
