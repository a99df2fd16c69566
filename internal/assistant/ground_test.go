package assistant

import (
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/report"
)

func TestACVEThatNoSourceHasIsNotTold(t *testing.T) {
	d := &answer.Draft{}
	n := d.Cite(report.Source{Kind: "cve", ID: "CVE-2021-44228", Text: "see also CVE-2021-45046"})
	d.Say([]int{n}, "cve-2021-44228 and CVE-2021-45046, not CVE-2021-4422 or CVE-2099-0001, CVE-2099-0002 and CVE-2099-0003, and CVE-2099-0004 fixed it.")
	ground(d)
	if want := "cve-2021-44228 and CVE-2021-45046, not other CVEs fixed it [1]."; d.Text() != want {
		t.Errorf("%s", d.Text())
	}
}
