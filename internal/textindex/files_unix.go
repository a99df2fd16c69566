//go:build unix

package textindex

import (
	"fmt"
	"syscall"
)

// mapFile maps a file for reading. The mapping outlives the file's name.
func mapFile(path string, size uint64) ([]byte, error) {
	f, err := openMapped(path, size)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return data, nil
}

func unmap(data []byte) error { return syscall.Munmap(data) }
