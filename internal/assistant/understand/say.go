package understand

// Words is the question as it was read, in one sentence.
func (q Question) Words() string { return q.Text }
