package assess

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxHeld is about how many bytes of a report's events are held in memory; the rest waits in a file, host by host, so that
// a report of a gigabyte needs no more memory than its largest host.
const maxHeld = 32 << 20

// block is where a part of what was said of a host lies in the spool.
type block struct{ offset, size int64 }

// spool is the temporary file of one report. It has no name where an open file can lose it, so that a killed process leaves
// nothing behind.
type spool struct {
	file *os.File
	end  int64
	buf  bytes.Buffer
}

func openSpool() (*spool, error) {
	file, err := os.CreateTemp("", "patchscout-events-*")
	if err != nil {
		return nil, fmt.Errorf("make room for a long report: %w", err)
	}
	_ = os.Remove(file.Name()) // where it cannot go now, close removes it
	return &spool{file: file}, nil
}

func (s *spool) put(part said) (block, error) {
	s.buf.Reset()
	if err := gob.NewEncoder(&s.buf).Encode(part); err != nil {
		return block{}, fmt.Errorf("keep events aside: %w", err)
	}
	b := block{s.end, int64(s.buf.Len())}
	n, err := s.file.WriteAt(s.buf.Bytes(), s.end)
	s.end += int64(n)
	if err != nil {
		return block{}, fmt.Errorf("keep events aside: %w", err)
	}
	return b, nil
}

func (s *spool) get(b block) (part said, err error) {
	err = gob.NewDecoder(io.NewSectionReader(s.file, b.offset, b.size)).Decode(&part)
	if err != nil {
		err = fmt.Errorf("read events that were kept aside: %w", err)
	}
	return part, err
}

func (s *spool) close() error {
	return errors.Join(s.file.Close(), ignoreGone(os.Remove(s.file.Name())))
}

func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// spill moves what is held into the spool.
func (r *report) spill() (err error) {
	if r.spool == nil {
		if r.spool, err = openSpool(); err != nil {
			return err
		}
	}
	for _, h := range r.hosts {
		if h.empty() {
			continue
		}
		b, err := r.spool.put(h.said)
		if err != nil {
			return err
		}
		h.blocks, h.said = append(h.blocks, b), said{}
	}
	r.size = 0
	return nil
}

func (s said) empty() bool { return len(s.Services)+len(s.Observations)+len(s.Coverage) == 0 }

// load brings back what was said of a host, in the order of the report.
func (r *report) load(h *hostReport) error {
	var all said
	for _, b := range h.blocks {
		part, err := r.spool.get(b)
		if err != nil {
			return err
		}
		all.add(part)
	}
	all.add(h.said)
	h.said, h.blocks = all, nil
	if r.blind {
		h.Coverage = nil
	}
	return nil
}

func (s *said) add(more said) {
	s.Services = append(s.Services, more.Services...)
	s.Observations = append(s.Observations, more.Observations...)
	s.Coverage = append(s.Coverage, more.Coverage...)
}

// close forgets everything.
func (r *report) close() {
	if r.spool != nil {
		_ = r.spool.close() // a temporary file that stays does no harm
	}
	*r = *newReport(r.sensor)
}
