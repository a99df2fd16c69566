package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/machine"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// certificateWarning is how long before its end a certificate is warned of: time enough to get another.
const certificateWarning = 21 * 24 * time.Hour

// CheckConfig judges a configuration and the files that it names; with connect, also whether its databases can be reached
// and read. It changes nothing.
func CheckConfig(ctx context.Context, cfg config.Config, settings []config.Setting, connect bool) report.ConfigCheck {
	c := &configCheck{cfg: cfg, doc: report.ConfigCheck{Mistakes: []report.Text{}, Warnings: []report.Text{}, Settings: []report.Setting{}}}
	for _, s := range settings {
		if s.From != "" {
			c.doc.Settings = append(c.doc.Settings, report.Setting{Key: s.Key, Value: report.Text(s.Value), From: report.Text(s.From)})
		}
	}
	for _, err := range cfg.Mistakes() {
		c.wrong("%v", err)
	}
	if _, err := scopeRules(cfg); err != nil {
		c.wrong("%v", err)
	}
	c.certificate()
	c.tools()
	c.files()
	if connect {
		c.connect(ctx)
		c.graph(ctx)
		c.languageModel(ctx)
		c.nearness(ctx)
	}
	c.doc.OK = len(c.doc.Mistakes) == 0
	return c.doc
}

type configCheck struct {
	cfg config.Config
	doc report.ConfigCheck
}

func (c *configCheck) wrong(format string, args ...any) {
	c.doc.Mistakes = append(c.doc.Mistakes, report.Text(fmt.Sprintf(format, args...)))
}

func (c *configCheck) warn(format string, args ...any) {
	c.doc.Warnings = append(c.doc.Warnings, report.Text(fmt.Sprintf(format, args...)))
}

// certificate reads the TLS pair as the server would.
func (c *configCheck) certificate() {
	s := c.cfg.Server
	if s.TLSCert == "" || s.TLSKey == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		c.wrong("server.tls_cert %s and server.tls_key %s: %v", s.TLSCert, s.TLSKey, err)
		return
	}
	now := time.Now()
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		c.wrong("server.tls_cert: the certificate ended on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		c.wrong("server.tls_cert: the certificate begins on %s", leaf.NotBefore.UTC().Format(time.DateOnly))
	case leaf.NotAfter.Sub(now) < certificateWarning:
		c.warn("server.tls_cert: the certificate ends on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if info, err := os.Stat(s.TLSKey); err == nil && usable(s.TLSKey, info) {
		c.warn("server.tls_key: %s can be read by others", s.TLSKey)
	}
}

// usable says whether others can do anything with a file.
func usable(path string, info os.FileInfo) bool {
	others, err := machine.Others(path, info)
	return err == nil && (others.Read || others.Write)
}

// tools looks for programs where the configuration says that they are.
func (c *configCheck) tools() {
	for _, t := range []struct{ key, path string }{
		{"nmap.path", c.cfg.Nmap.Path}, {"nikto.path", c.cfg.Nikto.Path}, {"nuclei.path", c.cfg.Nuclei.Path},
	} {
		if t.path == "" {
			continue
		}
		if _, err := exec.LookPath(t.path); err != nil && filepath.Ext(t.path) != ".pl" { // nikto.pl is run by perl
			c.wrong("%s: %v", t.key, err)
		} else if _, err := os.Stat(t.path); err != nil {
			c.wrong("%s: %v", t.key, err)
		}
	}
	if folder := c.cfg.Nuclei.Templates; folder != "" {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			c.wrong("nuclei.templates: %s is no folder", folder)
		}
	}
}

// files looks for what else is read or written.
func (c *configCheck) files() {
	for _, f := range []struct{ key, path string }{
		{"outbound.ca_file", c.cfg.Outbound.CAFile}, {"openvas.ca_file", c.cfg.OpenVAS.CAFile}, {"nessus.ca_file", c.cfg.Nessus.CAFile},
		{"openvas.socket", c.cfg.OpenVAS.Socket},
	} {
		if f.path == "" {
			continue
		}
		if _, err := os.Stat(f.path); err != nil {
			c.wrong("%s: %v", f.key, err)
		}
	}
	if dir := c.cfg.DataDir; dir != "" {
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			c.wrong("data_dir: %s is a file", dir)
		}
	}
	if path := c.cfg.Log.File; path != "" {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			c.wrong("log.file: %s is a folder", path)
		}
	}
}

// languageModel asks the model for its name. One that is not on this machine is not asked: that takes an administrator's word,
// which is in the database. Without it answers are composed all the same.
func (c *configCheck) languageModel(ctx context.Context) {
	client, err := newModel(c.cfg, (&App{parts: &parts{cfg: c.cfg}}).door)
	switch {
	case err != nil:
		c.wrong("llm_url: %v", err)
	case client == nil:
	case !client.Local(ctx):
		c.warn("llm_url: %s is not on this machine: it words answers once an administrator accepted that (patchscout ask peers)", client.URL())
	default:
		ctx, end := context.WithTimeout(ctx, probePatience)
		defer end()
		if err := client.Find(ctx); err != nil {
			c.warn("llm_url: %v", err)
		}
	}
}

// graph logs in to the graph database. Without it everything else works.
func (c *configCheck) graph(ctx context.Context) {
	if c.cfg.GraphURL == "" {
		return
	}
	g, err := neo4jMirror{c.cfg}.open(ctx)
	if err != nil {
		c.warn("%v", err)
		return
	}
	_ = g.Close(ctx) // nothing was written
}

// connect opens the database for reading only.
func (c *configCheck) connect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if c.cfg.DatabaseURL == "" {
		if _, err := os.Stat(filepath.Join(c.cfg.DataDir, "estate.db")); errors.Is(err, fs.ErrNotExist) {
			c.warn("data_dir: %s holds no database yet; it is made on first use", c.cfg.DataDir)
			return
		}
	}
	s, err := store.Open(ctx, store.Options{DataDir: c.cfg.DataDir, DatabaseURL: c.cfg.DatabaseURL.Reveal(), ReadOnly: true})
	if errors.Is(err, store.ErrOlder) {
		c.warn("the database: %v", err)
		return
	}
	if err != nil {
		c.wrong("the database: %v", err)
		return
	}
	defer s.Close() //nolint:errcheck // nothing was written
	if _, _, err := s.Generations(ctx); err != nil {
		c.wrong("the database: %v", err)
	}
}
