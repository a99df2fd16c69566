package app

import (
	"crypto/rand"
	"fmt"
	"os"

	"github.com/patchscout/patchscout/internal/machine"
)

// Owners of scans are written "process 4711 on host7#pid:[4026531836] …": for people up to the #, after it what makes the
// process comparable (its space of process ids) and unlike any other.

func newOwner() string { return ownerOf(os.Getpid()) + rand.Text() }

func ownerOf(pid int) string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	space, _ := os.Readlink("/proc/self/ns/pid") // where there is none, all processes of a machine share one
	return fmt.Sprintf("process %d on %s#%s ", pid, host, space)
}

// died says whether an owner is surely a process of this machine that has ended. Others are believed to live as long as
// they beat.
func died(owner string) bool {
	var pid int
	if _, err := fmt.Sscanf(owner, "process %d on ", &pid); err != nil || pid <= 0 {
		return false
	}
	if mine := ownerOf(pid); len(owner) < len(mine) || owner[:len(mine)] != mine {
		return false
	}
	return machine.Ended(pid)
}
