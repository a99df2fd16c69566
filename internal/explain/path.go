package explain

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
)

//go:embed path.txt
var pathTexts string

// paths is what words about attack paths are made of.
var paths = writer{lang: NewLanguage(pathTexts)}

// PathFact is something that holds on a walk. Its texts are taken to be hostile.
type PathFact struct {
	Kind      attackpath.FactKind
	Privilege attackpath.Privilege
	Entry     attackpath.EntryKind // of EntryAt
	Host      string               // as people call it; of Reaches the host that it is about, "" for several
	Site      string
	OS        string // of Host
	Protocol  string
	Port      uint16
	Text      string // of Other
}

// PathStep is a step of a walk. Its texts are taken to be hostile.
type PathStep struct {
	Kind   attackpath.ActionKind
	Known  attackpath.Known
	Why    string   // from where it is known
	From   PathFact // where the attacker stands when he takes it; the zero PathFact is not known
	Needs  []PathFact
	Gains  PathFact
	Chance float64
	Others int // weaknesses that would do in its place

	Protocol string // over what it goes; Port 0 is nothing
	Port     uint16
	Product  string // what answers there

	Flaw      *attackpath.Flaw // of Exploit
	Corrected bool             // a person said how likely it is
	Update    string           // what the catalogue names to update to: Update
	Software  string           // what an update of ends the finding; "" is not known
	FixedIn   string           // to which version at least; "" is not known
	Jewel     bool             // the host that it gains matters
}

// PathWords are a step in words.
type PathWords struct {
	Needs     []string
	Gains     string
	ChanceWhy string
	Says      string // one sentence
	Fix       string // one imperative sentence, "" where nothing ends it
}

// Path puts a step into words.
func Path(s PathStep) PathWords {
	out := PathWords{Needs: []string{}, Gains: factWords(s.Gains), ChanceWhy: chanceWhy(s), Says: phrase{text: deed(s)}.sentence(), Fix: fixWords(s)}
	for _, need := range s.Needs {
		out.Needs = append(out.Needs, factWords(need))
	}
	return out
}

// tell fills a text in: values are names and texts by turns.
func tell(key string, values ...string) string {
	list := make([]value, 0, len(values)/2)
	for i := 0; i+1 < len(values); i += 2 {
		list = append(list, with(values[i], known(values[i+1])))
	}
	return paths.text(key, list...).text
}

// shown is a name of something for people, on one line and not too long.
func shown(text string) string { return cut(clean(text), maxName) }

// factWords say what holds.
func factWords(f PathFact) string {
	switch f.Kind {
	case attackpath.EntryAt:
		return tell(entryKey("holds.entry", f), "site", shown(f.Site), "host", hostName(f), "where", where(f))
	case attackpath.Stands:
		if f.Site == "" {
			return tell("holds.stands.internet")
		}
		return tell("holds.stands", "site", shown(f.Site))
	case attackpath.Reaches:
		if f.Host == "" {
			return tell("holds.reaches.some", "port", portName(f.Protocol, f.Port), "site", shown(f.Site))
		}
		return tell("holds.reaches", "port", portName(f.Protocol, f.Port), "host", hostName(f))
	case attackpath.Holds:
		return tell("holds."+privilege(f), "host", hostName(f))
	case attackpath.HasLogin:
		switch {
		case f.Port != 0 && f.Privilege == attackpath.Root:
			return tell("holds.account.admin", "port", portName(f.Protocol, f.Port), "host", hostName(f))
		case f.Port != 0:
			return tell("holds.account", "port", portName(f.Protocol, f.Port), "host", hostName(f))
		}
		return tell("holds.login", "host", hostName(f))
	case attackpath.Administers:
		return tell("holds.app", "port", portName(f.Protocol, f.Port), "host", hostName(f))
	case attackpath.Reads:
		return tell("holds.reads", "host", hostName(f))
	case attackpath.Writes:
		return tell("holds.writes", "host", hostName(f))
	case attackpath.Lured:
		return tell("holds.lured", "host", either(hostName(f), shown(f.Site)))
	case attackpath.Reuses:
		return tell("holds.reuses", "site", shown(f.Site))
	default:
		return tell("holds.other", "text", cut(clean(f.Text), maxQuote))
	}
}

