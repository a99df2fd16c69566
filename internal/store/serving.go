package store

import (
	"context"

	"github.com/patchscout/patchscout/internal/fault"
)

// Serving makes this process the one server of the data folder until release is called; fault.Conflict says that another
// one is. With PostgreSQL there may be many.
func (s *Store) Serving(ctx context.Context) (release func(), err error) {
	if s.folder == nil {
		return func() {}, nil
	}
	held, err := s.folder.lock(ctx, "serve", true, 0)
	if err != nil {
		return nil, fault.Conflict("another server uses the data folder %s", s.folder.path)
	}
	return func() { _ = held.release() }, nil // the process's end releases it too
}
