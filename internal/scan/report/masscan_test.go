package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestMasscan(t *testing.T) { try(t, masscan{}, "testdata/masscan-*"+raw) }
func FuzzMasscan(f *testing.F) { fuzz(f, masscan{}, "testdata/masscan-*"+raw) }

func TestMasscanLarge(t *testing.T) {
	large(t, masscan{}, scantest.Large{
		Head: "[\n",
		Item: func(n int) string {
			return fmt.Sprintf("{   \"ip\": \"10.%d.%d.%d\",   \"timestamp\": \"1700000003\", \"ports\": [ {\"port\": 80, \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] },\n", n>>16&255, n>>8&255, n&255)
		},
		Tail: "{finished: 1}\n]\n",
	}, 1, 0)
}

func TestMasscanLargeXML(t *testing.T) {
	large(t, masscan{}, scantest.Large{
		Head: `<nmaprun scanner="masscan">`,
		Item: func(n int) string {
			return fmt.Sprintf("<host endtime=\"1700000003\"><address addr=\"10.%d.%d.%d\" addrtype=\"ipv4\"/><ports><port protocol=\"tcp\" portid=\"22\"><state state=\"open\" reason=\"syn-ack\" reason_ttl=\"64\"/></port></ports></host>\n", n>>16&255, n>>8&255, n&255)
		},
		Tail: `</nmaprun>`,
	}, 1, 0)
}
