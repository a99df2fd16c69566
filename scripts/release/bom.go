package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// The parts of a CycloneDX 1.6 document that we write (cyclonedx.org/docs/1.6/json).
type (
	bom struct {
		Schema       string       `json:"$schema"`
		BOMFormat    string       `json:"bomFormat"`
		SpecVersion  string       `json:"specVersion"`
		SerialNumber string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Scope      string     `json:"scope,omitempty"`
		Hashes     []hash     `json:"hashes,omitempty"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// bom is the bill of materials of a binary: what its own build information says is in it, and nothing else.
func (r release) bom(t target, info *debug.BuildInfo, sum [sha256.Size]byte) ([]byte, error) {
	self := component{Type: "application", Name: "patchscout", Version: r.version, PURL: purl(info.Main.Path, r.version),
		Hashes:     []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
		Properties: []property{{"patchscout:goos", t.os}, {"patchscout:goarch", t.arch}, {"patchscout:go", info.GoVersion}}}
	self.Ref = self.PURL
	std := component{Type: "library", Name: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go"), Scope: "required"}
	std.PURL = "pkg:golang/stdlib@" + std.Version
	std.Ref = std.PURL
	list := []component{std}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		p := purl(m.Path, m.Version)
		list = append(list, component{Type: "library", Ref: p, Name: m.Path, Version: m.Version, Scope: "required", PURL: p})
	}
	slices.SortFunc(list, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	tree := dependency{Ref: self.Ref}
	for _, c := range list {
		tree.DependsOn = append(tree.DependsOn, c.Ref)
	}
	doc := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6", SerialNumber: serial(sum), Version: 1,
		Metadata:   metadata{Timestamp: r.at.Format(time.RFC3339), Component: self},
		Components: list, Dependencies: []dependency{tree},
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}

// purl names a Go module (github.com/package-url/purl-spec, type golang): versions begin with v, + is written %2B.
func purl(path, version string) string {
	return "pkg:golang/" + strings.ReplaceAll(path, "+", "%2B") + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// serial is a UUID of version 8 (RFC 9562, section 5.8) made of the binary's sum: the same binary has the same.
func serial(sum [sha256.Size]byte) string {
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licences are the terms of everything in the binary, which have to go with it.
func (r release) licences(ctx context.Context, info *debug.BuildInfo) (string, error) {
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	var b strings.Builder
	if err := termsOf(&b, "Go "+info.GoVersion, strings.TrimSpace(string(goroot))); err != nil {
		return "", err
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", m.Path)
		list.Dir = r.root
		dir, err := list.Output()
		if err != nil {
			return "", fmt.Errorf("where is module %s: %w", m.Path, err)
		}
		if err := termsOf(&b, m.Path+" "+m.Version, strings.TrimSpace(string(dir))); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func termsOf(b *strings.Builder, what, dir string) error {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return fmt.Errorf("licence of %s: %w", what, err)
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !licenceName.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("licence of %s: %w", what, err)
		}
		fmt.Fprintf(b, "==== %s: %s\n\n%s\n\n", what, e.Name(), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		found = true
	}
	if !found {
		return fmt.Errorf("%s comes without a licence in %s", what, dir)
	}
	return nil
}
