package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// RefusedStatement is a VEX statement, or one product of it, that became no rule.
type RefusedStatement struct {
	Statement Statement
	Reason    string // a stable short reason, for the ledger
}

// The reasons for which a statement is refused.
const (
	RefusedNoProduct = "names no product"
	RefusedNoVersion = "says fixed, but not in which version"
	RefusedProduct   = "names a product in a way that is not known"
	RefusedStatus    = "has a status that is not known"
	RefusedNoCVE     = "names no CVE"
)

// RulesFromStatements turns what VEX documents say into rules (docs/triage.md):
//
//   - not_affected sets the CVE aside as false positive in the products that are named, everywhere;
//   - fixed does so too, in the very versions that are named: they hold the fix, whatever their version looks like;
//   - affected and under_investigation take back what the same author said of the product before. They become rules without
//     effect, so that an older document that is read later does not set aside again what a newer one took back.
//
// Of what one author says of one CVE in one product the newest statement counts, whatever the order. Statements without a
// date count as said now. What cannot be a rule is refused. The rules come sorted and without ids.
func RulesFromStatements(statements []Statement, now time.Time) ([]Rule, []RefusedStatement) {
	return MergeStatements(nil, statements, now).Add, refusedIn(statements)
}

// VEXChange is what statements do to stored rules.
type VEXChange struct {
	Add    []Rule // without ids
	Remove []int64
	Kept   int // stored rules that say just what they said
}

// MergeStatements brings statements into the stored rules of VEX documents: the newest statement of an author on a CVE in
// a product counts, wherever it is. The same document twice changes nothing. Statements that RulesFromStatements refuses
// are left out.
func MergeStatements(stored []Rule, statements []Statement, now time.Time) VEXChange {
	touched := map[vexGroup]bool{}
	for _, s := range statements {
		touched[vexGroup{sourceOf(s.Author), s.CVE.String()}] = true
	}
	words := map[vexKey]vexWord{}
	var old []Rule
	for _, r := range stored {
		if !touched[groupOf(&r)] {
			continue
		}
		old = append(old, r)
		for _, word := range rulesWords(&r) {
			words[word.vexKey] = newer(words[word.vexKey], word)
		}
	}
	for _, s := range statements {
		for _, word := range wordsOf(s, now) {
			before := words[word.vexKey]
			if s.At.IsZero() && before.status == word.status && before.reason == word.reason {
				continue // said again without a date
			}
			words[word.vexKey] = newer(before, word)
		}
	}
	return compareRules(old, rulesOf(words, now))
}

func compareRules(old, wanted []Rule) (c VEXChange) {
	left := map[string][]int64{}
	for i := range old {
		left[old[i].key()] = append(left[old[i].key()], old[i].ID)
	}
	for i := range wanted {
		key := wanted[i].key()
		if ids := left[key]; len(ids) > 0 {
			c.Kept++
			left[key] = ids[1:]
			continue
		}
		c.Add = append(c.Add, wanted[i])
	}
	for _, ids := range left {
		c.Remove = append(c.Remove, ids...)
	}
	slices.Sort(c.Remove)
	return c
}

type vexGroup struct {
	source string
	cve    string
}

func groupOf(r *Rule) vexGroup {
	if !strings.HasPrefix(r.Source, SourceVEX) || len(r.Where.Weaknesses) != 1 {
		return vexGroup{}
	}
	return vexGroup{r.Source, r.Where.Weaknesses[0]}
}

// vexKey is what one word is about; of several the newest counts.
type vexKey struct {
	source  string
	cve     cve.ID
	product string // the part, where the statement is about parts of products
	within  string // the products then, joined by line breaks
}

func (k vexKey) group() vexGroup { return vexGroup{k.source, k.cve.String()} }

type vexWord struct {
	vexKey
	status VEXStatus
	reason string
	said   time.Time
}

func newer(a, b vexWord) vexWord {
	if cmp.Or(a.said.Compare(b.said), b.caution()-a.caution(), strings.Compare(a.reason, b.reason)) >= 0 && a.status != "" {
		return a
	}
	return b
}

// caution settles two words of one author at one time: what hides less counts.
func (w vexWord) caution() int {
	return slices.Index([]VEXStatus{VEXAffected, VEXPending, VEXFixed, VEXNotAffected}, w.status)
}

func wordsOf(s Statement, now time.Time) (out []vexWord) {
	said := s.At
	if said.IsZero() || said.After(now) {
		said = now
	}
	said = said.UTC().Truncate(time.Second)
	about, within := s.about()
	for _, p := range about {
		if refuse(s, p) != "" {
			continue
		}
		out = append(out, vexWord{vexKey{sourceOf(s.Author), s.CVE, Cut(strings.TrimSpace(p), maxLine), within}, s.Status, reasonOf(s), said})
	}
	return out
}

