package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// hostRoll is all hosts and what answers on them, as lists sort, search and count them, at one generation of the estate.
// Nobody changes it.
type hostRoll struct {
	generation int64
	hosts      []rollHost       // by id
	services   []rollService    // by host, protocol and port, without those that are gone
	kinds      []serviceKind    // that services are of
	sites      map[int64]string // names
	at         hostIndex
}

// rollHost is one host of the roll.
type rollHost struct {
	id, site    int64
	address     finding.Key
	lastSeen    int64
	text        string // system, names and addresses in lower case, a line each
	owner       string
	criticality string
	tags        string // a JSON list in lower case
	first, end  int32  // its services
}

// rollService is one service of the roll.
type rollService struct {
	host     int32 // its place in the roll
	kind     int32
	port     uint16
	protocol uint8 // as facets have it
	scan     int64 // that saw it last
}

// serviceKind is what makes services the same in an inventory: only what is written alike is.
type serviceKind struct{ product, version, name, protocol string }

// hostIndex finds the place of a host in the roll.
type hostIndex struct {
	dense  []int32 // by id; 0 is none, else the place and one
	sparse map[int64]int32
}

// mostDense bounds the ids that are found by their place in a slice: 64 MB.
const mostDense = 16 << 20

func newHostIndex(hosts []rollHost) hostIndex {
	x := hostIndex{}
	if n := len(hosts); n > 0 && hosts[n-1].id < mostDense {
		x.dense = make([]int32, hosts[n-1].id+1)
	} else {
		x.sparse = make(map[int64]int32, n)
	}
	for i := range hosts {
		place := int32(i) + 1 //nolint:gosec // far fewer
		if x.dense != nil {
			x.dense[hosts[i].id] = place
		} else {
			x.sparse[hosts[i].id] = place
		}
	}
	return x
}

// place is where a host stands in the roll, none for one that is not in it.
func (x hostIndex) place(id uint64) int32 {
	if x.dense == nil {
		return x.sparse[int64(min(id, math.MaxInt64))] - 1 //nolint:gosec // bounded
	}
	if id >= uint64(len(x.dense)) {
		return none
	}
	return x.dense[id] - 1
}

// inventory is what a process keeps of the newest generation that it was asked about. The zero value is ready for use.
type inventory struct {
	mu       sync.Mutex
	roll     *hostRoll
	kinds    map[serviceKind]int32 // places in the roll's
	standing *standingTally
	software *softwareTally
}

// hostRoll returns the roll of the transaction's generation, or a newer one. What changed since the one before is read, or
// all where that is much. The lock is held.
func (i *inventory) hostRoll(ctx context.Context, tx *Tx, generation int64) (*hostRoll, error) {
	if i.roll != nil && i.roll.generation >= generation {
		return i.roll, nil
	}
	old := i.roll
	changed, err := changedHosts(ctx, tx, old)
	if err != nil {
		return nil, err
	}
	if old == nil || len(changed) > len(old.hosts)/4 {
		old, i.kinds = nil, map[serviceKind]int32{}
	}
	r := &rollReader{hostRoll: hostRoll{generation: generation, sites: map[int64]string{}}, tx: tx, known: i.kinds, texts: map[string]string{}, parts: partsOf(old, changed)}
	if old != nil {
		r.kinds = old.kinds
	}
	for _, read := range []func(context.Context) error{r.readSites, r.readHosts, r.readNames, r.readServices} {
		if err := read(ctx); err != nil {
			i.roll, i.kinds = nil, nil // kinds may have got numbers that no roll has
			return nil, err
		}
	}
	if old != nil {
		r.join(old, changed)
	}
	i.roll = &r.hostRoll
	return i.roll, nil
}

// changedHosts are the hosts, in order, that are not as a roll has them; nil is no roll.
func changedHosts(ctx context.Context, tx *Tx, old *hostRoll) (changed []int64, err error) {
	if old == nil {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `SELECT host FROM host_stamp WHERE stamp > ? OR stamp = 0 ORDER BY host`, old.generation)
	if err != nil {
		return nil, err
	}
	return appendIDs(nil, rows)
}

