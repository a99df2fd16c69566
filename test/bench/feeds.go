package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fourFeeds are those that the oldest figure is about.
const fourFeeds = "nvd,kev,epss,exploitdb"

// sync loads into empty folders: four feeds, then all, and all again with nothing new.
func (b *bench) sync(ctx context.Context) error {
	files, err := nvdFiles(b.feeds)
	if err != nil {
		return err
	}
	unzip, err := measure(ctx, nil, nil, "sh", append([]string{"-c", `exec gzip -dc "$@" >/dev/null`, "sh"}, files...)...)
	if err != nil {
		return err
	}
	fmt.Println("feeds sync")
	b.note("gzip -dc over the NVD files", unzip.cpu.Seconds(), "CPU s")
	if err := b.syncFour(ctx, unzip); err != nil {
		return err
	}
	first, err := b.firstSync(ctx)
	if err != nil {
		return err
	}
	b.note("all feeds, first sync", first.wall.Seconds(), "s")
	b.note("all feeds, first sync", first.cpu.Seconds(), "CPU s")
	b.figure("all feeds, first sync / gzip -dc", first.cpu.Seconds()/unzip.cpu.Seconds(), 12, "x")
	b.figure("all feeds, first sync, peak memory", first.peak/mega, 700, "MB")
	// The first search makes the text index, in its background.
	index, err := measure(ctx, nil, nil, b.patchscout, slices.Concat(b.lite.flags(), []string{"cve", "search", "openssh", "--format", "json"})...)
	if err != nil {
		return err
	}
	b.note("text index, by the first search", index.cpu.Seconds(), "CPU s")
	b.note("text index, by the first search, peak memory", index.peak/mega, "MB")
	size, err := folderSize(b.lite.dir)
	if err != nil {
		return err
	}
	b.figure("all feeds, data folder with the text index", size/mega, 700, "MB")
	second, err := b.load(ctx, b.lite, b.feeds)
	if err != nil {
		return err
	}
	b.figure("all feeds, second sync, nothing new", second.wall.Seconds(), 3, "s")
	b.note("all feeds, second sync, nothing new", second.cpu.Seconds(), "CPU s")
	return nil
}

// syncFour has a folder of its own, which goes when it is measured.
func (b *bench) syncFour(ctx context.Context, unzip usage) error {
	four := &database{name: "SQLite", dir: filepath.Join(b.work, "four")}
	defer os.RemoveAll(four.dir)
	first, err := b.load(ctx, four, b.feeds, "--feed", fourFeeds)
	if err != nil {
		return err
	}
	b.note(fourFeeds+", first sync", first.wall.Seconds(), "s")
	b.note(fourFeeds+", first sync", first.cpu.Seconds(), "CPU s")
	b.figure(fourFeeds+" / gzip -dc", first.cpu.Seconds()/unzip.cpu.Seconds(), 9, "x")
	b.figure(fourFeeds+", peak memory", first.peak/mega, 500, "MB")
	return nil
}

// load syncs from a folder. That a feed fails is an error: what is left out takes no time.
func (b *bench) load(ctx context.Context, on *database, from string, more ...string) (usage, error) {
	args := slices.Concat(on.flags(), []string{"feeds", "sync", "--from", from, "--format", "json"}, more)
	u, err := measure(ctx, nil, []int{1}, b.patchscout, args...) // 1: the answer says which feed failed
	if err != nil {
		return u, err
	}
	var doc syncDocument
	if err := json.Unmarshal(u.stdout, &doc); err != nil {
		return u, fmt.Errorf("answer of feeds sync: %w", err)
	}
	for _, r := range doc.Runs {
		if r.Status == "failed" {
			return u, fmt.Errorf("the feed %s failed on %s: %s", r.Feed, on.name, r.Error)
		}
	}
	return u, nil
}

// syncDocument is what is read of the answer of feeds sync.
type syncDocument struct {
	Runs []struct {
		Feed, Status, Error string
		Inserted, Updated   int
	}
}

// firstSync loads all feeds into an empty SQLite, once a run. A folder to keep that holds data is left as it is.
func (b *bench) firstSync(ctx context.Context) (usage, error) {
	if b.first != nil {
		return *b.first, nil
	}
	lite := &database{name: "SQLite", dir: filepath.Join(b.work, "sqlite")}
	if b.keep != "" && !holdsCatalogue(b.keep) {
		lite.dir = b.keep
	}
	first, err := b.load(ctx, lite, b.feeds)
	if err != nil {
		return first, err
	}
	b.first, b.lite = &first, lite
	return first, nil
}

// loaded returns the SQLite with all feeds: this run's, else the kept one, else it is loaded now.
func (b *bench) loaded(ctx context.Context) (*database, error) {
	if b.lite == nil && b.keep != "" && holdsCatalogue(b.keep) {
		b.lite = &database{name: "SQLite", dir: b.keep}
	}
	if b.lite == nil {
		if _, err := b.firstSync(ctx); err != nil {
			return nil, err
		}
	}
	return b.lite, nil
}

func holdsCatalogue(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "catalogue.db"))
	return err == nil
}

// nvdFiles lists the NVD files below a folder, as the command itself would find them.
func nvdFiles(dir string) (files []string, err error) {
	if dir == "" {
		return nil, errors.New("say where the feed files are: -feeds dir")
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := filepath.Base(path)
		if err == nil && !d.IsDir() && strings.HasPrefix(name, "nvdcve-2.0-") && strings.HasSuffix(name, ".json.gz") {
			files = append(files, path)
		}
		return err
	})
	slices.Sort(files)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no nvdcve-2.0-*.json.gz below %s", dir)
	}
	return files, err
}
