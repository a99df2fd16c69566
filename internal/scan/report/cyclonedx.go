package report

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// cyclonedx reads CycloneDX documents, 1.2 to 1.6, JSON and XML: bills of material, those with vulnerabilities, and VEX.
// Records are: every component, which is informational; every component that a vulnerability affects, or the vulnerability
// where it names none; and every analysis, which is a statement. A component that the analysis calls not affected is no
// further record. The host is the container that the document describes; another's is the importer's to name.
type cyclonedx struct{}

// Name implements scan.Reader.
func (cyclonedx) Name() string { return "cyclonedx" }

// Detect implements scan.Reader.
func (cyclonedx) Detect(head []byte) bool {
	if bytes.HasPrefix(head, []byte("<")) {
		return bytes.Contains(head, []byte("http://cyclonedx.org/schema/bom")) && (bytes.Contains(head, []byte("<bom")) || bytes.Contains(head, []byte(":bom")))
	}
	found := outline(head)
	return strings.EqualFold(found["bomFormat"], "CycloneDX") || strings.Contains(found["$schema"], "cyclonedx.org/schema/bom") ||
		has(found, "specVersion") && (has(found, "components[].bom-ref") || has(found, "vulnerabilities[].affects"))
}

// Read implements scan.Reader. The document is read up to three times: for what it describes and which components are
// affected; for the components and the names of those; for the vulnerabilities. So only those names are in memory, and
// the parts may come in any order.
func (cyclonedx) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("cyclonedx", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := cdxReport{o: newOut(emit), names: map[string]string{}}
	pass := kept.cdxJSON
	if head := make([]byte, 512); bytes.HasPrefix(bytes.TrimLeft(head[:readUpTo(kept.again(ctx), head)], " \t\r\n"), []byte("<")) {
		pass = kept.cdxXML
	}
	if err := pass(ctx, r.look()); err != nil && !cut(err) || err == nil && !r.known {
		return cmp.Or(err, fault.Invalid("not a CycloneDX document"))
	}
	if !r.known {
		return cmp.Or(pass(ctx, r.look()), fault.Invalid("not a CycloneDX document"))
	}
	if r.host != "" {
		h := finding.HostSeen{Names: []string{r.host}, Status: string(asset.Up), At: r.at}
		if err := r.o.host(h); err != nil {
			return err
		}
	}
	err = pass(ctx, r.components())
	if err != nil && !cut(err) || !r.vulnerable {
		return err
	}
	return pass(ctx, r.vulnerabilities())
}

// readUpTo fills p as far as r goes.
func readUpTo(r io.Reader, p []byte) int {
	n, err := io.ReadFull(r, p)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0
	}
	return n
}

// cdxReport is what all records need.
type cdxReport struct {
	o          *out
	known      bool
	vulnerable bool
	host       string
	author     string
	subject    cdxComponent // what the document describes
	at         time.Time
	names      map[string]string // package URL or component by bom-ref, of those that are affected; "" until it is known
}

// maxNames bounds the names of affected components; others are called by their bom-ref.
const maxNames = 200_000

// cdxVisitor gets what a pass over a document meets. What it has no use for is nil.
type cdxVisitor struct {
	known         func()
	header        func(subject cdxComponent, author string, at time.Time)
	component     func(*cdxComponent) error
	vulnerability func(*cdxVulnerability) error
	malformed     func(reason string) error // a component or vulnerability, where told
}

type cdxComponent struct {
	ref, kind, group, name, version, purl string
}

// product is the component as a statement names it: its package URL says more than its name.
func (c *cdxComponent) product() string {
	if _, _, ok := finding.PackageOf(c.purl); ok {
		return c.purl
	}
	return c.call()
}

// call is the component as findings name it.
func (c *cdxComponent) call() string {
	name := c.name
	if c.group != "" {
		name = c.group + "/" + name
	}
	return finding.Component(c.purl, name, c.version)
}

type cdxVulnerability struct {
	ref, id, url                 string
	description, detail          string
	recommendation, workaround   string
	aliases, advisories          []string
	cwes                         []int
	ratings                      []cdxRating
	affects                      []cdxAffected
	beyond                       int // affected components that were too many to keep
	state, justification, reason string
	responses                    []string
	updated                      time.Time
}

type cdxRating struct{ source, severity, score, vector string }

type cdxAffected struct {
	ref      string
	version  string // the first that is affected, where the document lists versions
	listed   bool
	affected bool
}

func (v *cdxVulnerability) affect(a cdxAffected) {
	if len(v.affects) == maxProducts {
		v.beyond++
		return
	}
	v.affects = append(v.affects, a)
}

// look collects what stands anywhere in the document.
func (r *cdxReport) look() cdxVisitor {
	return cdxVisitor{
		known: func() { r.known = true },
		header: func(subject cdxComponent, author string, at time.Time) {
			r.author = cmp.Or(r.author, author)
			if subject.name != "" {
				r.subject, r.host = subject, subject.hostName()
			}
			r.at = later(r.at, at)
		},
		vulnerability: func(v *cdxVulnerability) error {
			r.vulnerable = true
			for _, a := range v.affects {
				if len(r.names) < maxNames {
					r.names[local(a.ref)] = ""
				}
			}
			return nil
		},
	}
}

// local is a bom-ref, also out of a link to another document ("urn:cdx:serial/1#ref").
func local(ref string) string {
	if rest, ok := strings.CutPrefix(ref, "urn:cdx:"); ok {
		if _, inner, ok := strings.Cut(rest, "#"); ok {
			return unescaped(inner)
		}
	}
	return ref
}

