package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestTrivy(t *testing.T) { try(t, trivy{}, "testdata/trivy-*.json") }

func TestTrivyNeverKeepsASecret(t *testing.T) {
	got, _, err := read(t, trivy{}, `{"SchemaVersion":2,"ArtifactName":"a:1","Results":[{"Target":"x.env","Secrets":[
		{"RuleID":"aws-access-key-id","Title":"AWS","Severity":"HIGH","StartLine":1,"Match":"AKIAIOSFODNN7EXAMPLE","Code":{"Lines":[{"Content":"AKIAIOSFODNN7EXAMPLE"}]}}]}]}`)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if s := fmt.Sprint(got[0]); strings.Contains(s, "AKIA") {
		t.Error(s)
	}
}

func TestTrivyLarge(t *testing.T) {
	large(t, trivy{}, scantest.Large{
		Head: `{"SchemaVersion":2,"ArtifactName":"web:1","ArtifactType":"container_image","Results":[{"Target":"web:1 (debian 12)","Vulnerabilities":[{"VulnerabilityID":"CVE-2020-1000","PkgName":"a"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"VulnerabilityID":"CVE-2021-%d","PkgName":"p%d","InstalledVersion":"1.%d","Severity":"HIGH","Title":"one of many","Description":"what a description says, at some length, with \"quotes\" and more of it",`+
				`"CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},"References":["https://a.example/%d","https://b.example/%d"]}`, 1000+n%90000, n, n, n, n)
		},
		Tail: `]}]}`,
	}, 1, 1)
}

func FuzzTrivy(f *testing.F) { fuzz(f, trivy{}, "testdata/trivy-*.json") }
