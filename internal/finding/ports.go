package finding

import (
	"fmt"
	"strconv"
	"strings"
)

// PortRange is inclusive.
type PortRange struct{ First, Last uint16 }

// Contains says whether port lies in one of the ranges.
func Contains(ranges []PortRange, port uint16) bool {
	for _, r := range ranges {
		if r.First <= port && port <= r.Last {
			return true
		}
	}
	return false
}

// PrintPorts writes ranges as reports and the store keep them: "22,80-90", in the order given.
func PrintPorts(ranges []PortRange) string {
	var out []byte
	for i, r := range ranges {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendUint(out, uint64(r.First), 10)
		if r.Last != r.First {
			out = append(out, '-')
			out = strconv.AppendUint(out, uint64(r.Last), 10)
		}
	}
	return string(out)
}

// ReadPorts reads what PrintPorts writes, at any length; "" is none. What people type is scan.ParsePorts's to read.
func ReadPorts(text string) ([]PortRange, error) {
	var ranges []PortRange
	for text != "" {
		var field string
		field, text, _ = strings.Cut(text, ",")
		first, last, isRange := strings.Cut(field, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		if errA != nil || errB != nil || a == 0 || b < a {
			return nil, fmt.Errorf("port range %.32q", field)
		}
		ranges = append(ranges, PortRange{First: uint16(a), Last: uint16(b)})
	}
	return ranges, nil
}
