package report

import "time"

// AskHost is a host with everything that a question may ask of it.
type AskHost struct {
	HostListed
	Reach      HostReach
	Looked     time.Time // when a scan or an imported report last looked at it; zero where none did
	Components []string  // packages that findings are about which stand: "openssl@3.0.2"
}

// AskSeen says what was ever looked at, in the eyes of who asks.
type AskSeen struct {
	Hosts   int
	Scans   int // all that were ever begun
	Imports int
	Last    *ScanStatus // the last completed scan or import; nil where there is none
}
