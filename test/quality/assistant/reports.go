package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// The reports that tell of the estate, each as its tool writes it.

// nmapReport is what a round of scanning saw of a site.
func nmapReport(site string, round int, at time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner=\"nmap\" args=\"nmap -sV -O -oX %s.xml\" start=\"%d\" version=\"7.95\" xmloutputversion=\"1.05\">\n", site, at.Unix())
	fmt.Fprintln(&b, `<scaninfo type="connect" protocol="tcp" numservices="65535" services="1-65535"/>`)
	up := 0
	for i, m := range machines {
		if m.site == site && m.since <= round {
			m.write(&b, round, at.Add(time.Duration(i)*time.Second))
			up++
		}
	}
	down := 0
	if site == "servers" {
		fmt.Fprintf(&b, "<host><status state=\"down\" reason=\"no-response\" reason_ttl=\"0\"/><address addr=\"%s\" addrtype=\"ipv4\"/></host>\n", silentHost)
		down = 1
	}
	fmt.Fprintf(&b, "<runstats><finished time=\"%d\" elapsed=\"600\" summary=\"done\" exit=\"success\"/><hosts up=\"%d\" down=\"%d\" total=\"%d\"/></runstats>\n</nmaprun>\n", at.Add(10*time.Minute).Unix(), up, down, up+down)
	return b.Bytes()
}

func (m machine) write(b *bytes.Buffer, round int, at time.Time) {
	fmt.Fprintf(b, "<host starttime=\"%d\" endtime=\"%d\"><status state=\"up\" reason=\"syn-ack\" reason_ttl=\"0\"/><address addr=\"%s\" addrtype=\"ipv4\"/>", at.Unix(), at.Add(time.Minute).Unix(), m.address)
	fmt.Fprintf(b, "<hostnames><hostname name=\"%s\" type=\"PTR\"/></hostnames><ports>", m.name)
	for _, a := range m.answers {
		a.write(b, a.versions[round])
	}
	fmt.Fprintf(b, "</ports><os><osmatch name=\"%s\" accuracy=\"100\" line=\"1\"><osclass type=\"general purpose\" vendor=\"%s\" osfamily=\"%s\" accuracy=\"100\">", m.system, vendorOf(m.system), vendorOf(m.system))
	if cpe := systemCPE[m.system]; cpe != "" {
		fmt.Fprintf(b, "<cpe>%s</cpe>", cpe)
	}
	fmt.Fprintln(b, "</osclass></osmatch></os></host>")
}

func (a answering) write(b *bytes.Buffer, version string) {
	if version == "" {
		fmt.Fprintf(b, "<port protocol=\"tcp\" portid=\"%d\"><state state=\"closed\" reason=\"conn-refused\" reason_ttl=\"0\"/><service name=\"%s\" method=\"table\" conf=\"3\"/></port>", a.port, a.service)
		return
	}
	fmt.Fprintf(b, "<port protocol=\"tcp\" portid=\"%d\"><state state=\"open\" reason=\"syn-ack\" reason_ttl=\"0\"/><service name=\"%s\"", a.port, a.service)
	if a.product != "" {
		fmt.Fprintf(b, " product=\"%s\"", html.EscapeString(a.product))
	}
	cpe := ""
	if version != "?" {
		fmt.Fprintf(b, " version=\"%s\"", version)
		cpe = "cpe:/" + a.cpe + ":" + version
	}
	fmt.Fprint(b, " method=\"probed\" conf=\"10\">")
	if cpe != "" {
		fmt.Fprintf(b, "<cpe>%s</cpe>", cpe)
	}
	fmt.Fprint(b, "</service></port>")
}

// nessusReport is the classic table.
func nessusReport(at time.Time) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"Plugin ID", "CVE", "CVSS", "Risk", "Host", "Protocol", "Port", "Name", "Synopsis", "Description", "Solution", "See Also", "Plugin Output", "CVSS v3.0 Vector", "Host End"})
	for _, c := range nessusClaims {
		cves := c.cves
		if len(cves) == 0 {
			cves = []string{""}
		}
		for _, id := range cves { // a row for each, as Nessus does
			_ = w.Write([]string{c.key, id, "", strings.ToUpper(c.level[:1]) + c.level[1:], c.address, "tcp", strconv.Itoa(c.port), c.title, c.title + ".",
				"", c.remedy, "", c.output, c.vector, at.UTC().Format("Jan 2, 2006 15:04:05 UTC")})
		}
	}
	w.Flush()
	return b.Bytes()
}

var threat = map[string]string{"critical": "High", "high": "High", "medium": "Medium", "low": "Low", "info": "Log"}
var severity = map[string]string{"critical": "9.8", "high": "8.1", "medium": "4.8", "low": "2.6", "info": "0.0"}

