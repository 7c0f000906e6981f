package postgres

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// The names of the guards that are judged here, for the tests that leave one
// out. Each has a clause of the contract that goes red without it.
const (
	guardUndo       = "what fails is undone"
	guardSuspended  = "a suspended tenant is not served"
	guardOnce       = "a change is committed once"
	guardClaim      = "a claim stands"
	guardExpired    = "a restoration checks expiry"
	guardThere      = "a restoration checks that the mapping is there"
	guardMatch      = "a match must not be expired"
	guardTouch      = "a kept token must live"
	guardTaken      = "a taken id is left alone"
	guardKeyThere   = "a key must stand"
	guardKeyRoom    = "a key has room"
	guardKeyOwner   = "a key is of its scope or subject"
	guardWrap       = "no key is written below the minimum"
	guardScopeMoved = "only one scope of a name lives"
	guardReplan     = "plans are kept for a while"                // plans_test.go
	guardBreaker    = "a server without an answer is left alone"  // breaker_test.go
	guardWarning    = "a warning in COMMIT is no acknowledgement" // kill_test.go
	guardSubject    = "a subject is as it was read"
	guardHeld       = "what is past its time is reached only where it is held"
	guardErased     = "an erasure is of the subject as it was read"
	guardDeferred   = "only a deferred erasure goes on"
	guardPlanned    = "the keys that go are all that have to"
	guardSurvivors  = "whatever stays of a key that goes is sealed anew"
	guardInstant    = "a closing is later than all before it"
	guardTies       = "what is held stays tied"
	guardHeir       = "what stays is sealed under a key of its own"
	guardBuried     = "a key that was erased is never inserted again"
	guardSuppressed = "what is suppressed is not tokenized"
	guardReceived   = "a request was received before it is written down"
	guardLift       = "what a deferred erasure restricted is not lifted"
	guardName       = "a name is restored as it was read"
	guardRedeem     = "an approval is used once, in time and as it was read"
	guardConsenting = "a proceeding is of a person who is there"
	guardPolicy     = "one policy is in force"
	guardProceeding = "a proceeding is changed as it was read"
	guardStopped    = "a suspension stops what it matches"
	guardStanding   = "what a restoration rests on stands"
	guardOverdue    = "whoever has too many reviews overdue restores nothing"
	guardBudget     = "a budget is not passed"
	guardDraw       = "a grant gives no more than it may"
	guardGrant      = "only a grant is drawn of"
)

// change judges one change by the image, and puts what it does into it. Where
// it fails, it fails alone: the image is as it was.
func (b *batch) change(c vault.Change) (vault.Committed, error) {
	b.image.begin()
	leaves, terms, rows := len(b.leaves), len(b.terms), len(b.entries)
	committed, err := b.try(c)
	if err != nil && !b.hooks.skips(guardUndo) {
		b.image.fail()
	}
	if err != nil {
		b.leaves, b.terms, b.entries = b.leaves[:leaves], b.terms[:terms], b.entries[:rows]
	}
	return committed, err
}

func (b *batch) try(c vault.Change) (vault.Committed, error) {
	if err := b.admit(c); err != nil {
		return vault.Committed{}, err
	}
	if err := b.redeem(c.Redeems()); err != nil {
		return vault.Committed{}, err
	}
	if err := b.claim(c.Claim()); err != nil {
		return vault.Committed{}, err
	}
	outcome, err := b.effect(c.Effect())
	if err != nil {
		return vault.Committed{}, err
	}
	if err := b.ride(c, outcome); err != nil {
		return vault.Committed{}, err
	}
	return b.append(c, outcome)
}

// admit judges what no effect changes: the tenant, and the change itself.
func (b *batch) admit(c vault.Change) error {
	_, provision := c.Effect().(vault.Provision)
	switch {
	case c.Effect() == nil:
		return vault.ErrNoEntry
	case !b.exists && !provision:
		return vault.ErrUnknownTenant
	case b.exists && provision:
		return fmt.Errorf("postgres: the tenant exists: %w", vault.ErrConflict)
	case c.Serves() && b.state != vault.TenantActive && !b.hooks.skips(guardSuspended):
		return vault.ErrSuspended
	default:
		return nil
	}
}

// effect puts what a shared change does into the image.
func (b *batch) effect(effect vault.Effect) (vault.Outcome, error) {
	switch e := effect.(type) {
	case vault.OpenScope:
		return vault.Outcome{}, b.openScope(e)
	case vault.Tokenize:
		return b.tokenize(e)
	case vault.Restore:
		return vault.Outcome{}, b.restore(e)
	case vault.Record:
		return vault.Outcome{}, nil
	default:
		return vault.Outcome{}, fmt.Errorf("%w: no store knows %T", ErrMalformed, effect)
	}
}

// claimLife is vault.ClaimLife as the tables count.
var claimLife = vault.ClaimLife.Microseconds()

// claim takes the idempotency key that rides along with a change. One past its
// life makes room for the next of its key.
func (b *batch) claim(c *vault.Claim) error {
	if c == nil {
		return nil
	}
	at, held := b.image.claims[c.Key]
	if held && at > b.now-claimLife && !b.hooks.skips(guardClaim) {
		return vault.ErrClaimed
	}
	put(b.image, b.image.claims, c.Key, b.now)
	set(b.image, &b.image.writes.claims, append(b.image.writes.claims, *c))
	return nil
}

// restore checks that everything is as the caller read it, and that nothing
// stands against it. It writes nothing but what it spends and draws and, by the
// change that it is part of, the entry.
func (b *batch) restore(r vault.Restore) error {
	for _, ref := range r.Refs {
		if !b.restorable(ref) {
			return fmt.Errorf("postgres: a mapping is not as it was read: %w", vault.ErrConflict)
		}
	}
	for _, name := range r.Names {
		if !b.image.names[sealedName(name)] && !b.hooks.skips(guardName) {
			return fmt.Errorf("postgres: a name is not as it was read: %w", vault.ErrConflict)
		}
	}
	if err := b.entitled(&r); err != nil {
		return err
	}
	if err := b.spend(r.Spends); err != nil {
		return err
	}
	return b.draw(r.Draw)
}

func (b *batch) restorable(ref vault.RestoreRef) bool {
	m := b.image.rows[place{ref.ScopeID, ref.TokenID}]
	if m == nil {
		return b.hooks.skips(guardThere)
	}
	kept := ref.Expired && (b.image.held[m.place] || b.hooks.skips(guardHeld))
	reached := m.state == vault.MappingLive || m.state == vault.MappingRestricted && ref.Restricted || m.state == vault.MappingRetired && kept
	expired := m.expires <= b.now && !kept && !b.hooks.skips(guardExpired)
	return m.keyID == ref.KeyID && m.entity == ref.Entity && m.keyAlive && reached && !expired
}

// insertable refuses a fresh key that an erasure destroyed, in this database or
// in one that took over from it, and one that is not writable.
func (b *batch) insertable(id string, version int) error {
	if b.image.buried[id] && !b.hooks.skips(guardBuried) {
		return fmt.Errorf("postgres: key %s was erased: %w", id, vault.ErrKeyDestroyed)
	}
	return b.writable(version)
}

// writable refuses a key that an older version of the wrapping key wrapped:
// that version may be destroyed as soon as no stored key needs it.
func (b *batch) writable(version int) error {
	if version < b.minWrap && !b.hooks.skips(guardWrap) {
		return fmt.Errorf("postgres: %w", vault.ErrWrapVersion)
	}
	return nil
}
