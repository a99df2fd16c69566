package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"time"
)

// recordID finds the CVE ids of NVD's records.
var recordID = regexp.MustCompile(`"id"\s*:\s*"(CVE-20(?:1[5-9]|2\d)-\d{4,7})"`)

const (
	importSeed    = 7
	nessusPlugins = 3000
)

// importDay is when the first of the made reports ended.
var importDay = time.Date(2025, 11, 2, 10, 0, 0, 0, time.UTC)

// nessusPlugin is a check of the made-up scanner. What it finds on a port is a finding for each of its CVEs, or one.
type nessusPlugin struct {
	id          int
	name        string
	severity    int
	cves        []string
	description string
	solution    string
}

func (p *nessusPlugin) finds() int { return max(1, len(p.cves)) }

// nessusItem is what a plugin says of a port.
type nessusItem struct {
	plugin *nessusPlugin
	port   int
}

// nessusEstate is what a made-up scanner sees week by week, the same for the same seed.
type nessusEstate struct {
	rng     *rand.Rand
	plugins []*nessusPlugin
	hosts   []map[nessusItem]bool
	order   [][]nessusItem // of hosts, as they are written
	padding string         // of every output
	week    int
}

// expected is what a ledger must say of a report.
type expected struct {
	records, expanded, findings, informational int
}

// newNessusEstate makes an estate with exactly so many findings. No CVE belongs to two plugins, so that two items are
// never the same finding.
func newNessusEstate(ctx context.Context, feeds string, hosts, findings int) (*nessusEstate, error) {
	ids, err := mentioned(ctx, feeds, recordID)
	if err != nil {
		return nil, err
	}
	e := &nessusEstate{rng: rand.New(rand.NewPCG(importSeed, 0)), hosts: make([]map[nessusItem]bool, hosts), order: make([][]nessusItem, hosts)}
	e.rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	if err := e.makePlugins(ids); err != nil {
		return nil, err
	}
	for host := range hosts {
		e.hosts[host] = map[nessusItem]bool{}
		e.add(host, findings*(host+1)/hosts-findings*host/hosts)
	}
	return e, nil
}

func (e *nessusEstate) makePlugins(ids []string) error {
	for i := range nessusPlugins {
		n := [...]int{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5, 8, 12}[e.rng.IntN(14)]
		if i%100 == 99 {
			n = 30 // an update of a kernel
		}
		if n > len(ids) {
			return fmt.Errorf("the feed files name too few CVEs")
		}
		e.plugins = append(e.plugins, &nessusPlugin{
			id: 20_000 + 7*i, name: fmt.Sprintf("Product %d < 1.%d Multiple Vulnerabilities", i, i%40), severity: 1 + e.rng.IntN(4),
			cves: ids[:n], description: e.text(1500), solution: fmt.Sprintf("Upgrade to version 1.%d or later.", i%40),
		})
		ids = ids[n:]
	}
	return nil
}

var filler = strings.Fields(`the remote host is affected by a flaw in the handling of crafted requests that allows an unauthenticated
	attacker to execute code read memory or cause a denial of service when the module parses input of unexpected length or type`)

