package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// BackupOptions say what to write, and where.
type BackupOptions struct {
	Version          string
	WithoutCatalogue bool
	Force            bool // replace a file that is there
}

// Backup writes everything that is stored to a file, while others go on to use it. The file is there whole or not at all.
func (a *App) Backup(ctx context.Context, path string, o BackupOptions) (doc report.Backup, err error) {
	if _, err := os.Lstat(path); err == nil && !o.Force {
		return doc, fault.Conflict("%s is there already: --force replaces it", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".patchscout-backup-*") // mode 0600
	if err != nil {
		return doc, fmt.Errorf("write the backup: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // gone once it has its name
	m, err := a.store.Backup(ctx, file, store.BackupOptions{Program: o.Version, WithoutCatalogue: o.WithoutCatalogue})
	if err == nil {
		err = file.Sync()
	}
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		return doc, fmt.Errorf("write the backup %s: %w", path, err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return doc, fmt.Errorf("write the backup: %w", err)
	}
	doc = toBackup(m)
	doc.File, doc.Bytes = report.Text(path), info.Size()
	return doc, nil
}

// Restore puts back a backup where the configuration says that data is. Nobody else may use that data meanwhile.
func Restore(ctx context.Context, cfg config.Config, log *slog.Logger, path string, force bool) (doc report.Backup, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return doc, fault.Invalid("%s does not exist", path)
	}
	if err != nil {
		return doc, fmt.Errorf("read the backup: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return doc, fmt.Errorf("read the backup: %w", err)
	}
	if !info.Mode().IsRegular() {
		return doc, fault.Invalid("%s is no file", path)
	}
	begin := time.Now()
	done, err := store.Restore(ctx, store.Options{DataDir: cfg.DataDir, DatabaseURL: cfg.DatabaseURL.Reveal(), Log: log}, file, store.RestoreOptions{Force: force})
	if err != nil {
		return doc, fmt.Errorf("restore %s: %w", path, err)
	}
	log.InfoContext(ctx, "restored", "created", done.Manifest.Created, "program", done.Manifest.Program, "took", time.Since(begin))
	doc = toBackup(done.Manifest)
	doc.File, doc.Bytes = report.Text(path), info.Size()
	for _, old := range done.Old {
		doc.Kept = append(doc.Kept, report.Text(old))
	}
	return doc, nil
}

func toBackup(m store.Manifest) report.Backup {
	_, whole := m.Schemas["catalogue"]
	return report.Backup{Created: m.Created, Program: report.Text(m.Program), Engine: report.Text(m.Engine), Catalogue: whole,
		Scans: m.Tables["estate/scan"], Hosts: m.Tables["estate/host"], Findings: m.Tables["estate/finding"], CVEs: m.Tables["catalogue/cve"], Kept: []report.Text{}}
}
