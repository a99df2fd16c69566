package answer

import "context"

// Catalogue is what is asked of the catalogue and the feeds.
type Catalogue interface{}

// catalogue answers what is asked about CVEs, techniques, weaknesses, indicators, feeds and the product itself.
func catalogue(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }

// texts answers from what the texts have, where no query can.
func texts(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }
