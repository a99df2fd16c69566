package nmap

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// installed gives a scanner with the real nmap.
func installed(t *testing.T, opts Options) *Scanner {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Available(t.Context()); err != nil {
		t.Skipf("%v; install it with: apt-get install -y nmap", err)
	}
	return s
}

// listen greets like an old server on a loopback port of its own.
func listen(t *testing.T, address, greeting string) uint16 {
	return serve(t, address, func(conn net.Conn) {
		io.WriteString(conn, greeting)
		io.Copy(io.Discard, conn)
	})
}

func serve(t *testing.T, address string, answer func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skipf("cannot listen on %s: %v", address, err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(2 * time.Second))
				answer(conn)
			})
		}
	})
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func jobFor(ports []uint16, addrs ...string) scan.Job {
	job := scan.Job{Profile: scan.Standard}
	for _, a := range addrs {
		job.Hosts = append(job.Hosts, scan.HostTarget{Address: netip.MustParseAddr(a), Explicit: true})
	}
	for _, p := range ports {
		job.Ports = append(job.Ports, finding.PortRange{First: p, Last: p})
	}
	return job
}

func TestScanFindsServicesOnLoopback(t *testing.T) {
	s := installed(t, Options{Scripts: []string{}})
	sshd := listen(t, "127.0.0.1", "SSH-2.0-OpenSSH_7.2p2 Ubuntu-4ubuntu2.8\r\n")
	ftp := listen(t, "127.0.0.1", "220 (vsFTPd 3.0.3)\r\n")
	six := listen(t, "::1", "220 ProFTPD 1.3.5rc3 Server (ProFTPD) [::1]\r\n")
	job := jobFor([]uint16{sshd, ftp}, "127.0.0.1", "::1")
	job.Hosts[1].Ports = []uint16{six}

	var services []string
	covered := map[string]bool{}
	var percents []float64
	raw := &bytes.Buffer{}
	result, err := scan.Run(t.Context(), []scan.Scanner{s}, job, scan.Options{
		Raw:      func(string) (io.Writer, error) { return raw, nil },
		Progress: func(p scan.Progress) { percents = append(percents, p.Percent) },
		Emit: func(_ string, e finding.Event) error {
			if e.Service != nil {
				services = append(services, fmt.Sprint(e.Service.Address, " ", e.Service.Product, " ", e.Service.Version, " ", e.Service.Backport, " ", e.Service.CPEs))
			}
			if e.Coverage != nil {
				covered[e.Coverage.Address.String()] = true
			}
			return nil
		}})
	if err != nil || len(result.Silent) > 0 || result.Scanners[0].Status != scan.Completed {
		t.Fatalf("%+v, %v\n%s", result, err, raw)
	}
	slices.Sort(services)
	want := []string{
		"127.0.0.1 OpenSSH 7.2p2 Ubuntu [cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*]",
		"127.0.0.1 vsftpd 3.0.3  [cpe:2.3:a:vsftpd:vsftpd:3.0.3:*:*:*:*:*:*:*]",
		"::1 ProFTPD 1.3.5rc3  [cpe:2.3:a:proftpd:proftpd:1.3.5:rc3:*:*:*:*:*:*]",
	}
	if !slices.Equal(services, want) {
		t.Errorf("got %s", strings.Join(services, "\n"))
	}
	if !covered["127.0.0.1"] || !covered["::1"] {
		t.Errorf("covered %v", covered)
	}
	if !slices.IsSorted(percents) || percents[len(percents)-1] != 100 {
		t.Errorf("progress %v", percents)
	}
}

