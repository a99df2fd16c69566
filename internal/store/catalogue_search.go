package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/match"
)

const (
	defaultPage = 50
	largestPage = 1000
)

// search is a checked filter.
type search struct {
	catalogue.Filter
	words  []string
	ids    []cve.ID // named among the words
	offset int      // by relevance
	after  [2]int64 // else: the sort key and the id of the last hit of the page before
	paged  bool
}

func newSearch(f catalogue.Filter) (*search, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	s := &search{Filter: f}
	if f.Limit <= 0 {
		s.Limit = defaultPage
	}
	s.Limit = min(s.Limit, largestPage)
	var rest string
	s.ids, rest = f.Named()
	s.words = catalogue.Words(rest)
	if strings.TrimSpace(f.Words) != "" && len(s.words) == 0 && len(s.ids) == 0 {
		return nil, fault.Invalid("search %.40q: no letter or digit in it", f.Words)
	}
	switch {
	case f.Sort == "" && len(s.words) > 0:
		s.Sort = catalogue.SortRelevance
	case f.Sort == "", f.Sort == catalogue.SortRelevance && len(s.words) == 0:
		s.Sort = catalogue.SortDate
	}
	return s, s.parseCursor()
}

// parseCursor reads "o<offset>" or "<sort>:<key>.<id>".
func (s *search) parseCursor() error {
	if s.After == "" {
		return nil
	}
	bad := fault.Invalid("cursor %.40q: not one of ours, or of another order", s.After)
	var err error
	if s.Sort == catalogue.SortRelevance {
		offset, ok := strings.CutPrefix(s.After, "o")
		s.offset, err = strconv.Atoi(offset)
		if !ok || err != nil || s.offset < 0 || s.offset > 1<<20 {
			return bad
		}
		return nil
	}
	place, ok := strings.CutPrefix(s.After, string(s.Sort)+":")
	key, id, split := strings.Cut(place, ".")
	if !ok || !split {
		return bad
	}
	s.paged = true
	var errID error
	s.after[0], err = strconv.ParseInt(key, 10, 64)
	s.after[1], errID = strconv.ParseInt(id, 10, 64)
	if err != nil || errID != nil {
		return bad
	}
	return nil
}

// find returns one page, in order.
func (s *search) find(ctx context.Context, tx *Tx, among []cve.ID) (page []*cve.Record, next string, err error) {
	q, err := s.selection(ctx, tx, among)
	if err != nil || q == nil {
		return nil, "", err
	}
	if s.Sort == catalogue.SortRelevance {
		return s.byRelevance(ctx, tx, q)
	}
	if len(s.words) > 0 {
		q.and(s.standIn(tx.engine, false))
	}
	return s.byKey(ctx, tx, q)
}

// selection holds every condition but the words; nil if nothing can meet them. Everything that a user typed is a
// parameter. among are the CVEs that a CPE name selects.
func (s *search) selection(ctx context.Context, tx *Tx, among []cve.ID) (*selection, error) {
	q := &selection{}
	q.list(tx.engine, s.ids)
	if s.CPE != "" {
		if len(among) == 0 {
			return nil, nil
		}
		q.list(tx.engine, among)
	}
	within, limited, err := s.products(ctx, tx)
	if err != nil || limited && len(within) == 0 {
		return nil, err
	}
	q.list(tx.engine, within)
	if s.IDs != nil && len(s.IDs) == 0 {
		return nil, nil
	}
	q.list(tx.engine, s.IDs)
	switch {
	case s.Withdrawn:
		q.and(`f.rejected = 1`)
	case len(s.ids) == 0:
		q.and(`f.rejected = 0`)
	}
	s.bounds(q)
	s.kinds(q)
	return q, nil
}

