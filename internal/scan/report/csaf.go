package report

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// csaf reads CSAF 2.0 documents (OASIS, 2022), VEX and advisories. A record is what one vulnerability's product_status says
// under one word, whatever the number of products. A package that the document places into a platform counts only with its
// version: without one it would be said of every platform.
type csaf struct{}

// Name implements scan.Reader.
func (csaf) Name() string { return "csaf" }

// Detect implements scan.Reader.
func (csaf) Detect(head []byte) bool {
	found := outline(head)
	return has(found, "document.csaf_version") || strings.HasPrefix(found["document.category"], "csaf_") ||
		has(found, "product_tree", "vulnerabilities[].product_status")
}

// Read implements scan.Reader. The document is read twice: products may stand behind the vulnerabilities.
func (csaf) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("csaf", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := csafReport{o: newOut(emit), products: map[string]string{}}
	if err := kept.pass(ctx, "csaf", r.document); err != nil && !cut(err) {
		return err
	}
	if !r.known && kept.size > 0 {
		if err := kept.pass(ctx, "csaf", r.document); err != nil {
			return err
		}
		return fault.Invalid("not a CSAF document: it names no version of CSAF")
	}
	r.place()
	r.telling = true
	return kept.pass(ctx, "csaf", r.document)
}

type csafReport struct {
	o              *out
	known, telling bool
	author         string
	at             time.Time
	products       map[string]string // package URL, CPE or name by product_id
	placed         []csafPlaced
}

// csafPlaced is a product in another: a package in a distribution.
type csafPlaced struct{ id, part string }

func (r *csafReport) document(d *jsonstream.Decoder) error {
	for d.Object(); d.More(); {
		d.Done()
		switch key := string(d.Key()); {
		case key == "vulnerabilities" && r.telling:
			var v csafVulnerability
			if err := records(d, r.o, func() { v = readCSAF(d) }, func() error { return r.tell(&v) }); err != nil {
				return err
			}
		case r.telling:
			d.Skip()
		case key == "document":
			r.head(d)
		case key == "product_tree":
			r.tree(d, 0)
		default:
			d.Skip()
		}
	}
	return nil
}

func (r *csafReport) head(d *jsonstream.Decoder) {
	members(d, func(key string) {
		switch key {
		case "csaf_version":
			r.known = word(d) != "" || r.known
		case "category":
			r.known = strings.HasPrefix(word(d), "csaf_") || r.known
		case "publisher":
			members(d, func(key string) { set(d, key == "name", &r.author) })
		case "tracking":
			members(d, func(key string) {
				if key == "current_release_date" {
					r.at = moment(word(d))
				} else {
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
}

// tree reads the product tree and its branches, which hold more branches or a product.
func (r *csafReport) tree(d *jsonstream.Decoder, depth int) {
	if depth > 40 {
		d.Skip()
		return
	}
	members(d, func(key string) {
		switch key {
		case "branches":
			elements(d, func() { r.tree(d, depth+1) })
		case "product":
			r.product(d)
		case "full_product_names":
			elements(d, func() { r.product(d) })
		case "relationships":
			elements(d, func() { r.relationship(d) })
		default:
			d.Skip()
		}
	})
}

// product reads {"product_id":…,"name":…,"product_identification_helper":{"purl":…,"cpe":…}} and gives its id.
func (r *csafReport) product(d *jsonstream.Decoder) (id string) {
	var name, purl, cpe string
	members(d, func(key string) {
		switch key {
		case "product_id":
			id = word(d)
		case "name":
			name = word(d)
		case "product_identification_helper":
			members(d, func(key string) {
				switch key {
				case "purl":
					purl = word(d)
				case "cpe":
					cpe = word(d)
				default:
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
	for _, s := range []string{purl, cpe, name} {
		if s != "" && id != "" && len(r.products) < maxNames {
			r.products[id] = s
			break
		}
	}
	return id
}

func (r *csafReport) relationship(d *jsonstream.Decoder) {
	var p csafPlaced
	members(d, func(key string) {
		switch key {
		case "product_reference":
			p.part = word(d)
		case "full_product_name":
			p.id = r.product(d)
		default:
			d.Skip()
		}
	})
	if len(r.placed) < maxNames {
		r.placed = append(r.placed, p)
	}
}

// place names what stands in another product: by its package URL if that has a version, else not at all.
func (r *csafReport) place() {
	for _, p := range r.placed {
		own, part := r.products[p.id], r.products[p.part]
		if _, version, ok := finding.PackageOf(own); ok && version != "" {
			continue
		}
		delete(r.products, p.id)
		if _, version, ok := finding.PackageOf(part); ok && version != "" {
			r.products[p.id] = part
		}
	}
	r.placed = nil
}

type csafVulnerability struct {
	cve     cve.ID
	status  map[string][]string // product ids by the document's word
	reasons []string
	fixes   []string
}

func readCSAF(d *jsonstream.Decoder) csafVulnerability {
	v := csafVulnerability{status: map[string][]string{}}
	var others []string
	members(d, func(key string) {
		switch key {
		case "cve":
			v.cve = firstCVE([]string{word(d)})
		case "ids":
			elements(d, func() {
				id := ""
				members(d, func(key string) { set(d, key == "text", &id) })
				if len(others) < maxReferences {
					others = append(others, id)
				}
			})
		case "product_status":
			members(d, func(word string) {
				if len(v.status) < 20 {
					v.status[word] = texts(d, maxProducts)
				} else {
					d.Skip()
				}
			})
		case "flags":
			elements(d, func() { v.reasons = v.say(d, v.reasons, "label") })
		case "threats":
			elements(d, func() { v.reasons = v.say(d, v.reasons, "details") })
		case "remediations":
			elements(d, func() { v.fixes = v.say(d, v.fixes, "details") })
		default:
			d.Skip()
		}
	})
	if v.cve == 0 {
		v.cve = firstCVE(others)
	}
	return v
}

// say adds one text of an object to a list, each once.
func (v *csafVulnerability) say(d *jsonstream.Decoder, list []string, wanted string) []string {
	said := ""
	members(d, func(key string) {
		if key == wanted {
			said = text(d, 2<<10)
		} else {
			d.Skip()
		}
	})
	said = strings.ReplaceAll(said, "_", " ")
	if said != "" && len(list) < 10 && !slices.Contains(list, said) {
		return append(list, said)
	}
	return list
}

// tell: what is only recommended says nothing of a vulnerability.
func (r *csafReport) tell(v *csafVulnerability) error {
	if len(v.status) == 0 {
		return r.o.note("a vulnerability without a status")
	}
	for _, word := range slices.Sorted(maps.Keys(v.status)) {
		if word == "recommended" {
			if err := r.o.note("a recommended version"); err != nil {
				return err
			}
			continue
		}
		s := finding.Statement{CVE: v.cve, Status: vexStatus(word), Author: r.author, At: r.at}
		reasons := v.reasons
		if s.Status == finding.VEXAffected || s.Status == finding.VEXFixed {
			reasons = v.fixes
		}
		s.Reason = sentences(slices.Clone(reasons)...)
		for _, id := range v.status[word] {
			s.Products = more(s.Products, products(r.products[id]))
		}
		if err := state(r.o, s); err != nil {
			return err
		}
	}
	return nil
}
