package openvas

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// sockets are where packages of gvmd put it.
var sockets = []string{"/run/gvmd/gvmd.sock", "/var/run/gvmd/gvmd.sock", "/run/gvm/gvmd.sock", "/run/gvmd.sock", "/run/openvas/gvmd.sock"}

func (o Options) open(ctx context.Context) (net.Conn, error) {
	if o.Address != "" {
		return o.openTLS(ctx)
	}
	path := o.socket()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Unavailable("openvas: there is no gvmd socket at %s: install Greenbone, or set its socket or address", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.Unavailable("openvas: no permission for gvmd's socket %s: join its group, _gvm on Debian and gvm elsewhere", path)
	case machine.Refused(err):
		return nil, fault.Unavailable("openvas: gvmd does not listen on its socket %s: it is not running", path)
	}
	return nil, fault.Unavailable("openvas: connect to gvmd: %w", err)
}

// socket is the configured one, the first that exists, or the most usual.
func (o Options) socket() string {
	if o.Socket != "" {
		return o.Socket
	}
	for _, path := range sockets {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return sockets[0]
}

func (o Options) openTLS(ctx context.Context) (net.Conn, error) {
	host, port, err := o.hostPort()
	if err != nil {
		return nil, err
	}
	config, err := o.tls(host)
	if err != nil {
		return nil, err
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	var unverified *tls.CertificateVerificationError
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, errFingerprint):
		return nil, fault.Unavailable("openvas: %w", err)
	case errors.As(err, &unverified):
		return nil, fault.Unavailable("openvas: the certificate of gvmd at %s is not trusted: set its CA file or fingerprint: %w", o.Address, err)
	}
	return nil, fault.Unavailable("openvas: connect to gvmd at %s: %w", o.Address, err)
}

var errFingerprint = errors.New("the certificate of gvmd is not the one with the configured fingerprint")

func (o Options) tls(host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fault.Unavailable("openvas: read the CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Unavailable("openvas: the CA file %s holds no certificate", o.CAFile)
		}
	}
	if o.ClientCert != "" {
		pair, err := tls.LoadX509KeyPair(o.ClientCert, o.ClientKey)
		if err != nil {
			return nil, fault.Unavailable("openvas: load the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	want, err := fingerprint(o.Fingerprint)
	if want != nil {
		config.InsecureSkipVerify = true // the fingerprint is stricter: it is this certificate or none
		config.VerifyConnection = func(s tls.ConnectionState) error {
			sum := sha256.Sum256(s.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(sum[:], want) != 1 {
				return errFingerprint
			}
			return nil
		}
	}
	return config, err
}
