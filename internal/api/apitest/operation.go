package apitest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Operation is one operation of a served document, as a client reads it.
type Operation struct {
	ID, Method, Path, Role string

	params []param
	bodies map[string]bodyOf // by media type
	answer map[string]map[string]any
}

type param struct {
	name, in string
	required bool
	schema   map[string]any
	example  any
}

type bodyOf struct {
	schema  any
	example any
}

// Read reads a served document: its schemas and operations, in the order of their paths.
func Read(t testing.TB, text []byte) (*Document, []Operation) {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var out []Operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range []string{"get", "put", "post", "patch", "delete"} {
			if raw, ok := doc.Paths[path][method]; ok {
				out = append(out, readOperation(t, strings.ToUpper(method), path, raw))
			}
		}
	}
	return &Document{doc.Components.Schemas}, out
}

type described struct {
	Schema  any `json:"schema"`
	Example any `json:"example"`
}

func readOperation(t testing.TB, method, path string, raw []byte) Operation {
	t.Helper()
	var op struct {
		ID         string `json:"operationId"`
		Role       string `json:"x-patchscout-role"`
		Parameters []struct {
			Name     string         `json:"name"`
			In       string         `json:"in"`
			Required bool           `json:"required"`
			Schema   map[string]any `json:"schema"`
			Example  any            `json:"example"`
		} `json:"parameters"`
		Body struct {
			Content map[string]described `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]described `json:"content"`
		} `json:"responses"`
	}
	if err := json.Unmarshal(raw, &op); err != nil {
		t.Fatal(err)
	}
	out := Operation{ID: op.ID, Method: method, Path: path, Role: op.Role, bodies: map[string]bodyOf{}, answer: map[string]map[string]any{}}
	for _, p := range op.Parameters {
		example := p.Example
		if list, _ := p.Schema["examples"].([]any); example == nil && len(list) > 0 {
			example = list[0]
		}
		out.params = append(out.params, param{p.Name, p.In, p.Required, p.Schema, example})
	}
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		if !slices.ContainsFunc(out.params, func(p param) bool { return p.in == "path" && p.name == name }) {
			t.Errorf("%s %s: the document does not tell of {%s}", method, path, name)
		}
	}
	for kind, body := range op.Body.Content {
		out.bodies[kind] = bodyOf{body.Schema, body.Example}
	}
	for status, response := range op.Responses {
		out.answer[status] = map[string]any{}
		for kind, media := range response.Content {
			out.answer[status][kind] = media.Schema
		}
	}
	return out
}

// CheckAnswer says what of an answer is not as the document says: its status, its media type, its JSON.
func (d *Document) CheckAnswer(op Operation, status int, contentType string, body []byte) []string {
	content, ok := op.answer[strconv.Itoa(status)]
	if !ok {
		return []string{"the document does not tell of status " + strconv.Itoa(status)}
	}
	kind, _, _ := strings.Cut(contentType, ";")
	schema, ok := content[kind]
	switch {
	case len(body) == 0 && (len(content) == 0 || status == http.StatusSwitchingProtocols):
		return nil
	case !ok:
		return []string{"status " + strconv.Itoa(status) + ": the document does not tell of " + strconv.Quote(kind)}
	case !strings.HasSuffix(kind, "json"):
		return nil
	}
	if s, isMap := schema.(map[string]any); isMap && s["format"] == "binary" {
		schema = true
	}
	lines := [][]byte{body}
	if kind == "application/x-ndjson" {
		lines = bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	}
	var problems []string
	for _, line := range lines {
		var got any
		if err := json.Unmarshal(line, &got); err != nil && len(line) > 0 {
			return []string{"no JSON: " + err.Error()}
		}
		problems = append(problems, d.check(schema, got, "$")...)
	}
	return problems
}
