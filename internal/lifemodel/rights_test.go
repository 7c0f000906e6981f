//go:build unix

package lifemodel_test

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// This file is what the privacy team does short of erasing, and how it is undone.

// alone tells whether a value is about one person and nobody else.
func (k *kept) alone(ref int) bool { return len(k.about) == 1 && k.about[0] == ref }

func (h *history) restrict(*rapid.T) {
	h.step()
	subject := h.subject()
	ref, known := h.refs[subject]
	if slices.ContainsFunc(h.requests, func(r *asked) bool { return known && r.ref == ref }) {
		h.Skip("a restriction of the person stands")
	}
	check := identity(h.v)
	id := must(h.v.Service.OpenSubjectRequest(ctx, officer(), vault.IntakeRequest{
		Kind: vault.RequestRestriction, Regime: "gdpr", Subject: subject, Reference: "DSAR-8", Identity: &check,
	}))(h).Request.ID
	got, err := h.v.Service.RestrictSubject(ctx, officer(), id, vault.ExecuteRequest{ConfirmSubject: subject})
	if !known {
		if vault.CodeOf(err) != vault.CodeConflict {
			h.Fatalf("nobody was restricted: %v", err)
		}
		must(h.v.Service.WithdrawRequest(ctx, officer(), id))(h)
		return
	}
	result, changed := must(got, err)(h), 0
	for _, k := range h.kept {
		if k.current() && k.alone(ref) {
			k.restricted = true
			changed++
		}
	}
	if result.Restricted != changed {
		h.Fatalf("%d were restricted, want %d", result.Restricted, changed)
	}
	h.requests = append(h.requests, &asked{id: id, ref: ref})
}

// lift ends a restriction. What lives again has its token again, unless the
// value got another one meanwhile.
func (h *history) lift(*rapid.T) {
	if len(h.requests) == 0 {
		h.Skip("no restriction stands")
	}
	h.step()
	i := rapid.IntRange(0, len(h.requests)-1).Draw(h.T, "restriction")
	request := h.requests[i]
	free := h.free(request.ref)
	for _, k := range free {
		if rivals := h.rivals(free, k); len(rivals) > 1 && !slices.ContainsFunc(rivals, func(r *kept) bool { return !h.expired(r) }) {
			h.Skip("several are past their time, and nothing tells which of them is current")
		}
	}
	if result := must(h.v.Service.LiftRestriction(ctx, officer(), request.id))(h); result.Restricted != len(free) {
		h.Fatalf("%d were lifted, want %d", result.Restricted, len(free))
	}
	h.requests = slices.Delete(h.requests, i, i+1)
	for _, k := range free {
		another := slices.ContainsFunc(h.kept, func(o *kept) bool { return o.of == k.of && o.value == k.value && o.current() })
		k.restricted = false
		k.retired = another || !h.chosen(h.rivals(free, k), k)
	}
}

// free are the values of a person alone that no deferred erasure restricts.
func (h *history) free(ref int) []*kept {
	var free []*kept
	for _, k := range h.kept {
		if k.stands() && k.restricted && k.alone(ref) &&
			!slices.ContainsFunc(h.deferred, func(w *wish) bool { return w.ref == ref && !k.made.After(w.until) }) {
			free = append(free, k)
		}
	}
	return free
}

// rivals are those that are tokens of one value in one scope.
func (h *history) rivals(of []*kept, k *kept) []*kept {
	var rivals []*kept
	for _, o := range of {
		if o.of == k.of && o.value == k.value {
			rivals = append(rivals, o)
		}
	}
	return rivals
}

// chosen tells which of several lives again: any may that is in time, but one.
func (h *history) chosen(rivals []*kept, k *kept) bool {
	if len(rivals) == 1 {
		return true
	}
	return must(h.v.Service.Detokenize(ctx, h.v.Gateway(), vault.DetokenizeRequest{
		Scope: k.scope, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: []string{k.token},
	}))(h).Values[0] == k.value
}
