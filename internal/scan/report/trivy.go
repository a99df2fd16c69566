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

// trivy reads `trivy … --format json` of images, file systems, repositories and clusters: schema 2, and the list of results
// that versions before 0.20 wrote. A record is a vulnerability, a misconfiguration, a secret, a licence or a finding that
// Trivy was told to hide. The host is the image or the cluster's resource; that of a folder is the importer's to name.
type trivy struct{}

// Name implements scan.Reader.
func (trivy) Name() string { return "trivy" }

// Detect implements scan.Reader.
func (trivy) Detect(head []byte) bool {
	found := outline(head)
	switch {
	case has(found, "SchemaVersion") && (has(found, "ArtifactName") || has(found, "Results[].Target") || has(found, "ArtifactType")):
		return true
	case has(found, "ClusterName") && (has(found, "Resources") || has(found, "Vulnerabilities") || has(found, "Misconfigurations") || has(found, "Findings")):
		return true
	}
	return has(found, "[].Target") && (has(found, "[].Vulnerabilities") || has(found, "[].Misconfigurations") || has(found, "[].Type"))
}

// Read implements scan.Reader.
func (trivy) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("trivy", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := trivyReport{o: newOut(emit)}
	r.list = func(d *jsonstream.Decoder, _ string) error { d.Skip(); return nil }
	if err := kept.pass(ctx, "trivy", r.document); err != nil && !cut(err) {
		return err
	}
	if !r.known && kept.size > 0 {
		if err := kept.pass(ctx, "trivy", r.document); err != nil {
			return err
		}
		return fault.Invalid("not a trivy report: neither results nor a schema version")
	}
	r.looked, r.resource, r.list = r.resources, 0, r.tell
	r.resources = nil
	return kept.pass(ctx, "trivy", r.document)
}

// trivyReport is one pass over a report. The first one only collects what stands anywhere: names and the time.
type trivyReport struct {
	o     *out
	known bool

	artifact, kind, cluster, os string
	at                          time.Time

	resources []trivyResource // met in this pass
	looked    []trivyResource // met in the first pass
	resource  int             // number of those that are done
	result    int             // number of the result in its resource
	target    string

	list func(d *jsonstream.Decoder, array string) error // takes an array of records
}

// trivyResource is what is scanned: an image, or a resource of a cluster.
type trivyResource struct {
	name    string
	targets []string
}

// maxTargets bounds what is kept of names.
const maxTargets = 100_000