func (s *search) bounds(q *selection) {
	for _, b := range []struct {
		part  string
		value *float64
	}{
		{`f.cvss >= ?`, s.MinCVSS}, {`f.cvss <= ?`, s.MaxCVSS}, {`f.epss >= ?`, s.MinEPSS}, {`f.epss <= ?`, s.MaxEPSS},
	} {
		if b.value != nil {
			q.and(b.part, *b.value)
		}
	}
	for _, b := range []struct {
		part string
		at   time.Time
	}{
		{`f.published >= ?`, s.PublishedFrom}, {`f.published < ?`, s.PublishedTo},
		{`f.modified >= ?`, s.ModifiedFrom}, {`f.modified < ?`, s.ModifiedTo},
		{`f.id IN (SELECT cve FROM kev WHERE added >= ?)`, s.KEVFrom}, {`f.id IN (SELECT cve FROM kev WHERE added < ?)`, s.KEVTo},
	} {
		if !b.at.IsZero() {
			q.and(b.part, b.at.Unix())
		}
	}
}

func (s *search) kinds(q *selection) {
	if s.KEV {
		q.and(`f.id IN (SELECT cve FROM kev)`)
	}
	if s.Ransomware {
		q.and(`f.id IN (SELECT cve FROM kev WHERE ransomware = 1)`)
	}
	s.without(q)
	if len(s.Decisions) > 0 {
		ranks := make([]any, len(s.Decisions))
		for i, decision := range s.Decisions {
			ranks[i] = catalogue.DecisionRank(decision)
		}
		q.and(`f.rank / `+rankStep+` IN (`+Marks(len(ranks))+`)`, ranks...)
	}
	if len(s.Severities) > 0 {
		codes := make([]any, len(s.Severities))
		for i, severity := range s.Severities {
			codes[i] = catalogue.SeverityCode(severity)
		}
		q.and(`f.severity IN (`+Marks(len(codes))+`)`, codes...)
	}
	if n, ok := catalogue.CWENumber(s.CWE); ok {
		q.and(`f.id IN (SELECT cve FROM cve_cwe WHERE cwe = ?)`, n)
	}
	var weaknesses, techniques alternatives
	for _, name := range s.CWEs {
		n, _ := catalogue.CWENumber(name)
		weaknesses.add(`f.id IN (SELECT cve FROM cve_cwe WHERE cwe = ?)`, n)
	}
	for _, id := range s.Techniques {
		part, args := techniqueIs(id)
		techniques.add(part, args...)
	}
	weaknesses.join(q, s.AnyOf)
	techniques.join(q, s.AnyOf)
	switch bits := catalogue.ExploitNames[s.Exploit]; {
	case bits != 0:
		q.and(`f.exploits <> 0 AND f.exploits & ? <> 0`, int64(bits)) // the first lets an index answer
	case s.Exploit != "":
		q.and(`f.exploits <> 0`)
	}
	if s.Technique != "" {
		part, args := techniqueIs(s.Technique)
		q.and(part, args...)
	}
}

// techniqueIs are the CVEs that are linked to a technique, or to a sub-technique of it.
func techniqueIs(id string) (part string, args []any) {
	id = strings.ToUpper(id)
	return `(f.id IN (SELECT cve FROM mapping WHERE technique = ? OR technique >= ? AND technique < ?) OR f.techniques & ? <> 0)`,
		[]any{id, id + ".", id + "/", int64(catalogue.TechniqueBits(id))}
}

// alternatives are conditions of one kind, of which all must hold, or any.
type alternatives struct {
	parts []string
	args  []any
}

func (a *alternatives) add(part string, args ...any) {
	a.parts, a.args = append(a.parts, part), append(a.args, args...)
}

func (a *alternatives) join(q *selection, anyOf bool) {
	if len(a.parts) == 0 {
		return
	}
	between := ` AND `
	if anyOf {
		between = ` OR `
	}
	q.and(`(`+strings.Join(a.parts, between)+`)`, a.args...)
}

// rankStep is what a rank is divided by for its decision: a digit before seven and seven.
const rankStep = `100000000000000`

// inUse are the CVEs that CISA knows to be attacked.
const inUse = `(SELECT cve FROM kev UNION SELECT cve FROM ssvc WHERE exploitation = 'active')`

