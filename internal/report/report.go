// Package report shows what the pipeline found: the JSON shapes that others build on, and the table, CSV and SARIF made
// from the same values. It never decides, never fills in a missing fact, and never lets text from a host or a feed reach
// a terminal, a spreadsheet or a log as anything but text.
package report

import (
	"encoding/json"
	"time"
)

// Text is a string whose absence is null in JSON.
type Text string

// MarshalJSON writes null for "".
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return appendString(nil, string(t)), nil
}

// UnmarshalJSON reads null as "".
func (t *Text) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		*t = ""
		return err
	}
	*t = Text(*s)
	return nil
}

// Date is a day, "2006-01-02" in JSON; the zero Date is null.
type Date struct{ time.Time }

// MarshalJSON writes the day or null.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return []byte(d.Format(`"2006-01-02"`)), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Date) UnmarshalJSON(b []byte) (err error) {
	if string(b) == "null" {
		d.Time = time.Time{}
		return nil
	}
	d.Time, err = time.Parse(`"2006-01-02"`, string(b))
	return err
}

func (d Date) String() string {
	if d.IsZero() {
		return missing
	}
	return d.Format(time.DateOnly)
}

// Scan is the document of one scan.
type Scan struct {
	Scan     Run       `json:"scan"`
	Hosts    []Host    `json:"hosts"`
	Findings []Finding `json:"findings"` // most urgent first, confirmed and potential
}

// Run says how a scan went.
type Run struct {
	ID          int64      `json:"id"`
	Targets     []string   `json:"targets"`
	Site        string     `json:"site"`
	Status      string     `json:"status"`   // completed, failed (with Reason), running
	Reason      Text       `json:"reason"`   // "cancelled", or what failed, or why nobody works on it
	Paused      bool       `json:"paused"`   // running, and nobody works on it
	Progress    *Progress  `json:"progress"` // of a running scan
	CreatedAt   time.Time  `json:"created_at"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Scanners    []Scanner  `json:"scanners"`
	Problems    []Problem  `json:"problems"` // targets that are not known to be clean
	Catalogue   Catalogue  `json:"catalogue"`
	Demo        bool       `json:"demo"`
}

// Progress is how far a running scan is.
type Progress struct {
	Percent float64   `json:"percent"` // 0..100
	Stage   Text      `json:"stage"`
	ETA     *int      `json:"eta_s"` // seconds
	Tasks   TaskCount `json:"tasks"`
}

// TaskCount is how many of a scan's tasks are done; later stages may add some.
type TaskCount struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Scanner is how one tool ended: completed, partial, failed, cancelled, unavailable.
type Scanner struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Error  Text   `json:"error"`
}

// Problem is a target that did not resolve, did not answer or was not looked at to the end.
type Problem struct {
	Target string `json:"target"`
	Reason string `json:"reason"`
}

// Catalogue says what the findings were matched against.
type Catalogue struct {
	Records int       `json:"records"`
	Newest  Date      `json:"newest"`  // the day of the newest record
	Starter bool      `json:"starter"` // only what is built in
	Feeds   []FeedAge `json:"feeds"`
}

// FeedAge is the age of one feed's data; null is a feed that never ran.
type FeedAge struct {
	Name     string   `json:"name"`
	AgeHours *float64 `json:"age_hours"`
}

// Synced says whether a feed ever ran.
func (c Catalogue) Synced(feed string) bool {
	for _, f := range c.Feeds {
		if f.Name == feed {
			return f.AgeHours != nil
		}
	}
	return false
}

// Host is one machine of a scan or of the estate.
type Host struct {
	ID        int64     `json:"id"`
	Site      string    `json:"site"`
	Address   Text      `json:"address"`
	Addresses []string  `json:"addresses"`
	Hostnames []string  `json:"hostnames"`
	Status    string    `json:"status"` // up, down, unknown
	OS        Text      `json:"os"`
	Services  []Service `json:"services"`
	HostWords
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`

	// Indicators are the entries of lists of malicious hosts that name this one, expired ones included.
	Indicators []Indicator `json:"indicators"`
}

// Name is the host as people know it: its address, else its name.
func (h Host) Name() string {
	if h.Address != "" || len(h.Hostnames) == 0 {
		return string(h.Address)
	}
	return h.Hostnames[0]
}

// Service is what answers at a port.
type Service struct {
	Port     uint16   `json:"port"`
	Protocol string   `json:"protocol"`
	Service  Text     `json:"service"`
	Product  Text     `json:"product"`
	Version  Text     `json:"version"`
	CPEs     []string `json:"cpes"`
	TLS      bool     `json:"tls"`

	// UnknownVersion counts the product's CVEs that cannot be ruled in or out, because the service does not reveal its
	// version; 0 when it does.
	UnknownVersion int `json:"unknown_version"`
}

