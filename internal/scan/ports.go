package scan

import (
	"cmp"
	"slices"
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

// webPorts is where HTTP is usual: consoles, proxies, application servers and APIs besides 80 and 443.
const webPorts = "80-90,280,300,443,591,593,631,832,981,1010,1080,1311,1880,2082-2083,2086-2087,2095-2096,2375-2376,2379,2480," +
	"3000-3002,3128,3333,4000,4040,4200,4243,4443,4567,4711-4712,4848,4993,5000-5001,5104,5108,5280-5281,5357," +
	"5555,5601,5800,5984-5986,6443,6543,7000-7002,7070,7080,7396,7443,7474,7547,7777,8000-8010,8014,8020,8042," +
	"8060,8069,8080-8096,8098,8112,8118,8123,8139-8140,8161,8172,8180-8181,8200,8222,8243,8280-8281,8333-8334," +
	"8384,8400,8404,8443-8444,8484,8500,8530-8531,8600,8649,8765,8800,8834,8880-8889,8983,9000-9003,9043,9060," +
	"9080,9090-9093,9095,9099-9100,9200,9292,9392,9443,9502,9800,9870,9981,9990,9999-10000,10080,10243,10250," +
	"10255,10443,11371,12443,15672,16080,16686,18080,18091-18092,19999-20000,20720,28017,32400,50000,50070"

// WebPorts lists the ports of the Web profile, sorted and merged.
func WebPorts() []finding.PortRange {
	ranges, _ := finding.ReadPorts(webPorts) // a constant, which a test reads
	return ranges
}
