package native

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"time"
)

// tlsConfig accepts every version and cipher that Go still speaks, and every certificate: we look, we do not trust.
func (s *session) tlsConfig() *tls.Config {
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10} //nolint:gosec // a scanner meets old servers
	for _, suite := range tls.CipherSuites() {
		config.CipherSuites = append(config.CipherSuites, suite.ID)
	}
	for _, suite := range tls.InsecureCipherSuites() {
		config.CipherSuites = append(config.CipherSuites, suite.ID)
	}
	config.ServerName = s.serverName()
	return config
}

// serverName is the name for SNI and the Host header: the first that is a name and not an address, else "".
func (s *session) serverName() string {
	for _, p := range s.target.pages {
		if p.port == s.target.addr.Port() && !isAddress(p.host) {
			return p.host
		}
	}
	for _, name := range s.target.names {
		if !isAddress(name) && hostNamePattern.MatchString(name) || name == "localhost" {
			return name
		}
	}
	return ""
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// secure puts TLS on an open wire. The cap of the wire counts the encrypted bytes.
func (s *session) secure(w *wire) (*wire, error) {
	w.SetDeadline(time.Now().Add(s.patience + time.Second))
	inner := tls.Client(w, s.tlsConfig())
	ctx, cancel := context.WithTimeout(s.ctx, s.patience+time.Second)
	defer cancel()
	if err := inner.HandshakeContext(ctx); err != nil {
		w.Close()
		return nil, err
	}
	w.SetDeadline(time.Time{})
	return &wire{Conn: &secured{Conn: inner, under: w}, left: maxAnswer, release: func() bool { return true }}, nil
}

// secured closes the wire under it at once: a peer that does not read must not hold up a close_notify.
type secured struct {
	*tls.Conn
	under *wire
}

func (c *secured) Close() error { return c.under.Close() }

// tls shakes hands, then identifies what speaks inside.
func (s *session) tls() *service {
	in := s.in(s.ctx)
	plain, err := s.open()
	if err != nil {
		return nil
	}
	first, err := s.secure(plain)
	if err != nil {
		s.overhearTLS(err)
		return nil
	}
	state := first.Conn.(*secured).ConnectionState()
	in.inside, in.spare, in.heard = true, make(chan *wire, 1), &overheard{}
	in.spare <- first
	found := in.insideTLS()
	in.dropSpare()
	if found == nil {
		found = &service{Name: "ssl"}
	}
	found.TLS = true
	describe(found, state)
	return found
}

// overhearTLS keeps the first bytes of a server that answered the ClientHello in its own protocol.
func (s *session) overhearTLS(err error) {
	if header, ok := err.(tls.RecordHeaderError); ok {
		s.overhear(header.RecordHeader[:])
	}
}

// insideTLS looks for the protocol inside: what the port is known for, else HTTP, else everything.
func (s *session) insideTLS() *service {
	switch usual := insideTLS[s.target.addr.Port()]; usual {
	case "":
		if found := s.http(); found != nil {
			return found
		}
	case "listen":
		if found := s.listen(<-s.spare, s.patience+time.Second); found != nil {
			return found
		}
	default:
		if found := s.race(probesNamed([]string{usual})); found != nil {
			return found
		}
	}
	return s.listenAndProbe(nil, 100*time.Millisecond, s.patience, probesNamed([]string{"http"}))
}

// describe writes down what the handshake showed: version and certificate.
func describe(found *service, state tls.ConnectionState) {
	found.note(tls.VersionName(state.Version))
	if len(state.PeerCertificates) == 0 {
		return
	}
	cert := state.PeerCertificates[0]
	found.note("certificate " + cert.Subject.String())
	if names := certificateNames(cert); len(names) > 0 {
		found.note("names " + strings.Join(names, " "))
	}
	found.note("until " + cert.NotAfter.UTC().Format(time.DateOnly))
	sum := sha256.Sum256(cert.Raw)
	found.note("sha256 " + hex.EncodeToString(sum[:]))
}

func certificateNames(cert *x509.Certificate) []string {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, net.IP(ip).String())
	}
	return names[:min(len(names), 8)]
}
