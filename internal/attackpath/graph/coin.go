package graph

// coin tosses 64 coins of chance p at once. Coin i shows when a number below p is drawn for it; the numbers are written bit by
// bit, the first bits of all 64 in one word, until all are decided. They depend on the key alone: with a greater p the coins
// that showed still show.
func coin(key uint64, p float64) uint64 {
	if p >= 1 {
		return ^uint64(0)
	}
	limit := uint64(p * (1 << 53))
	open, shown := ^uint64(0), uint64(0)
	for bit := 52; bit >= 0 && open != 0; bit-- {
		if limit&(1<<(bit+1)-1) == 0 {
			break // what is still open equals p so far, and is not below it
		}
		word := mix(key, uint64(bit))
		if limit>>bit&1 != 0 {
			shown |= open &^ word
			open &= word
		} else {
			open &^= word
		}
	}
	return shown
}

// tosses are the outcomes of actions in a block of 64 samples.
type tosses struct {
	*view
	keys []uint64
	seed uint64 // of the block
}

func (v *view) tosses() *tosses { return &tosses{view: v, keys: v.outcomeKeys()} }

func (t *tosses) block(seed uint64, n int) { t.seed = mix(mix(seed, 0x7061746873636f75), uint64(n)) }

func (t *tosses) action(a int32) uint64 { return coin(mix(t.keys[a], t.seed), t.p[a]) }

// edge tells in which samples a member works.
func (t *tosses) edge(e int32) uint64 {
	works := uint64(0)
	for _, a := range t.members.of(e) {
		if t.gone != nil && t.gone.has(a) {
			continue
		}
		if works |= t.action(a); works == ^uint64(0) {
			break
		}
	}
	return works
}

// cases is a word for the samples of a block.
func cases(samples, block int) uint64 {
	if left := samples - 64*block; left < 64 {
		return 1<<left - 1
	}
	return ^uint64(0)
}
