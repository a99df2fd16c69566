package native

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// SMB: MS-SMB2, MS-CIFS, MS-NLMP. We negotiate and ask for the NTLM challenge, in which Windows says its build; we
// never answer the challenge. SMB 1 is asked only when SMB 2 is refused: there the server names its software.

func (s *session) smb() *service {
	w := s.openSMB()
	if w == nil {
		return nil
	}
	defer w.Close()
	answer := w.ask(frame(smb2Header(0, 0), smb2Negotiate), s.patience, frameEnd)
	if len(answer) < 4+64+8 || !bytes.Equal(answer[4:8], []byte("\xfeSMB")) {
		if len(answer) > 8 && !bytes.Equal(answer[5:8], []byte("SMB")) {
			s.overhear(answer)
			return nil
		}
		if len(answer) > 0 || s.likelySMB() {
			return s.smb1()
		}
		return nil
	}
	found := &service{Name: "microsoft-ds"}
	found.note("dialect " + smb2Dialect(answer))
	if len(answer) > 4+64+2 && answer[4+64+2]&2 == 0 {
		found.note("signing not required")
	}
	challenge := w.ask(frame(smb2Header(1, 1), smb2SessionSetup(ntlmNegotiate)), s.patience, frameEnd)
	found.learnNTLM(challenge)
	if found.Product == "Samba" {
		// SMB 2 hides Samba's version; where SMB 1 is still spoken, it tells.
		if old := s.smb1(); old != nil && old.Version != "" {
			old.note(found.Extra)
			return old
		}
	}
	found.versionMissing()
	found.Banner = []byte(found.Extra)
	return found
}

// openSMB connects, on port 139 through a NetBIOS session; nil when nobody is there for it.
func (s *session) openSMB() *wire {
	w, err := s.open()
	if err != nil {
		return nil
	}
	if s.target.addr.Port() == 139 && !netbios(w, s.patience) {
		w.Close()
		return nil
	}
	return w
}

// versionMissing says so, for people, where neither a version nor a system was named.
func (s *service) versionMissing() {
	if s.Version == "" && s.OS == "" {
		s.note("version is not revealed")
	}
}

func (s *session) likelySMB() bool { p := s.target.addr.Port(); return p == 445 || p == 139 }

// netbios opens a session to any name (RFC 1002, 4.3.2), which port 139 wants first.
func netbios(w *wire, patience time.Duration) bool {
	request := append([]byte{0x81, 0, 0, 68}, netbiosName("*SMBSERVER", 0x20)...)
	request = append(request, netbiosName("PATCHSCOUT", 0)...)
	answer := w.ask(request, patience, length(4))
	return len(answer) >= 4 && answer[0] == 0x82
}

// netbiosName is the first-level encoding: each half byte as a letter.
func netbiosName(name string, suffix byte) []byte {
	padded := append([]byte(fmt.Sprintf("%-15s", name)), suffix)
	out := []byte{32}
	for _, c := range padded {
		out = append(out, 'A'+c>>4, 'A'+c&15)
	}
	return append(out, 0)
}

