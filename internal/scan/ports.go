package scan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// ParsePorts reads TCP ports as nmap's users write them: "22,80,8000-8100", "-1024", "60000-", "-" for all. The result
// is sorted and merged; "" gives none, which means the profile's own. Errors are fault.Invalid and name the part.
func ParsePorts(text string) ([]finding.PortRange, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > 8192 {
		return nil, fault.Invalid("ports: the list is longer than 8192 bytes")
	}
	var ranges []finding.PortRange
	for part := range strings.SplitSeq(text, ",") {
		r, err := parsePortRange(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, r)
	}
	return MergePorts(ranges), nil
}

func parsePortRange(part string) (finding.PortRange, error) {
	part = strings.TrimPrefix(part, "T:")
	if len(part) >= 2 && part[1] == ':' {
		return finding.PortRange{}, fault.Invalid("ports %s: only TCP ports can be chosen, without a letter before them", quote(part))
	}
	first, last, isRange := strings.Cut(part, "-")
	if !isRange {
		last = first
	}
	a, okA := portOr(first, 1, isRange)
	b, okB := portOr(last, 65535, isRange)
	switch {
	case !okA || !okB:
		return finding.PortRange{}, fault.Invalid("ports %s: want a number from 1 to 65535 or a range such as 8000-8100", quote(part))
	case b < a:
		return finding.PortRange{}, fault.Invalid("ports %s: the range ends before it begins", quote(part))
	}
	return finding.PortRange{First: a, Last: b}, nil
}

// portOr reads a port, or takes the open end of a range.
func portOr(s string, open uint16, isRange bool) (uint16, bool) {
	if s == "" && isRange {
		return open, true
	}
	n, reason := parsePort(s)
	return n, reason == ""
}

// MergePorts sorts ranges and joins those that overlap or touch. It leaves its argument alone.
func MergePorts(ranges []finding.PortRange) []finding.PortRange {
	sorted := slices.SortedFunc(slices.Values(ranges), func(a, b finding.PortRange) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	var out []finding.PortRange
	for _, r := range sorted {
		if n := len(out); n > 0 && uint32(r.First) <= uint32(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// SubtractPorts gives what of ranges is not in without, sorted and merged.
func SubtractPorts(ranges, without []finding.PortRange) []finding.PortRange {
	without = MergePorts(without)
	var out []finding.PortRange
	for _, r := range MergePorts(ranges) {
		first, last := uint32(r.First), uint32(r.Last)
		for _, w := range without {
			if uint32(w.Last) < first || uint32(w.First) > last {
				continue
			}
			if uint32(w.First) > first {
				out = append(out, finding.PortRange{First: uint16(first), Last: w.First - 1})
			}
			first = uint32(w.Last) + 1
		}
		if first <= last {
			out = append(out, finding.PortRange{First: uint16(first), Last: uint16(last)})
		}
	}
	return out
}

// FormatPorts prints ranges as ParsePorts reads them.
func FormatPorts(ranges []finding.PortRange) string {
	var b strings.Builder
	for i, r := range ranges {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(r.First)))
		if r.Last != r.First {
			b.WriteString("-" + strconv.Itoa(int(r.Last)))
		}
	}
	return b.String()
}
