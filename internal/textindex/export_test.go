package textindex

// StoredLength is what a length is rounded to.
func StoredLength(n int) int { return lengthOf(lengthCode(n)) }

// WithStep has a function called before each step that changes the folder.
func WithStep(o Options, step func(string) error) Options {
	o.step = step
	return o
}