// without are the conditions that something is not so.
func (s *search) without(q *selection) {
	if s.NotKEV {
		q.and(`f.id NOT IN (SELECT cve FROM kev)`)
	}
	if s.NotRansomware {
		q.and(`f.id NOT IN (SELECT cve FROM kev WHERE ransomware = 1)`)
	}
	if s.NoExploit {
		q.and(`f.exploits = 0`)
	}
	switch {
	case s.Exploited == nil:
	case *s.Exploited:
		q.and(`f.id IN ` + inUse)
	default:
		q.and(`f.id NOT IN ` + inUse)
	}
}

// keys are the columns of the orders, each with an index that walks it. Their last part is the id, newest first.
var keys = map[catalogue.Sort]struct{ column, direction, beyond string }{
	catalogue.SortDate:       {`published`, ` DESC`, `f.published <= ? AND (f.published < ? OR f.id < ?)`},
	catalogue.SortDecision:   {`rank`, ``, `f.rank >= ? AND (f.rank > ? OR f.id < ?)`},
	catalogue.SortLikelihood: {`likelihood`, ``, `f.likelihood >= ? AND (f.likelihood > ? OR f.id < ?)`},
	catalogue.SortScore:      {`score`, ``, `f.score >= ? AND (f.score > ? OR f.id < ?)`},
}

func (s *search) byKey(ctx context.Context, tx *Tx, q *selection) ([]*cve.Record, string, error) {
	ids, at, err := s.inOrder(ctx, tx, q)
	if err != nil {
		return nil, "", err
	}
	next := ""
	skip := min(s.Skip, len(ids))
	if ids, at = ids[skip:], at[skip:]; len(ids) > s.Limit {
		ids = ids[:s.Limit]
		next = fmt.Sprintf("%s:%d.%d", s.Sort, at[s.Limit-1], ids[s.Limit-1])
	}
	page, err := recordList(ctx, tx, ids)
	return page, next, err
}

// walk is how many rows are looked at in their order before it is cheaper to look at all and sort what passes. Walking
// the whole of an index and fetching every row costs 300 ms over 280,000 CVEs, reading the table as it lies 40 to 90.
const walk = 2000

// fewIDs are quicker looked up than found on a walk.
const fewIDs = 5000

// inOrder returns up to one more than the skipped and the page's ids with their keys.
func (s *search) inOrder(ctx context.Context, tx *Tx, q *selection) (ids []cve.ID, at []int64, err error) {
	key, most := keys[s.Sort], s.Skip+s.Limit+1
	page := &selection{}
	if s.paged {
		page.and(key.beyond, s.after[0], s.after[0], s.after[1])
	}
	inIndex := ` ORDER BY f.` + key.column + key.direction + `, f.id DESC LIMIT ?`
	if !q.listed {
		ids, at, err = selectIDs(ctx, tx, `SELECT f.id, f.`+key.column+` FROM (SELECT * FROM cve_fact f`+page.where()+inIndex+`) f`+
			q.where()+inIndex, slices.Concat(page.args, []any{walk}, q.args, []any{most}))
		if err != nil || len(ids) == most {
			return ids, at, err
		}
	}
	if tx.engine == Postgres {
		// A page needs some thousand rows at most: looking these up is quicker than hashing the whole table.
		if _, err := tx.Exec(ctx, `SET LOCAL enable_hashjoin = off`); err != nil {
			return nil, nil, err
		}
	}
	q = q.also(page.parts...)
	// The sum keeps the engines from walking the index of the order.
	return selectIDs(ctx, tx, `SELECT f.id, f.`+key.column+` FROM cve_fact f`+q.where()+
		` ORDER BY f.`+key.column+` + 0`+key.direction+`, f.id DESC LIMIT ?`, slices.Concat(q.args, page.args, []any{most}))
}

// candidates is how many hits are ranked, and so how many can be paged through, while there is no text index: the newest
// of those whose title or products hold all the words, then the newest that hold them anywhere. Going by id costs the
// same for "vulnerability" as for "openssh"; ranking all hits of a common word took 300 ms.
const candidates = 600

