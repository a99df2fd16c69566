package starter

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

//go:embed products.txt
var productList string

// Chooser is a feed.Sink that keeps what belongs into the starter catalogue. Not safe for concurrent use.
type Chooser struct {
	feed.Nothing // of all else
	products     map[[2]string]bool
	families     [][2]string // vendor and prefix of the product
	kev          map[cve.ID]intel.KEV
	records      map[cve.ID]*cve.Record
}

// NewChooser reads the product list.
func NewChooser() (*Chooser, error) {
	c := &Chooser{products: map[[2]string]bool{}, kev: map[cve.ID]intel.KEV{}, records: map[cve.ID]*cve.Record{}}
	number := 0
	for line := range strings.Lines(productList) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		vendor, product, ok := strings.Cut(line, ":")
		if !ok || vendor == "" || product == "" {
			return nil, fmt.Errorf("products.txt line %d: want vendor:product", number)
		}
		c.add(vendor, product)
	}
	return c, nil
}

func (c *Chooser) add(vendor, product string) {
	if prefix, ok := strings.CutSuffix(product, "*"); ok {
		c.families = append(c.families, [2]string{vendor, prefix})
		return
	}
	for _, part := range []byte{'a', 'o', 'h'} {
		for _, p := range cpe.Aliases(cpe.Product{Part: part, Vendor: vendor, Product: product}) {
			c.products[[2]string{p.Vendor, p.Product}] = true
		}
	}
}

// wanted says whether a record names a listed product as vulnerable.
func (c *Chooser) wanted(r *cve.Record) bool {
	for _, p := range match.ProductsOf(r) {
		if c.products[[2]string{p.Vendor, p.Product}] {
			return true
		}
		for _, f := range c.families {
			if p.Vendor == f[0] && strings.HasPrefix(p.Product, f[1]) {
				return true
			}
		}
	}
	return false
}

// CVE implements feed.Sink. KEV must have been read before.
func (c *Chooser) CVE(r *cve.Record) error {
	if r.Rejected() {
		return nil
	}
	if _, exploited := c.kev[r.ID]; !exploited && !c.wanted(r) {
		return nil
	}
	if old := c.records[r.ID]; old == nil || !r.Modified.Before(old.Modified) {
		c.records[r.ID] = r
	}
	return nil
}

// KEV implements feed.Sink. Names, dates and the ransomware mark are facts; CISA's texts stay behind.
func (c *Chooser) KEV(k intel.KEV) error {
	c.kev[k.CVE] = intel.KEV{CVE: k.CVE, Vendor: k.Vendor, Product: k.Product, Added: k.Added, Due: k.Due, Ransomware: k.Ransomware}
	return nil
}

// Starter returns what was chosen. Its date is that of the newest fact.
func (c *Chooser) Starter() *catalogue.Starter {
	s := &catalogue.Starter{}
	for _, k := range c.kev {
		s.KEV = append(s.KEV, k)
		s.Date = later(s.Date, k.Added)
	}
	slices.SortFunc(s.KEV, func(a, b intel.KEV) int { return int(a.CVE - b.CVE) })
	for _, r := range c.records {
		s.Records = append(s.Records, r)
		s.Date = later(s.Date, later(r.Published, r.Modified))
	}
	slices.SortFunc(s.Records, func(a, b *cve.Record) int { return int(a.ID - b.ID) })
	return s
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
