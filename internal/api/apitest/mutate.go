package apitest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// twist breaks one thing of a call.
func (g *Generator) twist(op *Operation, c *Call) {
	ways := []func(*Operation, *Call){g.twistHeader, g.twistPath, g.twistQuery, g.twistQuery}
	if len(op.params) > 3 {
		ways = append(ways, g.twistQuery, g.twistQuery)
	}
	if len(op.bodies) > 0 {
		ways = append(ways, g.twistText, g.twistText, g.twistDocument, g.twistDocument, g.twistDocument, g.twistDocument, g.twistDocument)
	}
	if g.odds(0.05) {
		ways = []func(*Operation, *Call){g.twistWire}
	}
	if g.odds(0.04) {
		ways = []func(*Operation, *Call){g.twistMethod}
	}
	pick(g, ways)(op, c)
}

func (g *Generator) twistMethod(_ *Operation, c *Call) {
	if method := pick(g, unlisted); method != c.Method {
		c.twist("method " + method)
		c.Method, c.Op = method, nil
	}
}

var wideIDs = []string{"0", "-1", "1.0", "1e3", "+1", "01", "9223372036854775807", "9223372036854775808", "99999999999999999999999999", "NaN", "1e999", "%00", "1%00", "..", ".",
	"%2e%2e", "..%2f..%2fetc%2fpasswd", "..%5c..", "%2F", "%ff", "%c0%af", "a%0d%0ab", "%E2%80%AE1", "1;2", "1,2", "*", "'", "%20", "true", "null", "{id}", "%7Bid%7D", "CVE-2021-44228%00"}

func (g *Generator) twistPath(op *Operation, c *Call) {
	path, query, _ := strings.Cut(c.Target, "?")
	switch n := g.r.IntN(10); {
	case n < 6 && strings.Contains(op.Path, "{"):
		id := pick(g, wideIDs)
		if g.odds(0.1) {
			id = strings.Repeat("9", 8000)
		}
		parts, pattern := strings.Split(path, "/"), strings.Split(op.Path, "/")
		for i := range min(len(parts), len(pattern)) {
			if strings.HasPrefix(pattern[i], "{") && !strings.Contains(pattern[i], "}.") {
				parts[i] = id
			}
		}
		path = strings.Join(parts, "/")
		c.twist("id " + fmt.Sprintf("%.30s", id))
		if c.Op != nil && (strings.Trim(id, ".") == "" || strings.Contains(id, "%2") || strings.Contains(id, "%5c")) {
			c.Op = nil // the path may mean something else now
		}
	case n == 6:
		path, c.Op = path+"/", nil
		c.twist("slash at the end")
	case n == 7:
		path, c.Op = strings.Replace(path, "/api", "//api", 1), nil
		c.twist("double slash")
	case n == 8:
		path, c.Op = strings.ToUpper(path), nil
		c.twist("capitals")
	default:
		path, c.Op = path+pick(g, []string{"/../../x", "%00", "/%2e%2e/", ";a=b", "/nothing", "%2f", "/.", "\\..", ".json"}), nil
		c.twist("path " + path)
	}
	if c.Target = path; query != "" {
		c.Target += "?" + query
	}
}

func (g *Generator) twistQuery(op *Operation, c *Call) {
	path, query, _ := strings.Cut(c.Target, "?")
	var of []param
	for _, p := range op.params {
		if p.in == "query" {
			of = append(of, p)
		}
	}
	add := ""
	switch n := g.r.IntN(10); {
	case n < 7 && len(of) > 0:
		p := pick(g, of)
		text := g.tame(op, p.name, g.bad(p.schema))
		add = p.name + "=" + url.QueryEscape(strings.Trim(string(encode(text)), `"`))
		if t, ok := text.(string); ok {
			add = p.name + "=" + url.QueryEscape(t)
		}
		if g.odds(0.15) {
			add += "&" + add + "1"
		}
	default:
		add = pick(g, []string{"no_such=1", "%zz=1", "a;b=1", "=", "&&&", "limit=10&limit=20", "cursor=%00", "limit=%ff", "scan_id[]=1", "__proto__=1", "token=x", "limit", "%00=1", "cursor=AAAA",
			"cursor=bm9uc2Vuc2U", "cursor=eyJhIjoxfQ==", strings.Repeat("a=1&", 2000), "q=" + strings.Repeat("a", 20000), "cursor=" + strings.Repeat("A", 5000), "skip=-1", "skip=99999999999", "limit=100000"})
	}
	c.twist(fmt.Sprintf("query %.60s", add))
	if c.Target = path + "?" + add; query != "" {
		c.Target = path + "?" + query + "&" + add
	}
}

