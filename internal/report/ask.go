package report

// Touched is what CVEs mean for the asker's own hosts.
type Touched struct {
	CVEs    map[string]TouchedBy
	Scanned bool // false: none of his hosts was ever seen
}

// TouchedBy is how many open and confirmed findings there are of a CVE, and on how many hosts.
type TouchedBy struct{ Findings, Hosts int }

// FeedTitle is how the publisher of a feed writes the name of its list.
func FeedTitle(feed string) string { return feedTitle(feed) }
