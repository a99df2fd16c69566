package understand

import "testing"

func TestGrammarCompiles(t *testing.T) {
	g := theGrammar()
	if len(g.heads) < 500 {
		t.Errorf("%d words", len(g.heads))
	}
	nicknames()
	aliases()
}