// Finding is one weakness of one host, with everything that says so.
type Finding struct {
	ID               int64      `json:"id"`
	HostID           int64      `json:"host_id"`
	Site             string     `json:"site"`
	Host             string     `json:"host"`
	Port             *uint16    `json:"port"`
	Protocol         Text       `json:"protocol"`
	Service          Text       `json:"service"` // for people: "OpenSSH 7.2p2"
	Component        Text       `json:"component"`
	Location         Text       `json:"location"`
	CVE              Text       `json:"cve"`
	Check            Text       `json:"check"`
	Title            Text       `json:"title"`
	Remedy           Text       `json:"remedy"`
	Severity         string     `json:"severity"` // critical, high, medium, low, info, unknown
	CVSS             *float64   `json:"cvss"`
	CVSSVersion      Text       `json:"cvss_version"`
	CVSSSource       Text       `json:"cvss_source"`
	EPSS             *float64   `json:"epss"`
	KEV              *bool      `json:"kev"` // null: the KEV feed never ran, or the finding has no CVE
	Decision         Text       `json:"decision"`
	DecisionAssumed  []string   `json:"decision_assumed"`
	Due              Date       `json:"due"`
	Forensics        bool       `json:"forensics"`
	PriorityScore    *float64   `json:"priority_score"`
	ScorePartial     bool       `json:"score_partial"`
	Likelihood       *float64   `json:"likelihood"`
	LikelihoodSource Text       `json:"likelihood_source"`
	RiskRemoved      *float64   `json:"risk_removed" doc:"by how much the expected weight of compromised jewels drops when it is fixed; null: attack paths did not run since it counts"`
	Confidence       int        `json:"confidence"`
	Status           string     `json:"status"` // affected, conditional, uncertain
	State            string     `json:"state"`  // open, fixed, reopened
	Triage           string     `json:"triage"`
	FirstSeen        time.Time  `json:"first_seen"`
	LastSeen         time.Time  `json:"last_seen"`
	Evidence         []Evidence `json:"evidence"`
	Words
	Facts

	// Indicators are the host's, but for those of another port.
	Indicators []Indicator `json:"indicators"`
}

// Evidence is why one scanner says so.
type Evidence struct {
	Scanner    string `json:"scanner"`
	ScanID     int64  `json:"scan_id"`
	Reason     Text   `json:"reason"`
	Confidence int    `json:"confidence"`
	Output     Text   `json:"output"`
}

// ConfirmedAt is the confidence from which an affected finding counts as confirmed (design decision 5).
const ConfirmedAt = 70

// Confirmed says whether lists, counts and --fail-on take the finding at face value. minConfidence 0 is ConfirmedAt;
// what a platform or an unknown update makes uncertain is only widened by asking for less confidence.
func (f Finding) Confirmed(minConfidence int) bool {
	if minConfidence == 0 {
		return f.Confidence >= ConfirmedAt && f.Status == "affected"
	}
	return f.Confidence >= minConfidence && (f.Status == "affected" || minConfidence < ConfirmedAt)
}

// Split parts findings into confirmed and potential ones and keeps their order.
func Split(all []Finding, minConfidence int) (confirmed, potential []Finding) {
	for _, f := range all {
		if f.Confirmed(minConfidence) {
			confirmed = append(confirmed, f)
		} else {
			potential = append(potential, f)
		}
	}
	return confirmed, potential
}

// Import is the ledger document of an import.
type Import struct {
	Files []Ledger `json:"files"`
}

// Ledger accounts for every record of one file:
// Records + Expanded = Findings.New + Findings.Merged + Findings.Informational + the counts of Dropped.
type Ledger struct {
	ID       int64     `json:"id"` // of the import, for imports undo
	File     string    `json:"file"`
	Tool     string    `json:"tool"`
	Records  int       `json:"records"`
	Expanded int       `json:"expanded"`
	Hosts    int       `json:"hosts"`
	HostsUp  int       `json:"hosts_up"`
	Services int       `json:"services"`
	Findings Counts    `json:"findings"`
	Dropped  []Dropped `json:"dropped"`
	CVEs     int       `json:"cves"`
	Unknown  int       `json:"unknown_version"` // CVEs of services whose version is not known; they are no findings
	Warning  Text      `json:"warning"`         // the file was cut short, for instance
}

// Counts says what became of the records that were used.
type Counts struct {
	New           int `json:"new"`
	Merged        int `json:"merged"`
	Informational int `json:"informational"`
}

// Dropped is a reason and how often it applied.
type Dropped struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Balanced says whether every record is accounted for.
func (l Ledger) Balanced() bool {
	out := l.Findings.New + l.Findings.Merged + l.Findings.Informational
	for _, d := range l.Dropped {
		out += d.Count
	}
	return l.Records+l.Expanded == out
}
