package request

// Jobs selects background jobs; the zero value is all, newest first.
type Jobs struct {
	Kinds  []string // scan, tool, import, ingest, feeds, rematch, triage, purge, report
	States []string // queued, running, done, dead, cancelled
	Scan   int64
	Before int64 // the last id of the page before, 0 begins with the newest
	Limit  int   // 0 is no limit
}
