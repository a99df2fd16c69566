package config

import (
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fields is every key of the file with the type of its value, read off Config itself so that the two cannot part.
var fields = fieldsOf(reflect.TypeFor[Config](), "")

func fieldsOf(t reflect.Type, prefix string) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("koanf")
		if f.Type.Kind() == reflect.Struct {
			maps.Copy(out, fieldsOf(f.Type, key+"."))
			continue
		}
		out[key] = f.Type
	}
	return out
}

func keys() []string { return slices.Sorted(maps.Keys(fields)) }

// variables maps each environment variable to its key.
func variables() map[string]string {
	out := make(map[string]string, len(fields))
	for key := range fields {
		out[Variable(key)] = key
	}
	return out
}

// Variable is the environment variable of a key: feeds.nvd.url -> PATCHSCOUT_FEEDS_NVD_URL.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func mapKeys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

// suggest returns `; did you mean "x"?` for the nearest of known within three edits, else "".
func suggest(got string, known []string) string {
	best, bestDistance := "", 4
	for _, k := range known {
		if d := distance(got, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is Levenshtein's, in one row. Inputs are keys: short.
func distance(a, b string) int {
	if len(a) > 200 || len(b) > 200 {
		return 200
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
