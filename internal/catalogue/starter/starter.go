// Package starter carries the starter catalogue inside the binary: bare facts for everything in KEV and for all CVEs of
// the products that a network scan meets most, so that a first scan works offline. It never holds a publisher's text,
// an EPSS score or an exploit.
package starter

import (
	"bytes"
	"context"
	_ "embed"
	"io"

	"github.com/patchscout/patchscout/internal/catalogue"
)

// file is made by `make starter FEEDS=dir`.
//
//go:embed starter.zst
var file []byte

// Load fills a catalogue that has never been filled and says whether it did. progress may be nil.
func Load(ctx context.Context, target catalogue.Target, progress func(done, total int)) (loaded bool, err error) {
	return catalogue.LoadStarter(ctx, target, func() (io.Reader, error) { return bytes.NewReader(file), nil }, progress)
}
