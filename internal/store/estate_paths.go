package store

import (
	"bytes"
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/priority"
)

// AttackEstate is what attack paths are made of, at one generation of the estate. Effects are not in it: they follow from
// Kinds, which are few, and the catalogue.
type AttackEstate struct {
	Generation  int64
	Sites       []attackpath.Site // by name
	Hosts       []attackpath.Host // by id; their flaws are by finding, without Effects
	Policy      attackpath.PolicySet
	Corrections []attackpath.Correction
	Kinds       []FlawKind
	Of          [][]int32 // the place in Kinds of each flaw of each host: Of[h][f] is that of Hosts[h].Flaws[f]
}

// FlawKind is what findings have in common of which the effect is the same.
type FlawKind struct {
	Weakness        finding.Weakness
	Check           string // of the tool that says so, where there is no CVE
	CWEs            []int
	Vector          string // CVSS, of the finding: it may be a tool's
	Title, Severity string
	KEV, Exploited  bool
}

// AttackEstate reads what attack paths of a view are made of: all hosts, the services that are there, and the confirmed
// findings that stand and that nobody set aside. Of a scan other than 0 it is the hosts and findings that this scan saw,
// fault.NotFound when there is no such scan in the view.
func (e *Estate) AttackEstate(ctx context.Context, v auth.View, scan int64) (AttackEstate, error) {
	return e.attackEstate(ctx, v, func(ctx context.Context, r *attackReader) ([]int64, error) {
		if scan != 0 {
			r.filter.Scan = scan
			found, err := r.scanSeen(ctx, v, scan)
			if err == nil && !found {
				err = fault.NotFound("there is no scan %d", scan)
			}
			if err != nil {
				return nil, err
			}
		}
		where, args := HostFilter{Scan: scan}.where(v)
		rows, err := r.tx.Query(ctx, `SELECT h.id FROM host h JOIN site s ON s.id = h.site WHERE `+where+` ORDER BY h.id`, args...)
		if err != nil {
			return nil, err
		}
		return appendIDs(nil, rows)
	})
}

// AttackHosts is AttackEstate of those of some hosts that are in the view, for who has the others. Sites, policy and
// corrections are complete.
func (e *Estate) AttackHosts(ctx context.Context, v auth.View, ids []int64) (AttackEstate, error) {
	return e.attackEstate(ctx, v, func(ctx context.Context, r *attackReader) ([]int64, error) {
		ids = slices.Clone(ids)
		slices.Sort(ids)
		r.some = true
		return seen(ctx, r.tx, v, "host", slices.Compact(ids))
	})
}

// attackFilter selects what an attacker can use.
var attackFilter = finding.Filter{Live: true, Confirmed: true, Kinds: []finding.Kind{finding.KindVulnerability}}

// attackReader is an AttackEstate in the making.
type attackReader struct {
	AttackEstate
	*lists
	filter finding.Filter
	some   bool              // of few hosts: the findings are looked for by host
	place  map[int64]int32   // of a host in Hosts
	texts  map[string]string // each text once
}

func (e *Estate) attackEstate(ctx context.Context, v auth.View, hosts func(context.Context, *attackReader) ([]int64, error)) (out AttackEstate, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		r := &attackReader{lists: l, filter: attackFilter, place: map[int64]int32{}, texts: map[string]string{}}
		r.Generation = l.generation
		ids, err := hosts(ctx, r)
		if err != nil {
			return err
		}
		external, err := r.readSites(ctx, v)
		if err != nil {
			return err
		}
		if err := r.readHosts(ctx, ids, external); err != nil {
			return err
		}
		if err := e.readServices(ctx, r); err != nil {
			return err
		}
		s, _, err := e.chosen(ctx, l, v, r.filter)
		if err != nil {
			return err
		}
		if err := readFlaws(ctx, r, s, ids); err != nil {
			return err
		}
		if r.Policy, err = pathPolicy(ctx, tx); err != nil {
			return err
		}
		if r.Corrections, err = pathCorrections(ctx, tx, v); err != nil {
			return err
		}
		out = r.AttackEstate
		return nil
	})
	return out, err
}

func (r *attackReader) scanSeen(ctx context.Context, v auth.View, scan int64) (bool, error) {
	n := 0
	clause, args := inView("site", v)
	err := r.tx.QueryRow(ctx, `SELECT count(*) FROM scan WHERE id = ?`+clause, append([]any{scan}, args...)...).Scan(&n)
	return n > 0, err
}

