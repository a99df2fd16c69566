package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/store"
)

// vocabularies are the names that questions may use. What the catalogue has is shared; what the estate has is each view's.
// The zero value is ready for use.
type vocabularies struct {
	mu        sync.Mutex
	catalogue *understand.NameBook // without any estate
	of        int64                // generation of the catalogue
	estates   memo[string, nameBook]
}

// nameBook is a vocabulary with what it was made of of the estate.
type nameBook struct {
	*understand.NameBook
	estate understand.Lists
}

// domains are those of ATT&CK.
var domains = []string{"enterprise", "mobile", "ics"}

// vocabulary is what the asker may name, as the data stands now.
func (a *App) vocabulary(ctx context.Context) (nameBook, error) {
	catalogue, estate, err := a.generations(ctx)
	if err != nil {
		return nameBook{}, err
	}
	key := fmt.Sprintf("%d %s", catalogue, viewKey(a.who.View))
	v := &a.asking.names
	if known, ok := v.estates.find(estate, key); ok {
		return known, nil
	}
	shared, err := a.catalogueNames(ctx, catalogue)
	if err != nil {
		return nameBook{}, err
	}
	lists, err := a.estateNames(ctx)
	if err != nil {
		return nameBook{}, err
	}
	book := nameBook{shared.With(lists), lists}
	v.estates.keepLarge(estate, key, book, len(lists.Hosts)+len(lists.Ours)) // it may be newer than it says: then it is read once more
	return book, nil
}

// generations tell whether anybody wrote since.
func (a *App) generations(ctx context.Context) (catalogue, estate int64, err error) {
	err = a.store.Together(ctx, func(ctx context.Context) (err error) {
		catalogue, estate, err = a.store.Generations(ctx)
		return err
	})
	return catalogue, estate, err
}

// catalogueNames are the names of the catalogue. Those who ask at the same time wait for one reading of it.
func (a *App) catalogueNames(ctx context.Context, generation int64) (*understand.NameBook, error) {
	v := &a.asking.names
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.catalogue != nil && v.of >= generation {
		return v.catalogue, nil
	}
	c := a.store.Catalogue()
	products, err := c.ProductNames(ctx)
	if err != nil {
		return nil, err
	}
	lists := understand.Lists{Products: make([]understand.Known, len(products)), Feeds: FeedNames()}
	for i, p := range products {
		lists.Products[i] = understand.Known(p)
	}
	for _, domain := range domains {
		techniques, err := c.Matrix(ctx, domain)
		if err != nil {
			return nil, err
		}
		for _, t := range techniques {
			if !t.Revoked {
				lists.Techniques = append(lists.Techniques, understand.TechniqueName{ID: t.ID, Name: t.Name})
			}
		}
	}
	v.catalogue, v.of = understand.NewNames(lists), generation
	return v.catalogue, nil
}

// estateNames are the names of what the asker may see.
func (a *App) estateNames(ctx context.Context) (understand.Lists, error) {
	var names store.Names
	sites := []string{}
	err := a.store.Together(ctx, func(ctx context.Context) (err error) {
		if names, err = a.store.Estate().Names(ctx, a.who.View); err != nil {
			return err
		}
		list, err := a.store.Estate().Sites(ctx, a.who.View)
		for _, s := range list {
			sites = append(sites, s.Name)
		}
		return err
	})
	lists := understand.Lists{Ours: names.Products, Sites: sites, Owners: names.Owners, Tags: names.Tags, Labels: names.Labels, Scanners: names.Sensors,
		Hosts: make([]understand.HostEntry, len(names.Hosts))}
	for i, h := range names.Hosts {
		lists.Hosts[i] = understand.HostEntry(h)
	}
	return lists, err
}
