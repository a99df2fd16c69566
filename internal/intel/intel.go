// Package intel holds what is known of how a vulnerability is used: KEV, EPSS, SSVC, public exploits, ATT&CK
// techniques, indicators. Values only;
// it never fetches and never guesses a missing one.
package intel

import (
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// KEV is one entry of CISA's Known Exploited Vulnerabilities catalogue.
type KEV struct {
	CVE            cve.ID
	Vendor         string
	Product        string
	Name           string
	Added          time.Time // date, UTC midnight
	Due            time.Time // zero when CISA gave none
	Ransomware     bool      // knownRansomwareCampaignUse "Known"
	RequiredAction string    // "" in the starter catalogue
}

// EPSS is FIRST's exploit prediction for one CVE on one day. Score and Percentile are 0..1.
type EPSS struct {
	CVE        cve.ID
	Score      float64
	Percentile float64
	Date       time.Time // the model's score_date
	Model      string    // model_version as published, "" when the file does not say
}

// SSVC is CISA's stakeholder-specific assessment. Empty strings are not assessed.
type SSVC struct {
	CVE             cve.ID
	Exploitation    string // none, poc, active
	Automatable     string // yes, no
	TechnicalImpact string // partial, total
	Source          string
	At              time.Time
}

// Exploit is a public exploit.
type Exploit struct {
	CVE       cve.ID
	Source    string // exploitdb, metasploit, nuclei
	Key       string // the source's own id: "EDB-50383", a Metasploit fullname, a template's path
	Title     string
	Kind      string // Exploit-DB: remote, local, webapps, dos; Metasploit: exploit, auxiliary, post, …; Nuclei: template
	Verified  bool
	Rank      string    // Metasploit only: excellent, great, good, normal, average, low, manual; "" elsewhere
	Published time.Time // Exploit-DB's date, Metasploit's disclosure_date; zero where the source gives none (Nuclei)
	URL       string
}

// Facts is everything known of one CVE's use, for priority and explain. Nil and empty fields are not known.
type Facts struct {
	KEV      *KEV
	EPSS     *EPSS
	SSVC     *SSVC
	Exploits []Exploit
	Mappings []Mapping
}
