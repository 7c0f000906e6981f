//go:build unix

package lifemodel_test

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// This file is what counsel does, and what ties values to people.

func (h *history) hold(*rapid.T) {
	h.step()
	hold := &modelHold{by: rapid.SampledFrom([]string{"subject", "value", "scope", "entity"}).Draw(h.T, "by")}
	var match vault.HoldWords
	switch hold.by {
	case "subject":
		hold.what = h.subject()
		match.Subjects = []string{hold.what}
	case "value":
		hold.what = h.value()
		match.Identifiers = mail(strings.ToUpper(hold.what))
	case "scope":
		hold.what = h.scope()
		match.Scopes = []string{hold.what}
	default:
		match.Entities = []string{"EMAIL_ADDRESS"}
	}
	req := holdRequest(match)
	if req.ExistingOnly = rapid.Bool().Draw(h.T, "existing only"); req.ExistingOnly {
		hold.until = h.now()
	}
	hold.backups = rapid.Bool().Draw(h.T, "backups")
	req.Backups = hold.backups
	hold.id = must(h.v.Service.PlaceHold(ctx, counsel(), req))(h).Hold.ID
	h.holds = append(h.holds, hold)
}

func (h *history) release(*rapid.T) {
	if len(h.holds) == 0 {
		h.Skip("no hold stands")
	}
	h.step()
	i := rapid.IntRange(0, len(h.holds)-1).Draw(h.T, "hold")
	must(h.v.Service.ReleaseHold(ctx, counsel(), h.holds[i].id, "ORDER-5", ""))(h)
	h.holds = slices.Delete(h.holds, i, i+1)
}

func (h *history) link(*rapid.T) {
	h.step()
	subject, value := h.subject(), h.value()
	result := must(h.v.Service.LinkSubject(ctx, officer(), vault.LinkRequest{Subject: subject, Identifiers: mail(value)}))(h)
	ref, changed := h.person(subject), 0
	for _, k := range h.kept {
		if k.value == value && k.stands() && !k.retired && !slices.Contains(k.about, ref) {
			k.about = append(k.about, ref)
			changed++
		}
	}
	if result.Changed != changed {
		h.Fatalf("%d were tied, want %d: %s %s", result.Changed, changed, subject, value)
	}
}
