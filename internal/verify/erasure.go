package verify

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// The rules of a receipt of an erasure, beside those that it shares with a log.
const (
	RuleKind      = "kind"      // the entry records no erasure that was allowed; in a log, see the package comment
	RuleStatement = "statement" // the receipt says something else than its entry
)

// ErasureCounts are what the entry of an erasure counts.
type ErasureCounts struct{ Erased, Deferred, Shared, Keys, Rekeyed int }

// ErasureResult describes a receipt in which no fault was found.
type ErasureResult struct {
	Tenant, Origin      string
	Index, Size         int64 // of the entry, and of the head that covers it
	Root                audit.Hash
	Audience, RequestID string

	// Entry tells whether the copy has the entry. Where it has not, that there
	// is one of that hash is all that is proven; the rest is zero.
	Entry     bool
	Reference string
	ErasedAt  time.Time
	Counts    ErasureCounts
	// Later are values that a hold kept and that went after it: other entries
	// speak for these, and the receipt does not prove them.
	Later int
	// Replayed says that the log is that of an older copy of the data, which took
	// over: the entry says that the erasure was done again there, when, and how much
	// it came to in the copy.
	Replayed bool
}

// Erasure checks the receipt of an erasure, as the service gives it, with
// nothing but the public keys of the log. It returns a *Fault for the first
// fault, or ErrOptions where the keys are none.
//
// Of every copy: the head is signed by one of the keys and the proof leads from
// the leaf to its root. Of a copy with the entry: its bytes have that leaf hash,
// it records an allowed erasure of the tenant whose log it is, and what the
// receipt says of the request, the times and the counts is what the entry says.
// In the log of an older copy of the data that took over, the entry is that of
// the erasure done again: it names the request and has times and counts of its
// own. What an entry does not hold is not proven by it: regime, who checked the
// identity, destinations, the times at which backups are over.
func Erasure(receipt []byte, vkeys ...string) (ErasureResult, error) {
	return newVerifier(Options{VKeys: vkeys}).erasure(receipt)
}

func (v *verifier) erasure(text []byte) (ErasureResult, error) {
	if err := v.name(); err != nil {
		return ErasureResult{}, err
	}
	r, err := readErasureReceipt(text, v.once)
	if err != nil {
		return ErasureResult{}, &Fault{NoIndex, RuleSchema, err.Error()}
	}
	if r.Proof.Log != v.opts.Origin || r.Proof.Verify(v.opts.VKeys...) != nil {
		if err := v.report(NoIndex, RuleReceipt, "no key given has signed that the entry is in the log"); err != nil {
			return ErasureResult{}, err
		}
	}
	result := ErasureResult{
		Tenant: v.opts.Tenant, Origin: v.opts.Origin, Index: r.Proof.Index, Size: r.Proof.TreeSize,
		Root: r.Proof.RootHash, Audience: r.Audience, RequestID: r.RequestID,
	}
	if r.Entry == nil {
		return result, nil
	}
	return v.erasureEntry(r, result)
}

// erasureEntry holds what the receipt says against its entry.
func (v *verifier) erasureEntry(r *erasureReceipt, result ErasureResult) (ErasureResult, error) {
	leaf := []byte(*r.Entry)
	if audit.LeafHash(leaf) != r.Proof.LeafHash {
		if err := v.report(result.Index, RuleHash, "the proof is of another entry"); err != nil {
			return ErasureResult{}, err
		}
	}
	e, err := v.parse(leaf)
	if err != nil {
		return ErasureResult{}, &Fault{result.Index, ruleOf(err), err.Error()}
	}
	if err := v.tenant(result.Index, &e); err != nil {
		return ErasureResult{}, err
	}
	if e.Kind == audit.KindReplay && e.Seq == 0 && e.ReplayOf == r.RequestID {
		result.Entry, result.Replayed, result.Reference = true, true, e.Reference
		result.ErasedAt, result.Counts = e.Time, countsOf(&e)
		return result, nil
	}
	// The parts after the first hold keys and no counts.
	if e.Kind != audit.KindErase || e.Decision != audit.Allow || e.Seq != 0 {
		if err := v.report(result.Index, RuleKind, "the entry is not the first of an erasure that was allowed"); err != nil {
			return ErasureResult{}, err
		}
	}
	for _, s := range statements {
		if s.holds(r, &e) {
			continue
		}
		if err := v.report(result.Index, RuleStatement, s.field+" is not what the entry says"); err != nil {
			return ErasureResult{}, err
		}
	}
	c := countsOf(&e)
	result.Entry, result.Reference, result.ErasedAt, result.Counts = true, e.Reference, e.Time, c
	result.Later = r.Counts.Erased - c.Erased
	return result, nil
}

