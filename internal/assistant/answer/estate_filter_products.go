package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/version"
)

// runs narrows to what a scan or import saw; the last one is found out.
func (c *chosen) runs(ctx context.Context, q *Asked) (*trouble, error) {
	numbers, kind := append(slices.Clone(q.Scans), q.Imports...), "scan"
	if len(q.Scans) == 0 {
		kind = "import"
	}
	if len(numbers) == 0 || q.Measure == understand.Compare || q.Measure == understand.Change {
		return nil, nil
	}
	if len(numbers) > 1 {
		return &trouble{because: "findings are listed for one scan or import at a time", instead: "Ask for one, or compare two scans."}, nil
	}
	id := numbers[0]
	if id < 0 {
		list, _, err := q.Desk.ScanStatuses(ctx, request.Scans{Kind: kind, Status: "completed", Limit: int(min(-id, 50))})
		if err != nil {
			return nil, err
		}
		if int64(len(list)) < -id {
			return &trouble{because: "there is no such completed " + kind, instead: "Ask: when was the last scan?"}, nil
		}
		id = list[-id-1].ScanID
	}
	if _, err := q.Desk.ScanStatus(ctx, id); err != nil {
		if notFound(err) {
			return &trouble{because: fmt.Sprintf("there is no %s %d", kind, id), instead: "Ask which scans there are."}, nil
		}
		return nil, err
	}
	c.req.Scan = id
	c.where = append(c.where, fmt.Sprintf("in %s **%d**", kind, id))
	return nil, nil
}

// placed is where a product answers or lies on a host.
type placed struct {
	host    *report.AskHost
	service *report.Service // nil: a package
	name    string
	version string
	match   int // 1 the version is as asked, 0 it is not, -1 it is not known
}

// where is a place in words.
func (s placed) where() string {
	if s.service != nil {
		return fmt.Sprintf("%d/%s", s.service.Port, s.service.Protocol)
	}
	return "a package"
}

// runs lists where a product is on a host.
func runs(h *report.AskHost, p understand.ProductName) (out []placed) {
	for i := range h.Services {
		s := &h.Services[i]
		if isProduct(p, string(s.Product), string(s.Service), s.CPEs) {
			out = append(out, placed{host: h, service: s, name: cmpOr(string(s.Product), string(s.Service)), version: string(s.Version), match: inVersion(p, string(s.Version))})
		}
	}
	for _, c := range h.Components {
		name, v := finding.SplitComponent(c)
		if isPackage(p, name) {
			out = append(out, placed{host: h, name: name, version: v, match: inVersion(p, v)})
		}
	}
	return out
}

func isProduct(p understand.ProductName, product, service string, cpes []string) bool {
	if p.Product != "" {
		for _, c := range cpes {
			parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(c, "cpe:2.3:"), "cpe:/"), ":")
			if len(parts) >= 3 && strings.EqualFold(parts[2], p.Product) && (p.Vendor == "" || strings.EqualFold(parts[1], p.Vendor)) {
				return true
			}
		}
	}
	product, text := strings.ToLower(product), strings.ToLower(strings.TrimSpace(p.Text))
	if product == "" {
		return text != "" && strings.EqualFold(service, text)
	}
	if text != "" && strings.Contains(product, text) {
		return true
	}
	name := strings.ToLower(strings.ReplaceAll(p.Product, "_", " "))
	return name != "" && strings.Contains(product, name) && (!slices.Contains(generic, name) || p.Vendor != "" && strings.Contains(product, strings.ToLower(p.Vendor)))
}

// generic are names of products that others' products have in theirs: an HP HTTP Server is none of Apache's.
var generic = []string{"http server", "web server", "server", "client", "agent", "mail server", "ftp server", "dns server", "proxy", "gateway", "router", "firmware", "office", "database", "windows", "linux"}

