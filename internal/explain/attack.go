package explain

import (
	"strconv"

	"github.com/patchscout/patchscout/internal/cve"
)

// attack says who can use it, from where, and what they gain: the CVSS vector in words, sharpened by the CWE.
func (w *writer) attack() {
	v := w.vector
	if !v.usable() {
		if field := w.saysCode(); field != "" {
			source := w.text("attack.words." + field).on(field)
			w.say(Attack, w.text("attack.words", with("source", source)).on(FieldCVSS))
		}
		return
	}
	gain := w.gain()
	if gain.text == "" {
		c, i, a := v.impacts()
		w.say(Attack, w.text("attack.nobody").on(metrics(c, i, a)...))
		return
	}
	w.say(Attack, w.text("attack", with("who", w.who()), with("gain", gain), with("without", w.without()),
		with("help", w.help()), with("luck", w.luck()), with("beyond", w.beyond())))
}

func metrics(names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = fieldVector + name
	}
	return out
}

// metric is the assessment that counts: the record's, or the check's as the verdict has it.
func (w *writer) metric() cve.Metric {
	if m, ok := w.record.Score(); ok {
		return m
	}
	if w.in.Verdict.CVSS != nil && w.in.Check != nil {
		return cve.Metric{Version: w.in.Verdict.CVSSVersion, Vector: w.in.Verdict.CVSSVector, Score: *w.in.Verdict.CVSS, Source: w.in.Verdict.CVSSSource}
	}
	return cve.Metric{}
}

// rights is how much an attacker must already have: 0 nothing, 1 an account, 2 far-reaching rights; and the metric that
// says so.
func (v vector) rights() (level int, name string) {
	if v.v2 {
		if v.Metric("Au") == "N" {
			return 0, "Au"
		}
		return 1, "Au"
	}
	switch v.Metric("PR") {
	case "L":
		return 1, "PR"
	case "H":
		return 2, "PR"
	default:
		return 0, "PR"
	}
}

// helped says that somebody else must do something first. Version 2 does not tell.
func (v vector) helped() bool {
	return v.Metric("UI") == "R" || v.Metric("UI") == "P" || v.Metric("UI") == "A"
}

// lured is an attack by somebody who needs nothing but a user that opens something.
func (v vector) lured() bool {
	level, _ := v.rights()
	return (v.Metric("AV") == "L" || v.Metric("AV") == "N") && v.helped() && level == 0
}

func (w *writer) who() phrase {
	v := w.vector
	level, name := v.rights()
	if v.lured() {
		return w.text("who." + v.Metric("AV") + ".help").on(metrics("AV", "UI", name)...)
	}
	key := "who." + v.Metric("AV") + "." + strconv.Itoa(level)
	if v.v2 && w.lang.has(key+".v2") {
		key += ".v2"
	}
	return w.text(key).on(metrics("AV", name)...)
}

// without says that neither account nor help is needed, which makes an attack from afar so much worse.
func (w *writer) without() phrase {
	v := w.vector
	level, name := v.rights()
	switch {
	case level > 0 || v.Metric("AV") == "P" || v.Metric("AV") == "L" || v.lured():
		return phrase{}
	case v.Metric("UI") == "N" && !v.v2:
		return w.text("without.both").on(metrics(name, "UI")...)
	default:
		return w.text("without.login").on(metrics(name)...)
	}
}

func (w *writer) help() phrase {
	if !w.vector.helped() || w.vector.lured() {
		return phrase{}
	}
	return w.text("help.some").on(metrics("UI")...)
}

func (w *writer) luck() phrase {
	v := w.vector
	switch {
	case v.Metric("AT") == "P":
		return w.text("luck.high").on(metrics("AT")...)
	case v.Metric("AC") == "H":
		return w.text("luck.high").on(metrics("AC")...)
	case v.Metric("AC") == "M" && v.v2:
		return w.text("luck.medium").on(metrics("AC")...)
	default:
		return phrase{}
	}
}

