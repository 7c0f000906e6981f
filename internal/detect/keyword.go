package detect

import "slices"

// automaton finds literals in one pass (Aho and Corasick 1975), without regard to ASCII case. It is a full table:
// one look-up per byte, whatever the text.
type automaton struct {
	class   [256]uint16 // byte -> column; bytes that no literal holds share column 0
	columns int
	table   []uint32         // state (premultiplied by columns) + column -> state; hitBit marks a state with output
	output  map[uint32][]int // literals that end in a state, by number
	longest int
}

const hitBit = 1 << 31

// newAutomaton numbers the literals by their position.
func newAutomaton(literals []string) automaton {
	a := automaton{columns: 1, output: map[uint32][]int{}}
	for _, l := range literals {
		a.longest = max(a.longest, len(l))
		for i := range len(l) {
			if c := lower(l[i]); a.class[c] == 0 {
				a.class[c] = uint16(a.columns) //nolint:gosec // at most 256 columns
				a.columns++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[lower(c)]
	}
	t := a.trie(literals)
	a.close(t)
	return a
}

type trieNode struct {
	next map[uint16]int
	fail int
	out  []int
}

func (a *automaton) trie(literals []string) []trieNode {
	nodes := []trieNode{{next: map[uint16]int{}}}
	for id, l := range literals {
		n := 0
		for i := range len(l) {
			c := a.class[lower(l[i])]
			child, ok := nodes[n].next[c]
			if !ok {
				child = len(nodes)
				nodes = append(nodes, trieNode{next: map[uint16]int{}})
				nodes[n].next[c] = child
			}
			n = child
		}
		nodes[n].out = append(nodes[n].out, id)
	}
	return nodes
}

// close turns the trie into the table, breadth first, so that a node's failure row is finished before its own.
func (a *automaton) close(nodes []trieNode) {
	a.table = make([]uint32, len(nodes)*a.columns)
	queue := []int{0}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		row := a.table[n*a.columns : (n+1)*a.columns]
		if n != 0 {
			copy(row, a.table[nodes[n].fail*a.columns:(nodes[n].fail+1)*a.columns])
		}
		for c := range uint16(a.columns) { //nolint:gosec // at most 256 columns
			child, ok := nodes[n].next[c]
			if !ok {
				continue
			}
			if n != 0 {
				nodes[child].fail = int(row[c]&^hitBit) / a.columns
				nodes[child].out = slices.Concat(nodes[child].out, nodes[nodes[child].fail].out)
			}
			state := uint32(child * a.columns) //nolint:gosec // some thousand states
			if len(nodes[child].out) > 0 {
				state |= hitBit
				a.output[state] = nodes[child].out
			}
			row[c] = state
			queue = append(queue, child)
		}
	}
}

func (a *automaton) next(state uint32, c byte) uint32 {
	return a.table[state&^hitBit+uint32(a.class[c])]
}

func (a *automaton) hit(state uint32) bool { return state&hitBit != 0 }

func (a *automaton) found(state uint32) []int { return a.output[state] }

// warm is the state after the text before at.
func (a *automaton) warm(text string, at int) uint32 {
	var state uint32
	for i := max(0, at-a.longest); i < at; i++ {
		state = a.next(state, text[i])
	}
	return state
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
