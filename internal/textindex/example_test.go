package textindex_test

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/patchscout/patchscout/internal/textindex"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "textindex")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	schema := textindex.Schema{K1: 0.4, Fields: []textindex.Field{
		{Name: "title", Weight: 1, B: 0.6}, {Name: "products", Weight: 3, B: 0.6}, {Name: "description", Weight: 1, B: 0.6},
	}}
	documents := func(yield func(textindex.Document, error) bool) { // as they come from a database
		_ = yield(textindex.Document{Key: 1, Fields: []string{"Path traversal", "apache http_server", "in mod_cgi of 2.4.49"}}, nil) &&
			yield(textindex.Document{Key: 2, Fields: []string{"Request smuggling", "apache http_server", "in mod_proxy up to 2.4.53"}}, nil)
	}
	if err := textindex.Create(ctx, dir, schema, documents, textindex.Options{Generation: 1}); err != nil {
		panic(err)
	}
	changed := textindex.Document{Key: 3, Fields: []string{"Buffer overflow", "vim", "in the spell checker"}}
	change := textindex.Change{From: 1, Deletes: []int64{1}, Upserts: func(yield func(textindex.Document, error) bool) { yield(changed, nil) }}
	if err := textindex.Update(ctx, dir, schema, change, textindex.Options{Generation: 2}); err != nil {
		panic(err)
	}

	index, err := textindex.Open(dir, schema)
	if err != nil {
		panic(err)
	}
	defer index.Close()
	for _, text := range []string{"apache", "mod proxy smuggling", "overflows in vim"} {
		r, err := index.Search(ctx, textindex.Query{Text: text, All: true, Limit: 10})
		if err != nil {
			panic(err)
		}
		keys := slices.Collect(func(yield func(int64) bool) {
			for _, h := range r.Hits {
				yield(h.Key)
			}
		})
		fmt.Println(text, keys, r.Matched)
	}
	// Output:
	// apache [2] 1
	// mod proxy smuggling [2] 1
	// overflows in vim [3] 1
}
