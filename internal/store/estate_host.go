package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

var (
	hostColumns = []string{"id", "site", "address", "status", "os", "cpes", "tags", "exposed", "demo", "first_seen", "last_seen", "owner", "criticality", "own"}

	identifierColumns = []string{"host", "kind", "value", "source", "first_seen", "last_seen"}

	serviceColumns = []string{"id", "host", "protocol", "port", "name", "product", "version", "cpes", "tls", "banner",
		"backport", "said", "candidates", "demo", "first_seen", "last_seen"}
)

// HostFilter selects hosts; the zero value selects all. Lists come sorted by id.
type HostFilter struct {
	Site   string
	Scan   int64 // answered or was asked by this scan
	Status string
	Text   string // in an address, name or operating system
	Called string // an address or name that it has or had, as asset.NameValue writes it
	After  int64  // the last id of the page before
	IDs    []int64
	Owner  string
	Tag    string // one of its tags

	Criticality string
	Limit       int // 0 means no limit
}

// Hosts lists hosts of a view with their identifiers.
func (e *Estate) Hosts(ctx context.Context, v auth.View, f HostFilter) (hosts []*asset.Host, err error) {
	where, args := f.where(v)
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT h.id FROM host h JOIN site s ON s.id = h.site WHERE `+where+` ORDER BY h.id`+
			limit(f.Limit), args...)
		if err != nil {
			return err
		}
		ids, err := appendIDs(nil, rows)
		if err != nil {
			return err
		}
		hosts, err = hostsByID(ctx, tx, ids)
		return err
	})
	return hosts, err
}

func (f HostFilter) where(v auth.View) (string, []any) {
	c := conditions{}
	c.add("h.id > ?", f.After)
	c.see("s.name", v)
	c.in("h.id", anys(f.IDs))
	if f.Site != "" {
		c.add("s.name = ?", f.Site)
	}
	if f.Status != "" {
		c.add("h.status = ?", f.Status)
	}
	if f.Scan != 0 {
		c.add("h.id IN (SELECT host FROM scan_host WHERE scan = ? AND host IS NOT NULL)", f.Scan)
	}
	if f.Owner != "" {
		c.add("h.owner = ?", f.Owner)
	}
	if f.Criticality != "" {
		c.add("h.criticality = ?", f.Criticality)
	}
	if f.Tag != "" {
		c.add(`lower(h.tags) LIKE ? ESCAPE '\'`, tagged(f.Tag))
	}
	if f.Called != "" {
		c.add("h.id IN (SELECT host FROM identifier WHERE value = ? AND kind IN ('address', 'name'))", f.Called)
	}
	if f.Text != "" {
		like := contains(f.Text)
		c.add(`(lower(h.os) LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM identifier i WHERE i.host = h.id AND lower(i.value) LIKE ? ESCAPE '\'))`,
			like, like)
	}
	return c.String(), c.args
}

// HostIDs lists the ids of the hosts of a view in order, from the one after a given id.
func (e *Estate) HostIDs(ctx context.Context, v auth.View, after int64, n int) (ids []int64, err error) {
	query, clause, args := `SELECT h.id FROM host h`, "", []any(nil)
	if !v.All() {
		query += ` JOIN site s ON s.id = h.site`
		clause, args = inView("s.name", v)
	}
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, query+` WHERE h.id > ?`+clause+` ORDER BY h.id`+limit(n), append([]any{after}, args...)...)
		if err == nil {
			ids, err = appendIDs(nil, rows)
		}
		return err
	})
	return ids, err
}

// Host returns one host, fault.NotFound when there is none in the view.
func (e *Estate) Host(ctx context.Context, v auth.View, asked int64) (host *asset.Host, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		id, err := followed(ctx, tx, "host", asked)
		if err != nil {
			return err
		}
		ids, err := seen(ctx, tx, v, "host", []int64{id})
		if err != nil {
			return err
		}
		hosts, err := hostsByID(ctx, tx, ids)
		if err == nil && len(hosts) == 0 {
			err = fault.NotFound("there is no host %d", asked)
		}
		if err == nil {
			host = hosts[0]
		}
		return err
	})
	return host, err
}

// Services lists the services of those hosts that are in the view, by host, protocol and port.
func (e *Estate) Services(ctx context.Context, v auth.View, hosts []int64) (services []*asset.Service, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if hosts, err = seen(ctx, tx, v, "host", hosts); err != nil {
			return err
		}
		services, err = servicesOf(ctx, tx, hosts)
		return err
	})
	return services, err
}

// Looks lists the looks at those hosts that are in the view, by host, in order of time.
func (e *Estate) Looks(ctx context.Context, v auth.View, hosts []int64) (looks map[int64][]finding.Look, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if hosts, err = seen(ctx, tx, v, "host", hosts); err != nil {
			return err
		}
		looks, err = looksOf(ctx, tx, hosts)
		return err
	})
	return looks, err
}

func oneRow(res sql.Result, err error, what string, args ...any) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fault.NotFound(what, args...)
	}
	return nil
}

func hostRow(h *asset.Host, site int64) []any {
	address := ""
	if h.Address.IsValid() {
		address = h.Address.String()
	}
	return []any{h.ID, site, address, string(h.Status), h.OS, list(h.CPEs), list(h.Tags), truthOrNull(h.Exposed), truth(h.Demo),
		millis(h.FirstSeen), millis(h.LastSeen), h.Owner, h.Criticality, hostOwnText(h.Own)}
}

