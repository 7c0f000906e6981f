package httpapi

import (
	"context"
	"errors"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// AuditEntries serves a page of the log, by what entries hold.
func (a *api) AuditEntries(ctx context.Context, r gen.AuditEntriesRequestObject) (gen.AuditEntriesResponseObject, error) {
	p := &r.Params
	return a.searchEntries(ctx, "query:", &gen.EntrySearch{
		SubjectRef: p.SubjectRef, ScopeRef: p.ScopeRef, EndUserDigest: p.EndUser,
		Actor: p.Actor, Client: p.Client, Approver: p.Approver, Kind: p.Kind, Decision: p.Decision,
		Reason: p.Reason, Reference: p.Reference, Entity: p.Entity, Class: p.Class, Destination: p.Destination,
		PolicyVersion: p.PolicyVersion, Token: p.Token, RequestId: p.RequestId, Since: p.Since, Until: p.Until,
		Order: p.Order, Limit: p.Limit, Cursor: p.Cursor, Count: p.Count,
	})
}

// SearchEntries serves a page of the log, also by names that only the caller has.
func (a *api) SearchEntries(ctx context.Context, r gen.SearchEntriesRequestObject) (gen.SearchEntriesResponseObject, error) {
	return a.searchEntries(ctx, "/", r.Body)
}

// searchEntries answers both. at is where the fields of the request stand.
func (a *api) searchEntries(ctx context.Context, at string, b *gen.EntrySearch) (reply, error) {
	ctx, x := begin(ctx)
	search, err := entrySearch(at, b)
	if err != nil {
		return reply{}, err
	}
	page, err := a.service.AuditSearch(ctx, x.call, search)
	if err != nil {
		return reply{}, err
	}
	answer := gen.EntryPage{Entries: each(page.Entries, storedEntry), Count: page.Count, RequestId: x.requestID}
	if page.HasNext {
		answer.NextCursor = pointer(strconv.FormatInt(page.Next, 10))
	}
	x.entries = len(page.Entries)
	return ok(answer), nil
}

// entrySearch takes the filters. The document has bounded all of them.
func entrySearch(at string, b *gen.EntrySearch) (vault.EntrySearch, error) {
	since, errSince := instant(at+"since", b.Since)
	until, errUntil := instant(at+"until", b.Until)
	if err := errors.Join(errSince, errUntil); err != nil {
		return vault.EntrySearch{}, err
	}
	s := vault.EntrySearch{
		EntryQuery: vault.EntryQuery{
			Actor: value(b.Actor), Reason: value(b.Reason), Entity: value(b.Entity), Kind: value(b.Kind),
			Token: value(b.Token), RequestID: value(b.RequestId), Decision: audit.Decision(value(b.Decision)),
			Reference: value(b.Reference), Client: value(b.Client), Approver: value(b.Approver), Class: string(value(b.Class)),
			Destination: value(b.Destination), PolicyVersion: value(b.PolicyVersion), EndUser: value(b.EndUserDigest),
			Since: since, Until: until, Descending: value(b.Order) == gen.Desc, Limit: DefaultPage,
		},
		Subject: value(b.Subject), SubjectRef: value(b.SubjectRef), Scope: value(b.Scope), ScopeRef: value(b.ScopeRef),
		EndUser: value(b.EndUser), Count: value(b.Count),
	}
	if b.Limit != nil {
		s.Limit = int(*b.Limit)
	}
	if b.Cursor != nil {
		cursor, err := strconv.ParseInt(*b.Cursor, 10, 64)
		if err != nil {
			return s, vault.Invalid(at+"cursor", "must be a cursor of an answer")
		}
		s.Cursor, s.HasCursor = cursor, true
	}
	return s, nil
}
