package answer

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// outsides is why no data of the product answers a kind of question, and what can be asked instead.
var outsides = map[string][2]string{
	"forecast":  {"nobody can know what is going to happen", "What can be told is how likely exploitation is in the next 30 days (EPSS): which of my findings have EPSS above 50 %?"},
	"blame":     {"no data here says who attacked or who is to blame: PatchScout sees weaknesses, not attackers", "Ask which of your hosts stand in lists of malicious addresses, or how an attacker would walk."},
	"injection": {"what was asked is an order to me and no question about your data", "Ask about findings, hosts, software, CVEs, attack paths or feeds."},
	"smalltalk": {"no record is about that", "Ask what to fix first."},
	"world":     {"that is not among what PatchScout knows: findings, hosts, software, CVEs, attack paths and feeds", "Ask what to fix first."},
	"others":    {"no data here is about anybody else's hosts", "Ask how your own sites compare, or how findings developed."},
	"inside":    {"PatchScout looks at hosts from outside and reads reports: it does not know what goes on inside them", "Ask which services answer on a host, or which packages have findings."},
	"breach":    {"no data here says whether somebody was attacked: PatchScout sees weaknesses, not attacks", "Ask which exploited weaknesses are open, or how an attacker would reach a host."},
	"secret":    {"passwords, keys and tokens are not kept where I read, and would not be told", "Ask which hosts answer without a login, or what is known of a host."},
	"malware":   {"no record describes families of malware: of the feeds, their addresses, domains and hashes are kept", "Ask about one address, domain or hash, or which CVEs ransomware uses."},
	"weather":   {"that has nothing to do with vulnerabilities and hosts", "Ask what to fix first."},
	"opinion":   {"no record holds opinions", "Ask for facts: which product has the most findings here?"},
	"person":    {"nothing is kept about people but what is assigned to them and which hosts they own", "Ask what is assigned to somebody."},
	"money":     {"no record holds prices or losses", "Ask what takes most off the risk: what should I fix first?"},
	"lifecycle": {"no record says until when a product is supported", "Ask in which versions it runs here, or which findings have no known fix."},
	"context":   {"nothing was asked before in this conversation that this could be about", "Name what you mean: a host, a CVE, a finding or a site."},
	"ordinal":   {"the list before has no such item", "Name what you mean, or ask for the list again."},
	"newest":    {"no record says which version of a product is the newest one", "Ask which versions of it run here, or which of them have findings."},
	"licence":   {"no record says under which licence software is distributed", "Ask in which versions it runs here, or which CVEs it has."},
	"unknown":   {"no record holds that", "Ask about findings, hosts, software, CVEs, attack paths, scans or feeds."},
	"legal":     {"no record holds legal advice", "Ask what is overdue by your own terms."},
	"other":     {"no data here says anything about that", "Ask about findings, hosts, software, CVEs, attack paths or feeds."},
}

// acts is which command and page do what a question cannot.
var acts = map[string][2]string{
	"scan":     {"patchscout scan TARGET", "Scans, New scan"},
	"delete":   {"patchscout imports undo ID, or patchscout assets retire HOST", "the page of the scan, import or host"},
	"remove":   {"patchscout imports undo ID, or patchscout assets retire HOST", "the page of the scan, import or host"},
	"triage":   {"patchscout triage ID --state accepted --reason TEXT", "the finding's page"},
	"accept":   {"patchscout triage ID --state accepted --reason TEXT", "the finding's page"},
	"close":    {"patchscout close ID --reason TEXT", "the finding's page"},
	"assign":   {"patchscout triage ID --assign NAME", "the finding's page"},
	"label":    {"patchscout triage ID --label NAME", "the finding's page"},
	"tag":      {"patchscout assets tag HOST --tag NAME", "the host's page"},
	"fix":      {"your package manager, or whatever updates the host; PatchScout changes nothing on hosts", "the finding's page, which says what to do"},
	"patch":    {"your package manager, or whatever updates the host; PatchScout changes nothing on hosts", "the finding's page, which says what to do"},
	"sync":     {"patchscout feeds sync", "Threats, Feeds"},
	"import":   {"patchscout import FILE", "Import"},
	"export":   {"patchscout findings --format csv", "Findings, Export"},
	"stop":     {"patchscout scans cancel ID", "the scan's page"},
	"cancel":   {"patchscout scans cancel ID", "the scan's page"},
	"schedule": {"the server's configuration", "Settings"},
	"user":     {"patchscout user", "Settings, Users"},
	"report":   {"patchscout findings --format csv", "Findings, Export"},
	"exploit":  {"nothing here: PatchScout attacks nobody", "nothing here: PatchScout attacks nobody"},
	"login":    {"the page to sign in", "the page to sign in"},
}

