package intel

import "time"

// The kinds of an Indicator.
const (
	IndicatorURL    = "url"
	IndicatorDomain = "domain"
	IndicatorIP     = "ip"
	IndicatorHash   = "hash" // MD5, SHA-1 or SHA-256, lower-case hex
)

// The states of an Indicator, as its source last said.
const (
	IndicatorOnline  = "online"
	IndicatorOffline = "offline"
	IndicatorUnknown = ""
)

// Indicator is one sign of compromise. Kind, Value, Port and Source together are its identity.
type Indicator struct {
	Kind  string
	Value string // canonical: addresses as netip prints them, domains in lower-case ASCII, URLs with lower-case scheme and host
	Port  int    // 0: any

	Threat     string // what it is used for: malware_download, botnet_cc, payload, …
	Malware    string // family, "" if not known
	Confidence int    // 0..100 as the source says it, else the source's usual one
	Status     string
	FirstSeen  time.Time // zero: not known
	LastSeen   time.Time // zero: not known
	Expires    time.Time // from then on a look-up says that it is old; zero: never
	Tags       []string
	Source     string // urlhaus, threatfox, feodo, malwarebazaar
	Reference  string // a link for people
}
