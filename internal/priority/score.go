package priority

import "time"

// The weights of the priority score and the span of its recency term (design decision 7).
const (
	exploitedWeight = 0.5
	cvssWeight      = 0.4
	recencyWeight   = 0.1
	recencyDays     = 30
)

// Score is the priority_score, 0..1: 0.5 if exploited + 0.4 x CVSS/10 + 0.1 x recency. A term that is not known (cvss
// nil, published zero) is left out and partial says so; the score is nil when nothing speaks for or against the
// weakness.
func Score(exploited bool, cvss *float64, published, now time.Time) (score *float64, partial bool) {
	partial = cvss == nil || published.IsZero()
	if !exploited && cvss == nil && published.IsZero() {
		return nil, true
	}
	sum := 0.0
	if exploited {
		sum += exploitedWeight
	}
	if cvss != nil {
		sum += cvssWeight * min(max(*cvss, 0), 10) / 10
	}
	if !published.IsZero() {
		sum += recencyWeight * Recency(published, now)
	}
	return &sum, partial
}

// Recency is 1 on the day of publication and falls linearly to 0 at 30 days. Whole days in UTC; a date in the future
// counts as today.
func Recency(published, now time.Time) float64 {
	days := int(day(now).Sub(day(published)) / (24 * time.Hour))
	return float64(recencyDays-min(max(days, 0), recencyDays)) / recencyDays
}

// day is the UTC midnight at which t's day begins.
func day(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
