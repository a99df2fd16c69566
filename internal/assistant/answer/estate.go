package answer

import "context"

// Estate is what is asked of the asker's own hosts and findings.
type Estate interface{}

// estate answers what is asked about findings, hosts, services, software, sites, scans, imports, paths and fixes.
func estate(_ context.Context, _ *Asked, _ *Draft) (bool, error) { return false, nil }
