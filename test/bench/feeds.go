package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

const feedNames = "nvd,kev,epss,exploitdb"

// sync loads everything into an empty folder, then again with nothing new.
func (b *bench) sync(ctx context.Context) error {
	files, err := nvdFiles(b.feeds)
	if err != nil {
		return err
	}
	gunzip, err := measure(ctx, nil, nil, "sh", append([]string{"-c", `exec gzip -dc "$@" >/dev/null`, "sh"}, files...)...)
	if err != nil {
		return err
	}
	fmt.Println("feeds sync")
	b.note("gzip -dc over the NVD files", gunzip.cpu.Seconds(), "CPU s")
	first, err := b.own(ctx, nil, "feeds", "sync", "--feed", feedNames, "--from", b.feeds, "--format", "json")
	if err != nil {
		return err
	}
	b.note("first sync", first.wall.Seconds(), "s")
	b.note("first sync", first.cpu.Seconds(), "CPU s")
	b.figure("first sync / gzip -dc", first.cpu.Seconds()/gunzip.cpu.Seconds(), 9, "x")
	b.figure("first sync, peak memory", first.peak/mega, 500, "MB")
	size, err := folderSize(b.dataDir)
	if err != nil {
		return err
	}
	b.figure("data folder", size/mega, 700, "MB")
	second, err := b.own(ctx, nil, "feeds", "sync", "--feed", feedNames, "--from", b.feeds, "--format", "json")
	if err != nil {
		return err
	}
	b.figure("second sync, nothing new", second.wall.Seconds(), 3, "s")
	b.note("second sync, nothing new", second.cpu.Seconds(), "CPU s")
	return nil
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
