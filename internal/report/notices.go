package report

// What publishers want to be said where their data is shown; docs/sources.md has their terms.
const (
	// NoticeNVD is NVD's, verbatim (https://nvd.nist.gov/developers/start-here).
	NoticeNVD = "This product uses NVD data but is not endorsed or certified by the NVD."
	// NoticeAttack is MITRE's for ATT&CK (https://attack.mitre.org/resources/legal-and-branding/terms-of-use/).
	NoticeAttack = "ATT&CK: © The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation."
	// NoticeEPSS names the source of EPSS, as FIRST asks.
	NoticeEPSS = "EPSS scores are by FIRST.org (https://www.first.org/epss)."
)

// notices writes them below what they are about.
func (p *printer) notices(list []string) {
	for _, n := range list {
		p.faint(n)
	}
}

// faint writes a wrapped sentence that is not read each time.
func (p *printer) faint(sentence string) {
	for _, line := range wrap(sentence, p.view.Width) {
		p.line("%s", p.view.paint(toneFaint, line))
	}
}
