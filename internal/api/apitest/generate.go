package apitest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Call is one request as it goes over the wire. It may break any rule of HTTP.
type Call struct {
	Op     *Operation // nil when the path or method is that of no operation
	Method string
	Target string // path and query, as written
	Header [][2]string
	Body   []byte
	// Chunked sends the body in chunks; Cut ends the connection after half of it; Lie adds to Content-Length.
	Chunked, Cut bool
	Last         bool // nothing comes after it: the client closes its side
	Lie          int
	// Twisted is what was done to a good call, in words; Protocol says that HTTP itself is broken, so that the answer may
	// come from below the API.
	Twisted  []string
	Protocol bool
}

func (c *Call) twist(what string) { c.Twisted = append(c.Twisted, what) }

func (c *Call) set(name, value string) {
	c.Header = slices.DeleteFunc(c.Header, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
	c.Header = append(c.Header, [2]string{name, value})
}

// Generator makes calls from a document. The same seed makes the same calls for the same answers. It is for one
// goroutine.
type Generator struct {
	doc   *Document
	ops   []Operation
	r     *rand.Rand
	turn  int
	known map[string][]string
	// Tame changes a value before it is sent, where a test must not do just anything: field is its name.
	Tame func(op *Operation, field string, v any) any
}

// NewGenerator is a generator for the operations of a document.
func NewGenerator(doc *Document, ops []Operation, seed uint64) *Generator {
	return &Generator{doc: doc, ops: ops, r: rand.New(rand.NewPCG(seed, 5)), known: map[string][]string{}} //nolint:gosec // to be repeated
}

// Know remembers a value of a parameter or field that something in the product has: next time it may be asked for.
func (g *Generator) Know(name, value string) {
	if list := g.known[name]; len(list) < 200 && !slices.Contains(list, value) {
		g.known[name] = append(list, value)
	}
}

// Next is a call: every operation in its turn, half of them good.
func (g *Generator) Next() Call {
	op := &g.ops[g.turn%len(g.ops)]
	round := g.turn / len(g.ops)
	g.turn++
	c := g.good(op, round == 0 || g.odds(0.3))
	if round > 0 && g.odds(0.6) {
		for range 1 + g.r.IntN(2) {
			g.twist(op, &c)
		}
	}
	return c
}

func (g *Generator) odds(p float64) bool { return g.r.Float64() < p }

func pick[T any](g *Generator, list []T) T { return list[g.r.IntN(len(list))] }

// good is a call as the document describes it.
func (g *Generator) good(op *Operation, example bool) Call {
	c := Call{Op: op, Method: op.Method}
	path, query := op.Path, url.Values{}
	for _, p := range op.params {
		if p.in != "path" && !p.required && (example || !g.odds(2/float64(1+len(op.params)))) {
			continue // parameters exclude each other: an example of each would be no example
		}
		text := g.parameter(op, p, example)
		switch p.in {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.name+"}", url.PathEscape(text))
		case "query":
			query.Set(p.name, text)
		case "header":
			c.set(p.name, strings.Map(visible, text))
		}
	}
	c.Target = path
	if len(query) > 0 {
		c.Target += "?" + query.Encode()
	}
	if len(op.bodies) > 0 {
		g.body(op, &c, example)
	}
	return c
}

func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

func (g *Generator) parameter(op *Operation, p param, example bool) string {
	var v any
	switch known := g.known[owner(op.Path, p)]; {
	case p.in == "path" && len(known) > 0 && !g.odds(0.1):
		v = pick(g, known)
	case example && p.example != nil:
		v = p.example
	default:
		v = g.value(p.schema, p.name, 0)
	}
	return written(g.tame(op, p.name, v))
}

// owner is under which name values of a parameter are known: an id is one of something, which stands before it.
func owner(path string, p param) string {
	if p.in != "path" {
		return p.name
	}
	before, _, _ := strings.Cut(path, "/{"+p.name+"}")
	what := before[strings.LastIndex(before, "/")+1:]
	if p.name == "scan_id" {
		what = "scans"
	}
	return what + "." + p.name
}

