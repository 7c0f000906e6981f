package payload

import (
	"iter"
	"unicode/utf8"
)

// Tree is a JSON text, read as strictly as a body, for whoever looks at a few of
// its members. Its memory serves the next text again.
type Tree struct{ t tape }

// Node is one value of a Tree.
type Node uint32

// Root is the whole text.
const Root Node = 0

// Read reads a text in place of the one before.
func (t *Tree) Read(text string) error {
	if len(text) > MaxBytes {
		return &Error{Rule: RuleSize, At: MaxBytes}
	}
	if !utf8.ValidString(text) {
		return &Error{Rule: RuleUTF8}
	}
	s := scanner{text: text, maxDepth: MaxDepth, nodes: t.t.nodes[:0], open: t.t.open[:0]}
	broken := s.run()
	t.t = tape{text: text, nodes: s.nodes, open: s.open}
	if broken != "" {
		return &Error{Rule: broken, At: s.at}
	}
	return nil
}

// Member returns the value of the first member of that name.
func (t *Tree) Member(n Node, name string) (Node, bool) {
	m, ok := t.t.member(uint32(n), name)
	return Node(m), ok
}

// Members goes through the keys of an object, and of nothing else. The value of
// key k is node k+1.
func (t *Tree) Members(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for k := range t.t.members(uint32(n)) {
			if !yield(Node(k)) {
				return
			}
		}
	}
}

// Items goes through the elements of an array, and of nothing else.
func (t *Tree) Items(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for i := range t.t.items(uint32(n)) {
			if !yield(Node(i)) {
				return
			}
		}
	}
}

// Text is what a string stands for.
func (t *Tree) Text(n Node) (string, bool) {
	if t.t.nodes[n].kind != nodeString {
		return "", false
	}
	return t.t.str(uint32(n)), true
}

// Inside says where the inside of a string is, and whether something in it is
// spelled with an escape.
func (t *Tree) Inside(n Node) (start, end int, escaped bool) {
	at := &t.t.nodes[n]
	return int(at.start) + 1, int(at.end) - 1, at.marked
}

// Span says where a value is, a string with its quotes.
func (t *Tree) Span(n Node) (start, end int) {
	return int(t.t.nodes[n].start), int(t.t.nodes[n].end)
}

// Raw is the value as it is written.
func (t *Tree) Raw(n Node) string { return t.t.text[t.t.nodes[n].start:t.t.nodes[n].end] }

// IsObject and IsArray say what a value is.
func (t *Tree) IsObject(n Node) bool { return t.t.nodes[n].kind == nodeObject }

// IsArray says whether a value is a list.
func (t *Tree) IsArray(n Node) bool { return t.t.nodes[n].kind == nodeArray }

// IsScalar says whether a value holds no others.
func (t *Tree) IsScalar(n Node) bool { return t.t.nodes[n].kind > nodeArray }

// Twice says whether an object has a key twice: two readers could then take two
// different values.
func (t *Tree) Twice(n Node) bool {
	const few = 16 // up to here comparing all with all is faster than a map
	var room [few]string
	seen := room[:0]
	var many map[string]bool
	for k := range t.t.members(uint32(n)) {
		key := t.t.str(k)
		for _, other := range seen {
			if other == key {
				return true
			}
		}
		switch {
		case len(seen) < few:
			seen = append(seen, key)
		case many[key]:
			return true
		default:
			if many == nil {
				many = make(map[string]bool)
			}
			many[key] = true
		}
	}
	return false
}

// Unit reads the character that begins at raw[at] of the inside of a string that
// was read, and how many bytes spell it. Half a surrogate pair is U+FFFD.
func Unit(raw string, at int) (r rune, width int) {
	if raw[at] == '\\' {
		width, r, _ = escapeAt(raw, at)
		return r, width
	}
	return utf8.DecodeRuneInString(raw[at:])
}

// AppendEscaped appends a text as the inside of a JSON string, of one that is in
// a string itself, and so on, for as many levels.
func AppendEscaped(dst []byte, text string, levels int) []byte {
	for ; levels > 1 && plain(text) < len(text); levels-- {
		text = string(appendEscaped(nil, text))
	}
	if levels == 0 {
		return append(dst, text...)
	}
	return appendEscaped(dst, text)
}
