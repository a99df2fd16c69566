// Command release builds patchscout for every system that it is released for, and packs each with what belongs to it: licences,
// an example of its settings, systemd units on Linux, a bill of materials beside it, and the sums of all. Two runs on one
// commit with one version of Go give the same bytes. It never uses the network for anything but modules that are missing
// from the module cache, and publishes nothing.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// targets are the systems of a release.
const targets = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

// release is what to build, and from what.
type release struct {
	version string
	pkg     string // what is built
	root    string // of the source
	out     string // folder that gets the files; what is in it goes
	targets []target
	at      time.Time // of the source: the time of all files
}

type target struct{ os, arch string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "version, as in 1.2.3")
	out := flags.String("o", "dist/release", "folder for the files; it is emptied")
	list := flags.String("targets", targets, "systems, as os/arch")
	pkg := flags.String("package", "./cmd/patchscout", "what is built")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := release{version: strings.TrimPrefix(*version, "v"), pkg: *pkg, root: ".", out: *out}
	if !regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`).MatchString(r.version) {
		return fmt.Errorf("-version %q: want letters, digits, dots, + and -", *version)
	}
	for _, name := range strings.Split(*list, ",") {
		system, arch, ok := strings.Cut(strings.TrimSpace(name), "/")
		if !ok {
			return fmt.Errorf("-targets: %q: want os/arch", name)
		}
		r.targets = append(r.targets, target{system, arch})
	}
	var err error
	if r.at, err = sourceTime(ctx); err != nil {
		return err
	}
	return r.make(ctx)
}

// sourceTime is the time of the commit, or SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch).
func sourceTime(ctx context.Context) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("ask git for the time of the commit (or set SOURCE_DATE_EPOCH): %w", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the time of the source: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// make builds and packs all targets, and writes their sums last.
func (r release) make(ctx context.Context) error {
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o755)); err != nil {
		return err
	}
	var made []string
	for _, t := range r.targets {
		names, err := r.one(ctx, t)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
		made = append(made, names...)
	}
	return r.sums(made)
}

// one makes the archive and the bill of materials of a target.
func (r release) one(ctx context.Context, t target) (made []string, err error) {
	work, err := os.MkdirTemp("", "patchscout-release-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	binary := filepath.Join(work, t.binary())
	if err := r.build(ctx, t, binary); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	bom, err := r.bom(t, info, sha256.Sum256(content))
	if err != nil {
		return nil, err
	}
	licences, err := r.licences(ctx, info)
	if err != nil {
		return nil, err
	}
	files, err := r.files(t, content, licences)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("patchscout_%s_%s_%s", r.version, t.os, t.arch)
	archive := name + ".tar.gz"
	write := tarGz
	if t.os == "windows" {
		archive, write = name+".zip", zipped
	}
	packed, err := write(name, files, r.at)
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.WriteFile(filepath.Join(r.out, archive), packed, 0o644),
		os.WriteFile(filepath.Join(r.out, name+".cdx.json"), bom, 0o644))
	fmt.Printf("%s (%d MB)\n", filepath.Join(r.out, archive), len(packed)>>20)
	return []string{archive, name + ".cdx.json"}, err
}

func (t target) binary() string {
	if t.os == "windows" {
		return "patchscout.exe"
	}
	return "patchscout"
}

// build leaves out of the binary what differs from machine to machine: paths, cgo, the state of the work tree.
func (r release) build(ctx context.Context, t target, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.version="+r.version, "-o", path, r.pkg)
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// files are what an archive holds besides its folder.
func (r release) files(t target, binary []byte, licences string) ([]file, error) {
	files := []file{{t.binary(), binary, 0o755}, {"THIRD-PARTY-LICENSES.txt", []byte(licences), 0o644}}
	from := map[string]string{"LICENSE": "LICENSE", "README.md": "README.md", "CHANGELOG.md": "CHANGELOG.md", "patchscout.env.example": ".env.example"}
	if t.os == "linux" {
		for _, unit := range []string{"patchscout.service", "patchscout-worker.service"} {
			from["systemd/"+unit] = "deploy/systemd/" + unit
		}
	}
	for name, path := range from {
		content, err := os.ReadFile(filepath.Join(r.root, path))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, content, 0o644})
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return files, nil
}

// sums writes SHA256SUMS, as sha256sum -c reads it.
func (r release) sums(names []string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(names)) {
		content, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(content), name)
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(b.String()), 0o644)
}
