package attackpath

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Describe says a fact in words: "user on 10.0.3.7", "can reach tcp/443 in site branch".
func (m *Model) Describe(f Fact) string {
	if f < 0 || int(f) >= len(m.net.Facts) {
		return ""
	}
	i := m.net.Facts[f]
	switch host := m.hostName(i.Host); i.Kind {
	case EntryAt:
		return "begins at " + m.entryName(m.entryOf(f))
	case Stands:
		return "can send from " + m.placeName(i)
	case Reaches:
		return "can reach " + m.portName(i)
	case Holds:
		return i.Privilege.String() + " on " + host
	case HasLogin:
		if i.Port != 0 {
			return "has " + accountWords(i) + " of what answers at " + service(i, host)
		}
		return "has a login for " + host
	case Administers:
		return "is administrator of what answers at " + service(i, host)
	case Reads:
		return "reads files of " + service(i, host)
	case Writes:
		return "writes files of " + service(i, host)
	case Lured:
		return "can put something before the people of site " + i.Site
	case Reuses:
		return "has an administrator's credentials of site " + i.Site
	}
	return i.Text
}

func accountWords(i FactInfo) string {
	if i.Privilege == Root {
		return "an administrator's account"
	}
	return "an account"
}

func service(i FactInfo, host string) string {
	if i.Port == 0 {
		return host
	}
	return fmt.Sprintf("%s/%d of %s", i.Protocol, i.Port, host)
}

func (m *Model) entryOf(f Fact) Entry {
	for _, e := range m.entries {
		if e.fact == f {
			return e.Entry
		}
	}
	return Entry{}
}

func (m *Model) placeName(i FactInfo) string {
	if i.Site == "" {
		return "the internet"
	}
	if i.Class < 0 || m.reach.siteParts[i.Site] == nil || len(m.reach.siteParts[i.Site].list()) == 1 {
		return "site " + i.Site
	}
	p := m.reach.parts[i.Class]
	return "site " + i.Site + m.like(p.sample, p.hosts)
}

func (m *Model) portName(i FactInfo) string {
	if i.Host != 0 {
		return "a service of " + m.hostName(i.Host)
	}
	c := m.reach.classes[i.Class]
	return fmt.Sprintf("%s/%d in site %s%s", i.Protocol, i.Port, i.Site, m.like(c.sample, c.hosts))
}

// like names hosts that rules treat alike by one of them, where they are not all of the site.
func (m *Model) like(sample, n int32) string {
	switch {
	case sample < 0 || n <= 0:
		return ""
	case n == 1:
		return " (" + m.hosts[sample].Name + ")"
	case m.alone(sample):
		return ""
	}
	return fmt.Sprintf(" (%s and %d more)", m.hosts[sample].Name, n-1)
}

// alone says whether the rules treat all hosts of a host's site alike as senders and as receivers.
func (m *Model) alone(i int32) bool { return m.reach.classesOf[m.hosts[i].Site] == 1 }

func (m *Model) hostName(id int64) string {
	i, ok := m.index[id]
	switch {
	case !ok:
		return fmt.Sprintf("host %d", id)
	case m.hosts[i].Name == "":
		return fmt.Sprintf("host %d", id)
	}
	return m.hosts[i].Name
}

// String is a zone as policy files write it.
func (z Zone) String() string {
	switch {
	case z.Internet:
		return "internet"
	case z.Site != "" && z.Network.IsValid():
		return "site:" + z.Site + "/" + z.Network.String()
	case z.Site != "":
		return "site:" + z.Site
	case z.Network.IsValid():
		return z.Network.String()
	}
	return "any"
}

// String is ports as policy files write them: "tcp/443", "8000-8100".
func (p PortRange) String() string {
	text := fmt.Sprint(p.From)
	if p.To != p.From {
		text += fmt.Sprintf("-%d", p.To)
	}
	if p.Protocol != "" {
		text = p.Protocol + "/" + text
	}
	return text
}

// String is a rule in one line: "site:branch -> site:dmz tcp/443 allow".
func (r *PolicyRule) String() string {
	text := r.From.String() + " -> " + r.To.String()
	for i, p := range r.Ports {
		if i == 0 {
			text += " " + p.String()
		} else {
			text += "," + p.String()
		}
	}
	if r.Allow {
		return text + " allow"
	}
	return text + " deny"
}

func declared(what, source string) string {
	if source == "" {
		return what + ", as somebody declared"
	}
	return what + ", as " + source + " declares"
}

func foundWords(k foundKey) string {
	port := fmt.Sprintf("%s/%d", k.protocol, k.port)
	var text string
	switch {
	case k.kind == LogsIn:
		text = "logins are taken at " + port
	case k.scanner == "":
		text = "it was found"
	default:
		text = k.scanner + " found it"
	}
	if k.scan != 0 {
		text += fmt.Sprintf("; scan %d of site %s saw %s open", k.scan, k.site, port)
	}
	if k.more != "" {
		text += "; " + k.more
	}
	return text
}

// Edge names an action for corrections, "" where it cannot be corrected by itself: see Edges.
func (m *Model) Edge(action int32) EdgeKey {
	a := &m.net.Actions[action]
	if a.Kind == Exploit && a.Finding != 0 {
		return FindingEdge(a.Finding)
	}
	if a.Kind != Moves || m.net.Facts[a.Post].Kind != Reaches || m.net.Facts[a.Pre[0]].Kind != Stands {
		return ""
	}
	to := m.net.Facts[a.Post]
	if c := m.reach.classes[to.Class]; to.Port != 0 && c.hosts == 1 {
		return ReachEdge(m.net.Facts[a.Pre[0]].Site, m.hosts[c.sample].ID, to.Protocol, to.Port)
	}
	return ""
}

