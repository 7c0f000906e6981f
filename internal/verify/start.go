package verify

import (
	"fmt"
	"math/bits"

	"github.com/counterfoil/counterfoil/internal/audit"
	"golang.org/x/mod/sumdb/tlog"
)

// A Start begins the reading at a checkpoint that was verified before: the source
// gives the entries from its size on, up to that of Newest. Those before need not
// be had.
//
// Proof is the RFC 6962 consistency proof from Checkpoint to Newest. It holds the
// complete subtrees that Checkpoint is made of, and so all that is needed to go on
// from there; that they are the right ones follows from both roots. What an entry
// says of one before Checkpoint is believed.
type Start struct {
	Checkpoint, Newest []byte
	Proof              []audit.Hash
}

// begin puts the tree to where the reading begins.
func (v *verifier) begin() error {
	start := v.opts.From
	if start == nil {
		return nil
	}
	from, err := v.open(start.Checkpoint, v.opts.VKeys...)
	if err != nil || from.Origin != v.opts.Origin {
		return v.report(NoIndex, RuleSignature, "the checkpoint to begin at: "+reason(err))
	}
	newest, err := v.open(start.Newest, v.opts.VKeys...)
	if err != nil || newest.Origin != v.opts.Origin {
		return v.report(NoIndex, RuleSignature, "the checkpoint to read up to: "+reason(err))
	}
	v.claims = append(v.claims,
		claim{from.Size, from.Root, "the checkpoint to begin at"}, claim{newest.Size, newest.Root, "the checkpoint to read up to"})
	switch {
	case newest.Size < from.Size:
		detail := fmt.Sprintf("the log has %d entries, the checkpoint to begin at states %d", newest.Size, from.Size)
		return v.report(newest.Size, RuleBehind, detail)
	case from.Size == 0:
		return nil
	case tlog.CheckTree(start.Proof, newest.Size, newest.Root, from.Size, from.Root) != nil:
		detail := fmt.Sprintf("no proof that the tree of %d entries begins with that of %d", newest.Size, from.Size)
		if err := v.report(NoIndex, RuleConsistency, detail); err != nil {
			return err
		}
	}
	v.from, v.until, v.unread = from.Size, newest.Size, true
	v.tree = tree{size: from.Size, subtrees: subtreesOf(start.Proof, from, newest.Size)}
	return nil
}

// beyond refuses what was given about sizes before the start: nothing can be said
// of it.
func (v *verifier) beyond() error {
	if len(v.claims) > 0 && v.claims[0].size < v.from {
		return fmt.Errorf("%w: %s is of fewer entries than the checkpoint to begin at", ErrOptions, v.claims[0].what)
	}
	return nil
}

// subtreesOf takes the complete subtrees of the older tree out of a consistency
// proof that was checked, the largest first. The proof follows the last leaf of the
// older tree down to the subtree that ends with it (RFC 6962 section 2.1.2), the
// last hash being that of the first step: to the right of the way there is only
// what came later, to the left only whole subtrees of the older tree.
func subtreesOf(proof []audit.Hash, old audit.TreeHead, size int64) []audit.Hash {
	var whole []audit.Hash
	for low, high := int64(0), size; ; {
		switch {
		case old.Size == high && low == 0:
			// One subtree; or the newest tree itself, to which nothing is added.
			return []audit.Hash{old.Root}
		case len(proof) == 0:
			// Not the shape of a proof, which was refused before.
			return make([]audit.Hash, bits.OnesCount64(uint64(old.Size))) //nolint:gosec // no checkpoint has a negative size
		case old.Size == high:
			return append(whole, proof[0])
		}
		last := len(proof) - 1
		if middle := low + largestBelow(high-low); old.Size <= middle {
			high = middle
		} else {
			whole, low = append(whole, proof[last]), middle
		}
		proof = proof[:last]
	}
}

// largestBelow is the largest power of two below n, which is more than one.
func largestBelow(n int64) int64 {
	return 1 << (bits.Len64(uint64(n-1)) - 1) //nolint:gosec // n is positive
}
