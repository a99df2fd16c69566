package attackpath

import "context"

// Graph answers questions of one Network. Answers do not depend on the order of anything but the Network's own. What could
// not be finished within the context's deadline or a limit is said to be incomplete, never passed for complete.
type Graph interface {
	// Load replaces what the graph holds. The Network must not be changed while the graph holds it.
	Load(ctx context.Context, n *Network) error
	// Paths returns the best paths to a fact, the likeliest first, distinct by the hosts that they lead over.
	Paths(ctx context.Context, q Question) (Found, error)
	// Forward lists what an attacker gains from facts if all actions work, ascending; Backward what leads to a fact, in
	// derivations from the start.
	Forward(ctx context.Context, from []Fact) ([]Fact, error)
	Backward(ctx context.Context, to Fact) ([]Fact, error)
	Close(ctx context.Context) error
}

// Question asks for paths.
type Question struct {
	To Fact
	K  int // how many; 0 is one
	// Direct leaves detours out, paths that lead over all hosts of a likelier one and over others besides. There may be fewer than
	// K then although more exist far behind.
	Direct  bool
	Without Removal
}

// Removal takes things away before a question is asked. All are optional.
type Removal struct {
	Findings   []int64
	Weaknesses []string
	Hosts      []int64 // nothing can be done on them or from them any more
	Actions    []int32 // indices into Network.Actions
}

// Found is the answer.
type Found struct {
	Paths    []Path
	Complete bool // false: there may be more or better ones, Why says why that is not known
	Why      string
}

// Path is one derivation: actions of which each needs only what Start and earlier ones give; nothing in it is superfluous.
type Path struct {
	Steps []PathStep
	P     float64 // the product over its different actions: that all of them work
	Hosts []int64 // on which something happens, in the order in which they fall, each once
}

// PathStep is an action of a path with those that would do in its place: same needs, same gain.
type PathStep struct {
	Action       int32
	Alternatives []int32 // likelier first
}
