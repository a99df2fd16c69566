package report

import (
	"fmt"
	"strings"
	"testing"
)

func TestLongListOfLookUpsShowsOnlyWhatWasFound(t *testing.T) {
	var table IndicatorTable
	for i := range 50 {
		a := IndicatorAnswer{Value: fmt.Sprintf("192.0.2.%d", i), Kind: "ip", Canonical: Text(fmt.Sprintf("192.0.2.%d", i))}
		if i == 30 {
			a.Found = true
			a.Indicators = []Indicator{{Kind: "ip", Value: "192.0.2.30", Malware: "Emo\x1b[2Jtet", Confidence: 90, Source: "feodo"}}
		}
		table.Add(a)
	}
	table.Add(IndicatorAnswer{Value: "junk", Error: `"junk": want an address`})
	var out strings.Builder
	if err := table.Write(&out, Catalogue{}, View{}); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{"192.0.2.30  ", "Feodo Tracker", "junk", "51 values looked up: 1 listed, 1 could not be read.",
		"Never loaded, so nothing was looked up in: URLhaus, ThreatFox, Feodo Tracker, MalwareBazaar."} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "192.0.2.7 ") || strings.Contains(got, "\x1b") {
		t.Errorf("more than was found:\n%s", got)
	}
}

func TestEstimateIsNeverTakenForEPSS(t *testing.T) {
	value, guess := 0.5, 0.25
	for _, tt := range []struct {
		epss, likelihood *float64
		source           Text
		want             string
	}{
		{&value, &value, "epss", "0.50"}, {nil, &guess, FromEstimate, "~0.25"}, {nil, nil, "", ""},
	} {
		if got := probability(tt.epss, tt.likelihood, tt.source, 2); got != tt.want {
			t.Errorf("have %q, want %q", got, tt.want)
		}
	}
}

func TestTechniqueTextIsReadable(t *testing.T) {
	const text = "Use <code>x</code> of [sqlmap](https://attack.mitre.org/software/S0225).(Citation: Somebody 2021) [not a link]"
	if got, want := readable(text), "Use x of sqlmap. [not a link]"; got != want {
		t.Errorf("have %q, want %q", got, want)
	}
}
