package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
)

func (e *environment) serveCommand() *cobra.Command {
	cmd := e.command("serve", "Answer the API and do background work, until interrupted", cobra.NoArgs, e.serve)
	cmd.Flags().String("listen", "", "address and port (default 127.0.0.1:8000); PATCHSCOUT_SERVER_LISTEN")
	cmd.Flags().String("auth", "", "on, or off: whoever reaches it is admin, on a loopback address only")
	return cmd
}

func (e *environment) serve(cmd *cobra.Command, _ []string) error {
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	return a.Serve(cmd.Context(), app.ServeOptions{Version: e.version, First: e.firstPassword, Ready: func(url string) {
		fmt.Fprintf(e.stderr, "PatchScout listens on %s (documentation: %s/docs)\n", url, url)
	}})
}

// firstPassword is shown once: nobody can read it anywhere later.
func (e *environment) firstPassword(name, password string) {
	fmt.Fprintf(e.stderr, "The first user is %s with the password %s\n"+
		"It is shown this once and has to be changed at the first login. Another one: patchscout user password %s\n", name, password, name)
}