func (s *search) byRelevance(ctx context.Context, tx *Tx, q *selection) ([]*cve.Record, string, error) {
	ids, err := s.candidates(ctx, tx, q)
	if err != nil {
		return nil, "", err
	}
	found, err := recordList(ctx, tx, ids)
	if err != nil {
		return nil, "", err
	}
	exploited, err := kevIDs(ctx, tx)
	if err != nil {
		return nil, "", err
	}
	catalogue.Rank(s.words, found, func(id cve.ID) bool { return exploited[id] })
	begin := s.offset + s.Skip
	found = found[min(begin, len(found)):]
	if len(found) <= s.Limit {
		return found, "", nil
	}
	return found[:s.Limit], "o" + strconv.Itoa(begin+s.Limit), nil
}

func (s *search) candidates(ctx context.Context, tx *Tx, q *selection) ([]cve.ID, error) {
	var ids []cve.ID
	for _, narrow := range []bool{true, false} {
		part, term := s.standIn(tx.engine, narrow)
		more, _, err := selectIDs(ctx, tx, `SELECT f.id, f.published FROM cve_fact f`+q.also(part).where()+` ORDER BY f.id DESC LIMIT ?`,
			append(slices.Clone(q.args), term, candidates))
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
		if len(ids) >= candidates {
			break
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// standIn is the condition that finds words without a text index: narrow ones have all words in title and products.
func (s *search) standIn(engine Engine, narrow bool) (part string, term any) {
	if engine == Postgres {
		return `f.id IN (SELECT c.id FROM cve c WHERE c.words @@ to_tsquery('simple', ?))`, postgresTerms(s.words, narrow)
	}
	return `f.id IN (SELECT rowid FROM cve_text WHERE cve_text MATCH ?)`, sqliteTerms(s.words, narrow)
}

func selectIDs(ctx context.Context, tx *Tx, query string, args []any) (ids []cve.ID, published []int64, err error) {
	err = each(ctx, tx, query, args, func(rows *sql.Rows) error {
		var id cve.ID
		var at int64
		err := rows.Scan(&id, &at)
		ids, published = append(ids, id), append(published, at)
		return err
	})
	return ids, published, err
}

// recordList reads records in the order of ids.
func recordList(ctx context.Context, tx *Tx, ids []cve.ID) ([]*cve.Record, error) {
	found := make(map[cve.ID]*cve.Record, len(ids))
	if err := readRecords(ctx, tx, ids, found); err != nil {
		return nil, err
	}
	list := make([]*cve.Record, 0, len(ids))
	for _, id := range ids {
		if r := found[id]; r != nil {
			list = append(list, r)
		}
	}
	return list, nil
}

func kevIDs(ctx context.Context, tx *Tx) (map[cve.ID]bool, error) {
	out := map[cve.ID]bool{}
	err := each(ctx, tx, `SELECT cve FROM kev`, nil, func(rows *sql.Rows) error {
		var id cve.ID
		err := rows.Scan(&id)
		out[id] = true
		return err
	})
	return out, err
}

// products returns the CVEs that the packs of the vendor's or product's rules name. limited is false without either.
func (s *search) products(ctx context.Context, tx *Tx) (ids []cve.ID, limited bool, err error) {
	if s.Vendor == "" && s.Product == "" && len(s.Products) == 0 {
		return nil, false, nil
	}
	if s.Vendor != "" || s.Product != "" {
		if ids, err = namedByAny(ctx, tx, spellings(catalogue.Product{Vendor: s.Vendor, Product: s.Product})); err != nil || len(s.Products) == 0 {
			return ids, true, err
		}
	}
	var asked []cpe.Product
	for _, p := range s.Products {
		asked = append(asked, spellings(p)...)
	}
	any, err := namedByAny(ctx, tx, asked)
	if s.Vendor != "" || s.Product != "" {
		any = slices.DeleteFunc(any, func(id cve.ID) bool {
			_, both := slices.BinarySearch(ids, id)
			return !both
		})
	}
	return any, true, err
}

func namedByAny(ctx context.Context, tx *Tx, products []cpe.Product) (ids []cve.ID, err error) {
	for _, p := range products {
		found, err := namedBy(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// spellings lists the vendor and product with all names under which that product stands; an empty one is any.
func spellings(p catalogue.Product) []cpe.Product {
	asked := cpe.Product{Part: 'a', Vendor: p.Vendor, Product: p.Product}
	if asked.Vendor != "" {
		asked.Vendor = cpe.Quote(asked.Vendor)
	}
	if asked.Product != "" {
		asked.Product = cpe.Quote(asked.Product)
	}
	if asked.Vendor == "" || asked.Product == "" {
		return []cpe.Product{asked}
	}
	return cpe.Aliases(asked)
}

// namedBy lists the CVEs in the packs of one vendor and product in all parts.
func namedBy(ctx context.Context, tx *Tx, p cpe.Product) (ids []cve.ID, err error) {
	query, args := `SELECT pack FROM product_pack1 WHERE part IN ('a', 'h', 'o')`, []any{}
	if p.Vendor != "" {
		query, args = query+` AND vendor = ?`, append(args, p.Vendor)
	}
	if p.Product != "" {
		query, args = query+` AND product = ?`, append(args, p.Product)
	}
	err = each(ctx, tx, query, args, func(rows *sql.Rows) error {
		var pack []byte
		if err := rows.Scan(&pack); err != nil {
			return err
		}
		named, err := match.CVEs(pack)
		ids = append(ids, named...)
		return err
	})
	return ids, err
}

// sqliteTerms quotes each word, so that none can be an operator; catalogue.Words left no quote in it.
func sqliteTerms(words []string, narrow bool) string {
	all := terms(words, `"%s"`, `"%s" *`, ` AND `)
	if narrow {
		return `{title products} : (` + all + `)`
	}
	return all
}

// postgresTerms does the same for to_tsquery; title and products have the weights A and B.
func postgresTerms(words []string, narrow bool) string {
	if narrow {
		return terms(words, `'%s':AB`, `'%s':*AB`, ` & `)
	}
	return terms(words, `'%s'`, `'%s':*`, ` & `)
}

func terms(words []string, exact, prefix, and string) string {
	var out []string
	for _, word := range words {
		format := exact
		if len(word) >= catalogue.PrefixFrom { // "overflow" also finds "overflows"
			format = prefix
		}
		out = append(out, fmt.Sprintf(format, word))
	}
	return strings.Join(out, and)
}

// selection collects what a WHERE joins by AND, with its parameters in order.
type selection struct {
	parts  []string
	args   []any
	listed bool // a list of few ids is among them
}

func (c *selection) and(part string, args ...any) {
	c.parts = append(c.parts, part)
	c.args = append(c.args, args...)
}

// also is and for parts whose parameters the caller places, behind the others.
func (c *selection) also(parts ...string) *selection {
	return &selection{parts: slices.Concat(c.parts, parts), args: c.args, listed: c.listed}
}

// list restricts the id to a list, handed over as one JSON parameter: it may be longer than engines allow parameters.
func (c *selection) list(engine Engine, ids []cve.ID) {
	if len(ids) == 0 {
		return
	}
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i] = int64(id)
	}
	text, _ := json.Marshal(numbers) // numbers always marshal
	c.listed = c.listed || len(ids) <= fewIDs
	if engine == Postgres {
		c.and(`f.id IN (SELECT CAST(v AS BIGINT) FROM json_array_elements_text(CAST(? AS json)) AS v)`, string(text))
		return
	}
	c.and(`f.id IN (SELECT value FROM json_each(?))`, string(text))
}

func (c *selection) where() string {
	if len(c.parts) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(c.parts, ` AND `)
}

func decodeReasons(text string, into *[]feed.Reason) error {
	if text == "" || text == "null" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}
