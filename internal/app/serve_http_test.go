package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// pairFor writes a certificate that is told by its number.
func pairFor(t *testing.T, dir string, number int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestRenewedCertificateIsUsedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Server.Listen = "127.0.0.1:0"
	cfg.Server.TLSCert, cfg.Server.TLSKey = pairFor(t, dir, 1)
	a := &App{parts: &parts{cfg: cfg, log: slog.New(slog.DiscardHandler)}}
	w, err := a.listen()
	if err != nil {
		t.Fatal(err)
	}
	w.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	again := &App{parts: &parts{cfg: cfg, log: a.log}}
	again.cfg.Server.Listen = w.listener.Addr().String()
	if _, err := again.listen(); err == nil || !strings.Contains(err.Error(), "another program listens on 127.0.0.1:") {
		t.Errorf("twice on one port: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, left := make(chan error), make(chan struct{})
	go func() { ended <- w.serve(ctx, time.Second, func() { close(left) }) }()
	number := func() (int64, string) {
		client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // its number says which one it is
		answer, err := client.Get(w.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return answer.TLS.PeerCertificates[0].SerialNumber.Int64(), string(body)
	}
	if n, proto := number(); n != 1 || proto != "HTTP/2.0" {
		t.Errorf("certificate %d over %s", n, proto)
	}
	later := func() { // as a file that was written later looks
		at := time.Now().Add(time.Duration(time.Now().UnixNano()%1000) * time.Second)
		_ = os.Chtimes(cfg.Server.TLSCert, at, at)
		time.Sleep(lookAgain + 50*time.Millisecond)
	}
	if err := os.WriteFile(cfg.Server.TLSCert, []byte("half a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	later()
	if n, _ := number(); n != 1 {
		t.Errorf("with a broken file: certificate %d", n)
	}
	pairFor(t, dir, 2)
	later()
	if n, _ := number(); n != 2 {
		t.Errorf("with a new one: certificate %d", n)
	}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11} //nolint:gosec // is refused
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(w.URL(), "https://"), old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is let in")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-left
}

func TestServerOutlivesItsDatabase(t *testing.T) {
	if testing.Short() || os.Getenv("TEST_POSTGRES") == "off" {
		t.Skip("starts and stops a PostgreSQL")
	}
	server, err := storetest.NewServer("outlived")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	cfg := config.Default()
	cfg.DataDir, cfg.DatabaseURL, cfg.Server.Listen, cfg.Server.Auth, cfg.Server.Grace = t.TempDir(), config.Secret(server.URL), "127.0.0.1:0", "off", time.Second
	a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, ServeOptions{Version: "test", Ready: func(url string) { ready <- url }}) }()
	var base string
	select {
	case base = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	ask := func(path string) (int, string, http.Header) {
		answer, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body), answer.Header
	}
	if status, body, _ := ask("/api/v1/sites"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		begin := time.Now()
		status, body, header := ask("/api/v1/sites")
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "PostgreSQL") || strings.Contains(body, "user=") {
			t.Errorf("without its database: %d %s", status, body)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	}
	var health report.Health
	status, body, _ := ask("/health")
	if err := json.Unmarshal([]byte(body), &health); err != nil || status != http.StatusServiceUnavailable || health.Ready {
		t.Errorf("health: %d %s", status, body)
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := ask("/api/v1/sites"); status != http.StatusOK {
		t.Errorf("with its database back: %d %s", status, body)
	}
	time.Sleep(1100 * time.Millisecond) // health holds for a second
	if status, body, _ := ask("/health"); status != http.StatusOK {
		t.Errorf("health: %d %s", status, body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
