package assistant

import (
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/report"
)

func TestACVEThatNoSourceHasIsNotTold(t *testing.T) {
	d := &answer.Draft{}
	n := d.Cite(report.Source{Kind: "cve", ID: "CVE-2021-44228", Text: "see also CVE-2021-45046"})
	d.Say([]int{n}, "cve-2021-44228 and CVE-2021-45046, not CVE-2021-4422 or CVE-2099-0001.")
	ground(d)
	if want := "cve-2021-44228 and CVE-2021-45046, not (a CVE id that no record here has) or (a CVE id that no record here has) [1]."; d.Text() != want {
		t.Errorf("%s", d.Text())
	}
}
