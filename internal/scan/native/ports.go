package native

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/finding"
)

//go:embed ports.txt
var portsText string

// frequent lists at least 1000 ports, the most frequent first. The result is shared: callers must not change it.
var frequent = sync.OnceValue(func() []uint16 {
	var ports []uint16
	var seen [65536]bool
	for line := range strings.Lines(portsText) {
		line, _, _ = strings.Cut(line, "#")
		for _, field := range strings.Fields(line) {
			from, to, isRange := strings.Cut(field, "-")
			first, _ := strconv.Atoi(from)
			last := first
			if isRange {
				last, _ = strconv.Atoi(to)
			}
			for p := first; p <= last && p < 65536; p++ {
				if !seen[p] {
					seen[p] = true
					ports = append(ports, uint16(p))
				}
			}
		}
	}
	return ports
})

// webPorts lists the ports where HTTP is usual, without the ones that also mean something else.
func webPorts() []uint16 {
	return []uint16{
		80, 443, 8080, 8443, 8000, 8888, 8008, 8081, 8081, 81, 82, 83, 84, 85, 88, 280, 300, 591, 593, 631, 832, 981, 1010,
		1080, 1311, 1880, 2082, 2083, 2086, 2087, 2095, 2096, 2375, 2376, 2379, 2480, 3000, 3001, 3002, 3128, 3333, 4000,
		4040, 4200, 4243, 4443, 4567, 4711, 4712, 4848, 4993, 5000, 5001, 5104, 5108, 5280, 5281, 5357, 5555, 5601, 5800,
		5984, 5985, 5986, 6443, 6543, 7000, 7001, 7002, 7070, 7080, 7396, 7443, 7474, 7547, 7777, 8001, 8002, 8003, 8005,
		8006, 8009, 8010, 8014, 8020, 8042, 8060, 8069, 8082, 8083, 8084, 8085, 8086, 8087, 8088, 8089, 8090, 8091, 8095,
		8096, 8098, 8112, 8118, 8123, 8139, 8140, 8161, 8172, 8180, 8181, 8200, 8222, 8243, 8280, 8281, 8333, 8334, 8384,
		8400, 8404, 8444, 8484, 8500, 8530, 8531, 8600, 8649, 8765, 8800, 8834, 8880, 8881, 8883, 8887, 8889, 8983, 9000,
		9001, 9002, 9003, 9043, 9060, 9080, 9090, 9091, 9093, 9095, 9099, 9100, 9200, 9292, 9392, 9443, 9502, 9800, 9870,
		9981, 9990, 9999, 10000, 10080, 10243, 10250, 10255, 10443, 11371, 12443, 15672, 16080, 16686, 18080, 18091, 18092,
		19999, 20000, 20720, 28017, 32400, 50000, 50070,
	}
}

// byFrequency lists the ports of ranges once each, the frequent ones first, the others in rising order.
func byFrequency(ranges []finding.PortRange) []uint16 {
	var wanted, taken [65536]bool
	n := 0
	for _, r := range ranges {
		for p := int(r.First); p <= int(r.Last); p++ {
			if p > 0 && !wanted[p] {
				wanted[p] = true
				n++
			}
		}
	}
	ports := make([]uint16, 0, n)
	for _, p := range frequent() {
		if wanted[p] {
			taken[p] = true
			ports = append(ports, p)
		}
	}
	for p := range wanted {
		if wanted[p] && !taken[p] {
			ports = append(ports, uint16(p))
		}
	}
	return ports
}

// rangesOf folds ports into the fewest inclusive ranges, rising.
func rangesOf(ports []uint16) []finding.PortRange {
	ports = slices.Clone(ports)
	slices.Sort(ports)
	var ranges []finding.PortRange
	for _, p := range slices.Compact(ports) {
		if n := len(ranges); n > 0 && ranges[n-1].Last+1 == p {
			ranges[n-1].Last = p
			continue
		}
		ranges = append(ranges, finding.PortRange{First: p, Last: p})
	}
	return ranges
}
