package nessus

import (
	"crypto/x509"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

// Options are what an administrator sets. Without URL reports can be read and nothing can be run. Nothing in it comes from
// a scan request.
type Options struct {
	URL string // https://nessus.example.org:8834

	// API keys, or a user and password: one of the two.
	AccessKey config.Secret
	SecretKey config.Secret
	Username  string
	Password  config.Secret

	// CAFile is PEM with what has signed the server's certificate, Fingerprint (hex, ":" allowed) the certificate's own
	// SHA-256: Nessus signs it itself by default. One of the two, or neither for the system's authorities.
	CAFile      string
	Fingerprint string

	Template string // of the scan, by its name in the API: "basic" by default, "advanced", "discovery", …
	Policy   string // id or name of one of the server's policies, instead of a template
	Folder   int    // where the scan is put, 0 = the user's own
	Keep     bool   // leaves the scan on the server when it is done

	Poll    time.Duration // between two looks at a running scan; default 10 s
	Version string        // ours, for the User-Agent
}

// Validate says what is wrong with the options (fault.Invalid). It does not look at files.
func (o Options) Validate() error {
	keys, session := o.AccessKey != "" || o.SecretKey != "", o.Username != "" || o.Password != ""
	switch {
	case o.URL == "" && (keys || session):
		return fault.Invalid("nessus: keys or a user are set, but no URL")
	case o.URL == "":
		return nil
	case keys && session:
		return fault.Invalid("nessus: API keys and a user are both set: want one of them")
	case !keys && !session:
		return fault.Invalid("nessus: neither API keys nor a user are set")
	case keys && (o.AccessKey == "" || o.SecretKey == ""):
		return fault.Invalid("nessus: the access key and the secret key belong together")
	case session && (o.Username == "" || o.Password == ""):
		return fault.Invalid("nessus: the user name and the password belong together")
	case o.CAFile != "" && o.Fingerprint != "":
		return fault.Invalid("nessus: CA file and fingerprint are both set: want one of them")
	case o.CAFile != "" && !filepath.IsAbs(o.CAFile):
		return fault.Invalid("nessus: CA file %q is not absolute", o.CAFile)
	case o.Template != "" && o.Policy != "":
		return fault.Invalid("nessus: template and policy are both set: want one of them")
	case o.Folder < 0:
		return fault.Invalid("nessus: a folder's id is a positive number")
	case o.Poll < 0:
		return fault.Invalid("nessus: poll interval %s is negative", o.Poll)
	case strings.ContainsFunc(o.AccessKey.Reveal()+o.SecretKey.Reveal(), notInKey):
		return fault.Invalid("nessus: an API key has characters that none has")
	}
	if _, err := fingerprint(o.Fingerprint); err != nil {
		return err
	}
	_, err := o.base()
	return err
}

func notInKey(r rune) bool { return r <= ' ' || r > '~' || r == ';' || r == ',' }

// base is the URL without a slash at its end. Plain http is refused: keys would go over the wire.
func (o Options) base() (string, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return "", fault.Invalid("nessus: the URL is not https://host:port")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fault.Invalid("nessus: the URL has more than https://host:port/path")
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), nil
}

// fingerprint reads a SHA-256 in hex; nil for "".
func fingerprint(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != 32 {
		return nil, fault.Invalid("nessus: the fingerprint is not a SHA-256 in hex")
	}
	return sum, nil
}

// New checks the options; whether the server is there is Available's question. A CA file that cannot be read is
// fault.Invalid.
func New(o Options) (*Scanner, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Scanner{opts: o}
	if o.URL == "" {
		return s, nil
	}
	if o.Poll == 0 {
		s.opts.Poll = 10 * time.Second
	}
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	c := outbound.Config{Version: o.Version, Named: []string{base}}
	if c.RootCAs, err = roots(o.CAFile); err != nil {
		return nil, err
	}
	if c.Pin, err = fingerprint(o.Fingerprint); err != nil {
		return nil, err
	}
	door, err := outbound.New(c)
	if err != nil {
		return nil, err
	}
	s.client = &client{door: door, base: base, opts: s.opts}
	return s, nil
}

func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Invalid("nessus: read the CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.Invalid("nessus: the CA file %s holds no certificate", file)
	}
	return pool, nil
}
