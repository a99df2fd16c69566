package find

// NarrowTo makes every filter that selects more than n CVEs a wide one.
func (f *Finder) NarrowTo(n int) { f.narrowTo = n }