func isPackage(p understand.ProductName, name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{p.Text, p.Product, strings.ReplaceAll(p.Product, "_", "-")} {
		if word = strings.ToLower(strings.TrimSpace(word)); len(word) > 1 && strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// inVersion says whether a version is one that was asked for: 1, 0, and -1 where it is not known.
func inVersion(p understand.ProductName, have string) int {
	if p.Version == "" {
		return 1
	}
	if have == "" {
		return -1
	}
	c, in := version.Compare(have, p.Version), false
	switch p.Relation {
	case "<":
		in = c < 0
	case "<=":
		in = c <= 0
	case ">":
		in = c > 0
	case ">=":
		in = c >= 0
	default:
		rest, begins := strings.CutPrefix(have, p.Version)
		in = c == 0 || begins && rest != "" && (rest[0] < '0' || rest[0] > '9')
	}
	if in {
		return 1
	}
	return 0
}

// productWords is a product with its version as people say it.
func productWords(p understand.ProductName) string {
	text := cmpOr(p.Text, strings.ReplaceAll(p.Product, "_", " "))
	if p.Version == "" || strings.HasSuffix(text, p.Version) && p.Relation == "" {
		return quote(text)
	}
	relation := map[string]string{"<": " older than ", "<=": " up to ", ">": " newer than ", ">=": " from "}[p.Relation]
	text = strings.TrimSpace(strings.TrimSuffix(text, p.Version))
	return quote(text) + cmpOr(relation, " ") + quote(p.Version)
}

// products narrows findings to those in products: by how services and packages call themselves, as the list does, else by
// what the CVEs affect.
func (c *chosen) products(ctx context.Context, q *Asked) (*trouble, error) {
	if len(q.Products) == 0 {
		return nil, nil
	}
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return nil, err
	}
	var words, names []string
	for _, p := range q.Products {
		words = append(words, bold(productWords(p)))
		names = append(names, namesOf(all, p)...)
	}
	c.where = append(c.where, "in "+or(words))
	slices.Sort(names)
	names = slices.Compact(names)
	one := q.Products[0]
	switch {
	case len(names) == 0 && len(q.Products) == 1 && one.Product != "":
		c.about.Vendor, c.about.Product, c.narrows, c.exact = one.Vendor, one.Product, true, false
	case len(names) == 1:
		c.req.Product = names[0]
	default:
		c.req.Further.Products, c.exact = append([]string{}, names...), false
	}
	if slices.ContainsFunc(q.Products, func(p understand.ProductName) bool { return p.Version != "" }) {
		c.exact = false
		c.req.Further.IDs, err = c.inVersions(ctx, q, all)
	}
	return nil, err
}

// inVersions are the findings in products in the versions that were asked for, whatever their state: what runs where is known,
// so that only the places of findings are read.
func (c *chosen) inVersions(ctx context.Context, q *Asked, all []report.AskHost) ([]int64, error) {
	type at struct {
		host     int64
		protocol string
		port     uint16
	}
	versions := map[at]string{}
	for i := range all {
		for _, s := range all[i].Services {
			versions[at{all[i].ID, s.Protocol, s.Port}] = string(s.Version)
		}
	}
	whole := request.AskFindings{Findings: request.Findings{State: "all", Hidden: true, Product: c.req.Product}, Further: finding.Further{Products: c.req.Further.Products}}
	ids := []int64{}
	err := q.Desk.AskPlaces(ctx, whole, func(p finding.Place) {
		v := versions[at{p.Host, p.Protocol, p.Port}]
		if p.Component != "" {
			_, v = finding.SplitComponent(p.Component)
		}
		if slices.ContainsFunc(q.Products, func(want understand.ProductName) bool { return inVersion(want, v) == 1 }) {
			ids = append(ids, p.ID)
		}
	})
	return ids, err
}

// namesOf is how a product is called on the hosts: as it was written where that occurs in names, else the names of what has
// its CPE.
func namesOf(all []report.AskHost, p understand.ProductName) []string {
	text := strings.ToLower(strings.TrimSpace(p.Text))
	if p.Version != "" {
		text = strings.TrimSpace(strings.TrimSuffix(text, strings.ToLower(p.Version)))
	}
	var out []string
	for i := range all {
		for _, s := range runs(&all[i], understand.ProductName{Text: text, Vendor: p.Vendor, Product: p.Product}) {
			name := strings.ToLower(s.name)
			if text != "" && strings.Contains(name, text) {
				name = text
			}
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
