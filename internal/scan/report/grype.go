package report

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// grype reads `grype … -o json` of every schema. A record is a match or an ignored match. The host is the image, which Grype
// names behind its matches; that of a folder or an SBOM is the importer's to name.
type grype struct{}

// Name implements scan.Reader.
func (grype) Name() string { return "grype" }

// Detect implements scan.Reader.
func (grype) Detect(head []byte) bool {
	found := outline(head)
	if found["descriptor.name"] == "grype" && has(found, "matches") {
		return true
	}
	if has(found, "matches[].vulnerability", "matches[].artifact") || has(found, "matches[].vulnerability.id", "matches[].vulnerability.severity") {
		return true
	}
	return has(found, "matches", "source", "descriptor") || has(found, "matches[].artifact", "matches[].matchDetails") ||
		has(found, "descriptor.db", "ignoredMatches") || has(found, "ignoredMatches[].vulnerability")
}

// Read implements scan.Reader.
func (grype) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("grype", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := grypeReport{o: newOut(emit)}
	if err := kept.pass(ctx, "grype", r.document); err != nil && !cut(err) {
		return err
	}
	if !r.known && kept.size > 0 {
		if err := kept.pass(ctx, "grype", r.document); err != nil {
			return err
		}
		return fault.Invalid("not a grype report: it has no matches")
	}
	if r.host != "" {
		h := finding.HostSeen{Names: []string{r.host}, Status: string(asset.Up), OS: r.os, At: r.at}
		if err := r.o.host(h); err != nil {
			return err
		}
	}
	r.telling = true
	return kept.pass(ctx, "grype", r.document)
}

type grypeReport struct {
	o       *out
	known   bool
	telling bool
	host    string
	os      string
	at      time.Time
}

