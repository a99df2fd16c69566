package understand

import "time"

// Parse reads a question. now is the asker's time, in his zone. It never fails: what is not understood has Subject Nothing
// or words in Rest.
func Parse(text string, v Vocabulary, c Context, now time.Time) Question {
	return Question{Text: text}
}

// Words is the question as it was read, in one sentence.
func (q Question) Words() string { return q.Text }
