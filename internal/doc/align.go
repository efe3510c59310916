package doc

// align pairs equal elements of two lists, in order: as many as can be found at
// a bounded cost. It gives, for each element of a, its place in b or -1.
//
// It is the greedy algorithm of Myers ("An O(ND) Difference Algorithm", 1986);
// where the lists differ too much for it, they are first cut at what is there
// once in each (the patience of Cohen), and what has no such anchor stays unpaired.
func align[T comparable](a, b []T) []int {
	pairs := make([]int, len(a))
	for i := range pairs {
		pairs[i] = -1
	}
	alignRange(a, b, 0, 0, pairs)
	return pairs
}

// maxDifference bounds the work: time and memory grow with its square.
const maxDifference = 600

func alignRange[T comparable](a, b []T, atA, atB int, pairs []int) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		pairs[atA] = atB
		a, b, atA, atB = a[1:], b[1:], atA+1, atB+1
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		pairs[atA+len(a)-1] = atB + len(b) - 1
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 || len(b) == 0 || myers(a, b, atA, atB, pairs) {
		return
	}
	prevA, prevB := 0, 0
	for _, p := range anchors(a, b) {
		pairs[atA+p[0]] = atB + p[1]
		alignRange(a[prevA:p[0]], b[prevB:p[1]], atA+prevA, atB+prevB, pairs)
		prevA, prevB = p[0]+1, p[1]+1
	}
	if prevA > 0 {
		alignRange(a[prevA:], b[prevB:], atA+prevA, atB+prevB, pairs)
	}
}

// myers pairs the lists unless they differ by more than maxDifference.
func myers[T comparable](a, b []T, atA, atB int, pairs []int) bool {
	limit := min(len(a)+len(b), maxDifference)
	v := make([]int, 2*limit+2)
	var trace [][]int
	for d := 0; d <= limit; d++ {
		trace = append(trace, append([]int(nil), v[limit-d:limit+d+2]...))
		for k := -d; k <= d; k += 2 {
			var x int
			if k == -d || k != d && v[limit+k-1] < v[limit+k+1] {
				x = v[limit+k+1]
			} else {
				x = v[limit+k-1] + 1
			}
			y := x - k
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			v[limit+k] = x
			if x >= len(a) && y >= len(b) {
				walkBack(trace, len(a), len(b), func(x, y int) { pairs[atA+x] = atB + y })
				return true
			}
		}
	}
	return false
}

// walkBack follows the way that myers found, and calls pair for each step on a diagonal.
func walkBack(trace [][]int, x, y int, pair func(x, y int)) {
	for d := len(trace) - 1; d >= 0; d-- {
		v := trace[d] // v[d+k] is how far diagonal k reached before round d
		k := x - y
		var before int
		if k == -d || k != d && v[d+k-1] < v[d+k+1] {
			before = k + 1
		} else {
			before = k - 1
		}
		fromX := 0
		if d > 0 {
			fromX = v[d+before]
		}
		fromY := fromX - before
		for x > fromX && y > fromY && x > 0 && y > 0 {
			x, y = x-1, y-1
			pair(x, y)
		}
		if d == 0 {
			return
		}
		x, y = fromX, fromY
	}
}

// anchors are pairs of elements that are there once in each list, the longest
// row of them that is in order in both.
func anchors[T comparable](a, b []T) [][2]int {
	type seen struct{ inA, inB, atA, atB int }
	count := map[T]*seen{}
	for i, t := range a {
		s := count[t]
		if s == nil {
			s = &seen{}
			count[t] = s
		}
		s.inA, s.atA = s.inA+1, i
	}
	for i, t := range b {
		if s := count[t]; s != nil {
			s.inB, s.atB = s.inB+1, i
		}
	}
	type link struct {
		a, b int
		prev int
	}
	var links []link
	var tops []int // tops[n] ends the best row of n+1 anchors
	for i, t := range a {
		s := count[t]
		if s.inA != 1 || s.inB != 1 {
			continue
		}
		lo, hi := 0, len(tops)
		for lo < hi {
			if mid := (lo + hi) / 2; links[tops[mid]].b < s.atB {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		l := link{i, s.atB, -1}
		if lo > 0 {
			l.prev = tops[lo-1]
		}
		links = append(links, l)
		if lo == len(tops) {
			tops = append(tops, len(links)-1)
		} else {
			tops[lo] = len(links) - 1
		}
	}
	if len(tops) == 0 {
		return nil
	}
	out := make([][2]int, len(tops))
	for i, n := len(tops)-1, tops[len(tops)-1]; i >= 0; i, n = i-1, links[n].prev {
		out[i] = [2]int{links[n].a, links[n].b}
	}
	return out
}
