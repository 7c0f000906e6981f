package payload

import "strconv"

// spot is what is known about a place while the walk is there.
type spot struct {
	level int
	role  string
	tool  string
	place Place
}

// span is a part of the walker's pointers.
type span struct{ start, end uint32 }

// walker goes over a tape by the rules of a shape. It recurses, but not deeper
// than the scanner let containers be open: MaxDepth in each of the levels.
type walker struct {
	*tape
	doc       *Document
	maxLeaves int
	path      []byte // the pointer of this place
	pointers  []byte // those of all leaves and skips, one after the other
	leafAt    []span
	skipAt    []span
	failed    *Error // the walk goes no further
}

func newWalker(d *Document, t *tape, maxLeaves int) *walker {
	w := &walker{tape: t, doc: d, maxLeaves: maxLeaves}
	leaves, skips := len(t.nodes)/3+4, len(t.nodes)/4+4 // as conversations are; more make more room
	if d.shape == JSON || d.shape == UnknownShape {
		leaves, skips = t.leaves(), 0
	}
	leaves = min(leaves, maxLeaves)
	d.leaves, d.origins, w.leafAt = make([]Leaf, 0, leaves), make([]origin, 0, leaves), make([]span, 0, leaves)
	d.skips, w.skipAt = make([]Skip, 0, skips), make([]span, 0, skips)
	const usualPointer = 32 // bytes
	w.path = make([]byte, 0, 2*usualPointer)
	w.pointers = make([]byte, 0, usualPointer*leaves)
	return w
}

// leaves counts what is a leaf in free JSON, but for JSON in its strings.
func (t *tape) leaves() int {
	n := 0
	for i := range t.nodes {
		if t.nodes[i].kind == nodeString || t.nodes[i].marked {
			n++
		}
	}
	return n
}

// finish gives leaves and skips their pointers, which share one string.
func (w *walker) finish() (*Document, error) {
	if w.failed != nil {
		return nil, w.failed
	}
	all := string(w.pointers)
	for i, at := range w.leafAt {
		w.doc.leaves[i].Pointer = all[at.start:at.end]
	}
	for i, at := range w.skipAt {
		w.doc.skips[i].Pointer = all[at.start:at.end]
	}
	return w.doc, nil
}

// apply reads a value by a rule. Rules are for the body itself, not for JSON
// in its strings.
func (w *walker) apply(r *rule, n uint32, at spot) {
	if r.inTool {
		at.place = PlaceTool
	}
	if r.role != "" {
		at.role = r.role
	}
	if r.tool != "" {
		at.tool = r.tool
	}
	switch kind := w.nodes[n].kind; {
	case kind == nodeObject && r.fields != nil:
		w.envelope(r, n, at)
	case kind == nodeArray && r.items != nil:
		w.list(r.items, n, at)
	case kind == nodeObject, kind == nodeArray:
		w.container(r, n, at)
	case kind == nodeString:
		w.emitText(n, at, w.resolve(r.deed, at))
	case kind == nodeNumber:
		w.emitNumber(n, at, r.deed)
	}
}

// resolve tells a person's name from the name of the tool that answers.
func (w *walker) resolve(d deed, at spot) deed {
	switch {
	case d != deedName:
		return d
	case at.role == RoleTool:
		return deedStructure
	}
	return deedText
}

// container reads an object or an array at a place where the shape has none of
// its own. What ought to be structure is searched unless all of it could be.
func (w *walker) container(r *rule, n uint32, at spot) {
	switch {
	case r.deed == deedSchema:
		w.skip(WhySchema)
	case r.deed == deedStructure && w.isStructure(n):
		w.skip(WhyStructure)
	default:
		w.free(n, at)
	}
}

func (w *walker) isStructure(n uint32) bool {
	for i := n; i < w.nodes[n].next; i++ {
		if w.nodes[i].kind == nodeString && !isIdentifier(w.str(i)) {
			return false
		}
	}
	return true
}

// list reads an array, its elements by their own rule.
func (w *walker) list(items *rule, n uint32, at spot) {
	if w.shortNumbers(n, items.deed) {
		return
	}
	i := 0
	for item := range w.items(n) {
		back := w.into(i)
		w.apply(items, item, at)
		w.path = w.path[:back]
		if w.failed != nil {
			return
		}
		i++
	}
}

// shortNumbers skips a list of short numbers as one.
func (w *walker) shortNumbers(n uint32, d deed) bool {
	first := n + 1
	if w.nodes[n].next == first {
		return false
	}
	for _, item := range w.nodes[first:w.nodes[n].next] {
		if item.kind != nodeNumber || item.marked {
			return false
		}
	}
	if d == deedTokens {
		w.skip(WhyStructure)
	} else {
		w.skip(WhyNumberShort)
	}
	return true
}

// down and into go one step down the path and return the way back.
func (w *walker) down(key string) (back int) {
	back = len(w.path)
	w.path = append(w.path, '/')
	for i := range len(key) {
		switch c := key[i]; c {
		case '~':
			w.path = append(w.path, '~', '0')
		case '/':
			w.path = append(w.path, '~', '1')
		default:
			w.path = append(w.path, c)
		}
	}
	return back
}

func (w *walker) into(i int) (back int) {
	back = len(w.path)
	w.path = strconv.AppendInt(append(w.path, '/'), int64(i), 10)
	return back
}

func (w *walker) fail(rule Rule) {
	if w.failed == nil {
		w.failed = &Error{Rule: rule}
		if rule == RuleDuplicate {
			w.failed.Pointer = string(w.path)
		}
	}
}
