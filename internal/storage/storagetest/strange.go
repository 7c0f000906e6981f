package storagetest

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var strangeClauses = []clause{
	{"identifiers/NUL and broken UTF-8 find no record and change none", strangeRecords},
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
		if n := rows + len(tokens) + len(stale.Requests) + len(stale.Subjects) + len(stones) + len(out) + forgotten; n != 0 {
			w.Errorf("%q has %d records", tenant, n)
		}
		if got := w.inventory(tenant); len(got.Mappings)+got.Scopes+got.Subjects+got.DataKeys+got.Erasures != 0 {
			w.Errorf("%q has %+v", tenant, got)
		}
	}
}
