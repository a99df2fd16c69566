package finding

import "time"

// Further narrows a Filter by what is asked of it in words: sets and ranges that no list offers as such. A nil field does not
// narrow; a set without members selects nothing.
type Further struct {
	IDs        []int64  // of findings, any of them
	Hosts      []int64  // ids, any of them
	Weaknesses []string // CVE ids or checks, any of them
	Products   []string // as Filter.Product, any of them
	PortRanges [][2]uint16
	MaxCVSS    *float64
	MaxEPSS    *float64

	DueAfter       time.Time // at or after
	ClosedBefore   time.Time
	ReturnedBefore time.Time
}

// Place is where a finding is: a port, or a component of a host.
type Place struct {
	ID        int64 // of the finding
	Host      int64
	Protocol  string
	Port      uint16
	Component string
	Fix       bool // it is known what ends it
}
