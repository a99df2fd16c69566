package explain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/intel"
)

// use says whether it is being used: who says so, what attack code there is; and that nobody says so only of the sources
// that were loaded.
func (w *writer) use() {
	used, code := w.used(), w.code()
	switch {
	case used.text != "" && code.text != "":
		w.say(Use, w.text("used.and", with("used", used), with("code", code)))
	case used.text != "":
		w.say(Use, used)
	case w.in.Check != nil:
	default:
		w.unused(code)
	}
}

func (w *writer) used() phrase {
	f := w.in.Facts
	switch {
	case f.KEV != nil && dated(f.KEV.Added):
		return w.text("used.kev.dated", with("date", w.date(f.KEV.Added, FieldKEVAdded)), with("ransomware", w.ransomware())).on(FieldKEV)
	case f.KEV != nil:
		return w.text("used.kev", with("ransomware", w.ransomware())).on(FieldKEV)
	case f.SSVC != nil && strings.EqualFold(f.SSVC.Exploitation, "active"):
		return w.text("used.ssvc", with("date", w.optional("used.ssvc.date", f.SSVC.At, FieldSSVCDate))).on(FieldExploitation)
	}
	for _, source := range w.record.ExploitedBy {
		if source = cut(clean(source), maxName); source != "" {
			return w.text("used.record", with("source", known(source, FieldExploitedBy)))
		}
	}
	return phrase{}
}

func (w *writer) ransomware() phrase {
	if !w.in.Facts.KEV.Ransomware {
		return phrase{}
	}
	return w.text("used.ransomware").on(FieldRansomware)
}

// optional is a message with a {date}, nothing where the date is not known.
func (w *writer) optional(key string, t time.Time, field string) phrase {
	if !dated(t) {
		return phrase{}
	}
	return w.text(key, with("date", w.date(t, field)))
}

// dated says that a date is known and one that people write.
func dated(t time.Time) bool { return !t.IsZero() && t.Year() >= 1970 && t.Year() <= 9999 }

// code lists public attack code by source. Nuclei's templates look for a weakness rather than use it.
func (w *writer) code() phrase {
	by := map[string][]intel.Exploit{}
	var others []string
	for _, e := range w.in.Facts.Exploits {
		by[e.Source] = append(by[e.Source], e)
		if source := e.Source; source != "metasploit" && source != "exploitdb" && source != "nuclei" && !slices.Contains(others, source) {
			others = append(others, source)
		}
	}
	var list []phrase
	if m := by["metasploit"]; len(m) > 0 {
		list = append(list, w.metasploit(m))
	}
	if m := by["exploitdb"]; len(m) > 0 {
		list = append(list, w.exploitDB(m))
	}
	for _, source := range others[:min(len(others), 2)] {
		if name := cut(clean(source), maxName); name != "" {
			list = append(list, w.text("used.other", with("source", known(name, FieldExploits))))
		}
	}
	code := phrase{}
	if len(list) > 0 {
		code = w.text("used.code", with("list", w.list("list.and", list)))
	}
	if len(by["nuclei"]) == 0 {
		return code
	}
	template := w.text("used.template").on(FieldExploits)
	if code.text == "" {
		return template
	}
	return w.text("used.code.template", with("code", code), with("template", template))
}

// ranks of Metasploit modules, best first.
var ranks = []string{"excellent", "great", "good", "normal", "average", "low", "manual"}

func (w *writer) metasploit(modules []intel.Exploit) phrase {
	best := len(ranks)
	for _, m := range modules {
		if i := slices.Index(ranks, strings.ToLower(m.Rank)); i >= 0 {
			best = min(best, i)
		}
	}
	many := ""
	if len(modules) > 1 {
		many = ".many"
	}
	var details []phrase
	if best < len(ranks) {
		details = append(details, w.text("used.msf.rank"+many, with("rank", known(ranks[best]))))
	}
	details = append(details, w.optional("used.msf.date"+many, first(modules), FieldExploits))
	return w.text("used.msf"+many, with("n", number(len(modules))), with("details", w.details(details))).on(FieldExploits)
}

