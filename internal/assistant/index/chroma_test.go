package index_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/assistant/peertest"
	"github.com/patchscout/patchscout/internal/fault"
)

// collection is an empty one of a server.
func collection(t *testing.T, url string) *index.Chroma {
	t.Helper()
	x, err := index.NewChroma(index.ChromaConfig{URL: url, Collection: fmt.Sprintf("test-%x", rand.Uint64()), Dimensions: dims})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// One server answers all of these: starting one takes a second.
func TestOnChroma(t *testing.T) {
	url := peertest.Chroma(t)
	t.Run("answers as files do", func(t *testing.T) { chromaAnswersAsLocalDoes(t, collection(t, url)) })
	t.Run("a collection that somebody removed is made again", func(t *testing.T) { chromaIsMadeAgain(t, collection(t, url)) })
	t.Run("a collection of another model is refused", func(t *testing.T) { chromaOfAnotherModel(t, url, collection(t, url)) })
}

func chromaAnswersAsLocalDoes(t *testing.T, x *index.Chroma) {
	vectors := cloud(rand.New(rand.NewPCG(21, 22)), 1500, dims)
	upsert(t, x, items(vectors))
	ctx := context.Background()
	if n, err := x.Len(ctx); n != 1500 || err != nil {
		t.Fatalf("%d vectors, %v", n, err)
	}
	local := open(t, t.TempDir())
	upsert(t, local, items(vectors))
	found := 0
	for i := range 30 {
		found += common(search(t, local, vectors[i*40], 10, nil), search(t, x, vectors[i*40], 10, nil))
	}
	if found < 285 {
		t.Errorf("%d of 300 neighbours are those of the index in files", found)
	}
	for _, key := range search(t, x, vectors[0], 20, []int64{1, 2}) {
		if key%3 == 0 {
			t.Errorf("%d is of a group that was not asked for", key)
		}
	}
	if got := search(t, x, vectors[0], 20, []int64{}); len(got) != 0 {
		t.Errorf("without any group %v", got)
	}
	hashes, err := x.Hashes(ctx, []int64{3, 7, 9999})
	if err != nil || len(hashes) != 2 || hashes[7] != 49 {
		t.Errorf("hashes %v, %v", hashes, err)
	}
	if err := x.Delete(ctx, []int64{7, 9999}); err != nil {
		t.Fatal(err)
	}
	keys, err := x.Keys(ctx)
	slices.Sort(keys)
	if err != nil || len(keys) != 1499 || slices.Contains(keys, 7) || keys[1498] != 1499 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func chromaIsMadeAgain(t *testing.T, x *index.Chroma) {
	vectors := cloud(rand.New(rand.NewPCG(23, 24)), 20, dims)
	upsert(t, x, items(vectors))
	if err := x.Remove(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n, err := x.Len(context.Background()); n != 0 || err != nil {
		t.Errorf("%d vectors, %v", n, err)
	}
	upsert(t, x, items(vectors))
	if got := search(t, x, vectors[3], 1, nil); !slices.Equal(got, []int64{3}) {
		t.Errorf("found %v", got)
	}
}

func chromaOfAnotherModel(t *testing.T, url string, x *index.Chroma) {
	upsert(t, x, items(cloud(rand.New(rand.NewPCG(25, 26)), 5, dims)))
	wide, err := index.NewChroma(index.ChromaConfig{URL: url, Collection: x.Collection(), Dimensions: 2 * dims})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wide.Len(context.Background()); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("vectors of other dimensions: %v", err)
	}
}

// What a server may answer that is none, or is broken.
func TestServersThatAnswerNonsense(t *testing.T) {
	for name, answer := range map[string]string{
		"html": "<html>", "no id": "{}", "null": "null", "wrong type": `{"id": 7}`, "nothing": "",
		"dimension": `{"id":"a","dimension":3}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		x, err := index.NewChroma(index.ChromaConfig{URL: server.URL, Collection: "abc", Dimensions: dims})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Search(context.Background(), make([]float32, dims), 3, nil); fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}

func TestNeighboursOfAServerAreCounted(t *testing.T) {
	for name, answer := range map[string]any{
		"two lists": map[string]any{"ids": [][]string{{"1"}, {"2"}}, "distances": [][]float64{{0.1}, {0.2}}},
		"too few":   map[string]any{"ids": [][]string{{"1", "2"}}, "distances": [][]float64{{0.1}}},
		"none":      map[string]any{},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v2/tenants/default_tenant/databases/default_database/collections" {
				fmt.Fprint(w, `{"id":"c"}`)
				return
			}
			_ = json.NewEncoder(w).Encode(answer)
		}))
		x, err := index.NewChroma(index.ChromaConfig{URL: server.URL, Collection: "abc", Dimensions: dims})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Search(context.Background(), make([]float32, dims), 3, nil); fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}