// entryKey is the text about an entry of a kind.
func entryKey(key string, f PathFact) string {
	if paths.lang.has(key + "." + string(f.Entry)) {
		return key + "." + string(f.Entry)
	}
	return key
}

// where is a host, or a whole site.
func where(f PathFact) string {
	if f.Host != "" {
		return hostName(f)
	}
	return "site " + shown(f.Site)
}

func hostName(f PathFact) string { return shown(f.Host) }

// privilege is the word for what an attacker may do on a host: who is root on Windows is called otherwise.
func privilege(f PathFact) string {
	switch {
	case f.Privilege == attackpath.Root && strings.Contains(strings.ToLower(f.OS), "windows"):
		return "admin"
	case f.Privilege == attackpath.Root:
		return "root"
	default:
		return "user"
	}
}

// portName is "tcp/443".
func portName(protocol string, port uint16) string {
	if port == 0 {
		return tell("port.any")
	}
	return fmt.Sprintf("%s/%d", either(shown(protocol), "tcp"), port)
}

func either(a, b string) string { return cmp.Or(a, b) }

// fromWords say where an attacker comes from.
func fromWords(f PathFact) string {
	switch f.Kind {
	case attackpath.EntryAt:
		if paths.lang.has("from." + string(f.Entry)) {
			return tell("from."+string(f.Entry), "site", shown(f.Site), "host", hostName(f))
		}
	case attackpath.Stands:
		if f.Site == "" {
			return tell("from.internet")
		}
		return tell("from.site", "site", shown(f.Site))
	case attackpath.Holds, attackpath.HasLogin, attackpath.Reaches:
		if f.Host != "" {
			return tell("from.host", "host", hostName(f))
		}
	case attackpath.Lured, attackpath.Administers, attackpath.Reads, attackpath.Writes, attackpath.Reuses, attackpath.Other:
	}
	return tell("from.nowhere")
}

// deed says what the attacker does.
func deed(s PathStep) string {
	host := hostName(s.Gains)
	port := portName(s.Protocol, s.Port)
	switch s.Kind {
	case attackpath.Enters:
		entry := s.From
		if entry.Kind != attackpath.EntryAt {
			entry = s.Gains
		}
		return tell(entryKey("does.enters", entry), "site", shown(entry.Site), "host", hostName(entry), "where", where(entry))
	case attackpath.Moves:
		return moves(s)
	case attackpath.Exploit:
		return exploits(s)
	case attackpath.LogsIn:
		if s.Port == 0 {
			return tell("does.login.somehow", "host", host, "gain", gainWords(s.Gains))
		}
		return tell("does.login", "host", host, "port", port, "gain", gainWords(s.Gains))
	case attackpath.Reusing:
		return tell("does.reuse", "from", fromWords(s.From), "host", host)
	case attackpath.SameHost:
		return tell("does.same", "from", either(shown(s.From.Host), fromWords(s.From)), "host", host)
	case attackpath.Implies:
		if s.Gains.Kind == attackpath.HasLogin {
			return tell("does.implies.login", "gain", gainWords(s.Gains))
		}
		return tell("does.implies", "host", host)
	default:
		return tell("does.step", "text", factWords(s.Gains))
	}
}

func moves(s PathStep) string {
	if s.Gains.Kind != attackpath.Reaches {
		return tell("does.moves", "from", fromWords(s.From))
	}
	other := ""
	if s.Gains.Site != "" && s.From.Site != s.Gains.Site {
		other = tell("does.reach.other", "site", shown(s.Gains.Site))
	}
	host := hostName(s.Gains)
	if host == "" {
		host = "hosts"
	}
	return tell("does.reach", "from", fromWords(s.From), "port", portName(s.Gains.Protocol, s.Gains.Port), "host", host, "other", other)
}