// beyond says that other systems suffer too. With script in browsers that is what the gain has just said.
func (w *writer) beyond() phrase {
	v := w.vector
	if w.flaw.class == script || w.flaw.class == request || w.flaw.class == redirect {
		return phrase{}
	}
	if v.Metric("S") == "C" && !v.v2 && !v.v4 {
		return w.text("beyond").on(metrics("S")...)
	}
	if v.v4 && (v.level("SC") == 2 || v.level("SI") == 2 || v.level("SA") == 2) {
		return w.text("beyond").on(metrics("SC", "SI", "SA")...)
	}
	return phrase{}
}

// gain words the damage. That code runs is only said when the CWE means just that, when a memory flaw goes with the loss
// of everything, or when the publisher's words say it.
func (w *writer) gain() phrase {
	v := w.vector
	c, i, a := v.impacts()
	all := metrics(c, i, a)
	if v.level(c)+v.level(i)+v.level(a) == 0 {
		return w.gainElsewhere()
	}
	if p := w.gainOfClass(); p.text != "" {
		return p.on(all...)
	}
	if v.full() {
		if fields := w.codeFields(); fields != nil {
			return w.text("gain.code.full").on(all...).on(fields...)
		}
		return w.text("gain.full").on(all...)
	}
	if fields := w.codeFields(); fields != nil && v.level(i) > 0 {
		return w.text("gain.code").on(all...).on(fields...)
	}
	return w.gainOfLevels(c, i, a).on(all...)
}

// codeFields are the fields that support that the attacker's code runs, nil when none does. Who is on the
// machine already runs code of their own and gains rights, not code.
func (w *writer) codeFields() []string {
	if w.vector.Metric("AV") == "L" && !w.vector.lured() {
		return nil
	}
	if field := w.saysCode(); field != "" {
		return []string{field}
	}
	if w.flaw.class == code || w.flaw.class == memory && w.vector.full() {
		return []string{FieldCWEs}
	}
	return nil
}

func (w *writer) gainElsewhere() phrase {
	v := w.vector
	if v.v4 && v.level("SC")+v.level("SI")+v.level("SA") > 0 {
		return w.text("gain.others").on(metrics("VC", "VI", "VA", "SC", "SI", "SA")...)
	}
	return phrase{}
}

// gainOfClass words the gain of weaknesses that have a typical one.
func (w *writer) gainOfClass() phrase {
	c, i, _ := w.vector.impacts()
	reads, changes := w.vector.level(c) > 0, w.vector.level(i) > 0
	key := ""
	switch w.flaw.class {
	case script:
		key = "gain.script"
	case request:
		key = "gain.request"
	case proxy:
		key = "gain.proxy"
	case redirect:
		key = "gain.redirect"
	case database:
		return w.gainDatabase(reads, changes)
	}
	if key == "" {
		return phrase{}
	}
	if w.vector.lured() && w.lang.has(key+".lured") {
		key += ".lured"
	}
	return w.text(key).on(FieldCWEs)
}

// gainDatabase is what SQL injection gives: the database, and what the vector says of availability.
func (w *writer) gainDatabase(reads, changes bool) phrase {
	key := ""
	switch {
	case reads && changes:
		key = "gain.db.both"
	case reads:
		key = "gain.db.read"
	case changes:
		key = "gain.db.change"
	default:
		return phrase{}
	}
	gain := w.text(key).on(FieldCWEs)
	if _, _, a := w.vector.impacts(); w.vector.level(a) > 0 {
		return w.list("list.two", []phrase{gain, w.text("gain.A" + degree(w.vector.level(a)))})
	}
	return gain
}

// gainOfLevels words the three metrics of damage themselves.
func (w *writer) gainOfLevels(c, i, a string) phrase {
	v := w.vector
	var parts []phrase
	if lc, li := v.level(c), v.level(i); lc > 0 && lc == li {
		parts = append(parts, w.text("gain.CI"+degree(lc)))
	} else {
		if lc > 0 {
			parts = append(parts, w.text("gain.C"+degree(lc)))
		}
		if li > 0 {
			parts = append(parts, w.text("gain.I"+degree(li)))
		}
	}
	if la := v.level(a); la > 0 {
		parts = append(parts, w.text("gain.A"+degree(la)))
	}
	return w.list("list.two", parts)
}

func degree(level int) string {
	if level == 2 {
		return ".all"
	}
	return ".some"
}
