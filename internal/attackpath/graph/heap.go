package graph

// heap is a 4-ary heap of numbers by cost; equal costs go by the smaller number. Numbers may be in it several times.
type heap []entry

type entry struct {
	cost float64
	id   int32
}

func (a entry) before(b entry) bool { return a.cost < b.cost || a.cost == b.cost && a.id < b.id }

func (h *heap) push(cost float64, id int32) {
	*h = append(*h, entry{})
	s, i, x := *h, len(*h)-1, entry{cost, id}
	for i > 0 {
		up := (i - 1) / 4
		if !x.before(s[up]) {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = x
}

func (h *heap) pop() entry {
	s := *h
	top, x := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return top
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(s) {
			break
		}
		for other := child + 1; other < min(4*i+5, len(s)); other++ {
			if s[other].before(s[child]) {
				child = other
			}
		}
		if !s[child].before(x) {
			break
		}
		s[i] = s[child]
		i = child
	}
	s[i] = x
	return top
}
