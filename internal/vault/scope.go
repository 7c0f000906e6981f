package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// kindLife is how long a scope of a kind lives, and how long a mapping of it
// lives without being used.
type kindLife struct{ life, idle time.Duration }

// kindLives follows the words of the design: a conversation is forgotten a
// day after its last turn and after thirty days at most.
var kindLives = map[ScopeKind]kindLife{
	ScopeConversation: {life: 30 * 24 * time.Hour, idle: 24 * time.Hour},
	ScopeUser:         {life: 30 * 24 * time.Hour, idle: 30 * 24 * time.Hour},
	ScopeCase:         {life: 90 * 24 * time.Hour, idle: 90 * 24 * time.Hour},
	ScopeCorpus:       {life: 365 * 24 * time.Hour, idle: 365 * 24 * time.Hour},
}

// sealPurposes bind a sealed value to what it is.
const (
	sealValue     = "value"
	sealScopeName = "scope-name"
)

// OpenScope makes a scope of a kind, bound to the calling client and, where
// one is named, to the end user. Asking again for the same is no error.
func (s *Service) OpenScope(ctx context.Context, call Call, req OpenScopeRequest) (OpenScopeResult, error) {
	s = s.under(call)
	if err := checkScopeRequest(&req, call.Caller); err != nil {
		return OpenScopeResult{}, err
	}
	keys, entry, err := s.authorise(ctx, call, access.ActionScope, audit.KindScopeOpen)
	if err != nil {
		return OpenScopeResult{}, err
	}
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		result, err := s.openScopeOnce(ctx, call.Caller, keys, req, entry, &claim)
		if err == nil {
			return result, nil
		}
		if !plannable(err) {
			entry.Kind = audit.KindRequestRefused
			return OpenScopeResult{}, s.settle(ctx, call.Caller.Tenant, entry, err)
		}
	}
	return OpenScopeResult{}, public(ErrConflict)
}

func (s *Service) openScopeOnce(ctx context.Context, caller Caller, keys *keySet, req OpenScopeRequest, entry audit.Entry, claim *claiming) (OpenScopeResult, error) {
	if err := claim.read(ctx, s, caller.Tenant, &entry); err != nil {
		return OpenScopeResult{}, err
	}
	wanted := s.proposeScope(keys, caller, req)
	standing, err := s.store.Scope(ctx, caller.Tenant, wanted.Digest)
	if err == nil {
		return sameScope(standing, wanted)
	}
	if !errors.Is(err, ErrNotFound) {
		return OpenScopeResult{}, err
	}
	fresh, err := s.nameScope(ctx, caller.Tenant, &wanted, req.Scope)
	if err != nil {
		return OpenScopeResult{}, err
	}
	entry.ScopeRefs = []string{wanted.ID}
	entry.Counts = map[string]int{"idle_ttl_seconds": int(wanted.IdleTTL / time.Second)}
	effect := OpenScope{Scope: wanted, Keys: []DataKey{{ID: fresh.ID, ScopeID: wanted.ID, Wrapped: fresh.Wrapped}}}
	committed, err := s.commitClaiming(ctx, caller.Tenant, effect, entry, claim)
	if err != nil {
		s.refused(caller.Tenant, err, effect.Keys)
		return OpenScopeResult{}, err
	}
	s.keys.Put(fresh)
	result := scopeResult(wanted)
	result.Created = true
	result.Audit, err = s.receipt(keys, committed)
	return result, err
}

// proposeScope is the scope as the caller would have it made.
func (s *Service) proposeScope(keys *keySet, caller Caller, req OpenScopeRequest) Scope {
	lives := kindLives[req.Kind]
	life, idle := lives.life, lives.idle
	if req.TTL > 0 {
		life = min(life, req.TTL)
	}
	if req.IdleTTL > 0 {
		idle = min(idle, req.IdleTTL)
	}
	now := s.clock().UTC().Truncate(time.Microsecond)
	scope := Scope{
		ID: NewID(), Digest: keys.index.Scope(req.Scope), IndexVersion: keys.indexVersion,
		Kind: req.Kind, Client: caller.Client, IdleTTL: min(idle, life),
		CreatedAt: now, EndsAt: now.Add(life),
	}
	if req.EndUser != "" {
		scope.EndUser = keys.index.EndUser(req.EndUser)
	}
	return scope
}

// nameScope seals the caller's name for the scope under a fresh key of the
// scope, so that a privacy officer can find the transcripts elsewhere, and
// destroying the key forgets the name with the values.
func (s *Service) nameScope(ctx context.Context, tenant string, scope *Scope, name string) (envelope.FreshKey, error) {
	fresh, err := s.freshKey(ctx, tenant)
	if err != nil {
		return envelope.FreshKey{}, fmt.Errorf("vault: key of a scope: %w", err)
	}
	sealed, err := fresh.Key.Seal(envelope.Binding{Purpose: sealScopeName, Tenant: tenant, Scope: scope.ID}, []byte(name))
	if err != nil {
		return envelope.FreshKey{}, fmt.Errorf("vault: seal the name of a scope: %w", err)
	}
	scope.SealedName, scope.NameKeyID = sealed, fresh.ID
	return fresh, nil
}

// sameScope answers a caller who asks for a scope that stands: the same
// binding and kind is no news, anything else is not theirs to learn about.
func sameScope(standing, wanted Scope) (OpenScopeResult, error) {
	if standing.Client != wanted.Client || standing.EndUser != wanted.EndUser {
		return OpenScopeResult{}, Errorf(CodeNotFound, "there is no such scope for this caller")
	}
	if standing.Kind != wanted.Kind {
		return OpenScopeResult{}, Errorf(CodeConflict, "the scope is of another kind")
	}
	return scopeResult(standing), nil
}

func scopeResult(scope Scope) OpenScopeResult {
	return OpenScopeResult{
		Kind: scope.Kind, EndsAt: scope.EndsAt, IdleTTL: scope.IdleTTL,
		EndUser: scope.HasEndUser(), ScopeRef: scope.ID,
	}
}

func checkScopeRequest(req *OpenScopeRequest, caller Caller) error {
	if err := checkName("/scope", req.Scope, true); err != nil {
		return err
	}
	if _, known := kindLives[req.Kind]; !known {
		return Invalid("/kind", "must be one of conversation, user, case, corpus")
	}
	if err := checkName("/end_user", req.EndUser, false); err != nil {
		return err
	}
	if req.EndUser == "" {
		req.EndUser = caller.EndUser
	}
	if caller.EndUser != "" && req.EndUser != caller.EndUser {
		return Invalid("/end_user", "must be the end user that the credential names")
	}
	if err := checkTTL("/ttl", req.TTL); err != nil {
		return err
	}
	return checkTTL("/idle_ttl", req.IdleTTL)
}

// binding compares a caller with the binding of a scope.
func binding(scope Scope, caller Caller, keys *keySet) (sameClient bool, endUser access.EndUserMatch) {
	sameClient = scope.Client == caller.Client
	switch {
	case !scope.HasEndUser():
		return sameClient, access.EndUserUnbound
	case caller.EndUser == "":
		return sameClient, access.EndUserAbsent
	case keys.index.EndUser(caller.EndUser) == scope.EndUser:
		return sameClient, access.EndUserSame
	default:
		return sameClient, access.EndUserOther
	}
}
