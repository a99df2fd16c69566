package cli

import (
	"github.com/spf13/cobra"
)

func (e *environment) pathsCommand() *cobra.Command {
	var file caseFile
	cmd := e.command("paths", "How an attacker would walk, and the fewest fixes that stop the walk", cobra.NoArgs,
		func(cmd *cobra.Command, _ []string) error { return e.pathsOfCase(cmd, file) })
	file.flags(cmd)
	return cmd
}
