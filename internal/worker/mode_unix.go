//go:build unix

package worker

import (
	"os"

	"github.com/patchscout/patchscout/internal/fault"
)

// checkMode refuses a token that anybody on the machine can read. A group that may read it is how secrets are mounted into
// containers.
func checkMode(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fault.Invalid("token file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fault.Invalid("token file %s: it is not a regular file", f.Name())
	}
	if info.Mode().Perm()&0o027 != 0 {
		return fault.Invalid("token file %s: others can use it (mode %04o): chmod 600 %[1]s", f.Name(), info.Mode().Perm())
	}
	return nil
}
