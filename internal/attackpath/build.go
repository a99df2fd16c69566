package attackpath

import "context"

// Model is an Estate's Network and what is needed to keep it up to date and to tell of it. Reading it is safe for
// concurrent use; Replace is not, and neither is reading beside it.
type Model struct {
	net *Network
}

// Build makes the Network of an estate. The Estate must not be changed afterwards: the Model refers to its hosts.
func Build(ctx context.Context, e Estate) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &Model{net: &Network{Facts: []FactInfo{{Kind: EntryAt}}, Start: []Fact{0}}}, nil
}

// Network returns the Network. It is the Model's own: only Replace changes it.
func (m *Model) Network() *Network { return m.net }

// Fact returns the fact that an attacker has a privilege on a host; false where nothing could give it to him.
func (m *Model) Fact(host int64, p Privilege) (Fact, bool) { return 0, false }
