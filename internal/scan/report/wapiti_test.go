package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestWapiti(t *testing.T) { try(t, wapiti{}, "testdata/wapiti-*"+raw) }
func FuzzWapiti(f *testing.F) { fuzz(f, wapiti{}, "testdata/wapiti-*"+raw) }

func TestWapitiLarge(t *testing.T) {
	large(t, wapiti{}, scantest.Large{
		Head: `{"classifications":{},"vulnerabilities":{"SQL Injection":[{"path":"/","info":"x","level":3}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"method":"GET","path":"/item/%d","info":"SQL Injection via injection in the parameter id","level":3,"parameter":"id","referer":"","module":"sql","http_request":"GET /item/%d HTTP/1.1 and what follows it in a request","curl_command":"curl"}`, n, n)
		},
		Tail: `]},"anomalies":{},"infos":{"target":"http://192.0.2.1/","date":"Tue, 09 Aug 2022 12:00:00 +0000"}}`,
	}, 1, 1)
}
