package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Validate checks the whole configuration and answers with one sentence per first mistake, naming the key.
func (c Config) Validate() error {
	if all := c.Mistakes(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// Mistakes are the sentences of Validate, one of each part of the configuration that has any.
func (c Config) Mistakes() (mistakes []error) {
	for _, check := range []func() error{
		c.validateData, c.validateGraph, c.validateAssistant, c.validateLog, c.validateScan, c.validateScanners, c.validateFeeds, c.validateOutbound, c.Reports.validate, c.SLA.validate, c.Server.validate, c.OIDC.validate,
		c.Jobs.validate, c.Telemetry.validate,
	} {
		if err := check(); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return mistakes
}

func (c Config) validateData() error {
	if c.DataDir == "" {
		return fault.Invalid("data_dir: there is no home folder to keep data in; set --data-dir or PATCHSCOUT_DATA_DIR")
	}
	if c.DatabaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.DatabaseURL.Reveal())
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return fault.Invalid("database_url: want postgres://user@host/database, or nothing for SQLite in the data folder")
	}
	return nil
}

func (c Config) validateGraph() error {
	if c.GraphURL == "" {
		return nil
	}
	u, err := url.Parse(c.GraphURL.Reveal())
	if err != nil || u.Scheme != "bolt" && u.Scheme != "bolt+s" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fault.Invalid("graph_url: want bolt://host:7687, or bolt+s:// with TLS; neo4j:// would go wherever the server sends it")
	}
	return nil
}

// validateAssistant checks addresses and limits; whoever connects judges where they lead.
func (c Config) validateAssistant() error {
	for _, at := range []struct {
		key string
		url Secret
	}{{"llm_url", c.LLMURL}, {"assistant.embed_url", c.Assistant.EmbedURL}, {"assistant.chroma_url", c.Assistant.ChromaURL}} {
		if at.url == "" {
			continue
		}
		u, err := url.Parse(at.url.Reveal())
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fault.Invalid("%s: want http(s)://host[:port][/path], without credentials", at.key)
		}
	}
	a := c.Assistant
	switch {
	case a.LLMTimeout < time.Second || a.LLMTimeout > 10*time.Minute:
		return fault.Invalid("assistant.llm_timeout %s: want 1s to 10m", a.LLMTimeout)
	case a.LLMTokens < 500 || a.LLMTokens > 1_000_000:
		return fault.Invalid("assistant.llm_tokens %d: want 500 to 1000000", a.LLMTokens)
	case a.KeepDays < 1 || a.KeepDays > 3650:
		return fault.Invalid("assistant.keep_days %d: want 1 to 3650", a.KeepDays)
	}
	return nil
}

func (c Config) validateLog() error {
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		return fault.Invalid("log.format %q: want text or json", c.Log.Format)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		return fault.Invalid("log.level %q: want debug, info, warn or error", c.Log.Level)
	}
	if c.Log.MaxSizeMB < 1 || c.Log.MaxSizeMB > 10_000 {
		return fault.Invalid("log.max_size_mb %d: want 1 to 10000", c.Log.MaxSizeMB)
	}
	if c.Log.MaxFiles < 1 || c.Log.MaxFiles > 1000 {
		return fault.Invalid("log.max_files %d: want 1 to 1000", c.Log.MaxFiles)
	}
	return nil
}

func (c Config) validateFeeds() error {
	for _, f := range c.Feeds.All() {
		if f.URL != "" && !isHTTP(f.URL) {
			return fault.Invalid("feeds.%s.url: want an http:// or https:// URL without user name, query or fragment", f.Name)
		}
		if _, err := ParseSchedule(f.Schedule); err != nil {
			return fault.Invalid("feeds.%s.schedule: %w", f.Name, err)
		}
	}
	if u := c.Feeds.NVD.APIURL; u != "" && !isHTTP(u) {
		return fault.Invalid("feeds.nvd.api_url: want an http:// or https:// URL without user name, query or fragment")
	}
	if key := c.Feeds.AbuseCH.AuthKey.Reveal(); strings.ContainsFunc(key, notInKey) {
		return fault.Invalid("feeds.abusech.auth_key: want letters, digits, - and _ only")
	}
	if m := c.Feeds.Mirror; strings.Contains(m, "://") && !isHTTP(m) {
		return fault.Invalid("feeds.mirror: want a folder or an http(s):// URL without user name, query or fragment")
	}
	return nil
}

func (c Config) validateOutbound() error {
	u, err := url.Parse(c.Outbound.Proxy.Reveal())
	if c.Outbound.Proxy != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fault.Invalid("outbound.proxy: want http://host:port")
	}
	return nil
}

// notInKey: the key is a part of URLs and a header.
func notInKey(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
}

// isHTTP says whether s is a URL that names of files can be added to. What people hide in a query would be shown with
// every run.
func isHTTP(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		!strings.ContainsAny(s, "?#")
}
