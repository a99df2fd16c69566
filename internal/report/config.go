package report

import (
	"fmt"
	"io"
)

// ConfigCheck is what `config check` says: {"ok","mistakes":[…],"warnings":[…],"settings":[…]}.
type ConfigCheck struct {
	OK       bool      `json:"ok"`       // no mistakes
	Mistakes []Text    `json:"mistakes"` // each keeps something from working
	Warnings []Text    `json:"warnings"`
	Settings []Setting `json:"settings"` // those that are not defaults
}

// Setting is a key of the configuration. Value is *** for a secret; from is a file, a variable or a flag.
type Setting struct {
	Key   string `json:"key"`
	Value Text   `json:"value"`
	From  Text   `json:"from"`
}

// ConfigText writes a check for people, a line each.
func ConfigText(w io.Writer, c ConfigCheck) error {
	for _, s := range c.Settings {
		if _, err := fmt.Fprintf(w, "%s = %s    (%s)\n", s.Key, Plain(string(s.Value)), Plain(string(s.From))); err != nil {
			return err
		}
	}
	for _, group := range []struct {
		title string
		lines []Text
	}{{"wrong", c.Mistakes}, {"warning", c.Warnings}} {
		for _, line := range group.lines {
			if _, err := fmt.Fprintf(w, "%s: %s\n", group.title, Plain(string(line))); err != nil {
				return err
			}
		}
	}
	if !c.OK {
		return nil
	}
	_, err := fmt.Fprintln(w, "the configuration is fine")
	return err
}
