package doc

// Merge brings together what two have made of one document, block by block.
// What one alone changed is as he changed it. Where both changed the same
// blocks, mine stand, and theirs under them: nothing is lost, and conflicts tells
// how many such places there are. Mine may be a working copy; blocks that nobody
// changed are mine as they are.
func Merge(base, mine, theirs *Node) (merged *Node, conflicts int) {
	o, a, b := blockKeys(base), blockKeys(mine), blockKeys(theirs)
	toA, toB := align(o, a), align(o, b)
	var content []*Node
	i, ia, ib := 0, 0, 0 // what stands before them in each is done
	for {
		// The next block that is in all three.
		next := i
		for next < len(o) && (toA[next] < 0 || toB[next] < 0) {
			next++
		}
		endA, endB := len(a), len(b)
		if next < len(o) {
			endA, endB = toA[next], toB[next]
		}
		switch {
		case equal(a[ia:endA], o[i:next]) && !equal(b[ib:endB], o[i:next]):
			content = append(content, theirs.Content[ib:endB]...)
		case equal(b[ib:endB], o[i:next]), equal(a[ia:endA], b[ib:endB]):
			content = append(content, mine.Content[ia:endA]...)
		default:
			content = append(content, mine.Content[ia:endA]...)
			content = append(content, theirs.Content[ib:endB]...)
			if ia < endA && ib < endB { // else one has only taken out what the other changed
				conflicts++
			}
		}
		if next == len(o) {
			break
		}
		content = append(content, mine.Content[endA])
		i, ia, ib = next+1, endA+1, endB+1
	}
	if len(content) == 0 {
		return Empty(), conflicts
	}
	return &Node{Type: "doc", Attrs: mine.Attrs, Content: content}, conflicts
}

// blockKeys gives for each block what tells whether it is equal to another: its
// normal form. What nobody sees has none.
func blockKeys(n *Node) []string {
	keys := make([]string, len(n.Content))
	for i, c := range n.Content {
		if k := normal(c, false); k != nil {
			keys[i] = string(k.JSON())
		}
	}
	return keys
}

func equal(a, b []string) bool {
	// Blocks that nobody sees count for nothing.
	i, j := 0, 0
	for {
		for i < len(a) && a[i] == "" {
			i++
		}
		for j < len(b) && b[j] == "" {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i, j = i+1, j+1
	}
}

// Steps gives the steps that make one document of another: each replaces a run of
// blocks that differ, the last first, and what is equal is not touched, so that
// whoever writes there goes on.
func Steps(from, to *Node) []Step {
	exact := func(n *Node) []string {
		keys := make([]string, len(n.Content))
		for i, c := range n.Content {
			keys[i] = string(c.JSON())
		}
		return keys
	}
	pairs := align(exact(from), exact(to))
	starts := make([]int, len(from.Content)+1)
	for i, c := range from.Content {
		starts[i+1] = starts[i] + c.Size()
	}
	var steps []Step
	i, j := 0, 0
	for i < len(pairs) || j < len(to.Content) {
		if i < len(pairs) && pairs[i] == j {
			i, j = i+1, j+1
			continue
		}
		end := i
		for end < len(pairs) && pairs[end] < 0 {
			end++
		}
		endTo := len(to.Content)
		if end < len(pairs) {
			endTo = pairs[end]
		}
		steps = append(steps, Replace(starts[i], starts[end], to.Content[j:endTo]...))
		i, j = end, endTo
	}
	for l, r := 0, len(steps)-1; l < r; l, r = l+1, r-1 {
		steps[l], steps[r] = steps[r], steps[l]
	}
	return steps
}
