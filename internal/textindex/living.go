package textindex

import "sync"

// livingCounts remembers how many living documents of a segment hold a word: the dead are still in its postings, and
// must be counted out for a changed index to rank like one built anew.
type livingCounts struct {
	mu    sync.Mutex
	known map[uint64]int // by where the postings are
}

// maxKnown words are remembered, those of some hundred searches.
const maxKnown = 4096

// livingIn is the number of living documents that hold a word.
func (s *segment) livingIn(l listing, c *cursor) (int, error) {
	switch {
	case len(s.dead) == 0:
		return l.df, nil
	case l.df == 1 && s.isDead(l.doc):
		return 0, nil
	case l.df == 1:
		return 1, nil
	}
	s.living.mu.Lock()
	n, ok := s.living.known[l.at]
	s.living.mu.Unlock()
	if ok {
		return n, nil
	}
	n, err := s.countLiving(l, c)
	if err != nil {
		return 0, err
	}
	s.living.mu.Lock()
	defer s.living.mu.Unlock()
	if s.living.known == nil || len(s.living.known) >= maxKnown {
		s.living.known = map[uint64]int{}
	}
	s.living.known[l.at] = n
	return n, nil
}

func (s *segment) countLiving(l listing, c *cursor) (int, error) {
	if err := c.open(s, l, 1); err != nil {
		return 0, err
	}
	n := l.df
	for _, doc := range s.dead {
		more, err := c.seek(doc)
		if err != nil {
			return 0, err
		}
		if !more {
			break
		}
		if c.least() == doc {
			n--
		}
	}
	return n, nil
}
