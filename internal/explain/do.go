package explain

import (
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/priority"
)

// do says what to do and by when. The action comes from the versions of the record, then from CISA's order, then from
// the links; the time from the decision.
func (w *writer) do() {
	rest := []value{with("time", w.time()), with("forensics", w.forensics()), with("assumed", w.assumed())}
	if w.in.Check != nil {
		w.say(Do, w.text("do.check", rest...).on(FieldCheck))
		return
	}
	if action := w.action(); action.text != "" {
		w.say(Do, w.text("do.fix", append(rest, with("action", action))...))
		return
	}
	if way := w.asked(); way.text != "" {
		w.say(Do, w.text("do.nofix.kev", append(rest, with("way", way))...).on(FieldConfigurations))
		return
	}
	links, linked := w.links()
	rest = append(rest, with("links", links), with("way", w.way(linked)))
	w.say(Do, w.text("do.nofix", rest...).on(FieldConfigurations))
}

// time is the date of a finding, else the time that the decision leaves. Where it is not known whether the system can be
// reached from the internet, both times are given.
func (w *writer) time() phrase {
	v := w.in.Verdict
	if v.Decision == "" {
		return w.text("do.time.open").on(FieldDecision)
	}
	if dated(w.in.Due) && v.Decision.Days() > 0 {
		date := w.text("do.time.date", with("date", w.date(w.in.Due, FieldDue)))
		return w.text("do.time", with("time", date))
	}
	time := w.leaves(v.Decision, FieldDecision)
	if slices.Contains(v.Assumed, "exposed") {
		inside, _ := priority.Decide(v.KEV, false, v.Automatable, v.Total)
		if inside == priority.Track && v.Decision != priority.Track {
			return w.text("do.time.wait", with("outside", time)).on(FieldElsewhere)
		}
		if inside != v.Decision {
			return w.text("do.time.both", with("outside", time), with("inside", w.leaves(inside, FieldElsewhere)))
		}
	} else if v.Exposed && v.Decision.Days() > 0 {
		return w.text("do.time.here", with("time", time)).on(FieldExposed)
	}
	return w.text("do.time", with("time", time))
}

// leaves is the time that a decision leaves.
func (w *writer) leaves(d priority.Decision, field string) phrase {
	if d.Days() == 0 {
		return w.text("do.time.next").on(field)
	}
	return w.text("do.time.days", with("n", number(d.Days(), field)))
}

func (w *writer) forensics() phrase {
	if !w.in.Verdict.Forensics {
		return phrase{}
	}
	return w.text("do.forensics").on(FieldForensics)
}

// assumed says that facts were missing. That the host is exposed is said beside the date.
func (w *writer) assumed() phrase {
	for _, input := range w.in.Verdict.Assumed {
		if input != "exposed" {
			return w.text("do.assumed").on(FieldAssumed)
		}
	}
	return phrase{}
}

// shownFixes bounds how many fixed versions are spelled out.
const shownFixes = 4

// action is the update that the versions of the record call for, nothing where they name no version without the flaw.
func (w *writer) action() phrase {
	f := w.product.fix
	switch n := len(f.versions); {
	case f.each:
		return w.text("do.act.each").on(FieldConfigurations)
	case n == 1:
		return w.text("do.act.update", with("what", w.updated()), with("version", known(f.versions[0], FieldConfigurations)))
	case n > 1 && n <= shownFixes:
		var list []phrase
		for _, v := range f.versions {
			list = append(list, known(v, FieldConfigurations))
		}
		return w.text("do.act.line", with("what", w.updated()), with("versions", w.list("list.last", list)))
	case n > shownFixes:
		return w.text("do.act.newest", with("what", w.updated()), with("n", number(n, FieldConfigurations)),
			with("version", known(f.versions[n-1], FieldConfigurations)))
	default:
		return phrase{}
	}
}

// updated is "it" where only one product was named.
func (w *writer) updated() phrase {
	if w.product.count == 1 && !w.product.many {
		return w.text("it")
	}
	all := leaves(w.record.Configurations, nil)
	keys, _ := distinct(all)
	return known(w.display(w.mainKey(keys)), FieldConfigurations)
}

func (w *writer) links() (p phrase, linked bool) {
	kind := ""
	for _, r := range w.record.References {
		switch {
		case slices.Contains(r.Tags, "Patch"):
			kind = "patch"
		case kind == "" && slices.Contains(r.Tags, "Vendor Advisory"):
			kind = "advisory"
		}
	}
	if kind == "" {
		return phrase{}, false
	}
	return w.text("do.links", with("kind", w.text("do.links."+kind))).on(FieldReferences), true
}

// asked is what CISA asks of those who use the product, from the words that its orders are made of.
func (w *writer) asked() phrase {
	k := w.in.Facts.KEV
	if k == nil {
		return phrase{}
	}
	action := strings.ToLower(clean(k.RequiredAction))
	switch {
	case strings.Contains(action, "disconnect") && !strings.Contains(action, "apply"):
		return w.text("do.way.kev.eol").on(FieldKEVAction)
	case strings.Contains(action, "discontinue"), strings.Contains(action, "disconnect"):
		return w.text("do.way.kev.stop").on(FieldKEVAction)
	case strings.Contains(action, "update") || strings.Contains(action, "patch"):
		return w.text("do.way.kev.fix").on(FieldKEVAction)
	default:
		return phrase{}
	}
}

// way is what can be done without a version to update to and without an order.
func (w *writer) way(linked bool) phrase {
	switch {
	case linked:
		return w.text("do.way.links").on(FieldReferences)
	case w.in.Verdict.Decision == priority.Track || w.in.Verdict.Decision == "":
		return w.text("do.way.wait")
	default:
		return w.text("do.way.shield")
	}
}
