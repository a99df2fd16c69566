package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/patchscout/patchscout/internal/priority"
)

// note says what the rows are and what was left out.
func (w *world) note(out io.Writer, rows int) {
	n, day := w.n, w.day.Format(time.DateOnly)
	fmt.Fprintf(out, "CVEs of %d to %d as known on %s; positive: entered KEV after it (KEV as of %s)\n", w.from, w.to, day, n.kevNewest)
	fmt.Fprintf(out, "%d CVEs - %d published later - %d rejected - %d without CVSS - %d without EPSS - %d in KEV by then = %d rows, %d positive\n",
		n.cves, n.later, n.rejected, n.unscored, n.noEPSS, n.listed, rows, n.positives)
	fmt.Fprintf(out, "KEV's further %d CVEs of these years are not among the rows; EPSS is %s\n", n.kevWithoutRow, n.epssFile)
	fmt.Fprintf(out, "evidence dated by then: %d exploits, of which %d Metasploit modules; %d of the positive CVEs have any\n",
		n.exploits, n.modules, n.withExploit)
	fmt.Fprintf(out, `left out: %d Metasploit modules without a disclosure date, %d exploits dated later, all Nuclei templates (no dates),
  Exploit-DB's "verified" and NVD's reference tags (undated), the CVEs' age (the rows hold too narrow a span of it)
taken as it stands today, for want of a date: Exploit-DB's type, Metasploit's rank
a module counts from the vulnerability's disclosure, which is the only date that it has; the module may be younger. Of the
  %d modules %d certainly existed on the day (not changed since, or in Exploit-DB's index by then): "proven only" below
`, n.undatedModules, n.laterExploits, n.modules, n.provenModules)
}

// compare prints the weights as Go and says whether they are the shipped ones.
func compare(out io.Writer, m priority.Model) (same bool) {
	shipped := priority.Shipped()
	same = near(m.Base, shipped.Base) && len(m.Knots) == len(shipped.Knots)
	fmt.Fprintf(out, "\nfitted on all rows, for internal/priority/likelihood_model.go:\n\nvar shipped = Model{\n\tBase: %.4f,\n\tParts: [signals]Part{\n", m.Base)
	for i, p := range m.Parts {
		fmt.Fprintf(out, "\t\t%s: {%.4f, %.4f},\n", constant[i], p.Weight, p.Mean)
		same = same && near(p.Weight, shipped.Parts[i].Weight) && near(p.Mean, shipped.Parts[i].Mean)
	}
	fmt.Fprint(out, "\t},\n\tKnots: []Knot{\n")
	for i, k := range m.Knots {
		fmt.Fprintf(out, "\t\t{%.4f, %.4f},\n", k.LogOdds, k.EPSS)
		same = same && near(k.LogOdds, shipped.Knots[i].LogOdds) && near(k.EPSS, shipped.Knots[i].EPSS)
	}
	fmt.Fprint(out, "\t},\n}\n\n")
	if same {
		fmt.Fprintln(out, "the shipped weights are these")
	} else {
		fmt.Fprintln(out, "THE SHIPPED WEIGHTS ARE OTHERS")
	}
	return same
}

// near compares to the four decimals that are printed.
func near(a, b float64) bool { return math.Abs(a-b) < 0.0002 }

// constant is each signal's name in the code.
var constant = [...]string{
	priority.SignalExploits: "SignalExploits", priority.SignalReady: "SignalReady",
	priority.SignalModule:     "SignalModule",
	priority.SignalGoodModule: "SignalGoodModule", priority.SignalNetwork: "SignalNetwork", priority.SignalNoAccount: "SignalNoAccount",
	priority.SignalNoClick: "SignalNoClick", priority.SignalTotal: "SignalTotal", priority.SignalCode: "SignalCode",
	priority.SignalSeldom: "SignalSeldom",
}
