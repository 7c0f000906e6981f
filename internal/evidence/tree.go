package evidence

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A frontier is the right edge of a tree that grows leaf hash by leaf hash: the
// maximal complete subtrees, the largest first. Hashes are enough, since of what was
// pruned nothing else is left.
type frontier struct {
	size  int64
	nodes []audit.Hash
}

func (f *frontier) add(leaf audit.Hash) {
	f.size++
	// Each zero at the end of the new size is a subtree that the leaf completes.
	for n := f.size; n&1 == 0; n >>= 1 {
		last := len(f.nodes) - 1
		leaf = tlog.NodeHash(f.nodes[last], leaf)
		f.nodes = f.nodes[:last]
	}
	f.nodes = append(f.nodes, leaf)
}

func (f *frontier) root() (audit.Hash, error) {
	return audit.Frontier{Size: f.size, Nodes: f.nodes}.Root()
}

// A Tree has all hashes of a log, to prove its entries: 64 bytes for each.
type Tree struct {
	levels [][]audit.Hash
}

// NewTree reads the hashes of a log.
func NewTree(log Source) (*Tree, error) {
	t := &Tree{levels: make([][]audit.Hash, 1)}
	err := log(func(one Entry) error {
		if one.Index != t.Size() {
			return fmt.Errorf("%w: entry %d where %d should be", ErrSource, one.Index, t.Size())
		}
		t.add(one.Hash)
		return nil
	})
	return t, err
}

func (t *Tree) add(leaf audit.Hash) {
	t.levels[0] = append(t.levels[0], leaf)
	for level := 0; len(t.levels[level])&1 == 0; level++ {
		if level+1 == len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		below := t.levels[level]
		t.levels[level+1] = append(t.levels[level+1], tlog.NodeHash(below[len(below)-2], below[len(below)-1]))
	}
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return int64(len(t.levels[0])) }

// Node reads a complete subtree, as audit.Prove asks for it.
func (t *Tree) Node(level int, n int64) (audit.Hash, error) {
	if level < 0 || level >= len(t.levels) || n < 0 || n >= int64(len(t.levels[level])) {
		return audit.Hash{}, fmt.Errorf("%w: subtree %d of level %d is not in it", ErrSource, n, level)
	}
	return t.levels[level][n], nil
}

// Prove is the inclusion proof of an entry in the tree of the first size leaves.
func (t *Tree) Prove(size, index int64) ([]audit.Hash, error) {
	return audit.Prove(size, index, t.Node)
}