func (r *trivyReport) document(d *jsonstream.Decoder) error {
	if d.Kind() == jsonstream.Array {
		r.begin()
		return r.results(d)
	}
	for d.Object(); d.More(); {
		d.Done()
		var err error
		switch key := string(d.Key()); key {
		case "SchemaVersion":
			r.known = true
			d.Skip()
		case "ArtifactName":
			r.artifact = word(d)
		case "ArtifactType":
			r.kind = word(d)
		case "ClusterName":
			r.cluster, r.known = word(d), true
		case "CreatedAt":
			r.at = moment(word(d))
		case "Metadata":
			r.metadata(d)
		case "Results":
			r.begin()
			err = r.results(d)
		case "Resources", "Vulnerabilities", "Misconfigurations", "Findings":
			err = r.inCluster(d)
		default:
			d.Skip()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *trivyReport) metadata(d *jsonstream.Decoder) {
	family, name := "", ""
	members(d, func(key string) {
		if key != "OS" {
			d.Skip()
			return
		}
		members(d, func(key string) {
			switch key {
			case "Family":
				family = word(d)
			case "Name":
				name = word(d)
			default:
				d.Skip()
			}
		})
	})
	r.os = strings.TrimSpace(family + " " + name)
}

// inCluster reads the resources of a cluster's report.
func (r *trivyReport) inCluster(d *jsonstream.Decoder) error {
	if d.Kind() != jsonstream.Array {
		d.Skip()
		return nil
	}
	for d.Array(); d.More(); {
		if d.Kind() != jsonstream.Object {
			d.Skip()
			continue
		}
		r.begin()
		name := map[string]string{}
		for d.Object(); d.More(); {
			switch key := string(d.Key()); key {
			case "Namespace", "Kind", "Name":
				name[key] = word(d)
				r.name(strings.Trim(strings.Join([]string{name["Namespace"], name["Kind"], name["Name"]}, "/"), "/"))
			case "Results":
				if err := r.results(d); err != nil {
					return err
				}
			default:
				d.Skip()
			}
		}
	}
	return nil
}

func (r *trivyReport) begin() {
	r.result = 0
	r.resource++
	if len(r.resources) < maxTargets {
		r.resources = append(r.resources, trivyResource{})
	}
}

func (r *trivyReport) name(s string) {
	if r.resource == len(r.resources) {
		r.resources[r.resource-1].name = s
	}
}

func (r *trivyReport) results(d *jsonstream.Decoder) error {
	if d.Kind() != jsonstream.Array {
		d.Skip()
		return nil
	}
	for d.Array(); d.More(); {
		d.Done()
		if d.Kind() != jsonstream.Object {
			d.Skip()
			continue
		}
		r.target = r.lookedTarget()
		for d.Object(); d.More(); {
			switch key := string(d.Key()); key {
			case "Target":
				r.target, r.known = word(d), true
				r.noteTarget()
			case "Vulnerabilities", "Misconfigurations", "Secrets", "Licenses", "ExperimentalModifiedFindings", "ModifiedFindings":
				r.known = true
				if err := r.list(d, key); err != nil {
					return err
				}
			default:
				d.Skip()
			}
		}
		r.result++
	}
	return nil
}

// noteTarget keeps the name of the result for the pass that tells.
func (r *trivyReport) noteTarget() {
	if r.resource != len(r.resources) {
		return
	}
	targets := &r.resources[r.resource-1].targets
	for len(*targets) < r.result && len(*targets) < maxTargets {
		*targets = append(*targets, "")
	}
	if len(*targets) == r.result {
		*targets = append(*targets, r.target)
	}
}

func (r *trivyReport) lookedTarget() string {
	if i := r.resource - 1; i < len(r.looked) && r.result < len(r.looked[i].targets) {
		return r.looked[i].targets[r.result]
	}
	return ""
}

// hostName is the image, or the resource in its cluster, "" where the importer must name the host.
func (r *trivyReport) hostName() string {
	name := ""
	switch i := r.resource - 1; {
	case i >= 0 && i < len(r.looked) && r.looked[i].name != "":
		name = strings.Trim(r.cluster+"/"+r.looked[i].name, "/")
	case r.cluster != "":
		name = r.cluster
	case r.kind == "filesystem", strings.HasPrefix(r.artifact, "."), strings.HasPrefix(r.artifact, "/"):
	case r.artifact != "":
		name = r.artifact
	default: // the first schema names the image in the target: "nginx:1.17 (debian 10.2)"
		if before, _, ok := strings.Cut(r.target, " ("); ok {
			name = before
		}
	}
	return asset.NameValue(name)
}

// tell tells of an array of records.
func (r *trivyReport) tell(d *jsonstream.Decoder, array string) error {
	if name := r.hostName(); name != "" {
		h := finding.HostSeen{Names: []string{name}, Status: string(asset.Up), OS: r.os, At: r.at}
		if err := r.o.host(h); err != nil {
			return err
		}
	}
	var item trivyItem
	read := func() { item = readTrivy(d) }
	switch array {
	case "Vulnerabilities":
		return records(d, r.o, read, func() error { return r.vulnerability(&item) })
	case "Misconfigurations":
		return records(d, r.o, read, func() error { return r.misconfiguration(&item) })
	case "Secrets":
		return records(d, r.o, read, func() error { return r.secret(&item) })
	case "Licenses":
		return records(d, r.o, d.Skip, func() error { return r.o.note("a licence") })
	default:
		return records(d, r.o, d.Skip, func() error { return r.o.drop("suppressed in the report") })
	}
}

// trivyItem is a record of any array: their members' names do not clash.
type trivyItem struct {
	id, pkg, purl, path, version, fixed, status string
	title, description, message, severity, url  string
	resolution, resource, category              string
	line                                        string
	cwes                                        []int
	refs                                        []string
	vectors                                     []scored
	ids                                         []string // by others: RHSA, DSA
}

func readTrivy(d *jsonstream.Decoder) (v trivyItem) {
	members(d, func(key string) {
		switch key {
		case "VulnerabilityID", "ID", "RuleID":
			v.id = word(d)
		case "AVDID":
			v.ids = append(v.ids, word(d))
		case "VendorIDs":
			v.ids = append(v.ids, texts(d, maxReferences)...)
		case "PkgName":
			v.pkg = word(d)
		case "PkgPath":
			v.path = word(d)
		case "PkgIdentifier":
			members(d, func(key string) {
				if key == "PURL" {
					v.purl = word(d)
				} else {
					d.Skip()
				}
			})
		case "InstalledVersion":
			v.version = word(d)
		case "FixedVersion":
			v.fixed = word(d)
		case "Status":
			v.status = strings.ToLower(word(d))
		case "Title":
			v.title = word(d)
		case "Description":
			v.description = text(d, 8<<10)
		case "Message":
			v.message = text(d, 4<<10)
		case "Resolution":
			v.resolution = text(d, 4<<10)
		case "Severity":
			v.severity = severity(word(d))
		case "Category":
			v.category = word(d)
		case "PrimaryURL":
			v.url = word(d)
		case "References":
			v.refs = texts(d, maxReferences)
		case "CweIDs":
			v.cwes = cwes(texts(d, maxReferences))
		case "CVSS":
			v.readCVSS(d)
		case "CauseMetadata":
			v.readCause(d)
		case "StartLine":
			v.line = word(d)
		default:
			d.Skip()
		}
	})
	return v
}

// readCVSS reads {"nvd":{"V3Vector":…,"V40Vector":…},"redhat":…}.
func (v *trivyItem) readCVSS(d *jsonstream.Decoder) {
	members(d, func(source string) {
		members(d, func(key string) {
			if strings.HasSuffix(key, "Vector") && len(v.vectors) < 100 {
				v.vectors = append(v.vectors, scored{source, word(d)})
			} else {
				d.Skip()
			}
		})
	})
}

func (v *trivyItem) readCause(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "Resource":
			v.resource = word(d)
		case "StartLine":
			v.line = word(d)
		default:
			d.Skip()
		}
	})
}

