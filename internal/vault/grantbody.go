package vault

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// grantBody is what is kept of a grant. It is bound to who got it: the same actor,
// by the same client, for the same end user.
type grantBody struct {
	Client        string       `json:"client"`
	EndUser       Digest       `json:"end_user"`
	Reason        string       `json:"reason"`
	Reference     string       `json:"reference,omitempty"`
	Recipient     string       `json:"recipient,omitempty"`
	PolicyVersion string       `json:"policy_version"`
	Scopes        []grantScope `json:"scopes"`
	// Tokens are the ids of those that it names, by the scope's place in Scopes.
	Tokens    [][]string `json:"tokens"`
	Named     int        `json:"named,omitempty"` // how many they were, once it is closed and they are left out
	Budget    int        `json:"budget"`
	Renewable bool       `json:"renewable,omitempty"`
}

// grantScope is a scope as far as a decision depends on it. None of it ever changes.
type grantScope struct {
	ID      string `json:"id"`
	Name    Digest `json:"name"`
	Client  string `json:"client"`
	EndUser Digest `json:"end_user"`
}

func grantScopes(scopes []Scope) []grantScope {
	out := make([]grantScope, len(scopes))
	for i, s := range scopes {
		out[i] = grantScope{ID: s.ID, Name: s.Digest, Client: s.Client, EndUser: s.EndUser}
	}
	return out
}

// scopes are the scopes for decisions.
func (b *grantBody) scopes() []Scope {
	out := make([]Scope, len(b.Scopes))
	for i, s := range b.Scopes {
		out[i] = Scope{ID: s.ID, Digest: s.Name, Client: s.Client, EndUser: s.EndUser}
	}
	return out
}

// name adds a token to those that the grant names.
func (b *grantBody) name(ref MappingRef) {
	if b.Tokens == nil {
		b.Tokens = make([][]string, len(b.Scopes))
	}
	for i, s := range b.Scopes {
		if s.ID == ref.ScopeID && !slices.Contains(b.Tokens[i], ref.TokenID) {
			b.Tokens[i] = append(b.Tokens[i], ref.TokenID)
		}
	}
}

// named are the tokens that the grant names.
func (b *grantBody) named() map[MappingRef]bool {
	all := make(map[MappingRef]bool)
	for i, ids := range b.Tokens {
		for _, id := range ids {
			all[MappingRef{b.Scopes[i].ID, id}] = true
		}
	}
	return all
}

func (b *grantBody) count() int {
	n := b.Named
	for _, ids := range b.Tokens {
		n += len(ids)
	}
	return n
}

// of tells whether a caller is the one to whom the grant was given.
func (b *grantBody) of(actor string, caller Caller, keys *keySet) bool {
	var endUser Digest
	if caller.EndUser != "" {
		endUser = keys.index.EndUser(caller.EndUser)
	}
	return actor == caller.Subject && b.Client == caller.Client && b.EndUser == endUser
}

func readGrant(p Proceeding) (grantBody, error) {
	var b grantBody
	if err := json.Unmarshal(p.Body, &b); err != nil || len(b.Tokens) > len(b.Scopes) {
		return grantBody{}, fmt.Errorf("vault: a grant does not read: %w", err)
	}
	return b, nil
}

// newGrant is a grant as it is opened.
func (s *Service) newGrant(caller Caller, ttl time.Duration) Proceeding {
	until := instant(s.clock().Add(ttl))
	return Proceeding{Kind: ProceedingGrant, State: ProceedingStanding, Actor: caller.Subject, DueAt: until, ExpiresAt: until}
}

func (s *Service) describeGrant(p Proceeding, b grantBody) GrantInfo {
	info := GrantInfo{
		ID: p.ID, Status: GrantOpen, Actor: p.Actor, Client: b.Client, Reason: b.Reason, Reference: b.Reference, Recipient: b.Recipient,
		Tokens: b.count(), Budget: b.Budget, Renewable: b.Renewable, PolicyVersion: b.PolicyVersion,
		OpenedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, ClosedAt: p.ClosedAt,
	}
	for _, scope := range b.Scopes {
		info.ScopeRefs = append(info.ScopeRefs, scope.ID)
	}
	if b.Renewable {
		info.RenewableUntil = p.CreatedAt.Add(MaxGrantLife)
	}
	switch {
	case p.State.Closes():
		info.Status = GrantClosed
	case expired(p, s.clock()):
		info.Status = GrantExpired
	}
	return info
}
