package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// View says how to show findings to a person.
type View struct {
	Terminal
	Now           time.Time
	Limit         int    // rows of confirmed findings, 0 is all
	MinConfidence int    // 0 is ConfirmedAt
	More          string // how to see the rows beyond Limit; "" is patchscout findings
}

// Table writes a scan for people: confirmed findings, potential ones folded, what is not known, the catalogue's age.
func Table(w io.Writer, s Scan, v View) error {
	out := &printer{w: w, view: v}
	confirmed, potential := Split(s.Findings, v.MinConfidence)
	out.findings(confirmed, s.Scan)
	out.summary(s, confirmed)
	out.potential(potential)
	out.unjudged(s.Hosts)
	out.indicators(s.Hosts)
	out.problems(s.Scan)
	out.catalogue(s.Scan.Catalogue)
	return out.err
}

// FindingTable writes findings of the estate for people, potential ones folded.
func FindingTable(w io.Writer, findings []Finding, c Catalogue, v View) error {
	out := &printer{w: w, view: v}
	confirmed, potential := Split(findings, v.MinConfidence)
	out.findings(confirmed, Run{Catalogue: c})
	if len(confirmed) > 0 {
		out.line("%s.", decisions(confirmed))
	} else {
		out.line("No confirmed findings.")
	}
	out.potential(potential)
	out.indicators(hostsOf(findings))
	out.catalogue(c)
	return out.err
}

