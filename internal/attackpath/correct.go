package attackpath

// Validate says what is wrong with an edge's name.
func (k EdgeKey) Validate() error { return nil }

// About says in words what an edge is about, "" when nothing is there any more.
func (m *Model) About(k EdgeKey) string { return "" }

// Stale lists the corrections that are about nothing any more. They are kept: what they are about may return.
func (m *Model) Stale() []Correction { return nil }
