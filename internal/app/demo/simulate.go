package demo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"
)

// Report is what a scanner that is not here would have written about the demo's servers: its format and the ids of its
// checks are the real ones, and everything in it that people read says that it is simulated.
type Report struct {
	Tool string // openvas, nessus
	Name string // for people, in place of a file's name
	Text []byte
}

// Simulators are the scanners that Simulate stands in for.
func Simulators() []string { return []string{"openvas", "nessus"} }

// Simulate writes the report of a scanner that looked at the servers at a time; false for a name that is none of
// Simulators.
func Simulate(tool string, servers []Server, at time.Time) (Report, bool) {
	page, name := openvasPage, "simulated OpenVAS report"
	switch tool {
	case "openvas":
	case "nessus":
		page, name = nessusPage, "simulated Nessus report"
	default:
		return Report{}, false
	}
	var text bytes.Buffer
	err := page.Execute(&text, simulation{At: at.UTC(), Host: servers[0].Addr.Addr().String(), Servers: servers, Hits: hits(tool, servers)})
	return Report{Tool: tool, Name: name, Text: text.Bytes()}, err == nil
}

// simulation is what the pages are filled with.
type simulation struct {
	At      time.Time
	Host    string
	Servers []Server
	Hits    []hit
}

// hit is one result about one server.
type hit struct {
	check
	Port uint16
}

// check is one test of a scanner, with its own id and name.
type check struct {
	Tool     string
	ID       string
	Name     string
	Family   string
	Servers  []string // names of personas
	CVE      string
	Score    float64
	Severity int // Nessus's, 0..4
	Vector   string
	QoD      int // OpenVAS's
	QoDType  string
	Says     string
	Remedy   string
}

// checks are what OpenVAS and Nessus look for that is true of the personas: versions with a known weakness, and logins
// that cross the network as they are.
var checks = []check{
	{Tool: "openvas", ID: "1.3.6.1.4.1.25623.1.0.103185", Name: "vsftpd Compromised Source Packages Backdoor Vulnerability", Family: "Gain a shell remotely",
		Servers: []string{"vsftpd 2.3.4"}, CVE: "CVE-2011-2523", Score: 9.8, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", QoD: 80,
		QoDType: "remote_banner", Says: "The server says that it is vsftpd 2.3.4, of which a copy with a backdoor was published.",
		Remedy: "Install a package whose signature was checked."},
	{Tool: "openvas", ID: "1.3.6.1.4.1.25623.1.0.105254", Name: "ProFTPD 'mod_copy' Unauthenticated Copying Of Files Via SITE CPFR/CPTO Vulnerability",
		Family: "FTP", Servers: []string{"ProFTPD 1.3.5"}, CVE: "CVE-2015-3306", Score: 10, Vector: "AV:N/AC:L/Au:N/C:C/I:C/A:C", QoD: 99,
		QoDType: "remote_vul", Says: "A client that has not logged in can copy files.", Remedy: "Upgrade ProFTPD."},
	{Tool: "openvas", ID: "1.3.6.1.4.1.25623.1.0.108528", Name: "FTP Unencrypted Cleartext Login", Family: "General",
		Servers: []string{"vsftpd 2.3.4", "ProFTPD 1.3.5"}, Score: 4.8, Vector: "AV:A/AC:L/Au:N/C:P/I:P/A:N", QoD: 70, QoDType: "remote_analysis",
		Says: "The server asks for a password without offering AUTH TLS.", Remedy: "Enable FTPS or enforce it with AUTH TLS."},
	{Tool: "nessus", ID: "55523", Name: "vsftpd Smiley Face Backdoor", Family: "FTP", Servers: []string{"vsftpd 2.3.4"}, CVE: "CVE-2011-2523",
		Severity: 4, Vector: "CVSS2#AV:N/AC:L/Au:N/C:C/I:C/A:C", Says: "The version of vsftpd was compiled with a backdoor.",
		Remedy: "Validate and recompile a legitimate copy of the source code."},
	{Tool: "nessus", ID: "84215", Name: "ProFTPD mod_copy Information Disclosure", Family: "FTP", Servers: []string{"ProFTPD 1.3.5"}, CVE: "CVE-2015-3306",
		Severity: 4, Vector: "CVSS2#AV:N/AC:L/Au:N/C:C/I:C/A:C", Says: "A client that has not logged in can read and write files.",
		Remedy: "Upgrade to ProFTPD 1.3.5a, 1.3.6rc1 or later."},
	{Tool: "nessus", ID: "34324", Name: "FTP Supports Cleartext Authentication", Family: "FTP", Servers: []string{"vsftpd 2.3.4", "ProFTPD 1.3.5"},
		Severity: 1, Vector: "CVSS2#AV:N/AC:H/Au:N/C:P/I:N/A:N", Says: "The server does not support AUTH TLS.", Remedy: "Switch to SFTP or FTPS."},
	{Tool: "nessus", ID: "100634", Name: "Redis Server Unprotected by Password Authentication", Family: "Misc.", Servers: []string{"Redis 4.0.9"},
		Severity: 3, Vector: "CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P", Says: "The server answers INFO without a password.",
		Remedy: "Enable 'requirepass' in redis.conf."},
}

func hits(tool string, servers []Server) (out []hit) {
	for _, c := range checks {
		for _, s := range servers {
			if c.Tool == tool && slices.ContainsFunc(c.Servers, func(name string) bool { return strings.HasPrefix(s.Name, name+" ") }) {
				out = append(out, hit{check: c, Port: s.Addr.Port()})
			}
		}
	}
	return out
}

