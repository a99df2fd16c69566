// Package docs is the product's own pages, as they stand in this folder, in the program: the assistant quotes them. It never
// says anything itself.
package docs

import "embed"

// Pages holds one Markdown file a page. The decisions are for whoever changes the product and are left out.
//
//go:embed *.md
var Pages embed.FS
