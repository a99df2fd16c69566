package priority

import "math"

// rankSteps is one less than the number that seven digits hold: EPSS is published with at most nine decimals, of which
// seven still tell any two CVEs of one day apart that a person would rank differently.
const rankSteps = 9_999_998

// RankKey encodes (decision, likelihood, score) so that ascending text order is the order of lists: most urgent
// decision first, then the highest likelihood, then the highest score, nulls last. It holds digits only and has a fixed
// length, so that every collation of both databases sorts it alike.
func RankKey(d Decision, likelihood, score *float64) string {
	key := make([]byte, 0, 15)
	key = append(key, '0'+d.rank())
	key = appendFalling(key, likelihood)
	key = appendFalling(key, score)
	return string(key)
}

// appendFalling writes seven digits that fall as x rises from 0 to 1; nil is the highest.
func appendFalling(key []byte, x *float64) []byte {
	n := uint32(rankSteps + 1)
	if x != nil {
		clamped := min(max(*x, 0), 1)
		if math.IsNaN(clamped) {
			clamped = 0
		}
		n = uint32(math.Round((1 - clamped) * rankSteps))
	}
	for div := uint32(1_000_000); div > 0; div /= 10 {
		key = append(key, '0'+byte(n/div%10))
	}
	return key
}
