package match

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
)

// memory is a catalogue in a map.
type memory map[cpe.Product][]byte

func (m memory) Packs(_ context.Context, products []cpe.Product) ([][]byte, error) {
	out := make([][]byte, len(products))
	for i, p := range products {
		out[i] = m[p]
	}
	return out, nil
}

// catalogueOf packs records.
func catalogueOf(t testing.TB, records ...*cve.Record) memory {
	t.Helper()
	b := NewBuilder()
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	m := memory{}
	for p, packed := range b.Packs() {
		m[p] = packed.Bytes
	}
	return m
}

func id(t testing.TB, s string) cve.ID {
	t.Helper()
	id, err := cve.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// record makes a CVE with the configurations given.
func record(t testing.TB, name string, configurations ...cve.Node) *cve.Record {
	return &cve.Record{ID: id(t, name), Configurations: configurations}
}

func anyOf(matches ...cve.CPEMatch) cve.Node { return cve.Node{Matches: matches} }

func allOf(children ...cve.Node) cve.Node { return cve.Node{Operator: cve.And, Children: children} }

func vulnerable(criteria string) cve.CPEMatch {
	return cve.CPEMatch{Vulnerable: true, Criteria: criteria}
}

func platform(criteria string) cve.CPEMatch { return cve.CPEMatch{Criteria: criteria} }

func before(criteria, end string) cve.CPEMatch {
	return cve.CPEMatch{Vulnerable: true, Criteria: criteria, EndExcluding: end}
}

func upTo(criteria, end string) cve.CPEMatch {
	return cve.CPEMatch{Vulnerable: true, Criteria: criteria, EndIncluding: end}
}

// ask matches one line of names and prints what applies: "CVE-2024-0001 affected".
func ask(t testing.TB, m memory, line string) []string {
	t.Helper()
	var subjects []Subject
	for _, name := range strings.Fields(line) {
		subjects = append(subjects, Subject{CPE: name})
	}
	res, err := New(m).Host(context.Background(), subjects, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range res.Subjects {
		if s.Err != nil {
			t.Fatal(s.Err)
		}
		for _, match := range s.Matches {
			out = append(out, match.CVE.String()+" "+string(match.Status))
		}
	}
	return out
}

const (
	openssh = "cpe:2.3:a:openbsd:openssh:"
	rest    = ":*:*:*:*:*:*"
)

func TestVersionsAndUpdates(t *testing.T) {
	m := catalogueOf(t,
		record(t, "CVE-2001-0001", anyOf(before(openssh+"*:*"+rest, "7.4"))),
		record(t, "CVE-2001-0002", anyOf(upTo(openssh+"*:*"+rest, "7.2"))),
		record(t, "CVE-2001-0003", anyOf(upTo(openssh+"*:p2"+rest, "7.2"))),
		record(t, "CVE-2001-0004", anyOf(vulnerable(openssh+"7.2:p2"+rest))),
		record(t, "CVE-2001-0005", anyOf(vulnerable(openssh+"7.2p2:*"+rest))),
		record(t, "CVE-2001-0006", anyOf(vulnerable(openssh+"7.2:-"+rest))),
		record(t, "CVE-2001-0007", anyOf(vulnerable(openssh+"7.2:*"+rest))),
		record(t, "CVE-2001-0008", anyOf(vulnerable(openssh+"-:*"+rest))),
		record(t, "CVE-2001-0009", anyOf(vulnerable(openssh+"*:*"+rest))),
		record(t, "CVE-2001-0010", anyOf(before(openssh+"*:*"+rest, "7.2p2"))),
	)
	for line, want := range map[string][]string{
		"cpe:/a:openbsd:openssh:7.2p2":                       {"1 affected", "2 affected", "3 affected", "4 affected", "5 affected", "7 affected", "9 uncertain"},
		openssh + "7.2:p2" + rest:                            {"1 affected", "2 affected", "3 affected", "4 affected", "5 affected", "7 affected", "9 uncertain"},
		openssh + "7.2:*" + rest:                             {"1 affected", "2 affected", "3 uncertain", "4 uncertain", "5 uncertain", "6 uncertain", "7 affected", "9 uncertain", "10 uncertain"},
		openssh + "7.2:-" + rest:                             {"1 affected", "2 affected", "3 affected", "6 affected", "7 affected", "9 uncertain", "10 affected"},
		openssh + "7.2.0:p1" + rest:                          {"1 affected", "2 affected", "3 affected", "7 affected", "9 uncertain", "10 affected"},
		openssh + "7.2p10:*" + rest:                          {"1 affected", "2 affected", "7 affected", "9 uncertain"},
		openssh + "7.4:rc1" + rest:                           {"1 affected", "9 uncertain"},
		openssh + "7.4:*" + rest:                             {"9 uncertain"},
		openssh + "-:*" + rest:                               {"8 affected", "9 uncertain"},
		"cpe:/a:openssh:openssh:v7.4p1":                      {"9 uncertain"},
		openssh + "1:7.3-4ubuntu2" + rest:                    nil, // an unescaped colon is a separator, and 4ubuntu2 an update
		`cpe:2.3:a:openbsd:openssh:1\:7.3-4ubuntu2:*` + rest: {"1 affected", "9 uncertain"},
	} {
		if want == nil {
			continue
		}
		for i, w := range want {
			n, status, _ := strings.Cut(w, " ")
			want[i] = "CVE-2001-" + strings.Repeat("0", 4-len(n)) + n + " " + status
		}
		if diff := cmp.Diff(want, ask(t, m, line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestTrailingZerosAreEqual(t *testing.T) {
	m := catalogueOf(t, record(t, "CVE-2018-1058", anyOf(vulnerable("cpe:2.3:a:postgresql:postgresql:9.6:*"+rest))))
	for _, v := range []string{"9.6", "9.6.0", "v9.6.0"} {
		if got := ask(t, m, "cpe:2.3:a:postgresql:postgresql:"+v+":*"+rest); len(got) != 1 {
			t.Errorf("%s: %v", v, got)
		}
	}
	if got := ask(t, m, "cpe:2.3:a:postgresql:postgresql:9.6.1:*"+rest); got != nil {
		t.Errorf("9.6.1: %v", got)
	}
}

func TestReleaseLetters(t *testing.T) {
	const connect = "cpe:2.3:a:ivanti:connect_secure:"
	m := catalogueOf(t,
		record(t, "CVE-2024-38656", anyOf(before(connect+"*:*"+rest, "22.7r2.2"))),
		record(t, "CVE-2024-38657", anyOf(upTo(connect+"*:*"+rest, "22.7r2.3"))),
	)
	for line, want := range map[string][]string{
		connect + "22.7:r2.4" + rest:  nil,
		connect + "22.7r2.3:*" + rest: {"CVE-2024-38657 affected"},
		connect + "22.7:r2" + rest:    {"CVE-2024-38656 affected", "CVE-2024-38657 affected"},
		connect + "22.7:*" + rest:     {"CVE-2024-38656 uncertain", "CVE-2024-38657 uncertain"},
	} {
		if diff := cmp.Diff(want, ask(t, m, line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestUnknownVersionYieldsCandidatesOnly(t *testing.T) {
	m := catalogueOf(t,
		record(t, "CVE-2001-0001", anyOf(before(openssh+"*:*"+rest, "7.4"))),
		record(t, "CVE-2001-0002", anyOf(vulnerable(openssh+"7.2:p2"+rest), vulnerable(openssh+"*:*"+rest))),
	)
	res, err := New(m).Host(context.Background(), []Subject{{CPE: "cpe:/a:openbsd:openssh"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := res.Subjects[0]; s.Matches != nil || len(s.Candidates) != 2 {
		t.Fatalf("matches %v, candidates %v", s.Matches, s.Candidates)
	}
}

func TestAliasesAnswerTheUnion(t *testing.T) {
	m := catalogueOf(t,
		record(t, "CVE-2013-2028", anyOf(vulnerable("cpe:2.3:a:igor_sysoev:nginx:1.4.0:*"+rest))),
		record(t, "CVE-2021-23017", anyOf(before("cpe:2.3:a:f5:nginx:*:*"+rest, "1.20.1"))),
		record(t, "CVE-2017-7529", anyOf(upTo("cpe:2.3:a:nginx:nginx:*:*"+rest, "1.12.0"))),
	)
	want := []string{"CVE-2013-2028 affected", "CVE-2017-7529 affected", "CVE-2021-23017 affected"}
	for _, vendor := range []string{"f5", "nginx", "igor_sysoev"} {
		if diff := cmp.Diff(want, ask(t, m, "cpe:/a:"+vendor+":nginx:1.4.0")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", vendor, diff)
		}
	}
}

func TestPlatforms(t *testing.T) {
	const app = "cpe:2.3:a:example:app:1.0:*" + rest
	needs := func(platforms ...string) *cve.Record {
		var list []cve.CPEMatch
		for _, p := range platforms {
			list = append(list, platform(p))
		}
		return record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), anyOf(list...)))
	}
	const windows = "cpe:2.3:o:microsoft:windows:-:*" + rest
	for _, tt := range []struct {
		name   string
		record *cve.Record
		host   string
		want   string
	}{
		{"unknown platform", needs(windows), app, "conditional"},
		{"satisfied", needs(windows), app + " cpe:/o:microsoft:windows", "affected"},
		{"satisfied by a member of the family", needs(windows), app + " cpe:/o:microsoft:windows_10:1607", "affected"},
		{"contradicted by another family", needs(windows), app + " cpe:/o:debian:debian_linux:12", ""},
		{"one of two", needs(windows, "cpe:2.3:o:linux:linux_kernel:-:*"+rest), app + " cpe:/o:debian:debian_linux:12", "affected"},
		{"another distribution", needs("cpe:2.3:o:redhat:enterprise_linux:7.0:*" + rest), app + " cpe:/o:debian:debian_linux:12", ""},
		{"other version of the platform", needs("cpe:2.3:o:debian:debian_linux:11.0:*" + rest), app + " cpe:/o:debian:debian_linux:12", ""},
		{"that version of the platform", needs("cpe:2.3:o:debian:debian_linux:12.0:*" + rest), app + " cpe:/o:debian:debian_linux:12", "affected"},
		{"platform without version", needs("cpe:2.3:o:debian:debian_linux:12.0:*" + rest), app + " cpe:/o:debian:debian_linux", "conditional"},
		{"service as platform", needs("cpe:2.3:a:php:php:5.3.0:*" + rest), app + " cpe:/a:php:php:5.3.0", "affected"},
		{"other version of the service", needs("cpe:2.3:a:php:php:5.3.0:*" + rest), app + " cpe:/a:php:php:8.2.0", ""},
		{"other service says nothing", needs("cpe:2.3:a:php:php:5.3.0:*" + rest), app + " cpe:/a:openbsd:openssh:9.2", "conditional"},
		{"other hardware", needs("cpe:2.3:h:netgear:r7000:-:*" + rest), app + " cpe:/h:netgear:r6400", ""},
		{"the hardware", needs("cpe:2.3:h:netgear:r7000:-:*" + rest), app + " cpe:/h:netgear:r7000:v1", "affected"},
		{"platform alone", needs("cpe:2.3:a:php:php:5.3.0:*" + rest), "cpe:/a:php:php:5.3.0", ""},
		{"negated platform known", record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), cve.Node{Negate: true, Matches: []cve.CPEMatch{platform(windows)}})), app + " cpe:/o:microsoft:windows", ""},
		{"negated platform contradicted", record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), cve.Node{Negate: true, Matches: []cve.CPEMatch{platform(windows)}})), app + " cpe:/o:linux:linux_kernel", "affected"},
		{"negated platform unknown", record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), cve.Node{Negate: true, Matches: []cve.CPEMatch{platform(windows)}})), app, "conditional"},
		{"negated itself", record(t, "CVE-2010-1000", cve.Node{Negate: true, Matches: []cve.CPEMatch{vulnerable(app)}}), app, ""},
		{"nested", record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), allOf(anyOf(platform(windows)), anyOf(platform("cpe:2.3:a:php:php:5.3.0:*"+rest))))), app + " cpe:/o:microsoft:windows cpe:/a:php:php:5.3.0", "affected"},
		{"nested, half known", record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), allOf(anyOf(platform(windows)), anyOf(platform("cpe:2.3:a:php:php:5.3.0:*"+rest))))), app + " cpe:/o:microsoft:windows", "conditional"},
		{"another configuration needs nothing", record(t, "CVE-2010-1000", allOf(anyOf(vulnerable(app)), anyOf(platform(windows))), anyOf(vulnerable(app))), app, "affected"},
		{"target_sw is a platform", record(t, "CVE-2010-1000", anyOf(vulnerable("cpe:2.3:a:example:app:1.0:*:*:*:*:android:*:*"))), app, "conditional"},
		{"target_sw contradicted", record(t, "CVE-2010-1000", anyOf(vulnerable("cpe:2.3:a:example:app:1.0:*:*:*:*:android:*:*"))), app + " cpe:/o:microsoft:windows", ""},
		{"target_sw of a plug-in", record(t, "CVE-2010-1000", anyOf(vulnerable("cpe:2.3:a:example:app:1.0:*:*:*:*:wordpress:*:*"))), app, "affected"},
		{"target_sw differs", record(t, "CVE-2010-1000", anyOf(vulnerable("cpe:2.3:a:example:app:1.0:*:*:*:*:wordpress:*:*"))), "cpe:2.3:a:example:app:1.0:*:*:*:*:joomla:*:*", ""},
	} {
		got := strings.Join(ask(t, catalogueOf(t, tt.record), tt.host), ",")
		want := tt.want
		if want != "" {
			want = "CVE-2010-1000 " + want
		}
		if got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

func TestConditionIsNamed(t *testing.T) {
	const windows = "cpe:2.3:o:microsoft:windows:-:*" + rest
	m := catalogueOf(t, record(t, "CVE-2010-1000", allOf(anyOf(before("cpe:2.3:a:example:app:*:*"+rest, "2.0")), anyOf(platform(windows)))))
	res, err := New(m).Host(context.Background(), []Subject{{CPE: "cpe:/a:example:app:1.5"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Match{{
		CVE: id(t, "CVE-2010-1000"), Status: Conditional, Subject: "cpe:2.3:a:example:app:1.5:*:*:*:*:*:*:*", Criteria: "cpe:2.3:a:example:app:*:*:*:*:*:*:*:*", Needs: []string{windows}, Confidence: 50,
		Reason:  "1.5 is below 2.0, the first fixed version; applies only on microsoft windows, which is not known of this host",
		FixedIn: "2.0",
	}}
	if diff := cmp.Diff(want, res.Subjects[0].Matches); diff != "" {
		t.Error(diff)
	}
}

func TestBackportLowersConfidence(t *testing.T) {
	m := catalogueOf(t, record(t, "CVE-2001-0001", anyOf(before(openssh+"*:*"+rest, "9.4"))))
	res, err := New(m).Host(context.Background(), []Subject{{CPE: "cpe:/a:openbsd:openssh:9.2p1", Backport: "Debian"}}, []string{"cpe:/o:debian:debian_linux:12"})
	if err != nil {
		t.Fatal(err)
	}
	got := res.Subjects[0].Matches[0]
	if got.Confidence != 30 || !strings.Contains(got.Reason, "Debian backports") || got.Status != Affected {
		t.Fatalf("%+v", got)
	}
}

func TestWildcardProductsAreRefused(t *testing.T) {
	for _, name := range []string{"cpe:2.3:a:openbsd:*:7.2", "cpe:2.3:a:*:openssh:7.2", "cpe:2.3:a:openbsd:open*:7.2", "cpe:2.3:a:openbsd:openssh:7.*", "cpe:2.3:a:-:openssh:1"} {
		if _, err := ParseSubject(name); err == nil || !strings.Contains(err.Error(), "wildcard") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseSubject(`cpe:2.3:a:content\*builder:content\*builder:0.7.5`); err != nil {
		t.Errorf("an escaped * is no wildcard: %v", err)
	}
}

func TestEscapesOnBothSides(t *testing.T) {
	m := catalogueOf(t, record(t, "CVE-2010-2000", anyOf(vulnerable(`cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*`+rest))))
	for _, name := range []string{`cpe:2.3:o:cisco:ios:12.2\(33\)sxi:*` + rest, "cpe:2.3:o:cisco:ios:12.2(33)SXI:*" + rest, "cpe:/o:cisco:ios:12.2%2833%29sxi", "cpe:/o:cisco:ios:12.2(33)sxi"} {
		if got := ask(t, m, name); len(got) != 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPatchEqualsBuild changes one record in many ways: patching packs must give what building anew gives.
func TestPatchEqualsBuild(t *testing.T) {
	const product = "cpe:2.3:a:example:app:"
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) *cve.Record {
		var matches []cve.CPEMatch
		for range 1 + rng.IntN(4) {
			v := string(rune('1'+rng.IntN(5))) + "." + string(rune('0'+rng.IntN(5)))
			matches = append(matches, []cve.CPEMatch{before(product+"*:*"+rest, v), vulnerable(product + v + ":*" + rest), vulnerable(product + v + ":rc1:*:*:*:windows:*:*"),
				vulnerable(product + "*:*" + rest), vulnerable(product + "-:*" + rest), vulnerable(product + "1.*:*" + rest)}[rng.IntN(6)])
		}
		node := anyOf(matches...)
		if rng.IntN(3) == 0 {
			node = allOf(node, anyOf(platform("cpe:2.3:o:linux:linux_kernel:-:*"+rest)))
		}
		return &cve.Record{ID: cve.NewID(2020, uint32(n)), Configurations: []cve.Node{node}}
	}
	p := cpe.Product{Part: 'a', Vendor: "example", Product: "app"}
	for range 100 {
		var records []*cve.Record
		for n := range 20 {
			records = append(records, random(n))
		}
		old := catalogueOf(t, records...)[p]
		changed, gone := random(7), records[3].ID
		records[7] = changed
		records = slices.Delete(records, 3, 4)
		patched, err := Patch(old, p, []*cve.Record{changed}, []cve.ID{gone})
		if err != nil {
			t.Fatal(err)
		}
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		if built := catalogueOf(t, records...)[p]; !slices.Equal(built, patched.Bytes) {
			t.Fatal("patched and built packs differ")
		}
	}
}

func FuzzDecodePack(f *testing.F) {
	m := catalogueOf(f,
		record(f, "CVE-2001-0001", anyOf(before(openssh+"*:p1"+rest, "7.4"), vulnerable(openssh+"7.*:*"+rest), vulnerable(openssh+"-:*"+rest))),
		record(f, "CVE-2001-0002", allOf(anyOf(vulnerable(openssh+"7.2:p2:*:*:*:windows:*:*")), anyOf(platform("cpe:2.3:o:microsoft:windows:-:*"+rest)))),
	)
	p := cpe.Product{Part: 'a', Vendor: "openbsd", Product: "openssh"}
	f.Add(m[p])
	f.Fuzz(func(t *testing.T, blob []byte) {
		res, err := New(memory{p: blob}).Host(context.Background(), []Subject{{CPE: "cpe:/a:openbsd:openssh:7.2p2"}}, nil)
		if err == nil && len(res.Subjects) != 1 {
			t.Fatal(res)
		}
	})
}

func TestGlobFollowsTheStandardAndEndsSoon(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"*", "", true}, {"*", "1.2", true}, {"1.*", "1.2", true}, {"1.*", "2.1", false}, {"*.2", "1.2.2", true}, {"?.2", "1.2", true},
		{"??", "1", false}, {`\**`, `\*a`, true}, {`\**`, "a", false}, {`a\?`, "ab", false}, {"a*b*c", "aXbYbZc", true}, {"a*b", "acbd", false},
		{strings.Repeat("*a", 120) + "b", strings.Repeat("a", 250), false}, // took longer than the age of the universe
	} {
		if got := glob(c.pattern, c.value); got != c.want {
			t.Errorf("%.20s against %.20s: %v", c.pattern, c.value, got)
		}
	}
}

func TestARecordCannotFillMemoryWithConditions(t *testing.T) {
	node := cve.Node{Operator: cve.And}
	for i := range 8000 {
		node.Matches = append(node.Matches, vulnerable(fmt.Sprintf("cpe:2.3:a:vendor:product_%d:1.0:*:*:*:*:*:*:*", i)))
	}
	size := 0
	err := leavesOf(record(t, "CVE-2024-0001", node), func(_ cpe.Product, l leaf) { size += len(l.residual) })
	if fault.KindOf(err) != fault.KindInvalid || size > 2*maxConditions {
		t.Errorf("%d bytes of conditions, %v", size, err)
	}
}

func TestADamagedConditionIsNone(t *testing.T) {
	for _, text := range []string{string([]byte{opNot, 0}), string([]byte{opNot, 2, opAnd, 0, opAnd, 0}), "", "x"} {
		if _, err := parseExpr(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestAProductNamedInWordsIsALessCertainMatch(t *testing.T) {
	r := &cve.Record{ID: cve.NewID(2021, 41773), Configurations: []cve.Node{{Matches: []cve.CPEMatch{
		{Vulnerable: true, Derived: true, Criteria: "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"},
		{Vulnerable: true, Derived: true, Criteria: "cpe:2.3:a:apache:http_server:*:*:*:*:*:*:*:*", StartIncluding: "2.2", EndExcluding: "2.3"},
	}}}}
	m := catalogueOf(t, r)
	for _, subject := range []string{"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*", "cpe:2.3:a:apache:http_server:2.2.15:*:*:*:*:*:*:*"} {
		answer, err := New(m).Host(t.Context(), []Subject{{CPE: subject}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := answer.Subjects[0].Matches
		if len(got) != 1 || got[0].Status != Affected || got[0].Confidence != 70 || !strings.Contains(got[0].Reason, "in words") {
			t.Errorf("%s: %+v", subject, got)
		}
	}
}
