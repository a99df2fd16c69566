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
