package understand

import (
	"slices"
	"strings"
	"time"
)

// ending gives a question that has no measure yet the one that its subject suggests.
func (r *reader) ending() {
	q := &r.q
	if q.Measure != "" || q.Subject == Nothing {
		return
	}
	switch {
	case q.Attribute != "":
		q.Measure = Fact
	case len(q.CVEs) > 0 && q.Subject == CVEs, q.Subject == Techniques && len(q.Techniques) > 0, q.Subject == Weaknesses && len(q.CWEs) > 0, len(q.Findings) > 0, q.Subject == Hosts && len(q.Hosts) > 0 && !r.plural(), q.Subject == Scans && len(q.Scans) > 0:
		q.Measure = Explain
	case q.Subject == Indicators && len(q.Values)+len(q.Hosts) > 0:
		q.Measure = Whether
	default:
		q.Measure = List
	}
}

// timing says what the time narrows.
func (r *reader) timing() {
	q := &r.q
	if len(r.more) > 0 && q.Measure == Compare {
		q.Against = &r.more[0]
	}
	if q.Measure == First && q.Time != nil && q.Time.From.IsZero() {
		r.due = true
	}
	if r.due && q.Time != nil && !q.Overdue && q.Attribute != Due {
		q.DueWithin, q.Time = q.Time, nil
		if strings.HasPrefix(q.DueWithin.Words, "the last ") {
			if p, ok := within(q.DueWithin, r); ok {
				q.DueWithin = p
			}
		}
		q.State = strings.TrimPrefix(q.State, "fixed")
		if !q.DueWithin.To.IsZero() && q.DueWithin.To.Before(r.now) && strings.Contains(q.DueWithin.Words, "day") && r.now.Sub(q.DueWithin.To) < 7*24*time.Hour {
			q.DueWithin.To = q.DueWithin.To.AddDate(0, 0, 7) // deadlines are ahead: "before Friday" is the coming one
		}
		return
	}
	if r.due && q.Time == nil && !q.Overdue && q.Attribute == "" && (q.Measure == List || q.Measure == Count) {
		q.Sort = "due"
	}
	if r.fresh && q.Time == nil && q.Measure != Change && len(q.Scans) == 0 && (q.Subject == Findings || q.Subject == CVEs || q.Subject == Hosts || q.Subject == Services || q.Subject == Software) && (q.Measure == List || q.Measure == Count || q.Measure == Whether || q.Measure == Group) {
		from := calendar{r.tokens, r.now}.today().AddDate(0, 0, -7)
		q.Time = &Period{From: from, Words: "the last 7 days"}
	}
	if q.Time == nil && len(r.times) > 0 && q.Measure != Fact && (len(q.Scans) > 0 || q.Subject == Hosts && (q.Negated || r.negated > 0)) {
		q.TimeOf = r.times[0]
	}
	if q.Time != nil && !q.Time.From.Before(r.now.AddDate(0, 0, -1)) && !q.Time.From.IsZero() && (q.Sort == "epss" || r.saidAttr(Likelihood) || r.saidAttr(EPSS)) {
		q.Time = nil // the forecast of EPSS is for the next 30 days
	}
	if q.Time == nil {
		return
	}
	q.TimeOf = r.timeOf()
	if r.q.Time.From.IsZero() && (q.Negated || r.negated > 0) && (q.TimeOf == "scanned" || q.TimeOf == "last_seen") && q.Subject == Hosts {
		q.Negated = true // "not scanned for more than a month" is not scanned since then
		q.Time = &Period{From: q.Time.To, Words: "the last " + strings.TrimSuffix(strings.TrimPrefix(q.Time.Words, "more than "), " ago")}
	}
	if len(q.Decisions) > 0 && q.TimeOf == "first_seen" && len(r.times) == 0 && r.has("within") {
		q.Time, q.TimeOf = nil, "" // what a decision asks for is done within a time
	}
}

// within turns "within 7 days", which looks back, around: deadlines are ahead.
func within(p *Period, r *reader) (*Period, bool) {
	return &Period{From: r.now, To: r.now.Add(r.now.Sub(p.From)), Words: strings.Replace(p.Words, "the last ", "the next ", 1)}, true
}

func (r *reader) timeOf() string {
	q := &r.q
	for _, t := range []string{"kev_added", "reopened", "fixed", "published", "modified", "first_seen", "scanned", "last_seen"} {
		if slices.Contains(r.times, t) && !(t == "fixed" && q.State == "open") && !(t == "modified" && q.Measure == Change) {
			if q.Subject == Findings && t == "published" && !r.ofCVEs() || q.Subject != CVEs && t == "modified" {
				return "first_seen"
			}
			return t
		}
	}
	switch q.Subject {
	case CVEs:
		if q.KEV != nil && *q.KEV && (!r.ofYear() || r.has("entries", "entry", "additions", "listings")) {
			return "kev_added"
		}
		return "published"
	case Findings:
		if q.State == "fixed" || q.State == "closed" {
			return "fixed"
		}
		if r.ofYear() && r.ofCVEs() {
			return "published"
		}
		return "first_seen"
	case Hosts, Services, Software:
		if q.Negated {
			return "last_seen"
		}
		return "first_seen"
	case Scans:
		return "scanned"
	}
	return ""
}

// ofCVEs says whether CVEs or vulnerabilities, and no findings, are spoken of.
func (r *reader) ofCVEs() bool {
	return slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "cves" || n.subject == "vulns" }) && !slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "findings" })
}
