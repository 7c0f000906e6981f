package verify

import (
	"crypto/sha256"

	"github.com/counterfoil/counterfoil/internal/audit"
	"golang.org/x/mod/sumdb/tlog"
)

// tree computes the root of RFC 6962 from leaf hashes alone. It holds the
// complete subtrees that no larger one contains yet, the largest first, one for
// each bit of the size.
type tree struct {
	size     int64
	subtrees []audit.Hash
}

func (t *tree) push(leaf audit.Hash) {
	// Adding one to the size carries through the low bits that are set: each
	// carry joins two subtrees of equal size.
	for n := t.size; n&1 == 1; n >>= 1 {
		top := len(t.subtrees) - 1
		leaf = tlog.NodeHash(t.subtrees[top], leaf)
		t.subtrees = t.subtrees[:top]
	}
	t.subtrees = append(t.subtrees, leaf)
	t.size++
}

func (t *tree) root() audit.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	top := len(t.subtrees) - 1
	root := t.subtrees[top]
	for i := top - 1; i >= 0; i-- {
		root = tlog.NodeHash(t.subtrees[i], root)
	}
	return root
}
