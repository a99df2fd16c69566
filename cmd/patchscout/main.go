// Command patchscout scans hosts, matches what answers against known vulnerabilities and says what to fix first.
package main

import (
	"os"

	"github.com/patchscout/patchscout/internal/cli"
)

// version is set by the Makefile from the git tag.
var version = "dev"

func main() {
	os.Exit(cli.Main(os.Args[1:], version))
}
