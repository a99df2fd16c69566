package report

import (
	"io"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// maxPreamble is how many rows of titles, dates and summaries may stand before the header.
const maxPreamble = 20_000

// csv reads the rows of findings; before them stand the report's title, times and statistics, behind them sometimes more.
func (q *qualysReport) csv(t *intake.Table) error {
	columns, width, err := q.findHeader(t)
	if err != nil {
		return err
	}
	return wholeRows(q.out, "qualys", t, min(width, 5), func(row []string) error {
		get := func(names ...string) string {
			for _, name := range names {
				if i, ok := columns[name]; ok && i < len(row) && strings.TrimSpace(row[i]) != "" {
					return strings.TrimSpace(row[i])
				}
			}
			return ""
		}
		h := qualysHost{at: q.at, os: get("os", "operating system")}
		h.set(get("ip", "host ip", "asset ipv4", "ip address", "asset ipv6", "ipv6"), get("dns", "dns name", "fqdn", "hostname", "asset name"))
		v := &qualysVuln{qid: get("qid"), kind: get("type", "type detected", "category type"), title: get("title", "vulnerability title", "vuln title"),
			severity: get("q_severity", "severity", "kb severity"), status: get("vuln status", "status"), port: get("port"), protocol: get("protocol"), threat: get("threat"), impact: get("impact"),
			solution: get("solution"), result: get("results", "result"), cves: get("cve id", "cve", "cveid", "cve-description") + " " + get("cve ids"),
			vector: "", cwe: get("cwe"), url: get("url")}
		if !h.address.IsValid() && h.name == "" && v.url == "" && v.qid == "" {
			return nil // statistics behind the findings
		}
		if v.qid == "" {
			return q.note("a host without findings")
		}
		if bid := get("bugtraq id", "bugtraqid"); bid != "" && bid != "-" {
			v.bids = "BID:" + strings.Join(strings.FieldsFunc(bid, func(r rune) bool { return r == ',' || r == ' ' }), " BID:")
		}
		return q.tell(&h, v)
	})
}

// findHeader reads up to the row of columns. On its way it meets the report's time.
func (q *qualysReport) findHeader(t *intake.Table) (columns map[string]int, width int, err error) {
	for range maxPreamble {
		row, err := t.Next()
		if err == io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
			break
		}
		if err != nil {
			return nil, 0, err
		}
		columns = map[string]int{}
		for i, name := range row {
			name = strings.ToLower(strings.TrimSpace(name))
			if _, twice := columns[name]; !twice {
				columns[name] = i
			}
			if at := readTime(row[i], append(qualysTimes, time.DateTime)...); q.at.IsZero() && !at.IsZero() {
				q.at = at
			}
		}
		_, qid := columns["qid"]
		_, title := columns["title"]
		_, pci := columns["vuln title"]
		if qid && (title || pci) && len(row) > 4 {
			return columns, len(row), nil
		}
	}
	return nil, 0, fault.Invalid("not a qualys report: no row names the columns QID and Title")
}
