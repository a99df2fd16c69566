package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestSARIF(t *testing.T) { try(t, sarif{}, "testdata/sarif-*.json") }

func TestSARIFOfAFailedRunIsNotComplete(t *testing.T) {
	got, _, err := read(t, sarif{}, `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"invocations":[{"executionSuccessful":false}],
		"results":[{"ruleId":"r","level":"error","message":{"text":"m"}}]}]}`)
	if len(got) != 1 || !errors.Is(err, scan.ErrTruncated) {
		t.Error(got, err)
	}
}

func TestSARIFKeepsResultsOfOneRuleInOneFileApart(t *testing.T) {
	result := func(line int, more string) string {
		return fmt.Sprintf(`{"ruleId":"r","level":"error","message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.py"},"region":{"startLine":%d,"snippet":{"text":"%s"}}}}]}`, line, more)
	}
	checks := func(results ...string) (out []string) {
		got, _, err := read(t, sarif{}, `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[`+strings.Join(results, ",")+`]}]}`)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range got {
			out = append(out, o.Check)
		}
		return out
	}
	if c := checks(result(1, ""), result(2, "")); c[0] == c[1] {
		t.Error(c)
	}
	if c := checks(result(1, "eval(x)"), result(2, "eval(y)")); c[0] == c[1] {
		t.Error(c)
	}
	if c := checks(result(1, "eval(x)"), result(20, " eval(x)")); c[0] != c[1] {
		t.Error("moved, but another:", c)
	}
}

func TestSARIFLarge(t *testing.T) {
	large(t, sarif{}, scantest.Large{
		Head: `{"version":"2.1.0","runs":[{"results":[{"ruleId":"r0","level":"error","message":{"text":"m"}}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"ruleId":"r%d","ruleIndex":%d,"level":"error","message":{"text":"what a message says, of number %d, at some length"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/file%d.go"},"region":{"startLine":%d,"snippet":{"text":"code(%d)"}}}}],"partialFingerprints":{"primaryLocationLineHash":"39fa2ee980eb94%d:1"}}`, n%500, n%500, n, n%9000, n, n, n)
		},
		Tail: `],"tool":{"driver":{"name":"x"}}}]}`,
	}, 1, 1)
}

// Rules take a bounded part of the memory; results of those that are not kept speak for themselves.
func TestSARIFLargeRules(t *testing.T) {
	large(t, sarif{}, scantest.Large{
		Head: `{"version":"2.1.0","runs":[{"results":[{"ruleId":"r0","level":"error","message":{"text":"m"}}],"tool":{"driver":{"name":"x","rules":[{"id":"q"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"id":"r%d","shortDescription":{"text":"rule %d"},"fullDescription":{"text":"%s"},"properties":{"tags":["security","CWE-79"]}}`, n, n, strings.Repeat("x", 300))
		},
		Tail: `]}}}]}`,
	}, 0, 1)
}

func FuzzSARIF(f *testing.F) { fuzz(f, sarif{}, "testdata/sarif-*.json") }
