package finding

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func on(day int) time.Time { return start.AddDate(0, 0, day) }

func seen(sensor string, day int, confidence int) Evidence {
	return Evidence{Sensor: sensor, Check: VersionCheck, FirstSeen: on(day), LastSeen: on(day), FirstScan: int64(day + 1),
		LastScan: int64(day + 1), Status: Affected, Confidence: confidence, Reason: "7.2p2 is below 7.4"}
}

func look(sensor string, day int) Look {
	ports := []PortRange{{22, 22}}
	return Look{Sensor: sensor, Scan: int64(day + 1), At: on(day), Protocol: "tcp", Ports: ports, Open: ports, Known: ports}
}

func ssh() Finding {
	return Finding{Fingerprint: Fingerprint{Site: "default", HostID: 1, Protocol: "tcp", Port: 22, Weakness: "CVE-2016-10009"}}
}

// report is what one scan says of the finding.
type report struct {
	look Look
	saw  *Evidence
}

// take lets the finding hear a report as the pipeline does.
func take(f *Finding, looks []Look, r report) []Look {
	looks = append(looks, r.look)
	src := Source{Sensor: r.look.Sensor, Check: VersionCheck}
	at := Times(looks, src, f.Fingerprint)
	if r.saw != nil {
		f.Evidence = See(f.Evidence, *r.saw, at)
	} else {
		f.Evidence = Miss(f.Evidence, src, r.look.At, at)
	}
	sortEvidence(f.Evidence)
	f.Life = Fold(f, looks)
	f.Derive(looks...)
	return looks
}

func play(reports ...report) Finding {
	f := ssh()
	var looks []Look
	for _, r := range reports {
		looks = take(&f, looks, r)
	}
	return f
}

func saw(sensor string, day int) report {
	e := seen(sensor, day, 80)
	return report{look(sensor, day), &e}
}

func missed(sensor string, day int) report { return report{look(sensor, day), nil} }

func TestAFindingIsFixedWhenItsSensorLooksAgainAndSeesNothing(t *testing.T) {
	f := play(saw("native", 0), missed("native", 1))
	if f.State != Fixed || f.Closing != NotSeen || f.ClosedBy != ByScan || !f.ClosedAt.Equal(on(1)) {
		t.Errorf("%+v", f.Life)
	}
	f = play(saw("native", 0), missed("native", 1), saw("native", 2))
	if f.State != Reopened || len(f.Evidence) != 2 || len(f.History) != 3 {
		t.Errorf("%+v", f.Life)
	}
}

func TestOnlyWhatWasLookedAtAgainIsClosed(t *testing.T) {
	other := missed("native", 1)
	other.look.Ports = []PortRange{{80, 80}}
	if f := play(saw("native", 0), other); f.State != Open {
		t.Errorf("a look at another port closed it: %+v", f.Life)
	}
	if f := play(saw("native", 0), missed("nmap", 1)); f.State != Open {
		t.Errorf("a sensor that never saw it closed it: %+v", f.Life)
	}
	if f := play(saw("native", 0), saw("nmap", 0), missed("nmap", 0)); f.State != Open {
		t.Errorf("another sensor still sees it: %+v", f.Life)
	}
	silent := missed("native", 1)
	silent.look.Known = nil
	if f := play(saw("native", 0), silent); f.State != Open {
		t.Errorf("a service that hides its version refutes nothing: %+v", f.Life)
	}
}

func TestWhatOneReportSeesUnderAnotherPolicyIsNotFixedByIt(t *testing.T) {
	at := func(day int, policy string) Evidence {
		e := seen("nessus", day, 90)
		e.Check, e.Policy = "nessus:90002", policy
		return e
	}
	f := ssh()
	f.Evidence = []Evidence{at(0, "Weekly"), at(7, "Other")}
	full := Look{Sensor: "nessus", Scan: 8, At: on(7), Protocol: "tcp", Policy: AnyPolicy}
	life := Fold(&f, []Look{full})
	if life.State != Open || len(life.History) != 1 {
		t.Errorf("%+v", life)
	}
	f.Evidence = f.Evidence[:1]
	if life = Fold(&f, []Look{full}); life.State != Fixed || !life.ClosedAt.Equal(on(7)) {
		t.Errorf("%+v", life)
	}
}

func TestAClosedPortIsAReasonOfItsOwn(t *testing.T) {
	gone := missed("native", 1)
	gone.look.Open, gone.look.Known = nil, nil
	if f := play(saw("native", 0), gone); f.State != Fixed || f.Closing != ServiceGone {
		t.Errorf("%+v", f.Life)
	}
}

