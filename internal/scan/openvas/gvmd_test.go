package openvas

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// gvmd is a stand-in that speaks GMP 22.5 as gvmd does: it knows the ids of the feed, refuses what gvmd refuses in gvmd's
// words, and keeps targets, tasks and reports. Its fields are faults to have; they are set before it is asked.
type gvmd struct {
	t    *testing.T
	poll func(n int) (status, progress string) // the answer to the nth question; nil is Running 40, 80, then Done

	drip     bool                             // one byte at a time
	silent   string                           // the command that is never answered
	raw      map[string]string                // answers word by word, by command
	fail     func(command string, n int) bool // closes the connection instead of the nth answer to command
	cut      int                              // bytes of a report after which the connection breaks
	filler   int                              // bytes that make a report larger
	dead     bool                             // the scanned hosts have no results
	version  string
	stopping int // questions that a stopped task takes to stop

	mu      sync.Mutex
	counts  map[string]int
	seen    []string // commands in their order
	targets map[string]*node
	tasks   map[string]*gvmdTask
}

type gvmdTask struct {
	node            *node
	target, comment string
	status          string
	report          string
	polls, stops    int
}

// node is any element.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n *node) child(path ...string) *node {
	if len(path) == 0 {
		return n
	}
	for i := range n.Children {
		if n.Children[i].XMLName.Local == path[0] {
			return n.Children[i].child(path[1:]...)
		}
	}
	return &node{}
}

const (
	user     = `sally <&"'>` // hostile on purpose: it must arrive as it is
	password = "s3cr3t&<>"
)

func newGvmd(t *testing.T) *gvmd {
	return &gvmd{t: t, counts: map[string]int{}, targets: map[string]*node{}, tasks: map[string]*gvmdTask{}, version: "22.5"}
}

// listen serves on a unix socket and gives options that reach it.
func (g *gvmd) listen() Options {
	dir, err := os.MkdirTemp("", "gvmd") // t.TempDir is longer than a socket's path may be
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		g.t.Fatal(err)
	}
	g.serve(l)
	return Options{Socket: path, Username: user, Password: password, Poll: time.Millisecond, Timeout: 5 * time.Second}
}

func (g *gvmd) serve(l net.Listener) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { g.session(conn) })
		}
	})
	g.t.Cleanup(func() { l.Close(); wg.Wait() })
}

func (g *gvmd) session(conn net.Conn) {
	defer conn.Close()
	dec := xml.NewDecoder(conn)
	authentic := false
	for {
		var cmd node
		if err := dec.Decode(&cmd); err != nil {
			return
		}
		name := cmd.XMLName.Local
		g.mu.Lock()
		g.counts[name]++
		n := g.counts[name]
		g.seen = append(g.seen, name)
		g.mu.Unlock()
		switch {
		case g.fail != nil && g.fail(name, n):
			return
		case g.silent == name:
			io.Copy(io.Discard, conn)
			return
		}
		out := g.answer(&cmd, name, &authentic)
		if g.cut > 0 && name == "get_reports" {
			conn.Write([]byte(out[:min(g.cut, len(out))]))
			return
		}
		if !g.write(conn, out) {
			return
		}
	}
}

func (g *gvmd) write(conn net.Conn, out string) bool {
	if !g.drip {
		_, err := io.WriteString(conn, out)
		return err == nil
	}
	for i := range len(out) {
		if _, err := conn.Write([]byte{out[i]}); err != nil {
			return false
		}
	}
	return true
}

func refuse(command string, code int, text string) string {
	return fmt.Sprintf(`<%s_response status="%d" status_text="%s"/>`, command, code, text)
}

