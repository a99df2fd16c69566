package abusech

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// How long an indicator counts since it was last known to be one. From then on a look-up still shows it, as old.
// Addresses, domains and URLs change hands; a hash stays that of the same file, so none of them expires.
const (
	urlhausDays  = 90 // URLhaus' full list has what is alive or was added within 90 days
	threatMonths = 6  // ThreatFox itself expires what is older, since May 2025
	feodoDays    = 30 // Feodo Tracker's recommended list has what was active within 30 days
)

// Confidence where a list gives none, 0..100. ThreatFox takes 50 for what its users do not rate, and so do we for its
// addresses without a row. The others are vouched for by abuse.ch: a server that Feodo Tracker saw answering as a bot's
// (90) more than a URL (75), whose host is often a victim itself, or a file that somebody uploaded (75).
const (
	urlhausConfidence   = 75
	threatFoxConfidence = 50
	feodoConfidence     = 90
	hashConfidence      = 75
)

// table reads a list of abuse.ch: rows between comments, of which one may be the header.
type table struct {
	lines *feed.Lines
	name  string
	at    map[string]int
}

// each calls f for every row of a list whose header has the columns needed; cell gives the current row's fields by
// column, "" where the list has no such column or none of this row.
func each(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink, needed []string, f func(row row) error) error {
	t := table{lines: feed.NewLines(file, r), name: file.Name}
	t.lines.SkipBlanks()
	t.lines.KeepComments()
	err := t.lines.Each(ctx, sink, func(fields []string) error {
		switch {
		case strings.HasPrefix(fields[0], "#"):
			if t.at == nil {
				t.header(strings.Split(fields[0], ","), needed)
			}
			return nil
		case t.at != nil:
			return f(row{&t, fields, sink})
		case t.header(fields, needed):
			return nil
		case strings.HasPrefix(fields[0], "{"):
			return fault.Invalid("%s: an answer in JSON, not the list (is feeds.abusech.auth_key right?)", file.Name)
		}
		return fault.Invalid("%s: no header with the columns %s in front of the rows", t.lines.Place(), strings.Join(needed, ", "))
	})
	if err == nil && t.at == nil {
		return fault.Invalid("%s: no header with the columns %s", file.Name, strings.Join(needed, ", "))
	}
	return err
}

// header takes a row for the header if it has the columns needed. A commented one has still its mark and its quotes.
func (t *table) header(fields, needed []string) bool {
	at := map[string]int{}
	for i, name := range fields {
		name = strings.ToLower(strings.Trim(name, "# \""))
		if _, twice := at[name]; !twice && len(name) < 100 {
			at[name] = i
		}
	}
	for _, name := range needed {
		if _, ok := at[name]; !ok {
			return false
		}
	}
	t.at = at
	return true
}

// row is one row of a table.
type row struct {
	table  *table
	fields []string
	sink   feed.Sink
}

// cell is a field by its column. abuse.ch writes "None" where it has nothing.
func (r row) cell(column string) string {
	at, ok := r.table.at[column]
	if !ok {
		return ""
	}
	if text := feed.Cell(r.fields, at); text != "None" && text != "null" {
		return text
	}
	return ""
}

func (r row) reject(column, reason string) {
	r.sink.Reject(r.table.lines.Place()+" "+column, reason)
}

// time reads a date and a time in UTC, or a date alone; zero for none. ok is false for anything else.
func (r row) time(column string) (t time.Time, ok bool) {
	text := strings.TrimSuffix(r.cell(column), " UTC")
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		t, err = time.Parse(time.DateOnly, text)
	}
	if err != nil || t.Year() < 2000 || t.Year() > 2100 {
		r.reject(column, "malformed date")
		return time.Time{}, false
	}
	return t, true
}

// times reads when an indicator was first and last seen.
func (r row) times(first, last string) (seen, again time.Time, ok bool) {
	if seen, ok = r.time(first); !ok {
		return seen, again, false
	}
	again, ok = r.time(last)
	return seen, again, ok
}

// later is when something was last known to be so, zero if nothing says when.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// after adds days and months to a time that is known.
func after(t time.Time, months, days int) time.Time {
	if t.IsZero() {
		return t
	}
	return t.AddDate(0, months, days)
}

func status(text string) string {
	switch strings.ToLower(text) {
	case intel.IndicatorOnline:
		return intel.IndicatorOnline
	case intel.IndicatorOffline:
		return intel.IndicatorOffline
	default:
		return intel.IndicatorUnknown
	}
}

const (
	maxTags = 50
	maxTag  = 100 // bytes, as for the other short texts
)

// tags splits a list at its commas.
func tags(text string) (list []string) {
	for tag := range strings.SplitSeq(text, ",") {
		if tag = strings.TrimSpace(tag); tag != "" && len(list) < maxTags {
			list = append(list, feed.Cut(tag, maxTag))
		}
	}
	return list
}