// frame puts the parts behind the length of the direct TCP transport.
func frame(parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{0, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func frameEnd(b []byte) bool {
	return len(b) >= 4 && len(b) >= 4+min(int(b[1])<<16|int(b[2])<<8|int(b[3]), 1<<16)
}

func smb2Header(command, message byte) []byte {
	h := make([]byte, 64)
	copy(h, "\xfeSMB")
	h[4] = 64
	h[6] = 1 // credit charge
	h[12] = command
	h[14] = 1 // credits
	h[24] = message
	return h
}

// smb2Negotiate offers the dialects 2.0.2, 2.1, 3.0 and 3.0.2; 3.1.1 would want contexts and tells nothing more.
var smb2Negotiate = func() []byte {
	b := make([]byte, 36)
	b[0], b[2], b[4] = 36, 4, 1
	copy(b[12:28], "patchscout-scan-")
	return append(b, 0x02, 0x02, 0x10, 0x02, 0x00, 0x03, 0x02, 0x03)
}()

func smb2Dialect(answer []byte) string {
	if len(answer) < 4+64+6 {
		return "?"
	}
	d := binary.LittleEndian.Uint16(answer[4+64+4:])
	return map[uint16]string{0x202: "2.0.2", 0x210: "2.1", 0x300: "3.0", 0x302: "3.0.2", 0x311: "3.1.1", 0x2ff: "2.???"}[d]
}

// ntlmNegotiate asks for unicode, OEM, NTLM, extended security and the server's version.
var ntlmNegotiate = []byte("NTLMSSP\x00\x01\x00\x00\x00\x07\x82\x08\xa2" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x06\x01\xb1\x1d\x00\x00\x00\x0f")

func smb2SessionSetup(token []byte) []byte {
	token = spnego(token)
	b := make([]byte, 24)
	b[0], b[3] = 25, 1
	binary.LittleEndian.PutUint16(b[12:], 64+24)
	binary.LittleEndian.PutUint16(b[14:], uint16(len(token)))
	return append(b, token...)
}

// spnego wraps an NTLM token in a NegTokenInit (RFC 4178).
func spnego(ntlm []byte) []byte {
	der := func(tag byte, contents ...[]byte) []byte {
		body := bytes.Join(contents, nil)
		return append([]byte{tag, byte(len(body))}, body...)
	}
	ntlmssp := []byte{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}
	init := der(0xa0, der(0x30, der(0xa0, der(0x30, ntlmssp)), der(0xa2, der(0x04, ntlm))))
	return der(0x60, []byte{0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02}, init)
}

// learnNTLM finds the NTLM challenge in an answer and reads the version and names in it (MS-NLMP 2.2.1.2).
func (s *service) learnNTLM(answer []byte) {
	at := bytes.Index(answer, []byte("NTLMSSP\x00\x02\x00\x00\x00"))
	if at < 0 {
		return
	}
	m := answer[at:]
	if len(m) < 48 {
		return
	}
	flags := binary.LittleEndian.Uint32(m[20:])
	names := ntlmNames(m)
	if name := names[3]; name != "" {
		s.HostNames = hostName(name)
		s.note("host " + name)
	}
	if names[2] != "" {
		s.note("domain " + names[2])
	}
	if names[1] != "" {
		s.note("computer " + names[1])
	}
	if flags&0x02000000 == 0 || len(m) < 56 {
		return
	}
	major, minor, build := m[48], m[49], binary.LittleEndian.Uint16(m[50:])
	if build == 0 {
		// Samba says Windows 6.1 with build 0 whatever its own version is.
		if g, ok := identify("app", "samba"); ok {
			s.add(g)
		}
		return
	}
	s.Product = "Microsoft Windows SMB"
	s.note(fmt.Sprintf("Windows %d.%d build %d", major, minor, build))
	s.OS = fmt.Sprintf("Windows %d.%d build %d", major, minor, build)
	s.OSCPEs = []string{cpeName('o', "microsoft", "windows", "", "")}
}

// ntlmNames reads the target information: 1 computer, 2 domain, 3 DNS host name.
func ntlmNames(m []byte) map[uint16]string {
	names := map[uint16]string{}
	size, at := int(binary.LittleEndian.Uint16(m[40:])), int(binary.LittleEndian.Uint32(m[44:]))
	if at < 0 || at > len(m) || size > len(m)-at {
		return names
	}
	for b := m[at : at+size]; len(b) >= 4 && len(names) < 16; {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if id == 0 || n > len(b)-4 {
			break
		}
		names[id] = line(utf16Text(b[4 : 4+n]))
		b = b[4+n:]
	}
	return names
}

func utf16Text(b []byte) string {
	var units []uint16
	for i := 0; i+1 < len(b) && len(units) < 256; i += 2 {
		units = append(units, binary.LittleEndian.Uint16(b[i:]))
	}
	return string(utf16.Decode(units))
}

// smb1 negotiates "NT LM 0.12" and asks for a session with an NTLM token; the answer names the system and the software
// ("Unix", "Samba 3.0.20-Debian").
func (s *session) smb1() *service {
	w := s.openSMB()
	if w == nil {
		return nil
	}
	defer w.Close()
	negotiate := []byte("\x00\x0c\x00\x02NT LM 0.12\x00")
	answer := w.ask(frame(smb1Header(0x72), negotiate), s.patience, frameEnd)
	if len(answer) < 4+32+5 || !bytes.Equal(answer[4:8], []byte("\xffSMB")) {
		s.overhear(answer)
		return nil
	}
	found := &service{Name: "microsoft-ds"}
	found.note("SMB 1")
	setup := w.ask(frame(smb1Header(0x73), smb1SessionSetup(spnego(ntlmNegotiate))), s.patience, frameEnd)
	found.learnNTLM(setup)
	found.learnSMB1(setup)
	found.versionMissing()
	found.Banner = []byte(found.Extra)
	return found
}

func smb1Header(command byte) []byte {
	h := make([]byte, 32)
	copy(h, "\xffSMB")
	h[4] = command
	h[9] = 0x18
	binary.LittleEndian.PutUint16(h[10:], 0xc801) // unicode, NT status, extended security, long names
	binary.LittleEndian.PutUint16(h[26:], 0xfeff)
	return h
}

func smb1SessionSetup(token []byte) []byte {
	words := make([]byte, 24)
	words[0] = 0xff
	binary.LittleEndian.PutUint16(words[4:], 4356)
	binary.LittleEndian.PutUint16(words[6:], 10)
	binary.LittleEndian.PutUint16(words[14:], uint16(len(token)))
	binary.LittleEndian.PutUint32(words[20:], 0x800000d4)
	data := append(append([]byte{}, token...), 0, 0, 0, 0, 0, 0)
	b := append([]byte{12}, words...)
	return append(append(b, byte(len(data)), byte(len(data)>>8)), data...)
}

// learnSMB1 reads the native OS and LAN manager behind the security blob of a session setup.
func (s *service) learnSMB1(answer []byte) {
	const words = 4 + 32
	if len(answer) < words+1+8+2 || answer[words] != 4 {
		return
	}
	blob := int(binary.LittleEndian.Uint16(answer[words+7:]))
	at := words + 1 + 8 + 2 + blob
	if at%2 != 0 {
		at++ // strings are aligned from the SMB header on, which the frame shifts by four
	}
	if at < 0 || at >= len(answer) {
		return
	}
	names := strings.SplitN(utf16Text(answer[at:]), "\x00", 4)
	if len(names) < 2 {
		return
	}
	system, software := line(names[0]), line(names[1])
	s.note(system)
	s.note(software)
	if rest, ok := strings.CutPrefix(software, "Samba "); ok {
		s.Product, s.CPEs, s.OS, s.OSCPEs = "", nil, "", nil
		if g, ok := identify("app", "samba "+rest); ok {
			s.add(g)
		}
		s.distribution(rest)
	}
}
