package storagetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var searchClauses = []clause{
	{"search/every filter, alone and together", searchFilters},
	{"search/pages follow one another in both directions", searchPages},
	{"search/what is counted is what all pages have", searchCounts},
	{"search/like a search of all leaves, whatever is asked for", searchModel},
}

// searched makes a log of known entries, a second apart, at indexes 0 to 8, and one
// like it of another tenant.
func (w *world) searched() (changes []vault.Change) {
	w.Helper()
	w.tenant("acme")
	w.tenant("globex")
	entries := []audit.Entry{
		{Kind: audit.KindRestore, Actor: "ann", Reason: "LLM_RESPONSE", Decision: audit.Allow, RequestID: "req-1",
			Entities: map[string]int{"PERSON": 1, "PHONE_NUMBER": 2}, Tokens: []string{"AAAA", "BBBB"},
			Client: audit.Client{ClientID: "gw-1"}, OnBehalfOf: endUser, Destination: "vendor:eu", PolicyVersion: policyVersion,
			ScopeRefs: []string{"s1", "s2"}, SubjectRefs: []string{"p1"},
			Obligations: []string{"approver:mia", "approver:max", "class:restricted", "form:full"}},
		{Kind: audit.KindRestore, Actor: "ann", Reason: "FRAUD_REVIEW", Decision: audit.Deny, RequestID: "req-2",
			Entities: map[string]int{"PERSON": 1}, Tokens: []string{"AAAA", "AAAA"},
			Client: audit.Client{ClientID: "gw-2"}, Reference: "CASE-1", ScopeRefs: []string{"s2", "s3"}, SubjectRefs: []string{"p2", "p1"},
			Destination: "vendor:eu", Obligations: []string{"destination:vendor:us", "destination:vendor:eu", "Destination:none"}},
		{Kind: audit.KindOutcome, Actor: "Ann", Reason: "LLM_RESPONSE", Decision: audit.Partial, RequestID: "req-1"},
		{Kind: audit.KindIntegrityFailure, Actor: "bob", Decision: audit.Allow, RequestID: "req-3", Tokens: []string{"CCCC"}},
		{Kind: audit.KindAuthFailures, Counts: map[string]int{"denials": 3}},
		{Kind: audit.KindRestore, Actor: "bob", Reason: "LLM_RESPONSE", Decision: audit.Allow, RequestID: "req-4",
			Entities: map[string]int{"PERSON": 1}, Tokens: []string{"AAAA"}, ScopeRefs: []string{"s3"}},
		{Kind: audit.KindDispatch, Actor: "gw-1", Destination: "vendor:us", RequestID: "req-1"},
		{Kind: audit.KindControl, Actor: "mia", Reference: "CASE-1", Decision: audit.Allow, Obligations: []string{"class:public"}},
	}
	for _, e := range entries {
		w.clock.Advance(time.Second)
		var effect vault.Effect = vault.Record{}
		if e.Kind == audit.KindRestore {
			effect = vault.Restore{}
		}
		for _, tenant := range []string{"acme", "globex"} {
			c := changeWith(w, tenant, effect, e)
			_, err := w.Store.Commit(w.ctx, tenant, c)
			w.no(err)
			if tenant == "acme" {
				changes = append(changes, c)
			}
		}
	}
	// What only another tenant has.
	_, err := w.Store.Commit(w.ctx, "globex", changeWith(w, "globex", vault.Record{}, audit.Entry{Kind: audit.KindControl, Actor: "eve"}))
	w.no(err)
	return changes
}

var (
	endUser       = strings.Repeat("ab", 16)
	policyVersion = strings.Repeat("5a", 32)
)

// find returns the indexes of the entries that a query selects.
func (w *world) find(q vault.EntryQuery) []int64 {
	w.Helper()
	entries, err := w.Ledger.Entries(w.ctx, "acme", q)
	w.no(err)
	var indexes []int64
	for _, e := range entries {
		indexes = append(indexes, e.Index)
	}
	if n, err := w.Ledger.CountEntries(w.ctx, "acme", q); q.Limit == 0 && !q.HasCursor && (err != nil || n != int64(len(indexes))) {
		w.Errorf("%+v: %d are counted, %v; want %d", q, n, err, len(indexes))
	}
	return indexes
}

// search is a query and the entries that it finds in the log of searched.
type search struct {
	q    vault.EntryQuery
	want []int64
}