// printer keeps the first error, so that the lines above it read as what they print.
type printer struct {
	w    io.Writer
	view View
	err  error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// text writes a sentence, wrapped to the terminal.
func (p *printer) text(sentence string) { p.item("", sentence) }

// item writes a wrapped sentence behind a mark ("  "); further lines stand two cells further in.
func (p *printer) item(mark, sentence string) {
	width := p.view.Width
	if width > 0 {
		width = max(width-len(mark)-2, 20)
		if mark == "" {
			width = p.view.Width
		}
	}
	for i, line := range wrap(sentence, width) {
		if i > 0 && mark != "" {
			line = "  " + line
		}
		p.line("%s%s", mark, line)
	}
}

func (p *printer) findings(findings []Finding, run Run) {
	if len(findings) == 0 || p.err != nil {
		return
	}
	shown := findings
	if p.view.Limit > 0 && len(shown) > p.view.Limit {
		shown = shown[:p.view.Limit]
	}
	g := findingGrid(shown, run.Catalogue, p.view)
	p.err = g.draw(p.w, p.view.Terminal)
	if rest := len(findings) - len(shown); rest > 0 {
		more := p.view.More
		if more == "" {
			more = fmt.Sprintf("patchscout findings --limit 0 --scan %d", run.ID)
		}
		p.line("%s", p.view.paint(toneFaint, fmt.Sprintf("… and %s more: %s", Thousands(rest), more)))
	}
	p.legend(slices.ContainsFunc(shown, func(f Finding) bool { return estimated(f.EPSS, f.Likelihood, f.LikelihoodSource) }))
	p.line("")
}

// narrow is the width below which absent facts are a dash only; what they mean stands below the table.
const narrow = 110

func findingGrid(findings []Finding, c Catalogue, v View) *grid {
	g := &grid{columns: []column{
		{Title: "HOST"}, {Title: "PORT"}, {Title: "SERVICE", Flex: 7}, {Title: "WEAKNESS", Flex: 16}, {Title: "CVSS", Right: true},
		{Title: "EPSS", Right: true}, {Title: "KEV"}, {Title: "DECISION"}, {Title: "DUE"},
		{Title: "SCORE", Right: true}, {Title: "CONF", Right: true},
	}}
	notSynced := func(feed string) string {
		if v.narrow() || c.Synced(feed) {
			return missing
		}
		return "not synced"
	}
	for _, f := range findings {
		g.add(findingRow(f, notSynced("epss"), notSynced("kev"), v)...)
	}
	if slices.ContainsFunc(findings, func(f Finding) bool { return !f.live() }) { // all open is what everybody expects
		g.columns = append(g.columns, column{Title: "STATE"})
		for i, f := range findings {
			g.rows[i] = append(g.rows[i], cellValue{text: f.State})
		}
	}
	if v.Width == 0 || v.Width >= wide {
		g.addRisk(findings)
	}
	if v.narrow() { // their facts stand in the columns for host and decision
		g.remove(8)
		g.remove(1)
	}
	return g
}

// wide is the width from which there is room for what fixing a finding takes off the risk.
const wide = 130

// addRisk adds the column if there is anything to say.
func (g *grid) addRisk(findings []Finding) {
	if !slices.ContainsFunc(findings, func(f Finding) bool { return f.RiskRemoved != nil }) {
		return
	}
	g.columns = append(g.columns, column{Title: "RISK", Right: true})
	for i, f := range findings {
		g.rows[i] = append(g.rows[i], either(f.risk(), missing, toneNone))
	}
}

// risk is by how much the risk of attack paths drops when the finding is fixed, with three digits that count.
func (f Finding) risk() string {
	if f.RiskRemoved == nil {
		return ""
	}
	return strconv.FormatFloat(*f.RiskRemoved, 'g', 3, 64)
}

func (v View) narrow() bool { return v.Width > 0 && v.Width < narrow }

func findingRow(f Finding, noEPSS, noKEV string, v View) []cellValue {
	host, epss := f.Host, probability(f.EPSS, f.Likelihood, f.LikelihoodSource, 4)
	decision := cellValue{orMissing(string(f.Decision)), decisionTone(string(f.Decision))}
	if v.narrow() {
		host, epss = f.where(), brief(f)
		if !f.Due.IsZero() {
			decision.text += " " + f.Due.Format("Jan 2")
		}
	}
	return []cellValue{
		{text: host}, {text: f.place()}, {text: f.what()}, {text: f.called()},
		{orMissing(number(f.CVSS, 1)), severityTone(f.Severity)},
		either(epss, noEPSS, toneNone),
		kevCell(f, noKEV),
		decision, either(strings.TrimPrefix(f.Due.String(), missing), missing, toneNone),
		either(f.score(), missing, toneNone),
		{text: fmt.Sprintf("%d%%", f.Confidence)},
	}
}

// what is affected: the service, or the package in it.
func (f Finding) what() string {
	if f.Component != "" {
		return string(f.Component)
	}
	return orMissing(string(f.Service))
}

// called is how a list names the weakness: a CVE by its id, which people know; a check by what it says, since its number
// tells nobody anything.
func (f Finding) called() string {
	tool, _, _ := strings.Cut(string(f.Check), ":")
	if f.CVE != "" || f.Title == "" || string(f.Title) == string(f.Check) {
		return orMissing(f.weakness())
	}
	return clip(Plain(string(f.Title)), 60) + " [" + tool + "]"
}

// score marks a sum of which a term is not known: the true one is at least this.
func (f Finding) score() string {
	if f.ScorePartial && f.PriorityScore != nil {
		return "≥" + number(f.PriorityScore, 3)
	}
	return number(f.PriorityScore, 3)
}

// brief prints EPSS, or the estimate in its place, in five cells at most.
func brief(f Finding) string {
	if estimated(f.EPSS, f.Likelihood, f.LikelihoodSource) {
		return "~" + number(f.Likelihood, 2)
	}
	if f.EPSS != nil && *f.EPSS < 0.01 {
		return "<0.01"
	}
	return number(f.EPSS, 2)
}

func either(value, otherwise string, how tone) cellValue {
	if value == "" {
		return cellValue{otherwise, toneFaint}
	}
	return cellValue{value, how}
}

func kevCell(f Finding, noKEV string) cellValue {
	if f.KEV != nil && *f.KEV {
		return cellValue{"yes", toneUrgent}
	}
	return either(yesNo(f.KEV), noKEV, toneNone)
}

func decisionTone(decision string) tone {
	switch decision {
	case "act":
		return toneUrgent
	case "attend":
		return toneHigh
	case "plan":
		return toneMedium
	}
	return toneFaint
}

func severityTone(severity string) tone {
	switch severity {
	case "critical":
		return toneUrgent
	case "high":
		return toneHigh
	case "medium":
		return toneMedium
	}
	return toneFaint
}

func (p *printer) summary(s Scan, confirmed []Finding) {
	up, services := 0, 0
	for _, h := range s.Hosts {
		if h.Status == "up" {
			up++
			services += len(h.Services)
		}
	}
	status := "finished"
	switch {
	case s.Scan.Reason == "cancelled":
		status = "was cancelled: what was found until then is kept"
	case s.Scan.Status == "failed":
		status = "failed: " + string(s.Scan.Reason)
	case s.Scan.Status == "running" && s.Scan.Reason != "":
		status = "is not over (" + string(s.Scan.Reason) + ")"
	case s.Scan.Status == "running":
		status = "is running"
	}
	p.text(fmt.Sprintf("Scan %d %s%s: %s up, %s.", s.Scan.ID, status, took(s.Scan), Plural(up, "host", "hosts"),
		Plural(services, "open service", "open services")))
	if len(confirmed) > 0 {
		p.text(decisions(confirmed) + ".")
		return
	}
	switch {
	case services > 0:
		p.text("No confirmed findings among these services.")
	case up > 0:
		p.text("None of the ports that were looked at is open. To see PatchScout at work: patchscout demo")
	}
}

func took(r Run) string {
	if r.StartedAt == nil || r.CompletedAt == nil {
		return ""
	}
	d := r.CompletedAt.Sub(*r.StartedAt)
	switch {
	case d < 100*time.Millisecond:
		return " in under 0.1 s"
	case d < 10*time.Second:
		return fmt.Sprintf(" after %.1f s", d.Seconds())
	}
	return " after " + d.Round(time.Second).String()
}

// decisions reads "12 confirmed findings: 2 act (3 days), 4 attend (14 days), 6 plan (60 days)".
// Nobody has to decide about what is closed: it is counted apart.
func decisions(findings []Finding) string {
	count := map[string]int{}
	ended := 0
	for _, f := range findings {
		if !f.live() {
			ended++
			continue
		}
		count[string(f.Decision)]++
	}
	var parts []string
	for _, d := range []struct{ name, say string }{
		{"act", "act (within 3 days)"}, {"attend", "attend (14 days)"}, {"plan", "plan (60 days)"},
		{"track", "track (next upgrade)"}, {"", "not decided"},
	} {
		if n := count[d.name]; n > 0 {
			parts = append(parts, Thousands(n)+" "+d.say)
		}
	}
	if ended > 0 {
		parts = append(parts, Thousands(ended)+" fixed or closed")
	}
	return Plural(len(findings), "confirmed finding", "confirmed findings") + ": " + strings.Join(parts, ", ")
}

// live says whether the finding is open.
func (f Finding) live() bool { return f.State == "open" || f.State == "reopened" || f.State == "" }

// fold is one line of potential findings: a service, and why its matches are not confirmed.
type fold struct {
	host, place, service string
	count, kev           int
	reasons              []string
	byReason             map[string]int
}

// foldPotential groups potential findings by service, those with KEV entries first, then the larger groups.
func foldPotential(findings []Finding) []*fold {
	index := map[[3]string]*fold{}
	var folds []*fold
	for _, f := range findings {
		key := [3]string{f.Host, f.place(), string(f.Service)}
		group := index[key]
		if group == nil {
			group = &fold{host: key[0], place: key[1], service: key[2], byReason: map[string]int{}}
			index[key] = group
			folds = append(folds, group)
		}
		group.add(f)
	}
	slices.SortStableFunc(folds, func(a, b *fold) int {
		if a.kev != b.kev {
			return b.kev - a.kev
		}
		return b.count - a.count
	})
	return folds
}

func (g *fold) add(f Finding) {
	reason := whyPotential(f)
	if g.byReason[reason] == 0 {
		g.reasons = append(g.reasons, reason)
	}
	g.byReason[reason]++
	g.count++
	if f.KEV != nil && *f.KEV {
		g.kev++
	}
}

// String reads "192.0.2.7 22/tcp OpenSSH 9.2p1: 31 candidates (1 in KEV) that the distribution may have fixed already".
func (g *fold) String() string {
	text := strings.Join(strings.Fields(g.host+" "+g.place+" "+g.service), " ") + ": " + Plural(g.count, "candidate", "candidates")
	if g.kev > 0 {
		text += fmt.Sprintf(" (%d in KEV)", g.kev)
	}
	if len(g.reasons) == 1 {
		return text + " " + g.reasons[0]
	}
	for i, reason := range g.reasons {
		text += map[bool]string{true: ": ", false: ", "}[i == 0] + Thousands(g.byReason[reason]) + " " + reason
	}
	return text
}

// whyPotential says in one clause why a group of findings is not confirmed: one reason per kind, not per CVE.
func whyPotential(f Finding) string {
	switch f.Status {
	case "conditional":
		return "only on a platform that this scan could not see"
	case "uncertain":
		return "where the update level or the range of versions is not known"
	}
	if f.Confidence <= 30 {
		return "that the distribution may have fixed already: it backports fixes"
	}
	return fmt.Sprintf("with confidence below %d%%", ConfirmedAt)
}

func (p *printer) potential(findings []Finding) {
	if len(findings) == 0 {
		return
	}
	p.line("")
	p.text(Plural(len(findings), "potential finding", "potential findings") + ", not counted above (see them with --min-confidence 1):")
	for _, group := range foldPotential(findings) {
		p.item("  ", group.String())
	}
}

// maxUnjudged services are named one by one.
const maxUnjudged = 10

// unjudged names the services whose product is known and whose version is not: no findings is not a clean bill for them.
func (p *printer) unjudged(hosts []Host) {
	var items []string
	for _, h := range hosts {
		for _, s := range h.Services {
			if s.UnknownVersion > 0 {
				items = append(items, fmt.Sprintf("%s %d/%s %s: %s of this product, each for some versions", h.Name(), s.Port, s.Protocol,
					cmp.Or(string(s.Product), string(s.Service)), Plural(s.UnknownVersion, "known CVE", "known CVEs")))
			}
		}
	}
	if len(items) == 0 {
		return
	}
	p.line("")
	p.text(Plural(len(items), "service does not reveal its version, so it", "services do not reveal their version, so they") + " could not be judged:")
	for _, item := range items[:min(len(items), maxUnjudged)] {
		p.item("  ", item)
	}
	if more := len(items) - maxUnjudged; more > 0 {
		p.item("  ", fmt.Sprintf("… and %d more (--format json: unknown_version)", more))
	}
}

func (p *printer) problems(r Run) {
	failed := slices.ContainsFunc(r.Scanners, func(s Scanner) bool { return s.Error != "" })
	if len(r.Problems) == 0 && !failed {
		return
	}
	p.line("")
	p.line("%s", p.view.paint(toneHigh, "Incomplete: these are not known to be clean."))
	for _, problem := range r.Problems {
		p.item("  ", problem.Target+": "+problem.Reason)
	}
	for _, s := range r.Scanners {
		if s.Error != "" {
			p.item("  ", "scanner "+s.Name+": "+string(s.Error))
		}
	}
}

// feedNames are how feeds are written in sentences, in the order in which they are named.
var feedNames = []struct{ feed, name string }{
	{"nvd", "NVD"}, {"kev", "KEV"}, {"epss", "EPSS"}, {"exploitdb", "Exploit-DB"},
}

// feedTitles are how the publishers write the names of their lists.
var feedTitles = map[string]string{
	"nvd": "NVD", "cvelist": "the CVE List", "kev": "KEV", "epss": "EPSS", "exploitdb": "Exploit-DB", "metasploit": "Metasploit",
	"nuclei": "Nuclei", "attack": "ATT&CK", "ctid": "CTID", "cwe": "CWE", "urlhaus": "URLhaus", "threatfox": "ThreatFox",
	"feodo": "Feodo Tracker", "malwarebazaar": "MalwareBazaar",
}

func feedTitle(feed string) string { return cmp.Or(feedTitles[feed], feed) }

// staleAfter is when a feed's age is worth a word: all four publishers update at least weekly.
const staleAfter = 7 * 24 * time.Hour

func (p *printer) catalogue(c Catalogue) {
	p.line("")
	p.text(catalogueSentence(c, p.view.Now))
}

func catalogueSentence(c Catalogue, now time.Time) string {
	if c.Records == 0 {
		return "The catalogue is empty, so nothing could be matched: run patchscout feeds sync"
	}
	say := "Catalogue"
	if c.Starter {
		say = "Starter catalogue"
	}
	if age, known := feedAge(c, "nvd"); c.Starter && known {
		say += fmt.Sprintf(" of %s (%s)", now.Add(-age).UTC().Format(time.DateOnly), Age(age))
	}
	say += ": " + Plural(c.Records, "CVE", "CVEs")
	if !c.Starter && !c.Newest.IsZero() {
		say += fmt.Sprintf(", the newest of %s", c.Newest)
	}
	var never, stale []string
	for _, f := range feedNames {
		age, known := feedAge(c, f.feed)
		switch {
		case c.Starter && (f.feed == "nvd" || f.feed == "kev"): // its age is that of the starter, which is said
		case !known:
			never = append(never, f.name)
		case age > staleAfter:
			stale = append(stale, f.name+" "+Age(age))
		}
	}
	if len(never) > 0 {
		say += "; not synced: " + strings.Join(never, ", ")
	}
	if len(stale) > 0 {
		say += "; last synced: " + strings.Join(stale, ", ")
	}
	say += "."
	if c.Starter || len(never)+len(stale) > 0 {
		say += " Update with: patchscout feeds sync"
	}
	return say
}

func feedAge(c Catalogue, feed string) (time.Duration, bool) {
	for _, f := range c.Feeds {
		if f.Name == feed && f.AgeHours != nil {
			return time.Duration(*f.AgeHours * float64(time.Hour)), true
		}
	}
	return 0, false
}
