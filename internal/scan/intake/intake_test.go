package intake

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// encoded is the same text in the encodings in which tools and Windows' editors save it.
func encoded(t *testing.T, text string) map[string][]byte {
	t.Helper()
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) []byte {
		b, err := unicode.UTF16(e, bom).NewEncoder().Bytes([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return map[string][]byte{
		"UTF-8":              []byte(text),
		"UTF-8 with a mark":  append([]byte("\xef\xbb\xbf"), text...),
		"UTF-16 LE, mark":    utf16(unicode.LittleEndian, unicode.UseBOM),
		"UTF-16 BE, mark":    utf16(unicode.BigEndian, unicode.UseBOM),
		"UTF-16 LE, no mark": utf16(unicode.LittleEndian, unicode.IgnoreBOM),
		"UTF-16 BE, no mark": utf16(unicode.BigEndian, unicode.IgnoreBOM),
	}
}

func TestTextIsUTF8WhateverItWas(t *testing.T) {
	for _, text := range []string{"<a>Büro 株式会社 😀</a>", "IP,Name\r\n192.0.2.1,Büro\r\n", `{"a":"ü"}`} {
		for name, raw := range encoded(t, text) {
			for slow, r := range map[string]io.Reader{"at once": bytes.NewReader(raw), "byte by byte": iotest.OneByteReader(bytes.NewReader(raw))} {
				got, err := io.ReadAll(Text(r))
				if err != nil || string(got) != text {
					t.Errorf("%s %s: %q, %v", name, slow, got, err)
				}
				twice, _ := io.ReadAll(Text(Text(bytes.NewReader(raw))))
				if string(twice) != text {
					t.Errorf("%s, text of text: %q", name, twice)
				}
			}
		}
	}
}

func TestADeclaredEncodingIsBelievedWhereItCanBe(t *testing.T) {
	latin, _ := charmap.ISO8859_1.NewEncoder().String(`<?xml version="1.0" encoding="ISO-8859-1"?><a>Büro</a>`)
	windows, _ := charmap.Windows1252.NewEncoder().String(`<?xml version='1.0' encoding='windows-1252' ?><a>Büro – €</a>`)
	wide := func(order utf32.Endianness) string {
		text, _ := utf32.UTF32(order, utf32.UseBOM).NewEncoder().String(`<?xml version="1.0" encoding="UTF-32"?><a>Büro</a>`)
		return text
	}
	for raw, want := range map[string]string{
		latin:                    "Büro",
		windows:                  "Büro – €",
		wide(utf32.LittleEndian): "Büro",
		wide(utf32.BigEndian):    "Büro",
		`<?xml version="1.0" encoding="UTF-16"?><a>Büro</a>`:       "Büro", // it could be read, so it is not
		`<?xml version="1.0" encoding="x-unheard-of"?><a>Büro</a>`: "Büro",
		`<?xml version="1.0" encoding="us-ascii"?><a>Büro</a>`:     "Büro",
		"<a>B\xfcro</a>": "B�ro", // no declaration: UTF-8 that it is not
	} {
		x := NewXML("test", strings.NewReader(raw), Limits{})
		if _, err := x.Root("a"); err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		if got, err := x.Text(); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestTheHeadIsThatOfTheTextAndNothingIsLost(t *testing.T) {
	text := "\r\n\t <report>" + strings.Repeat("ü", 3*HeadSize) + "</report>"
	for name, raw := range encoded(t, text) {
		head, whole := Head(bytes.NewReader(raw))
		all, err := io.ReadAll(whole)
		if !bytes.HasPrefix(head, []byte("<report>üü")) || len(head) > HeadSize || string(all) != text || err != nil {
			t.Errorf("%s: head %.20q of %d bytes, whole %d, %v", name, head, len(head), len(all), err)
		}
	}
	if head, whole := Head(strings.NewReader("")); len(head) != 0 {
		t.Errorf("head of nothing: %q", head)
	} else if _, err := whole.ReadByte(); err != io.EOF {
		t.Error(err)
	}
}

func TestCutKeepsCharactersWhole(t *testing.T) {
	for n := -1; n < 12; n++ {
		if got := Cut("aüß😀b", n); !utf8.ValidString(got) || len(got) > max(0, n) || !strings.HasPrefix("aüß😀b", got) {
			t.Errorf("cut at %d: %q", n, got)
		}
	}
}

// texts reads <list><item>…</item>…</list> as adapters do.
func texts(raw io.Reader, limits Limits) (out []string, err error) {
	x := NewXML("test", raw, limits)
	if _, err := x.Root("list"); err != nil {
		return nil, err
	}
	err = x.Each(func(e xml.StartElement) error {
		if e.Name.Local != "item" {
			return x.Skip()
		}
		x.Record()
		text, err := x.Text()
		x.Done()
		if err == nil {
			out = append(out, text)
		}
		return err
	})
	if err == nil {
		_, err = x.Root("list")
	}
	if err == io.EOF {
		err = nil
	}
	return out, err
}

func TestXMLIsReadAsItStands(t *testing.T) {
	for raw, want := range map[string][]string{
		"<list/>": nil,
		"<list><item>a</item><other><item>no</item></other><item> b <x>no</x>c </item></list>":    {"a", "b c"},
		"<list><item>&lt;&amp;&#65;&#x42;&quot;</item><item><![CDATA[<&amp;>]]></item></list>":    {`<&AB"`, "<&amp;>"},
		"<?xml version='1.0'?><!-- c --><?pi x?>\n<list><!-- <item>no</item> --><item/></list>\n": {""},
		"<?xml version=\"1.1\"?>\n<list><item>a\x00b</item></list>":                               {"a?b"},
		"<n:list xmlns:n='urn:x'><n:item n:a='1'>a</n:item></n:list>":                             {"a"},
		"<list><item>a\x00b\x01c&#0;d&#x1b;e&#xD800;f&#xFFFE;g</item></list>":                     {"a?b?c?d?e?f?g"},
		"<list><item>a\r\nb\tc</item></list>":                                                     {"a\nb\tc"},
		"<!DOCTYPE list><list><item>a</item></list>":                                              {"a"},
		`<!DOCTYPE list SYSTEM "http://example.org/x.dtd"><list><item>a</item></list>`:            {"a"},
	} {
		got, err := texts(strings.NewReader(raw), Limits{})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestHostileXMLIsRefused(t *testing.T) {
	bomb := `<!DOCTYPE list [<!ENTITY a "aaaaaaaaaa">` + entityChain() + `]><list><item>&z;</item></list>`
	for name, c := range map[string]struct{ raw, want string }{
		"entity bomb":            {bomb, "entity"},
		"external entity":        {`<!DOCTYPE list [<!ENTITY x SYSTEM "file:///etc/hostname">]><list><item>&x;</item></list>`, "entity"},
		"entity of a name":       {`<list><item>&nbsp;</item></list>`, "entity"},
		"entity in an attribute": {`<!DOCTYPE list [<!ENTITY x SYSTEM "file:///etc/hostname">]><list><item a="&x;"/></list>`, "entity"},
		"parameter entities":     {`<!DOCTYPE list [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]><list><item>&y;</item></list>`, "entity"},
		"deep":                   {"<list>" + strings.Repeat("<item>", 100), "nested too deeply"},
		"long text":              {"<list><item>" + strings.Repeat("a", 5<<20) + "</item></list>", "a token is larger"},
		"long attribute":         {`<list><item a="` + strings.Repeat("a", 5<<20) + `"/></list>`, "a token is larger"},
		"long comment":           {"<list><!--" + strings.Repeat("a", 5<<20) + "--></list>", "a token is larger"},
		"long record":            {"<list><item>" + strings.Repeat("<a>"+strings.Repeat("b", 1000)+"</a>", 70000) + "</item></list>", "a record is larger"},
		"crossed elements":       {"<list><item></list></item>", "closes nothing"},
		"closed too often":       {"<list></list></list>", "closes nothing"},
		"another root":           {"<lists/>", "its root is <lists>"},
		"a long root":            {"<" + strings.Repeat("x", 9999) + "/>", "its root is <xxx"},
		"no XML":                 {"<list><item", ""},
		"bare ampersand":         {"<list><item>a & b</item></list>", "line 1"},
	} {
		if testing.Short() && name == "long record" {
			continue
		}
		_, err := texts(strings.NewReader(c.raw), Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && fault.KindOf(err) != fault.KindInvalid && !errors.Is(err, scan.ErrTruncated) {
			t.Errorf("%s is %q", name, fault.KindOf(err))
		}
	}
}

func entityChain() string {
	var b strings.Builder
	for c := 'b'; c <= 'z'; c++ {
		fmt.Fprintf(&b, `<!ENTITY %c "%s">`, c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
	}
	return b.String()
}

func TestTheLimitsCanBeNarrower(t *testing.T) {
	for raw, limits := range map[string]Limits{
		"<list><item>" + strings.Repeat("a", 200) + "</item></list>":              {Token: 100},
		"<list><item><a/></item></list>":                                          {Depth: 2},
		"<list><item>" + strings.Repeat("<a>bbbbbbb</a>", 100) + "</item></list>": {Record: 500},
	} {
		if _, err := texts(strings.NewReader(raw), limits); err == nil || !strings.HasPrefix(err.Error(), "test report, line 1: ") {
			t.Errorf("%+v: %v", limits, err)
		}
		if _, err := texts(strings.NewReader(raw), Limits{}); err != nil {
			t.Errorf("the defaults: %v", err)
		}
	}
}

func TestXMLThatEndsTooEarlySaysSo(t *testing.T) {
	whole := "<?xml version='1.0'?><list><item a='1'>one &amp; two</item><!-- c --><item><![CDATA[x]]></item></list>"
	for n := strings.Index(whole, "<list") + 1; n < len(whole); n++ {
		if _, err := texts(strings.NewReader(whole[:n]), Limits{}); !errors.Is(err, scan.ErrTruncated) {
			t.Errorf("%q: %v", whole[:n], err)
		}
	}
}

func TestAnErrorOfTheStreamIsNoEnd(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, raw := range []string{"<list><item>a", "<list>"} {
		if _, err := texts(io.MultiReader(strings.NewReader(raw), iotest.ErrReader(broken)), Limits{}); !errors.Is(err, broken) || errors.Is(err, scan.ErrTruncated) {
			t.Errorf("XML: %v", err)
		}
	}
	table := NewTable("test", io.MultiReader(strings.NewReader("a,b\n1,"), iotest.ErrReader(broken)), ',')
	if err := table.Header(); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Next(); !errors.Is(err, broken) {
		t.Errorf("table: %v", err)
	}
}

func TestLongTextsAreCutAndTheRestIsSkipped(t *testing.T) {
	long := strings.Repeat("ü", MaxText)
	got, err := texts(strings.NewReader("<list><item>"+long+"<x>"+long+"</x>"+long+"</item><item>b</item></list>"), Limits{})
	if err != nil || len(got) != 2 || len(got[0]) > MaxText || len(got[0]) < MaxText-4 || !utf8.ValidString(got[0]) || got[1] != "b" {
		t.Errorf("%d texts, %v", len(got), err)
	}
	x := NewXML("test", strings.NewReader("<list>"+long+"</list>"), Limits{})
	if _, err := x.Root("list"); err != nil {
		t.Fatal(err)
	}
	if got, err := x.LongText(1 << 20); err != nil || got != long {
		t.Errorf("a long text has %d bytes, %v", len(got), err)
	}
}

func TestSeveralDocumentsFollowEachOther(t *testing.T) {
	x := NewXML("test", strings.NewReader("<a>1</a>\n<?xml version='1.0'?>\n<b>2</b>"), Limits{})
	for _, want := range []string{"a", "b"} {
		start, err := x.Root("a", "b")
		if err != nil || start.Name.Local != want {
			t.Fatal(start, err)
		}
		if err := x.Skip(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Root("a", "b"); err != io.EOF {
		t.Error(err)
	}
}

func rows(t testing.TB, table *Table) (out [][]string, err error) {
	t.Helper()
	for {
		row, err := table.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, slices.Clone(row))
	}
}

func TestTablesAreReadAsToolsWriteThem(t *testing.T) {
	for raw, want := range map[string][][]string{
		"a,b\n1,2\n":                    {{"a", "b"}, {"1", "2"}},
		"a,b\r\n1,2":                    {{"a", "b"}, {"1", "2"}},
		"a;b\n1;2,5\n":                  {{"a", "b"}, {"1", "2,5"}},
		"a\tb\n1\t2\n":                  {{"a", "b"}, {"1", "2"}},
		"a,b\n\n \n1,2\n\n":             {{"a", "b"}, {"1", "2"}},
		"a,b\n\"x\"\"y\",\"\"\n":        {{"a", "b"}, {`x"y`, ""}},
		"a,b\n\"\"\"x\"\"\",\"1\"\n":    {{"a", "b"}, {`"x"`, "1"}},
		"a,b\n\"1\r\n2\n3\",\"4,5\"\n":  {{"a", "b"}, {"1\r\n2\n3", "4,5"}},
		"a,b\n\"1\\\",2\n":              {{"a", "b"}, {`1\`, "2"}},
		"a,b\n5\" disk,it's\n":          {{"a", "b"}, {`5" disk`, "it's"}},
		"a,b\n \"1\" , \"2\"\n":         {{"a", "b"}, {"1 ", "2"}},
		"a,b\n\"\"\n\"1\",2\n":          {{"a", "b"}, {""}, {"1", "2"}},
		"a,b\n1,2,3\n4\n":               {{"a", "b"}, {"1", "2", "3"}, {"4"}},
		"a,b\n1\rx,2\n":                 {{"a", "b"}, {"1\rx", "2"}},
		"\"a\",\"b\"\n\"ü\",\"\"\"\"\n": {{"a", "b"}, {"ü", `"`}},
	} {
		for name, bytes := range encoded(t, raw) {
			if strings.Contains(name, "no mark") && raw[0] == '"' && raw[1] == 0 {
				continue
			}
			got, err := rows(t, NewTable("test", strings.NewReader(string(bytes)), 0))
			if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s %q: %q, %v, want %q", name, raw, got, err, want)
			}
			slow, err := rows(t, NewTable("test", iotest.OneByteReader(strings.NewReader(string(bytes))), 0))
			if err != nil || !slices.EqualFunc(slow, want, slices.Equal) {
				t.Errorf("%s %q byte by byte: %q, %v", name, raw, slow, err)
			}
		}
	}
}

func TestBackslashedQuotes(t *testing.T) {
	table := NewTable("test", strings.NewReader(`"a","b"`+"\n"+`"say \"hi, you\"","C:\\dir\x"`+"\n"), ',')
	table.Backslashes()
	got, err := rows(t, table)
	if err != nil || len(got) != 2 || !slices.Equal(got[1], []string{`say "hi, you"`, `C:\dir\x`}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestColumnsAreFoundByName(t *testing.T) {
	table := NewTable("test", strings.NewReader("\ufeff IP , Host Name,CVSS,CVSS,\n192.0.2.1,  ,7.5,1,x\n192.0.2.2,b\n"), 0)
	if err := table.Header("ip", "HOST NAME"); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Next(); err != nil {
		t.Fatal(err)
	}
	if got := []string{table.Get("ip"), table.Get("host name"), table.Get("Host Name", "IP"), table.Get("cvss"), table.Get("none", "")}; !slices.Equal(got, []string{"192.0.2.1", "", "192.0.2.1", "7.5", ""}) {
		t.Errorf("%q", got)
	}
	if table.Line() != 2 || table.Columns() != 5 || !table.Has(" Cvss ") || table.Has("none") {
		t.Errorf("line %d, %d columns", table.Line(), table.Columns())
	}
	if _, err := table.Next(); err != nil || table.Get("CVSS") != "" || table.Get("host name") != "b" {
		t.Errorf("a short row: %v", err)
	}
	for raw, want := range map[string]string{"": "no header row", "\n\n": "no header row", "a,b\n": `line 1: no column "ip"`} {
		if err := NewTable("test", strings.NewReader(raw), 0).Header("ip"); fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestATablesEndIsKnown(t *testing.T) {
	table := NewTable("test", strings.NewReader("a,b\n1,2"), 0)
	if err := table.Header(); err != nil || !table.Ended() {
		t.Error(err)
	}
	if _, err := table.Next(); err != nil || table.Ended() {
		t.Error(err)
	}
	table = NewTable("test", strings.NewReader("a,b\n1,\"2\nand so"), 0)
	if got, err := rows(t, table); !errors.Is(err, scan.ErrTruncated) || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHugeTablesAreCutOrRefused(t *testing.T) {
	big := strings.Repeat("ü", 5<<20)
	for _, quote := range []string{"", `"`} {
		table := NewTable("test", strings.NewReader("a,b\n"+quote+big+quote+",2\n3,4\n"), ',')
		got, err := rows(t, table)
		if err != nil || len(got) != 3 || len(got[1][0]) > MaxText || len(got[1][0]) < MaxText-4 || !utf8.ValidString(got[1][0]) || got[1][1] != "2" {
			t.Errorf("a field of 10 MB: %d rows, %v", len(got), err)
		}
	}
	table := NewTable("test", strings.NewReader("a,b\n"+big[:1<<20]+",2\n"), ',')
	table.Keep(1 << 20)
	if got, err := rows(t, table); err != nil || len(got[1][0]) != 1<<20 {
		t.Errorf("a field that is kept: %v", err)
	}
	if testing.Short() {
		return
	}
	for name, raw := range map[string]io.Reader{
		"fields": strings.NewReader(strings.Repeat(",", 1000)),
		"a row":  io.MultiReader(strings.NewReader(`"`), &endless{"x"}),
		"lines":  io.MultiReader(strings.NewReader(`"`), &endless{"\n"}),
	} {
		if _, err := rows(t, NewTable("test", raw, ',')); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s without end: %v", name, err)
		}
	}
}

type endless struct{ text string }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[i%len(e.text)]
	}
	return len(p), nil
}

func FuzzXML(f *testing.F) {
	for _, seed := range []string{"<list><item a='1'>x &amp; &#1; y</item></list>", "<!DOCTYPE list [<!ENTITY x 'y'>]><list><item>&x;</item></list>",
		"\xff\xfe<\x00l\x00i\x00s\x00t\x00/\x00>\x00", "<list><item><![CDATA[]]></item>", "<?xml version='1.0' encoding='latin1'?><list/>", "<list>&#", "<list>&#x1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := texts(bytes.NewReader(raw), Limits{Token: 1 << 10, Record: 4 << 10})
		for _, text := range got {
			if len(text) > MaxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("%q", text)
			}
		}
		if err != nil && fault.KindOf(err) != fault.KindInvalid && !errors.Is(err, scan.ErrTruncated) && err != io.EOF {
			t.Errorf("%q: %v", raw, err)
		}
	})
}

func FuzzTable(f *testing.F) {
	for _, seed := range []string{"a,b\n1,\"2\"\"\n\"\n", "a;b\r\n\"\\\"\";2", "\xfe\xff\x00a\x00,", "\"", "a\n\"\"\n"} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, backslashes bool) {
		table := NewTable("test", bytes.NewReader(raw), 0)
		if backslashes {
			table.Backslashes()
		}
		line := 0
		for {
			row, err := table.Next()
			if err != nil {
				if err != io.EOF && fault.KindOf(err) != fault.KindInvalid && !errors.Is(err, scan.ErrTruncated) {
					t.Errorf("%q: %v", raw, err)
				}
				return
			}
			if len(row) == 0 || table.Line() <= line {
				t.Errorf("%q: row %q of line %d after line %d", raw, row, table.Line(), line)
			}
			line = table.Line()
			for _, field := range row {
				if len(field) > MaxText || !utf8.ValidString(field) {
					t.Errorf("%q", field)
				}
			}
		}
	})
}
