package report

import (
	"encoding/json"
	"time"
)

// LiveMessage is one message to who watches a scan, by WebSocket or server-sent events.
type LiveMessage struct {
	Seq    int64           `json:"seq" example:"7" doc:"numbers the scan's events from 1 without a gap; of the first message the number after which events follow"`
	ScanID int64           `json:"scan_id" example:"42"`
	At     time.Time       `json:"at"`
	Type   string          `json:"type" enum:"state,progress,host,service,finding,log,end" example:"progress"`
	Data   json.RawMessage `json:"data" doc:"by type: ScanStatus, LiveProgress, LiveHost, LiveService, LiveFinding, LiveSentence, ScanStatus"`
}

// LiveProgress is how far a scan or import is.
type LiveProgress struct {
	Percent float64     `json:"percent" minimum:"0" maximum:"100" example:"41.5"`
	Stage   string      `json:"stage" example:"nmap: services"`
	ETA     *int64      `json:"eta_s" example:"190" doc:"seconds that are left; null when that is not known"`
	Tasks   TaskCount   `json:"tasks"`
	Ledger  *LiveLedger `json:"ledger,omitempty" doc:"of an import: what became of its records so far"`
}

// LiveLedger is the ledger of an import so far; records + expanded = new + merged + informational + dropped at the end.
type LiveLedger struct {
	Tool          string `json:"tool" example:"nessus"`
	Records       int    `json:"records" example:"1200"`
	Expanded      int    `json:"expanded" example:"310"`
	New           int    `json:"new" example:"700"`
	Merged        int    `json:"merged" example:"95"`
	Informational int    `json:"informational" example:"410"`
	Dropped       int    `json:"dropped" example:"2"`
}

// LiveHost is a host that answered.
type LiveHost struct {
	Address Text     `json:"address" example:"192.168.1.20"`
	Names   []string `json:"hostnames" example:"[\"web.example.org\"]"`
	Status  string   `json:"status" example:"up"`
	Reason  Text     `json:"reason" example:"syn-ack on 22/tcp"`
	OS      Text     `json:"os" example:"Linux 5.x"`
	Scanner string   `json:"scanner" example:"native"`
}

// LiveService is a service that was found, as the first scanner says.
type LiveService struct {
	Host     string   `json:"host" example:"192.168.1.20"`
	Port     uint16   `json:"port" example:"22"`
	Protocol string   `json:"protocol" example:"tcp"`
	Service  Text     `json:"service" example:"ssh"`
	Product  Text     `json:"product" example:"OpenSSH"`
	Version  Text     `json:"version" example:"9.6p1"`
	CPEs     []string `json:"cpes" example:"[\"cpe:2.3:a:openbsd:openssh:9.6:p1:*:*:*:*:*:*\"]"`
	TLS      bool     `json:"tls" example:"false"`
	Scanner  string   `json:"scanner" example:"native"`
}

// LiveFinding is a finding that is new or that the scan saw again, as it was kept. Another scanner of the same scan may tell
// of it once more.
type LiveFinding struct {
	ID            int64    `json:"id" example:"17"`
	HostID        int64    `json:"host_id" example:"3"`
	Host          string   `json:"host" example:"192.168.1.20"`
	Port          *uint16  `json:"port" example:"22"`
	Protocol      Text     `json:"protocol" example:"tcp"`
	Component     Text     `json:"component"`
	CVE           Text     `json:"cve" example:"CVE-2024-6387"`
	Check         Text     `json:"check"`
	Title         Text     `json:"title" example:"OpenSSH: a race in the signal handler"`
	Severity      string   `json:"severity" enum:"critical,high,medium,low,info,unknown" example:"high"`
	CVSS          *float64 `json:"cvss" example:"8.1"`
	EPSS          *float64 `json:"epss" example:"0.42"`
	Exploited     bool     `json:"exploited" example:"false" doc:"known to be exploited in the wild"`
	Decision      Text     `json:"decision" example:"attend"`
	PriorityScore *float64 `json:"priority_score" example:"0.324"`
	Confidence    int      `json:"confidence" minimum:"0" maximum:"100" example:"80"`
	Status        string   `json:"status" enum:"affected,conditional,uncertain,unaffected" example:"affected"`
	Confirmed     bool     `json:"confirmed" example:"true"`
	State         string   `json:"state" enum:"open,fixed,reopened" example:"open"`
	Triage        string   `json:"triage" example:"none"`
	New           bool     `json:"new" example:"true" doc:"nobody saw it before"`
	Scanner       string   `json:"scanner" example:"native"`
}

// LiveSentence is a sentence for people.
type LiveSentence struct {
	Text string `json:"text" example:"nikto is not installed and was left out"`
}

// LiveTicket lets a browser of another origin watch a scan, once.
type LiveTicket struct {
	Ticket    string    `json:"ticket" example:"Vb3u0t5cT0m0c3kq1d9a7w" doc:"goes into ?ticket= of the WebSocket or the event stream"`
	ScanID    int64     `json:"scan_id" example:"42"`
	ExpiresAt time.Time `json:"expires_at"`
}