// exploits says which weakness is used, over what, and what it gives.
func exploits(s PathStep) string {
	key := "does.exploit"
	switch s.Gains.Kind {
	case attackpath.HasLogin, attackpath.Reuses:
		key += ".has"
	case attackpath.Reads, attackpath.Writes, attackpath.Lured, attackpath.Reaches, attackpath.Stands, attackpath.Other, attackpath.EntryAt:
		key += ".can"
	case attackpath.Holds, attackpath.Administers:
	}
	effect := s.effect()
	switch {
	case effect.Lures && key == "does.exploit":
		key += ".lure"
	case effect.Reach == attackpath.OnHost || s.Port == 0 && effect.Reach != attackpath.OverLink:
		key += ".local"
	case effect.Reach == attackpath.OverLink && key == "does.exploit":
		key += ".link"
	}
	return tell(key, "port", portName(s.Protocol, s.Port), "weakness", flawName(s, true), "host", hostName(s.Gains), "gain", gainWords(s.Gains),
		"site", shown(s.Gains.Site)) + instead(s.Others)
}

// effect is that of the step's weakness, the zero Effect where there is none.
func (s *PathStep) effect() attackpath.Effect {
	if s.Flaw == nil || s.Flaw.Effect == nil {
		return attackpath.Effect{}
	}
	return *s.Flaw.Effect
}

func instead(others int) string {
	switch others {
	case 0:
		return ""
	case 1:
		return tell("does.instead.one")
	default:
		return tell("does.instead", "n", fmt.Sprint(others))
	}
}

// gainWords say what somebody is or has then, without saying the host again.
func gainWords(f PathFact) string {
	if f.Kind == attackpath.Holds {
		return tell("gain." + privilege(f))
	}
	return factWords(f)
}

// flawName is a weakness for people: a CVE by its id, a check by its title; long says in which product too.
func flawName(s PathStep, long bool) string {
	if s.Flaw == nil {
		return tell("weakness.none")
	}
	name := shown(s.Flaw.Weakness)
	title := shown(s.Flaw.Title)
	if !strings.HasPrefix(name, "CVE-") && title != "" {
		return tell("weakness.check", "title", title)
	}
	if product := either(shown(s.Flaw.Component), shown(s.Product)); long && product != "" {
		return tell("weakness.in", "weakness", name, "product", product)
	}
	return name
}

func chanceWhy(s PathStep) string {
	switch effect := s.effect(); {
	case s.Corrected:
		return tell("chance.said")
	case effect.PWhy != "":
		return cut(clean(effect.PWhy), maxQuote)
	case s.Chance >= 1:
		return tell("chance.sure")
	default:
		return cut(clean(s.Why), maxQuote)
	}
}

// fixWords say in one imperative sentence what ends a step.
func fixWords(s PathStep) string {
	host, port := hostName(s.Gains), portName(s.Protocol, s.Port)
	text := ""
	switch s.Kind {
	case attackpath.Exploit:
		text = fixOfFlaw(s, false)
	case attackpath.Moves:
		if s.Gains.Kind == attackpath.Reaches && s.Gains.Port != 0 && host != "" {
			text = tell("fix.close", "port", portName(s.Gains.Protocol, s.Gains.Port), "host", host, "from", closedTo(s.From))
		}
	case attackpath.LogsIn:
		text = tell("fix.login.somehow", "host", host)
		if s.Port != 0 {
			text = tell("fix.login", "host", host, "port", port)
		}
	case attackpath.Reusing:
		text = tell("fix.reuse", "site", shown(either(s.Gains.Site, s.From.Site)))
	case attackpath.Enters:
		if s.From.Entry == attackpath.FromUser {
			text = tell("fix.entry")
		}
	case attackpath.SameHost, attackpath.Implies, attackpath.Step:
	}
	if text == "" {
		return ""
	}
	return phrase{text: text}.sentence()
}

// closedTo is to whom a port is to be closed: a place that many stand in rather than the host that the attacker came over.
func closedTo(f PathFact) string {
	switch {
	case f.Kind == attackpath.EntryAt && f.Entry == attackpath.FromInternet, f.Kind == attackpath.Stands && f.Site == "":
		return tell("from.internet")
	case f.Site != "":
		return tell("close.site", "site", shown(f.Site))
	default:
		return tell("close.any")
	}
}

// Walk puts a whole path into two to four sentences.
func Walk(steps []PathStep, chance float64) string {
	var out []string
	add := func(text string) { out = append(out, phrase{text: text}.sentence()) }
	hops := hopsOf(steps)
	if len(hops) == 0 {
		for _, s := range steps {
			if len(out) < 3 {
				add(deed(s))
			}
		}
		return strings.Join(out, " ")
	}
	add(firstHop(steps, hops[0]))
	if middle := hops[1:]; len(middle) > 0 {
		add(laterHops(middle))
	}
	add(tell("walk.chance", "percent", percentOf(chance)) + hardest(steps))
	add(restsOn(steps))
	return strings.Join(out, " ")
}