func TestHostKeyIsTheServersBest(t *testing.T) {
	s := installed(t, Options{})
	config := &ssh.ServerConfig{ServerVersion: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }}
	ecdsaKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	want := ""
	for _, key := range []any{ecdsaKey, edKey} {
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		config.AddHostKey(signer)
		want = ssh.FingerprintSHA256(signer.PublicKey())
	}
	port := serve(t, "127.0.0.1", func(conn net.Conn) { ssh.NewServerConn(conn, config) })
	var host finding.HostSeen
	var service finding.ServiceSeen
	_, err := scan.Run(t.Context(), []scan.Scanner{s}, jobFor([]uint16{port}, "127.0.0.1"), scan.Options{
		Emit: func(_ string, e finding.Event) error {
			if e.Host != nil {
				host = *e.Host
			}
			if e.Service != nil {
				service = *e.Service
			}
			return nil
		}})
	if err != nil || host.SSHKey != want || service.SSHKey != want || host.OS != "Debian" {
		t.Errorf("got %+v, %+v, %v, want %s", host, service, err, want)
	}
}

func TestClosedPortIsAnAnswer(t *testing.T) {
	s := installed(t, Options{})
	result, err := scan.Run(t.Context(), []scan.Scanner{s}, jobFor([]uint16{1}, "127.0.0.1"), scan.Options{})
	if err != nil || len(result.Silent) > 0 || result.Scanners[0].Status != scan.Completed {
		t.Errorf("a host that refuses is up: %+v, %v", result, err)
	}
}

// groupMembers lists the living processes of nmap's that we started, by their group.
func groupMembers(t *testing.T, pgid int) []string {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var out []string
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 2 && f[2] == strconv.Itoa(pgid) && f[0] != "Z" {
			out = append(out, string(b))
		}
	}
	return out
}

// childOf waits for the nmap that process pid starts and gives its own id, which is also its group's.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	for range 1000 {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, list := range lists {
			b, _ := os.ReadFile(list)
			for _, child := range strings.Fields(string(b)) {
				comm, _ := os.ReadFile("/proc/" + child + "/comm")
				if strings.TrimSpace(string(comm)) == "nmap" {
					n, _ := strconv.Atoi(child)
					return n
				}
			}
		}
		time.Sleep(10 * time.Millisecond) // a process of another program: there is no signal to wait for
	}
	t.Fatal("nmap was not started")
	return 0
}

// slowJob takes minutes: all ports, few a second.
func slowJob() scan.Job {
	job := jobFor(nil, "127.0.0.1")
	job.Profile, job.Rate = scan.Full, 200
	return job
}

func TestCancelEndsNmapWithinTwoSecondsAndLeavesNobody(t *testing.T) {
	s := installed(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan scan.Result, 1)
	raw := &bytes.Buffer{}
	moved := make(chan struct{}, 100)
	go func() {
		r, _ := scan.Run(ctx, []scan.Scanner{s}, slowJob(), scan.Options{Raw: func(string) (io.Writer, error) { return raw, nil },
			Progress: func(scan.Progress) { moved <- struct{}{} }})
		ended <- r
	}()
	<-moved // nmap scans and has said so
	child := childOf(t, os.Getpid())
	begin := time.Now()
	cancel()
	r := <-ended
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	if r.Scanners[0].Status != scan.Cancelled {
		t.Errorf("%+v", r.Scanners[0])
	}
	if left := groupMembers(t, child); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
	err := s.Read(t.Context(), bytes.NewReader(raw.Bytes()), func(finding.Event) error { return nil })
	if !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("the report of a cancelled run: %v", err)
	}
}

// TestMain is also the process that gets killed in the test below.
func TestMain(m *testing.M) {
	if os.Getenv("PATCHSCOUT_TEST_SCAN") == "slow" {
		(&Scanner{}).Run(context.Background(), slowJob(), io.Discard, func(scan.Progress) {})
		return
	}
	os.Exit(m.Run())
}