func truthOrNull(b *bool) any {
	if b == nil {
		return nil
	}
	return truth(*b)
}

// hostsByID returns the hosts that exist of a sorted list of ids, in its order.
func hostsByID(ctx context.Context, tx *Tx, ids []int64) ([]*asset.Host, error) {
	var out []*asset.Host
	byID := map[int64]*asset.Host{}
	for chunk := range slices.Chunk(ids, chunkSize) {
		rows, err := tx.Query(ctx, `SELECT h.id, s.name, h.address, h.status, h.os, h.cpes, h.tags, h.exposed, h.demo, h.first_seen, h.last_seen, h.owner, h.criticality, h.own
			FROM host h JOIN site s ON s.id = h.site WHERE h.id IN (`+Marks(len(chunk))+`) ORDER BY h.id`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			h, err := scanHost(rows)
			if err == nil {
				out, byID[h.ID] = append(out, h), h
			}
			return err
		}); err != nil {
			return nil, err
		}
		if err := addIdentifiers(ctx, tx, chunk, byID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func scanHost(rows *sql.Rows) (*asset.Host, error) {
	var h asset.Host
	var address, status, cpes, tags, own string
	var exposed sql.NullInt64
	var first, last int64
	if err := rows.Scan(&h.ID, &h.Site, &address, &status, &h.OS, &cpes, &tags, &exposed, &h.Demo, &first, &last, &h.Owner, &h.Criticality, &own); err != nil {
		return nil, err
	}
	h.Address, _ = netip.ParseAddr(address) // "" is a host that is known by name only
	h.Status, h.CPEs, h.Tags = asset.HostStatus(status), unlist(cpes), unlist(tags)
	h.FirstSeen, h.LastSeen, h.Own = moment(first), moment(last), hostOwn(own)
	if exposed.Valid {
		yes := exposed.Int64 != 0
		h.Exposed = &yes
	}
	return &h, nil
}

func addIdentifiers(ctx context.Context, tx *Tx, ids []int64, hosts map[int64]*asset.Host) error {
	rows, err := tx.Query(ctx, `SELECT host, kind, value, source, first_seen, last_seen FROM identifier
		WHERE host IN (`+Marks(len(ids))+`) ORDER BY host, kind, value, source`, anys(ids)...)
	if err != nil {
		return err
	}
	return eachRow(rows, func() error {
		var id asset.Identifier
		var host, first, last int64
		var kind string
		if err := rows.Scan(&host, &kind, &id.Value, &id.Source, &first, &last); err != nil {
			return err
		}
		id.Kind, id.FirstSeen, id.LastSeen = asset.IdentifierKind(kind), moment(first), moment(last)
		if h := hosts[host]; h != nil {
			h.Identifiers = append(h.Identifiers, id)
		}
		return nil
	})
}

// eachRow calls fn for every row and closes them.
func eachRow(rows *sql.Rows, fn func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(); err != nil {
			return err
		}
	}
	return rows.Err()
}

func serviceRow(s *asset.Service) ([]any, error) {
	said, err := json.Marshal(s.Said)
	if err != nil {
		return nil, fmt.Errorf("service %d/%s: %w", s.Port, s.Protocol, err)
	}
	return []any{s.ID, s.HostID, s.Protocol, int(s.Port), s.Name, s.Product, s.Version, list(s.CPEs), truth(s.TLS), s.Banner,
		s.Backport, string(said), s.Candidates, truth(s.Demo), millis(s.FirstSeen), millis(s.LastSeen)}, nil
}

func servicesOf(ctx context.Context, tx *Tx, hosts []int64) ([]*asset.Service, error) {
	var out []*asset.Service
	for chunk := range slices.Chunk(hosts, chunkSize) {
		rows, err := tx.Query(ctx, `SELECT `+strings.Join(serviceColumns, ", ")+` FROM service
			WHERE host IN (`+Marks(len(chunk))+`) ORDER BY host, protocol, port`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			s, err := scanService(rows)
			out = append(out, s)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func scanService(rows *sql.Rows) (*asset.Service, error) {
	var s asset.Service
	var cpes, said string
	var first, last int64
	err := rows.Scan(&s.ID, &s.HostID, &s.Protocol, &s.Port, &s.Name, &s.Product, &s.Version, &cpes, &s.TLS, &s.Banner,
		&s.Backport, &said, &s.Candidates, &s.Demo, &first, &last)
	if err != nil {
		return nil, err
	}
	s.CPEs, s.FirstSeen, s.LastSeen = unlist(cpes), moment(first), moment(last)
	if err := json.Unmarshal([]byte(said), &s.Said); err != nil {
		return nil, fmt.Errorf("service %d: %w", s.ID, err)
	}
	return &s, nil
}

// conditions builds a WHERE clause.
type conditions struct {
	parts []string
	args  []any
}

func (c *conditions) add(condition string, args ...any) {
	c.parts = append(c.parts, condition)
	c.args = append(c.args, args...)
}

// in adds "column IN (…)" unless the list is empty.
func (c *conditions) in(column string, values []any) {
	if len(values) > 0 {
		c.add(column+" IN ("+Marks(len(values))+")", values...)
	}
}

func (c *conditions) String() string {
	if len(c.parts) == 0 {
		return "1 = 1"
	}
	return strings.Join(c.parts, " AND ")
}

func limit(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" LIMIT %d", n)
}

// contains is the LIKE pattern (escape \) for a text that holds words as they are.
func contains(words string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(words)) + "%"
}
