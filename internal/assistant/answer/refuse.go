package answer

import "context"

// outside refuses what no data of the product can answer, and says what can be asked instead.
func outside(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }

// unknown says that there is no answer, and why.
func unknown(_ *Asked, d *Draft) {
	d.Refused = true
	d.Say(nil, "I don't know, because no record answers this.")
}