// hop is what happens on one host.
type hop struct{ steps []PathStep }

func (h hop) last() PathStep { return h.steps[len(h.steps)-1] }

// hopsOf gathers the steps that give something on a host, host by host. What only implies or gets nearer is left out.
func hopsOf(steps []PathStep) (out []hop) {
	for _, s := range steps {
		if s.Gains.Host == "" || !slices.Contains([]attackpath.ActionKind{attackpath.Exploit, attackpath.LogsIn, attackpath.Reusing, attackpath.SameHost}, s.Kind) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].last().Gains.Host == s.Gains.Host && out[n-1].last().Gains.Site == s.Gains.Site {
			out[n-1].steps = append(out[n-1].steps, s)
			continue
		}
		out = append(out, hop{[]PathStep{s}})
	}
	return out
}

func firstHop(steps []PathStep, h hop) string {
	from := h.steps[0].From
	for _, s := range steps {
		if s.Kind == attackpath.Enters {
			from = s.From
			if from.Kind != attackpath.EntryAt {
				from = s.Gains
			}
			break
		}
	}
	return tell("walk.first", "from", fromWords(from), "host", hostName(h.last().Gains), "by", byWords(h), "gain", h.gained())
}

// gained is what an attacker has of a host at the end of a hop.
func (h hop) gained() (text string) {
	f := h.last().Gains
	if h.last().Jewel {
		defer func() { text += tell("walk.jewel") }()
	}
	if f.Kind == attackpath.Holds {
		return tell("gained."+privilege(f), "site", shown(f.Site))
	}
	return tell("gained.other", "what", factWords(f), "site", shown(f.Site))
}

// byWords say how somebody gets to a host.
func byWords(h hop) string {
	var names []string
	for _, s := range h.steps {
		switch s.Kind {
		case attackpath.Exploit:
			names = append(names, flawName(s, true)+over(s))
		case attackpath.LogsIn:
			names = append(names, tell("walk.by.login")+over(s))
		case attackpath.Reusing:
			names = append(names, tell("walk.by.reuse"))
		case attackpath.SameHost:
			names = append(names, tell("walk.by.same"))
		case attackpath.Moves, attackpath.Enters, attackpath.Implies, attackpath.Step:
		}
	}
	return joined(names)
}

func over(s PathStep) string {
	if s.Port == 0 {
		return ""
	}
	return tell("walk.over", "port", portName(s.Protocol, s.Port))
}

func joined(names []string) string {
	list := make([]phrase, len(names))
	for i, n := range names {
		list[i] = known(n)
	}
	return paths.list("list.two", list).text
}

// shownHops is how many hosts of a long walk are named.
const shownHops = 4

func laterHops(hops []hop) string {
	if len(hops) > shownHops {
		var names []string
		for _, h := range hops[:len(hops)-1] {
			names = append(names, hostName(h.last().Gains))
		}
		rest := len(names) - shownHops
		if rest > 0 {
			names = append(names[:shownHops], tell("walk.more", "n", fmt.Sprint(rest)))
		}
		end := hops[len(hops)-1]
		return tell("walk.long", "hosts", joined(names), "host", hostName(end.last().Gains), "by", byWords(end), "gain", end.gained())
	}
	var all []string
	for i, h := range hops {
		key := "walk.next"
		if i > 0 {
			key = "walk.then"
		}
		all = append(all, tell(key, "host", hostName(h.last().Gains), "by", byWords(h), "gain", h.gained()))
	}
	return strings.Join(all, ", ")
}

// hardest names the step that an attacker is likeliest to fail at, where there are several.
func hardest(steps []PathStep) string {
	var worst *PathStep
	n := 0
	for i, s := range steps {
		if s.Chance >= 1 {
			continue
		}
		n++
		if worst == nil || s.Chance < worst.Chance {
			worst = &steps[i]
		}
	}
	if n < 2 || worst.Flaw == nil {
		return ""
	}
	return tell("walk.weak", "weakness", flawName(*worst, false), "host", hostName(worst.Gains), "percent", percentOf(worst.Chance))
}

