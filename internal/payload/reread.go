package payload

// Rereads returns the leaves, in order, that Parse would not read as leaves of
// the same text any more after these edits: a text that was no JSON becomes
// JSON, or what stood where an identifier belongs becomes one. Restored from
// such a body, a value would be escaped otherwise than it stood, or not found.
// Who hides values must hide all of such a leaf, or refuse the body. Keys are
// not looked at: what is put over one is no name that a shape knows. The edits
// must be fit for Splice.
func (d *Document) Rereads(edits []Edit) ([]int, error) {
	order, failed := d.order(edits)
	if failed != nil {
		return nil, failed
	}
	var out []int
	for len(order) > 0 {
		i := edits[order[0]].Leaf
		var cuts []cut
		for len(order) > 0 && edits[order[0]].Leaf == i {
			e := &edits[order[0]]
			cuts = append(cuts, cut{e.Start, e.End, e.With})
			order = order[1:]
		}
		if d.leaves[i].Kind != KindKey && d.rereads(i, string(replaced(d.leaves[i].Text, cuts))) {
			out = append(out, i)
		}
	}
	return out, nil
}

func (d *Document) rereads(leaf int, text string) bool {
	from := d.origins[leaf]
	if unsearched(from.deed, text) != "" {
		return true
	}
	if from.deed != deedFree || d.texts[from.level].depth == MaxNested || !mayNest(text) {
		return false
	}
	s := scanner{text: text, maxDepth: d.maxDepth}
	return s.run() == ""
}