func (e *nessusEstate) text(size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(filler[e.rng.IntN(len(filler))])
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

// add puts items on a host that are exactly so many findings which it did not have.
func (e *nessusEstate) add(host, findings int) {
	for findings > 0 {
		it := nessusItem{e.plugins[e.rng.IntN(len(e.plugins))], importPorts[e.rng.IntN(len(importPorts))]}
		if it.plugin.finds() > findings || e.hosts[host][it] {
			continue
		}
		e.hosts[host][it] = true
		e.order[host] = append(e.order[host], it)
		findings -= it.plugin.finds()
	}
}

var importPorts = []int{0, 0, 0, 22, 80, 443, 445, 8080}

// nextWeek fixes a share of the findings and finds as many others.
func (e *nessusEstate) nextWeek(share float64) (changed int) {
	e.week++
	for host := range e.order {
		gone, kept := 0, e.order[host][:0]
		for _, it := range e.order[host] {
			if e.rng.Float64() < share {
				gone += it.plugin.finds()
				continue
			}
			kept = append(kept, it)
		}
		e.order[host] = kept
		e.add(host, gone) // while what has gone cannot be drawn again
		for it := range e.hosts[host] {
			delete(e.hosts[host], it)
		}
		for _, it := range e.order[host] {
			e.hosts[host][it] = true
		}
		changed += gone
	}
	return changed
}

// write writes this week's report and says what its ledger must be.
func (e *nessusEstate) write(path string) (want expected, err error) {
	file, err := os.Create(path)
	if err != nil {
		return want, err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	fmt.Fprint(out, `<?xml version="1.0" ?>
<NessusClientData_v2>
<Policy><policyName>Weekly</policyName><Preferences><ServerPreferences><preference><name>port_range</name><value>default</value></preference></ServerPreferences></Preferences></Policy>
<Report name="weekly" xmlns:cm="http://www.nessus.org/cm">
`)
	for host := range e.order {
		e.writeHost(out, host, &want)
	}
	fmt.Fprint(out, "</Report>\n</NessusClientData_v2>\n")
	if err := out.Flush(); err != nil {
		return want, err
	}
	return want, file.Close()
}

func (e *nessusEstate) writeHost(out io.Writer, host int, want *expected) {
	end := importDay.AddDate(0, 0, 7*e.week).Add(time.Duration(host) * time.Second)
	address := fmt.Sprintf("10.%d.%d.%d", host>>16, host>>8&255, host&255)
	fmt.Fprintf(out, `<ReportHost name="%s"><HostProperties><tag name="Credentialed_Scan">true</tag><tag name="HOST_END_TIMESTAMP">%d</tag>`+
		`<tag name="host-ip">%[1]s</tag><tag name="host-fqdn">h%[3]d.example.com</tag><tag name="operating-system">Linux Kernel 5.15</tag>`+
		`<tag name="HOST_START_TIMESTAMP">%[4]d</tag></HostProperties>`+"\n", address, end.Unix(), host, end.Add(-time.Hour).Unix())
	informational := []nessusItem{{&nessusPlugin{id: 19506, name: "Nessus Scan Information"}, 0}}
	for _, port := range []int{22, 80, 443, 445, 8080} {
		informational = append(informational, nessusItem{&nessusPlugin{id: 11219, name: "Nessus SYN scanner"}, port})
	}
	for i := range 20 {
		informational = append(informational, nessusItem{&nessusPlugin{id: 90_000 + i, name: fmt.Sprintf("Something Detection %d", i)}, importPorts[i%len(importPorts)]})
	}
	for _, it := range informational {
		it.plugin.description, it.plugin.solution = e.plugins[it.plugin.id%nessusPlugins].description, "n/a"
		e.writeItem(out, host, it)
	}
	want.records += len(informational) + len(e.order[host])
	want.informational += len(informational)
	for _, it := range e.order[host] {
		e.writeItem(out, host, it)
		want.findings += it.plugin.finds()
		want.expanded += it.plugin.finds() - 1
	}
	fmt.Fprint(out, "</ReportHost>\n")
}

func (e *nessusEstate) writeItem(out io.Writer, host int, it nessusItem) {
	p := it.plugin
	service := map[int]string{0: "general", 22: "ssh", 80: "www", 443: "www", 445: "cifs", 8080: "www"}[it.port]
	fmt.Fprintf(out, `<ReportItem port="%d" svc_name="%s" protocol="tcp" severity="%d" pluginID="%d" pluginName="%s" pluginFamily="Misc.">`+"\n",
		it.port, service, p.severity, p.id, strings.ReplaceAll(p.name, "<", "&lt;"))
	for _, id := range p.cves {
		fmt.Fprintf(out, "<cve>%s</cve>\n", id)
	}
	if p.severity > 0 {
		fmt.Fprint(out, "<cvss3_base_score>7.5</cvss3_base_score>\n<cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H</cvss3_vector>\n"+
			"<cvss_base_score>5.0</cvss_base_score>\n<cvss_vector>CVSS2#AV:N/AC:L/Au:N/C:N/I:N/A:P</cvss_vector>\n<cwe>400</cwe>\n<xref>IAVA:2025-A-0001</xref>\n")
	}
	fmt.Fprintf(out, `<description>%s</description>
<fname>made_%d.nasl</fname>
<plugin_modification_date>2024/01/01</plugin_modification_date>
<plugin_publication_date>2023/01/01</plugin_publication_date>
<plugin_type>remote</plugin_type>
<risk_factor>%s</risk_factor>
<script_version>1.2</script_version>
<see_also>https://example.com/advisories/%[2]d
https://example.com/notes/%[2]d</see_also>
<solution>%[4]s</solution>
<synopsis>The remote host is affected.</synopsis>
<plugin_output>
  Path              : /opt/product%[2]d/h%[5]d
  Installed version : 1.%[6]d
%[7]s</plugin_output>
</ReportItem>
`, p.description, p.id, [...]string{"None", "Low", "Medium", "High", "Critical"}[p.severity], p.solution, host, p.id%40, e.padding)
}