// about is what a statement is about, and in what: parts within products, or the products themselves. A bare name that
// only repeats a purl is left out, since it is other packages' too.
func (s Statement) about() (names []string, within string) {
	names = s.Products
	if len(s.Parts) > 0 {
		names = s.Parts
		products := make([]string, 0, len(s.Products))
		for _, p := range s.Products {
			products = append(products, strings.Join(strings.Fields(p), " "))
		}
		slices.Sort(products)
		within = strings.Join(slices.Compact(products), "\n")
	}
	repeated := map[string]bool{}
	for _, n := range names {
		if name, version, ok := PackageOf(n); ok {
			repeated[Component("", name, version)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return repeated[n] }), within
}

func sourceOf(author string) string {
	author = Cut(strings.Join(strings.Fields(author), " "), 255)
	return SourceVEX + cmp.Or(author, "unknown author")
}

func reasonOf(s Statement) string {
	reason := Cut(strings.Join(strings.Fields(s.Reason), " "), maxLine)
	switch {
	case reason != "":
		return reason
	case s.Status == VEXFixed:
		return "this version holds the fix"
	case s.Status == VEXNotAffected:
		return "not affected"
	}
	return ""
}

// refuse says why a product of a statement becomes no rule, "" when it does.
func refuse(s Statement, text string) string {
	p, err := parseProduct(text)
	switch {
	case s.CVE == 0:
		return RefusedNoCVE
	case !slices.Contains([]VEXStatus{VEXNotAffected, VEXAffected, VEXFixed, VEXPending}, s.Status):
		return RefusedStatus
	case err != nil:
		return RefusedProduct
	case s.Status == VEXFixed && !p.versioned():
		return RefusedNoVersion
	}
	return ""
}

func refusedIn(statements []Statement) (out []RefusedStatement) {
	for _, s := range statements {
		if len(s.Products) == 0 {
			out = append(out, RefusedStatement{s, RefusedNoProduct})
			continue
		}
		var reasons []string
		about, _ := s.about()
		for _, p := range about {
			if reason := refuse(s, p); reason != "" && !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
				out = append(out, RefusedStatement{Statement{CVE: s.CVE, Products: []string{p}, Status: s.Status, Reason: s.Reason, Author: s.Author, At: s.At}, reason})
			}
		}
	}
	return out
}

// RefuseStatement says why a statement as a whole becomes no rule, "" when at least one of its products does. It is what
// an import's ledger counts by.
func RefuseStatement(s Statement) string {
	if len(s.Products) == 0 {
		return RefusedNoProduct
	}
	reason := ""
	about, _ := s.about()
	for _, p := range about {
		if reason = refuse(s, p); reason == "" {
			return ""
		}
	}
	return reason
}

func rulesWords(r *Rule) (out []vexWord) {
	id := Weakness(r.Where.Weaknesses[0]).CVE()
	for _, p := range r.Where.Products {
		out = append(out, vexWord{vexKey{r.Source, id, p, strings.Join(r.Where.Within, "\n")}, r.Says.VEX, r.Says.Reason, r.Says.Said.UTC()})
	}
	return out
}

// rulesOf makes one rule of all products of which an author says the same of a CVE at the same time.
func rulesOf(words map[vexKey]vexWord, now time.Time) []Rule {
	type same struct {
		vexGroup
		status VEXStatus
		reason string
		said   time.Time
		within string
	}
	products := map[same][]string{}
	for _, w := range words {
		key := same{w.group(), w.status, w.reason, w.said, w.within}
		products[key] = append(products[key], w.product)
	}
	var out []Rule
	for key, list := range products {
		slices.Sort(list)
		for part := range slices.Chunk(list, maxProducts) {
			out = append(out, vexRule(key.source, key.cve, key.status, key.reason, key.said, part, key.within, now))
		}
	}
	slices.SortFunc(out, func(a, b Rule) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), slices.Compare(a.Where.Weaknesses, b.Where.Weaknesses),
			slices.Compare(a.Where.Products, b.Where.Products), slices.Compare(a.Where.Within, b.Where.Within))
	})
	return out
}

// maxProducts bounds one rule: a vendor's document may name thousands of packages.
const maxProducts = 500

func vexRule(source, weakness string, status VEXStatus, reason string, said time.Time, products []string, within string, now time.Time) Rule {
	r := Rule{
		Name: fmt.Sprintf("%s: %s", strings.TrimPrefix(source, SourceVEX), status), Created: now.UTC().Truncate(time.Millisecond), By: source, Enabled: true, Source: source,
		Where: RuleWhere{Weaknesses: []string{weakness}, Products: slices.Clone(products)},
		Says:  RuleSays{State: Untriaged, Reason: reason, VEX: status, Said: said},
	}
	if within != "" {
		r.Where.Within = strings.Split(within, "\n")
	}
	if status == VEXNotAffected || status == VEXFixed {
		r.Says.State = FalsePositive
	}
	return r
}
