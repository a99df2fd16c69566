package worker

import (
	"os"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// checkMode refuses a token that others than we, administrators and the system can use.
func checkMode(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fault.Invalid("token file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fault.Invalid("token file %s: it is not a regular file", f.Name())
	}
	others, err := machine.Others(f.Name(), info)
	if err != nil {
		return fault.Invalid("token file: %w", err)
	}
	if others.Read || others.Write {
		return fault.Invalid("token file %s: others can use it: icacls %[1]q /inheritance:r /grant:r %q:F", f.Name(), machine.Me())
	}
	return nil
}