// hostName is the image's name and tag. Anything but a container is no host.
func (c *cdxComponent) hostName() string {
	if c.kind != "container" || strings.HasPrefix(c.name, ".") || strings.HasPrefix(c.name, "/") {
		return ""
	}
	name := c.name
	if c.group != "" {
		name = c.group + "/" + name
	}
	if last := name[strings.LastIndexByte(name, '/')+1:]; !strings.ContainsAny(last, ":@") && c.version != "" && !strings.HasPrefix(c.version, "sha256:") {
		name += ":" + c.version
	}
	return asset.NameValue(name)
}

func (r *cdxReport) components() cdxVisitor {
	if ref := r.subject.ref; ref != "" {
		if _, wanted := r.names[ref]; wanted {
			r.names[ref] = r.subject.product()
		}
	}
	return cdxVisitor{
		component: func(c *cdxComponent) error {
			if _, wanted := r.names[c.ref]; wanted && c.ref != "" {
				r.names[c.ref] = c.product()
			}
			if c.name == "" && c.purl == "" {
				return r.o.drop("a component without a name")
			}
			return r.o.note("a component")
		},
		malformed: func(reason string) error { return r.o.drop("malformed component: " + reason) },
	}
}

func (r *cdxReport) vulnerabilities() cdxVisitor {
	return cdxVisitor{
		vulnerability: r.tell,
		malformed:     func(reason string) error { return r.o.drop("malformed vulnerability: " + reason) },
	}
}

// tell tells of a vulnerability: a statement where it was analysed, and the components it affects unless the analysis says
// that it does not.
func (r *cdxReport) tell(v *cdxVulnerability) error {
	if v.id == "" {
		return r.o.drop("a vulnerability without an id")
	}
	if v.beyond > 0 {
		drop := finding.Drop{Reason: "more components than are read of one vulnerability", Count: v.beyond}
		if err := r.o.emit(finding.Event{Drop: &drop}); err != nil {
			return err
		}
	}
	status := vexStatus(v.state)
	if v.state != "" {
		if err := state(r.o, r.statement(v, status)); err != nil {
			return err
		}
	}
	if status == finding.VEXNotAffected || status == finding.VEXFixed {
		return nil
	}
	if len(v.affects) == 0 {
		whole := r.subject.call()
		if r.host != "" { // the host is what the document describes
			whole = ""
		}
		return r.o.observe(r.observation(v, whole))
	}
	for _, a := range v.affects {
		if a.listed && !a.affected {
			if err := r.o.note("not affected"); err != nil {
				return err
			}
			continue
		}
		if err := r.o.observe(r.observation(v, r.name(a))); err != nil {
			return err
		}
	}
	return nil
}

// product is what a reference leads to. One into another document often is a package URL itself.
func (r *cdxReport) product(a cdxAffected) string {
	ref := local(a.ref)
	product := cmp.Or(r.names[ref], ref)
	name := product
	if i := strings.IndexAny(name, "?#"); i >= 0 {
		name = name[:i]
	}
	if a.version != "" && strings.LastIndexByte(name, '@') <= 0 {
		return name + "@" + a.version
	}
	return product
}

// name is the component that a reference leads to.
func (r *cdxReport) name(a cdxAffected) string {
	product := r.product(a)
	if name, version, ok := finding.PackageOf(product); ok {
		return finding.Component("", name, version)
	}
	return product
}

func (r *cdxReport) statement(v *cdxVulnerability, status finding.VEXStatus) finding.Statement {
	s := finding.Statement{CVE: firstCVE(append([]string{v.id}, v.aliases...)), Status: status, Author: cmp.Or(r.author, r.subject.call()), At: v.updated}
	s.Reason = sentences(strings.ReplaceAll(v.justification, "_", " "), v.reason, strings.Join(v.responses, ", "))
	if s.At.IsZero() {
		s.At = r.at
	}
	for _, a := range v.affects {
		if a.listed && !a.affected && status != finding.VEXNotAffected {
			continue
		}
		s.Products = more(s.Products, products(r.product(a)))
	}
	if len(v.affects) == 0 && r.subject.name != "" {
		s.Products = products(r.subject.product())
	}
	return s
}

func (r *cdxReport) observation(v *cdxVulnerability, component string) finding.Observation {
	var vectors []scored
	for _, rating := range v.ratings {
		vectors = append(vectors, scored{rating.source, rating.vector})
	}
	ids := finding.CVEsIn(v.id)
	if ids == nil {
		ids = finding.CVEsIn(strings.Join(v.aliases, " "))
	}
	title := v.id
	if component != "" {
		title += " in " + component
	}
	return finding.Observation{
		HostName: r.host, Component: component, Check: "cyclonedx:" + v.id, CVEs: ids, Title: title,
		Output: sentences(v.description, v.detail, v.reason), Remedy: sentences(v.recommendation, v.workaround),
		Vector: newest(vectors, "nvd"), Confidence: fromPackages, Severity: v.severity(), CWEs: v.cwes,
		References: reflist(v.advisories, []string{v.url}), At: r.at,
	}
}

// severity is NVD's word, else the worst of the others.
func (v *cdxVulnerability) severity() string {
	worst := ""
	order := []string{"", "none", "info", "low", "medium", "high", "critical"}
	for _, rating := range v.ratings {
		word := cmp.Or(severity(rating.severity), graded(rating.score))
		if strings.EqualFold(rating.source, "nvd") && word != "" {
			return word
		}
		if slices.Index(order, word) > slices.Index(order, worst) {
			worst = word
		}
	}
	return worst
}

// unescaped undoes how a package URL is written into a link.
func unescaped(s string) string {
	if name, version, ok := strings.Cut(s, "%40"); ok && strings.HasPrefix(s, "pkg:") && !strings.Contains(s, "@") {
		return name + "@" + version
	}
	return s
}
