//go:build !linux

package retrieve_test

import (
	"testing"
	"time"
)

var start = time.Now()

// cpuTime stands in with the time of the clock.
func cpuTime(testing.TB) time.Duration { return time.Since(start) }
