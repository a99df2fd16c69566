package cve

import "testing"

func TestVectorIsReadWhateverItsFormIs(t *testing.T) {
	for _, c := range []struct{ text, version, av, odd string }{
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3", "N", ""},
		{"CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4", "A", ""},
		{"(AV:L/AC:M/Au:N/C:C/I:C/A:C)", "2", "L", ""},
		{" AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H ", "3", "N", ""},
		{"AV:N/AV:L/ZZ:9/Au:S", "2", "N", "9"},
		{"rubbish", "", "", ""},
		{"", "", "", ""},
	} {
		v := ReadVector(c.text)
		if v.Version() != c.version || v.Metric("AV") != c.av || v.Metric("ZZ") != c.odd {
			t.Errorf("%q: version %q, AV %q, ZZ %q", c.text, v.Version(), v.Metric("AV"), v.Metric("ZZ"))
		}
	}
}

func TestVectorSaysWhatIsNotKnown(t *testing.T) {
	v := ReadVector("CVSS:3.1/AV:N/AC:L/C:H")
	if yes, known := v.All("AV:N", "AC:L"); !yes || !known {
		t.Error("both hold")
	}
	if yes, known := v.All("AV:N", "AC:H"); yes || !known {
		t.Error("one does not hold")
	}
	if _, known := v.All("AV:N", "PR:N"); known {
		t.Error("PR is not there")
	}
	if got := ReadVector("AV/AV:L").Metric("AV"); got != "L" {
		t.Errorf("a name alone is no metric: %q", got)
	}
	if long := ReadVector(string(make([]byte, 10000))); long != "" {
		t.Error("what is too long is no vector")
	}
}
