package payload

import (
	"iter"
	"unicode/utf8"
)

// tape is a text that was scanned. Node 0 is its root; node numbers are the
// places of nodes on the tape.
type tape struct {
	text  string
	nodes []node
	open  []uint32 // room for the next scanner
}

// absent is what look-ups give where there is nothing: the root, which is no
// member of anything.
const absent = 0

// scanBody reads a whole body.
func scanBody(text string, maxDepth int) (*tape, *Error) {
	if len(text) > MaxBytes {
		return nil, &Error{Rule: RuleSize, At: MaxBytes}
	}
	if !utf8.ValidString(text) {
		at := 0
		for at < len(text) {
			r, width := utf8.DecodeRuneInString(text[at:])
			if r == utf8.RuneError && width == 1 {
				break
			}
			at += width
		}
		return nil, &Error{Rule: RuleUTF8, At: at}
	}
	const (
		bytesPerNode = 32 // of a usual body; where there are more nodes, the tape grows
		usualDepth   = 16
	)
	s := scanner{
		text: text, maxDepth: maxDepth,
		nodes: make([]node, 0, len(text)/bytesPerNode+8), open: make([]uint32, 0, usualDepth),
	}
	if broken := s.run(); broken != "" {
		return nil, &Error{Rule: broken, At: s.at}
	}
	return &tape{text: text, nodes: s.nodes, open: s.open}, nil
}

// str returns what a string or a key stands for.
func (t *tape) str(n uint32) string { return t.nodes[n].str(t.text) }

// str returns what a string of the text stands for.
func (n *node) str(text string) string {
	raw := text[n.start+1 : n.end-1]
	if n.marked {
		return decode(raw)
	}
	return raw
}

// items goes through the elements of an array, and of nothing else.
func (t *tape) items(n uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if t.nodes[n].kind != nodeArray {
			return
		}
		for i := n + 1; i < t.nodes[n].next; i = t.nodes[i].next {
			if !yield(i) {
				return
			}
		}
	}
}

// members goes through the keys of an object, and of nothing else. The value
// of key k is node k+1.
func (t *tape) members(n uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if t.nodes[n].kind != nodeObject {
			return
		}
		for k := n + 1; k < t.nodes[n].next; k = t.nodes[k+1].next {
			if !yield(k) {
				return
			}
		}
	}
}

func (t *tape) first(n uint32) (uint32, bool) {
	for i := range t.items(n) {
		return i, true
	}
	return absent, false
}

// member returns the value of the first member of that name.
func (t *tape) member(n uint32, name string) (uint32, bool) {
	for k := range t.members(n) {
		if t.str(k) == name {
			return k + 1, true
		}
	}
	return absent, false
}

func (t *tape) has(n uint32, name string) bool {
	_, ok := t.member(n, name)
	return ok
}

func (t *tape) is(n uint32, name string, kind nodeKind) bool {
	m, ok := t.member(n, name)
	return ok && t.nodes[m].kind == kind
}

// word returns a member that is a string.
func (t *tape) word(n uint32, name string) string {
	if m, ok := t.member(n, name); ok && t.nodes[m].kind == nodeString {
		return t.str(m)
	}
	return ""
}

// listOf says whether a member is a list of which an element has such a member,
// or is such an element itself, as lenient APIs allow.
func (t *tape) listOf(n uint32, list, name string) bool {
	m, ok := t.member(n, list)
	if !ok {
		return false
	}
	if t.has(m, name) {
		return true
	}
	for i := range t.items(m) {
		if t.has(i, name) {
			return true
		}
	}
	return false
}