// outside refuses what no data of the product can answer, and says what can be asked instead.
func outside(_ context.Context, q *Asked, d *Draft) (bool, error) {
	switch {
	case q.Act != "":
		q.refuseAct(d)
	case q.Outside == "greeting":
		d.Say(nil, "Hello. Ask about findings, hosts, software, CVEs, attack paths, scans or feeds.")
		q.askOn(d, "How bad is it?", "What should I fix first?", "Which hosts are the worst?")
	case q.Outside == "thanks":
		d.Say(nil, "You are welcome.")
		q.askOn(d, "What should I fix first?", "What is new since last week?", "Which hosts are the worst?")
	case q.Outside != "":
		said, known := outsides[q.Outside]
		if !known {
			said = outsides["other"]
		}
		d.refuse(nil, said[0], said[1])
		q.askOn(d, "What should I fix first?", "How many critical findings are open?", "Which hosts are the worst?")
	default:
		return false, nil
	}
	return true, nil
}

// refuseAct says which command and page do what was wanted: an answer never does anything.
func (q *Asked) refuseAct(d *Draft) {
	d.Refused = true
	d.Missing = append(d.Missing, "an answer changes nothing")
	said, known := acts[strings.ToLower(q.Act)]
	if !known {
		d.Say(nil, "I don't do that, because an answer only reads and changes nothing. The pages and commands of the product do: patchscout --help lists them.")
		return
	}
	text := "I don't do that, because an answer only reads and changes nothing. What does it: " + said[0]
	if said[1] != said[0] {
		text += "; in the browser: " + said[1]
	}
	d.Lines = append(d.Lines, Line{Text: text + "."})
	if strings.HasPrefix(said[0], "patchscout") {
		d.Command, _, _ = strings.Cut(said[0], ",")
	}
	q.askOn(d, "What should I fix first?", "When was the last scan?", "How many critical findings are open?")
}

// cveLike is what looks like a CVE's id, well written or not.
var cveLike = regexp.MustCompile(`(?i)\bcve[- ]?\d{1,6}[- ]?\d{0,9}\b`)

// noRecord refuses what was asked of a CVE that is not there. Its id stands in the source alone, never in the text.
func (q *Asked) noRecord(d *Draft, id string) {
	id = strings.ToUpper(quoted(id, 40))
	cite := d.Cite(report.Source{Kind: "catalogue", ID: "lookup " + id, Title: "The catalogue", Text: "Looked up: " + id + ". There is no such record.", URL: "/catalogue"})
	d.refuse([]int{cite}, "the catalogue has no such record, and no finding names it", "Check the number, or load the feeds with: patchscout feeds sync.")
}

// unknown says that there is no answer, and why.
func unknown(q *Asked, d *Draft) {
	switch id := cveLike.FindString(strings.Join(append(slices.Clone(q.Unknown), q.Question.Rest...), " ")); {
	case id != "":
		q.noRecord(d, id)
	case len(q.Unknown) > 0:
		d.refuse(nil, "nothing is known of "+quoted(or(q.Unknown), 120), "Check how it is written.")
	case q.Subject == understand.Nothing && len(q.Question.Rest) > 0:
		d.refuse(nil, "I did not understand "+quoted(strings.Join(q.Question.Rest, " "), 120), "Ask about findings, hosts, software, CVEs, attack paths, scans or feeds.")
	default:
		d.refuse(nil, "no record answers this", "Ask about findings, hosts, software, CVEs, attack paths, scans or feeds.")
	}
	q.askOn(d, "What should I fix first?", "How many critical findings are open?", "Which hosts are the worst?")
}
