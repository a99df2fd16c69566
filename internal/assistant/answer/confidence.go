package answer

import "math"

// weights of the logistic function that makes a confidence of an answer's features. They start from what the features mean
// and are fitted by test/quality/assistant (Newton's method with a ridge) on half of its questions and of third-party
// titles, by hash of their text; the other half says how well they are calibrated.
type weights struct {
	bias, understood, corrected, rest, score, margin, words, product, near float64
}

// Answers by a query and answers by words are wrong for different reasons: a query answers what was understood, words
// answer what is alike. Fitted on 1,686 answers to questions, to titles, and to titles whose record was hidden; on the other
// 1,737 the expected calibration error is 0.04. The margin enters by its root: that the best record leads at all says most.
var (
	byQuery = weights{bias: 1.604, understood: 0.850, corrected: -0.022, rest: -0.532}
	byWords = weights{bias: -3.674, understood: -1.340, rest: 0.034, score: 0.940, margin: 5.089, words: 2.040, product: -0.063}
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
