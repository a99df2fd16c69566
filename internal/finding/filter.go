package finding

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Filter selects and sorts findings. The zero value selects everything that nobody set aside, most urgent first; each
// field narrows. Times and numbers that a finding does not have are in no range.
type Filter struct {
	Scan       int64 // seen by this scan
	HostID     int64
	Site       string
	States     []State
	Live       bool // open or reopened
	Triage     []TriageState
	ShowHidden bool // also what a person set aside (false positive, accepted, out of scope)

	Severities    []string
	Decisions     []string
	KEV           *bool
	Exploited     *bool
	Statuses      []Status
	Kinds         []Kind
	MinConfidence int
	Confirmed     bool // affected and at least ConfirmedAt
	Potential     bool // the others
	MinCVSS       *float64
	MinEPSS       *float64
	MinRisk       *float64 // of what fixing it takes off the risk

	Weakness  string // CVE id or check
	Remedy    string // a remedy's key
	Sensor    string // gave evidence
	Ports     []uint16
	Protocols []string // tcp, udp, sctp; "host" is what has no port
	Component string
	Product   string // in the service's product or the component; case does not matter
	Text      string // each word in title, weakness, component, host or service; case does not matter

	Assignee    *string  // "" is nobody
	Labels      []string // all of them
	Owner       *string  // of the host; "" is nobody
	Tags        []string // of the host, all of them
	Criticality []string // of the host; "" is not known

	DueBefore       time.Time
	Overdue         bool // due before today
	SLABefore       time.Time
	SLAOverdue      bool
	FirstSeenAfter  time.Time // at or after
	FirstSeenBefore time.Time
	LastSeenAfter   time.Time // at or after
	LastSeenBefore  time.Time
	ClosedAfter     time.Time // ended at or after, and not open
	ReturnedAfter   time.Time // last came back at or after

	Further *Further

	Sort  Sort
	After Cursor
	Skip  int // findings of the beginning that are left out
	Limit int // 0 means no limit
}

// Sort is the order of a list; the zero value is the most urgent first. What is not known comes last in both directions;
// ties go by id.
type Sort struct {
	By      SortField
	Reverse bool // against the field's own direction, which is the worst, most urgent or newest first; hosts ascend
}

// SortField names what a list is sorted by.
type SortField string

// The fields.
const (
	ByRank       SortField = "rank" // decision, then likelihood, then score
	BySeverity   SortField = "severity"
	ByCVSS       SortField = "cvss"
	ByEPSS       SortField = "epss"
	ByLikelihood SortField = "likelihood"
	ByScore      SortField = "score"
	ByDue        SortField = "due"
	BySLA        SortField = "sla"
	ByFirstSeen  SortField = "first_seen"
	ByLastSeen   SortField = "last_seen"
	ByHost       SortField = "host" // by address; what has none is not known
	ByRisk       SortField = "risk_removed"
)

// SortFields lists the fields as people may name them.
func SortFields() []SortField {
	return []SortField{ByRank, BySeverity, ByCVSS, ByEPSS, ByLikelihood, ByScore, ByDue, BySLA, ByFirstSeen, ByLastSeen, ByHost, ByRisk}
}

// ParseSort reads "cvss", "cvss:asc" or "cvss:desc"; "" is the default order.
func ParseSort(text string) (Sort, error) {
	name, direction, directed := strings.Cut(text, ":")
	s := Sort{By: SortField(name)}
	if text == "" {
		return Sort{By: ByRank}, nil
	}
	if !slices.Contains(SortFields(), s.By) {
		return s, fault.Invalid("sort %q: want one of %v, with :asc or :desc behind it if need be", text, SortFields())
	}
	switch {
	case !directed:
	case direction == "asc" || direction == "desc":
		s.Reverse = (direction == "desc") != s.Descending()
	default:
		return s, fault.Invalid("sort %q: want asc or desc behind the colon", text)
	}
	return s, nil
}

// Field is By, ByRank when it is empty.
func (s Sort) Field() SortField { return cmp.Or(s.By, ByRank) }

// Descending says whether high values come first.
func (s Sort) Descending() bool {
	switch s.Field() {
	case ByRank, ByDue, BySLA, ByHost:
		return s.Reverse
	default:
		return !s.Reverse
	}
}

func (s Sort) String() string {
	if s.Descending() {
		return string(s.Field()) + ":desc"
	}
	return string(s.Field()) + ":asc"
}

// Key is a value to sort by as a number that keeps its order; the zero Key is not known.
type Key [2]uint64