// stampHosts dates the changes of a transaction that is about to end. Nobody else ends one in between: on PostgreSQL the
// generation is locked.
func stampHosts(ctx context.Context, tx *Tx) error {
	pending, generation := 0, int64(0)
	if err := tx.QueryRow(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM host_stamp WHERE stamp = 0) OR EXISTS (SELECT 1 FROM text_change WHERE stamp = 0)
		THEN 1 ELSE 0 END`).Scan(&pending); err != nil || pending == 0 {
		return err
	}
	query := `SELECT n FROM generation`
	if tx.Engine() == Postgres {
		query += ` FOR UPDATE`
	}
	if err := tx.QueryRow(ctx, query).Scan(&generation); err != nil {
		return err
	}
	for _, table := range []string{"host_stamp", "text_change"} {
		if _, err := tx.Exec(ctx, `UPDATE `+table+` SET stamp = ? WHERE stamp = 0`, generation+1); err != nil {
			return err
		}
	}
	return nil
}

// hostPart is a part of the hosts that one statement reads: those among some ids, or all.
type hostPart struct{ ids []int64 }

func partsOf(old *hostRoll, changed []int64) (parts []hostPart) {
	if old == nil {
		return []hostPart{{}}
	}
	for chunk := range slices.Chunk(changed, chunkSize) {
		parts = append(parts, hostPart{chunk})
	}
	return parts
}

// rollReader is a roll in the making.
type rollReader struct {
	hostRoll
	tx    *Tx
	parts []hostPart
	known map[serviceKind]int32
	texts map[string]string // each text of few values once
}

// each calls fn for the rows of a query, which has %s in the place of what leaves the hosts of a part by a column.
func (r *rollReader) each(ctx context.Context, query, column string, fn func(*sql.Rows) error) error {
	for _, part := range r.parts {
		where, args := "", []any(nil)
		if part.ids != nil {
			args = padded(part.ids)
			where = ` WHERE ` + column + ` IN (` + Marks(len(args)) + `)`
		}
		if err := each(ctx, r.tx, fmt.Sprintf(query, where), args, fn); err != nil {
			return err
		}
	}
	return nil
}

// once keeps a text that many hosts share in one place.
func (r *rollReader) once(text string) string {
	if kept, known := r.texts[text]; known {
		return kept
	}
	r.texts[text] = text
	return text
}

func (r *rollReader) readSites(ctx context.Context) error {
	return each(ctx, r.tx, `SELECT id, name FROM site`, nil, func(rows *sql.Rows) error {
		var id int64
		var name string
		err := rows.Scan(&id, &name)
		r.sites[id] = name
		return err
	})
}

func (r *rollReader) readHosts(ctx context.Context) error {
	err := r.each(ctx, `SELECT id, site, address, last_seen, os, owner, criticality, tags FROM host%s ORDER BY id`, "id", func(rows *sql.Rows) error {
		var h rollHost
		var address, os, owner, criticality, tags string
		err := rows.Scan(&h.id, &h.site, &address, &h.lastSeen, &os, &owner, &criticality, &tags)
		h.address, h.text = finding.AddressKey(address), strings.ToLower(os)
		h.owner, h.criticality, h.tags = r.once(owner), r.once(criticality), r.once(strings.ToLower(tags))
		r.hosts = append(r.hosts, h)
		return err
	})
	r.at = newHostIndex(r.hosts)
	return err
}

// readNames adds addresses and names to what is searched.
func (r *rollReader) readNames(ctx context.Context) error {
	var text strings.Builder
	at := int32(none)
	flush := func() {
		if at != none {
			r.hosts[at].text = text.String()
		}
	}
	err := r.each(ctx, `SELECT host, value FROM identifier%s ORDER BY host`, "host", func(rows *sql.Rows) error {
		var host uint64
		var value sql.RawBytes
		if err := rows.Scan(&host, &value); err != nil {
			return err
		}
		if place := r.at.place(host); place != at {
			flush()
			if at = place; at == none {
				return nil
			}
			text.Reset()
			text.WriteString(r.hosts[at].text)
		}
		text.WriteByte('\n')
		text.WriteString(strings.ToLower(string(value)))
		return nil
	})
	flush()
	return err
}

// readServices adds what answers, but for what every sensor that saw it no longer finds there.
func (r *rollReader) readServices(ctx context.Context) error {
	last, err := r.lastLooks(ctx)
	if err != nil {
		return err
	}
	var found []rollService
	var doubtful []int64 // hosts with a service that was not seen by the last look
	unsure := map[int]bool{}
	if err := r.each(ctx, `SELECT host, protocol, port, name, product, version, last_seen, said FROM service%s ORDER BY host, protocol, port`, "host",
		func(rows *sql.Rows) error {
			var host uint64
			var port int64
			var k serviceKind
			var seen int64
			var said sql.RawBytes
			if err := rows.Scan(&host, &k.protocol, &port, &k.name, &k.product, &k.version, &seen, &said); err != nil {
				return err
			}
			place := r.at.place(host)
			if place == none {
				return nil
			}
			if last[int64(host)] > seen { //nolint:gosec // ids are positive
				doubtful, unsure[len(found)] = append(doubtful, int64(host)), true //nolint:gosec // ids are positive
			}
			found = append(found, rollService{host: place, kind: r.kind(k), port: uint16(port), protocol: uint8(code(codesOfProtocol, k.protocol, facetProtocol)), scan: scanOf(said)}) //nolint:gosec // as it was stored
			return nil
		}); err != nil {
		return err
	}
	gone, err := goneFrom(ctx, r.tx, slices.Compact(doubtful))
	if err != nil {
		return err
	}
	for i, s := range found {
		if unsure[i] && gone[servicePlace{r.hosts[s.host].id, r.kinds[s.kind].protocol, s.port}] {
			continue
		}
		r.services = append(r.services, s)
	}
	r.share()
	return nil
}

// share tells every host which services are its.
func (r *rollReader) share() {
	for i, s := range r.services {
		h := &r.hosts[s.host]
		if h.end == 0 {
			h.first = int32(i) //nolint:gosec // far fewer
		}
		h.end = int32(i) + 1 //nolint:gosec // far fewer
	}
}

// join puts what was read of changed hosts into the place of what an older roll has of them.
func (r *rollReader) join(old *hostRoll, changed []int64) {
	hosts, services := make([]rollHost, 0, len(old.hosts)+len(r.hosts)), make([]rollService, 0, len(old.services)+len(r.services))
	take := func(h rollHost, from []rollService) {
		first := len(services)
		for _, s := range from[h.first:h.end] {
			s.host = int32(len(hosts)) //nolint:gosec // far fewer
			services = append(services, s)
		}
		h.first, h.end = int32(first), int32(len(services)) //nolint:gosec // far fewer
		hosts = append(hosts, h)
	}
	fresh := r.hosts
	for _, h := range old.hosts {
		for len(fresh) > 0 && fresh[0].id <= h.id {
			take(fresh[0], r.services)
			fresh = fresh[1:]
		}
		if _, is := slices.BinarySearch(changed, h.id); !is {
			take(h, old.services)
		}
	}
	for _, h := range fresh {
		take(h, r.services)
	}
	r.hosts, r.services, r.at = hosts, services, newHostIndex(hosts)
}

func (r *rollReader) kind(k serviceKind) int32 {
	n, known := r.known[k]
	if !known {
		n = int32(len(r.kinds)) //nolint:gosec // far fewer
		r.known[k] = n
		r.kinds = append(r.kinds, k)
	}
	return n
}

// lastLooks says when each host was last looked at.
func (r *rollReader) lastLooks(ctx context.Context) (map[int64]int64, error) {
	last := map[int64]int64{}
	return last, r.each(ctx, `SELECT host, max(at) FROM look%s GROUP BY host`, "host", func(rows *sql.Rows) error {
		var host, at int64
		err := rows.Scan(&host, &at)
		last[host] = at
		return err
	})
}

// servicePlace is where a service answers.
type servicePlace struct {
	host     int64
	protocol string
	port     uint16
}

// goneFrom are the services of hosts that are not there any more.
func goneFrom(ctx context.Context, tx *Tx, hosts []int64) (map[servicePlace]bool, error) {
	gone := map[servicePlace]bool{}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		looks, err := looksOf(ctx, tx, chunk)
		if err != nil {
			return nil, err
		}
		services, err := servicesOf(ctx, tx, chunk)
		if err != nil {
			return nil, err
		}
		for _, s := range services {
			if finding.Left(s, looks[s.HostID]) {
				gone[servicePlace{s.HostID, s.Protocol, s.Port}] = true
			}
		}
	}
	return gone, nil
}

// seenSites are the sites of a view.
func (r *hostRoll) seenSites(v auth.View, only string) map[int64]bool {
	out := map[int64]bool{}
	for id, name := range r.sites {
		if v.Sees(name) && (only == "" || only == name) {
			out[id] = true
		}
	}
	return out
}

// HostQuery says which hosts to list, in which order and from where.
type HostQuery struct {
	Site        string
	Text        string // in an address, name or operating system
	Owner       string
	Tag         string
	Criticality string

	Sort  finding.SortField // ByRank (their most urgent finding), ByHost, ByLastSeen; "" is by id
	After finding.Cursor    // by id only its ID counts
	Limit int               // 0 is no limit
}

// HostStanding is what the confirmed findings of a host come to that stand and that nobody set aside.
type HostStanding struct {
	ID         int64
	BySeverity map[string]int // of each severity that there is
	Findings   int
	KEV        int
	Decision   string // of the most urgent, "" for none
	Place      finding.Cursor
}

// HostStandings lists hosts of a view and says how many there are on all pages.
func (e *Estate) HostStandings(ctx context.Context, v auth.View, q HostQuery) (page []HostStanding, total int, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		roll, tally, err := e.standingHosts(ctx, tx)
		if err != nil {
			return err
		}
		places := roll.chosen(v, q)
		total = len(places)
		page = roll.page(tally, places, q)
		return nil
	})
	return page, total, err
}

// chosen are the places of the hosts that a query selects.
func (r *hostRoll) chosen(v auth.View, q HostQuery) []int32 {
	sites := r.seenSites(v, q.Site)
	text, tag := strings.ToLower(q.Text), ""
	if q.Tag != "" {
		tag = strings.ToLower(strings.Trim(list([]string{q.Tag}), "[]"))
	}
	var out []int32
	for i := range r.hosts {
		h := &r.hosts[i]
		if sites[h.site] && (q.Owner == "" || h.owner == q.Owner) && (q.Criticality == "" || h.criticality == q.Criticality) &&
			(tag == "" || strings.Contains(h.tags, tag)) && (text == "" || strings.Contains(h.text, text)) {
			out = append(out, int32(i)) //nolint:gosec // far fewer
		}
	}
	return out
}

// page are the first of the places behind the cursor, with what stands there.
func (r *hostRoll) page(t *standingTally, places []int32, q HostQuery) []HostStanding {
	by := finding.Sort{By: q.Sort}
	key := func(place int32) finding.Key {
		switch q.Sort {
		case finding.ByRank:
			return finding.Key{1: t.hosts[place].rank}
		case finding.ByHost:
			return r.hosts[place].address
		case finding.ByLastSeen:
			return finding.Key{1: uint64(max(r.hosts[place].lastSeen, 0))} //nolint:gosec // not negative
		}
		return finding.Key{}
	}
	compare := func(a, b int32) int { return by.Compare(key(a), r.hosts[a].id, key(b), r.hosts[b].id) }
	if q.After.ID != 0 {
		places = slices.DeleteFunc(places, func(p int32) bool { return by.Compare(key(p), r.hosts[p].id, q.After.Key, q.After.ID) <= 0 })
	}
	places = least(places, q.Limit, compare)
	out := make([]HostStanding, 0, len(places))
	for _, p := range places {
		s := t.hosts[p].standing()
		s.ID = r.hosts[p].id
		s.Place = finding.Cursor{Sort: by, Key: key(p), ID: s.ID}
		out = append(out, s)
	}
	return out
}

// least are the first n of places in order, all for 0.
func least(places []int32, n int, compare func(a, b int32) int) []int32 {
	if n > 0 && len(places) > 8*n { // most of them are behind the n-th of a sample, and need not be sorted
		places = nearest(places, n, compare)
	}
	slices.SortFunc(places, compare)
	if n > 0 && len(places) > n {
		places = places[:n]
	}
	return places
}

// nearest leaves the first n and some more, in any order.
func nearest(places []int32, n int, compare func(a, b int32) int) []int32 {
	kept := make([]int32, 0, 4*n)
	limit, full := int32(0), false
	for _, p := range places {
		if full && compare(p, limit) > 0 {
			continue
		}
		if kept = append(kept, p); len(kept) == cap(kept) {
			slices.SortFunc(kept, compare)
			kept = kept[:n]
			limit, full = kept[n-1], true
		}
	}
	return kept
}

// InventoryQuery says which services or software to list. What is empty does not narrow it.
type InventoryQuery struct {
	Site    string
	Text    string // in product, version or service; in name or version
	Product string // in the product
	Port    uint16
	After   InventoryPlace
	Limit   int // 0 is no limit
}

// InventoryPlace is where a row stands in an inventory: the most urgent first, then those with most findings, on most
// hosts, then by what they are. The zero value is the beginning.
type InventoryPlace struct {
	Decision, KEV, Findings, Hosts int
	Names                          [4]string
}

// Compare orders places.
func (p InventoryPlace) Compare(q InventoryPlace) int {
	return cmp.Or(cmp.Compare(q.Decision, p.Decision), cmp.Compare(q.KEV, p.KEV), cmp.Compare(q.Findings, p.Findings), cmp.Compare(q.Hosts, p.Hosts),
		slices.Compare(p.Names[:], q.Names[:]))
}

// InventoryRow is one kind of service or software.
type InventoryRow struct {
	Place    InventoryPlace
	Ports    []uint16 // sorted; of a service
	Decision string   // "" for none
}

// Product, Version, Service and Protocol are what services of a kind have in common; Name and Version what software has.
func (r InventoryRow) Product() string  { return r.Place.Names[0] }
func (r InventoryRow) Version() string  { return r.Place.Names[1] }
func (r InventoryRow) Service() string  { return r.Place.Names[2] }
func (r InventoryRow) Protocol() string { return r.Place.Names[3] }

// ServiceInventory lists what answers on the hosts of a view, a row for each product in each version, and says how many
// rows there are on all pages.
func (e *Estate) ServiceInventory(ctx context.Context, v auth.View, q InventoryQuery) (page []InventoryRow, total int, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		roll, tally, err := e.standingHosts(ctx, tx)
		if err == nil {
			page, total = pageOf(roll.serviceRows(v, q, tally), q)
		}
		return err
	})
	return page, total, err
}

// serviceRows are all rows of the services that a query selects.
func (r *hostRoll) serviceRows(v auth.View, q InventoryQuery, t *standingTally) []InventoryRow {
	sites, wanted := r.seenSites(v, q.Site), r.kindsLike(q)
	rows, last := make([]InventoryRow, len(r.kinds)), make([]int32, len(r.kinds))
	for i, s := range r.services {
		if !wanted[s.kind] || q.Port != 0 && s.port != q.Port || !sites[r.hosts[s.host].site] {
			continue
		}
		row := &rows[s.kind]
		if last[s.kind] != s.host+1 {
			last[s.kind] = s.host + 1
			row.Place.Hosts++
		}
		row.Place.add(t.services[i])
		if at, known := slices.BinarySearch(row.Ports, s.port); !known {
			row.Ports = slices.Insert(row.Ports, at, s.port)
		}
	}
	out := rows[:0]
	for i := range rows {
		if rows[i].Place.Hosts > 0 {
			k := r.kinds[i]
			rows[i].Place.Names = [4]string{k.product, k.version, k.name, k.protocol}
			rows[i].Decision = wordOf(codesOfDecision, uint64(rows[i].Place.Decision)) //nolint:gosec // small
			out = append(out, rows[i])
		}
	}
	return out
}

// kindsLike says which kinds the words of a query are in.
func (r *hostRoll) kindsLike(q InventoryQuery) []bool {
	text, product := strings.ToLower(q.Text), strings.ToLower(q.Product)
	out := make([]bool, len(r.kinds))
	for i, k := range r.kinds {
		out[i] = strings.Contains(strings.ToLower(k.product), product) &&
			(text == "" || strings.Contains(strings.ToLower(k.product+" "+k.version+"\n"+k.name), text))
	}
	return out
}

func (p *InventoryPlace) add(t workTally) {
	p.Findings += int(t.findings)
	p.KEV += int(t.kev)
	p.Decision = max(p.Decision, int(t.decision))
}

// pageOf sorts rows and returns a page of them and how many there are.
func pageOf(rows []InventoryRow, q InventoryQuery) (page []InventoryRow, total int) {
	total = len(rows)
	slices.SortFunc(rows, func(a, b InventoryRow) int { return a.Place.Compare(b.Place) })
	if q.After != (InventoryPlace{}) {
		from, _ := slices.BinarySearchFunc(rows, q.After, func(r InventoryRow, after InventoryPlace) int {
			return cmp.Or(r.Place.Compare(after), -1) // the row of the cursor is behind us
		})
		rows = rows[from:]
	}
	if q.Limit > 0 {
		rows = rows[:min(q.Limit, len(rows))]
	}
	return rows, total
}

// standingHosts returns the roll of hosts and what stands on them.
func (e *Estate) standingHosts(ctx context.Context, tx *Tx) (*hostRoll, *standingTally, error) {
	l, err := e.currentLists(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	e.inventory.mu.Lock()
	defer e.inventory.mu.Unlock()
	roll, err := e.inventory.hostRoll(ctx, tx, l.generation)
	if err != nil {
		return nil, nil, err
	}
	tally, err := e.standingTally(ctx, l, roll)
	return roll, tally, err
}
