package payload

import "slices"

// nodeKind is what a node of the tape is.
type nodeKind uint8

const (
	nodeObject nodeKind = iota
	nodeArray
	nodeString // a value or a key
	nodeNumber
	nodeLiteral // true, false, null
)

// node is one value or one key. The nodes of a text stand on a tape in the
// order of the text; an object holds key, value, key, value.
type node struct {
	start, end uint32 // its bytes: a string with its quotes, a container with its brackets
	next       uint32 // the node behind it and behind all that it holds
	kind       nodeKind
	marked     bool // a string: has escapes; a number: has NumberDigits digits or more
}

// offset narrows a position in a body, on its tape, or among its pointers.
func offset(i int) uint32 {
	return uint32(i) //nolint:gosec // bounded by MaxBytes and MaxPointerBytes; a tape has fewer nodes than its texts bytes
}

// expect is what may stand next.
type expect uint8

const (
	expectValue expect = iota
	expectValueOrEnd
	expectKey
	expectKeyOrEnd
	expectComma
	expectNothing
	expectBroken
)

// scanner reads one JSON text strictly, as RFC 8259 says, and puts it on a
// tape. It goes forward only and does not recurse. The text is valid UTF-8.
type scanner struct {
	text     string
	at       int
	nodes    []node
	open     []uint32 // the containers around this place
	maxDepth int
	tooDeep  bool
}

// run returns what was broken, at s.at, or nothing.
func (s *scanner) run() Rule {
	for want := expectValue; ; {
		s.space()
		if s.at == len(s.text) {
			if want == expectNothing {
				return ""
			}
			return RuleSyntax
		}
		if want = s.step(want); want == expectBroken {
			if s.tooDeep {
				return RuleDepth
			}
			return RuleSyntax
		}
	}
}

// step reads what begins at s.at and returns what may follow.
func (s *scanner) step(want expect) expect {
	c := s.text[s.at]
	switch want {
	case expectKeyOrEnd, expectKey:
		if c == '}' && want == expectKeyOrEnd {
			return s.close()
		}
		return s.key(c)
	case expectValueOrEnd, expectValue:
		if c == ']' && want == expectValueOrEnd {
			return s.close()
		}
		return s.value(c)
	case expectComma:
		inObject := s.nodes[s.open[len(s.open)-1]].kind == nodeObject
		switch {
		case c == ',' && inObject:
			s.at++
			return expectKey
		case c == ',':
			s.at++
			return expectValue
		case c == '}' && inObject, c == ']' && !inObject:
			return s.close()
		}
	}
	return expectBroken
}

func (s *scanner) key(c byte) expect {
	if c != '"' || !s.str() {
		return expectBroken
	}
	s.space()
	if s.at == len(s.text) || s.text[s.at] != ':' {
		return expectBroken
	}
	s.at++
	return expectValue
}

func (s *scanner) value(c byte) expect {
	ok := false
	switch c {
	case '{':
		return s.opens(nodeObject, expectKeyOrEnd)
	case '[':
		return s.opens(nodeArray, expectValueOrEnd)
	case '"':
		ok = s.str()
	case 't':
		ok = s.literal("true")
	case 'f':
		ok = s.literal("false")
	case 'n':
		ok = s.literal("null")
	default:
		ok = s.number()
	}
	if !ok {
		return expectBroken
	}
	return s.behind()
}

// behind is what may follow a whole value.
func (s *scanner) behind() expect {
	if len(s.open) == 0 {
		return expectNothing
	}
	return expectComma
}

func (s *scanner) opens(kind nodeKind, want expect) expect {
	if len(s.open) == s.maxDepth {
		s.tooDeep = true
		return expectBroken
	}
	s.open = append(s.open, offset(len(s.nodes)))
	s.add(node{start: offset(s.at), kind: kind})
	s.at++
	return want
}

func (s *scanner) close() expect {
	s.at++
	n := &s.nodes[s.open[len(s.open)-1]]
	n.end, n.next = offset(s.at), offset(len(s.nodes))
	s.open = s.open[:len(s.open)-1]
	return s.behind()
}

// put writes a node that holds no others, from start to s.at.
func (s *scanner) put(kind nodeKind, start int, marked bool) bool {
	s.add(node{
		start: offset(start), end: offset(s.at), next: offset(len(s.nodes) + 1), kind: kind, marked: marked,
	})
	return true
}

// add doubles the tape where it is full: append would copy it more often.
func (s *scanner) add(n node) {
	if len(s.nodes) == cap(s.nodes) {
		s.nodes = slices.Grow(s.nodes, len(s.nodes)+1)
	}
	s.nodes = append(s.nodes, n)
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return
		}
	}
}
