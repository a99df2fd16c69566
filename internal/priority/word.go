package priority

import "strings"

// words are vectors for tools that rate a check with a word and give no vector: what a weakness of that severity that is
// reached over the network most often is. They are ours, labelled derived, and only stand in for the inputs of score and
// decision (design decision 7); the scores are those of CVSS 3.1, section 7.
var words = map[string]string{
	"critical": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", // 9.8
	"high":     "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", // 7.5
	"medium":   "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", // 5.3
	"low":      "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", // 3.1
}

// WordVector is the vector that stands in for a tool's severity word; "" for any other word.
func WordVector(word string) string { return words[strings.ToLower(word)] }
