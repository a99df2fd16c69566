package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	before [2]int64 // by date: published and id of the last hit of the page before
}

func newSearch(f catalogue.Filter) (*search, error) {
	s := &search{Filter: f}
	if f.Limit <= 0 {
		s.Limit = defaultPage
	}
	s.Limit = min(s.Limit, largestPage)
	var rest []string
	for _, word := range strings.Fields(f.Words) {
		if id, err := cve.ParseID(word); err == nil {
			s.ids = append(s.ids, id)
			continue
		}
		rest = append(rest, word)
	}
	s.words = catalogue.Words(strings.Join(rest, " "))
	if strings.TrimSpace(f.Words) != "" && len(s.words) == 0 && len(s.ids) == 0 {
		return nil, fault.Invalid("search %.40q: no letter or digit in it", f.Words)
	}
	if f.MinCVSS != nil && !(*f.MinCVSS >= 0 && *f.MinCVSS <= 10) {
		return nil, fault.Invalid("lowest CVSS %g: want 0 to 10", *f.MinCVSS)
	}
	return s, s.parseCursor()
}

// parseCursor reads "o<offset>" or "p<published>.<id>".
func (s *search) parseCursor() error {
	if s.After == "" {
		return nil
	}
	bad := fault.Invalid("cursor %.40q: not one of ours", s.After)
	var err error
	switch kind, rest := s.After[0], s.After[1:]; kind {
	case 'o':
		s.offset, err = strconv.Atoi(rest)
	case 'p':
		_, err = fmt.Sscanf(rest, "%d.%d", &s.before[0], &s.before[1])
	default:
		return bad
	}
	if err != nil || s.offset < 0 || s.offset > 1<<20 {
		return bad
	}
	return nil
}

// find returns one page, in order.
func (s *search) find(ctx context.Context, tx *Tx) (page []*cve.Record, next string, err error) {
	within, limited, err := s.products(ctx, tx)
	if err != nil || limited && len(within) == 0 {
		return nil, "", err
	}
	q := s.selection(tx.engine, within)
	if len(s.words) > 0 {
		return s.byRelevance(ctx, tx, q)
	}
	return s.byDate(ctx, tx, q)
}

// selection holds every condition but the words. Everything that a user typed is a parameter.
func (s *search) selection(engine Engine, within []cve.ID) *selection {
	q := &selection{}
	q.list(engine, s.ids)
	q.list(engine, within)
	if s.KEV {
		q.and(`c.id IN (SELECT cve FROM kev)`)
	}
	if s.MinCVSS != nil {
		q.and(`c.cvss >= ?`, *s.MinCVSS)
	}
	return q
}

func (s *search) byDate(ctx context.Context, tx *Tx, q *selection) ([]*cve.Record, string, error) {
	if len(s.ids) == 0 {
		q.and(`c.status <> 'Rejected'`)
	}
	if s.before[1] != 0 {
		q.and(`(c.published, c.id) < (?, ?)`, s.before[0], s.before[1])
	}
	ids, published, err := selectIDs(ctx, tx, `SELECT c.id, c.published FROM cve c`+q.where()+
		` ORDER BY c.published DESC, c.id DESC LIMIT ?`, append(q.args, s.Limit+1))
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(ids) > s.Limit {
		ids = ids[:s.Limit]
		next = fmt.Sprintf("p%d.%d", published[s.Limit-1], ids[s.Limit-1])
	}
	page, err := recordList(ctx, tx, ids)
	return page, next, err
}

// candidates is how many hits are ranked, and so how many can be paged through: the newest of those whose title or
// products hold all the words, then the newest that hold them anywhere. Going by id costs the same for "vulnerability"
// as for "openssh"; ranking all hits of a common word took 300 ms.
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
	found = found[min(s.offset, len(found)):]
	if len(found) <= s.Limit {
		return found, "", nil
	}
	return found[:s.Limit], "o" + strconv.Itoa(s.offset+s.Limit), nil
}

func (s *search) candidates(ctx context.Context, tx *Tx, q *selection) ([]cve.ID, error) {
	var ids []cve.ID
	for _, narrow := range []bool{true, false} {
		query, args := s.textQuery(tx.engine, q, narrow)
		more, _, err := selectIDs(ctx, tx, query, args)
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

// textQuery finds the newest hits: narrow ones have all words in title and products.
func (s *search) textQuery(engine Engine, q *selection, narrow bool) (string, []any) {
	if engine == Postgres {
		return `SELECT c.id, c.published FROM cve c` + q.also(`c.words @@ to_tsquery('simple', ?)`).where() +
			` ORDER BY c.id DESC LIMIT ?`, append(slices.Clone(q.args), postgresTerms(s.words, narrow), candidates)
	}
	// Without conditions on it the table of CVEs need not be touched for every hit.
	from := `cve_text t`
	if len(q.parts) > 0 {
		from = `cve_text t JOIN cve c ON c.id = t.rowid`
	}
	return `SELECT t.rowid, 0 FROM ` + from + q.also(`cve_text MATCH ?`).where() + ` ORDER BY t.rowid DESC LIMIT ?`,
		append(slices.Clone(q.args), sqliteTerms(s.words, narrow), candidates)
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
	if s.Vendor == "" && s.Product == "" {
		return nil, false, nil
	}
	for _, p := range s.spellings() {
		found, err := namedBy(ctx, tx, p)
		if err != nil {
			return nil, true, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, nil
}

// spellings lists the vendor and product with all names under which that product stands; an empty one is any.
func (s *search) spellings() []cpe.Product {
	asked := cpe.Product{Part: 'a', Vendor: s.Vendor, Product: s.Product}
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
	parts []string
	args  []any
}

func (c *selection) and(part string, args ...any) {
	c.parts = append(c.parts, part)
	c.args = append(c.args, args...)
}

// also is and for a part whose parameter the caller places.
func (c *selection) also(part string) *selection {
	return &selection{parts: append(slices.Clone(c.parts), part), args: c.args}
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
	if engine == Postgres {
		c.and(`c.id IN (SELECT CAST(v AS BIGINT) FROM json_array_elements_text(CAST(? AS json)) AS v)`, string(text))
		return
	}
	c.and(`c.id IN (SELECT value FROM json_each(?))`, string(text))
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
