package index

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/wire"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

// Chroma keeps vectors in a ChromaDB server (HTTP API v2; servers 1.0 and later). Only keys, groups, hashes and vectors go
// there, no texts. It is slower than Local and good for those who look at the vectors with other tools.
type Chroma struct {
	server *wire.Server
	name   string
	dims   int

	mu sync.Mutex
	id string // of the collection, once it was found or made
}

// ChromaConfig says where the server is.
type ChromaConfig struct {
	URL        string // http://host:8000; with /api/v2/tenants/T/databases/D where these are not the default ones
	Token      string // sent as x-chroma-token
	Collection string // 3 to 512 of [a-zA-Z0-9._-]: one for each model and estate
	Dimensions int
	Timeout    time.Duration
	Client     *outbound.Client // nil: one that may speak to URL only
}

// withDatabase is the address of a database of the server: the default one, unless one is named.
func withDatabase(address string) string {
	if address = strings.TrimRight(address, "/"); strings.Contains(address, "/api/v2/") {
		return address
	}
	return address + "/api/v2/tenants/default_tenant/databases/default_database"
}

// NewChroma returns a Chroma, or fault.Invalid for an address that is none. It does not connect.
func NewChroma(c ChromaConfig) (*Chroma, error) {
	if c.Dimensions < 1 || c.Dimensions > MaxDimensions {
		return nil, fault.Invalid("vectors of %d dimensions: want 1 to %d", c.Dimensions, MaxDimensions)
	}
	header := http.Header{}
	if c.Token != "" {
		header.Set("X-Chroma-Token", c.Token)
	}
	server, err := wire.New(wire.Config{Name: "ChromaDB", URL: withDatabase(c.URL), Header: header, Timeout: c.Timeout, Client: c.Client})
	if err != nil {
		return nil, err
	}
	return &Chroma{server: server, name: c.Collection, dims: c.Dimensions}, nil
}

// mostBatch is how many records go into one request, which keeps it below some 10 MB; servers take 5,461.
const mostBatch = 1000

// collection finds or makes the collection. One that another model filled is refused.
func (x *Chroma) collection(ctx context.Context) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.id != "" {
		return x.id, nil
	}
	var made struct {
		ID        string `json:"id"`
		Dimension *int   `json:"dimension"`
	}
	err := x.server.Call(ctx, http.MethodPost, "collections", map[string]any{
		"name": x.name, "get_or_create": true, "configuration": map[string]any{"hnsw": map[string]any{"space": "cosine"}},
	}, &made)
	switch {
	case err != nil:
		return "", err
	case made.ID == "":
		return "", fault.Unavailable("ChromaDB names no collection")
	case made.Dimension != nil && *made.Dimension != x.dims:
		return "", fault.Unavailable("the collection %s of ChromaDB holds vectors of %d dimensions, want %d", x.name, *made.Dimension, x.dims)
	}
	x.id = made.ID
	return x.id, nil
}

// call asks something of the collection. One that somebody removed is made again, empty.
func (x *Chroma) call(ctx context.Context, method, what string, in, out any) error {
	for try := 0; ; try++ {
		id, err := x.collection(ctx)
		if err != nil {
			return err
		}
		err = x.server.Call(ctx, method, "collections/"+id+"/"+what, in, out)
		if wire.Status(err) != http.StatusNotFound || try > 0 {
			return err
		}
		x.mu.Lock()
		x.id = ""
		x.mu.Unlock()
	}
}

type chromaRecord struct {
	Group string `json:"group"`
	Hash  string `json:"hash"` // ChromaDB's integers are not all of 64 bits
}