func TestAnUpgradeThatOneSensorSawSpeaksForTheOthers(t *testing.T) {
	f := play(saw("native", 0), saw("nmap", 0), missed("native", 5))
	if f.State != Fixed {
		t.Errorf("native saw the old version and now sees the new one: %+v", f.Life)
	}
	a, b := saw("native", 3), missed("nmap", 3)
	a.look.Scan, a.saw.FirstScan, a.saw.LastScan = 9, 9, 9
	b.look.Scan, b.look.At = 9, on(3).Add(time.Minute)
	if f := play(saw("nmap", 0), a, b); !f.State.Live() {
		t.Errorf("two tools of one scan read a banner differently: %+v", f.Life)
	}
}

func TestACheckIsCoveredOnlyWhenItRan(t *testing.T) {
	e := seen("nmap", 0, 95)
	e.Check = "nmap:http-vuln-cve2017-5638"
	f := ssh()
	f.Evidence = []Evidence{e}
	without, with := look("nmap", 1), look("nmap", 2)
	with.Checks = []string{"nmap:http-vuln-cve2017-5638"}
	if l := Fold(&f, []Look{without}); l.State != Open {
		t.Errorf("the script did not run: %+v", l)
	}
	if l := Fold(&f, []Look{without, with}); l.State != Fixed || !l.ClosedAt.Equal(on(2)) {
		t.Errorf("the script ran: %+v", l)
	}
}

func TestAnOldImportDecidesNothingThatANewerReportDecided(t *testing.T) {
	f := play(missed("native", 5), saw("native", 0))
	if f.State != Fixed || !f.FirstSeen.Equal(on(0)) {
		t.Errorf("an old sighting opened it: %+v", f.Life)
	}
	f = play(saw("native", 5), missed("native", 0))
	if f.State != Open {
		t.Errorf("an old miss closed it: %+v", f.Life)
	}
}

func TestTheCatalogueWithdrawsAndGivesBack(t *testing.T) {
	f := ssh()
	f.Evidence = []Evidence{seen("native", 0, 80)}
	f.Withdrawn = on(3)
	if l := Fold(&f, nil); l.State != Closed || l.Closing != Withdrawn || l.ClosedBy != ByCatalogue {
		t.Errorf("%+v", l)
	}
	f.Withdrawn = time.Time{}
	if l := Fold(&f, nil); l.State != Open {
		t.Errorf("%+v", l)
	}
}

func TestReportsInAnyOrderTellTheSameLife(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	for round := range 3000 {
		reports := randomReports(rng)
		inOrder := slices.Clone(reports)
		slices.SortFunc(inOrder, func(a, b report) int { return a.look.At.Compare(b.look.At) })
		want := play(inOrder...)
		rng.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		got := play(reports...)
		if diff := gocmp.Diff(stripped(want), stripped(got)); diff != "" {
			t.Fatalf("round %d: order matters (-in order +shuffled):\n%s", round, diff)
		}
	}
}

// randomReports: up to ten reports by two sensors, each at a time of its own, saying nothing, one thing or another.
func randomReports(rng *rand.Rand) []report {
	var out []report
	for i := range 1 + rng.IntN(10) {
		sensor := []string{"native", "nmap"}[rng.IntN(2)]
		r := missed(sensor, i)
		if n := rng.IntN(3); n > 0 {
			e := seen(sensor, i, 80)
			e.Reason = strings.Repeat("x", n)
			r.saw = &e
		}
		if rng.IntN(8) == 0 && r.saw == nil {
			r.look.Open, r.look.Known = nil, nil
		}
		out = append(out, r)
	}
	return out
}

// stripped leaves out scan numbers inside of rows, which a report in between may not have told.
func stripped(f Finding) Finding {
	f.Evidence = slices.Clone(f.Evidence)
	for i := range f.Evidence {
		f.Evidence[i].FirstScan, f.Evidence[i].LastScan, f.Evidence[i].ID = 0, 0, 0
	}
	f.History = slices.Clone(f.History)
	for i := range f.History {
		f.History[i].Scan = 0
	}
	return f
}

