// Package index keeps vectors and finds the nearest: in files of this program (one bit a dimension to choose candidates,
// eight bits to rank them), or in a ChromaDB server. It never knows what a key stands for.
package index

import "context"

// Index finds vectors by nearness. Safe for concurrent use.
type Index interface {
	// Upsert adds or replaces; vectors have length 1.
	Upsert(ctx context.Context, items []Item) error
	Delete(ctx context.Context, keys []int64) error
	// Hashes returns the hashes of those keys that are there.
	Hashes(ctx context.Context, keys []int64) (map[int64]uint64, error)
	// Keys returns every key, in no order.
	Keys(ctx context.Context) ([]int64, error)
	// Search returns the nearest by cosine, at most limit, the nearest first. Only items of the groups are looked at; nil: all.
	Search(ctx context.Context, vector []float32, limit int, groups []int64) ([]Hit, error)
	Len(ctx context.Context) (int, error)
	Close() error
}

// Item is a vector by key, the group that decides who may find it, and the hash of the text it was made of, so that one that
// did not change is not made again.
type Item struct {
	Key    int64
	Group  int64
	Vector []float32
	Hash   uint64
}

// Hit is a neighbour.
type Hit struct {
	Key    int64
	Cosine float64
}