// Key is what the list puts a finding by.
func (s Sort) Key(l *Listed) Key {
	switch s.Field() {
	case BySeverity:
		return Key{1: SeverityKey(l.Severity)}
	case ByCVSS:
		return Key{1: NumberKey(l.CVSS)}
	case ByEPSS:
		return Key{1: NumberKey(l.EPSS)}
	case ByLikelihood:
		return Key{1: NumberKey(l.Likelihood)}
	case ByScore:
		return Key{1: NumberKey(l.Score)}
	case ByDue:
		return Key{1: TimeKey(l.Due)}
	case BySLA:
		return Key{1: TimeKey(l.SLADue)}
	case ByFirstSeen:
		return Key{1: TimeKey(l.FirstSeen)}
	case ByLastSeen:
		return Key{1: TimeKey(l.LastSeen)}
	case ByHost:
		return AddressKey(l.HostAddress)
	case ByRisk:
		return Key{1: RiskKey(l.RiskRemoved)}
	default:
		return Key{1: RankNumber(l.RankKey)}
	}
}

// Compare orders two places of a list: by key in the direction of the sort, what is not known last, then by id.
func (s Sort) Compare(a Key, aID int64, b Key, bID int64) int {
	if unknown := order(a == Key{}, b == Key{}); unknown != 0 {
		return unknown
	}
	c := cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	if s.Descending() {
		c = -c
	}
	return cmp.Or(c, cmp.Compare(aID, bID))
}

// SeverityKey rises with the severity; 0 is unknown.
func SeverityKey(severity string) uint64 {
	return uint64(slices.Index([]string{"info", "low", "medium", "high", "critical"}, severity) + 1) //nolint:gosec // -1 is the least
}

// keySteps is how finely NumberKey tells numbers apart: far below what CVSS (0.1) and EPSS (0.00001) need, and the whole
// range stays within 34 bits.
const keySteps = 1e8

// NumberKey rises with a number of 0 to 100; 0 is nil.
func NumberKey(v *float64) uint64 {
	if v == nil || math.IsNaN(*v) {
		return 0
	}
	return uint64(math.Round(min(max(*v, 0), 100)*keySteps)) + 1
}

// LeastRisk is the least that counts for more than nothing in Filter.MinRisk.
const LeastRisk = math.SmallestNonzeroFloat32

// RiskKey rises with a number that is not negative, of any size, and tells seven digits of it apart; 0 is nil.
func RiskKey(v *float64) uint64 {
	if v == nil || math.IsNaN(*v) {
		return 0
	}
	return uint64(math.Float32bits(float32(min(max(*v, 0), math.MaxFloat32)))) + 1
}

// RiskOfKey is the number of a RiskKey, with no more digits than it tells apart.
func RiskOfKey(key uint64) *float64 {
	if key == 0 {
		return nil
	}
	short := strconv.FormatFloat(float64(math.Float32frombits(uint32(key-1))), 'g', -1, 32) //nolint:gosec // as RiskKey made it
	v, _ := strconv.ParseFloat(short, 64)                                                   // it was just written
	return &v
}

// TimeKey is milliseconds; 0 is the zero time.
func TimeKey(t time.Time) uint64 {
	if t.IsZero() || t.UnixMilli() <= 0 {
		return 0
	}
	return uint64(t.UnixMilli()) //nolint:gosec // positive
}

// rankDigits is the length of a rank key.
const rankDigits = 15

// RankNumber is a rank key as a number, plus one; 0 is none. A shorter key counts as if zeros followed.
func RankNumber(key string) uint64 {
	if key == "" {
		return 0
	}
	n := uint64(0)
	for i := range rankDigits {
		n *= 10
		if i < len(key) && key[i] >= '0' && key[i] <= '9' {
			n += uint64(key[i] - '0')
		}
	}
	return n + 1
}

// AddressKey orders addresses as numbers, IPv4 before nearly all of IPv6; the zero Key is no address.
func AddressKey(address string) Key {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return Key{}
	}
	b := a.As16()
	return Key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// Cursor is the place of the last row of a page in the order that it was listed in; the zero Cursor is the beginning.
type Cursor struct {
	Sort Sort
	Key  Key
	ID   int64
}

// CursorOf is the place of a row in the list of the filter.
func (f Filter) CursorOf(l *Listed) Cursor {
	return Cursor{Sort: Sort{By: f.Sort.Field(), Reverse: f.Sort.Reverse}, Key: f.Sort.Key(l), ID: l.ID}
}

// String writes a cursor for whoever asks for the next page; what it holds is ours to change.
func (c Cursor) String() string {
	b := binary.AppendUvarint(nil, c.Key[0])
	b = binary.AppendUvarint(b, c.Key[1])
	b = binary.AppendVarint(b, c.ID)
	return base64.RawURLEncoding.EncodeToString(append(b, c.Sort.String()...))
}