// restsOn says how well the way through the network is known.
func restsOn(steps []PathStep) string {
	assumed, declared := 0, 0
	for _, s := range steps {
		if s.Kind == attackpath.Enters && s.Known == attackpath.Policy {
			continue // the question begins there
		}
		switch s.Known {
		case attackpath.Assumed:
			assumed++
		case attackpath.Policy:
			declared++
		case attackpath.Observed:
		}
	}
	switch {
	case assumed == 1:
		return tell("walk.assumed.one")
	case assumed > 1:
		return tell("walk.assumed", "n", fmt.Sprint(assumed))
	case declared > 0:
		return tell("walk.policy")
	default:
		return tell("walk.observed")
	}
}

func percentOf(p float64) string { return paths.percent(p).text }

// Line is a text about paths on one line, cut where it is too long: names in it are taken to be hostile.
func Line(text string) string { return cut(clean(text), maxLine) }

// LineSentence is Line as a sentence.
func LineSentence(text string) string { return phrase{text: Line(text)}.sentence() }

// maxLine is how long a sentence is at most.
const maxLine = 500

// Update says to what version a CVE's product is to be updated, as far as the record names one: "Update OpenSSH to 9.8p1 or
// later.". "" is not known.
func Update(in Input) string {
	w := newWriter(English, in)
	f := w.product.fix
	all := leaves(w.record.Configurations, nil)
	if len(f.versions) == 0 || len(all) == 0 {
		return ""
	}
	keys, _ := distinct(all)
	what := shown(w.display(w.mainKey(keys)))
	if len(f.versions) == 1 {
		return phrase{text: tell("update.one", "what", what, "version", f.versions[0])}.sentence()
	}
	var list []phrase
	for _, v := range f.versions[max(0, len(f.versions)-shownFixes):] {
		list = append(list, known(v))
	}
	return phrase{text: tell("update.line", "what", what, "versions", paths.list("list.last", list).text)}.sentence()
}

// Difference is what something would change, in numbers.
type Difference struct {
	Paths, Gone  int // listed before, and of these those that end
	New          int // that are the best ones then
	Jewels, Left int // reached before and after
	Incomplete   bool
}

// others say what is walked in the place of what ended, or besides.
func others(d Difference) string {
	key := "what.if.new"
	switch {
	case d.Gone == 0:
		key = "what.if.best"
	case d.Gone == 1:
		key = "what.if.its"
	}
	switch d.New {
	case 0:
		return ""
	case 1:
		return tell(key + ".one")
	default:
		return tell(key, "n", fmt.Sprint(d.New))
	}
}

// WhatIf puts a difference into a sentence: "41 of 43 paths are gone; 1 of 3 jewels is still reached."
func WhatIf(d Difference) string {
	var text string
	n := fmt.Sprint(d.Paths)
	switch {
	case d.Paths == 0:
		text = tell("what.if.zero")
	case d.Gone == d.Paths && d.Paths == 1:
		text = tell("what.if.only")
	case d.Gone == d.Paths:
		text = tell("what.if.all", "n", n)
	case d.Gone == 0 && d.Paths == 1:
		text = tell("what.if.stays")
	case d.Gone == 0:
		text = tell("what.if.none", "n", n)
	case d.Gone == 1:
		text = tell("what.if.one", "n", n)
	default:
		text = tell("what.if.some", "n", n, "gone", fmt.Sprint(d.Gone))
	}
	switch {
	case d.Left == 0 && d.Jewels > 0:
		text += tell("what.if.safe")
	case d.Left == 1 && d.Jewels == 1:
		text += tell("what.if.jewel")
	case d.Left > d.Jewels && d.Left-d.Jewels == 1:
		text += tell("what.if.worse.one")
	case d.Left > d.Jewels:
		text += tell("what.if.worse", "n", fmt.Sprint(d.Left-d.Jewels))
	case d.Left == 1:
		text += tell("what.if.jewels.one", "n", fmt.Sprint(d.Jewels))
	case d.Left > 0:
		text += tell("what.if.jewels", "left", fmt.Sprint(d.Left), "n", fmt.Sprint(d.Jewels))
	}
	return phrase{text: text + others(d)}.sentence()
}