// Edges names the steps of a path for corrections, "" where a step cannot be corrected. A path knows the host that a step
// is taken for, where an action serves many.
func (m *Model) Edges(p Path) []EdgeKey {
	out := make([]EdgeKey, len(p.Steps))
	for n, s := range p.Steps {
		out[n] = m.Edge(s.Action)
		to := m.net.Facts[m.net.Actions[s.Action].Post]
		if out[n] != "" || m.net.Actions[s.Action].Kind != Moves || to.Kind != Reaches || to.Port == 0 {
			continue
		}
		from, host := m.senderOf(p, n), m.hostOf(p, n)
		if from != nil && host != 0 {
			out[n] = ReachEdge(from.Site, host, to.Protocol, to.Port)
		}
	}
	return out
}

// senderOf finds where somebody stands who takes the n-th step, over a hub or not.
func (m *Model) senderOf(p Path, n int) *FactInfo {
	need := m.net.Actions[p.Steps[n].Action].Pre[0]
	for range p.Steps {
		f := &m.net.Facts[need]
		if f.Kind == Stands {
			return f
		}
		at := slices.IndexFunc(p.Steps, func(s PathStep) bool { return m.net.Actions[s.Action].Post == need })
		if at < 0 || f.Kind != Other {
			return nil
		}
		need = m.net.Actions[p.Steps[at].Action].Pre[0]
	}
	return nil
}

// hostOf finds the host for which the n-th step is taken: that of the first step which needs what it gives.
func (m *Model) hostOf(p Path, n int) int64 {
	gives := m.net.Actions[p.Steps[n].Action].Post
	for _, s := range p.Steps[n+1:] {
		a := &m.net.Actions[s.Action]
		if !slices.Contains(a.Pre, gives) {
			continue
		}
		if a.Host != 0 {
			return a.Host
		}
		if f := m.net.Facts[a.Post]; f.Kind == Reaches && f.Host != 0 {
			return f.Host
		}
	}
	return 0
}

// Assumptions lists every assumption that a path rests on as a sentence, in the order of its steps and without doubles.
func (m *Model) Assumptions(p Path) (out []string) {
	say := func(text string) {
		if text = sentence(text); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for n, s := range p.Steps {
		a := &m.net.Actions[s.Action]
		post := m.net.Facts[a.Post]
		from := m.net.Facts[a.Pre[0]]
		if a.Kind == Exploit && a.Flaw != nil && a.Known != Policy {
			m.assumedOf(a, post, say)
		}
		switch {
		case a.Kind == Moves && post.Kind == Reaches && from.Kind == Stands && from.Site == post.Site && a.Known == Observed:
			say("hosts of site " + post.Site + " are taken to reach each other where no rule says otherwise")
		case a.Kind == Moves && post.Kind == Reaches && from.Kind == Stands && from.Site == "" && a.Known == Assumed:
			say(m.exposedWords(m.hostOf(p, n)))
		case a.Kind == Exploit:
		case a.Known == Assumed && (a.Kind == Implies || a.Kind == LogsIn):
			say(m.hostName(a.Host) + ": " + m.net.Reasons[a.Why])
		case a.Known == Assumed:
			say(m.net.Reasons[a.Why])
		}
	}
	return out
}

// assumedOf says what the use of a finding rests on: over which port, as what it runs, and who opens what is sent.
func (m *Model) assumedOf(a *Action, post FactInfo, say func(string)) {
	host := m.hostName(a.Host)
	i, there := m.index[a.Host]
	if !there {
		return
	}
	if a.Known == Assumed {
		say("the report of " + a.Flaw.Weakness + " on " + host + " names no port, so that any open one of the host is taken to do")
	}
	e := &emitting{Model: m, i: i, h: m.hosts[i]}
	if a.Flaw.Effect.Gain == AsService && post.Privilege == Root {
		p := fmt.Sprintf("%s/%d", protocolOf(a.Flaw.Protocol), a.Flaw.Port)
		if a.Flaw.Port == 0 {
			p = "what answers"
		}
		_, why := e.runsAs(a.Flaw)
		say(p + " on " + host + " is taken to run as root: " + why)
	}
	if a.Flaw.Effect.Lures {
		// What the policy or a tag declares is no assumption.
		if _, why := IsClient(*m.hosts[i], m.estate.Policy); strings.HasPrefix(why, "its system") {
			say("people are taken to sit at " + host + ": " + why)
		}
	}
}

func (m *Model) exposedWords(host int64) string {
	i, ok := m.index[host]
	if !ok {
		return "the internet is taken to reach hosts whose address suggests it"
	}
	why := m.hosts[i].ExposedWhy
	if why == "" {
		why = "its address suggests it"
	}
	return "the internet is taken to reach " + m.hostName(host) + ": " + why
}

// sentence begins large and ends with a full stop.
func sentence(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return ""
	}
	word, _, _ := strings.Cut(text, " ")
	if strings.ToLower(word) == word && !strings.ContainsAny(word, "0123456789:/") {
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// hubWords says what lets senders through to many ports alike.
func hubWords(known Known, why string) string {
	if known == Policy {
		return why + " lets it"
	}
	return why
}
