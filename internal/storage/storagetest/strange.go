package storagetest

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var strangeClauses = []clause{
	{"identifiers/NUL and broken UTF-8 find no record and change none", strangeRecords},
	{"identifiers/NUL and broken UTF-8 find no proceeding and change none", strangeProceedings},
	{"tenants/one that is not there has no records", recordsOfNobody},
}

// records counts all that the readers of records return for an identifier.
func (w *world) records(tenant, id string) (rows int, errs []error) {
	w.Helper()
	add := func(n int, err error) { rows, errs = rows+n, append(errs, err) }
	requests, err := w.Requests.Requests(w.ctx, tenant, vault.RequestQuery{ID: id})
	add(len(requests), err)
	requests, err = w.Requests.Requests(w.ctx, tenant, vault.RequestQuery{Kind: vault.RequestKind(id)})
	add(len(requests), err)
	requests, err = w.Requests.Requests(w.ctx, tenant, vault.RequestQuery{State: vault.RequestState(id), Open: true})
	add(len(requests), err)
	notes, err := w.Requests.RequestNotes(w.ctx, tenant, id)
	add(len(notes), err)
	names, err := w.Requests.Names(w.ctx, tenant, []string{id}, []string{id})
	add(len(names), err)
	sealed, err := w.Remains.SealedUnder(w.ctx, tenant, []string{id}, 10)
	add(len(sealed.Mappings)+len(sealed.Names), err)
	erasures, err := w.Erasures.Erasures(w.ctx, tenant, vault.ErasureQuery{ID: id})
	add(len(erasures), err)
	for _, q := range []vault.ProceedingQuery{
		{ID: id}, {Kind: vault.ProceedingKind(id)}, {State: vault.ProceedingState(id), Open: true}, {Actor: id}, {SubjectRefs: []string{id}},
	} {
		proceedings, err := w.Proceedings.Proceedings(w.ctx, tenant, q)
		add(len(proceedings), err)
	}
	return rows, errs
}

func strangeRecords(w *world) {
	e := w.estate("acme")
	r := w.open("acme", w.request(vault.RequestAccess, e.ann))
	for _, id := range []string{"x\x00", "\x00", "x\xff", "\xed\xa0\x80"} {
		if rows, _ := w.records("acme", id); rows != 0 {
			w.Errorf("%q reads %d rows", id, rows)
		}
		bad, note := r, vault.RequestNote{RequestID: id, Author: "officer-1", KeyID: e.own.ID, Sealed: []byte("sealed")}
		bad.ID = id
		key := vault.DataKey{ID: id, SubjectRef: r.ID, Wrapped: wrapped("key")}
		for _, effect := range []vault.Effect{
			vault.UpdateRequest{Request: bad}, vault.NoteRequest{Note: note},
			vault.NoteRequest{Note: vault.RequestNote{RequestID: r.ID, Author: "officer-1", KeyID: id, Sealed: []byte("sealed")}, Key: &key},
			vault.Restrict{SubjectRef: id, Request: r}, vault.LiftRestriction{SubjectRef: id, Request: r},
			vault.Sweep{Requests: []string{id}}, vault.Sweep{Subjects: []string{id}},
			vault.Restore{Names: []vault.NameRef{{SubjectRef: id, KeyID: id}}}, vault.Restore{Names: []vault.NameRef{{ScopeID: id, KeyID: id}}},
			vault.Erase{Erasure: erasureOf(e.ann), Request: &bad},
		} {
			e.unchanged(fmt.Sprintf("%T %q", effect, id), nil, effect)
		}
	}
	w.sameRequest("after all that", r, w.requested("acme", r.ID))
}

func strangeProceedings(w *world) {
	w.tenant("acme")
	ann := w.known("acme", "ann")
	of := proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	of.SubjectRef = ann.Ref
	consent := w.begin("acme", of)
	for _, id := range []string{"x\x00", "\x00", "x\xff", "\xed\xa0\x80"} {
		if rows, _ := w.records("acme", id); rows != 0 {
			w.Errorf("%q reads %d rows", id, rows)
		}
		badly, hers, by := consent, of, of
		badly.ID, hers.SubjectRef, by.Actor = id, id, id
		opens := Change(w, "acme", vault.Restore{})
		for _, change := range []vault.Change{
			Change(w, "acme", vault.OpenProceeding{Proceeding: hers}), opens.Opening(hers), opens.Opening(by),
			Change(w, "acme", altering(badly)), Change(w, "acme", altering(consent, badly)),
			Change(w, "acme", vault.Restore{Standing: []string{consent.ID, id}}), opens.Notifying(id, nil),
			redeeming(Change(w, "acme", vault.SetTenant{State: vault.TenantClosed}), badly),
		} {
			before := w.size("acme")
			if _, err := w.Store.Commit(w.ctx, "acme", change); err == nil || w.size("acme") != before {
				w.Errorf("%T with %q: %v", change.Effect(), id, err)
			}
		}
		// Who restores, and why, is compared with what is stored, and stands nowhere.
		w.commit("acme", vault.Restore{By: vault.Restorer{Actor: id, Client: id, Reason: id}, MaxOverdue: 1})
	}
	w.sameProceeding("after all that", consent, w.proceeding("acme", consent.ID))
	if got := w.proceedings("acme", vault.ProceedingQuery{}); len(got) != 1 {
		w.Errorf("%d proceedings are there, want 1", len(got))
	}
	w.CheckLog("acme")
}

func recordsOfNobody(w *world) {
	w.tenant("acme")
	for _, tenant := range []string{"globex", "Acme", ""} {
		rows, errs := w.records(tenant, "id")
		for _, err := range errs {
			w.no(err)
		}
		tokens, err := w.Requests.PersonTokens(w.ctx, tenant, vault.PersonQuery{Lookups: lookups(1)}, vault.MappingRef{})
		w.no(err)
		stale, err := w.Requests.StaleRecords(w.ctx, tenant, w.now(), 10)
		w.no(err)
		stones, err := w.Remains.Tombstones(w.ctx, tenant, vault.TombstoneQuery{})
		w.no(err)
		out, err := w.Remains.Suppressed(w.ctx, tenant, Digest("scope", "p"), lookups(1))
		w.no(err)
		forgotten, err := w.Remains.ForgetSuppressions(w.ctx, tenant, 10)
		w.no(err)
		exposed, err := w.Proceedings.Exposure(w.ctx, tenant)
		w.no(err)
		spent, until, err := w.Proceedings.Spent(w.ctx, tenant, []vault.Digest{Digest("budget")})
		w.no(err)
		over, err := w.Proceedings.ForgetSpent(w.ctx, tenant, 10)
		w.no(err)
		if len(spent) != 1 || !until.After(w.now()) {
			w.Errorf("%q has spent %v until %v", tenant, spent, until)
		}
		forgotten += over + len(exposed) + spent[0] + len(w.take(tenant, 10))
		w.no(w.Outbox.PostponeNotice(w.ctx, tenant, "id", w.now()))
		w.no(w.Outbox.SettleNotice(w.ctx, tenant, "id"))
		if n := rows + len(tokens) + len(stale.Requests) + len(stale.Subjects) + len(stones) + len(out) + forgotten; n != 0 {
			w.Errorf("%q has %d records", tenant, n)
		}
		if got := w.inventory(tenant); len(got.Mappings)+got.Scopes+got.Subjects+got.DataKeys+got.Erasures != 0 {
			w.Errorf("%q has %+v", tenant, got)
		}
	}
}