var searches = []search{
	{vault.EntryQuery{Reference: "CASE-1"}, []int64{2, 8}},
	{vault.EntryQuery{Client: "gw-1"}, []int64{1}},
	{vault.EntryQuery{Approver: "mia"}, []int64{1}},
	{vault.EntryQuery{Approver: "max", Actor: "ann"}, []int64{1}},
	{vault.EntryQuery{Class: "restricted"}, []int64{1}},
	{vault.EntryQuery{Class: "public"}, []int64{8}},
	{vault.EntryQuery{Destination: "vendor:eu"}, []int64{1, 2}},
	{vault.EntryQuery{Destination: "vendor:us"}, []int64{2, 7}},
	{vault.EntryQuery{Destination: "none"}, nil},
	{vault.EntryQuery{PolicyVersion: policyVersion}, []int64{1}},
	{vault.EntryQuery{EndUser: endUser}, []int64{1}},
	{vault.EntryQuery{Actor: "eve"}, nil},
	{vault.EntryQuery{Subjects: []string{"p1"}}, []int64{1, 2}},
	{vault.EntryQuery{Subjects: []string{"p2", "p9", "p1", "p1"}}, []int64{1, 2}},
	{vault.EntryQuery{Subjects: []string{"s1"}}, nil},
	{vault.EntryQuery{Subjects: []string{"p\x00"}}, nil},
	{vault.EntryQuery{Scopes: []string{"s3", "s1"}}, []int64{1, 2, 6}},
	{vault.EntryQuery{Scopes: []string{"s1", "s2"}}, []int64{1, 2}},
	{vault.EntryQuery{Scopes: []string{"s\xff", "s3"}}, []int64{2, 6}},
	{vault.EntryQuery{Scopes: []string{"s1", "s2", "s3"}, Subjects: []string{"p2", "p3"}}, []int64{2}},
	{vault.EntryQuery{Scopes: []string{"s3", "s1"}, Entity: "PERSON", Decision: audit.Allow}, []int64{1, 6}},
	{vault.EntryQuery{Subjects: []string{"p1", "p2"}, Scopes: []string{"s\x00"}}, nil},
}

func searchFilters(w *world) {
	began := w.now()
	changes := w.searched()
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	tests := append([]search{
		{vault.EntryQuery{}, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8}},
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
		{vault.EntryQuery{RequestID: "req-1"}, []int64{1, 3, 7}},
		{vault.EntryQuery{Decision: audit.Deny}, []int64{2}},
		{vault.EntryQuery{ChangeID: changes[2].ID()}, []int64{3}},
		{vault.EntryQuery{ChangeID: "none"}, nil},
		{vault.EntryQuery{ChangeID: changes[2].ID(), Actor: "ann"}, nil},
		{vault.EntryQuery{Since: at(2)}, []int64{2, 3, 4, 5, 6, 7, 8}},
		{vault.EntryQuery{Since: at(2).Add(1)}, []int64{3, 4, 5, 6, 7, 8}},
		{vault.EntryQuery{Until: at(2)}, []int64{0, 1}},
		{vault.EntryQuery{Until: at(2).Add(1)}, []int64{0, 1, 2}},
		{vault.EntryQuery{Since: at(2), Until: at(4)}, []int64{2, 3}},
		{vault.EntryQuery{Since: at(100)}, nil},
		{vault.EntryQuery{Since: at(4), Until: at(2)}, nil},
		{vault.EntryQuery{Actor: "ann", Decision: audit.Allow}, []int64{1}},
		{vault.EntryQuery{Token: "AAAA", Entity: "PERSON", Kind: "restore", Reason: "LLM_RESPONSE", Actor: "bob"}, []int64{6}},
		{vault.EntryQuery{Token: "AAAA", Since: at(2), Until: at(6)}, []int64{2}},
		{vault.EntryQuery{Scopes: []string{"s3", "s1"}, Since: at(2), Until: at(6)}, []int64{2}},
	}, searches...)
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
	for _, q := range []vault.EntryQuery{
		{}, {Token: "AAAA"}, {Actor: "ann", Kind: "restore"}, {Scopes: []string{"s1", "s2", "s3"}},
		{Scopes: []string{"s3", "s1", "s2"}, Kind: "restore", Subjects: []string{"p1", "p2"}},
	} {
		for _, descending := range []bool{false, true} {
			q.Descending = descending
			want := w.find(q)
			var got []int64
			for limit := 1; limit <= 3; limit++ {
				got = nil
				page := q
				page.Limit = limit
				for {
					one := w.find(page)
					got = append(got, one...)
					if len(one) < limit { // only the last page is not full
						break
					}
					page.HasCursor, page.Cursor = true, one[len(one)-1]
				}
				if diff := cmp.Diff(want, got); diff != "" {
					w.Errorf("pages of %d of %+v: %s", limit, q, diff)
				}
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

// searchCounts: a count has neither limit nor cursor.
func searchCounts(w *world) {
	w.searched()
	for _, q := range []vault.EntryQuery{{}, {Token: "AAAA"}, {Scopes: []string{"s1", "s2"}}, {Since: start.Add(3 * time.Second)}} {
		want := len(w.find(q))
		q.Limit, q.HasCursor, q.Cursor, q.Descending = 1, true, 1, true
		if n, err := w.Ledger.CountEntries(w.ctx, "acme", q); err != nil || n != int64(want) {
			w.Errorf("%+v: %d are counted, %v; want %d", q, n, err, want)
		}
	}
	if n, err := w.Ledger.CountEntries(w.ctx, "nobody", vault.EntryQuery{}); err != nil || n != 0 {
		w.Errorf("of nobody: %d, %v", n, err)
	}
}
