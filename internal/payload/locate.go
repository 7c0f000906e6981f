package payload

// Locate says which bytes of the body spell a part of a leaf's text, and within
// how many strings they stand: what takes their place is to be escaped as often.
// The part begins and ends between characters, as that of an Edit; the leaf is
// no number. It is Splice for whoever does not know the new text yet.
func (d *Document) Locate(leaf, start, end int) (from, to, levels int) {
	at := d.origins[leaf]
	first, last, l := at.start, at.end, at.level
	for {
		c := cursor{raw: d.texts[l].text[first:last], literal: d.faults.rawOffsets}
		c.to(start)
		start = int(first) + c.at
		c.to(end)
		end = int(first) + c.at
		levels++
		if l == 0 {
			return start, end, levels
		}
		first, last, l = d.texts[l].start, d.texts[l].end, d.texts[l].parent
	}
}
