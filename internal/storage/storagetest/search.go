package storagetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var searchClauses = []clause{
	{"search/every filter, alone and together", searchFilters},
	{"search/pages follow one another in both directions", searchPages},
}

// searched makes a log of known entries, a second apart, at indexes 0 to 6.
func (w *world) searched() (changes []vault.Change) {
	w.Helper()
	w.tenant("acme")
	entries := []audit.Entry{
		{Kind: audit.KindRestore, Actor: "ann", Reason: "LLM_RESPONSE", Decision: audit.Allow, RequestID: "req-1",
			Entities: map[string]int{"PERSON": 1, "PHONE_NUMBER": 2}, Tokens: []string{"AAAA", "BBBB"}},
		{Kind: audit.KindRestore, Actor: "ann", Reason: "FRAUD_REVIEW", Decision: audit.Deny, RequestID: "req-2",
			Entities: map[string]int{"PERSON": 1}, Tokens: []string{"AAAA", "AAAA"}},
		{Kind: audit.KindOutcome, Actor: "Ann", Reason: "LLM_RESPONSE", Decision: audit.Partial, RequestID: "req-1"},
		{Kind: audit.KindIntegrityFailure, Actor: "bob", Decision: audit.Allow, RequestID: "req-3", Tokens: []string{"CCCC"}},
		{Kind: audit.KindAuthFailures, Counts: map[string]int{"denials": 3}},
		{Kind: audit.KindRestore, Actor: "bob", Reason: "LLM_RESPONSE", Decision: audit.Allow, RequestID: "req-4",
			Entities: map[string]int{"PERSON": 1}, Tokens: []string{"AAAA"}},
	}
	for _, e := range entries {
		w.clock.Advance(time.Second)
		var effect vault.Effect = vault.Record{}
		if e.Kind == audit.KindRestore {
			effect = vault.Restore{}
		}
		c := changeWith(w, "acme", effect, e)
		_, err := w.Store.Commit(w.ctx, "acme", c)
		w.no(err)
		changes = append(changes, c)
	}
	return changes
}

// find returns the indexes of the entries that a query selects.
func (w *world) find(q vault.EntryQuery) []int64 {
	w.Helper()
	entries, err := w.Ledger.Entries(w.ctx, "acme", q)
	w.no(err)
	var indexes []int64
	for _, e := range entries {
		indexes = append(indexes, e.Index)
	}
	return indexes
}

func searchFilters(w *world) {
	began := w.now()
	changes := w.searched()
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	tests := []struct {
		q    vault.EntryQuery
		want []int64
	}{
		{vault.EntryQuery{}, []int64{0, 1, 2, 3, 4, 5, 6}},
		{vault.EntryQuery{Actor: "ann"}, []int64{1, 2}},
		{vault.EntryQuery{Actor: "an"}, nil},
		{vault.EntryQuery{Reason: "LLM_RESPONSE"}, []int64{1, 3, 6}},
		{vault.EntryQuery{Entity: "PERSON"}, []int64{1, 2, 6}},
		{vault.EntryQuery{Entity: "PHONE_NUMBER"}, []int64{1}},
		{vault.EntryQuery{Kind: "restore"}, []int64{1, 2, 6}},
		{vault.EntryQuery{Kind: "tenant_create"}, []int64{0}},
		{vault.EntryQuery{Token: "AAAA"}, []int64{1, 2, 6}},
		{vault.EntryQuery{Token: "CCCC"}, []int64{4}},
		{vault.EntryQuery{Token: "PERSON"}, nil},
		{vault.EntryQuery{RequestID: "req-1"}, []int64{1, 3}},
		{vault.EntryQuery{Decision: audit.Deny}, []int64{2}},
		{vault.EntryQuery{ChangeID: changes[2].ID()}, []int64{3}},
		{vault.EntryQuery{ChangeID: "none"}, nil},
		{vault.EntryQuery{ChangeID: changes[2].ID(), Actor: "ann"}, nil},
		{vault.EntryQuery{Since: at(2)}, []int64{2, 3, 4, 5, 6}},
		{vault.EntryQuery{Since: at(2).Add(1)}, []int64{3, 4, 5, 6}},
		{vault.EntryQuery{Until: at(2)}, []int64{0, 1}},
		{vault.EntryQuery{Until: at(2).Add(1)}, []int64{0, 1, 2}},
		{vault.EntryQuery{Since: at(2), Until: at(4)}, []int64{2, 3}},
		{vault.EntryQuery{Since: at(100)}, nil},
		{vault.EntryQuery{Since: at(4), Until: at(2)}, nil},
		{vault.EntryQuery{Actor: "ann", Decision: audit.Allow}, []int64{1}},
		{vault.EntryQuery{Token: "AAAA", Entity: "PERSON", Kind: "restore", Reason: "LLM_RESPONSE", Actor: "bob"}, []int64{6}},
		{vault.EntryQuery{Token: "AAAA", Since: at(2), Until: at(6)}, []int64{2}},
	}
	for _, tt := range tests {
		name := fmt.Sprintf("%+v", tt.q)
		if diff := cmp.Diff(tt.want, w.find(tt.q)); diff != "" {
			w.Errorf("%s: %s", name, diff)
		}
		tt.q.Descending = true
		var reversed []int64
		for _, i := range tt.want {
			reversed = append([]int64{i}, reversed...)
		}
		if diff := cmp.Diff(reversed, w.find(tt.q)); diff != "" {
			w.Errorf("%s, descending: %s", name, diff)
		}
	}
}

func searchPages(w *world) {
	w.searched()
	for _, q := range []vault.EntryQuery{{}, {Token: "AAAA"}, {Actor: "ann", Kind: "restore"}} {
		for _, descending := range []bool{false, true} {
			q.Descending = descending
			want := w.find(q)
			var got []int64
			page := q
			page.Limit = 1
			for {
				one := w.find(page)
				if len(one) == 0 {
					break
				}
				got = append(got, one...)
				page.HasCursor, page.Cursor = true, one[0]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				w.Errorf("pages of %+v: %s", q, diff)
			}
		}
	}
	if got := w.find(vault.EntryQuery{HasCursor: true, Cursor: 1<<63 - 1}); len(got) != 0 {
		w.Errorf("after the last possible index: %v", got)
	}
	if got := w.find(vault.EntryQuery{HasCursor: true, Cursor: 0, Descending: true}); len(got) != 0 {
		w.Errorf("before the first index: %v", got)
	}
}
