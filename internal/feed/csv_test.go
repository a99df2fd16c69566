package feed_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/feed"
)

// rows reads all rows, a bad one as "!reason", each with its place in front.
func rows(r io.Reader) (out []string, err error) {
	lines := feed.NewLines(feed.File{Name: "x.csv"}, r)
	for {
		row, err := lines.Next()
		var bad *feed.RowError
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.As(err, &bad):
			out = append(out, lines.Place()+" !"+bad.Reason)
		case err != nil:
			return out, err
		default:
			out = append(out, lines.Place()+" "+strings.Join(row, "|"))
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"plain", "a,b\n1,2\r\n\r\n3,", []string{"x.csv line 1 a|b", "x.csv line 2 1|2", "x.csv line 4 3|"}},
		{"quoted", `"a,""b""","c` + "\r\n" + `d",""` + "\n1", []string{"x.csv line 1 a,\"b\"|c\r\nd|", "x.csv line 3 1"}},
		{"quote within a field", "a 6\" disk,b\nc,\"d\"\n", []string{"x.csv line 1 a 6\" disk|b", "x.csv line 2 c|d"}},
		{"text behind a quote", "a,\"b\"c,d\ne\n", []string{"x.csv line 1 !text behind a quoted field", "x.csv line 2 e"}},
		{"quote without end", "a\nb,\"c\nd,e\nf\n", []string{"x.csv line 1 a", "x.csv line 2 !quoted field without end",
			"x.csv line 3 d|e", "x.csv line 4 f"}},
		{"quote without end, long", "b,\"c\n" + strings.Repeat("d,e\n", 300_000), nil},
		{"NUL", "a\x00b\nc\n", []string{"x.csv line 1 !NUL byte", "x.csv line 2 c"}},
		{"not UTF-8", "a\xffb\n", []string{"x.csv line 1 a\ufffdb"}},
	} {
		got, err := rows(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want == nil { // too long to write down
			if len(got) != 300_001 || got[300_000] != "x.csv line 300001 d|e" {
				t.Errorf("%s: %d rows, the last %q", c.name, len(got), got[len(got)-1])
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestCommentsAndBlanksBeforeFields(t *testing.T) {
	lines := feed.NewLines(feed.File{Name: "x.csv"}, strings.NewReader("# a, \"b\" c, \"\n\"a, b\", \"c\nd\",  e f , \"\"\n 1, 2\n"))
	lines.SkipBlanks()
	lines.KeepComments()
	for _, want := range []string{"# a, \"b\" c, \"", "a, b|c\nd|e f |", "1|2"} {
		row, err := lines.Next()
		if err != nil || strings.Join(row, "|") != want {
			t.Errorf("%q, %v, want %q", row, err, want)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("a,\"b\"\"c\nd\",e\r\nf 6\" g,h\n")
	f.Add("\"\n\"\"\n\"a\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, errA := rows(strings.NewReader(text))
		b, errB := rows(iotest.HalfReader(strings.NewReader(text)))
		if diff := cmp.Diff(a, b); diff != "" || (errA == nil) != (errB == nil) {
			t.Errorf("%v, %v: %s", errA, errB, diff)
		}
	})
}
