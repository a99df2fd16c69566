package report

// FromEstimate is the likelihood_source of a value that is not EPSS's.
const FromEstimate = "estimated"

// estimated says whether a likelihood is our estimate in place of an EPSS value that is not known.
func estimated(epss, likelihood *float64, source Text) bool {
	return epss == nil && likelihood != nil && source == FromEstimate
}

// probability prints EPSS, or behind a "~" the estimate that stands for it; "" when neither is known.
func probability(epss, likelihood *float64, source Text, digits int) string {
	if estimated(epss, likelihood, source) {
		return "~" + number(likelihood, digits)
	}
	return number(epss, digits)
}

// legend explains the mark of probability where it was used.
func (p *printer) legend(used bool) {
	if used {
		p.line("%s", p.view.paint(toneFaint, "~ estimated on EPSS's scale from what else is known: EPSS has no value"))
	}
}