func (g *gvmd) answer(cmd *node, name string, authentic *bool) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if raw, ok := g.raw[name]; ok {
		return raw
	}
	switch name {
	case "get_version":
		return `<get_version_response status="200" status_text="OK"><version>` + g.version + `</version></get_version_response>`
	case "authenticate":
		if cmd.child("credentials", "username").Text != user || cmd.child("credentials", "password").Text != password {
			return refuse(name, 400, "Authentication failed")
		}
		*authentic = true
		return `<authenticate_response status="200" status_text="OK"><role>User</role><timezone>UTC</timezone></authenticate_response>`
	}
	if !*authentic {
		return refuse("gmp", 400, "Only command GET_VERSION is allowed before AUTHENTICATE")
	}
	switch name {
	case "get_port_lists":
		if cmd.attr("port_list_id") != AllIANATCP {
			return refuse(name, 404, "Failed to find port list")
		}
		return `<get_port_lists_response status="200" status_text="OK"><port_list id="` + AllIANATCP + `"><port_ranges><port_range><type>TCP</type><start>1</start><end>100</end></port_range>` +
			`<port_range><type>UDP</type><start>53</start><end>53</end></port_range></port_ranges></port_list></get_port_lists_response>`
	case "create_target":
		return g.createTarget(cmd)
	case "create_task":
		return g.createTask(cmd)
	case "delete_target":
		return g.deleteTarget(cmd.attr("target_id"))
	case "get_reports":
		return g.getReports(cmd)
	}
	return g.taskCommand(cmd, name)
}

func id() string {
	var b [16]byte
	rand.Read(b[:])
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (g *gvmd) createTarget(cmd *node) string {
	for _, t := range g.targets {
		if t.child("name").Text == cmd.child("name").Text {
			return refuse("create_target", 400, "Target exists already")
		}
	}
	for host := range strings.SplitSeq(cmd.child("hosts").Text, ",") {
		if net.ParseIP(host) == nil {
			return refuse("create_target", 400, "Error in host specification")
		}
	}
	list := cmd.child("port_list").attr("id")
	if list != "" && list != AllIANATCP {
		return refuse("create_target", 404, "Failed to find port_list '"+list+"'")
	}
	if list == "" && !strings.HasPrefix(cmd.child("port_range").Text, "T:") {
		return refuse("create_target", 400, "Port range is required")
	}
	made := id()
	g.targets[made] = cmd
	return fmt.Sprintf(`<create_target_response status="201" status_text="OK, resource created" id="%s"/>`, made)
}

func (g *gvmd) createTask(cmd *node) string {
	for what, known := range map[string]bool{"config": cmd.child("config").attr("id") == FullAndFast, "scanner": cmd.child("scanner").attr("id") == OpenVASScanner,
		"target": g.targets[cmd.child("target").attr("id")] != nil} {
		if !known {
			return refuse("create_task", 404, "Failed to find "+what)
		}
	}
	made := id()
	g.tasks[made] = &gvmdTask{node: cmd, target: cmd.child("target").attr("id"), comment: cmd.child("comment").Text, status: "New"}
	return fmt.Sprintf(`<create_task_response status="201" status_text="OK, resource created" id="%s"/>`, made)
}

func (g *gvmd) deleteTarget(target string) string {
	for _, task := range g.tasks {
		if task.target == target {
			return refuse("delete_target", 400, "Target is in use")
		}
	}
	if g.targets[target] == nil {
		return refuse("delete_target", 404, "Failed to find target")
	}
	delete(g.targets, target)
	return `<delete_target_response status="200" status_text="OK"/>`
}

func (g *gvmd) taskCommand(cmd *node, name string) string {
	task := g.tasks[cmd.attr("task_id")]
	if task == nil {
		return refuse(name, 404, "Failed to find task '"+cmd.attr("task_id")+"'")
	}
	switch name {
	case "start_task":
		task.status, task.report = "Requested", id()
		return `<start_task_response status="202" status_text="OK, request submitted"><report_id>` + task.report + `</report_id></start_task_response>`
	case "stop_task":
		task.status = "Stop Requested"
		return `<stop_task_response status="202" status_text="OK, request submitted"/>`
	case "delete_task":
		if task.status == "Stop Requested" && task.stops < g.stopping {
			task.stops++
			return `<delete_task_response status="202" status_text="OK, request submitted"/>`
		}
		delete(g.tasks, cmd.attr("task_id"))
		return `<delete_task_response status="200" status_text="OK"/>`
	case "get_tasks":
		task.polls++
		progress := "-1"
		if task.status != "Stop Requested" {
			task.status, progress = g.state(task.polls)
		}
		return fmt.Sprintf(`<get_tasks_response status="200" status_text="OK"><apply_overrides>0</apply_overrides><task id="%s"><name>%s</name><status>%s</status>`+
			`<progress>%s<host_progress><host>192.0.2.1</host>50</host_progress></progress></task><task_count>1</task_count></get_tasks_response>`,
			cmd.attr("task_id"), escape(task.node.child("name").Text), task.status, progress)
	}
	return refuse("gmp", 400, "Bogus command name")
}

func (g *gvmd) state(n int) (status, progress string) {
	if g.poll != nil {
		return g.poll(n)
	}
	return [...]string{"Queued", "Running", "Running", "Done"}[min(n, 4)-1], [...]string{"-1", "40", "80", "-1"}[min(n, 4)-1]
}

func escape(text string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(text))
	return b.String()
}