// readSites answers which sites stand in the internet.
func (r *attackReader) readSites(ctx context.Context, v auth.View) (external map[string]bool, err error) {
	external = map[string]bool{}
	c := conditions{}
	c.see("name", v)
	return external, each(ctx, r.tx, `SELECT name, external FROM site WHERE `+c.String()+` ORDER BY name`, c.args, func(rows *sql.Rows) error {
		var s attackpath.Site
		err := rows.Scan(&s.Name, &s.External)
		external[s.Name] = s.External
		r.Sites = append(r.Sites, s)
		return err
	})
}

// once keeps a text that many share in one place.
func (r *attackReader) once(text []byte) string {
	if kept, known := r.texts[string(text)]; known {
		return kept
	}
	kept := string(text)
	r.texts[kept] = kept
	return kept
}

func (r *attackReader) readHosts(ctx context.Context, ids []int64, external map[string]bool) error {
	r.Hosts = make([]attackpath.Host, 0, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		hosts, err := hostsByID(ctx, r.tx, chunk)
		if err != nil {
			return err
		}
		for _, h := range hosts {
			r.place[h.ID] = int32(len(r.Hosts)) //nolint:gosec // far fewer
			r.Hosts = append(r.Hosts, r.host(h, external[h.Site]))
		}
	}
	r.Of = make([][]int32, len(r.Hosts))
	return nil
}

func (r *attackReader) host(h *asset.Host, external bool) attackpath.Host {
	addresses := h.Addresses()
	said := priority.Exposed(external, addresses, h.Exposed)
	return attackpath.Host{ID: h.ID, Site: r.once([]byte(h.Site)), Name: nameOfHost(h, addresses), Addresses: addresses, OS: r.once([]byte(h.OS)),
		CPEs: r.onceEach(h.CPEs), Tags: r.onceEach(h.Tags), Jewel: asset.IsJewel(h.Tags), Criticality: asset.CriticalityLevel(h.Criticality),
		Exposed: said.Exposed, ExposedWhy: r.once([]byte(said.Why)), ExposedSure: said.Sure}
}

func (r *attackReader) onceEach(texts []string) []string {
	for i, text := range texts {
		texts[i] = r.once([]byte(text))
	}
	return texts
}

func nameOfHost(h *asset.Host, addresses []netip.Addr) string {
	if len(addresses) > 0 {
		return addresses[0].String()
	}
	if names := h.Names(); len(names) > 0 {
		return names[0]
	}
	return ""
}

// readServices adds what answers, as the inventory knows it.
func (e *Estate) readServices(ctx context.Context, r *attackReader) error {
	e.inventory.mu.Lock()
	roll, err := e.inventory.hostRoll(ctx, r.tx, r.generation)
	e.inventory.mu.Unlock()
	if err != nil {
		return err
	}
	for i := range r.Hosts {
		at := roll.at.place(uint64(r.Hosts[i].ID)) //nolint:gosec // ids are positive
		if at == none {
			continue
		}
		from := roll.services[roll.hosts[at].first:roll.hosts[at].end]
		if len(from) == 0 {
			continue
		}
		services := make([]attackpath.Service, len(from))
		for n, s := range from {
			k := &roll.kinds[s.kind]
			services[n] = attackpath.Service{Protocol: k.protocol, Port: s.port, Name: k.name, Product: k.product, Scan: s.scan}
		}
		r.Hosts[i].Services = services
	}
	return nil
}

// scanOf is the scan whose word on a service is the newest, of what serviceRow wrote of all words; 0 is none. It reads no
// more than it must: a quotation mark within a text has a backslash before it, so that a name of a field is found as it is.
func scanOf(said []byte) (best int64) {
	var newest time.Time
	for {
		_, after, found := bytes.Cut(said, []byte(`"scan":`))
		if !found {
			return best
		}
		number, rest, _ := bytes.Cut(after, []byte(`,`))
		scan, _ := strconv.ParseInt(string(number), 10, 64) // we wrote it
		_, said, _ = bytes.Cut(rest, []byte(`"at":"`))
		if best == 0 && !bytes.Contains(said, []byte(`"scan":`)) {
			return scan
		}
		text, _, _ := bytes.Cut(said, []byte(`"`))
		if at, err := time.Parse(time.RFC3339Nano, string(text)); err == nil && at.After(newest) {
			best, newest = scan, at
		}
	}
}