// bad is a value that a schema hardly allows.
func (g *Generator) bad(schema any) any {
	s, _ := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		s, _ = g.doc.schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	}
	switch t := typeOf(s); {
	case (t == "integer" || t == "number") && g.odds(0.7):
		return pick(g, []any{raw("-1"), raw("0"), raw("1.5"), raw("1e999"), raw("-1e999"), raw("9223372036854775807"), raw("9223372036854775808"), raw("-9223372036854775809"), raw("NaN"), raw("Infinity"),
			raw("1e2"), raw("-0"), raw("00"), raw("0.1e-400"), raw(strings.Repeat("9", 400)), raw(fmt.Sprintf("%.0f", float(s["maximum"], 1e15)+1)), raw(fmt.Sprintf("%.0f", float(s["minimum"], 0)-1)),
			raw(fmt.Sprintf("%.0f", float(s["maximum"], 1e15))), raw(fmt.Sprintf("%.0f", float(s["minimum"], 0)))})
	case t == "string" && g.odds(0.2):
		return strings.Repeat(pick(g, []string{"a", "é", "💥", "\x00", "1", "a,", "* "}), int(min(float(s["maxLength"], 5000), 100_000))+1)
	case t == "array" && g.odds(0.3):
		list := make([]any, int(min(float(s["maxItems"], 1000), 20_000))+1)
		for i := range list {
			list[i] = i
		}
		return list
	case g.odds(0.5):
		return pick(g, nasty)
	}
	return pick(g, []any{nil, true, raw("1"), raw("-1"), raw("1.5"), "text", "", []any{}, map[string]any{}, []any{nil}, []any{[]any{}}, map[string]any{"a": raw("1")}})
}

// twistDocument changes a place within a JSON body.
func (g *Generator) twistDocument(op *Operation, c *Call) {
	body, ok := op.bodies["application/json"]
	var doc any
	if !ok || isBinary(body.schema) || json.Unmarshal(c.Body, &doc) != nil {
		g.twistText(op, c)
		return
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return
	}
	s := g.resolved(body.schema)
	at, in := root, s // a struct within the document, and its schema
	for range 2 {
		for _, name := range sortedKeys(at) {
			inner, isMap := at[name].(map[string]any)
			properties, _ := in["properties"].(map[string]any)
			if isMap && properties[name] != nil && g.odds(0.5) {
				at, in = inner, g.resolved(properties[name])
				break
			}
		}
	}
	g.twistObject(c, at, in)
	c.Body = encode(g.tame(op, "", root))
	if g.odds(0.08) && len(root) > 0 {
		name := sortedKeys(root)[0]
		c.Body = append(append([]byte("{"+string(encode(name))+":null,"), encode(name)...), append([]byte(":1,"), c.Body[1:]...)...)
		c.twist("the same field twice")
	}
	c.set("Content-Type", "application/json")
}

func (g *Generator) resolved(schema any) map[string]any {
	s, _ := schema.(map[string]any)
	for range 4 {
		if ref, ok := s["$ref"].(string); ok {
			s, _ = g.doc.schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
		} else if list, ok := s["anyOf"].([]any); ok {
			s, _ = list[0].(map[string]any)
		}
	}
	return s
}

func (g *Generator) twistObject(c *Call, at, in map[string]any) {
	properties, _ := in["properties"].(map[string]any)
	required, _ := in["required"].([]any)
	switch n := g.r.IntN(10); {
	case n == 0 && len(required) > 0:
		name, _ := pick(g, required).(string)
		delete(at, name)
		c.twist("without " + name)
	case n == 1:
		name := pick(g, []string{"no_such", "__proto__", "constructor", "", "ID", "\x00", "$schema", "role", "id", strings.Repeat("k", 5000)})
		at[name] = g.bad(nil)
		c.twist(fmt.Sprintf("unknown field %.20q", name))
	case n == 2 && len(properties) > 0:
		name := pick(g, sortedKeys(properties))
		at[name] = deep(pick(g, []int{20, 31, 33, 100, 5000}), pick(g, []string{"[]", "{}"}))
		c.twist("deep " + name)
	case n == 3 && len(properties) > 0:
		name := pick(g, sortedKeys(properties))
		at[name] = raw(pick(g, []string{`"\ud800"`, "\"\xff\xfe\"", `"\u0000"`, `"\x"`, "\"\x01\"", "'a'", "tru", "", "0x1", "1e", "-", "{\"a\":}", "[1,]", "NaN", "/*a*/1", "\"\u202e\""}))
		c.twist("broken " + name)
	case len(properties) > 0:
		name := pick(g, sortedKeys(properties))
		at[name] = g.bad(properties[name])
		c.twist(fmt.Sprintf("%s = %.40s", name, encode(at[name])))
	}
}

