package report

import (
	"fmt"
	"io"
	"time"
)

// Backup is what a backup holds: {"file","bytes","created","program","engine","catalogue","scans","hosts","findings","cves","kept"}.
type Backup struct {
	File      Text      `json:"file"`
	Bytes     int64     `json:"bytes"`
	Created   time.Time `json:"created"`
	Program   Text      `json:"program"`   // version that wrote it
	Engine    Text      `json:"engine"`    // sqlite, postgres
	Catalogue bool      `json:"catalogue"` // is in it
	Scans     int64     `json:"scans"`
	Hosts     int64     `json:"hosts"`
	Findings  int64     `json:"findings"`
	CVEs      int64     `json:"cves"`
	Kept      []Text    `json:"kept"` // after a restore: where the data that was there is now
}

// BackupText says it to people.
func BackupText(w io.Writer, b Backup, done string) error {
	cves := fmt.Sprintf("%d CVEs", b.CVEs)
	if !b.Catalogue {
		cves = "without the catalogue"
	}
	_, err := fmt.Fprintf(w, "%s %s: %d scans, %d hosts, %d findings, %s; %.1f MB, of %s\n", done, Plain(string(b.File)), b.Scans, b.Hosts, b.Findings, cves,
		float64(b.Bytes)/1e6, b.Created.UTC().Format("2006-01-02 15:04 UTC"))
	for _, kept := range b.Kept {
		if err == nil {
			_, err = fmt.Fprintf(w, "the data that was there is now in %s: remove it when you do not need it any more\n", Plain(string(kept)))
		}
	}
	return err
}
