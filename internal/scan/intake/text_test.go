package intake

import (
	"io"
	"strings"
	"testing"
)

func TestTextOfTextIsTheSameText(t *testing.T) {
	raw := "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Caf\xe9</a>"
	once, _ := io.ReadAll(Text(strings.NewReader(raw)))
	twice, _ := io.ReadAll(Text(Text(strings.NewReader(raw))))
	if !strings.Contains(string(once), "Café") || string(once) != string(twice) {
		t.Errorf("once %q, twice %q", once, twice)
	}
}
