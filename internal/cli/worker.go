package cli

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/worker"
)

// workerFlags say where a worker gets its jobs.
type workerFlags struct {
	server, token, caFile, name string
	concurrency                 int
}

func (e *environment) workerCommand() *cobra.Command {
	var f workerFlags
	cmd := e.command("worker", "Run tools for a server, until interrupted", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		return e.worker(cmd, f)
	})
	cmd.Long = "Runs the tools of a server's scans, on this machine.\n\n" +
		"With --server it leases the tasks of one site over HTTPS, with a token of that site, and sends the raw reports back;\n" +
		"it needs no database. With --database-url it does whatever the server itself would do, on the same PostgreSQL."
	flags := cmd.Flags()
	flags.StringVar(&f.server, "server", "", "URL of the server: https://patchscout.example.org (http on this machine only)")
	flags.StringVar(&f.token, "token-file", "", "file with the worker's token, which nobody else may read; read again at each use")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file of who signed the server's certificate, beside the system's")
	flags.StringVar(&f.name, "name", "", "how the server lists this worker (default the host name and process id)")
	flags.IntVar(&f.concurrency, "concurrency", 2, "tools at one time (with --database-url: jobs.tools of the configuration)")
	return cmd
}

func (e *environment) worker(cmd *cobra.Command, f workerFlags) error {
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	if f.concurrency < 1 || f.concurrency > 64 {
		return fault.InvalidOption("concurrency", " %d: want 1 to 64", f.concurrency)
	}
	switch {
	case f.server == "" && cfg.DatabaseURL == "":
		return fault.Invalid("say where the jobs are: --server with --token-file, or --database-url")
	case f.server == "":
		return e.databaseWorker(cmd, cfg, f)
	case cfg.DatabaseURL != "":
		return fault.InvalidOption("server", ": a worker of a server has no database; leave out --database-url (PATCHSCOUT_DATABASE_URL)")
	case f.token == "":
		return fault.InvalidOption("token-file", ": the server wants a token; on the server: patchscout token create --worker --site SITE -o FILE")
	}
	return e.remoteWorker(cmd, cfg, f)
}

// remoteWorker opens nothing but the connection to the server.
func (e *environment) remoteWorker(cmd *cobra.Command, cfg config.Config, f workerFlags) error {
	log, err := e.log(cfg)
	if err != nil {
		return err
	}
	server := worker.Server{URL: f.server, Token: worker.TokenFile(f.token), Version: e.version}
	if server.RootCAs, err = authorities(f.caFile); err != nil {
		return err
	}
	if proxy := cfg.Outbound.Proxy.Reveal(); proxy != "" {
		if server.Proxy, err = url.Parse(proxy); err != nil {
			return fault.Invalid("outbound.proxy is no URL")
		}
	}
	err = app.RemoteWorker(cmd.Context(), cfg, worker.Options{Server: server, Name: f.name, Concurrency: f.concurrency, Log: log, Ready: func(site string) {
		fmt.Fprintf(e.stderr, "PatchScout runs tools of the site %s\n", site)
	}})
	return orInterrupted(cmd, err)
}

// databaseWorker does what the server's own process does, beside answering.
func (e *environment) databaseWorker(cmd *cobra.Command, cfg config.Config, f workerFlags) error {
	if cmd.Flags().Changed("concurrency") {
		cfg.Jobs.Tools = f.concurrency
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return orInterrupted(cmd, a.Work(cmd.Context(), e.version, func() {
		fmt.Fprintln(e.stderr, "PatchScout does the work of the server on its database")
	}))
}

// authorities are the system's and those of a file; nil is the system's.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // as crypto/tls takes it
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.InvalidOption("ca-file", ": %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fault.InvalidOption("ca-file", " %s: there is no PEM certificate in it", file)
	}
	return pool, nil
}

// orInterrupted: a worker that was told to end has done so.
func orInterrupted(cmd *cobra.Command, err error) error {
	if cmd.Context().Err() != nil {
		return nil
	}
	return err
}
