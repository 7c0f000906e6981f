package postgres

import (
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// scopeKinds is the list that the table has, too.
var scopeKinds = []vault.ScopeKind{vault.ScopeConversation, vault.ScopeUser, vault.ScopeCase, vault.ScopeCorpus}

// openScope makes a scope that was asked for by name.
func (b *batch) openScope(o vault.OpenScope) error {
	if err := b.insertScope(o.Scope); err != nil {
		return err
	}
	keys, err := newKeyUses(o.Scope, o.Keys)
	if err != nil {
		return err
	}
	if err := keys.name(o.Scope); err != nil {
		return err
	}
	return b.useKeys(keys)
}

// living finds the scope that stands for a digest now, if one does.
func (b *batch) living(digest vault.Digest) *scopeRow {
	s := b.image.scopes[digest]
	if s == nil || s.endsAt <= b.now {
		return nil
	}
	return s
}

// standingScope is the precondition of a tokenize: the scope as it was read is
// the one that stands. It returns the end that no mapping may outlive.
func (b *batch) standingScope(s vault.Scope) (endsAt int64, err error) {
	standing := b.living(s.Digest)
	if standing == nil || standing.id != s.ID {
		return 0, fmt.Errorf("postgres: %w", vault.ErrScopeMoved)
	}
	return standing.endsAt, nil
}

// insertScope makes a scope where none of its digest lives. One that has ended
// and is not yet swept makes room; its rows stay as they are.
func (b *batch) insertScope(s vault.Scope) error {
	if !fits(s) {
		return fmt.Errorf("%w: a scope", ErrMalformed)
	}
	if b.living(s.Digest) != nil && !b.hooks.skips(guardScopeMoved) {
		return fmt.Errorf("postgres: %w", vault.ErrScopeMoved)
	}
	endsAt := micros(s.EndsAt)
	if endsAt <= b.now {
		return fmt.Errorf("postgres: the scope ends before it begins: %w", vault.ErrConflict)
	}
	if b.image.scopeIDs[s.ID] {
		return fmt.Errorf("%w: the id of a scope is taken", ErrMalformed)
	}
	w := &b.image.writes
	if old := b.image.scopes[s.Digest]; old != nil {
		set(b.image, &w.ended, append(w.ended, old.id))
	}
	put(b.image, b.image.scopes, s.Digest, &scopeRow{s.ID, endsAt})
	put(b.image, b.image.scopeIDs, s.ID, true)
	set(b.image, &w.scopes, append(w.scopes, s))
	return nil
}

// fits tells whether a scope fits its row.
func fits(s vault.Scope) bool {
	nameless := s.NameKeyID == "" && len(s.SealedName) == 0
	sealed := named(s.NameKeyID) && len(s.SealedName) > 0 && len(s.SealedName) <= maxWrapped
	return named(s.ID) && storable(s.Client) && len(s.Client) <= maxClient && (nameless || sealed) &&
		slices.Contains(scopeKinds, s.Kind) && s.IndexVersion > 0 && s.IdleTTL.Microseconds() > 0
}