// openvasReport is a report in GMP's XML.
func openvasReport(at time.Time) []byte {
	when := at.UTC().Format(time.RFC3339)
	end := at.Add(20 * time.Minute).UTC().Format(time.RFC3339)
	var b bytes.Buffer
	fmt.Fprintf(&b, "<report id=\"6d2a51d3-8e7c-4c8a-9f65-2a5f0c1f7b02\" format_id=\"a994b278-1f62-11e1-96ac-406186ea4fc5\"><name>%s</name><creation_time>%s</creation_time>", when, when)
	fmt.Fprintf(&b, "<report id=\"6d2a51d3-8e7c-4c8a-9f65-2a5f0c1f7b02\"><gmp><version>22.7</version></gmp><scan_run_status>Done</scan_run_status><task id=\"0f1f0c35-6a07-4b3a-9be5-7f0e6b3f6a12\"><name>branch</name></task><scan_start>%s</scan_start>\n<results start=\"1\" max=\"-1\">\n", when)
	for i, c := range openvasClaims {
		fmt.Fprintf(&b, "<result id=\"11111111-0000-4000-8000-0000000001%02d\"><name>%s</name><creation_time>%s</creation_time><host>%s</host><port>%d/tcp</port>", i, html.EscapeString(c.title), when, c.address, c.port)
		fmt.Fprintf(&b, "<nvt oid=\"%s\"><type>nvt</type><name>%s</name><family>Windows</family><cvss_base>%s</cvss_base><severities score=\"%s\"><severity type=\"cvss_base_v3\"><score>%s</score><value>%s</value></severity></severities><solution type=\"VendorFix\">%s</solution><refs>",
			c.key, html.EscapeString(c.title), severity[c.level], severity[c.level], severity[c.level], c.vector, html.EscapeString(c.remedy))
		for _, id := range c.cves {
			fmt.Fprintf(&b, "<ref type=\"cve\" id=\"%s\"/>", id)
		}
		fmt.Fprintf(&b, "</refs></nvt><threat>%s</threat><severity>%s</severity><qod><value>95</value><type>remote_active</type></qod><description>%s</description></result>\n", threat[c.level], severity[c.level], html.EscapeString(c.title))
	}
	fmt.Fprint(&b, "</results>\n")
	for _, m := range machines {
		if m.site == "branch" {
			fmt.Fprintf(&b, "<host><ip>%s</ip><asset asset_id=\"\"/><start>%s</start><end>%s</end></host>\n", m.address, when, end)
		}
	}
	fmt.Fprintf(&b, "<scan_end>%s</scan_end></report></report>\n", end)
	return b.Bytes()
}

// nucleiReport is JSON lines.
func nucleiReport(at time.Time) []byte {
	var b bytes.Buffer
	encode := json.NewEncoder(&b)
	for i, c := range nucleiClaims {
		scheme := "https"
		if c.port == 80 || c.port == 8080 {
			scheme = "http"
		}
		base := scheme + "://" + c.address + ":" + strconv.Itoa(c.port)
		classification := map[string]any{"cvss-metrics": c.vector}
		if len(c.cves) > 0 {
			classification["cve-id"] = c.cves
		}
		_ = encode.Encode(map[string]any{
			"template-id": c.key, "type": "http", "host": c.address, "port": strconv.Itoa(c.port), "ip": c.address, "matched-at": base + c.path,
			"timestamp": at.Add(time.Duration(i) * time.Second).UTC().Format(time.RFC3339), "matcher-status": true, "extracted-results": []string{c.output},
			"info": map[string]any{"name": c.title, "severity": c.level, "classification": classification, "remediation": c.remedy},
		})
	}
	return b.Bytes()
}

// niktoReport is Nikto's JSON.
func niktoReport(at time.Time) []byte {
	type item struct {
		ID     string `json:"id"`
		Method string `json:"method"`
		Msg    string `json:"msg"`
		Refs   string `json:"references"`
		URL    string `json:"url"`
	}
	const layout = "2006-01-02 15:04:05 +0000"
	host := map[string]any{"host": "blog.example.org", "ip": "203.0.113.13", "port": 80, "server_banner": "Apache/2.4.29",
		"start_time": at.UTC().Format(layout), "end_time": at.Add(time.Minute).UTC().Format(layout)}
	var items []item
	for _, c := range niktoClaims {
		items = append(items, item{c.key, "GET", c.title, "", c.path})
	}
	host["vulnerabilities"] = items
	out, _ := json.MarshalIndent([]any{host}, "", "  ")
	return out
}

// billReport is the CycloneDX document of app2's application.
func billReport(at time.Time) []byte {
	var components []map[string]any
	for _, p := range billOfMaterials {
		purl := p[0]
		components = append(components, map[string]any{"type": "library", "bom-ref": purl, "name": p[1], "version": purl[strings.LastIndexByte(purl, '@')+1:], "purl": purl})
	}
	out, _ := json.MarshalIndent(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b80",
		"metadata":   map[string]any{"timestamp": at.UTC().Format(time.RFC3339)},
		"components": components,
		"vulnerabilities": []map[string]any{
			{"id": "CVE-2021-44228", "ratings": []map[string]any{{"score": 10, "severity": "critical", "method": "CVSSv31", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}},
				"recommendation": "Upgrade log4j-core to version 2.17.1", "affects": []map[string]any{{"ref": billOfMaterials[0][0]}}},
			{"id": "CVE-2022-22965", "ratings": []map[string]any{{"score": 9.8, "severity": "critical", "method": "CVSSv31", "vector": remote}},
				"recommendation": "Upgrade spring-beans to version 5.3.18", "affects": []map[string]any{{"ref": billOfMaterials[1][0]}}},
		},
	}, "", "  ")
	return out
}
