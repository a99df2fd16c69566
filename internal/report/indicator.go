package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// IndicatorAnswer is what is known of one value that was looked up: one line of `ioc lookup --format json`.
type IndicatorAnswer struct {
	Value      string      `json:"value"` // as it was asked
	Kind       Text        `json:"kind"`  // url, domain, ip, hash
	Canonical  Text        `json:"canonical"`
	Found      bool        `json:"found"`   // listed, perhaps expired
	Expired    bool        `json:"expired"` // found, but by no entry that still holds
	Indicators []Indicator `json:"indicators"`
	URLs       []Indicator `json:"urls"`  // of an address or domain: the listed URLs that lead there, the latest 20
	Error      Text        `json:"error"` // why the value is no indicator
}

// Indicator is a sign of compromise as one source lists it.
type Indicator struct {
	Kind       string     `json:"kind"`
	Value      string     `json:"value"`
	Port       *int       `json:"port"` // null: any
	Threat     Text       `json:"threat"`
	Malware    Text       `json:"malware"`
	Confidence int        `json:"confidence"`
	Status     Text       `json:"status"` // online, offline; null: not known
	FirstSeen  *time.Time `json:"first_seen"`
	LastSeen   *time.Time `json:"last_seen"`
	Expires    *time.Time `json:"expires"`
	Expired    bool       `json:"expired"`
	Tags       []string   `json:"tags"`
	Source     string     `json:"source"`
	Reference  Text       `json:"reference"`
}

// Sentence says what is listed, by whom and as what: "203.0.113.9:443 is listed by Feodo Tracker as botnet_cc (Emotet;
// last seen 2026-11-20, confidence 90, online)".
func (i Indicator) Sentence() string {
	value := i.Value
	if i.Port != nil {
		value = fmt.Sprintf("%s:%d", bracket(value), *i.Port)
	}
	text := value + " is listed by " + feedTitle(i.Source)
	if i.Threat != "" {
		text += " as " + string(i.Threat)
	}
	text += " ("
	if i.Malware != "" {
		text += string(i.Malware) + "; "
	}
	text += "last seen " + dayOf(i.LastSeen) + fmt.Sprintf(", confidence %d", i.Confidence)
	if i.Status != "" {
		text += ", " + string(i.Status)
	}
	if i.Expired {
		text += ", expired"
	}
	return text + ")"
}

func dayOf(t *time.Time) string {
	if t == nil {
		return missing
	}
	return Date{*t}.String()
}

// NoticeAbuseCH names the source of indicators, whose terms ask for it.
const NoticeAbuseCH = "Indicators are by abuse.ch (URLhaus, ThreatFox, Feodo Tracker, MalwareBazaar), fetched by you under its terms of use."

// shownAnswers bounds a table of answers; JSON has all.
const shownAnswers = 10_000

// IndicatorTable gathers answers for a person: each one of a short list; of a long list only what was found and what
// could not be read.
type IndicatorTable struct {
	rows                      []IndicatorAnswer
	asked, found, old, unread int
	leading                   int // only URLs that lead there are listed
}

// shownErrors of the values that could not be read are listed.
const shownErrors = 20

// shortList is up to how many values each has its row.
const shortList = 20

// Add takes an answer.
func (t *IndicatorTable) Add(a IndicatorAnswer) {
	t.asked++
	switch {
	case a.Error != "":
		t.unread++
	case a.Expired:
		t.old++
	case a.Found:
		t.found++
	case len(a.URLs) > 0:
		t.leading++
	}
	telling := a.Error != "" && t.unread <= shownErrors || a.Found || len(a.URLs) > 0
	if (telling || t.asked <= shortList) && len(t.rows) < shownAnswers {
		t.rows = append(t.rows, a)
	}
}

// indicatorFeeds are the lists that values are looked up in.
var indicatorFeeds = []string{"urlhaus", "threatfox", "feodo", "malwarebazaar"}

