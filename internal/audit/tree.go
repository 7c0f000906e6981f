package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a leaf, node or root hash. As text and in JSON it is standard
// base64 with padding, as in C2SP checkpoints.
type Hash = tlog.Hash

// MaxSize is the number of leaves that no log reaches: 10^6 entries a second
// for eight years. It keeps the arithmetic on sizes that others send far from
// overflow (tlog does not end for sizes near 2^63).
const MaxSize = 1 << 48

// leafPrefix is what RFC 6962 section 2.1 puts before a leaf, so that no leaf
// can be taken for a node.
const leafPrefix = 0

// LeafHash is the RFC 6962 hash of a leaf: SHA-256(0x00 || leaf).
func LeafHash(leaf []byte) Hash {
	// In one piece, and for a usual leaf without an allocation.
	var usual [1 + usualLeaf]byte
	return sha256.Sum256(append(append(usual[:0], leafPrefix), leaf...))
}

// A Node is a complete subtree: it covers the leaves [N<<Level, (N+1)<<Level).
// Level 0, the leaf hashes, is kept with the entries; the levels above are
// stored as nodes. A node never changes once it is complete.
type Node struct {
	Level int
	N     int64
	Hash  Hash
}

// A Frontier is the part of a tree that further leaves can still touch: the
// maximal complete subtrees, left to right. There is one for each bit that is
// set in Size, the largest first. The zero value is the empty tree.
type Frontier struct {
	Size  int64
	Nodes []Hash
}

func (f Frontier) check() error {
	if f.Size < 0 || f.Size > MaxSize || len(f.Nodes) != bits.OnesCount64(binaryOf(f.Size)) {
		return fmt.Errorf("%w: frontier of %d leaves with %d nodes", ErrTree, f.Size, len(f.Nodes))
	}
	return nil
}

// Root is the RFC 6962 hash of the tree. The tree of no leaves has the hash of
// the empty string.
func (f Frontier) Root() (Hash, error) {
	if err := f.check(); err != nil {
		return Hash{}, err
	}
	if f.Size == 0 {
		return sha256.Sum256(nil), nil
	}
	// RFC 6962 splits at the largest power of two below the size, so the
	// smaller subtrees on the right join first.
	last := len(f.Nodes) - 1
	root := f.Nodes[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(f.Nodes[i], root)
	}
	return root, nil
}

// binaryOf is a size as the bits that its frontier follows.
func binaryOf(size int64) uint64 {
	if size < 0 {
		panic("audit: a size that was checked is negative")
	}
	return uint64(size)
}

// last finds the node of the frontier on a level: the last complete subtree
// there, if nothing has joined it to its left neighbour. The nodes before it in
// the list are those of the higher bits.
func (f Frontier) last(level int) Hash {
	return f.Nodes[bits.OnesCount64(binaryOf(f.Size>>(level+1)))]
}

// The binary form is a version byte, the size (8 bytes, big-endian) and the
// hashes in order. There is exactly one form of each frontier.
const (
	frontierVersion = 1
	frontierHeader  = 1 + 8
)

// MarshalBinary writes the canonical form that the head row stores.
func (f Frontier) MarshalBinary() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, frontierHeader+len(f.Nodes)*tlog.HashSize)
	b = append(b, frontierVersion)
	b = binary.BigEndian.AppendUint64(b, binaryOf(f.Size))
	for _, h := range f.Nodes {
		b = append(b, h[:]...)
	}
	return b, nil
}

// UnmarshalBinary reads exactly what MarshalBinary writes.
func (f *Frontier) UnmarshalBinary(b []byte) error {
	if len(b) < frontierHeader || b[0] != frontierVersion || (len(b)-frontierHeader)%tlog.HashSize != 0 {
		return fmt.Errorf("%w: frontier of %d bytes", ErrTree, len(b))
	}
	size := binary.BigEndian.Uint64(b[1:frontierHeader])
	if size > MaxSize {
		return fmt.Errorf("%w: frontier with a size beyond any log", ErrTree)
	}
	read := Frontier{Size: int64(size)}
	for rest := b[frontierHeader:]; len(rest) > 0; rest = rest[tlog.HashSize:] {
		read.Nodes = append(read.Nodes, Hash(rest[:tlog.HashSize]))
	}
	if err := read.check(); err != nil {
		return err
	}
	*f = read
	return nil
}