func (r *grypeReport) document(d *jsonstream.Decoder) error {
	for d.Object(); d.More(); {
		d.Done()
		var err error
		switch string(d.Key()) {
		case "matches":
			r.known = true
			err = r.matches(d, r.match)
		case "ignoredMatches":
			err = r.matches(d, func(*grypeMatch) error { return r.o.drop("suppressed in the report") })
		case "source":
			r.source(d)
		case "distro":
			r.distro(d)
		case "descriptor":
			members(d, func(key string) {
				if key == "timestamp" {
					r.at = moment(word(d))
				} else {
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *grypeReport) matches(d *jsonstream.Decoder, tell func(*grypeMatch) error) error {
	if !r.telling {
		d.Skip()
		return nil
	}
	var m grypeMatch
	return records(d, r.o, func() { m = readGrype(d) }, func() error { return tell(&m) })
}

// source names what was scanned: {"type":"image","target":{"userInput":…}}, {"type":"directory","target":"/src"}.
func (r *grypeReport) source(d *jsonstream.Decoder) {
	kind, input, id, tag := "", "", "", ""
	members(d, func(key string) {
		switch {
		case key == "type":
			kind = strings.ToLower(word(d))
		case key == "target" && d.Kind() == jsonstream.Object:
			members(d, func(key string) {
				switch key {
				case "userInput":
					input = word(d)
				case "imageID", "digest":
					id = word(d)
				case "tags":
					if list := texts(d, 1); len(list) > 0 {
						tag = list[0]
					}
				default:
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
	if kind == "image" || kind == "" {
		r.host = asset.NameValue(cmp.Or(withoutScheme(input), tag, id))
	}
}

// withoutScheme drops how Grype got at an image ("docker:nginx:1.25", "registry:…"). An archive has no name of its own.
func withoutScheme(input string) string {
	before, rest, ok := strings.Cut(input, ":")
	if !ok {
		return input
	}
	switch before {
	case "docker", "podman", "registry", "containerd", "snap":
		return rest
	case "docker-archive", "oci-archive", "oci-dir", "singularity":
		return ""
	}
	return input
}

func (r *grypeReport) distro(d *jsonstream.Decoder) {
	name, version := "", ""
	members(d, func(key string) {
		switch key {
		case "name":
			name = word(d)
		case "version":
			version = word(d)
		default:
			d.Skip()
		}
	})
	r.os = strings.TrimSpace(name + " " + version)
}

type grypeMatch struct {
	vulnerability grypeVulnerability
	related       []grypeVulnerability
	name          string
	version       string
	kind          string
	purl          string
	paths         []string
	matched       []string // the types of its matches
}

type grypeVulnerability struct {
	id, source, severity, description, state string
	fixed                                    []string
	urls                                     []string
	vectors                                  []scored
	cwes                                     []int
}

// maxRelated bounds what is kept of the vulnerabilities that one match brings along.
const maxRelated = 500

func readGrype(d *jsonstream.Decoder) (m grypeMatch) {
	members(d, func(key string) {
		switch key {
		case "vulnerability":
			m.vulnerability = readGrypeVulnerability(d)
		case "relatedVulnerabilities":
			elements(d, func() {
				if v := readGrypeVulnerability(d); len(m.related) < maxRelated {
					m.related = append(m.related, v)
				}
			})
		case "matchDetails":
			elements(d, func() { m.readDetail(d) })
		case "artifact":
			m.readArtifact(d)
		default:
			d.Skip()
		}
	})
	return m
}

func (m *grypeMatch) readDetail(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "type", "matchType":
			if kind := word(d); len(m.matched) < 20 {
				m.matched = append(m.matched, kind)
			}
		default:
			d.Skip()
		}
	})
}

func (m *grypeMatch) readArtifact(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "name":
			m.name = word(d)
		case "version":
			m.version = word(d)
		case "type":
			m.kind = word(d)
		case "purl":
			m.purl = word(d)
		case "locations":
			elements(d, func() { m.readLocation(d) })
		default:
			d.Skip()
		}
	})
}

// readLocation reads {"path":…}, or the path alone, as the first versions wrote it.
func (m *grypeMatch) readLocation(d *jsonstream.Decoder) {
	add := func(path string) {
		if path != "" && len(m.paths) < 20 {
			m.paths = append(m.paths, path)
		}
	}
	if d.Kind() != jsonstream.Object {
		add(word(d))
		return
	}
	members(d, func(key string) {
		if key == "path" {
			add(word(d))
		} else {
			d.Skip()
		}
	})
}

func readGrypeVulnerability(d *jsonstream.Decoder) (v grypeVulnerability) {
	members(d, func(key string) {
		switch key {
		case "id":
			v.id = word(d)
		case "dataSource":
			v.source = word(d)
		case "severity":
			v.severity = severity(word(d))
		case "description":
			v.description = text(d, 8<<10)
		case "urls", "links":
			v.urls = texts(d, maxReferences)
		case "fixedInVersion":
			v.fixed = append(v.fixed, word(d))
		case "fix":
			v.readFix(d)
		case "cvss":
			elements(d, func() { v.readCVSS(d) })
		case "cvssV2", "cvssV3":
			v.readCVSS(d)
		case "cwes":
			elements(d, func() { v.readCWE(d) })
		default:
			d.Skip()
		}
	})
	return v
}

func (v *grypeVulnerability) readFix(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "versions":
			v.fixed = append(v.fixed, texts(d, 20)...)
		case "state":
			v.state = word(d)
		default:
			d.Skip()
		}
	})
}

func (v *grypeVulnerability) readCVSS(d *jsonstream.Decoder) {
	var s scored
	members(d, func(key string) {
		switch key {
		case "vector":
			s.vector = word(d)
		case "source":
			s.source = word(d)
		default:
			d.Skip()
		}
	})
	if len(v.vectors) < 100 {
		v.vectors = append(v.vectors, s)
	}
}

func (v *grypeVulnerability) readCWE(d *jsonstream.Decoder) {
	add := func(s string) {
		if n := finding.CWEOf(s); n > 0 && len(v.cwes) < maxReferences {
			v.cwes = append(v.cwes, n)
		}
	}
	if d.Kind() != jsonstream.Object {
		add(word(d))
		return
	}
	members(d, func(key string) {
		if key == "cwe" {
			add(word(d))
		} else {
			d.Skip()
		}
	})
}

// match: a GHSA or a distribution's advisory names its CVEs among the related vulnerabilities.
func (r *grypeReport) match(m *grypeMatch) error {
	v := m.vulnerability
	if v.id == "" {
		return r.o.drop("a match without a vulnerability's id")
	}
	ids := finding.CVEsIn(v.id)
	if len(ids) == 0 {
		var names []string
		for _, other := range m.related {
			names = append(names, other.id)
		}
		ids = finding.CVEsIn(strings.Join(names, " "))
	}
	vectors, references := v.vectors, [][]string{{v.source}, v.urls}
	for _, other := range m.related {
		vectors = append(vectors, other.vectors...)
		v.description = cmp.Or(v.description, other.description)
		v.severity = cmp.Or(v.severity, other.severity)
		v.cwes = append(v.cwes, other.cwes...)
		references = append(references, []string{other.source}, other.urls)
	}
	name, _, ok := finding.PackageOf(m.purl)
	if !ok {
		name = m.name
	}
	fixed := strings.Join(v.fixed, ", ")
	installed := fmt.Sprintf("%s %s (%s) is installed.", name, cmp.Or(m.version, "of unknown version"), cmp.Or(m.kind, "package"))
	if fixed == "" && v.state != "" && v.state != "unknown" {
		installed += " Fix: " + v.state + "."
	}
	return r.o.observe(finding.Observation{
		HostName: r.host, Component: finding.Component(m.purl, m.name, m.version), Check: "grype:" + v.id, CVEs: ids,
		Title: v.id + " in " + name, Output: sentences(installed, v.description), Location: strings.Join(m.paths, ", "),
		Remedy: upgrade(name, fixed), FixedIn: fixed, Vector: newest(vectors, "nvd@nist.gov", "nvd"), Confidence: m.confidence(),
		Severity: v.severity, CWEs: distinct(v.cwes), References: reflist(references...), At: r.at,
	})
}

// confidence: what only the package's likeness to a CPE says is not sure.
func (m *grypeMatch) confidence() int {
	best := 0
	for _, kind := range m.matched {
		if kind == "cpe-match" || kind == "fuzzy-match" {
			best = max(best, fromCPE)
		} else {
			best = fromPackages
		}
	}
	if best == 0 {
		return fromPackages
	}
	return best
}