// IndicatorGap says which lists were never loaded, "" if all were: what is not found was not looked up in these.
func IndicatorGap(cat Catalogue) string {
	var titles, names []string
	for _, f := range indicatorFeeds {
		if !cat.Synced(f) {
			titles, names = append(titles, feedTitle(f)), append(names, f)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Never loaded, so nothing was looked up in: " + strings.Join(titles, ", ") + ". Load with: patchscout feeds sync --feed " +
		strings.Join(names, ",")
}

// Write shows the table and what it comes to.
func (t *IndicatorTable) Write(w io.Writer, cat Catalogue, v View) error {
	p := &printer{w: w, view: v}
	g := &grid{columns: []column{
		{Title: "VALUE", Flex: 24}, {Title: "KIND"}, {Title: "LISTED"}, {Title: "THREAT", Flex: 8}, {Title: "MALWARE", Flex: 8},
		{Title: "CONF", Right: true}, {Title: "FIRST SEEN", Optional: 2}, {Title: "LAST SEEN"}, {Title: "STATUS", Optional: 1},
		{Title: "SOURCE"}, {Title: "LINK", Flex: 16, Optional: 3},
	}}
	for _, a := range t.rows {
		if t.asked <= shortList || a.Error != "" || a.Found || len(a.URLs) > 0 {
			addAnswer(g, a)
		}
	}
	if len(g.rows) > 0 {
		p.err = g.draw(w, v.Terminal)
		p.line("")
	}
	told := 0
	for _, a := range t.rows {
		if a.Error == "" {
			continue
		}
		if told++; told <= shownErrors {
			p.item("  ", string(a.Error))
		}
	}
	if more := t.unread - min(told, shownErrors); more > 0 {
		p.item("  ", "and "+Thousands(more)+" more")
	}
	p.text(t.summary())
	if gap := IndicatorGap(cat); gap != "" {
		p.text(gap)
	}
	p.faint(NoticeAbuseCH)
	return p.err
}

func addAnswer(g *grid, a IndicatorAnswer) {
	if !a.Found {
		row := plainCells(a.Value, string(a.Kind), "no", "", "", "", "", "", "", "", "")
		row[2].tone = toneFaint
		if a.Error != "" {
			row[2] = cellValue{"not read", toneHigh}
		}
		g.add(row...)
	}
	for _, i := range a.Indicators {
		value := a.Value
		if i.Value != string(a.Canonical) {
			value += " (" + i.Value + ")"
		}
		addListed(g, value, i)
	}
	for _, i := range a.URLs[:min(len(a.URLs), shownURLs)] {
		addListed(g, a.Value+" ("+i.Value+")", i)
	}
	if more := len(a.URLs) - shownURLs; more > 0 {
		g.add(plainCells(fmt.Sprintf("%s (%d more: --format json)", a.Value, more), "url", "", "", "", "", "", "", "", "", "")...)
	}
}

// shownURLs of one host have a row.
const shownURLs = 3

func addListed(g *grid, value string, i Indicator) {
	row := plainCells(value, i.Kind, "yes", string(i.Threat), string(i.Malware), fmt.Sprint(i.Confidence), dayOf(i.FirstSeen),
		dayOf(i.LastSeen), string(i.Status), feedTitle(i.Source), string(i.Reference))
	row[2].tone = toneUrgent
	if i.Expired {
		row[2] = cellValue{"expired", toneFaint}
	}
	g.add(row...)
}

func (t *IndicatorTable) summary() string {
	text := Plural(t.asked, "value", "values") + " looked up: " + Thousands(t.found) + " listed"
	if t.old > 0 {
		text += ", " + Thousands(t.old) + " listed until some time ago"
	}
	if t.leading > 0 {
		text += ", " + Thousands(t.leading) + " only with URLs that lead there"
	}
	if t.unread > 0 {
		text += ", " + Thousands(t.unread) + " could not be read"
	}
	if n := len(t.rows); n == shownAnswers {
		text += fmt.Sprintf("; the first %s are shown, --format json has all", Thousands(n))
	}
	return text + "."
}

// indicators says which of the hosts are themselves on a list of malicious ones; what has expired is left out.
func (p *printer) indicators(hosts []Host) {
	shown := false
	for _, h := range hosts {
		for _, i := range h.Indicators {
			if i.Expired {
				continue
			}
			if !shown {
				p.line("")
				p.line("%s", p.view.paint(toneUrgent, "On lists of malicious hosts, so perhaps compromised:"))
				shown = true
			}
			p.item("  ", i.of(h.Name()))
		}
	}
}

// of is the sentence, with the host before it where the entry names another thing, such as a URL on it.
func (i Indicator) of(host string) string {
	if i.Value == host {
		return i.Sentence()
	}
	return host + ": " + i.Sentence()
}

// hostsOf are the hosts of findings with the indicators that the findings carry.
func hostsOf(findings []Finding) []Host {
	var hosts []Host
	at := map[int64]int{}
	for _, f := range findings {
		if len(f.Indicators) == 0 {
			continue
		}
		if _, known := at[f.HostID]; !known {
			at[f.HostID] = len(hosts)
			hosts = append(hosts, Host{ID: f.HostID, Address: Text(f.Host)})
		}
		h := &hosts[at[f.HostID]]
		for _, i := range f.Indicators {
			if !slices.ContainsFunc(h.Indicators, func(known Indicator) bool { return known.Sentence() == i.Sentence() }) {
				h.Indicators = append(h.Indicators, i)
			}
		}
	}
	return hosts
}
