// Package verify checks an audit log from the outside: given the entries as
// they are stored, and signed heads that somebody kept, it says that nothing
// was changed, dropped, moved or invented, or names the first thing that was.
//
// It shares no code with the writer but the format (package audit): the tree
// is computed here a second time, from the leaves alone, and no frontier,
// stored node or proof of the writer is believed.
//
// # What is checked of the form
//
// Of each entry: the index follows the one before (gap); the stored leaf hash
// is that of the leaf (hash); the leaf is an entry and in canonical form
// (schema, canonical); it has the fields of its kind and no others (kind); it is of
// this tenant (tenant); time does not run backwards (time); linked entries are
// complete, next to one another and chained by their hashes (link); no change id is
// used twice (change). An entry whose leaf was taken out counts by its hash, and is
// a fault unless a later entry of kind prune names its place (pruned): whoever asks
// for a leaf that is gone finds who took it and when. Rules that need that leaf are
// lenient exactly there.
//
// Of the whole: every checkpoint, anchor and receipt given is signed by a key
// given and names this log (signature, receipt); a key that takes over is vouched
// for by the one before it, over a head of this log (handover); no two heads state
// different roots for one size (consistency); at each of their sizes the tree of
// the leaves read has their root (root); and the log reaches the largest of them
// (checkpoint-behind). Since all roots are of prefixes of one list of leaves, the
// heads are consistent with one another; a proof is needed only where the reading
// begins at a checkpoint (see Start).
//
// # What is checked of the meaning
//
// What was done with the word of others comes after that word: after the request
// that it names, after as many agreements as that asked for, of different actors
// none of whom is the requester, after no rejection, and once (redeem). What says
// how something went on comes after the record of what was begun (outcome). A
// stream restores under a grant that is open, in its time, for who got it and why
// (flush). From the first entry that announces a policy version on, a decision is
// made under one that was announced in this log before it (policy).
//
// # What a copy adds
//
// A folder of tiles agrees with its leaves tile by tile (tile), see Tiles. A bundle
// of evidence is, byte for byte, what its signed manifest says (bundle, manifest),
// see Bundle.
//
// # What is not
//
// Without a head nothing is proven but form. Entries after the newest head are
// spoken for by no signature: Result.Signed says how far they go, and
// Options.RequireSigned makes the rest a fault. Whoever holds the signing key
// can write two histories; only a head that somebody kept shows it. That is why
// earlier checkpoints, anchors and receipts are worth giving.
//
// # Receipts of erasures
//
// Erasure checks the one page that is kept of an erasure, without the log and
// when its data are gone: see there for what it proves and what it does not.
package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Entry is one entry as it is stored. Leaf and LeafHash need only be valid until
// yield returns. A nil Leaf is one that was taken out: then LeafHash is there.
type Entry struct {
	Index    int64
	Leaf     []byte
	LeafHash []byte // as stored beside the leaf, nil where it is not
}

// A Source gives the entries of a log from index 0 on (or from Start), in the order
// of the log, and stops with the error of yield if there is one. An error of its
// own means that the log could not be read, unless it is a *Fault. What it yielded
// is checked before that error is looked at; the fault of an entry may be told by
// yield only some entries later.
type Source func(yield func(Entry) error) error

// Options says which log it should be and what is known about it.
type Options struct {
	Tenant string   // empty: the one that Origin names
	Origin string   // empty: the name of the first key
	VKeys  []string // verifier keys of the log, at least one

	// Handovers lead from the keys given to those that signed later, in order.
	// Afterwards all of these keys are good.
	Handovers [][]byte

	Checkpoints [][]byte // any earlier ones, and the newest
	Anchors     []audit.Anchor
	Receipts    []audit.Receipt

	// From begins the reading at a checkpoint; nil begins it at index 0.
	From *Start

	// RequireSigned makes it a fault that entries follow the newest head. A
	// store that was stopped between commit and signature has such entries; an
	// export that is handed over should not.
	RequireSigned bool
}

// Result describes a log in which no fault was found.
type Result struct {
	Tenant, Origin       string
	From                 int64 // the first index that was read
	Entries              int64 // of the log, those before From included
	Pruned               int64 // of those read, how many are a hash alone
	Root                 audit.Hash
	Signed               int64 // entries that the newest head given speaks for
	Checkpoints, Anchors int
	Receipts, Handovers  int
	Files                int       // of a bundle, the manifest not counted
	First, Last          time.Time // of the first and last entry that was read and has its leaf
}

// The rules. Each is explained in the package comment.
const (
	RuleGap         = "gap"
	RuleHash        = "hash"
	RuleSchema      = "schema"
	RuleCanonical   = "canonical"
	RuleTenant      = "tenant"
	RuleTime        = "time"
	RuleLink        = "link"
	RuleChange      = "change"
	RulePruned      = "pruned"
	RuleSignature   = "signature"
	RuleReceipt     = "receipt"
	RuleHandover    = "handover"
	RuleConsistency = "consistency"
	RuleRoot        = "root"
	RuleBehind      = "checkpoint-behind"
	RuleUnsigned    = "unsigned"
	RuleRedeem      = "redeem"
	RuleOutcome     = "outcome"
	RuleFlush       = "flush"
	RulePolicy      = "policy"
	RuleTile        = "tile"
	RuleBundle      = "bundle"
	RuleManifest    = "manifest"
)

// NoIndex is the index of a fault that is not one of an entry.
const NoIndex = -1

// A Fault is the first thing found that must not be. Detail names places and
// rules, never a value.
type Fault struct {
	Index  int64 // of the entry, or of the first one that a head does not agree with
	Rule   string
	Detail string
}

func (f *Fault) Error() string {
	if f.Index == NoIndex {
		return f.Rule + ": " + f.Detail
	}
	return fmt.Sprintf("entry %d: %s: %s", f.Index, f.Rule, f.Detail)
}

// ErrOptions means that the log was not looked at: keys or names are missing.
var ErrOptions = errors.New("verify: the options do not say which log to check")

// Log reads the log once. It returns a *Fault for the first fault; any other error
// means that nothing can be said. The Result is valid only without an error.
//
// Leaves are parsed by all processors and judged in order. Memory does not grow
// with the log but for what must be remembered of it: 17 bytes and a map slot per
// change (about 40 MB per million), some hundred per approval and grant, and 16 per
// run of leaves that were taken out. What is read ahead is at most 4 MiB and as
// many batches of entries as there are processors, twice.
func Log(ctx context.Context, src Source, opts Options) (Result, error) {
	return newVerifier(opts).run(ctx, src)
}
