package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestGenericJSON(t *testing.T) { try(t, generic{}, "testdata/generic-*.json") }
func TestGenericCSV(t *testing.T)  { try(t, generic{}, "testdata/generic-*.csv") }

func TestGenericDetectIsSure(t *testing.T) {
	for head, want := range map[string]bool{
		"title,severity,host\n":                                              true,
		"Host\tCVE\tTitle\n":                                                 true,
		"Check;Severity;Component\n":                                         true,
		"name,age,city\n":                                                    false,
		"title,author,year\n":                                                false,
		"name,address,owner,criticality\n":                                   false,
		"name,address,criticality,cve\n":                                     true,
		"QID,Title,Severity,IP,CVE ID\n":                                     false,
		"Plugin ID,CVE,CVSS,Risk,Host,Protocol,Port,Name\n":                  false,
		"IP,Hostname,Port,Port Protocol,CVSS,Severity,NVT Name\n":            false,
		`"id","fqdn/ip","port","severity","finding","cve","cwe"`:             false,
		`{"findings":[{"title":"a","severity":"low"}]}`:                      true,
		`[{"title":"a","severity":"low","host":"h"}]`:                        true,
		`[{"title":"a","severity":"low"}]`:                                   false,
		`[{"id":"a","ip":"h/1.2.3.4","severity":"LOW","finding":""}]`:        false,
		`{"format":"patchscout-findings"}`:                                   true,
		`{"scan":{},"hosts":[],"findings":[{"title":"a","severity":"low"}]}`: false,
		`{"findings":[{"name":"x"}]}`:                                        false,
	} {
		if got := (generic{}).Detect([]byte(head)); got != want {
			t.Errorf("%s: %v", head, got)
		}
	}
}

func TestGenericLargeJSON(t *testing.T) {
	large(t, generic{}, scantest.Large{
		Head: `{"findings":[{"title":"a","severity":"high"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"address":"10.%d.%d.7","port":443,"id":"check-%d","title":"One of many","severity":"high","description":"what a description says, at some length","cve":"CVE-2021-%d"}`, n%200, n/200%200, n%100, 1000+n%9000)
		},
		Tail: `]}`,
	}, 1, 1)
}

func TestGenericLargeCSV(t *testing.T) {
	large(t, generic{}, scantest.Large{
		Head: "address,port,id,title,severity,description,cve\n",
		Item: func(n int) string {
			return fmt.Sprintf("10.%d.%d.7,443,check-%d,One of many,high,\"what a description says,\nat some length\",CVE-2021-%d\n", n%200, n/200%200, n%100, 1000+n%9000)
		},
	}, 1, 0)
}

func FuzzGeneric(f *testing.F) { fuzz(f, generic{}, "testdata/generic-*.*") }
