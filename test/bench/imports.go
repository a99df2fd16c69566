package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The limits of imports, each a whole process.
const (
	maxFirstImport = 8   // s: 13,000 findings on 250 hosts
	maxSameImport  = 5   // s: the same file again
	maxWeekImport  = 5   // s: the same hosts a week later
	maxLargeImport = 60  // s: 100,000 findings on 2,000 hosts
	maxImportPeak  = 500 // MB
)

// imports reads reports of a made-up Nessus into an empty estate beside the whole catalogue, on each database.
func (b *bench) imports(ctx context.Context) error {
	lite, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	if err := b.importWeeks(ctx, func(name string) (*importer, error) { return b.liteImporter(lite, name) }, os.Getenv("TEST_LONG") != ""); err != nil {
		return err
	}
	server, err := b.loadedPostgres(ctx)
	if err != nil || server == nil {
		return err
	}
	return b.importWeeks(ctx, func(name string) (*importer, error) { return b.serverImporter(ctx, server, name) }, false)
}

// importer is one empty estate with the whole catalogue.
type importer struct {
	*bench
	database
	server int // process id of the database server, 0 is none
}

// liteImporter copies the catalogue: the estate of a kept folder is not to grow with each run.
func (b *bench) liteImporter(loaded *database, name string) (*importer, error) {
	dir := filepath.Join(b.work, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(loaded.dir, "catalogue.db"))
	if err != nil {
		return nil, err
	}
	return &importer{b, database{name: "SQLite", dir: dir}, 0}, os.WriteFile(filepath.Join(dir, "catalogue.db"), text, 0o600)
}

// serverImporter copies the database within its server, which takes seconds.
func (b *bench) serverImporter(ctx context.Context, server *postgres, name string) (*importer, error) {
	at := func(database string) string { return strings.Replace(server.url, "/bench?", "/"+database+"?", 1) }
	db, err := sql.Open("pgx", at("postgres"))
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // nothing is pending
	name = strings.ReplaceAll(name, "-", "_")
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+name+` TEMPLATE bench STRATEGY file_copy`); err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	return &importer{b, database{name: "PostgreSQL", dir: filepath.Join(b.work, name), url: at(name)}, server.pid}, nil
}

// importWeeks measures a small estate over two weeks, then a large one; huge adds a file of 1 GB.
func (b *bench) importWeeks(ctx context.Context, empty func(name string) (*importer, error), huge bool) error {
	if err := b.importSmall(ctx, empty); err != nil {
		return err
	}
	if err := b.importLarge(ctx, empty, "100,000 findings, 2,000 hosts", 100_000, 2000, 0); err != nil || !huge {
		return err
	}
	return b.importLarge(ctx, empty, "a file of 1 GB", 100_000, 2000, 10<<10)
}

func (b *bench) importSmall(ctx context.Context, empty func(name string) (*importer, error)) error {
	const findings = 13_000
	made, err := newNessusEstate(ctx, b.feeds, 250, findings)
	if err != nil {
		return err
	}
	on, err := empty("import-small")
	if err != nil {
		return err
	}
	file := filepath.Join(b.work, "week.nessus")
	want, err := made.write(file)
	if err != nil {
		return err
	}
	fmt.Printf("import, %s (13,000 findings on 250 hosts, %.0f MB)\n", on.name, fileSize(file)/mega)
	if err := on.run(ctx, "first", file, maxFirstImport, want, want.findings); err != nil {
		return err
	}
	if err := on.run(ctx, "the same file again", file, maxSameImport, want, 0); err != nil {
		return err
	}
	if err := on.check(ctx, findings, 0); err != nil {
		return err
	}
	changed := made.nextWeek(0.02)
	if want, err = made.write(file); err != nil {
		return err
	}
	if err := on.run(ctx, fmt.Sprintf("a week later, %d gone, %[1]d new", changed), file, maxWeekImport, want, changed); err != nil {
		return err
	}
	return errors.Join(on.check(ctx, findings, changed), os.Remove(file))
}

// importLarge imports one report with padding bytes more in each of its items.
func (b *bench) importLarge(ctx context.Context, empty func(name string) (*importer, error), name string, findings, hosts, padding int) error {
	made, err := newNessusEstate(ctx, b.feeds, hosts, findings)
	if err != nil {
		return err
	}
	made.padding = strings.Repeat("  an output of many lines, as of a list of packages or users\n", padding/61)
	on, err := empty(fmt.Sprintf("import-%d-%d", findings, padding))
	if err != nil {
		return err
	}
	file := filepath.Join(b.work, "large.nessus")
	want, err := made.write(file)
	if err != nil {
		return err
	}
	limit := float64(maxLargeImport)
	if padding > 0 {
		limit = 10 * maxLargeImport
	}
	fmt.Printf("import, %s (%s, %.0f MB)\n", on.name, name, fileSize(file)/mega)
	return errors.Join(on.run(ctx, name, file, limit, want, want.findings), os.Remove(file), os.RemoveAll(on.dir))
}

func fileSize(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// run measures one import, whose ledger must be as expected with so many new findings.
func (i *importer) run(ctx context.Context, name, file string, limit float64, want expected, added int) error {
	before, err := i.work()
	if err != nil {
		return err
	}
	u, err := i.own(ctx, &i.database, nil, "import", file, "--format", "json")
	if err != nil {
		return err
	}
	after, err := i.work()
	if err != nil {
		return err
	}
	name = i.name + ", " + name
	i.figure(name, u.wall.Seconds(), limit, "s")
	i.note(name, (u.cpu + after - before).Seconds(), "CPU s")
	i.figure(name+", peak memory", u.peak/mega, maxImportPeak, "MB")
	return i.ledger(u.stdout, want, added)
}

// work is what the database server has worked.
func (i *importer) work() (time.Duration, error) {
	if i.server == 0 {
		return 0, nil
	}
	return cpuOf(i.server)
}

func (i *importer) ledger(document []byte, want expected, added int) error {
	var doc struct {
		Files []struct {
			Tool              string
			Records, Expanded int
			Findings          struct{ New, Merged, Informational int }
			Dropped           []struct{ Count int }
		}
	}
	if err := json.Unmarshal(document, &doc); err != nil || len(doc.Files) != 1 {
		return fmt.Errorf("answer of import: %w: %.200s", err, document)
	}
	l := doc.Files[0]
	is := expected{l.Records, l.Expanded, l.Findings.New + l.Findings.Merged, l.Findings.Informational}
	if l.Tool != "nessus" || is != want || l.Findings.New != added || len(l.Dropped) > 0 {
		i.missed++
		fmt.Printf("  the ledger is %+v, want %+v with %d new\n", l, want, added)
	}
	return nil
}

// check counts the findings by state.
func (i *importer) check(ctx context.Context, open, fixed int) error {
	u, err := i.own(ctx, &i.database, nil, "findings", "--state", "all", "--limit", "0", "--format", "json")
	if err != nil {
		return err
	}
	var doc struct{ Findings []struct{ State string } }
	if err := json.Unmarshal(u.stdout, &doc); err != nil {
		return fmt.Errorf("answer of findings: %w", err)
	}
	states := map[string]int{}
	for _, f := range doc.Findings {
		states[f.State]++
	}
	if states["open"] != open || states["fixed"] != fixed || len(doc.Findings) != open+fixed {
		i.missed++
		fmt.Printf("  findings by state: %v, want %d open and %d fixed\n", states, open, fixed)
	}
	return nil
}
