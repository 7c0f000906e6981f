package audit

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// A Batch is what appending leaves to a tree gives: everything that the commit
// has to store, and enough to prove each of the new leaves without a read.
type Batch struct {
	First    int64    // index of the first new leaf, the size before
	Leaves   []Hash   // hashes of the new leaves, in order
	Nodes    []Node   // subtrees that the new leaves completed, level 1 and above
	Frontier Frontier // the tree after
	Root     Hash     // its root

	before Frontier
	levels [][]Hash // the new complete subtrees: levels[l][k] is node (l, First>>l + k)
	// cut[l] is the subtree of level l that the end of the tree cuts short, where
	// there is one: where Size is no multiple of 1<<l.
	cut []Hash
}

// Append adds leaves, the exact bytes that are stored, and leaves f as it was.
func (f Frontier) Append(leaves [][]byte) (*Batch, error) {
	hashes := make([]Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = LeafHash(leaf)
	}
	return f.AppendHashes(hashes)
}

// AppendHashes is Append where the hashes of the leaves are known. The batch keeps
// the slice.
func (f Frontier) AppendHashes(leaves []Hash) (*Batch, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if int64(len(leaves)) > MaxSize-f.Size {
		return nil, fmt.Errorf("%w: more than %d leaves", ErrTree, int64(MaxSize))
	}
	b := &Batch{First: f.Size, before: f}
	b.Frontier.Size = f.Size + int64(len(leaves))
	b.levels = make([][]Hash, 1, bits.Len64(binaryOf(b.Frontier.Size))+1)
	b.levels[0] = leaves
	b.Leaves = b.levels[0]
	// Each leaf but the last of a level has its half of a node above: fewer new
	// nodes than leaves, and one more for each level that is joined to the old.
	b.Nodes = make([]Node, 0, len(leaves)+bits.OnesCount64(binaryOf(f.Size)))
	level := 1
	for b.complete(level) {
		level++
	}
	b.advance()
	return b, nil
}

// complete joins the pairs of the level below that are now whole, and reports
// whether there were any.
func (b *Batch) complete(level int) bool {
	from, to := b.First>>level, b.Frontier.Size>>level
	if from == to {
		return false
	}
	joined := make([]Hash, 0, to-from)
	for n := from; n < to; n++ {
		// Both halves exist: node n is new, so its right half is, and its left
		// half is new too or was the last of its level before.
		h := tlog.NodeHash(b.must(level-1, 2*n), b.must(level-1, 2*n+1))
		joined = append(joined, h)
		b.Nodes = append(b.Nodes, Node{Level: level, N: n, Hash: h})
	}
	b.levels = append(b.levels, joined)
	return true
}

// node finds a complete subtree of the tree after the batch, if it is new or
// in the old frontier.
func (b *Batch) node(level int, n int64) (Hash, bool) {
	from := b.First >> level
	if level < len(b.levels) && n >= from {
		if k := n - from; k < int64(len(b.levels[level])) {
			return b.levels[level][k], true
		}
		return Hash{}, false
	}
	// The old frontier has a node on this level if the bit is set, and it is
	// the last of the level.
	if from&1 == 1 && n == from-1 {
		return b.before.last(level), true
	}
	return Hash{}, false
}

// must is node where the arithmetic of a checked frontier, or the reasoning of
// Prove, leaves no doubt.
func (b *Batch) must(level int, n int64) Hash {
	h, ok := b.node(level, n)
	if !ok {
		panic("audit: a complete subtree is neither new nor in the frontier")
	}
	return h
}

// advance builds the frontier after, of subtrees that are new or were in the
// frontier before. RFC 6962 splits at the largest power of two below the size,
// so the smaller subtrees on the right join first: on the way up they are what
// the end of the tree cuts short, and at last the root.
func (b *Batch) advance() {
	size := binaryOf(b.Frontier.Size)
	b.Frontier.Nodes = make([]Hash, bits.OnesCount64(size))
	b.cut = make([]Hash, bits.Len64(size))
	b.Root = sha256.Sum256(nil)
	left := len(b.Frontier.Nodes)
	for level := range b.cut {
		b.cut[level] = b.Root
		n := b.Frontier.Size >> level
		if n&1 == 0 {
			continue
		}
		whole := b.must(level, n-1)
		if left == len(b.Frontier.Nodes) { // nothing is cut short below
			b.Root = whole
		} else {
			b.Root = tlog.NodeHash(whole, b.Root)
		}
		left--
		b.Frontier.Nodes[left] = whole
	}
}

// Prove returns the inclusion proof of leaf i, one of the batch, in the tree
// after it. It needs the old frontier and the new nodes and nothing else:
// consider the path from the leaf to the root. What hangs to the right of it
// holds later leaves only, all of this batch. What hangs to the left is a
// complete subtree; if its last leaf is of this batch, the batch completed it;
// if not, it was complete before, while the subtree above it, which holds the
// leaf, was not: so it was a maximal complete one, which is what the old
// frontier lists.
func (b *Batch) Prove(i int64) ([]Hash, error) {
	size := b.Frontier.Size
	if i < b.First || i >= size {
		return nil, fmt.Errorf("%w: leaf %d is not of the batch", ErrTree, i)
	}
	proof := make([]Hash, 0, len(b.cut))
	for level := 0; int64(1)<<level < size; level++ {
		beside := i>>level ^ 1
		switch first := beside << level; {
		case first >= size: // nothing stands beside: the subtree goes up as it is
		case size-first >= int64(1)<<level:
			proof = append(proof, b.must(level, beside))
		default:
			proof = append(proof, b.cut[level])
		}
	}
	return proof, nil
}