func countsOf(e *audit.Entry) ErasureCounts {
	return ErasureCounts{
		Erased: e.Counts["erased"], Deferred: e.Counts["deferred"], Shared: e.Counts["shared"],
		Keys: e.Counts["keys"], Rekeyed: e.Counts["rekeyed"],
	}
}

// A statement is something that a receipt with its entry says, and when it is
// true.
type statement struct {
	field string
	holds func(r *erasureReceipt, e *audit.Entry) bool
}

var statements = []statement{
	{"kind", func(r *erasureReceipt, _ *audit.Entry) bool { return r.Kind == "erasure" }},
	// One that was asked for and done at once has the id of its change; another
	// is named by the entry.
	{"request_id", func(r *erasureReceipt, e *audit.Entry) bool {
		return r.RequestID != "" && (r.RequestID == e.ChangeID || slices.Contains(e.Obligations, "request:"+r.RequestID))
	}},
	{"reference", func(r *erasureReceipt, e *audit.Entry) bool { return r.Reference == e.Reference }},
	{"identity.method", func(r *erasureReceipt, e *audit.Entry) bool {
		return r.Identity != nil && slices.Contains(e.Obligations, "identity:"+r.Identity.Method)
	}},
	{"erased_at", func(r *erasureReceipt, e *audit.Entry) bool { return r.ErasedAt.Equal(e.Time) }},
	{"counts.erased", counted(func(c ErasureCounts) int { return c.Erased })},
	{"counts.shared", counted(func(c ErasureCounts) int { return c.Shared })},
	{"counts.keys", counted(func(c ErasureCounts) int { return c.Keys })},
	{"counts.rekeyed", counted(func(c ErasureCounts) int { return c.Rekeyed })},
	{"counts.deferred", func(r *erasureReceipt, e *audit.Entry) bool {
		return r.Counts.Deferred >= 0 && r.Counts.Deferred <= countsOf(e).Deferred
	}},
	{"status", func(r *erasureReceipt, _ *audit.Entry) bool {
		return r.Status == statusDeferred && r.Counts.Deferred > 0 || r.Status == statusCompleted && r.Counts.Deferred == 0
	}},
	{"completed_at", completedInTime},
	{"methods", func(r *erasureReceipt, _ *audit.Entry) bool {
		c := r.counts()
		return slices.Contains(r.Methods, "key_destroyed") == (c.Keys > 0) && slices.Contains(r.Methods, "rekeyed") == (c.Rekeyed > 0)
	}},
	{"final_at", func(r *erasureReceipt, _ *audit.Entry) bool {
		return notBefore(r.FinalAt, r.CompletedAt) && notBefore(r.ExpectedFinalAt, r.CompletedAt)
	}},
}

// The states of an erasure.
const (
	statusDeferred  = "deferred"
	statusCompleted = "completed"
)

// counted compares a count that only grows. Where the entry deferred nothing it
// is the last of its erasure, and the receipt can say no more than it.
func counted(of func(ErasureCounts) int) func(r *erasureReceipt, e *audit.Entry) bool {
	return func(r *erasureReceipt, e *audit.Entry) bool {
		told, written := of(r.counts()), of(countsOf(e))
		return told == written || told > written && countsOf(e).Deferred > 0
	}
}

// completedInTime: at once where nothing was deferred, later where something
// was, and not yet where it still is.
func completedInTime(r *erasureReceipt, e *audit.Entry) bool {
	switch {
	case r.Status == statusDeferred:
		return r.CompletedAt == nil
	case r.CompletedAt == nil:
		return false
	case countsOf(e).Deferred == 0:
		return r.CompletedAt.Equal(e.Time)
	default:
		return r.CompletedAt.After(e.Time)
	}
}

// notBefore: a time that is told comes with the one that it follows, and after
// it.
func notBefore(t, since *time.Time) bool {
	return t == nil || since != nil && !t.Before(*since)
}

var (
	errReceiptJSON  = errors.New("it is not the JSON of a receipt of an erasure")
	errReceiptTwice = errors.New("a field is there twice, or in other letters")
	errReceiptProof = errors.New("it has no proof")
	errReceiptEntry = errors.New("an internal copy has its entry, and the subject's has none")
	errReceiptLong  = fmt.Errorf("it is longer than %d bytes", MaxReceipt)
)