// link is a reference that a person may follow, or the other one.
func link(text, otherwise string) string {
	if len(text) < 500 && (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")) &&
		!strings.ContainsAny(text, " \"<>") {
		return text
	}
	return otherwise
}

// readURLhaus reads URLhaus' CSV.
func readURLhaus(ctx context.Context, file feed.File, r io.Reader, o *once) error {
	err := each(ctx, file, r, o, []string{"dateadded", "url", "url_status"}, func(row row) error {
		kind, value, port, err := intel.CanonicalIndicator(row.cell("url"))
		if err != nil || kind != intel.IndicatorURL {
			row.reject("url", "malformed URL")
			return nil
		}
		first, last, ok := row.times("dateadded", "last_online")
		if !ok {
			return nil
		}
		return o.indicator(intel.Indicator{
			Kind: kind, Value: value, Port: port, Threat: feed.Cut(row.cell("threat"), maxTag), Confidence: urlhausConfidence,
			Status: status(row.cell("url_status")), FirstSeen: first, LastSeen: last,
			Expires: after(later(first, last), 0, urlhausDays), Tags: tags(row.cell("tags")), Source: "urlhaus",
			Reference: link(row.cell("urlhaus_link"), ""),
		})
	})
	if err != nil {
		return err
	}
	return o.anyGood()
}

// readThreatFox reads ThreatFox' CSV, or its addresses alone.
func readThreatFox(ctx context.Context, file feed.File, r io.Reader, o *once) error {
	if file.Name == addressFile {
		return readAddresses(ctx, file, r, o)
	}
	err := each(ctx, file, r, o, []string{"ioc_value", "ioc_type"}, func(row row) error {
		i, ok := threatFox(row)
		if !ok {
			return nil
		}
		return o.indicator(i)
	})
	if err != nil {
		return err
	}
	return o.anyGood()
}

// threatFox reads a row of ThreatFox; what is wrong with one is rejected.
func threatFox(row row) (i intel.Indicator, ok bool) {
	i = intel.Indicator{
		Threat: feed.Cut(row.cell("threat_type"), maxTag), Malware: feed.Cut(row.cell("malware_printable"), maxTag),
		Confidence: threatFoxConfidence, Tags: tags(row.cell("tags")), Source: "threatfox", Reference: link(row.cell("reference"), ""),
	}
	var err error
	if i.Kind, i.Value, i.Port, err = intel.CanonicalIndicator(row.cell("ioc_value")); err != nil {
		row.reject("ioc_value", "neither URL, domain, address nor hash")
		return i, false
	}
	if i.FirstSeen, i.LastSeen, ok = row.times("first_seen_utc", "last_seen_utc"); !ok {
		return i, false
	}
	if text := row.cell("confidence_level"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 100 {
			row.reject("confidence_level", "no number from 0 to 100")
			return i, false
		}
		i.Confidence = n
	}
	if strings.EqualFold(row.cell("is_compromised"), "true") { // its owner is a victim too
		i.Tags = append(i.Tags, "compromised")
	}
	if id := row.cell("ioc_id"); i.Reference == "" && id != "" && len(id) < 20 && strings.Trim(id, "0123456789") == "" {
		i.Reference = "https://threatfox.abuse.ch/ioc/" + id + "/"
	}
	if i.Kind != intel.IndicatorHash {
		i.Expires = after(later(i.FirstSeen, i.LastSeen), threatMonths, 0)
	}
	return i, true
}

// readFeodo reads Feodo Tracker's CSV. One with a header and no rows is fine.
func readFeodo(ctx context.Context, file feed.File, r io.Reader, o *once) error {
	return each(ctx, file, r, o, []string{"first_seen_utc", "dst_ip", "dst_port"}, func(row row) error {
		kind, value, _, err := intel.CanonicalIndicator(row.cell("dst_ip"))
		if err != nil || kind != intel.IndicatorIP {
			row.reject("dst_ip", "malformed address")
			return nil
		}
		port, err := strconv.ParseUint(row.cell("dst_port"), 10, 16)
		if err != nil {
			row.reject("dst_port", "malformed port")
			return nil
		}
		first, last, ok := row.times("first_seen_utc", "last_online")
		if !ok {
			return nil
		}
		return o.indicator(intel.Indicator{
			Kind: kind, Value: value, Port: int(port), Threat: "botnet_cc", Malware: feed.Cut(row.cell("malware"), maxTag),
			Confidence: feodoConfidence, Status: status(row.cell("c2_status")), FirstSeen: first, LastSeen: last,
			Expires: after(later(first, last), 0, feodoDays), Source: "feodo",
			Reference: "https://feodotracker.abuse.ch/browse/host/" + value + "/",
		})
	})
}
