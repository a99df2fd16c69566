package graph

import (
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// The outcome of an action in a sample is a hash of the seed, the sample and what the action is about. So it stays the same
// when other things are taken away or put in, and a sampled figure never rises by a removal. Numbers that a rebuilt network
// may give anew (of facts, actions, classes) are left out.

// mix is a step of splitmix64 over a pair.
func mix(a, b uint64) uint64 {
	z := (a ^ (b * 0x9e3779b97f4a7c15)) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func mixText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return mix(h, uint64(len(s)))
}

func factIdentity(f *attackpath.FactInfo) uint64 {
	h := mix(uint64(f.Kind)<<32|uint64(f.Privilege)<<16|uint64(f.Port), uint64(f.Host))
	return mixText(mixText(mixText(h, f.Site), f.Protocol), f.Text)
}

func (ix *index) identity(a *attackpath.Action) uint64 {
	h := mix(uint64(a.Kind), uint64(a.Host))
	h = mix(h, uint64(a.Finding))
	if a.Weakness >= 0 {
		h = mixText(h, ix.names[a.Weakness])
	}
	h = mix(mixText(h, a.ID), ix.factKey[a.Post])
	all := uint64(0) // the order of needs means nothing
	for i, f := range a.Pre {
		if !slices.Contains(a.Pre[:i], f) {
			all += ix.factKey[f]
		}
	}
	return mix(h, all)
}

// outcomeKeys are the identities with those that are alike told apart by their order, since outcomes are independent.
func (ix *index) outcomeKeys() []uint64 {
	return ix.keys.get(func() []uint64 {
		order := make([]int32, 0, len(ix.key))
		for i, p := range ix.p {
			if p < 1 && ix.edge[i] >= 0 {
				order = append(order, int32(i))
			}
		}
		slices.SortFunc(order, func(a, b int32) int {
			switch {
			case ix.key[a] < ix.key[b]:
				return -1
			case ix.key[a] > ix.key[b]:
				return 1
			}
			return int(a) - int(b)
		})
		keys := slices.Clone(ix.key)
		same := uint64(0)
		for i := 1; i < len(order); i++ {
			if ix.key[order[i]] != ix.key[order[i-1]] {
				same = 0
				continue
			}
			same++
			keys[order[i]] = mix(keys[order[i]], same)
		}
		return keys
	})
}
