package report

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan"
)

// sarif reads SARIF 2.1 logs (OASIS, 2020) of any tool, with any number of runs. A record is a result.
//
// What a result is about decides what becomes of it: a package where the tool names one (scanners of images and of
// dependencies), the host of an http(s) location, else a place in code. A check without a CVE is
// "sarif:<driver>/<rule>@<file>#<mark>": the mark tells two results of a rule in one file apart and survives that lines
// move; it is made of the tool's fingerprint, else of the code it shows, else it is the line.
type sarif struct{}

// Name implements scan.Reader.
func (sarif) Name() string { return "sarif" }

// Detect implements scan.Reader.
func (sarif) Detect(head []byte) bool {
	found := outline(head)
	return strings.Contains(strings.ToLower(found["$schema"]), "sarif") ||
		has(found, "runs") && (strings.HasPrefix(found["version"], "2.") || has(found, "runs[].tool.driver") || has(found, "runs[].results[].ruleId"))
}

// Read implements scan.Reader. The log is read twice: a run's tool with its rules may stand behind its results.
func (sarif) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("sarif", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := sarifReport{o: newOut(emit), budget: maxRules}
	if err := kept.pass(ctx, "sarif", r.document); err != nil && !cut(err) {
		return err
	}
	if !r.known && kept.size > 0 {
		if err := kept.pass(ctx, "sarif", r.document); err != nil {
			return err
		}
		return fault.Invalid("not a SARIF log: it has no runs")
	}
	r.telling, r.run = true, -1
	if err := kept.pass(ctx, "sarif", r.document); err != nil {
		return err
	}
	for _, run := range r.runs {
		if run.failed {
			return fmt.Errorf("sarif %w: %.40q says that its run did not succeed", scan.ErrTruncated, run.driver)
		}
	}
	return nil
}

// maxRules is how many bytes of rules and file names are kept; results of further rules speak for themselves.
const maxRules = 24 << 20

type sarifReport struct {
	o              *out
	known, telling bool
	at             time.Time
	runs           []*sarifRun
	run            int // the one that is read
	budget         int
}

type sarifRun struct {
	driver string
	image  string
	failed bool
	rules  [][]*sarifRule // of the driver, then of each extension
	byID   map[string]*sarifRule
	files  []string // by index
}

// maxRuns bounds what is kept of runs; later ones are read without their rules.
const maxRuns = 10_000