// Upsert adds or replaces.
func (x *Chroma) Upsert(ctx context.Context, items []Item) error {
	for len(items) > 0 {
		some := items[:min(len(items), mostBatch)]
		items = items[len(some):]
		ids, vectors, records := make([]string, len(some)), make([][]float32, len(some)), make([]chromaRecord, len(some))
		for i, it := range some {
			if len(it.Vector) != x.dims {
				return fault.Invalid("vector %d: of %d dimensions, want %d", it.Key, len(it.Vector), x.dims)
			}
			ids[i], vectors[i] = print64(it.Key), it.Vector
			records[i] = chromaRecord{Group: print64(it.Group), Hash: strconv.FormatUint(it.Hash, 16)}
		}
		if err := x.call(ctx, http.MethodPost, "upsert", map[string]any{"ids": ids, "embeddings": vectors, "metadatas": records}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes keys; one that is not there is no error.
func (x *Chroma) Delete(ctx context.Context, keys []int64) error {
	for len(keys) > 0 {
		some := keys[:min(len(keys), mostBatch)]
		keys = keys[len(some):]
		if err := x.call(ctx, http.MethodPost, "delete", map[string]any{"ids": printAll(some)}, nil); err != nil {
			return err
		}
	}
	return nil
}

// found is a page of records.
type chromaFound struct {
	IDs       []string        `json:"ids"`
	Metadatas []*chromaRecord `json:"metadatas"`
}

// Hashes returns the hashes of those keys that are there.
func (x *Chroma) Hashes(ctx context.Context, keys []int64) (map[int64]uint64, error) {
	hashes := make(map[int64]uint64, len(keys))
	for len(keys) > 0 {
		some := keys[:min(len(keys), mostBatch)]
		keys = keys[len(some):]
		var page chromaFound
		if err := x.call(ctx, http.MethodPost, "get", map[string]any{"ids": printAll(some), "include": []string{"metadatas"}}, &page); err != nil {
			return nil, err
		}
		for i, id := range page.IDs {
			key, err := strconv.ParseInt(id, 10, 64)
			if err != nil || i >= len(page.Metadatas) || page.Metadatas[i] == nil {
				continue // not one of ours: it is made again
			}
			hashes[key], _ = strconv.ParseUint(page.Metadatas[i].Hash, 16, 64)
		}
	}
	return hashes, nil
}

// mostKeys bounds what Keys reads.
const mostKeys = 10_000_000

// Keys returns every key, in no order.
func (x *Chroma) Keys(ctx context.Context) (keys []int64, err error) {
	for len(keys) < mostKeys {
		var page chromaFound
		question := map[string]any{"limit": mostBatch, "offset": len(keys), "include": []string{}}
		if err := x.call(ctx, http.MethodPost, "get", question, &page); err != nil {
			return nil, err
		}
		for _, id := range page.IDs {
			key, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				return nil, fault.Unavailable("the collection %s of ChromaDB holds %.40q, which is not ours", x.name, id)
			}
			keys = append(keys, key)
		}
		if len(page.IDs) < mostBatch {
			break
		}
	}
	return keys, nil
}

// Search returns the nearest by cosine.
func (x *Chroma) Search(ctx context.Context, vector []float32, limit int, groups []int64) ([]Hit, error) {
	if len(vector) != x.dims {
		return nil, fault.Invalid("vector of the question: of %d dimensions, want %d", len(vector), x.dims)
	}
	if groups != nil && len(groups) == 0 || limit < 1 {
		return nil, nil
	}
	question := map[string]any{"query_embeddings": [][]float32{vector}, "n_results": limit, "include": []string{"distances"}}
	if groups != nil {
		question["where"] = map[string]any{"group": map[string]any{"$in": printAll(groups)}}
	}
	var answer struct {
		IDs       [][]string   `json:"ids"`
		Distances [][]*float64 `json:"distances"`
	}
	if err := x.call(ctx, http.MethodPost, "query", question, &answer); err != nil {
		return nil, err
	}
	if len(answer.IDs) != 1 || len(answer.Distances) != 1 || len(answer.IDs[0]) != len(answer.Distances[0]) {
		return nil, fault.Unavailable("ChromaDB answers something else than one list of neighbours")
	}
	hits := make([]Hit, 0, len(answer.IDs[0]))
	for i, id := range answer.IDs[0] {
		key, err := strconv.ParseInt(id, 10, 64)
		if d := answer.Distances[0][i]; err == nil && d != nil {
			hits = append(hits, Hit{Key: key, Cosine: 1 - *d})
		}
	}
	return hits, nil
}

// Ping asks whether the server and the database are there. It makes nothing.
func (x *Chroma) Ping(ctx context.Context) error {
	return x.server.Call(ctx, http.MethodGet, "", nil, nil)
}

// Collection is its name.
func (x *Chroma) Collection() string { return x.name }

// Len is how many vectors there are.
func (x *Chroma) Len(ctx context.Context) (n int, err error) {
	return n, x.call(ctx, http.MethodGet, "count", nil, &n)
}

// Remove removes the collection.
func (x *Chroma) Remove(ctx context.Context) error {
	err := x.server.Call(ctx, http.MethodDelete, "collections/"+x.name, nil, nil)
	if wire.Status(err) == http.StatusNotFound {
		err = nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.id = ""
	if err != nil {
		return fmt.Errorf("remove the collection %s: %w", x.name, err)
	}
	return nil
}

// Close does nothing: every request stands for itself.
func (x *Chroma) Close() error { return nil }

func print64(n int64) string { return strconv.FormatInt(n, 10) }

func printAll(list []int64) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = print64(n)
	}
	return out
}
