// Package feed fetches publishers' files and reads them record by record: conditional requests, checksums, retry,
// resume, rate limits, runs. It never stores anything itself and never merges.
package feed
