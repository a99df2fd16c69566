package textindex

// StoredLength is what a length is rounded to.
func StoredLength(n int) int { return lengthOf(lengthCode(n)) }
