package openvas

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// policyComment begins the comment of tasks that we made: the configuration and the ports follow, so that two of our tasks
// are known to have looked for the same.
const policyComment = "PatchScout policy: "

// view are words of a filter that say how a list is shown, not what is on it.
var view = map[string]bool{"first": true, "rows": true, "sort": true, "sort-reverse": true, "result_hosts_only": true, "notes": true,
	"overrides": true, "timezone": true, "delta_states": true, "details": true}

// policyOf names what was looked for and what of it the report shows: a report with another filter (only high, only
// reliable) does not tell that the rest is gone. A task's configuration cannot be changed once it ran, so that the task's
// id stands for it.
func policyOf(marker, config, task, filter string) string {
	policy := ""
	switch {
	case marker != "":
		policy = marker
	case config != "":
		policy = "config " + config
	case task != "":
		policy = "task " + task
	default:
		return ""
	}
	var words []string
	for _, word := range strings.Fields(filter) {
		key, value, _ := strings.Cut(word, "=")
		if key == "levels" {
			letters := []byte(value)
			slices.Sort(letters)
			word = "levels=" + string(letters)
		}
		if !view[key] {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	if len(words) > 0 {
		policy += " filter " + strings.Join(words, " ")
	}
	if len(policy) > 300 {
		sum := sha256.Sum256([]byte(policy))
		policy = "sha256 " + hex.EncodeToString(sum[:])
	}
	return policy
}