func deep(n int, brackets string) raw {
	if brackets == "{}" {
		return raw(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n))
	}
	return raw(strings.Repeat("[", n) + strings.Repeat("]", n))
}

// twistText changes a body without reading it.
func (g *Generator) twistText(_ *Operation, c *Call) {
	ways := []struct {
		name string
		do   func()
	}{
		{"no body", func() { c.Body = nil }},
		{"blanks", func() { c.Body = []byte(" \n\t ") }},
		{"a list", func() { c.Body = []byte("[" + string(c.Body) + "]") }},
		{"a text", func() { c.Body = []byte(`"text"`) }},
		{"null", func() { c.Body = []byte("null") }},
		{"a number", func() { c.Body = []byte("17") }},
		{"half", func() { c.Body = c.Body[:len(c.Body)/2] }},
		{"twice", func() { c.Body = append(slices.Clone(c.Body), c.Body...) }},
		{"more behind", func() { c.Body = append(slices.Clone(c.Body), " x"...) }},
		{"byte order mark", func() { c.Body = append([]byte("\ufeff"), c.Body...) }},
		{"zeros", func() { c.Body = make([]byte, 100) }},
		{"deep lists", func() { c.Body = []byte(deep(100_000, "[]")) }},
		{"deep structs", func() { c.Body = []byte(deep(50_000, "{}")) }},
		{"too large", func() { c.Body = []byte(`{"a":"` + strings.Repeat("a", 1<<20) + `"}`) }},
		{"many mistakes", func() {
			var b strings.Builder
			for i := range 20_000 {
				fmt.Fprintf(&b, `"f%d":1,`, i)
			}
			c.Body = []byte("{" + strings.TrimSuffix(b.String(), ",") + "}")
		}},
		{"many fields", func() { c.Body = []byte("{" + strings.TrimSuffix(strings.Repeat(`"a":1,`, 20_000), ",") + "}") }},
		{"a bit", func() {
			if c.Body = slices.Clone(c.Body); len(c.Body) > 0 {
				c.Body[g.r.IntN(len(c.Body))] ^= byte(1 << g.r.IntN(8))
			}
		}},
		{"other type", func() {
			c.set("Content-Type", pick(g, []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
				"image/png", "application/json; charset=utf-16", "application/merge-patch+json", "application/cbor", "", "/", ";", "a/b/c", "application/json, text/plain", strings.Repeat("a", 3000) + "/b",
				"multipart/form-data; boundary=" + strings.Repeat("b", 200), "application/json;charset=\""}))
		}},
		{"packed", func() {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write(c.Body)
			_ = w.Close()
			c.Body = b.Bytes()
			c.set("Content-Encoding", "gzip")
		}},
		{"said to be packed", func() {
			c.set("Content-Encoding", pick(g, []string{"gzip", "br", "deflate", "gzip, gzip", "identity", "x"}))
		}},
		{"broken form", func() {
			c.set("Content-Type", "multipart/form-data; boundary=cut")
			c.Body = []byte(pick(g, []string{"--cut", "--cut\r\n", "--cut\r\n\r\n", "--cut--", "--cut\r\nContent-Disposition: form-data\r\n\r\nx\r\n--cut--", "\r\n--cut\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx",
				"--cut\r\nContent-Disposition: form-data; name=\"nothing\"\r\n\r\nx\r\n--cut--\r\n", "--cut\r\nContent-Disposition: \"; name\r\n\r\nx\r\n--cut--\r\n", "--cut\nContent-Disposition: form-data; name=file\n\nx\n--cut--",
				"--cut\r\nContent-Disposition: form-data; name=\"full\"\r\n\r\nmaybe\r\n--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + nmapReport + "\r\n--cut--\r\n",
				strings.Repeat("--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n", 150) + "--cut--\r\n",
				"--cut\r\n" + strings.Repeat("A: b\r\n", 20_000) + "\r\nx\r\n--cut--\r\n", "--cut\r\nContent-Disposition: form-data; name=\"tool\"\r\n\r\n" + strings.Repeat("t", 70_000) + "\r\n--cut--\r\n"}))
		}},
	}
	way := pick(g, ways)
	c.twist(way.name)
	way.do()
}

