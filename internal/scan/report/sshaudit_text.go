package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

var (
	// "(kex) diffie-hellman-group1-sha1 (1024-bit) -- [fail] using small 1024-bit modulus"; the comma of 3.x stands for "--".
	sshLine = regexp.MustCompile(`^\((gen|sec|kex|key|enc|mac|fin|rec|cve|nfo|aut)\) (.*)$`)
	sshNote = regexp.MustCompile("^\\s+`- \\[(fail|warn|info)\\] (.*)$")
	sshAlgo = regexp.MustCompile(`^(\S+)(?: \((\d+)-bit[^)]*\))?(?:\s+-- (?:\[(fail|warn|info)\] (.*))?)?$`)
	sshFP   = regexp.MustCompile(`^([a-z0-9-]+): (SHA256:\S+)`)
	sshCVEs = regexp.MustCompile(`^(CVE-\d{4}-\d+)\s+-- (.*)$`)
)

// text reads what ssh-audit prints. Several targets are divided by lines of dashes.
func (s *sshAudit) text(in *bufio.Reader) error {
	t := &sshTarget{keyRank: len(sshKeyRank)}
	for {
		line, err := limitedLine(in)
		if err != nil && err != io.EOF { //nolint:errorlint // bufio returns it bare
			return fmt.Errorf("read ssh-audit report: %w", err)
		}
		line = strings.TrimRight(string(plainText([]byte(line))), "\r\n")
		switch {
		case strings.HasPrefix(line, "-----") && t.hasBanner:
			if err := s.tell(t); err != nil {
				return err
			}
			t = &sshTarget{keyRank: len(sshKeyRank)}
		case err == nil || line == "": // a last line without its end was cut off
			t.textLine(line)
		}
		if err == nil {
			continue
		}
		if !t.hasBanner && !s.met {
			return fault.Invalid("not an ssh-audit report: it has no banner")
		}
		if line != "" {
			return errors.Join(s.tell(t), fmt.Errorf("ssh-audit %w within a line", scan.ErrTruncated))
		}
		if err := s.tell(t); err != nil {
			return err
		}
		if t.key == "" { // it stands behind the algorithms
			return fmt.Errorf("ssh-audit %w: it has no fingerprints", scan.ErrTruncated)
		}
		return nil
	}
}

func (t *sshTarget) textLine(line string) {
	if m := sshNote.FindStringSubmatch(line); m != nil && len(t.algorithms) > 0 {
		t.algorithms[len(t.algorithms)-1].note(m[1], m[2])
		return
	}
	m := sshLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	switch what := strings.TrimSpace(m[2]); m[1] {
	case "gen":
		if target, ok := strings.CutPrefix(what, "target: "); ok {
			t.target = target
		}
		if banner, ok := strings.CutPrefix(what, "banner: "); ok {
			t.banner, t.hasBanner = banner, true
		}
		if strings.HasPrefix(what, "software: ") { // it says so too where no version is in the banner
			t.hasBanner = true
		}
	case "kex", "key", "enc", "mac":
		if a := sshAlgo.FindStringSubmatch(what); a != nil {
			algorithm := sshAlgorithm{class: m[1], name: a[1], bits: a[2]}
			algorithm.note(a[3], a[4])
			t.add(algorithm)
		}
	case "cve":
		if c := sshCVEs.FindStringSubmatch(what); c != nil && len(t.cves) < maxSSH {
			t.cves = append(t.cves, sshCVE{c[1], c[2]})
		}
	case "fin":
		if f := sshFP.FindStringSubmatch(what); f != nil {
			t.key, t.keyRank = f[2], 0
		}
	}
}

func (a *sshAlgorithm) note(level, words string) {
	switch level {
	case "fail":
		a.fail = append(a.fail, words)
	case "warn":
		a.warn = append(a.warn, words)
	}
}
