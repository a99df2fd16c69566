package attackpath

// EntryInfo is an entry point of a Model.
type EntryInfo struct {
	Entry
	Facts   []Fact // hold from the beginning
	Name    string // "the internet", "site branch"
	Ref     string // as --from takes it: "site:branch"
	Reaches int    // hosts of which it reaches a port directly
}

// Entries lists where attackers begin, in the order in which they were named.
func (m *Model) Entries() []EntryInfo { return nil }
