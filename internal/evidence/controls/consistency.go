package controls

import (
	"encoding/hex"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// consistency looks whether entries fit each other and their kinds. That they are
// those of the checkpoint is for package verify.
type consistency struct {
	base
	next   int64
	last   time.Time
	part   audit.Entry // the entry before, where it is one of several
	hash   audit.Hash  // of it
	whole  bool        // it has its leaf, or is before the first
	seeing bool        // the walk has not come to the end of the period
}

func newConsistency(e *env) query { return &consistency{base: base{env: e}, seeing: true, whole: true} }

func (q *consistency) take(*evidence.Change, bool) {}

func (q *consistency) see(one *evidence.Entry) {
	if one.Index != q.next {
		q.broken(one.Index, "an entry that is not at its place")
	}
	q.next = one.Index + 1
	if one.Pruned() {
		q.part, q.whole = audit.Entry{}, false
		return
	}
	e := &one.Entry
	q.seeing = q.seeing && e.Time.Before(q.period.To)
	if q.seeing && q.period.Holds(e.Time) {
		q.population++
		q.judge(one)
	}
	q.last, q.part, q.hash, q.whole = e.Time, *e, one.Hash, true
}

func (q *consistency) judge(one *evidence.Entry) {
	e := &one.Entry
	switch {
	case e.Time.Before(q.last):
		q.broken(one.Index, "an entry that is older than the one before it")
	case q.facts.Tenant != "" && e.Tenant != q.facts.Tenant:
		q.broken(one.Index, "an entry of another tenant")
	case q.whole && !q.linked(e):
		q.broken(one.Index, "an entry that is not linked to the one before it")
	default:
		if err := audit.CheckKind(e); err != nil {
			// The error names a field and a rule, never a value.
			q.broken(one.Index, "an entry that breaks the rules of its kind: "+err.Error())
		}
	}
}

// linked tells whether an entry goes on where the one before it left off.
func (q *consistency) linked(e *audit.Entry) bool {
	p := &q.part
	if p.Seq+1 >= p.Parts {
		return e.Seq == 0
	}
	return e.Seq == p.Seq+1 && e.Parts == p.Parts && e.ChangeID == p.ChangeID && e.Kind == p.Kind && e.Prev == hex.EncodeToString(q.hash[:])
}
