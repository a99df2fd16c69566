package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/patchscout/patchscout/internal/store/storetest"
)

// postgres loads all feeds into an empty PostgreSQL and compares with SQLite's work in this run.
func (b *bench) postgres(ctx context.Context) error {
	lite, err := b.firstSync(ctx)
	if err != nil {
		return err
	}
	fmt.Println("feeds sync, PostgreSQL")
	server, err := b.startPostgres()
	if err != nil || server == nil {
		return err
	}
	load, err := server.load(ctx, b, b.feeds)
	if err != nil {
		return err
	}
	server.loaded = true
	b.note("all feeds, first sync", load.wall.Seconds(), "s")
	b.note("all feeds, first sync, patchscout", load.cpu.Seconds(), "CPU s")
	b.note("all feeds, first sync, the server", load.server.Seconds(), "CPU s")
	b.note("the same into SQLite", lite.cpu.Seconds(), "CPU s")
	b.figure("all feeds, PostgreSQL / SQLite", (load.cpu+load.server).Seconds()/lite.cpu.Seconds(), 1.5, "x")
	b.note("all feeds, first sync, peak of patchscout", load.peak/mega, "MB")
	size, err := server.size(ctx)
	if err != nil {
		return err
	}
	b.note("database", size/mega, "MB")
	second, err := server.load(ctx, b, b.feeds)
	if err != nil {
		return err
	}
	b.note("all feeds, second sync, nothing new", second.wall.Seconds(), "s")
	return nil
}

// postgres is a server of the bench's own with one database. The text index is in the folder on our side.
type postgres struct {
	database
	pid    int
	stop   func()
	loaded bool
}

// startPostgres returns this run's server, nil where there can be none, which it prints.
func (b *bench) startPostgres() (*postgres, error) {
	if b.server != nil {
		return b.server, nil
	}
	if runtime.GOOS != "linux" {
		fmt.Println("  SKIPPED: what the server works is read from Linux's /proc")
		return nil, nil
	}
	url, pid, stop, err := storetest.Serve("bench")
	if errors.Is(err, storetest.ErrNotInstalled) {
		fmt.Println("  SKIPPED:", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b.server = &postgres{
		database: database{name: "PostgreSQL", dir: filepath.Join(b.work, "beside-postgres"), url: url}, pid: pid, stop: stop,
	}
	return b.server, nil
}

// fresh is a database of its own on the server: the one of the lists holds evidence of scans that never were, whose numbers
// new scans would get.
func (p *postgres) fresh(ctx context.Context, name string) (*database, error) {
	c, err := pgx.Connect(ctx, p.url)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx) //nolint:errcheck // nothing is under way
	if _, err := c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return nil, err
	}
	return &database{name: p.name, dir: p.dir + "-" + name, url: strings.Replace(p.url, "/bench?", "/"+name+"?", 1)}, nil
}

func (b *bench) stopPostgres() {
	if b.server != nil {
		b.server.stop()
	}
}

// loadedPostgres returns the server with all feeds in it, loading them if need be; nil where there can be none.
func (b *bench) loadedPostgres(ctx context.Context) (*postgres, error) {
	server, err := b.startPostgres()
	if err != nil || server == nil || server.loaded {
		return server, err
	}
	if _, err := b.load(ctx, &server.database, b.feeds); err != nil {
		return nil, err
	}
	server.loaded = true
	return server, nil
}

// shared is what one run took on both sides.
type shared struct {
	usage
	server time.Duration // CPU
}

func (p *postgres) load(ctx context.Context, b *bench, from string) (s shared, err error) {
	before, err := cpuOf(p.pid)
	if err != nil {
		return s, err
	}
	if s.usage, err = b.load(ctx, &p.database, from); err != nil {
		return s, err
	}
	after, err := cpuOf(p.pid)
	s.server = after - before
	return s, err
}

func (p *postgres) size(ctx context.Context) (size float64, err error) {
	db, err := sql.Open("pgx", p.url)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&size)
	return size, err
}

// tick is the unit of times in /proc: USER_HZ, 100 on all that Go runs on.
const tick = 10 * time.Millisecond

// cpuOf adds up what a process, its children and those that it has seen end have worked. A child that ends between the
// two readings would be missed or count twice; the server's connections end a moment after ours do.
func cpuOf(pid int) (time.Duration, error) {
	settled := int64(-1)
	for range 50 {
		ticks, err := ticksOf(pid)
		if err != nil || ticks == settled {
			return time.Duration(ticks) * tick, err
		}
		settled = ticks
		time.Sleep(20 * time.Millisecond)
	}
	return time.Duration(settled) * tick, nil // a background worker is at it
}

func ticksOf(pid int) (total int64, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	found := false
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		own, parent, ticks, ok := parseStat(string(text))
		if ok && (own == pid || parent == pid) {
			found = found || own == pid
			total += ticks
		}
	}
	if !found {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	return total, nil
}

// parseStat reads "pid (name) state ppid …", see proc(5); the name may hold spaces and brackets. ticks are utime, stime,
// cutime and cstime.
func parseStat(text string) (pid, parent int, ticks int64, ok bool) {
	end := strings.LastIndexByte(text, ')')
	own, _, _ := strings.Cut(text, " ")
	if end < 0 {
		return 0, 0, 0, false
	}
	fields := strings.Fields(text[end+1:]) // from the third of proc(5)'s on
	if len(fields) < 15 {
		return 0, 0, 0, false
	}
	pid, errPID := strconv.Atoi(own)
	parent, errParent := strconv.Atoi(fields[1])
	for _, field := range fields[11:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, 0, false
		}
		ticks += n
	}
	return pid, parent, ticks, errPID == nil && errParent == nil
}