func TestKilledPatchscoutLeavesNoNmap(t *testing.T) {
	installed(t, Options{})
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("needs Linux")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PATCHSCOUT_TEST_SCAN=slow")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := childOf(t, cmd.Process.Pid)
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	for range 200 {
		if len(groupMembers(t, child)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("nmap lives on: %s", groupMembers(t, child))
}

func TestFailingNmapIsReportedInItsOwnWords(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "nmap")
	script := "#!/bin/sh\ncase $1 in --version) echo 'Nmap version 6.40 ( http://nmap.org )';; esac\necho 'dnet: Failed to open device eth9' >&2\necho QUITTING! >&2\nexit 1\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Run(t.Context(), jobFor([]uint16{1}, "127.0.0.1"), io.Discard, func(scan.Progress) {})
	if err == nil || !strings.Contains(err.Error(), "Failed to open device eth9") || fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("got %v", err)
	}
	s.opts.Path = filepath.Join(dir, "missing")
	if _, err := s.Available(t.Context()); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("a missing binary: %v", err)
	}
}

func TestOldOrForeignBinaryIsNotAvailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nmap")
	for says, want := range map[string]string{"Nmap version 6.40 ( http://nmap.org )": "too old", "hello": "does not say"} {
		os.WriteFile(path, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755)
		s, _ := New(Options{Path: path})
		if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestOptionsAreClosed(t *testing.T) {
	for _, o := range []Options{{Path: "nmap"}, {Timing: 6}, {Scripts: []string{"vuln"}}, {Scripts: []string{"../x"}}, {Scripts: []string{"a,b"}},
		{Scripts: []string{"--help"}}, {Scripts: []string{"http-*"}}, {HostLimit: -1}} {
		if _, err := New(o); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestCommandLineFollowsTheJob(t *testing.T) {
	s, _ := New(Options{})
	job := scan.Job{Rate: 300, Exclude: []finding.PortRange{{First: 25, Last: 25}}, Hosts: []scan.HostTarget{
		{Address: netip.MustParseAddr("192.0.2.1"), Explicit: true, Ports: []uint16{8080}},
		{Address: netip.MustParseAddr("192.0.2.2")},
		{Address: netip.MustParseAddr("fe80::1%eth0"), Explicit: true},
		{Address: netip.MustParseAddr("192.0.2.3")},
	}}
	show := func(job scan.Job) string {
		var out []string
		for _, b := range batches(job) {
			args, err := s.args(job, b)
			if err != nil {
				return err.Error()
			}
			text := strings.Join(args, " ")
			_, text, _ = strings.Cut(text, "-T4 -s")
			out = append(out, strings.ReplaceAll(string(targets(b.hosts)), "\n", " ")+"<- "+text[2:])
		}
		return strings.Join(out, "\n")
	}
	tail := " --max-rate 300 --script ssh-hostkey,ssl-cert,http-title"
	want := "192.0.2.1 <- -Pn --top-ports 1000 --exclude-ports 25" + tail +
		"\n192.0.2.1 <- -Pn -p T:8080" + tail +
		"\n192.0.2.2 192.0.2.3 <- --top-ports 1000 --exclude-ports 25" + tail +
		"\nfe80::1%eth0 <- -6 -Pn --top-ports 1000 --exclude-ports 25" + tail
	if got := show(job); got != want {
		t.Errorf("got\n%s", got)
	}
	job.Hosts = job.Hosts[:2]
	job.Ports = []finding.PortRange{{First: 20, Last: 30}}
	if got := show(job); got != "192.0.2.1 <- -Pn -p T:20-24,26-30,8080"+tail+"\n192.0.2.2 <- -p T:20-24,26-30"+tail {
		t.Errorf("got\n%s", got)
	}
	job.Ports, job.Profile = nil, scan.Full
	if got := show(job); got != "192.0.2.1 <- -Pn -p T:1-65535 --exclude-ports 25"+tail+"\n192.0.2.2 <- -p T:1-65535 --exclude-ports 25"+tail {
		t.Errorf("got\n%s", got)
	}
	job.Ports = job.Exclude
	if got := show(job); got == "" || !strings.Contains(got, "excluded") && !strings.Contains(got, "8080") {
		t.Errorf("got\n%s", got)
	}
}
