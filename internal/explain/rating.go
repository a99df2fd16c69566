package explain

import (
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/priority"
)

// rating says how bad it is and how likely it is to be attacked.
func (w *writer) rating() {
	rating, outlook := w.score(), w.outlook()
	if outlook.text != "" {
		rating = w.text("rating.both", with("rating", rating), with("outlook", outlook))
	}
	w.say(Rating, rating)
}

func (w *writer) score() phrase {
	m := w.metric()
	if m == (cve.Metric{}) {
		return w.unscored()
	}
	severity := w.text("severity." + cve.Severity(m.Score)).on(FieldCVSSScore)
	score := known(strconv.FormatFloat(min(max(m.Score, 0), 10), 'f', 1, 64), FieldCVSSScore)
	if m.Version == "" { // a number without a vector: of which version nobody says
		return w.text("rating.number", with("by", w.by(m)), with("score", score), with("severity", severity))
	}
	standard := known(cut(clean(m.Version), maxName), FieldCVSSVersion)
	return w.text("rating", with("by", w.by(m)), with("score", score), with("version", standard), with("severity", severity))
}

// unscored is said where there is no number: a rating in words is passed on as such.
func (w *writer) unscored() phrase {
	for _, r := range w.record.Ratings {
		if key := "severity." + strings.ToLower(r.Level); w.lang.has(key) && key != "severity.unknown" {
			source := known(cut(clean(r.Source), maxName), FieldRatings)
			if source.text == "" || strings.Contains(source.text, "-") && len(source.text) == 36 { // a UUID tells nobody anything
				source = w.text("by.cna").on(FieldRatings)
			}
			return w.text("rating.words", with("by", source), with("level", w.text(key).on(FieldRatings))).on(FieldCVSS)
		}
	}
	return w.text("rating.none").on(FieldCVSS)
}

// cisaADP is CISA's identity in CVE records.
const cisaADP = "134c704f-9b21-4f2e-91b3-4a467353bcc0"

func (w *writer) by(m cve.Metric) phrase {
	source := clean(m.Source)
	switch {
	case w.in.Check != nil && source == "derived":
		return w.text("by.derived").on(FieldCVSSSource)
	case w.in.Check != nil && source != "":
		return w.text("by.named", with("source", known(cut(source, maxName), FieldCVSSSource)))
	case m.Provider == cve.ProviderNVD:
		return w.text("by.nvd").on(FieldCVSSSource)
	case strings.EqualFold(source, cisaADP) || strings.EqualFold(source, "CISA-ADP"):
		return w.text("by.cisa").on(FieldCVSSSource)
	case m.Provider == cve.ProviderCNA:
		return w.text("by.cna").on(FieldCVSSSource)
	default:
		return w.text("by.other").on(FieldCVSSSource)
	}
}

// outlook is the chance of attacks: EPSS's, else our own estimate, else that there is none.
func (w *writer) outlook() phrase {
	if e := w.in.Facts.EPSS; e != nil {
		date := phrase{}
		if !e.Date.IsZero() {
			date = w.text("outlook.date", with("date", w.date(e.Date, FieldEPSSDate)))
		}
		rank := phrase{}
		if e.Percentile >= 0.01 {
			rank = w.text("outlook.percentile", with("percentile", w.share(e.Percentile, FieldPercentile)))
		}
		return w.text("outlook.epss", with("date", date), with("score", w.percent(e.Score, FieldEPSSScore)), with("percentile", rank))
	}
	if v := w.in.Verdict; v.Likelihood != nil && v.LikelihoodSource != priority.FromEPSS {
		return w.text("outlook.estimated", with("score", w.percent(*v.Likelihood, FieldLikelihood)))
	}
	if _, loaded := w.in.Loaded["epss"]; loaded && w.in.Check == nil {
		return w.text("outlook.missing").on(FieldEPSS)
	}
	return phrase{}
}
