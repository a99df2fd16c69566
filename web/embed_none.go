//go:build no_ui

package web

import "io/fs"

// Files is nil: this build leaves the pages out.
func Files() fs.FS { return nil }