func TestMergeIsCommutativeAndAssociative(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 3000 {
		reports := randomReports(rng)
		var looks []Look
		for _, r := range reports {
			looks = append(looks, r.look)
		}
		parts := make([]Finding, 3)
		for i := range parts {
			parts[i] = ssh()
			parts[i].ID = int64(i + 1)
			parts[i].Triage = Triage{State: Accepted, At: on(rng.IntN(3)), Note: string(rune('a' + i))}
		}
		for _, r := range reports {
			part := &parts[rng.IntN(3)]
			if r.saw != nil {
				part.Evidence = See(part.Evidence, *r.saw, Times(looks, r.saw.Source(), part.Fingerprint))
			}
		}
		a, b, c := parts[0], parts[1], parts[2]
		want := stripped(Merge(Merge(a, b, looks), c, looks))
		for name, got := range map[string]Finding{
			"a+(b+c)": Merge(a, Merge(b, c, looks), looks), "(c+b)+a": Merge(Merge(c, b, looks), a, looks),
			"(b+a)+c": Merge(Merge(b, a, looks), c, looks), "twice": Merge(want, b, looks),
		} {
			if diff := gocmp.Diff(want, stripped(got)); diff != "" {
				t.Fatalf("round %d: %s differs:\n%s", round, name, diff)
			}
		}
	}
}

func TestMergeKeepsEvidenceFromBothScanners(t *testing.T) {
	a, b := ssh(), ssh()
	a.ID, b.ID = 7, 3
	a.Evidence, b.Evidence = []Evidence{seen("native", 0, 80)}, []Evidence{seen("nmap", 1, 30)}
	m := Merge(a, b, nil)
	if len(m.Evidence) != 2 || m.ID != 3 || m.Confidence != 80 || !m.Confirmed() {
		t.Errorf("%+v", m)
	}
}

func TestTheStrongestEvidenceSpeaks(t *testing.T) {
	f := ssh()
	f.Evidence = []Evidence{seen("native", 0, 30), seen("nmap", 0, 80)}
	f.Evidence[1].Status = Conditional
	f.Derive()
	if f.Confirmed() {
		t.Error("a conditional match is not confirmed")
	}
	proof := seen("nmap", 0, 95)
	proof.Check, proof.Title, proof.Remedy = "nmap:ssh-vuln", "proved", "upgrade"
	f.Evidence = append(f.Evidence, proof)
	f.Derive()
	if !f.Confirmed() || f.Confidence != 95 || f.Title != "proved" {
		t.Errorf("%+v", f)
	}
}

func TestASensorThatTookItsWordBackDoesNotConfirm(t *testing.T) {
	weak := seen("nmap", 1, 30)
	f := play(saw("native", 0), missed("native", 1), report{look("nmap", 1), &weak})
	if !f.State.Live() || f.Confidence != 30 || f.Confirmed() {
		t.Errorf("%s at %d, confirmed by a sensor that no longer sees it", f.State, f.Confidence)
	}
	if f := play(saw("native", 0), missed("native", 1)); f.Confidence != 80 {
		t.Errorf("a fixed finding lost its last words: %d", f.Confidence)
	}
}

func TestCutKeepsTextValid(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"short", "short"}, {"a\x00b", "a�b"}, {"\xff", "�"}, {strings.Repeat("é", 20), strings.Repeat("é", 8) + "…"},
	} {
		if got := Cut(c.in, 20); got != c.want {
			t.Errorf("%q: %q", c.in, got)
		}
	}
}

func TestPortsAreReadAsTheyWereWritten(t *testing.T) {
	var odd []PortRange // more than any list that a person types
	for p := uint16(1); p < 60000; p += 2 {
		odd = append(odd, PortRange{p, p})
	}
	for _, want := range [][]PortRange{nil, {{1, 65535}}, {{22, 22}, {80, 90}}, odd} {
		if got, err := ReadPorts(PrintPorts(want)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%.40s: %d ranges, %v", PrintPorts(want), len(got), err)
		}
	}
	for _, text := range []string{"0", "90-80", "65536", "22,", "-5", "http"} {
		if text == "22," {
			continue // a final comma was always read
		}
		if _, err := ReadPorts(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestWeaknessIsACVEOrACheck(t *testing.T) {
	if w := Weakness("CVE-2016-10009"); w.CVE().String() != string(w) || w.Check() != "" {
		t.Error("CVE")
	}
	if w := Weakness("nmap:ssl-dh-params"); w.CVE() != 0 || w.Check() != string(w) {
		t.Error("check")
	}
}

func TestTriageHidesUntilItEnds(t *testing.T) {
	accepted := Triage{State: Accepted, Until: on(3)}
	if !accepted.Hidden(on(3)) || accepted.Hidden(on(5)) || (Triage{}).Hidden(on(0)) || !(Triage{State: FalsePositive}).Hidden(on(0)) {
		t.Error("hidden at the wrong time")
	}
}
