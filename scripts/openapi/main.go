// Command openapi prints the document that describes the API, from which the web UI's types are made. It starts no server.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/patchscout/patchscout/internal/api"
)

func main() {
	out := flag.String("o", "", "write to this file instead of the standard output")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	doc, err := api.New(api.Options{Version: "dev"}).OpenAPI().MarshalJSON()
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(doc)
		return err
	}
	return os.WriteFile(out, doc, 0o644) //nolint:gosec // it is public
}