func (w *writer) exploitDB(entries []intel.Exploit) phrase {
	verified := 0
	for _, e := range entries {
		if e.Verified {
			verified++
		}
	}
	many := ""
	if len(entries) > 1 {
		many = ".many"
	}
	details := []phrase{w.optional("used.edb.date"+many, first(entries), FieldExploits)}
	switch {
	case verified == 0:
	case len(entries) == 1:
		details = append(details, w.text("used.edb.verified"))
	case verified == len(entries):
		details = append(details, w.text("used.edb.verified.all"))
	case verified == 1:
		details = append(details, w.text("used.edb.verified.one"))
	default:
		details = append(details, w.text("used.edb.verified.many", with("n", number(verified))))
	}
	return w.text("used.edb"+many, with("n", number(len(entries))), with("details", w.details(details))).on(FieldExploits)
}

// details stand in brackets behind what they belong to; those without text are left out.
func (w *writer) details(list []phrase) phrase {
	list = slices.DeleteFunc(list, func(p phrase) bool { return p.text == "" })
	if len(list) == 0 {
		return phrase{}
	}
	return w.text("details", with("list", w.list("list.more", list)))
}

// first is the earliest known date.
func first(list []intel.Exploit) (t time.Time) {
	for _, e := range list {
		if !e.Published.IsZero() && (t.IsZero() || e.Published.Before(t)) {
			t = e.Published
		}
	}
	return t
}

// unused speaks of a CVE that nobody says is being used.
func (w *writer) unused(code phrase) {
	no, nocode := w.unlisted(), w.noCode()
	switch {
	case code.text != "" && no.text != "":
		w.say(Use, w.text("used.but", with("no", no), with("code", code)))
	case code.text != "":
		w.say(Use, code)
	case w.poc() && no.text != "":
		date := w.optional("used.ssvc.date", w.in.Facts.SSVC.At, FieldSSVCDate)
		w.say(Use, w.text("used.unlisted.poc", with("asof", w.asOf()), with("date", date)).on(no.fields...).on(FieldExploitation))
	case w.poc():
		w.say(Use, w.proof())
	case no.text != "" && nocode.text != "":
		w.say(Use, w.text("used.none", with("no", no), with("nocode", nocode)))
	case no.text != "":
		w.say(Use, no)
	default:
		w.say(Use, w.text("used.notloaded").on(fieldFeeds+"kev"))
	}
}

// unlisted says that those who would tell of attacks do not; empty where none of them was loaded.
func (w *writer) unlisted() phrase {
	_, kev := w.in.Loaded["kev"]
	s := w.in.Facts.SSVC
	none := s != nil && strings.EqualFold(s.Exploitation, "none")
	switch {
	case kev && none:
		date := w.optional("used.ssvc.date", s.At, FieldSSVCDate)
		return w.text("used.unlisted.ssvc", with("asof", w.asOf()), with("date", date)).on(FieldKEV, fieldFeeds+"kev", FieldExploitation)
	case kev:
		return w.text("used.unlisted", with("asof", w.asOf())).on(FieldKEV, fieldFeeds+"kev")
	case none:
		date := w.optional("used.ssvc.date", s.At, FieldSSVCDate)
		return w.text("used.unseen", with("date", date)).on(FieldExploitation)
	default:
		return phrase{}
	}
}

// asOf dates CISA's list where that is known: silence of an old list says little.
func (w *writer) asOf() phrase { return w.optional("used.asof", w.in.Loaded["kev"], fieldFeeds+"kev") }

// noCode says which of the loaded sources of attack code have none.
func (w *writer) noCode() phrase {
	var sources []value
	for _, feed := range []string{"metasploit", "exploitdb", "nuclei"} {
		if _, ok := w.in.Loaded[feed]; ok {
			name := string(rune('a' + len(sources)))
			sources = append(sources, with(name, w.text("source."+feed).on(fieldFeeds+feed)))
		}
	}
	if len(sources) == 0 {
		return phrase{}
	}
	return w.text("used.nocode."+strconv.Itoa(len(sources)), sources...).on(FieldExploits)
}

func (w *writer) poc() bool {
	s := w.in.Facts.SSVC
	return s != nil && strings.EqualFold(s.Exploitation, "poc")
}

func (w *writer) proof() phrase {
	date := w.optional("used.ssvc.date", w.in.Facts.SSVC.At, FieldSSVCDate)
	return w.text("used.poc", with("date", date)).on(FieldExploitation)
}
