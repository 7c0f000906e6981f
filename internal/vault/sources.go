package vault

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/token"
)

// SourceRequest asks for the tokens that were made for, or found in, one
// document: what a vector store has to look for when the document goes.
type SourceRequest struct {
	Scope     string
	SourceRef string
	Limit     int    // 0 means PageTokens
	Cursor    string // Next of the page before
}

// SourcePage is a page of the tokens of a source, without values.
type SourcePage struct {
	Tokens []TokenInfo
	Next   string // "" at the end
}

// SourceTokens lists the living tokens of a source, in the order of their ids.
// A scope of somebody else is not told from one that does not exist.
func (s *Service) SourceTokens(ctx context.Context, call Call, req SourceRequest) (SourcePage, error) {
	s = s.under(call)
	if err := checkSource(&req); err != nil {
		return SourcePage{}, err
	}
	keys, err := s.begin(ctx, call)
	if err != nil {
		return SourcePage{}, public(err)
	}
	entry := s.entry(call, audit.KindRequestRefused, keys)
	entry.Code = string(access.ActionTokenize)
	missing := Errorf(CodeNotFound, "there is no such scope for this caller")
	if !s.rules().Decide(s.plainRequest(call.Caller, access.ActionTokenize)).Allow {
		return SourcePage{}, s.deny(ctx, call.Caller.Tenant, entry, Errorf(CodeDenied, "the policy does not allow this"))
	}
	scope, err := s.store.Scope(ctx, call.Caller.Tenant, Digest(keys.index.Scope(req.Scope)))
	if errors.Is(err, ErrNotFound) {
		return SourcePage{}, missing
	}
	if err != nil {
		return SourcePage{}, public(err)
	}
	request := s.plainRequest(call.Caller, access.ActionTokenize)
	request.SameClient, request.EndUser = binding(scope, call.Caller, keys)
	if !s.rules().Decide(request).Allow && !s.faults.ignoreBinding {
		entry.ScopeRefs = []string{scope.ID}
		return SourcePage{}, s.deny(ctx, call.Caller.Tenant, entry, missing)
	}
	mappings, err := s.store.Mappings(ctx, call.Caller.Tenant, MappingQuery{
		ScopeID: scope.ID, Source: Digest(keys.index.Source(req.SourceRef)), After: req.Cursor, Limit: req.Limit,
	})
	if err != nil {
		return SourcePage{}, public(err)
	}
	return sourcePage(mappings, req.Limit)
}

// sourcePage describes what lives of a page. What has expired is left out, so
// a page may be shorter than its limit and still have a next one.
func sourcePage(mappings []Mapping, limit int) (SourcePage, error) {
	var page SourcePage
	for i := range mappings {
		m := &mappings[i]
		if m.Expired || m.State != MappingLive || !m.KeyAlive {
			continue
		}
		written, err := token.FromID(token.Format(m.Format), m.Entity, m.TokenID)
		if err != nil {
			return SourcePage{}, public(err)
		}
		page.Tokens = append(page.Tokens, TokenInfo{
			Token: written.String(), Entity: m.Entity, Class: m.Class, ExpiresAt: &m.ExpiresAt,
		})
	}
	if len(mappings) == limit {
		page.Next = mappings[limit-1].TokenID
	}
	return page, nil
}

func checkSource(req *SourceRequest) error {
	if err := checkName("/scope", req.Scope, true); err != nil {
		return err
	}
	if err := checkName("/source_ref", req.SourceRef, true); err != nil {
		return err
	}
	return checkPage(&req.Limit, PageTokens, "source_page", req.Cursor)
}
