package jsonstream

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// tree reads any value into what encoding/json would make of it, by public methods alone.
func tree(d *Decoder) any {
	switch d.Kind() {
	case Object:
		out := map[string]any{}
		for d.Object(); d.More(); {
			key := string(d.Key())
			out[key] = tree(d)
		}
		return out
	case Array:
		out := []any{}
		for d.Array(); d.More(); {
			out = append(out, tree(d))
		}
		return out
	case String:
		return d.Text()
	case Number:
		f, _ := d.Float()
		return f
	case Bool:
		return d.Bool()
	default:
		d.Skip()
		return nil
	}
}

const document = `{ "id" : "CVE-2014-0160", "né": [1, -2.5, 5e-05, 9.8, 10, true, false, null, {}, [], ""],
	"text": "tab\tquote\" slash\/ back\\ \u00e9 \ud83d\ude00 é 😀 end", "deep": {"a": {"b": [{"c": "0123456789abcdef"}]}}}`

func TestTreeAgreesWithEncodingJSON(t *testing.T) {
	var want any
	if err := json.Unmarshal([]byte(document), &want); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"whole":       strings.NewReader(document),
		"byte order":  strings.NewReader("\xef\xbb\xbf" + document),
		"byte a time": iotest.OneByteReader(strings.NewReader(document)),
		"half":        iotest.HalfReader(strings.NewReader(document)),
		"data + EOF":  iotest.DataErrReader(strings.NewReader(document)),
	} {
		d := New(r, Limits{})
		got := tree(d)
		d.End()
		if err := d.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSkipPassesWhateverIsInside(t *testing.T) {
	text := `{"skip":{"a":[1,"}]\"\\",{"b":"\\\\"}],"long":"` + strings.Repeat(`x\"`, 200_000) + `"},"id":"kept"}`
	d := New(iotest.HalfReader(strings.NewReader(text)), Limits{})
	id := ""
	for d.Object(); d.More(); {
		if string(d.Key()) == "id" {
			id = d.Text()
		} else {
			d.Skip()
		}
	}
	d.End()
	if d.Err() != nil || id != "kept" {
		t.Errorf("id %q, error %v", id, d.Err())
	}
}

func TestErrorsNameReasonAndOffset(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "the file breaks off at byte 0"},
		{`{"a":"b`, "the file breaks off at byte 7"},
		{`{"a":{"b":[1,2`, "the file breaks off at byte 14"},
		{`{"a":tru`, "want true or false at byte 5"},
		{`{"a" "b"}`, "want a colon at byte 5"},
		{`{"a":1 "b":2}`, "want a comma or the end of an object or array at byte 7"},
		{`{1:2}`, "want a member name at byte 1"},
		{`[1}`, "want a comma or the end of an object or array at byte 2"},
		{`["` + "a\x00b" + `"]`, "control character in a string at byte 3"},
		{`["\q"]`, "bad escape in a string at byte 5"},
		{`["\u12"]`, "bad escape in a string at byte 7"},
		{`[1.2.3]`, "bad number at byte 6"},
		{`{} x`, "text after the end of the document at byte 3"},
		{strings.Repeat("[", 100), "nested too deep at byte 64"},
		{`["` + strings.Repeat("x", 300_000) + `"]`, "string is too long at byte 262145"},
	} {
		d := New(strings.NewReader(c.text), Limits{String: 1 << 17})
		tree(d)
		d.End()
		if err := d.Err(); err == nil || err.Error() != c.want {
			t.Errorf("%.40s: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestReaderErrorIsKept(t *testing.T) {
	broken := errors.New("the line went dead")
	d := New(io.MultiReader(strings.NewReader(`{"a":[1,`), iotest.ErrReader(broken)), Limits{})
	tree(d)
	if !errors.Is(d.Err(), broken) {
		t.Errorf("error %v", d.Err())
	}
}

func reason(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return e.Reason
}

// records reads an array of {"n":number} and recovers from bad ones.
func records(d *Decoder) (good []float64, bad []string) {
	for d.Array(); d.More(); {
		mark := d.Record()
		n := -1.0
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "n":
				n, _ = d.Float()
			case "text":
				d.Text()
			case "deep":
				tree(d)
			default:
				d.Skip()
			}
		}
		if n < 0 {
			d.Reject("no number")
		}
		if err := d.Err(); err != nil {
			bad = append(bad, reason(err))
			if !d.Recover(mark) {
				return good, bad
			}
			continue
		}
		good = append(good, n)
	}
	d.End()
	if d.Err() != nil {
		bad = append(bad, reason(d.Err()))
	}
	return good, bad
}

func TestRecoverLeavesOnlyTheBadRecord(t *testing.T) {
	for _, c := range []struct{ name, bad, reason string }{
		{"wrong type", `{"n":"seven"}`, "want a number"},
		{"no object", `17`, "want an object"},
		{"string", `"{]"`, "want an object"},
		{"null", `null`, "no number"},
		{"nothing in it", `{}`, "no number"},
		{"array inside", `{"n":[[1]],"x":"}"}`, "want a number"},
		{"no colon", `{"n" 5,"x":{"y":"}"}}`, "want a colon"},
		{"no comma", `{"n":5 "x":[1]}`, "want a comma or the end of an object or array"},
		{"control character", `{"n":5,"text":"a` + "\x01" + `}{\"","x":[1]}`, "control character in a string"},
		{"bad escape", `{"text":"\x}","n":5}`, "bad escape in a string"},
		{"long string", `{"text":"` + strings.Repeat("{", 200_000) + `","n":5}`, "string is too long"},
		{"deep", `{"n":1,"deep":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`, "nested too deep"},
		{"long record", `{"n":1` + strings.Repeat(`,"x":1`, 100_000) + `}`, "record is too long"},
	} {
		text := `[{"n":1},` + c.bad + `,{"n":3}]`
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			good, bad := records(New(r, Limits{String: 100_000, Record: 500_000}))
			if diff := cmp.Diff([]float64{1, 3}, good); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
			if diff := cmp.Diff([]string{c.reason}, bad); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
	}
}

func TestTextHasNoControlCharactersAndIsUTF8(t *testing.T) {
	d := New(strings.NewReader(`["a\u0000b\u001b[31mc\u009b\nd\u007f`+"\x80\xff"+`e \ud800 f"]`), Limits{})
	d.Array()
	d.More()
	if got, want := d.Text(), "ab[31mc\nd\ufffd\ufffde \ufffd f"; got != want {
		t.Errorf("have %q, want %q", got, want)
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add(document)
	f.Add(`[{"n":1},{"n":"x"},{"n":2,"text":"\ud83d\ude00"}]`)
	f.Add(`[{"n":1,"deep":[[[{"a":"b\\"}]]]},null,{"n"`)
	f.Fuzz(func(t *testing.T, text string) {
		d := New(strings.NewReader(text), Limits{})
		got := tree(d)
		d.End()
		slow := New(iotest.OneByteReader(strings.NewReader(text)), Limits{})
		if diff := cmp.Diff(got, tree(slow)); diff != "" {
			t.Errorf("a byte at a time reads differently: %s", diff)
		}
		var want any
		if json.Unmarshal([]byte(text), &want) == nil && d.Err() != nil && !strings.Contains(d.Err().Error(), "deep") &&
			!strings.Contains(d.Err().Error(), "number") {
			t.Errorf("refuses what encoding/json reads: %v", d.Err())
		}
		records(New(strings.NewReader(text), Limits{Depth: 8, String: 64, Record: 256}))
	})
}
