package answer

import (
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/report"
)

func TestForeignTextIsOneLineWithoutMarkup(t *testing.T) {
	got := quoted("- **Click** [1](http://x) `rm`\n\u202e# <b>now</b>", 200)
	if strings.ContainsAny(got, "*`[]<>\n\u202e") || strings.HasPrefix(got, "-") {
		t.Errorf("quoted: %q", got)
	}
	if got := quoted(strings.Repeat("a", 50), 10); len([]rune(got)) > 10 {
		t.Errorf("cut: %q", got)
	}
}

func TestARuleSaysFromWhichVersionOnItIsFixed(t *testing.T) {
	s, ok := spanOf(report.AffectedRule{CPE: "cpe:2.3:a:openbsd:openssh", Versions: ">= 8.6, < 9.8"})
	if !ok || s.before != "9.8" || s.from != "8.6" || s.text() != "OpenSSH from 8.6, before 9.8" {
		t.Errorf("%+v, %q", s, s.text())
	}
}

func TestTheSentenceThatHoldsTheRareWordsComesFirst(t *testing.T) {
	page := "| code | meaning |\n|---|---|\n| 3 | a confirmed finding at or above the level of a scan |\n| 4 | incomplete: a scanner failed during the scan, what was found is kept |\n"
	got := fitting(page, "what is the exit code when the scan is incomplete?", 2)
	if len(got) == 0 || !strings.HasPrefix(got[0], "4: incomplete") {
		t.Errorf("%q", got)
	}
}

func TestAnAnswerByWordsIsSurerTheMoreItLeads(t *testing.T) {
	close := &Draft{Features: Features{Score: 0.6, Words: 0.7, Margin: 0.01}}
	ahead := &Draft{Features: Features{Score: 0.6, Words: 0.7, Margin: 0.4}}
	if c, a := Confidence(close), Confidence(ahead); c >= a || a > 1 || c < 0 {
		t.Errorf("close %v, ahead %v", c, a)
	}
	if c := Confidence(&Draft{Refused: true}); c != 0 {
		t.Errorf("a refusal is %v sure", c)
	}
}
