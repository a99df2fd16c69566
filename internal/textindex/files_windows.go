package textindex

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapFile maps a file for reading. While it is mapped it cannot be removed: sweep leaves it to a later one.
func mapFile(path string, size uint64) ([]byte, error) {
	f, err := openMapped(path, size)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mapping, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	defer windows.CloseHandle(mapping) //nolint:errcheck // the view holds it
	address, err := windows.MapViewOfFile(mapping, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size), nil //nolint:gosec // memory of the system, not of Go
}

func unmap(data []byte) error {
	return windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(data)))) //nolint:gosec // what mapFile gave
}
