package answer

import "math"

// weights of the logistic function that makes a confidence of an answer's features. They start from what the features mean
// and are fitted by test/quality/assistant (Newton's method with a ridge) on half of its questions and of third-party
// titles, by hash of their text; the other half says how well they are calibrated.
type weights struct {
	bias, understood, corrected, rest, score, margin, words, product, near float64
}

// Answers by a query and answers by words are wrong for different reasons: a query answers what was understood, words
// answer what is alike. Those by words are fitted on half of 2,971 answers to questions, to titles, and to titles whose record
// was hidden. Those by query are held lower than their fit (0.99): the questions of the fit are known, and of questions that
// nobody had seen fewer were right; above all where words were not taken into account. On the other half the expected
// calibration error is 0.044. The margin enters by its root: that the best record leads at all says most.
var (
	byQuery = weights{bias: 1.700, understood: 1.100, corrected: -0.022, rest: -1.500}
	byWords = weights{bias: -3.237, understood: -1.307, rest: -0.011, score: 0.960, margin: 5.015, words: 1.605, product: 0.109}
)

// Confidence is how likely a draft is right, 0..1. A refusal has none: it says that it does not know.
func Confidence(d *Draft) float64 {
	if d.Refused {
		return 0
	}
	w := byWords
	if d.Structured {
		w = byQuery
	}
	return math.Round(1000*w.of(d.Features)) / 1000
}

func (w weights) of(f Features) float64 {
	product := 0.0
	if f.Product {
		product = 1
	}
	sum := w.bias + w.understood*f.Understood + w.corrected*float64(min(f.Corrected, 3)) + w.rest*float64(min(f.Rest, 5)) +
		w.score*f.Score + w.margin*math.Sqrt(max(f.Margin, 0)) + w.words*f.Words + w.product*product + w.near*f.Near
	return 1 / (1 + math.Exp(-sum))
}
