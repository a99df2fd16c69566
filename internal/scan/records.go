package scan

import "github.com/patchscout/patchscout/internal/finding"

// Records says how many records of its report an event stands for; the sum over a report is the ledger's `records`
// (design decision 3). A reader emits exactly one of these per record: a ServiceSeen, an Observation (with all CVEs that
// the record names), a Statement, or a share of a Drop's Count. Hosts and coverage are no records.
func Records(e finding.Event) int {
	switch {
	case e.Service != nil, e.Observation != nil, e.Statement != nil:
		return 1
	case e.Drop != nil:
		return e.Drop.Count
	}
	return 0
}
