package graph

// shortcuts tells which uses of a node matter for some ends. Where a node surely leads to y, and everything else that it is of
// use for comes to the ends only over such y, a derivation can take the short way instead and then needs no label that it did
// not need before. So only the last such y count, and what lies behind them. In a network in which everybody reaches the ports of
// a jewel, that leaves little but its own weaknesses and the ways in.
type shortcuts struct {
	*cutNet
	ends  []int32
	known map[int32][]int32 // by node, what it may be used for; nil: anything
	sure  []int32           // node + 1 that a node is surely led to from
	seen  []int32           // node + 1 that a node was met from
	queue []int32
}

// farShortcut is how many nodes are looked at from the ends before everything is taken to matter.
const farShortcut = 1000

func (n *cutNet) shortcuts(ends []int32) *shortcuts {
	return &shortcuts{cutNet: n, ends: ends, known: map[int32][]int32{}, sure: make([]int32, n.nodes), seen: make([]int32, n.nodes)}
}

// allow tells whether an edge matters.
func (s *shortcuts) allow(e int32) bool {
	for _, x := range s.pre.of(e) {
		list, ok := s.known[x]
		if !ok {
			list = s.look(x)
			s.known[x] = list
		}
		if list != nil && !contains(list, s.post[e]) {
			return false
		}
	}
	return true
}

// look walks back from the ends until it meets what x surely leads to.
func (s *shortcuts) look(x int32) []int32 {
	any := false
	for _, e := range s.needers.of(x) {
		if s.surely(e) {
			s.sure[s.post[e]] = x + 1
			any = true
		}
	}
	if !any {
		return nil
	}
	s.queue = s.queue[:0]
	for _, end := range s.ends {
		s.meet(end, x)
	}
	for at := 0; at < len(s.queue); at++ {
		if len(s.queue) > farShortcut {
			return nil
		}
		y := s.queue[at]
		if s.sure[y] == x+1 {
			continue // behind it the short way is taken
		}
		for _, e := range s.givers.of(y) {
			for _, need := range s.pre.of(e) {
				s.meet(need, x)
			}
		}
	}
	return append(make([]int32, 0, len(s.queue)), s.queue...)
}

func (s *shortcuts) meet(y, x int32) {
	if s.seen[y] != x+1 {
		s.seen[y] = x + 1
		s.queue = append(s.queue, y)
	}
}
