package native

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// ssh reads the identification string (RFC 4253, 4.2) and, when the connection still stands, begins a key exchange to
// learn the host key. It stops there: nothing is authenticated.
func (s *session) ssh(w *wire, said []byte) *service {
	id := identification(said)
	protocol, software, _ := strings.Cut(strings.TrimPrefix(id, "SSH-"), "-")
	found := recognise("ssh", "ssh", software, []byte(id))
	found.note("protocol " + protocol)
	found.distribution(software)
	if protocol == "1.99" {
		found.note("also accepts SSH 1")
	}
	if w != nil && strings.HasPrefix(protocol, "2") || protocol == "1.99" && w != nil {
		found.SSHKey = hostKey(w, said, s.patience+time.Second)
	}
	return found
}

// identification is the line that begins with "SSH-"; a server may say other lines before it.
func identification(said []byte) string {
	for text := range bytes.Lines(said) {
		if bytes.HasPrefix(text, []byte("SSH-")) {
			return line(string(text))
		}
	}
	return line(firstLine(said))
}

// errSeen ends the key exchange once the key is known.
var errSeen = errors.New("host key seen")

// hostKey returns "SHA256:…" of the host key that the server prefers for our fixed order of algorithms, so that the same
// host shows the same key tomorrow. It returns "" when the server does not get that far.
func hostKey(w *wire, said []byte, patience time.Duration) string {
	w.SetDeadline(time.Now().Add(patience))
	var fingerprint string
	config := &ssh.ClientConfig{
		User:          "none",
		ClientVersion: "SSH-2.0-PatchScout",
		Timeout:       patience,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
			ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA, ssh.InsecureKeyAlgoDSA},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			fingerprint = ssh.FingerprintSHA256(key)
			return errSeen
		},
	}
	// Old servers offer only what is no longer safe; nothing secret passes here.
	safe, unsafe := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	config.KeyExchanges = slices.Concat(safe.KeyExchanges, unsafe.KeyExchanges)
	config.Ciphers = slices.Concat(safe.Ciphers, unsafe.Ciphers)
	config.MACs = slices.Concat(safe.MACs, unsafe.MACs)
	conn, _, _, err := ssh.NewClientConn(&replay{wire: w, first: said}, w.RemoteAddr().String(), config)
	if err == nil {
		conn.Close()
	}
	return fingerprint
}

// replay is a connection whose first bytes were read before.
type replay struct {
	*wire
	first []byte
}

func (r *replay) Read(b []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(b, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.wire.Read(b)
}

var _ io.Reader = (*replay)(nil)
