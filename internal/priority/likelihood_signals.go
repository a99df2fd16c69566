package priority

import (
	"math"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Signal is one input of the estimate.
type Signal int

// The signals. All but SignalExploits are 1 for yes and 0 for no.
const (
	SignalExploits   Signal = iota // log2(1 + number of public exploits), at most 3
	SignalReady                    // Exploit-DB has one of type remote or local: code to run, not a proof of concept
	SignalModule                   // Metasploit has a module
	SignalGoodModule               // one that Metasploit ranks good, great or excellent
	SignalNetwork                  // CVSS AV:N
	SignalNoAccount                // CVSS PR:N, in 2.0 Au:N
	SignalNoClick                  // CVSS UI:N; 2.0 does not say
	SignalTotal                    // confidentiality, integrity and availability are lost completely
	SignalCode                     // a CWE by which input becomes code
	SignalSeldom                   // only CWEs that are reported far more often than used
	signals
)

// Signals are the inputs of one CVE by Signal; NaN is not known.
type Signals [signals]float64

// SignalsOf reads the signals off the evidence; EPSS is not one.
func SignalsOf(e Evidence) Signals {
	unknown := math.NaN()
	s := Signals{SignalNetwork: unknown, SignalNoAccount: unknown, SignalNoClick: unknown, SignalTotal: unknown,
		SignalCode: unknown, SignalSeldom: unknown}
	s.exploits(e.Exploits)
	if e.Metric != nil {
		s.metric(e.Metric)
	}
	if len(e.CWEs) > 0 {
		s.weaknesses(e.CWEs)
	}
	return s
}

// countSteps is log2(1 + n): the second exploit says less than the first, the eighth nothing.
var countSteps = [...]float64{0, 1, 1.584963, 2, 2.321928, 2.584963, 2.807355, 3}

func (s *Signals) exploits(all []intel.Exploit) {
	s[SignalExploits] = countSteps[min(len(all), len(countSteps)-1)]
	for i := range all {
		x := &all[i]
		switch x.Source {
		case "exploitdb":
			if x.Kind == "remote" || x.Kind == "local" {
				s[SignalReady] = 1
			}
		case "metasploit":
			s[SignalModule] = 1
			if x.Rank == "good" || x.Rank == "great" || x.Rank == "excellent" {
				s[SignalGoodModule] = 1
			}
		}
	}
}

// metric reads the vector. Of a score without a vector only the ends are telling: nearly all CVEs of 9.0 and more have
// all four signals, and below 7.0 hardly one is total.
func (s *Signals) metric(m *cve.Metric) {
	if s.vector(m.Vector) {
		return
	}
	switch {
	case m.Score >= 9:
		s[SignalNetwork], s[SignalNoAccount], s[SignalNoClick], s[SignalTotal] = 1, 1, 1, 1
	case m.Score < 7:
		s[SignalTotal] = 0
	}
}

// vector reads the four signals of a CVSS vector of any version without taking it apart into a map: it is called for
// every CVE of the catalogue. False when none of them stands in it.
func (s *Signals) vector(text string) (found bool) {
	if len(text) > maxVector {
		return false
	}
	var seen [6]bool
	impacts, complete := 0, 0
	for part := range strings.SplitSeq(strings.Trim(strings.TrimSpace(text), "()"), "/") {
		key, value, _ := strings.Cut(part, ":")
		at := vectorKey(key)
		if at < 0 || seen[at] || value == "" {
			continue
		}
		seen[at], found = true, true
		switch at {
		case 0:
			s[SignalNetwork] = truth(value == "N")
		case 1:
			s[SignalNoAccount] = truth(value == "N")
		case 2:
			s[SignalNoClick] = truth(value == "N")
		default:
			impacts++
			if value == "H" || value == "C" {
				complete++
			}
		}
	}
	if impacts == 3 {
		s[SignalTotal] = truth(complete == 3)
	}
	return found
}

// vectorKey numbers the metrics that count; those that mean the same in different versions share a number.
func vectorKey(key string) int {
	switch key {
	case "AV":
		return 0
	case "PR", "Au":
		return 1
	case "UI":
		return 2
	case "C", "VC":
		return 3
	case "I", "VI":
		return 4
	case "A", "VA":
		return 5
	default:
		return -1
	}
}

func (s *Signals) weaknesses(cwes []string) {
	code, seldom := false, true
	for _, id := range cwes {
		code = code || becomesCode(id)
		seldom = seldom && seldomUsed(id)
	}
	s[SignalCode], s[SignalSeldom] = truth(code), truth(seldom)
}

// becomesCode says whether a weakness lets input become commands or code: injection of either, uploads, inclusion,
// deserialisation, templates. CWE-20 is among them because that is how NVD files these when it says no more.
func becomesCode(cwe string) bool {
	switch cwe {
	case "CWE-20", "CWE-74", "CWE-77", "CWE-78", "CWE-94", "CWE-95", "CWE-96", "CWE-98", "CWE-434", "CWE-502", "CWE-917",
		"CWE-1336":
		return true
	}
	return false
}

// seldomUsed says whether a weakness is reported in great numbers and seldom used: what needs a victim's browser, SQL
// injection (thousands of small web applications), disclosure, denial of service, missing authorisation of those who
// have an account.
func seldomUsed(cwe string) bool {
	switch cwe {
	case "CWE-79", "CWE-80", "CWE-352", "CWE-601", "CWE-1021",
		"CWE-89",
		"CWE-200", "CWE-203", "CWE-209", "CWE-532",
		"CWE-399", "CWE-400", "CWE-401", "CWE-476", "CWE-617", "CWE-674", "CWE-770", "CWE-772", "CWE-835",
		"CWE-264", "CWE-269", "CWE-284", "CWE-732", "CWE-862", "CWE-863":
		return true
	}
	return false
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
