package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// environment is what one run of the command has: streams, flags, and the parts that it opens when they are needed.
type environment struct {
	version string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	environ []string

	global  globalFlags
	ran     bool // a command's own code has begun
	closers []func() error
}

type globalFlags struct {
	config      string
	dataDir     string
	databaseURL string
	graphURL    string
	llmURL      string
	logFormat   string
	logLevel    string
	logFile     string
	noProgress  bool
}

func (e *environment) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "patchscout",
		Short: "Find out which known vulnerabilities apply to your hosts, most urgent first",
		Long: "PatchScout scans hosts, identifies what answers, matches it against known vulnerabilities and says what to\n" +
			"fix first. Begin with: patchscout scan 127.0.0.1   or, to see it at work: patchscout demo",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&e.global.config, "config", "", "configuration file (YAML); PATCHSCOUT_CONFIG")
	flags.StringVar(&e.global.dataDir, "data-dir", "", "folder of the databases; PATCHSCOUT_DATA_DIR (default the XDG data folder)")
	flags.StringVar(&e.global.databaseURL, "database-url", "", "postgres://… instead of SQLite; PATCHSCOUT_DATABASE_URL")
	flags.StringVar(&e.global.graphURL, "graph-url", "", "bolt://… of a Neo4j that attack paths are written to, too; PATCHSCOUT_GRAPH_URL")
	flags.StringVar(&e.global.llmURL, "llm-url", "", "http://127.0.0.1:11434/v1: an OpenAI-compatible language model that words answers; PATCHSCOUT_LLM_URL")
	flags.StringVar(&e.global.logFormat, "log-format", "", "text or json, on stderr")
	flags.StringVar(&e.global.logLevel, "log-level", "", "debug, info, warn or error")
	flags.StringVar(&e.global.logFile, "log-file", "", "write the log here too, as JSON, rotated by size")
	flags.BoolVar(&e.global.noProgress, "no-progress", false, "no progress bar")
	root.AddCommand(
		e.scanCommand(), e.scannersCommand(), e.importCommand(), e.importsCommand(), e.feedsCommand(), e.matchCommand(), e.cveCommand(), e.techniqueCommand(),
		e.iocCommand(), e.findingsCommand(), e.rulesCommand(), e.assetsCommand(), e.scansCommand(), e.siteCommand(), e.scopeCommand(), e.userCommand(), e.tokenCommand(), e.auditCommand(), e.initCommand(), e.seedCommand(), e.serveCommand(), e.workerCommand(), e.configCommand(), e.backupCommand(), e.restoreCommand(),
		e.jobsCommand(), e.pathsCommand(), e.askCommand(), e.demoCommand(), e.versionCommand(),
	)
	return root
}

// config merges flags over environment over file over defaults.
func (e *environment) config(cmd *cobra.Command) (config.Config, error) {
	return config.Load(e.sources(cmd))
}

func (e *environment) sources(cmd *cobra.Command) config.Sources {
	override := map[string]string{}
	for flag, key := range config.Flags() {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
			override[key] = f.Value.String()
		}
	}
	if e.global.noProgress {
		override["progress"] = "false"
	}
	file := e.global.config
	if file == "" {
		file = e.variable("PATCHSCOUT_CONFIG")
	}
	return config.Sources{File: file, Environ: e.environ, Override: override, Service: cmd.Name() == "serve" || cmd.Name() == "worker"}
}

func (e *environment) variable(name string) string {
	for _, entry := range e.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// open builds the application for a command that uses it; run closes it again.
func (e *environment) open(cmd *cobra.Command) (*app.App, error) {
	cfg, err := e.config(cmd)
	if err != nil {
		return nil, err
	}
	return e.openWith(cmd.Context(), cfg)
}

func (e *environment) openWith(ctx context.Context, cfg config.Config) (*app.App, error) {
	log, err := e.log(cfg)
	if err != nil {
		return nil, err
	}
	a, err := app.Open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	e.closers = append(e.closers, a.Close)
	return a, nil
}

func (e *environment) log(cfg config.Config) (*slog.Logger, error) {
	log, closeLog, err := telemetry.Open(e.stderr, telemetry.Options{
		Format: cfg.Log.Format, Level: cfg.Log.Level, File: cfg.Log.File,
		MaxSizeMB: cfg.Log.MaxSizeMB, MaxFiles: cfg.Log.MaxFiles,
	})
	if err == nil {
		e.closers = append(e.closers, closeLog)
	}
	return log, err
}

// close releases what was opened, last first.
func (e *environment) close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i]())
	}
	e.closers = nil
	return errors.Join(errs...)
}

// terminal says how to draw on w: colour and a width only on a real terminal, never with NO_COLOR (no-color.org: any
// value but the empty one) or TERM=dumb.
func (e *environment) terminal(w io.Writer) report.Terminal {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return report.Terminal{Width: e.columns()}
	}
	t := report.Terminal{Colour: e.variable("NO_COLOR") == "" && e.variable("TERM") != "dumb"}
	t.Width, _, _ = term.GetSize(int(file.Fd()))
	if c := e.columns(); c > 0 {
		t.Width = c
	}
	return t
}

// columns is COLUMNS where somebody set it; 0 is unlimited.
func (e *environment) columns() int {
	n, err := strconv.Atoi(e.variable("COLUMNS"))
	if err != nil || n < 20 {
		return 0
	}
	return n
}

func (e *environment) view(w io.Writer, limit, minConfidence int) report.View {
	return report.View{Terminal: e.terminal(w), Now: time.Now().UTC(), Limit: limit, MinConfidence: minConfidence}
}

// steady trades memory, up to a soft limit in bytes, for most of the collector's work: a long list or a full load makes
// much garbage that never lives long. What the user set in the environment stands.
func (e *environment) steady(limit int64) {
	if e.variable("GOGC") == "" && e.variable("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(limit)
	}
}
