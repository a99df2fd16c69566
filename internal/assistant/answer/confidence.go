package answer

import "math"

// weights of the logistic function that makes a confidence of an answer's features. They start from what the features mean
// and are fitted by test/quality/assistant (Newton's method with a ridge) on half of its questions and of third-party
// titles, by hash of their text; the other half says how well they are calibrated.
type weights struct {
	bias, understood, corrected, rest, score, margin, words, product, near float64
}

// Answers by a query and answers by words are wrong for different reasons: a query answers what was understood, words
// answer what is alike. Those of words are fitted on 550 titles; those of queries are still what the features mean.
var (
	byQuery = weights{bias: -0.8, understood: 5.0, corrected: -0.35, rest: -0.45}
	byWords = weights{bias: -1.25, score: 0.44, margin: 6.0, words: 0.73, product: 0.23, near: 0.5, corrected: -0.2}
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
		w.score*f.Score + w.margin*f.Margin + w.words*f.Words + w.product*product + w.near*f.Near
	return 1 / (1 + math.Exp(-sum))
}
