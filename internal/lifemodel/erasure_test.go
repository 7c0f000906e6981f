//go:build unix

package lifemodel_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// This file is what an erasure comes to, at once and later, and its receipts.

// fates tells what an erasure comes to: what goes, what a hold keeps, and what
// is about others too.
func (h *history) fates(w *wish) (goes, held, shared []*kept) {
	for _, k := range h.kept {
		switch {
		case !k.stands() || !slices.Contains(k.about, w.ref) || k.made.After(w.until):
		case h.held(k):
			held = append(held, k)
		case len(k.about) > 1:
			shared = append(shared, k)
		default:
			goes = append(goes, k)
		}
	}
	return goes, held, shared
}

// perish erases what goes with a person, restricts what a hold keeps of it, and
// leaves to others what is about them.
func (h *history) perish(w *wish) (erased, deferred int) {
	goes, held, shared := h.fates(w)
	for _, k := range goes {
		k.erased = true
		if h.keptOut[k.value].Before(w.suppress) {
			h.keptOut[k.value] = w.suppress
		}
	}
	for _, k := range held {
		k.restricted = k.restricted || len(k.about) == 1 && !k.retired
	}
	for _, k := range shared {
		k.about = slices.DeleteFunc(k.about, func(ref int) bool { return ref == w.ref })
	}
	if !slices.ContainsFunc(h.kept, func(k *kept) bool { return k.stands() && slices.Contains(k.about, w.ref) }) {
		for name, ref := range h.refs {
			if ref == w.ref {
				delete(h.refs, name)
			}
		}
	}
	return len(goes), len(held)
}

// suppress says for how long an erasure keeps out what it erases.
func (h *history) suppress() (asked string, until time.Time) {
	if rapid.Bool().Draw(h.T, "suppress") {
		return "30d", h.now().Add(30 * day)
	}
	return "none", time.Time{}
}

func (h *history) erase(*rapid.T) {
	h.step()
	subject := h.subject()
	asked, until := h.suppress()
	got, err := h.v.Service.EraseSubject(ctx, officer(), erasure(h.v, subject, asked))
	ref, known := h.refs[subject]
	h.erased(must(got, err)(h), known, &wish{ref: ref, until: h.now(), suppress: until})
}

// eraseValue erases for somebody of whom nothing is known but a value. Where it
// is tied to a person it is that person's to ask.
func (h *history) eraseValue(*rapid.T) {
	h.step()
	value := h.value()
	asked, until := h.suppress()
	req := erasure(h.v, "", asked)
	req.Identifiers, req.DryRun = mail(value), true
	seen, err := h.v.Service.EraseSubject(ctx, officer(), req)
	var found []*kept
	tied := false
	for _, k := range h.kept {
		if k.value == value && k.stands() && !k.retired {
			found = append(found, k)
			tied = tied || len(k.about) > 0
		}
	}
	if tied {
		if vault.CodeOf(err) != vault.CodeConflict {
			h.Fatalf("%s is tied to somebody, and %v", value, err)
		}
		return
	}
	req.DryRun, req.PreviewID = false, must(seen, err)(h).PreviewID
	got, err := h.v.Service.EraseSubject(ctx, officer(), req)
	h.people++
	for _, k := range found {
		k.about = []int{h.people}
	}
	h.erased(must(got, err)(h), len(found) > 0, &wish{ref: h.people, until: h.now(), suppress: until})
}

// erased compares what an erasure said that it did, and keeps its receipt.
func (h *history) erased(got vault.ErasureResult, known bool, w *wish) {
	done := got.Erasure
	w.receipt = &receipt{id: done.ID, first: *got.Audit, completed: w.until}
	h.receipts = append(h.receipts, w.receipt)
	h.prove(w.receipt)
	if !known {
		if done.State != vault.ErasureCompleted || done.Counts != (vault.ErasureCounts{}) {
			h.Fatalf("nobody was erased: %+v", done)
		}
		return
	}
	erased, deferred := h.perish(w)
	if done.Counts.Erased != erased || done.Counts.Deferred != deferred || (done.State == vault.ErasureDeferred) != (deferred > 0) {
		h.Fatalf("erased %+v (%s), want %d erased and %d deferred", done.Counts, done.State, erased, deferred)
	}
	if deferred > 0 {
		w.receipt.completed = time.Time{}
		h.deferred = append(h.deferred, w)
	}
}

func (h *history) resume(*rapid.T) {
	h.step()
	if err := h.v.Service.ResumeErasures(ctx, "acme"); err != nil {
		h.Fatalf("resume: %v", err)
	}
	// The newest goes on first.
	slices.Reverse(h.deferred)
	h.deferred = slices.DeleteFunc(h.deferred, func(w *wish) bool {
		if goes, held, shared := h.fates(w); len(goes)+len(shared) == 0 && len(held) > 0 {
			return false // held as before
		}
		_, deferred := h.perish(w)
		if deferred == 0 {
			w.receipt.completed = h.now()
		}
		return deferred == 0
	})
	slices.Reverse(h.deferred)
}

// receipt is what an erasure answered with.
type receipt struct {
	id        string
	first     audit.Receipt
	completed time.Time // zero while a hold defers a part
}

// prove checks a receipt with nothing but the log's key, and the one that is
// given later: it is of the same entry, in the log as it stands now.
func (h *history) prove(r *receipt) {
	if err := r.first.Verify(h.vkeys...); err != nil {
		h.Fatalf("the receipt of %s: %v", r.id, err)
	}
	now := must(h.v.Service.ErasureReceipt(ctx, officer(), r.id))(h)
	if err := now.Proof.Verify(h.vkeys...); err != nil {
		h.Fatalf("the later receipt of %s: %v", r.id, err)
	}
	entry, err := audit.ParseLeaf(now.Leaf)
	if err != nil || entry.Kind != audit.KindErase {
		h.Fatalf("the entry of %s is of kind %s: %v", r.id, entry.Kind, err)
	}
	if got := audit.LeafHash(now.Leaf); got != r.first.LeafHash || got != now.Proof.LeafHash || now.Proof.Index != r.first.Index ||
		now.Proof.TreeSize < r.first.TreeSize {
		h.Fatalf("the receipts of %s are of two entries: %d and %d", r.id, r.first.Index, now.Proof.Index)
	}
}
