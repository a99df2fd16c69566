package version

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOrder lists versions from old to new; every pair is compared both ways.
func TestOrder(t *testing.T) {
	ladders := [][]string{
		{"1.0.1", "1.0.1a", "1.0.1f", "1.0.1g", "1.0.1.1", "1.0.2-beta1", "1.0.2-beta2", "1.0.2", "1.0.2a"},
		{"7.1p2", "7.2", "7.2p2", "7.2p10", "7.2.1", "7.10"},
		{"2.0dev", "2.0-alpha1", "2.0a2", "2.0b9", "2.0b10", "2.0-pre1", "2.0rc1", "2.0-rc2", "2.0rc10", "2.0", "2.0sp1", "2.0.0.1"},
		{"9.0.0.M1", "9.0.0.M9", "9.0.0.M10", "9.0.0.RC1", "9.0.0", "9.0.1"},
		{"1.9", "1.10", "1.010.1", "1.11"},
		{"20201231", "2021.01.01", "20210102", "2021-02-01"},
		{"12.2(33)sxi", "12.2(33)sxi4", "12.2(34)"},
		{"1.8.0:update_20", "1.8.0u21", "1.8.0 update 101"},
		{"99999999999999999998", "99999999999999999999", "100000000000000000000"},
	}
	for _, ladder := range ladders {
		for i, a := range ladder {
			for j, b := range ladder {
				want := min(1, max(-1, i-j))
				if got := Compare(a, b); got != want {
					t.Errorf("Compare(%q, %q) = %d, want %d", a, b, got, want)
				}
			}
		}
	}
}

func TestSameVersion(t *testing.T) {
	same := [][]string{
		{"9.6", "9.6.0", "9.6.0.0", "v9.6", "V9.6", "09.06", " 9.6 ", "v.9.6"},
		{"2.3", "1:2.3", "2.3-log", "2.3+dfsg", "2.3~dfsg", "2.3-debian", "2.3-1ubuntu4.7", "2.3-1.el7", "2.3-0ubuntu0.22.04.1"},
		{"5.7.20", "5.7.20-log", "5.7.20-0ubuntu0.16.04.1-log"},
		{"7.2p2", "7.2-P2", "7.2 patch 2", "7.2:p2", "7.2p02"},
		{"2012:sp1", "2012 service_pack_1", "2012-SP1"},
		{"4.2.0.GA", "4.2", "4.2.0.Final"},
		{"20210101", "2021.01.01", "2021-1-1"},
		{"1.0rc1", "1.0.0-RC1", "1.0~rc1", "1.0.rc.1"},
		{"1.1.1k", "1.1.1k-fips"},
	}
	for _, group := range same {
		for _, v := range group[1:] {
			if Compare(group[0], v) != 0 {
				t.Errorf("%q and %q should be the same version", group[0], v)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string][2]string{
		"7.2p2": {"7.2", "p2"}, "9.11.0-P1": {"9.11.0", "p1"}, "1.3.5rc3": {"1.3.5", "rc3"}, "1.0.2-beta1": {"1.0.2", "beta1"},
		"1.0.1f": {"1.0.1f", ""}, "9.6.0": {"9.6.0", ""}, "2.4.52-1ubuntu4.7": {"2.4.52", ""}, "1.0b2": {"1.0", "b2"},
		"9.0.0.M1": {"9.0.0", "m1"}, "4.2.8p15": {"4.2.8", "p15"}, "12.2(33)sxi4": {"12.2(33)sxi4", ""}, "2.0-beta": {"2.0", "beta"},
		"b.11.11": {"b.11.11", ""}, "": {"", ""}, "p": {"p", ""}, "9.2p1 Debian-2+deb12u3": {"9.2", "p1"}, "10.2 update 3": {"10.2", "update 3"},
	} {
		base, update := Split(in)
		if [2]string{base, update} != want {
			t.Errorf("Split(%q) = %q, %q, want %q", in, base, update, want)
		}
	}
}

func TestJoinKeyEqualsTheGluedSpelling(t *testing.T) {
	for _, v := range [][3]string{
		{"7.2", "p2", "7.2p2"}, {"1.3.5", "rc3", "1.3.5rc3"}, {"9.11.0", "P1", "9.11.0-P1"}, {"1.0.2", "beta1", "1.0.2-beta1"},
		{"1.7.0", "update_21", "1.7.0 update21"}, {"9.0.0", "milestone1", "9.0.0.M1"}, {"7.2", "", "7.2"},
	} {
		if !bytes.Equal(JoinKey(v[0], v[1]), Key(v[2])) {
			t.Errorf("JoinKey(%q, %q) is not Key(%q)", v[0], v[1], v[2])
		}
	}
	if after := bytes.Compare(JoinKey("3.5", "153731"), Key("3.5.1")); after >= 0 {
		t.Error("a numeric update must stay below the next version")
	}
}

// TestOrderIsTotal sorts a shuffled mix twice: a comparison that is not transitive would disagree with itself.
func TestOrderIsTotal(t *testing.T) {
	words := []string{"1", "1.0", "1.0.1", "1.0a", "1.0rc1", "1.0p1", "a", "b9", "b10", "", "-", "1-", "2021.01.01", "20210101", "x46-d10", "1.0.0.0.1", "1..2"}
	byKey := func(a, b string) int { return bytes.Compare(Key(a), Key(b)) }
	first := slices.SortedFunc(slices.Values(words), byKey)
	for range 50 {
		rand.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		again := slices.SortedFunc(slices.Values(words), byKey)
		for i := range first {
			if byKey(first[i], again[i]) != 0 {
				t.Fatalf("order differs at %d: %q and %q", i, first[i], again[i])
			}
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{"7.2p2", "1:2.3-4ubuntu5", "20210101", "v1", "1.0.0rc1", "\xff\xfe", "0000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := Key(s)
		if len(k) > 4*maxText+8 || k[len(k)-1] != classEnd {
			t.Fatalf("key of %q is %x", s, k)
		}
		base, update := Split(s)
		if update == "" && base != clean(s) {
			t.Fatalf("Split(%q) changes the version to %q", s, base)
		}
	})
}
