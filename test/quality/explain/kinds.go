package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/intel"
)

// loadCWE reads names and descriptions of MITRE's weaknesses, against which the kinds of flaw are checked.
func (w *world) loadCWE(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(filepath.Base(path), "cwe_weaknesses.json") {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		var r io.Reader = file
		if strings.HasSuffix(path, ".gz") {
			if r, err = gzip.NewReader(file); err != nil {
				return err
			}
		}
		var entries map[string]struct{ ID, Name, Description, Extended_description string }
		if err := json.NewDecoder(r).Decode(&entries); err != nil {
			return err
		}
		for _, e := range entries {
			id := "CWE-" + e.ID
			w.weakness[id] = intel.Weakness{ID: id, Name: e.Name, Description: e.Description + " " + e.Extended_description}
		}
		return nil
	})
}

// usual are common names of weaknesses that MITRE's own texts do not use, and names of its categories, which have no
// text at all.
var usual = map[string]string{
	"path traversal": "22 23 24 35", "cross-site scripting": "79 80 87", "OS command injection": "78", "command injection": "77",
	"memory corruption": "119", "numeric error": "189", "weak security feature": "254", "credentials management": "255",
	"access control error": "264", "cryptographic issue": "310", "key management": "320", "incorrect permissions": "275 732",
	"improper error handling": "388 703 755", "resource management error": "399", "improper privilege management": "265 269",
	"clickjacking": "1021", "open redirect": "601", "CRLF injection": "93", "eval injection": "95", "decompression bomb": "409",
	"mass assignment": "915", "double free": "415", "infinite loop": "834 835", "directory listing": "548", "timing side channel": "208",
	"format string": "134", "forced browsing": "425", "write-what-where": "123", "telling error message": "209",
	"authentication bypass": "302 303 304 305", "type confusion": "843", "untrusted search path": "426 427", "off-by-one error": "193",
	"misleading user interface": "451", "use after release": "672", "secrets in log files": "532", "XML injection": "91",
	"link following": "59 61", "formula injection": "1236", "stack-based buffer overflow": "121", "unsafe reflection": "470",
	"injection": "74 75", "insecure storage": "922", "default credentials": "1391 1392", "weak hash": "328",
	"buffer overflow": "120", "static code injection": "96", "exported Android component": "926", "buffer underwrite": "124",
	"unlimited login attempts": "307",
}

// isKind says that a cited CWE is what engineers call so: the usual name, or one whose words MITRE's text shares.
func (f *facts) isKind(kind string) bool {
	if !f.cited["cwes"] {
		return false
	}
	for _, id := range f.record().CWEs {
		if slices.Contains(strings.Fields(usual[kind]), strings.TrimPrefix(id, "CWE-")) || shares(kind, f.in.Weaknesses[id]) {
			return true
		}
	}
	return false
}

// shares says that at least half of a name's telling words begin like one of MITRE's.
func shares(kind string, entry intel.Weakness) bool {
	have := fold(entry.Name + " " + entry.Description)
	telling, found := 0, 0
	for _, word := range strings.Fields(fold(kind)) {
		if len(word) < 4 || slices.Contains([]string{"improper", "incorrect", "insufficient", "error", "control", "other"}, word) {
			continue
		}
		telling++
		if strings.Contains(have, " "+word[:min(len(word), 6)]) {
			found++
		}
	}
	return telling > 0 && 2*found >= telling
}
