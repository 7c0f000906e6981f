package payload

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Edit replaces a part of a leaf's text. Start and End are byte offsets in
// Leaf.Text, between characters. With is what stands there afterwards, decoded.
type Edit struct {
	Leaf, Start, End int
	With             string
}

// cut replaces a part of a text, or of what a string in it stands for.
type cut struct {
	start, end int
	with       string
}

// Splice returns the body with the edits made. Edits may come in any order; no
// two may overlap, and those that touch keep their order. Every byte that no
// edit replaces stays as it is, at all levels of JSON in strings; a number that
// is edited becomes a string. Parse reads the result alike, but for leaves that
// Rereads names.
func (d *Document) Splice(edits []Edit) ([]byte, error) {
	order, failed := d.order(edits)
	if failed != nil {
		return nil, failed
	}
	// Cuts are made from the innermost level outwards: the new text of a level
	// is an edit of the string that holds it.
	cuts := make([][]cut, len(d.texts))
	for len(order) > 0 {
		i := edits[order[0]].Leaf
		n := 1
		for n < len(order) && edits[order[n]].Leaf == i {
			n++
		}
		own, failed := d.cutLeaf(edits, order[:n])
		if failed != nil {
			return nil, failed
		}
		order = order[n:]
		at := d.origins[i].level
		cuts[at] = append(cuts[at], own...)
	}
	for i := len(cuts) - 1; i > 0; i-- {
		if len(cuts[i]) == 0 {
			continue
		}
		inner, parent := d.texts[i], d.texts[i].parent
		lifted, ok := d.lift(d.texts[parent].text, inner.start, inner.end, sorted(cuts[i]))
		if !ok {
			return nil, &Error{Rule: RuleEditJoin}
		}
		cuts[parent] = append(cuts[parent], lifted...)
	}
	return replaced(d.texts[0].text, sorted(cuts[0])), nil
}

// order checks the edits and returns their indexes in the order of the body.
func (d *Document) order(edits []Edit) ([]int, *Error) {
	order := make([]int, len(edits))
	for i := range edits {
		e := &edits[i]
		order[i] = i
		switch {
		case e.Leaf < 0 || e.Leaf >= len(d.leaves):
			return nil, &Error{Rule: RuleEditLeaf, At: i}
		case !between(d.leaves[e.Leaf].Text, e.Start, e.End):
			return nil, &Error{Rule: RuleEditRange, At: i}
		case !utf8.ValidString(e.With):
			return nil, &Error{Rule: RuleEditUTF8, At: i}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &edits[a], &edits[b]
		return cmp.Or(cmp.Compare(x.Leaf, y.Leaf), cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End))
	})
	for i := 1; i < len(order); i++ {
		before, e := &edits[order[i-1]], &edits[order[i]]
		if before.Leaf == e.Leaf && before.End > e.Start {
			return nil, &Error{Rule: RuleEditOverlap, At: order[i]}
		}
	}
	return order, nil
}

// between says whether two offsets are in the text, in order, between characters.
func between(text string, start, end int) bool {
	return 0 <= start && start <= end && end <= len(text) &&
		(start == len(text) || utf8.RuneStart(text[start])) && (end == len(text) || utf8.RuneStart(text[end]))
}

// cutLeaf returns what edits of one leaf, in order, mean in the text that it
// stands in.
func (d *Document) cutLeaf(edits []Edit, order []int) ([]cut, *Error) {
	leaf := edits[order[0]].Leaf
	from := d.origins[leaf]
	cuts := make([]cut, 0, len(order))
	for _, i := range order {
		e := &edits[i]
		// Deletions that touch are one, so that lift sees all that is left out
		// between two characters that stay.
		if last := len(cuts) - 1; last >= 0 && cuts[last].end == e.Start && cuts[last].with == "" && e.With == "" {
			cuts[last].end = e.End
			continue
		}
		cuts = append(cuts, cut{e.Start, e.End, e.With})
	}
	lifted, ok := d.lift(d.texts[from.level].text, from.start, from.end, cuts)
	if !ok {
		return nil, &Error{Rule: RuleEditJoin, At: order[0]}
	}
	if d.leaves[leaf].Kind == KindNumber {
		const quote = `"`
		lifted = append([]cut{{int(from.start), int(from.start), quote}}, lifted...)
		lifted = append(lifted, cut{int(from.end), int(from.end), quote})
	}
	return lifted, nil
}

// lift turns cuts of what a string stands for, in order, into cuts of the text
// that the string is in. It refuses to leave nothing between two halves of a
// character that stand alone: they would become one.
func (d *Document) lift(text string, start, end uint32, cuts []cut) ([]cut, bool) {
	c := cursor{raw: text[start:end], literal: d.faults.rawOffsets}
	out := make([]cut, len(cuts))
	for i, in := range cuts {
		c.to(in.start)
		before, first := c.halved, c.at
		c.to(in.end)
		alone := (i == 0 || cuts[i-1].end < in.start) && (i == len(cuts)-1 || in.end < cuts[i+1].start)
		if in.with == "" && alone && c.joins(before) && !d.faults.joining {
			return nil, false
		}
		out[i] = cut{int(start) + first, int(start) + c.at, d.escape(in.with)}
	}
	return out, true
}

// escape spells a text for one level. Tokens and most values are spelled as
// they are.
func (d *Document) escape(text string) string {
	if d.faults.plainEscape || plain(text) == len(text) {
		return text
	}
	return string(appendEscaped(nil, text))
}

// sorted puts cuts in order; those that touch keep theirs.
func sorted(cuts []cut) []cut {
	slices.SortStableFunc(cuts, func(a, b cut) int { return cmp.Compare(a.start, b.start) })
	return cuts
}

// replaced makes cuts, in order, in a text.
func replaced(text string, cuts []cut) []byte {
	size := len(text)
	for _, c := range cuts {
		size += len(c.with) - (c.end - c.start)
	}
	out := make([]byte, 0, size)
	done := 0
	for _, c := range cuts {
		out = append(append(out, text[done:c.start]...), c.with...)
		done = c.end
	}
	return append(out, text[done:]...)
}
