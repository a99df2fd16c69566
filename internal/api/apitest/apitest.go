// Package apitest checks what the API answers against the document that describes it. It is for tests and never part of
// the product.
package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Document checks JSON against schemas, strictly: what is not described is a mistake. It reads the schemas as a client
// does, from the JSON of the document, and knows the part of JSON Schema 2020-12 that they use.
type Document struct{ schemas map[string]any }

// Schemas reads the schemas of a document.
func Schemas(t testing.TB, doc *huma.OpenAPI) *Document {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return &Document{all.Components.Schemas}
}

// Check says what of a JSON text is not as the schema says, each with its place.
func (d *Document) Check(schema *huma.Schema, text []byte) []string {
	var want, got any
	described, err := json.Marshal(schema)
	if err == nil {
		err = json.Unmarshal(described, &want)
	}
	if err != nil {
		return []string{"the schema: " + err.Error()}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&got); err != nil {
		return []string{"no JSON: " + err.Error()}
	}
	return d.check(want, got, "$")
}

func (d *Document) check(schema, v any, at string) []string {
	s, ok := schema.(map[string]any)
	if !ok {
		return nil // true
	}
	if ref, ok := s["$ref"].(string); ok {
		found, ok := d.schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		if !ok {
			return []string{at + ": " + ref + " is nowhere"}
		}
		return d.check(found, v, at)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, ok := s[word].([]any); ok {
			return d.any(list, v, at)
		}
	}
	if problem := typeProblem(s["type"], v); problem != "" {
		return []string{at + ": " + problem}
	}
	if enum, ok := s["enum"].([]any); ok && v != nil && !slices.Contains(enum, v) {
		return []string{fmt.Sprintf("%s: %v is none of %v", at, v, enum)}
	}
	switch v := v.(type) {
	case map[string]any:
		return d.object(s, v, at)
	case []any:
		return d.list(s, v, at)
	case string:
		return text(s, v, at)
	case float64:
		return number(s, v, at)
	}
	return nil
}

func (d *Document) any(list []any, v any, at string) (problems []string) {
	for _, one := range list {
		if problems = d.check(one, v, at); problems == nil {
			return nil
		}
	}
	return problems
}

func typeProblem(want, v any) string {
	var types []any
	switch want := want.(type) {
	case nil:
		return ""
	case string:
		types = []any{want}
	case []any:
		types = want
	}
	is := "null"
	switch v := v.(type) {
	case map[string]any:
		is = "object"
	case []any:
		is = "array"
	case string:
		is = "string"
	case bool:
		is = "boolean"
	case float64:
		is = "number"
		if v == math.Trunc(v) && slices.Contains(types, any("integer")) {
			is = "integer"
		}
	}
	if slices.Contains(types, any(is)) {
		return ""
	}
	return fmt.Sprintf("is %s, not %v", is, types)
}

func (d *Document) object(s, v map[string]any, at string) (problems []string) {
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, there := v[name.(string)]; !there {
			problems = append(problems, fmt.Sprintf("%s has no %s", at, name))
		}
	}
	for name, value := range v {
		property, known := properties[name]
		switch more := s["additionalProperties"].(type) {
		case map[string]any:
			if !known {
				property, known = more, true
			}
		case bool:
			known = known || more
		default:
			known = known || properties == nil
		}
		if !known {
			problems = append(problems, fmt.Sprintf("%s.%s is not described", at, name))
			continue
		}
		problems = append(problems, d.check(property, value, at+"."+name)...)
	}
	return problems
}

func (d *Document) list(s map[string]any, v []any, at string) (problems []string) {
	if most, ok := s["maxItems"].(float64); ok && float64(len(v)) > most {
		problems = append(problems, fmt.Sprintf("%s has %d items", at, len(v)))
	}
	for i, item := range v {
		problems = append(problems, d.check(s["items"], item, fmt.Sprintf("%s[%d]", at, i))...)
	}
	return problems
}

func text(s map[string]any, v, at string) []string {
	layout := map[any]string{"date-time": time.RFC3339Nano, "date": time.DateOnly}[s["format"]]
	if layout != "" {
		if _, err := time.Parse(layout, v); err != nil {
			return []string{fmt.Sprintf("%s: %q is no %s", at, v, s["format"])}
		}
	}
	if most, ok := s["maxLength"].(float64); ok && float64(len([]rune(v))) > most {
		return []string{fmt.Sprintf("%s is too long", at)}
	}
	if least, ok := s["minLength"].(float64); ok && float64(len([]rune(v))) < least {
		return []string{fmt.Sprintf("%s is too short", at)}
	}
	if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
		return []string{fmt.Sprintf("%s: %q is not as %s", at, v, pattern)}
	}
	return nil
}

func number(s map[string]any, v float64, at string) []string {
	if least, ok := s["minimum"].(float64); ok && v < least {
		return []string{fmt.Sprintf("%s: %v is less than %v", at, v, least)}
	}
	if most, ok := s["maximum"].(float64); ok && v > most {
		return []string{fmt.Sprintf("%s: %v is more than %v", at, v, most)}
	}
	return nil
}
