package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// A name of a site that the asker may not see would tell him that it is there.
func TestNamesAreThoseOfTheViewAndOfNobodyElse(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng.Open(t).Estate(), 21, 40, 12)
		for _, v := range []auth.View{auth.Everything(), auth.OfSites("branch", "dmz"), auth.OfSites("nowhere")} {
			got, err := w.e.Names(context.Background(), v)
			if err != nil {
				t.Fatal(err)
			}
			want := w.wantNames(v)
			if diff := cmp.Diff(want.hosts, hostsNamed(got)); diff != "" {
				t.Errorf("hosts of %v (-want +got):\n%s", v, diff)
			}
			for what, lists := range map[string][2][]string{
				"owners": {want.owners, got.Owners}, "tags": {want.tags, got.Tags}, "labels": {want.labels, got.Labels},
			} {
				if !slices.Equal(lists[0], lists[1]) {
					t.Errorf("%s of %v are %v, want %v", what, v, lists[1], lists[0])
				}
			}
			for _, product := range want.products {
				if !slices.Contains(got.Products, product) {
					t.Errorf("%v: %q is missing among %v", v, product, got.Products)
				}
			}
			if len(want.hosts) == 0 && len(got.Products)+len(got.Sensors) > 0 {
				t.Errorf("a view without hosts has products %v and sensors %v", got.Products, got.Sensors)
			}
		}
	})
}

type wantedNames struct {
	hosts                          map[int64]string // their sites
	owners, tags, labels, products []string
}

// wantNames gathers in the plainest way.
func (w *world) wantNames(v auth.View) wantedNames {
	n := wantedNames{hosts: map[int64]string{}}
	for id, h := range w.hosts {
		if !v.Sees(h.Site) {
			continue
		}
		n.hosts[id] = h.Site
		for _, tag := range h.Tags {
			n.tags = append(n.tags, strings.ToLower(tag))
		}
		if h.Owner != "" {
			n.owners = append(n.owners, h.Owner)
		}
	}
	for i := range w.rows {
		r := &w.rows[i]
		if _, seen := n.hosts[r.HostID]; !seen {
			continue
		}
		n.labels = append(n.labels, r.Labels...)
		if r.Assignee != "" {
			n.owners = append(n.owners, r.Assignee)
		}
		if name, _ := finding.SplitComponent(r.Component); name != "" {
			n.products = append(n.products, name)
		}
	}
	for _, list := range []*[]string{&n.owners, &n.tags, &n.labels, &n.products} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return n
}

func hostsNamed(n store.Names) map[int64]string {
	out := map[int64]string{}
	for _, h := range n.Hosts {
		out[h.ID] = h.Site
	}
	return out
}
