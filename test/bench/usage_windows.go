package main

import (
	"os"
	"time"
)

// cpuOfUs is not asked here: the figures are of Linux.
func cpuOfUs() time.Duration { return 0 }

// peakOf is not asked here either.
func peakOf(*os.ProcessState) float64 { return 0 }
