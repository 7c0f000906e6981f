package verify

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// The counts of an entry of kind prune: the leaves [from, to) may be taken out.
const (
	countFrom = "from"
	countTo   = "to"
)

// A run is a row of entries whose leaves are gone, [from, to).
type run struct{ from, to int64 }

// pruned are the leaves that are gone and that nobody spoke for yet, in order.
type pruned struct {
	unspoken []run
	count    int64
}

func (p *pruned) add(at int64) {
	p.count++
	if n := len(p.unspoken); n > 0 && p.unspoken[n-1].to == at {
		p.unspoken[n-1].to++
		return
	}
	p.unspoken = append(p.unspoken, run{at, at + 1})
}

// speak takes what an entry names off the list.
func (p *pruned) speak(named run) {
	var rest []run
	for _, r := range p.unspoken {
		if before := (run{r.from, min(r.to, named.from)}); before.from < before.to {
			rest = append(rest, before)
		}
		if after := (run{max(r.from, named.to), r.to}); after.from < after.to {
			rest = append(rest, after)
		}
	}
	p.unspoken = rest
}

// gone adds an entry of which there is only the hash.
func (v *verifier) gone(at int64, r *read) error {
	if len(r.stored) != len(v.hash) {
		return v.report(at, RulePruned, "there is neither a leaf nor its hash")
	}
	v.pruned.add(at)
	v.hash, v.hashed, v.unread = audit.Hash(r.stored), true, true
	v.tree.push(v.hash)
	return v.compare()
}

// spoken takes note of an entry that says which leaves may be gone: ones before it.
func (v *verifier) spoken(at int64, e *audit.Entry) error {
	if e.Kind == audit.KindPrune && e.Decision != audit.Deny && e.Seq == 0 {
		v.pruned.speak(run{int64(e.Counts[countFrom]), min(int64(e.Counts[countTo]), at)})
	}
	return nil
}

// unspoken finds leaves that are gone although nobody said so.
func (v *verifier) unspoken() error {
	if len(v.pruned.unspoken) == 0 {
		return nil
	}
	first := v.pruned.unspoken[0]
	detail := fmt.Sprintf("%d leaves from here on are gone, and no entry says that they were taken out", first.to-first.from)
	return v.report(first.from, RulePruned, detail)
}
