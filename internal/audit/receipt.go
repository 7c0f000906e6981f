package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A Receipt proves that an entry is in the log, to anybody who has the log's
// verifier key: the entry's place and leaf hash, the inclusion proof, and the
// signed head that it leads to. Hashes are standard base64 with padding, as in
// the checkpoint; the checkpoint is the text of the signed note.
type Receipt struct {
	Log        string `json:"log"`
	Index      int64  `json:"index"`
	LeafHash   Hash   `json:"leaf_hash"`
	TreeSize   int64  `json:"tree_size"`
	RootHash   Hash   `json:"root_hash"`
	Proof      []Hash `json:"proof"`
	Checkpoint string `json:"checkpoint"`
}

// Verify checks signature, origin, size, root and proof. What it cannot know
// is which entry the leaf hash belongs to: whoever holds the leaf compares
// LeafHash of it.
func (r Receipt) Verify(vkeys ...string) error {
	head, err := OpenCheckpoint([]byte(r.Checkpoint), vkeys...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	switch {
	case head.Origin != r.Log:
		return fmt.Errorf("%w: the checkpoint is of another log", ErrReceipt)
	case head.Size != r.TreeSize:
		return fmt.Errorf("%w: the checkpoint is of another size", ErrReceipt)
	case head.Root != r.RootHash:
		return fmt.Errorf("%w: the checkpoint has another root", ErrReceipt)
	}
	if err := tlog.CheckRecord(r.Proof, r.TreeSize, r.RootHash, r.Index, r.LeafHash); err != nil {
		return fmt.Errorf("%w: the proof does not lead from the leaf to the root", ErrReceipt)
	}
	return nil
}