func (g *Generator) twistHeader(_ *Operation, c *Call) {
	h := pick(g, [][2]string{
		{"If-None-Match", "*"}, {"If-None-Match", `"`}, {"If-None-Match", `W/"x", ,"`}, {"If-None-Match", strings.Repeat(`"a",`, 3000)}, {"If-None-Match", "\xff"}, {"If-Modified-Since", "yesterday"},
		{"If-Modified-Since", "Mon, 01 Jan 0001 00:00:00 GMT"}, {"If-Match", `"x"`}, {"If-Unmodified-Since", "x"}, {"Idempotency-Key", ""}, {"Idempotency-Key", " "}, {"Idempotency-Key", "a b"},
		{"Idempotency-Key", strings.Repeat("k", 256)}, {"Idempotency-Key", "é"}, {"Idempotency-Key", "same"}, {"Idempotency-Key", "same"}, {"Idempotency-Key", fmt.Sprint("k", g.r.IntN(20))}, {"Range", "bytes=0-1"}, {"Range", "bytes=-1"},
		{"Range", "bytes=9-1,2-3,-"}, {"Range", "x"}, {"X-HTTP-Method-Override", "DELETE"}, {"X-Method-Override", "PUT"}, {"X-HTTP-Method", "PATCH"}, {"Expect", "100-continue"}, {"Expect", "200-ok"},
		{"Accept", "text/html"}, {"Accept", "application/cbor"}, {"Accept", "application/xml;q=1"}, {"Accept", "*/*;q=0"}, {"Accept", ";;;,"}, {"Accept", "text/event-stream"}, {"Accept-Encoding", "gzip;q=0, *"}, {"Accept-Encoding", "gzip"},
		{"Accept-Language", "xx"}, {"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://localhost:3000"}, {"Referer", "https://evil.example/"}, {"Sec-Fetch-Site", "cross-site"},
		{"Host", "evil.example"}, {"Host", "127.0.0.1@evil.example"}, {"Host", ""}, {"Host", "localhost"}, {"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "https"},
		{"X-Forwarded-Prefix", "//evil"}, {"X-Original-URL", "/api/v1/users"}, {"X-Rewrite-URL", "/api/v1/users"}, {"X-Request-Id", "a\tb"}, {"X-Request-Id", strings.Repeat("r", 5000)}, {"X-Request-Id", "<script>"},
		{"Upgrade", "websocket"}, {"Upgrade", "h2c"}, {"Connection", "close"}, {"Connection", "keep-alive, Authorization"}, {"TE", "trailers"}, {"Trailer", "Authorization"}, {"Last-Event-ID", "-1"}, {"Last-Event-ID", "x"},
		{"Content-Digest", "sha-256=:x:"}, {"Content-Digest", "x"}, {"Content-Language", "\xff"}, {"traceparent", "00-x"}, {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"baggage", strings.Repeat("a=b,", 2000)},
		{"Cookie", "patchscout_session=x"}, {"Cookie", "=;;;"}, {"Cookie", strings.Repeat("a=b; ", 2000)}, {"Prefer", "respond-async"}, {"Cache-Control", "no-cache"}, {"Content-Location", "/x"}, {"User-Agent", strings.Repeat("u", 9000)},
	})
	c.twist(fmt.Sprintf("%s: %.30q", h[0], h[1]))
	if h[0] == "Cookie" {
		c.Header = append(c.Header, h)
		return
	}
	if c.set(h[0], h[1]); slices.Contains([]string{"", "127.0.0.1@evil.example", "200-ok"}, h[1]) {
		c.Protocol = c.Protocol || h[0] == "Host" || h[0] == "Expect" // net/http answers
	}
}

// twistWire breaks HTTP itself.
func (g *Generator) twistWire(_ *Operation, c *Call) {
	switch g.r.IntN(8) {
	case 0:
		c.Chunked, c.Cut = true, true
		c.twist("chunks that end early")
	case 1:
		c.Cut = true
		c.twist("a body that ends early")
	case 2:
		c.Chunked = true
		c.twist("chunks")
		return
	case 3:
		c.Lie = 10
		c.Cut = true
		c.twist("a longer Content-Length")
	case 4:
		c.Header = append(c.Header, [2]string{"Transfer-Encoding", pick(g, []string{"chunked", "gzip, chunked", "identity", "xchunked", " chunked"})})
		c.Last = true
		c.twist("both lengths")
	case 5:
		c.Header = append(c.Header, [2]string{pick(g, []string{"A B", "", "A\x00", "A:"}), "x"})
		c.twist("a broken header")
	case 6:
		c.Header = append(c.Header, [2]string{"X-Null", "a\x00b"})
		c.twist("NUL in a header")
	case 7:
		c.Target = strings.ReplaceAll(c.Target, "/api", "/a pi")
		c.Op = nil
		c.twist("a blank in the path")
	}
	c.Protocol = true
}
