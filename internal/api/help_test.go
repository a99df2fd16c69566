package api

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/docs"
)

func TestHelpRendersOurPagesWithoutScripts(t *testing.T) {
	names, err := fs.Glob(docs.Pages, "*.md")
	if err != nil || len(names) < 10 {
		t.Fatalf("%v, %v", names, err)
	}
	tag := regexp.MustCompile(`<(/?[a-z0-9]+)`)
	for _, name := range names {
		text, err := fs.ReadFile(docs.Pages, name)
		if err != nil {
			t.Fatal(err)
		}
		body := helpBody(string(text), "/base")
		if !strings.HasPrefix(body, `<h1 id="`) {
			t.Errorf("%s begins with %.60q", name, body)
		}
		open := map[string]int{}
		for _, m := range tag.FindAllStringSubmatch(body, -1) {
			if m[1] == "script" {
				t.Errorf("%s has a script", name)
			}
			if rest, ends := strings.CutPrefix(m[1], "/"); ends {
				open[rest]--
			} else {
				open[m[1]]++
			}
		}
		for name2, n := range open {
			if n != 0 {
				t.Errorf("%s: %d of <%s> stay open", name, n, name2)
			}
		}
		if strings.Contains(body, "\x01") {
			t.Errorf("%s lost code", name)
		}
	}
}

func TestHelpEscapesAndLinksOnlyWhatIsOurs(t *testing.T) {
	got := helpBody("# A <b>\n\nSee [x](feeds.md#offline), [y](javascript:alert(1)) and `<script>`.\n\n| a | b |\n|---|---|\n| 1 | `x \\| y` |\n\n- one\n  more\n- two\n", "")
	for _, want := range []string{`A &lt;b&gt;`, `<a href="/help/feeds.md#offline">x</a>`, `<code>&lt;script&gt;</code>`, `<td><code>x | y</code></td>`, `<li>one more</li><li>two</li></ul>`} {
		if !strings.Contains(got, want) {
			t.Errorf("without %s: %s", want, got)
		}
	}
	if strings.Contains(got, "href=\"javascript") {
		t.Errorf("a script: %s", got)
	}
}

func TestHelpShowsCodeAndEndsListsAsMarkdownDoes(t *testing.T) {
	got := helpBody("Ask:\n\n    patchscout ask \"<x>\"\n      --continue\n\n    more\n\nThen.\n\n- one\n- two\n\n**Next**\n\n- three\n\n  its end\n- four\n", "")
	want := "<p>Ask:</p><pre><code>patchscout ask &#34;&lt;x&gt;&#34;\n  --continue\n\nmore\n</code></pre><p>Then.</p>" +
		"<ul><li>one</li><li>two</li></ul><p><strong>Next</strong></p><ul><li>three its end</li><li>four</li></ul>"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