// getReports gives each host of the task one result and one log message's worth of details.
func (g *gvmd) getReports(cmd *node) string {
	for task, t := range g.tasks {
		if t.report != cmd.attr("report_id") {
			continue
		}
		var results, hosts strings.Builder
		for host := range strings.SplitSeq(g.targets[t.target].child("hosts").Text, ",") {
			if !g.dead {
				fmt.Fprintf(&results, `<result id="%s"><host>%s<asset/></host><port>443/tcp</port><nvt oid="1.3.6.1.4.1.25623.1.0.802087"><name>POODLE</name>`+
					`<refs><ref type="cve" id="CVE-2014-3566"/></refs></nvt><severity>3.4</severity><description>%s</description></result>`, id(), host, strings.Repeat("filler ", g.filler/7))
			}
			fmt.Fprintf(&hosts, `<host><ip>%s</ip><end>2026-01-01T01:00:00Z</end><detail><name>best_os_txt</name><value>Linux</value></detail></host>`, host)
		}
		return fmt.Sprintf(`<get_reports_response status="200" status_text="OK"><report id="%[1]s" format_id="%[2]s"><report id="%[1]s"><gmp><version>22.5</version></gmp>`+
			`<filters id=""><term>%[3]s first=1</term></filters><scan_run_status>%[4]s</scan_run_status><task id="%[5]s"><name>n</name><comment>%[6]s</comment></task>`+
			`<scan_start>2026-01-01T00:00:00Z</scan_start><results start="1" max="-1">%[7]s</results>%[8]s<scan_end>2026-01-01T01:00:01Z</scan_end></report></report></get_reports_response>`,
			t.report, cmd.attr("format_id"), escape(cmd.attr("filter")), t.status, task, escape(t.comment), results.String(), hosts.String())
	}
	return refuse("get_reports", 404, "Failed to find report '"+cmd.attr("report_id")+"'")
}

// left counts what is left behind: tasks and targets.
func (g *gvmd) left() (tasks, targets int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.tasks), len(g.targets)
}

func (g *gvmd) was(command string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.seen, command)
}

// authority is a CA and a certificate for 127.0.0.1 that it signed, as gvm-manage-certs makes them.
type authority struct {
	caFile      string
	server      tls.Certificate
	fingerprint string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	caKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "GVM CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "gvmd"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return authority{caFile: file, server: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, fingerprint: hex.EncodeToString(sum[:])}
}

func (g *gvmd) listenTLS(a authority) Options {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{a.server}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.serve(l)
	return Options{Address: l.Addr().String(), Username: user, Password: password, Poll: time.Millisecond, Timeout: 5 * time.Second}
}
