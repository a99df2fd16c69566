// Command make writes the starter catalogue from a folder with NVD's and KEV's files:
//
//	go run ./internal/catalogue/starter/make -from DIR [-o internal/catalogue/starter/starter.zst]
//
// It never fetches anything.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/catalogue/starter"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

// maxSize is what a clone is asked to carry.
const maxSize = 8 << 20

func main() {
	from := flag.String("from", "", "folder with the files of NVD and KEV")
	out := flag.String("o", "internal/catalogue/starter/starter.zst", "file to write")
	flag.Parse()
	if err := run(context.Background(), *from, *out); err != nil {
		fmt.Fprintln(os.Stderr, "starter:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, from, out string) error {
	if from == "" {
		return fmt.Errorf("-from DIR is missing")
	}
	chooser, err := starter.NewChooser()
	if err != nil {
		return err
	}
	publishers := []feed.Publisher{kev.Reader{}, nvd.Reader{}} // KEV first: it decides which CVEs are kept
	found, err := feed.Gather(ctx, feed.Options{Publishers: publishers, From: from})
	if err != nil {
		return err
	}
	for i, g := range found.Feeds {
		if g.Err != nil {
			return g.Err
		}
		if len(g.Files) == 0 {
			return fmt.Errorf("no file of feed %s in %s", g.Feed, from)
		}
		for _, f := range g.Files {
			if err := feed.ReadFile(ctx, publishers[i], f, chooser); err != nil {
				return err
			}
		}
	}
	s := chooser.Starter()
	if day := published(from); day.After(s.Date) {
		s.Date = day
	}
	return write(s, out)
}

// published is the latest date that a .meta file beside NVD's files names, zero if none does.
func published(from string) (latest time.Time) {
	_ = filepath.WalkDir(from, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".meta" {
			return nil // what cannot be read names no date
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for line := range strings.Lines(string(text)) {
			value, ok := strings.CutPrefix(strings.TrimSpace(line), "lastModifiedDate:")
			if day, err := time.Parse(time.RFC3339, value); ok && err == nil && day.After(latest) {
				latest = day.UTC()
			}
		}
		return nil
	})
	return latest
}

func write(s *catalogue.Starter, out string) error {
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		return err
	}
	fmt.Printf("%d CVEs, %d in KEV, as of %s: %d bytes\n", len(s.Records), len(s.KEV), s.Date.Format("2006-01-02"), b.Len())
	if b.Len() > maxSize {
		return fmt.Errorf("%d bytes are over the limit of %d: shorten products.txt", b.Len(), maxSize)
	}
	return os.WriteFile(out, b.Bytes(), 0o644)
}
