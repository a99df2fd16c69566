package understand

import "testing"

func TestWhatIsOnTheScreen(t *testing.T) {
	v := names(t)
	host, bug, found := &Thing{"host", "1", "10.0.0.5"}, &Thing{"cve", "CVE-2021-44228", ""}, &Thing{"finding", "12", ""}
	for _, c := range []struct {
		about *Thing
		text  string
		want  string
	}{
		{host, "how many critical findings does it have?", "findings count follows=true host=10.0.0.5 severity=[critical] those=true"},
		{host, "who owns this?", "hosts fact attr=owner follows=true host=10.0.0.5 those=true"},
		{host, "how many hosts are in dmz?", "hosts count site=[dmz]"},
		{bug, "is it exploited?", "cves whether attr=exploited cve=[CVE-2021-44228] follows=true those=true"},
		{bug, "how do I fix this?", "cves how attr=remedy cve=[CVE-2021-44228] follows=true those=true"},
		{bug, "explain this to my boss", "cves explain audience=manager cve=[CVE-2021-44228] follows=true those=true"},
		{found, "why?", "findings why finding=[12] follows=true those=true"},
		{found, "when is it due?", "findings fact attr=due finding=[12] follows=true those=true"},
	} {
		q := Parse(c.text, v, Context{About: c.about}, now)
		if got := shape(q); got != c.want {
			t.Errorf("%s about %s\n got %s\nwant %s", c.text, c.about.Kind, got, c.want)
		}
	}
}