// place is the file and line of a record that is about a file.
func (r *trivyReport) place(v *trivyItem) string {
	if v.line != "" && v.line != "0" {
		return r.target + ":" + v.line
	}
	return r.target
}

func (r *trivyReport) vulnerability(v *trivyItem) error {
	switch {
	case v.id == "":
		return r.o.drop("a vulnerability without an id")
	case v.status == "not_affected":
		return r.o.note("not affected")
	}
	ids := finding.CVEsIn(v.id)
	if ids == nil {
		ids = finding.CVEsIn(strings.Join(v.ids, " "))
	}
	name, _, ok := finding.PackageOf(v.purl)
	if !ok {
		name = v.pkg
	}
	installed := fmt.Sprintf("%s %s is installed.", name, cmp.Or(v.version, "of unknown version"))
	if v.fixed == "" && v.status != "" {
		installed += " Status: " + strings.ReplaceAll(v.status, "_", " ") + "."
	}
	return r.o.observe(finding.Observation{
		HostName: r.hostName(), Component: finding.Component(v.purl, v.pkg, v.version), Check: "trivy:" + v.id, CVEs: ids,
		Title: cmp.Or(v.title, v.id+" in "+name), Output: sentences(installed, v.description), Location: cmp.Or(v.path, r.target),
		Remedy: upgrade(name, v.fixed), FixedIn: v.fixed, Vector: newest(v.vectors, "nvd", "ghsa", "redhat"), Confidence: fromPackages,
		Severity: v.severity, CWEs: v.cwes, References: reflist([]string{v.url}, v.refs, v.ids), At: r.at,
	})
}

// misconfiguration: the file is a part of the check, so that one rule in two files is two findings and one that passes
// ends what failed in the same file.
func (r *trivyReport) misconfiguration(v *trivyItem) error {
	id := cmp.Or(v.id, strings.Join(v.ids, ""))
	switch {
	case id == "":
		return r.o.drop("a misconfiguration without an id")
	case v.status == "exception":
		return r.o.drop("suppressed in the report")
	}
	resource := ""
	if v.resource != "" {
		resource = "Resource: " + v.resource
	}
	return r.o.cry(finding.Observation{
		HostName: r.hostName(), Check: "trivy:" + id + "@" + r.target, Title: cmp.Or(v.title, id),
		Output: sentences(v.message, resource, v.description), Location: r.place(v), Remedy: v.resolution, Confidence: fromCheck,
		Severity: v.severity, CWEs: v.cwes, References: reflist([]string{v.url}, v.refs), At: r.at, Passed: v.status == "pass",
	})
}

// secret: what was found stays where it is; not even what Trivy leaves of it is kept.
func (r *trivyReport) secret(v *trivyItem) error {
	if v.id == "" {
		return r.o.drop("a secret without an id")
	}
	return r.o.observe(finding.Observation{
		HostName: r.hostName(), Check: "trivy:" + v.id + "@" + r.target, Title: cmp.Or(v.title, v.id) + " in " + r.target,
		Output: sentences("A secret lies open in "+r.place(v)+".", v.category), Location: r.place(v),
		Remedy:     "Revoke the secret, take it out of the file and keep it where only those who need it can read it.",
		Confidence: fromPattern, Severity: v.severity, CWEs: []int{798}, At: r.at,
	})
}
