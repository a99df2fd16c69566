package store

import (
	"context"
	"crypto/rand"
)

// Hold runs fn in a writing transaction of the estate.
func (s *Store) Hold(ctx context.Context, fn func()) error {
	return s.estate.update(ctx, func(*Tx) error {
		fn()
		return nil
	})
}

// Fill writes so many bytes into the estate.
func (s *Store) Fill(ctx context.Context, size int) error {
	return s.estate.update(ctx, func(tx *Tx) error {
		text := make([]byte, size)
		hash := []byte(rand.Text())
		_, err := tx.Exec(ctx, `INSERT INTO text (hash, body) VALUES (?, ?)`, hash, text)
		return err
	})
}
