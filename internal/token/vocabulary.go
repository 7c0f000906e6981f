package token

import (
	"fmt"
	"slices"
)

// MaxLabels bounds a vocabulary: ten check bits tell at most so many apart.
const MaxLabels = 1024

// Vocabulary is the closed set of labels that a scan knows, with the tables to
// find them. It is immutable and safe for concurrent use.
type Vocabulary struct {
	labels []string
	shapes []shape
	nodes  []node

	filter filter

	unchecked bool // takes check characters as they come; tests of the check set it
}

// A shape is what stands around the id in one kind of token: a label's, or the
// opaque one.
type shape struct {
	format  Format
	label   string
	chars   int    // letters and digits before the id, underscores left out
	gaps    uint64 // bit i: an underscore stands before character i
	symbols int    // id and check characters
	written int    // characters of the strict form without its brackets
	mix     [checkChars]byte
}

// node is a node of the tree of all labels without their underscores. A text is
// one path in it, however its gaps are read; the gaps are compared at the end.
// So reading needs no choice and no way back.
type node struct {
	next   [36]uint16 // 0 is no child: the root is nobody's
	shapes []uint16   // that end here
}

// NewVocabulary makes a vocabulary. Labels whose mix is equal are refused
// (ErrCollision), so that within a vocabulary every wrong label is caught.
func NewVocabulary(labels []string) (*Vocabulary, error) {
	if len(labels) > MaxLabels {
		return nil, fmt.Errorf("%w: more than %d labels", ErrLabel, MaxLabels)
	}
	v := &Vocabulary{nodes: make([]node, 1)}
	taken := make(map[[checkChars]byte]string, len(labels))
	for _, label := range labels {
		if !ValidLabel(label) {
			return nil, fmt.Errorf("%w: %q", ErrLabel, label)
		}
		mix := mixOf(label)
		switch other, ok := taken[mix]; {
		case ok && other == label:
			continue
		case ok:
			return nil, fmt.Errorf("%w: %s and %s", ErrCollision, other, label)
		}
		taken[mix] = label
		v.labels = append(v.labels, label)
		v.add(label, shape{
			format: FormatLabel, label: label, mix: mix,
			symbols: labelIDChars + checkChars,
			written: len(label) + 1 + labelIDChars + checkChars,
		})
	}
	slices.Sort(v.labels)
	v.add("TOK", shape{
		format: FormatOpaque, mix: mixOf(opaqueMix),
		symbols: maxIDChars, written: len(opaquePrefix) + maxIDChars,
	})
	v.filter = newFilter(v)
	return v, nil
}

// Labels returns the labels in order.
func (v *Vocabulary) Labels() []string { return slices.Clone(v.labels) }

// Has says whether the label is one of the vocabulary.
func (v *Vocabulary) Has(label string) bool {
	_, found := slices.BinarySearch(v.labels, label)
	return found
}

// add puts what stands before the id into the tree.
func (v *Vocabulary) add(prefix string, s shape) {
	at := uint16(0)
	for i := range len(prefix) {
		if prefix[i] == '_' {
			s.gaps |= 1 << s.chars
			continue
		}
		s.chars++
		slot := &v.nodes[at].next[slotOf(prefix[i])]
		if *slot == 0 {
			*slot = uint16(len(v.nodes)) //nolint:gosec // at most MaxLabels*MaxLabel+4 nodes: fits
			at = *slot
			v.nodes = append(v.nodes, node{})
			continue
		}
		at = *slot
	}
	s.gaps |= 1 << s.chars
	v.nodes[at].shapes = append(v.nodes[at].shapes, uint16(len(v.shapes))) //nolint:gosec // at most MaxLabels+1 shapes: fits
	v.shapes = append(v.shapes, s)
}

// slotOf is the place of a capital or digit among the children of a node.
func slotOf(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	return int(c-'A') + 10
}