// written is a value as a parameter.
func written(v any) string {
	if list, ok := v.([]any); ok {
		var parts []string
		for _, one := range list {
			parts = append(parts, fmt.Sprint(one))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}

func (g *Generator) tame(op *Operation, name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for field, value := range v {
			v[field] = g.tame(op, field, value)
		}
		return v
	case []any:
		for i := range v {
			v[i] = g.tame(op, name, v[i])
		}
		return v
	}
	if g.Tame == nil {
		return v
	}
	return g.Tame(op, name, v)
}

// body fills in a good body.
func (g *Generator) body(op *Operation, c *Call, example bool) {
	kinds := []string{"application/json", "multipart/form-data", "application/octet-stream", "application/xml", "text/csv", "text/plain", "application/x-ndjson"}
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { _, ok := op.bodies[kind]; return !ok })
	kind := pick(g, kinds)
	body := op.bodies[kind]
	switch {
	case kind == "multipart/form-data":
		c.Body = []byte("--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + pick(g, names) + "\"\r\n\r\n" + pick(g, files) + "\r\n--cut--\r\n")
		kind += "; boundary=cut"
	case isBinary(body.schema):
		c.Body = []byte(pick(g, files))
	default:
		c.Body = encode(g.document(op, body, example))
	}
	c.set("Content-Type", kind)
}

func isBinary(schema any) bool {
	s, ok := schema.(map[string]any)
	return ok && s["format"] == "binary"
}

func (g *Generator) document(op *Operation, body bodyOf, example bool) any {
	if example && body.example != nil {
		return g.tame(op, "", g.some(clone(body.example)))
	}
	return g.tame(op, "", g.value(body.schema, "", 0))
}

// some leaves out fields of an example now and then: many exclude each other.
func (g *Generator) some(v any) any {
	fields, ok := v.(map[string]any)
	if !ok || g.odds(0.4) {
		return v
	}
	for _, name := range sortedKeys(fields) {
		if g.odds(0.3) {
			delete(fields, name)
		}
	}
	return fields
}

// value is something that a schema allows.
func (g *Generator) value(schema any, name string, depth int) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return g.text(nil, name)
	}
	if ref, isRef := s["$ref"].(string); isRef {
		return g.value(g.doc.schemas[strings.TrimPrefix(ref, "#/components/schemas/")], name, depth)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, isList := s[word].([]any); isList {
			return g.value(pick(g, list), name, depth)
		}
	}
	if list := g.known[name]; len(list) > 0 && g.odds(0.5) {
		switch typeOf(s) {
		case "string":
			return pick(g, list)
		case "integer":
			return raw(pick(g, list))
		}
	}
	if list, isList := s["enum"].([]any); isList {
		return pick(g, list)
	}
	if list, isList := s["examples"].([]any); isList && g.odds(0.3) {
		return clone(pick(g, list))
	}
	return g.byType(s, name, depth)
}

func (g *Generator) byType(s map[string]any, name string, depth int) any {
	switch typeOf(s) {
	case "object":
		return g.object(s, depth)
	case "array":
		list := []any{}
		for n := int(float(s["minItems"], 0)) + g.r.IntN(3); n > 0 && depth < 6; n-- {
			list = append(list, g.value(s["items"], name, depth+1))
		}
		return list
	case "boolean":
		return g.odds(0.5)
	case "integer":
		low := float(s["minimum"], 0)
		return raw(fmt.Sprintf("%.0f", min(low+float64(pick(g, []int{0, 1, 2, 7, 80, 443, 5000})), float(s["maximum"], 1e9))))
	case "number":
		low, high := float(s["minimum"], 0), float(s["maximum"], 10)
		return low + g.r.Float64()*(high-low)
	case "null":
		return nil
	}
	return g.text(s, name)
}

func (g *Generator) object(s map[string]any, depth int) any {
	out := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range sortedKeys(properties) {
		if slices.Contains(required, any(name)) || depth < 4 && g.odds(2.5/float64(1+len(properties))) { // few: many exclude each other
			out[name] = g.value(properties[name], name, depth+1)
		}
	}
	if more, ok := s["additionalProperties"].(map[string]any); ok {
		out[pick(g, words)] = g.value(more, "", depth+1)
	}
	return out
}

func (g *Generator) text(s map[string]any, _ string) any {
	switch s["format"] {
	case "date-time":
		return pick(g, []string{"2026-11-20T08:30:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999+14:00", "2099-01-01T00:00:00-12:00"})
	case "date":
		return pick(g, []string{"2026-12-04", "0001-01-01", "9999-12-31", "2028-02-29"})
	}
	text := pick(g, words)
	if g.odds(0.2) {
		text = pick(g, nasty)
	}
	runes := []rune(text)
	for len(runes) < int(float(s["minLength"], 0)) {
		runes = append(runes, 'x')
	}
	return string(runes[:min(len(runes), int(float(s["maxLength"], 1e6)))])
}

// Unlisted are methods that some operation does not have.
var unlisted = []string{http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch,
	http.MethodGet, "PROPFIND", "get", "QUERY"}

// Draw is a number below n.
func (g *Generator) Draw(n int) int { return g.r.IntN(n) }
