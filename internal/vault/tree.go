package vault

import (
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Tree is the state of a log after one commit, shared by all the changes that
// were in it, so that one Ed25519 signature serves them all.
type Tree struct {
	batch *audit.Batch
	once  sync.Once
	note  []byte
	err   error
}

// NewTree is called by a store once the commit is acknowledged, never before:
// a head that was signed must not vanish.
func NewTree(b *audit.Batch) *Tree { return &Tree{batch: b} }

// Sign signs the head the first time it is called.
func (t *Tree) Sign(s *audit.Signer) ([]byte, error) {
	t.once.Do(func() {
		t.note, t.err = s.Sign(audit.TreeHead{
			Origin: s.Origin(), Size: t.batch.Frontier.Size, Root: t.batch.Root,
		})
	})
	return t.note, t.err
}

// Receipt proves that the entry at index is in the signed tree.
func (t *Tree) Receipt(s *audit.Signer, index int64) (audit.Receipt, error) {
	checkpoint, err := t.Sign(s)
	if err != nil {
		return audit.Receipt{}, err
	}
	proof, err := t.batch.Prove(index)
	if err != nil {
		return audit.Receipt{}, err
	}
	return audit.Receipt{
		Log: s.Origin(), Index: index, LeafHash: t.batch.Leaves[index-t.batch.First],
		TreeSize: t.batch.Frontier.Size, RootHash: t.batch.Root,
		Proof: proof, Checkpoint: string(checkpoint),
	}, nil
}
