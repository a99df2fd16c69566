//go:build !no_ui

// Package web holds the pages that people see in a browser, as `make ui` built them from the React source beside it. It
// answers no requests itself.
package web

import (
	"embed"
	"io/fs"
)

// A clean clone has no more than .gitkeep here, and builds all the same.
//
//go:embed all:dist
var dist embed.FS

// Files are the pages and what they load, nil where they were not built.
func Files() fs.FS {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(built, "index.html"); err != nil {
		return nil
	}
	return built
}
