package attackpath

import (
	"strings"

	"github.com/patchscout/patchscout/internal/intel"
)

// ctid lets what people saw of the exploitation (CTID's mappings) fill in or overrule what the rules told, where it is
// clear.
func (w *weighing) ctid(kind string, rule func(technique string)) {
	e := w.effect
	for _, m := range w.flaw.Mappings[:min(len(w.flaw.Mappings), maxMappings)] {
		if m.Kind != kind || !isTechnique(m.Technique) {
			continue
		}
		before := *e
		technique, _, _ := strings.Cut(m.Technique, ".")
		rule(technique)
		if e.Gain != before.Gain || e.Reach != before.Reach || e.Lures != before.Lures {
			w.foremost("CTID: " + shorten(m.Technique, 12) + " as " + strings.ReplaceAll(kind, "_", " "))
		}
	}
}

const maxMappings = 32

func isTechnique(id string) bool { return len(id) <= len("T1059.001") && intel.IsTechniqueID(id) }

// exploitedBy tells from where, where no vector does.
func (w *weighing) exploitedBy(technique string) {
	e := w.effect
	if w.cvss.av != 0 {
		return
	}
	switch technique {
	case "T1190", "T1210", "T1133":
		if e.Reach == FromNowhere {
			e.Reach = OverNetwork
		}
		e.Lures = false
	case "T1203", "T1189", "T1204", "T1566":
		e.Reach, e.Lures = OverNetwork, true
	case "T1068":
		if !w.hears(saysRemote) {
			e.Reach, e.Needs, e.Lures = OnHost, max(e.Needs, User), false
		}
	}
}

func (w *weighing) escalates(technique string) {
	if e := w.effect; technique == "T1068" && e.Reach == OnHost && e.Needs < Root {
		e.Gain = AsRoot
	}
}

// leadsTo tells what is gained.
func (w *weighing) leadsTo(technique string) {
	e := w.effect
	switch technique {
	case "T1068":
		if e.Reach == OnHost && e.Needs < Root {
			e.Gain = AsRoot
		}
	case "T1059", "T1203", "T1505":
		switch {
		case e.Gain != Nothing && e.Gain != AppAdmin && e.Gain != ReadsFiles && e.Gain != WritesFiles, w.is(inBrowser):
		case e.Reach == OnHost && e.Needs < Root:
			e.Gain = AsRoot
		case e.Reach != FromNowhere:
			e.Gain, _ = w.asService("")
		}
	case "T1005", "T1212":
		if e.Gain == Nothing && e.Reach != FromNowhere {
			e.Gain = ReadsFiles
		}
	}
}

// technique names the ATT&CK technique by which the weakness is used: CTID's, else a derived one, else ours.
func (w *weighing) technique() {
	e := w.effect
	for _, kind := range []string{intel.MappingExploitation, intel.MappingPrimary} {
		for i := range w.flaw.Mappings[:min(len(w.flaw.Mappings), maxMappings)] {
			if m := &w.flaw.Mappings[i]; m.Kind == kind && isTechnique(m.Technique) {
				e.Technique, e.TechniqueSource = m.Technique, "ctid"
				return
			}
		}
	}
	for i := range w.flaw.Techniques[:min(len(w.flaw.Techniques), maxMappings)] {
		if l := &w.flaw.Techniques[i]; l.Kind == intel.MappingExploitation && isTechnique(l.Technique) {
			e.Technique, e.TechniqueSource = l.Technique, l.Source
			return
		}
	}
	e.Technique, e.TechniqueSource = w.ownTechnique(), "rule"
	if e.Technique == "" {
		e.TechniqueSource = ""
	}
}

func (w *weighing) ownTechnique() string {
	e := w.effect
	switch {
	case e.Gain == Nothing || e.Reach == FromNowhere:
		return ""
	case e.Gain == ALogin:
		return "T1078.001" // Default Accounts
	case e.Lures:
		return "T1203" // Exploitation for Client Execution
	case e.Reach == OnHost:
		return "T1068" // Exploitation for Privilege Escalation
	default:
		return "T1190" // Exploit Public-Facing Application
	}
}