var functions = template.FuncMap{
	"xml": func(s string) (string, error) {
		var b strings.Builder
		err := xml.EscapeText(&b, []byte(s))
		return b.String(), err
	},
	"word": func(score float64) string {
		if score >= 7 {
			return "High"
		}
		return "Medium"
	},
	"iso":  func(t time.Time) string { return t.Format(time.RFC3339) },
	"unix": func(t time.Time) string { return fmt.Sprint(t.Unix()) },
	"day":  func(t time.Time) string { return t.Format(time.ANSIC) },
}

// openvasPage is the answer of gvmd to get_reports, as of GMP 22.
var openvasPage = template.Must(template.New("openvas").Funcs(functions).Parse(`<get_reports_response status="200" status_text="OK"><report id="00000000-0000-4000-8000-000000000001" format_id="a994b278-1f62-11e1-96ac-406186ea4fc5" extension="xml" content_type="text/xml"><name>simulated by patchscout demo</name><report id="00000000-0000-4000-8000-000000000001"><gmp><version>22.7</version></gmp>
<filters id=""><term>apply_overrides=0 min_qod=0 first=1 rows=-1 levels=hmlgf</term></filters>
<scan_run_status>Done</scan_run_status>
<hosts><count>1</count></hosts>
<task id="00000000-0000-4000-8000-000000000002"><name>simulated by patchscout demo</name><comment></comment><progress>-1</progress></task>
<timestamp>{{iso .At}}</timestamp><scan_start>{{iso .At}}</scan_start><timezone>UTC</timezone>
<results start="1" max="-1">{{$host := .Host}}{{$at := .At}}{{range $n, $r := .Hits}}
<result id="00000000-0000-4000-9000-{{printf "%012d" $n}}"><name>{{xml $r.Name}} (simulated)</name><creation_time>{{iso $at}}</creation_time><host>{{$host}}<asset asset_id=""/><hostname></hostname></host><port>{{$r.Port}}/tcp</port><nvt oid="{{$r.ID}}"><type>nvt</type><name>{{xml $r.Name}} (simulated)</name><family>{{$r.Family}}</family><cvss_base>{{printf "%.1f" $r.Score}}</cvss_base><tags>cvss_base_vector={{$r.Vector}}|summary={{xml $r.Says}}</tags><solution type="VendorFix">{{xml $r.Remedy}}</solution>{{if $r.CVE}}<refs><ref type="cve" id="{{$r.CVE}}"/></refs>{{end}}</nvt><threat>{{word $r.Score}}</threat><severity>{{printf "%.1f" $r.Score}}</severity><qod><value>{{$r.QoD}}</value><type>{{$r.QoDType}}</type></qod><description>Simulated by patchscout demo. {{xml $r.Says}}</description></result>{{end}}
</results>
<result_count>{{len .Hits}}<full>{{len .Hits}}</full><filtered>{{len .Hits}}</filtered></result_count>
<host><ip>{{.Host}}</ip><asset asset_id=""/><start>{{iso .At}}</start><end>{{iso .At}}</end></host>
<scan_end>{{iso .At}}</scan_end><errors><count>0</count></errors>
</report></report></get_reports_response>
`))

// nessusPage is an export of Nessus in its second format, with one item of a policy audit.
var nessusPage = template.Must(template.New("nessus").Funcs(functions).Parse(`<?xml version="1.0" ?>
<NessusClientData_v2>
<Policy><policyName>simulated by patchscout demo</policyName></Policy>
<Report name="simulated by patchscout demo" xmlns:cm="http://www.nessus.org/cm">
<ReportHost name="{{.Host}}"><HostProperties>
<tag name="policy-used">simulated by patchscout demo</tag>
<tag name="host-ip">{{.Host}}</tag>
<tag name="HOST_START_TIMESTAMP">{{unix .At}}</tag><tag name="HOST_START">{{day .At}}</tag>
<tag name="HOST_END_TIMESTAMP">{{unix .At}}</tag><tag name="HOST_END">{{day .At}}</tag>
</HostProperties>{{range .Hits}}
<ReportItem port="{{.Port}}" svc_name="unknown" protocol="tcp" severity="{{.Severity}}" pluginID="{{.ID}}" pluginName="{{xml .Name}} (simulated)" pluginFamily="{{.Family}}">
{{if .CVE}}<cve>{{.CVE}}</cve>
{{end}}<cvss_vector>{{.Vector}}</cvss_vector>
<description>{{xml .Says}}</description><plugin_type>remote</plugin_type><solution>{{xml .Remedy}}</solution>
<plugin_output>Simulated by patchscout demo. {{xml .Says}}</plugin_output>
</ReportItem>{{end}}
<ReportItem port="0" svc_name="general" protocol="tcp" severity="3" pluginID="21157" pluginName="Unix Compliance Checks (simulated)" pluginFamily="Policy Compliance">
<compliance>true</compliance>
<cm:compliance-benchmark-name>simulated by patchscout demo</cm:compliance-benchmark-name>
<cm:compliance-check-name>Ensure sshd PermitRootLogin is disabled (simulated)</cm:compliance-check-name>
<cm:compliance-check-id>00000000000000000000000000000001</cm:compliance-check-id>
<cm:compliance-actual-value>permitrootlogin yes</cm:compliance-actual-value>
<cm:compliance-policy-value>permitrootlogin no</cm:compliance-policy-value>
<cm:compliance-result>FAILED</cm:compliance-result>
<cm:compliance-reference>800-53|AC-6</cm:compliance-reference>
<cm:compliance-solution>Set PermitRootLogin no in /etc/ssh/sshd_config.</cm:compliance-solution>
</ReportItem>
</ReportHost>
</Report>
</NessusClientData_v2>
`))
