package catalogue

import "github.com/patchscout/patchscout/internal/cve"

func Title(r *cve.Record) string { return "" }