// ParseCursor reads what String wrote for a list in the same order.
func ParseCursor(text string, s Sort) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Cursor{}, fault.Invalid("cursor %.80q: not one of ours", text)
	}
	c := Cursor{Sort: Sort{By: s.Field(), Reverse: s.Reverse}}
	var n [3]int
	c.Key[0], n[0] = binary.Uvarint(b)
	c.Key[1], n[1] = binary.Uvarint(b[max(n[0], 0):])
	c.ID, n[2] = binary.Varint(b[max(n[0]+n[1], 0):])
	if min(n[0], n[1], n[2]) <= 0 {
		return Cursor{}, fault.Invalid("cursor %.80q: not one of ours", text)
	}
	in := string(b[n[0]+n[1]+n[2]:])
	if _, err := ParseSort(in); err != nil || in == "" {
		return Cursor{}, fault.Invalid("cursor %.80q: not one of ours", text)
	}
	if in != c.Sort.String() {
		return Cursor{}, fault.Invalid("the cursor is of a list in another order (%.20q, not %q)", in, c.Sort.String())
	}
	return c, nil
}

// Listed is a finding as lists show it: without evidence, with its host and service.
type Listed struct {
	Finding
	HostAddress string
	HostNames   []string
	Owner       string // of the host
	Service     string // "ssh"
	Product     string
	Version     string
	// RiskRemoved is how much of the risk of attack paths is gone when it is fixed; nil where they did not run since it counts.
	RiskRemoved *float64
}

// Cursor is the place of the row in the default order.
func (l *Listed) Cursor() Cursor { return Filter{}.CursorOf(l) }

// Overdue says whether the finding should have been dealt with before a day; what is closed is not overdue.
func (l *Listed) Overdue(today time.Time) bool {
	return l.State.Live() && !l.Due.IsZero() && l.Due.Before(today.UTC().Truncate(24*time.Hour))
}

// GroupBy names what findings are grouped by.
type GroupBy string

// The groupings.
const (
	GroupRemedy   GroupBy = "remedy" // what one action fixes
	GroupHost     GroupBy = "host"
	GroupWeakness GroupBy = "cve" // or check
	GroupProduct  GroupBy = "product"
	GroupSite     GroupBy = "site"
	GroupAssignee GroupBy = "assignee"
	GroupOwner    GroupBy = "owner"
)

// GroupBys lists the groupings as people may name them.
func GroupBys() []GroupBy {
	return []GroupBy{GroupRemedy, GroupHost, GroupWeakness, GroupProduct, GroupSite, GroupAssignee, GroupOwner}
}

// Group is all findings of a list that have something in common. Groups are sorted by their most urgent finding.
type Group struct {
	Key      string // what is common: the remedy's key, the host's id, the CVE…; "" is what has none
	Name     string // for people
	FixedIn  string // of a remedy: the highest version that one of its findings needs
	Findings int
	CVEs     int       // different ones
	Hosts    int       // different ones
	KEV      int       // findings
	Decision string    // the most urgent
	Due      time.Time // the earliest
	RankKey  uint64    // RankNumber of the most urgent
	Place    uint64    // tells groups of one rank apart, for the cursor
}

// GroupCursor is the place of the last group of a page; the zero GroupCursor is the beginning.
type GroupCursor struct {
	By      GroupBy
	RankKey uint64
	Place   uint64
}

// Cursor is the place of the group among those by the same thing.
func (g *Group) Cursor(by GroupBy) GroupCursor { return GroupCursor{by, g.RankKey, g.Place} }

// Compare orders groups: the most urgent first, what has no rank last.
func (c GroupCursor) Compare(other GroupCursor) int {
	return cmp.Or(order(c.RankKey == 0, other.RankKey == 0), cmp.Compare(c.RankKey, other.RankKey), cmp.Compare(c.Place, other.Place))
}

// String writes the cursor for whoever asks for the next page.
func (c GroupCursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", c.By, c.RankKey, c.Place))
}

// ParseGroupCursor reads what String wrote for groups by the same thing.
func ParseGroupCursor(text string, by GroupBy) (c GroupCursor, err error) {
	if text == "" {
		return c, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%s %d %d", &c.By, &c.RankKey, &c.Place)
	}
	if err != nil {
		return GroupCursor{}, fault.Invalid("cursor %.80q: not one of ours", text)
	}
	if c.By != by {
		return GroupCursor{}, fault.Invalid("the cursor is of groups by %.20s, not by %s", c.By, by)
	}
	return c, nil
}
