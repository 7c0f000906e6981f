package client

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Hash is a SHA-256 hash; in JSON it is standard base64.
type Hash = tlog.Hash

// Receipt proves that an entry is in the log, to anybody who has the log's
// public key. It may be kept as JSON and checked at any time.
type Receipt struct {
	Log        string `json:"log"` // the origin of the log
	Index      int64  `json:"index"`
	LeafHash   Hash   `json:"leaf_hash"`
	TreeSize   int64  `json:"tree_size"`
	RootHash   Hash   `json:"root_hash"`
	Proof      []Hash `json:"proof"`
	Checkpoint string `json:"checkpoint"` // the signed head
}

// A Fault is what is wrong with a receipt.
type Fault string

// The faults.
const (
	FaultMissing   Fault = "there is none"
	FaultLog       Fault = "it is of another log"
	FaultSignature Fault = "no pinned key has signed its head"
	FaultHandover  Fault = "the key that signed its head is none that a pinned key vouches for"
	FaultProof     Fault = "it does not prove what it says"
	FaultBehind    Fault = "the log went back behind what it had shown"
	FaultFork      Fault = "the log has shown another history"
	// FaultConsistency is only where Config.Checkpoints demand the proof.
	FaultConsistency Fault = "the log does not prove that it continues what it had shown"
)

// ReceiptError says that an answer was withheld because its receipt does not
// prove that it was recorded. Behind, Fork, Handover and Consistency are evidence
// against whoever keeps the log: keep Receipt, which is what came.
type ReceiptError struct {
	Fault   Fault
	Receipt *Receipt
}

// Error names the fault and nothing of the receipt.
func (e *ReceiptError) Error() string { return fmt.Sprintf("client: receipt: %s", e.Fault) }

// Verify checks signature, log, size, root and proof with the public keys of
// one log.
func (r Receipt) Verify(keys ...string) error {
	if err := audit.Receipt(r).Verify(keys...); err != nil {
		return &ReceiptError{faultOf(err), &r}
	}
	return nil
}

func faultOf(err error) Fault {
	if errors.Is(err, audit.ErrSignature) || errors.Is(err, audit.ErrKey) {
		return FaultSignature
	}
	return FaultProof
}

// states returns what a receipt that was verified says of the tree: the roots
// of its head, of the tree with its entry as the last, and of the tree before
// it. The siblings on the left of the path are the complete subtrees of what
// came before (RFC 6962 section 2.1), so their hash is the root of that.
func (r *Receipt) states() []head {
	before, with := Hash{}, r.LeafHash
	some := false
	place, last := r.Index, r.TreeSize-1
	for _, sibling := range r.Proof {
		// Where the path is the last of its level and has no sibling there, it
		// goes up until it has one, which is then on its left.
		for place&1 == 0 && place == last && place > 0 {
			place, last = place>>1, last>>1
		}
		if place&1 == 1 {
			with = tlog.NodeHash(sibling, with)
			if some {
				before = tlog.NodeHash(sibling, before)
			} else {
				before, some = sibling, true
			}
		}
		place, last = place>>1, last>>1
	}
	heads := []head{{r.Index + 1, with}, {r.TreeSize, r.RootHash}}
	if some {
		heads = append(heads, head{r.Index, before})
	}
	return heads
}
