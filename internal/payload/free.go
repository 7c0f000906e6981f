package payload

// free reads free JSON: every key, every text, every number, and JSON in
// strings. It may have keys twice; both are read, and both stay.
func (w *walker) free(n uint32, at spot) {
	if w.failed != nil {
		return
	}
	switch w.nodes[n].kind {
	case nodeObject:
		for k := range w.members(n) {
			key := w.nodes[k].str(w.doc.texts[at.level].text)
			back := w.down(key)
			w.emitKey(k, key, at)
			w.free(k+1, at)
			w.path = w.path[:back]
		}
	case nodeArray:
		w.list(asFree, n, at)
	case nodeString:
		w.emitText(n, at, deedFree)
	case nodeNumber:
		w.emitNumber(n, at, deedFree)
	case nodeLiteral:
	}
}

// emitText emits a string as a leaf, as the leaves of the JSON in it, or as a skip.
func (w *walker) emitText(n uint32, at spot, d deed) {
	text := w.nodes[n].str(w.doc.texts[at.level].text)
	if why := unsearched(d, text); why != "" {
		w.skip(why)
		return
	}
	if d == deedFree && w.nested(n, text, at) {
		return
	}
	w.leaf(n, KindText, text, at, d)
}

func (w *walker) emitKey(n uint32, key string, at spot) { w.leaf(n, KindKey, key, at, deedText) }

func (w *walker) emitNumber(n uint32, at spot, d deed) {
	switch {
	case d == deedStructure:
		w.skip(WhyStructure)
	case !w.nodes[n].marked:
		w.skip(WhyNumberShort)
	default:
		text := w.doc.texts[at.level].text[w.nodes[n].start:w.nodes[n].end]
		w.leaf(n, KindNumber, text, at, d)
	}
}

// nested reads a string that is an object or an array itself. Its nodes stand
// on the same tape while they are needed.
func (w *walker) nested(n uint32, text string, at spot) bool {
	depth := w.doc.texts[at.level].depth + 1
	if depth > MaxNested || !mayNest(text) {
		return false
	}
	root := len(w.nodes)
	s := scanner{text: text, nodes: w.nodes, open: w.open[:0], maxDepth: w.doc.maxDepth}
	broken := s.run()
	if w.nodes = s.nodes; broken == "" {
		inside := w.nodes[n]
		w.doc.texts = append(w.doc.texts, level{
			text: text, parent: at.level, start: inside.start + 1, end: inside.end - 1, depth: depth,
		})
		at.level = len(w.doc.texts) - 1
		w.free(offset(root), at)
	}
	w.nodes = w.nodes[:root]
	return broken == ""
}

// leaf emits a leaf that stands here.
func (w *walker) leaf(n uint32, kind Kind, text string, at spot, d deed) {
	if !w.room() {
		return
	}
	if at.place != PlaceTool {
		at.tool = ""
	}
	from := origin{level: at.level, start: w.nodes[n].start, end: w.nodes[n].end, deed: d}
	if kind != KindNumber {
		from.start, from.end = from.start+1, from.end-1
	}
	w.doc.leaves = append(w.doc.leaves, Leaf{Kind: kind, Text: text, Role: at.role, Place: at.place, Tool: at.tool})
	w.doc.origins = append(w.doc.origins, from)
	w.leafAt = append(w.leafAt, w.pointer())
}

func (w *walker) skip(why string) {
	if !w.room() {
		return
	}
	w.doc.skips = append(w.doc.skips, Skip{Why: why})
	w.skipAt = append(w.skipAt, w.pointer())
}

// room says whether one more leaf or skip may be listed.
func (w *walker) room() bool {
	switch {
	case w.failed != nil:
	case len(w.doc.leaves)+len(w.doc.skips) >= w.maxLeaves:
		w.fail(RuleLeaves)
	case len(w.pointers)+len(w.path) > MaxPointerBytes:
		w.fail(RulePointers)
	default:
		return true
	}
	return false
}

// pointer keeps the pointer of this place.
func (w *walker) pointer() span {
	start := offset(len(w.pointers))
	w.pointers = append(w.pointers, w.path...)
	return span{start, offset(len(w.pointers))}
}
