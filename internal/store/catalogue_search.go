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
	if f.MinCVSS < 0 || f.MinCVSS > 10 {
		return nil, fault.Invalid("lowest CVSS %g: want 0 to 10", f.MinCVSS)
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

// find returns the ids of one page, in order.
func (s *search) find(ctx context.Context, tx *Tx) (ids []cve.ID, next string, err error) {
	within, limited, err := s.products(ctx, tx)
	if err != nil || limited && len(within) == 0 {
		return nil, "", err
	}
	query, args := s.query(tx.engine, within)
	var published []int64
	err = each(ctx, tx, query, args, func(rows *sql.Rows) error {
		var id cve.ID
		var at int64
		err := rows.Scan(&id, &at)
		ids, published = append(ids, id), append(published, at)
		return err
	})
	if err != nil || len(ids) <= s.Limit {
		return ids, "", err
	}
	ids = ids[:s.Limit]
	if len(s.words) > 0 {
		return ids, "o" + strconv.Itoa(s.offset+s.Limit), nil
	}
	return ids, fmt.Sprintf("p%d.%d", published[s.Limit-1], ids[s.Limit-1]), nil
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

// query selects id and published of one hit more than the page holds. Everything that a user typed is a parameter.
func (s *search) query(engine Engine, within []cve.ID) (string, []any) {
	q := &selection{}
	q.list(engine, s.ids)
	q.list(engine, within)
	if s.KEV {
		q.and(`c.id IN (SELECT cve FROM kev)`)
	}
	if s.MinCVSS > 0 {
		q.and(`c.cvss >= ?`, s.MinCVSS)
	}
	if len(s.words) > 0 {
		return s.byRelevance(engine, q)
	}
	if len(s.ids) == 0 {
		q.and(`c.status <> 'Rejected'`)
	}
	if s.before[1] != 0 {
		q.and(`(c.published, c.id) < (?, ?)`, s.before[0], s.before[1])
	}
	return `SELECT c.id, c.published FROM cve c` + q.where() + ` ORDER BY c.published DESC, c.id DESC LIMIT ?`,
		append(q.args, s.Limit+1)
}

func (s *search) byRelevance(engine Engine, q *selection) (string, []any) {
	if engine == Postgres {
		ranked := `SELECT c.id, c.published FROM cve c, to_tsquery('simple', ?) AS wanted` + q.also(`c.words @@ wanted`).where() +
			` ORDER BY ts_rank('{0.1, 0.2, 0.5, 1.0}', c.words, wanted) DESC, c.published DESC, c.id DESC LIMIT ? OFFSET ?`
		args := append([]any{postgresTerms(s.words)}, q.args...)
		return ranked, append(args, s.Limit+1, s.offset)
	}
	// Without conditions on it the table of CVEs need not be touched for every hit.
	from := `cve_text t`
	if len(q.parts) > 0 {
		from = `cve_text t JOIN cve c ON c.id = t.rowid`
	}
	inner := `SELECT t.rowid AS id, bm25(cve_text, 8.0, 4.0, 1.0) AS rank FROM ` + from + q.also(`cve_text MATCH ?`).where() +
		` ORDER BY rank, t.rowid DESC LIMIT ? OFFSET ?`
	args := append(q.args, sqliteTerms(s.words), s.Limit+1, s.offset)
	return `SELECT r.id, c.published FROM (` + inner + `) r JOIN cve c ON c.id = r.id ORDER BY r.rank, r.id DESC`, args
}

// prefixFrom is the length from which a word also finds longer ones ("overflow" finds "overflows").
const prefixFrom = 4

// sqliteTerms quotes each word, so that none can be an operator; catalogue.Words left no quote in it.
func sqliteTerms(words []string) string {
	return terms(words, `"%s"`, `"%s" *`, ` AND `)
}

func postgresTerms(words []string) string {
	return terms(words, `'%s'`, `'%s':*`, ` & `)
}

func terms(words []string, exact, prefix, and string) string {
	var out []string
	for _, word := range words {
		format := exact
		if len(word) >= prefixFrom {
			format = prefix
		}
		out = append(out, fmt.Sprintf(format, fold(word)))
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