func (r *sarifReport) document(d *jsonstream.Decoder) error {
	r.run = -1
	for d.Object(); d.More(); {
		d.Done()
		if string(d.Key()) != "runs" || d.Kind() != jsonstream.Array {
			d.Skip()
			continue
		}
		r.known = true
		for d.Array(); d.More(); {
			d.Done()
			r.run++
			if !r.telling && len(r.runs) < maxRuns {
				r.runs = append(r.runs, &sarifRun{byID: map[string]*sarifRule{}})
			}
			if err := r.readRun(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// current is the run that is read, never nil.
func (r *sarifReport) current() *sarifRun {
	if r.run < len(r.runs) {
		return r.runs[r.run]
	}
	return &sarifRun{}
}

func (r *sarifReport) readRun(d *jsonstream.Decoder) error {
	if d.Kind() != jsonstream.Object {
		d.Skip()
		return nil
	}
	run := r.current()
	for d.Object(); d.More(); {
		d.Done()
		switch key := string(d.Key()); {
		case key == "results" && r.telling:
			var result sarifResult
			if err := records(d, r.o, func() { result = readSARIF(d) }, func() error { return r.tell(run, &result) }); err != nil {
				return err
			}
		case r.telling:
			d.Skip()
		case key == "tool":
			r.readTool(d, run)
		case key == "invocations":
			elements(d, func() { r.invocation(d, run) })
		case key == "artifacts":
			elements(d, func() { r.artifact(d, run) })
		case key == "properties":
			members(d, func(key string) { set(d, key == "imageName", &run.image) })
		default:
			d.Skip()
		}
	}
	return nil
}

func (r *sarifReport) invocation(d *jsonstream.Decoder, run *sarifRun) {
	members(d, func(key string) {
		switch key {
		case "executionSuccessful":
			if !truth(d) {
				run.failed = true
			}
		case "startTimeUtc", "endTimeUtc":
			r.at = later(r.at, moment(word(d)))
		default:
			d.Skip()
		}
	})
}

func (r *sarifReport) artifact(d *jsonstream.Decoder, run *sarifRun) {
	uri := ""
	members(d, func(key string) {
		if key == "location" {
			members(d, func(key string) { set(d, key == "uri", &uri) })
		} else {
			d.Skip()
		}
	})
	if r.budget -= len(uri) + 16; r.budget > 0 {
		run.files = append(run.files, uri)
	}
}

func (r *sarifReport) readTool(d *jsonstream.Decoder, run *sarifRun) {
	members(d, func(key string) {
		switch key {
		case "driver":
			rules, name := r.component(d, run)
			run.driver = name
			run.rules = slices.Insert(run.rules, 0, rules)
		case "extensions":
			elements(d, func() {
				rules, _ := r.component(d, run)
				run.rules = append(run.rules, rules)
			})
		default:
			d.Skip()
		}
	})
}

func (r *sarifReport) component(d *jsonstream.Decoder, run *sarifRun) (rules []*sarifRule, name string) {
	members(d, func(key string) {
		switch key {
		case "name":
			name = oneLine(text(d, 80))
		case "rules":
			elements(d, func() {
				rule := readRule(d)
				if r.budget -= rule.size(); r.budget <= 0 {
					return
				}
				rules = append(rules, rule)
				if _, twice := run.byID[rule.id]; !twice {
					run.byID[rule.id] = rule
				}
			})
		default:
			d.Skip()
		}
	})
	return rules, name
}

// sarifRule is what results need of their rule.
type sarifRule struct {
	id, name, title, description, url string
	level, score, precision, vector   string
	security                          bool     // tagged so
	named, mentioned                  []cve.ID // in its id, name and properties; in its texts
	cwes                              []int
	pkg                               sarifPackage
	messages                          map[string]string
}

func (s *sarifRule) size() int {
	n := 400 + len(s.id) + len(s.name) + len(s.title) + len(s.description) + len(s.url) + 8*(len(s.named)+len(s.mentioned)+len(s.cwes))
	for id, text := range s.messages {
		n += len(id) + len(text) + 64
	}
	return n
}

func readRule(d *jsonstream.Decoder) *sarifRule {
	var s sarifRule
	var bag sarifBag
	var full, help string
	members(d, func(key string) {
		switch key {
		case "id":
			s.id = word(d)
		case "name":
			s.name = word(d)
		case "shortDescription":
			s.title = message(d, maxShort)
		case "fullDescription":
			full = message(d, 2<<10)
		case "help":
			help = message(d, 16<<10)
		case "helpUri":
			s.url = word(d)
		case "defaultConfiguration":
			members(d, func(key string) { set(d, key == "level", &s.level) })
		case "relationships":
			elements(d, func() {
				members(d, func(key string) {
					if key == "target" {
						bag.readTaxon(d)
					} else {
						d.Skip()
					}
				})
			})
		case "messageStrings":
			s.readMessages(d)
		case "properties":
			bag.read(d, 0)
		default:
			d.Skip()
		}
	})
	s.description = full
	s.score, s.precision, s.security = bag.score, bag.precision, bag.security
	s.named = finding.CVEsIn(strings.Join([]string{s.id, s.name, bag.text.String()}, " "))
	s.mentioned = finding.CVEsIn(strings.Join([]string{s.title, full, help}, " "))
	if s.cwes = finding.CWEsIn(bag.text.String() + " " + s.name); s.cwes == nil {
		s.cwes = finding.CWEsIn(s.title + " " + full + " " + help)
	}
	s.vector = finding.VectorIn(bag.text.String() + " " + help)
	if s.pkg = packageIn(help); bag.purl != "" {
		s.pkg.purl = bag.purl
	}
	return &s
}

func (s *sarifRule) readMessages(d *jsonstream.Decoder) {
	s.messages = map[string]string{}
	members(d, func(key string) {
		if len(s.messages) == 20 {
			d.Skip()
			return
		}
		s.messages[key] = message(d, maxShort)
	})
}

// message reads {"text":…,"markdown":…}.
func message(d *jsonstream.Decoder, n int) string {
	plain, marked := "", ""
	if d.Kind() != jsonstream.Object {
		return text(d, n)
	}
	members(d, func(key string) {
		switch key {
		case "text":
			plain = text(d, n)
		case "markdown":
			marked = text(d, n)
		default:
			d.Skip()
		}
	})
	return cmp.Or(plain, marked)
}

// sarifBag is what a property bag, in which every tool puts what it likes, tells of use.
type sarifBag struct {
	score, precision, purl, image string
	security                      bool
	text                          strings.Builder // of all it holds, for ids and vectors
}

// maxBag bounds the text of a property bag.
const maxBag = 8 << 10

func (b *sarifBag) read(d *jsonstream.Decoder, depth int) {
	if depth > 3 {
		d.Skip()
		return
	}
	switch d.Kind() {
	case jsonstream.Object:
		for d.Object(); d.More(); {
			switch key := string(d.Key()); key {
			case "security-severity":
				b.score = word(d)
			case "precision":
				b.precision = word(d)
			case "imageName":
				b.image = word(d)
			default:
				b.add(key)
				b.read(d, depth+1)
			}
		}
	case jsonstream.Array:
		for d.Array(); d.More(); {
			b.read(d, depth+1)
		}
	default:
		b.add(word(d))
	}
}

func (b *sarifBag) add(s string) {
	if strings.EqualFold(s, "security") {
		b.security = true
	}
	if b.purl == "" && strings.HasPrefix(s, "pkg:") {
		b.purl = s
	}
	if b.text.Len()+len(s) < maxBag {
		b.text.WriteString(s + " ")
	}
}

// readTaxon reads a reference to a taxonomy: {"id":"79","toolComponent":{"name":"CWE"}}.
func (b *sarifBag) readTaxon(d *jsonstream.Decoder) {
	id, of := "", ""
	members(d, func(key string) {
		switch key {
		case "id":
			id = word(d)
		case "toolComponent":
			members(d, func(key string) { set(d, key == "name", &of) })
		default:
			d.Skip()
		}
	})
	if strings.EqualFold(of, "cwe") && id != "" {
		b.add(fmt.Sprintf("CWE-%d", finding.CWEOf(id)))
	} else {
		b.add(id)
	}
}

// sarifPackage is a package as scanners of images and of dependencies write it into their texts.
type sarifPackage struct{ purl, name, version, fixed string }

// packageIn reads lines such as "Package: openssl", "Installed Version: 3.0.11" (Trivy, Grype), "Vulnerable module: lodash"
// (Snyk), and "Package 'lodash@4.17.4' is vulnerable" (OSV-Scanner).
func packageIn(text string) (p sarifPackage) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.Trim(line, " \t\r\n*-`"), ":")
		if value = strings.Trim(value, " `*"); !ok || value == "" || len(value) > 300 {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "package", "vulnerable module":
			p.name = value
		case "version", "installed version":
			p.version = value
		case "fixed version", "fix version":
			p.fixed = value
		}
	}
	if _, rest, ok := strings.Cut(text, "Package '"); ok && p.name == "" {
		if name, _, ok := strings.Cut(rest, "'"); ok && len(name) < 300 {
			if i := strings.LastIndexByte(name, '@'); i > 0 {
				name, p.version = name[:i], name[i+1:]
			}
			p.name = name
		}
	}
	return p
}

func (p *sarifPackage) known() bool { return p.name != "" || p.purl != "" }

type sarifResult struct {
	rule, kind, level, baseline string
	index, extension            int // of the rule; -1 for none, the driver's
	text, messageID             string
	arguments                   []string
	places                      []sarifPlace
	suppressions, accepted      int
	bag                         sarifBag
	prints                      map[string]string
	target                      string
	fix, url                    string
}

type sarifPlace struct {
	uri, line, snippet, logical string
	file                        int // index of the artifact, -1
}

// maxPlaces is what is kept of a result's locations.
const maxPlaces = 20

func readSARIF(d *jsonstream.Decoder) (v sarifResult) {
	v.index, v.extension = -1, -1
	v.prints = map[string]string{}
	members(d, func(key string) {
		switch key {
		case "ruleId":
			v.rule = word(d)
		case "ruleIndex":
			v.index = number(d)
		case "rule":
			v.readRule(d)
		case "kind":
			v.kind = word(d)
		case "level":
			v.level = word(d)
		case "baselineState":
			v.baseline = word(d)
		case "message":
			v.readMessage(d)
		case "locations":
			elements(d, func() { v.readLocation(d) })
		case "suppressions":
			elements(d, func() { v.readSuppression(d) })
		case "properties":
			v.bag.read(d, 0)
		case "taxa":
			elements(d, func() { v.bag.readTaxon(d) })
		case "fingerprints", "partialFingerprints":
			members(d, func(name string) {
				if print := word(d); len(v.prints) < 20 {
					v.prints[name] = print
				}
			})
		case "webRequest":
			members(d, func(key string) { set(d, key == "target", &v.target) })
		case "fixes":
			elements(d, func() {
				members(d, func(key string) {
					if key == "description" {
						v.fix = message(d, 4<<10)
					} else {
						d.Skip()
					}
				})
			})
		case "hostedViewerUri":
			v.url = word(d)
		default:
			d.Skip()
		}
	})
	return v
}

// number reads an index, -1 for none.
func number(d *jsonstream.Decoder) int {
	if d.Kind() != jsonstream.Number {
		d.Skip()
		return -1
	}
	f, _ := d.Float()
	if f < 0 || f > 1e7 {
		return -1
	}
	return int(f)
}

func (v *sarifResult) readRule(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "id":
			v.rule = cmp.Or(v.rule, word(d))
		case "index":
			v.index = number(d)
		case "toolComponent":
			members(d, func(key string) {
				if key == "index" {
					v.extension = number(d)
				} else {
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
}

func (v *sarifResult) readMessage(d *jsonstream.Decoder) {
	marked := ""
	members(d, func(key string) {
		switch key {
		case "text":
			v.text = text(d, 8<<10)
		case "markdown":
			marked = text(d, 8<<10)
		case "id":
			v.messageID = word(d)
		case "arguments":
			v.arguments = texts(d, 20)
		default:
			d.Skip()
		}
	})
	v.text = cmp.Or(v.text, marked)
}

func (v *sarifResult) readLocation(d *jsonstream.Decoder) {
	p := sarifPlace{file: -1}
	members(d, func(key string) {
		switch key {
		case "physicalLocation":
			p.readPhysical(d)
		case "logicalLocations", "logicalLocation":
			elements(d, func() {
				name, full := "", ""
				members(d, func(key string) {
					switch key {
					case "name":
						name = word(d)
					case "fullyQualifiedName":
						full = word(d)
					default:
						d.Skip()
					}
				})
				p.logical = cmp.Or(p.logical, full, name)
			})
		default:
			d.Skip()
		}
	})
	if len(v.places) < maxPlaces {
		v.places = append(v.places, p)
	}
}

func (p *sarifPlace) readPhysical(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "artifactLocation", "fileLocation":
			members(d, func(key string) {
				switch key {
				case "uri":
					p.uri = word(d)
				case "index":
					p.file = number(d)
				default:
					d.Skip()
				}
			})
		case "region":
			members(d, func(key string) {
				switch key {
				case "startLine":
					p.line = word(d)
				case "snippet":
					p.snippet = message(d, 2<<10)
				default:
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
}

func (v *sarifResult) readSuppression(d *jsonstream.Decoder) {
	status := ""
	members(d, func(key string) { set(d, key == "status" || key == "state", &status) })
	v.suppressions++
	if status == "" || status == "accepted" {
		v.accepted++
	}
}

// ruleOf finds the rule of a result: by index where it agrees, else by id, also by that of the rule above
// ("CA1000/1"). Never nil.
func (run *sarifRun) ruleOf(v *sarifResult) *sarifRule {
	if of := v.extension + 1; v.index >= 0 && of < len(run.rules) && v.index < len(run.rules[of]) {
		if rule := run.rules[of][v.index]; v.rule == "" || rule.id == v.rule || strings.HasPrefix(v.rule, rule.id+"/") {
			return rule
		}
	}
	for id := v.rule; id != ""; {
		if rule := run.byID[id]; rule != nil {
			return rule
		}
		i := strings.LastIndexByte(id, '/')
		if i < 0 {
			break
		}
		id = id[:i]
	}
	return &sarifRule{id: v.rule}
}

func (r *sarifReport) tell(run *sarifRun, v *sarifResult) error {
	rule := run.ruleOf(v)
	v.rule = cmp.Or(v.rule, rule.id)
	switch {
	case v.suppressions > 0 && v.suppressions == v.accepted:
		return r.o.drop("suppressed in the report")
	case v.baseline == "absent":
		return r.o.note("no longer there")
	case v.kind == "informational", v.kind == "notApplicable", v.kind == "open":
		return r.o.note("of kind " + v.kind)
	case v.rule == "" && v.text == "":
		return r.o.drop("a result without a rule and a message")
	}
	obs := r.observation(run, rule, v)
	if obs.Severity == "low" && len(obs.CVEs) == 0 && !obs.Passed && !v.secure(rule) { // a note on style
		return r.o.note("of no severity")
	}
	return r.o.cry(obs)
}

// secure says whether a result is of security, as the tool sees it.
func (v *sarifResult) secure(rule *sarifRule) bool {
	return rule.security || v.bag.security || rule.score != "" || v.bag.score != "" || len(rule.cwes) > 0 || rule.vector != ""
}

func (r *sarifReport) observation(run *sarifRun, rule *sarifRule, v *sarifResult) finding.Observation {
	said := v.said(rule)
	pkg := v.packageOf(rule, said)
	uri, line := v.place(run)
	obs := finding.Observation{
		CVEs: v.cves(rule, said, pkg.known()), Title: cmp.Or(oneLine(rule.title), oneLine(said), rule.name, v.rule), Location: uri, Remedy: v.fix,
		Vector: cmp.Or(finding.VectorIn(v.bag.text.String()), rule.vector), Severity: v.severity(rule), Passed: v.kind == "pass",
		CWEs: distinct(append(finding.CWEsIn(v.bag.text.String()), rule.cwes...)), References: reflist([]string{rule.url, v.url}), At: r.at,
		Confidence: v.confidence(rule), Check: "sarif:" + run.driver + "/" + v.rule,
	}
	if obs.CWEs == nil {
		obs.CWEs = distinct(finding.CWEsIn(said))
	}
	obs.Output = sentences(said, v.elsewhere(run), describes(rule, said))
	mark := v.mark(line)
	if e := v.web(uri); e.host != "" {
		obs.Address, obs.HostName, obs.Port, obs.Protocol = e.address, e.name(), e.port, e.protocol
		uri, mark = e.path, "" // lines of an answer say nothing of the place
	} else {
		obs.HostName = asset.NameValue(cmp.Or(v.bag.image, run.image))
		if line != "" && uri != "" && !pkg.known() {
			obs.Location += ":" + line
		}
	}
	switch {
	case pkg.known():
		obs.Component, obs.Confidence, obs.FixedIn = finding.Component(pkg.purl, pkg.name, pkg.version), fromPackages, pkg.fixed
		obs.Remedy = cmp.Or(obs.Remedy, upgrade(cmp.Or(pkg.name, obs.Component), pkg.fixed))
	case len(obs.CVEs) > 0 && obs.Port == 0:
		obs.Component = strings.TrimPrefix(uri, "file://")
	case len(obs.CVEs) == 0 && uri+mark != "":
		obs.Check += "@" + uri + mark
	}
	return obs
}

// describes adds what the rule says in general, unless the result says it.
func describes(rule *sarifRule, said string) string {
	if strings.Contains(said, rule.description) {
		return ""
	}
	return rule.description
}

// said is the result's message, put together from the rule's where it only names that.
func (v *sarifResult) said(rule *sarifRule) string {
	said := v.text
	if said == "" {
		said = rule.messages[v.messageID]
	}
	for i, argument := range v.arguments {
		said = strings.ReplaceAll(said, fmt.Sprintf("{%d}", i), argument)
		if len(said) > 16<<10 {
			break
		}
	}
	return said
}

func (v *sarifResult) packageOf(rule *sarifRule, said string) sarifPackage {
	p := packageIn(said)
	if p.name == "" {
		p = rule.pkg
	}
	p.purl = v.bag.purl
	for _, place := range v.places {
		for _, s := range []string{place.logical, place.uri} {
			if p.purl == "" && strings.HasPrefix(s, "pkg:") {
				p.purl = s
			}
		}
	}
	if p.purl == "" && p.name == rule.pkg.name && p.version == rule.pkg.version {
		p.purl = rule.pkg.purl
	}
	return p
}

// cves: what the rule's id names counts alone; then what the tool marked it with, then what the result says. What
// a rule's texts mention is often but an example, so it counts only for packages.
func (v *sarifResult) cves(rule *sarifRule, said string, ofPackage bool) []cve.ID {
	for _, text := range []string{v.rule, v.bag.text.String()} {
		if ids := finding.CVEsIn(text); ids != nil {
			return ids
		}
	}
	if len(rule.named) > 0 {
		return slices.Clone(rule.named)
	}
	if ids := finding.CVEsIn(said); ids != nil || !ofPackage {
		return ids
	}
	return slices.Clone(rule.mentioned)
}

// severity: a score where the tool gives one (GitHub's security-severity), else the level.
func (v *sarifResult) severity(rule *sarifRule) string {
	if word := cmp.Or(graded(v.bag.score), graded(rule.score)); word != "" {
		return word
	}
	level := cmp.Or(v.level, rule.level, "warning")
	switch level {
	case "note":
		return "low"
	case "error", "warning", "none":
		return severity(level)
	}
	return severity("warning")
}

func (v *sarifResult) confidence(rule *sarifRule) int {
	if v.kind == "review" {
		return toReview
	}
	switch strings.ToLower(rule.precision) {
	case "very-high":
		return fromCheck
	case "high":
		return 80
	case "medium":
		return fromPattern
	case "low":
		return toReview
	}
	return fromPattern
}

// place is the result's first location.
func (v *sarifResult) place(run *sarifRun) (uri, line string) {
	if len(v.places) == 0 {
		return v.target, ""
	}
	return v.places[0].name(run), v.places[0].lineNumber()
}

func (p *sarifPlace) name(run *sarifRun) string {
	if p.uri == "" && p.file >= 0 && p.file < len(run.files) {
		return run.files[p.file]
	}
	return cmp.Or(p.uri, p.logical)
}

func (p *sarifPlace) lineNumber() string {
	if p.line == "0" {
		return ""
	}
	return p.line
}

// elsewhere lists the result's other locations.
func (v *sarifResult) elsewhere(run *sarifRun) string {
	var b strings.Builder
	for i := 1; i < len(v.places); i++ {
		p := &v.places[i]
		b.WriteString(cmp.Or(map[bool]string{true: "Also at "}[i == 1], ", ") + p.name(run))
		if line := p.lineNumber(); line != "" {
			b.WriteString(":" + line)
		}
	}
	return b.String()
}

// web is where a web scanner found something.
func (v *sarifResult) web(uri string) endpoint {
	for _, s := range []string{uri, v.target} {
		if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
			return place(s)
		}
	}
	return endpoint{}
}

// mark tells results of a rule in one file apart.
func (v *sarifResult) mark(line string) string {
	for _, name := range slices.Sorted(maps.Keys(v.prints)) {
		if print := v.prints[name]; len(print) >= 8 && !strings.ContainsAny(print, " \t\n") { // not "requires login"
			return "#" + digest(print)
		}
	}
	if len(v.places) > 0 {
		if code := strings.Join(strings.Fields(v.places[0].snippet), " "); code != "" {
			return "#" + digest(code)
		}
	}
	if line != "" {
		return ":" + line
	}
	return ""
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
