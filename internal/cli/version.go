package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (e *environment) versionCommand() *cobra.Command {
	return e.command("version", "Version of this binary", cobra.NoArgs, func(*cobra.Command, []string) error {
		_, err := fmt.Fprintf(e.stdout, "patchscout %s (%s %s/%s)\n", e.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	})
}
