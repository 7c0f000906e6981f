package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Grants reads and keeps what streams go by. A grant is a proceeding of kind
// ProceedingGrant; its entry names the tokens that it covers.
type Grants interface {
	// Live reads what a flush depends on, in one round trip, from the primary, and
	// not before it was called. An unknown grant, or a proceeding that is none, is
	// ErrNotFound.
	Live(ctx context.Context, tenant string, q LiveQuery) (Live, error)
	// Alive returns mappings of any of the scopes that are live and not expired, and
	// whose key stands: all of them or, where there are more than limit, any limit+1.
	// It costs no more in a scope of millions than in one of a few.
	Alive(ctx context.Context, tenant string, scopeIDs []string, limit int) ([]Mapping, error)
	// NoteUses keeps which values a grant gave that it names. It is bookkeeping:
	// what was noted before is not noted again, and nothing can be restored by it.
	// Of a grant that is not there, or closed, nothing is noted.
	NoteUses(ctx context.Context, tenant, grantID string, uses []MappingRef) error
	// Uses returns what a grant gave, drawn or noted, in order of scope and token.
	Uses(ctx context.Context, tenant, grantID string) ([]MappingRef, error)
	// ForgetUses deletes at most limit uses of grants that are closed, and tells
	// how many.
	ForgetUses(ctx context.Context, tenant string, limit int) (int, error)
}

// LiveQuery names a grant and the tokens of a flush, each of which may stand in
// any of the scopes.
type LiveQuery struct {
	GrantID  string
	ScopeIDs []string // at most 1 + MaxReadScopes
	TokenIDs []string // at most MaxFindings; may be none
}

// Live is the world of a flush.
type Live struct {
	Grant Proceeding
	State TenantState
	At    time.Time // by the store's clock
	// Mappings are those of the tokens that exist, as Store.Mappings returns them,
	// and Keys the data keys that seal them and stand.
	Mappings []Mapping
	Keys     []DataKey
	// Suspensions are those that stand, at most MaxSuspensions.
	Suspensions []Proceeding
	// Drawn is how many different tokens the grant gave that it does not name.
	Drawn int
}

// GrantRider is a grant that is given out with what a Tokenize makes, in the same
// commit and under an entry of its own. Its id is that of the entry's change.
type GrantRider struct {
	ID string // set by Granting
	// Spends are counted in the commit, all or none: where one would pass its limit
	// the whole change fails with ErrExhausted.
	Spends []Spend
	Entry  audit.Entry // of kind grant; the commit adds its tokens
	Opens  Proceeding  // of kind ProceedingGrant; the commit adds its body
	// Names picks the tokens that it names from what the commit made of the
	// Tokenize (none of the zero Outcome), and Body says them in the details of the
	// proceeding.
	Names func(o Outcome) []string
	Body  func(tokens []string) []byte
}

// Granting returns the change with a grant that rides along.
func (c Change) Granting(g GrantRider) (Change, error) {
	g.ID = NewID()
	g.Entry.V, g.Entry.Tenant, g.Entry.ChangeID = audit.Version, c.entry.Tenant, g.ID
	if err := g.Entry.Validate(); err != nil {
		return Change{}, fmt.Errorf("vault: the entry of a grant: %w", err)
	}
	c.grant = &g
	return c, nil
}

// proceeding is the grant as it is kept.
func (g *GrantRider) proceeding(o Outcome) Proceeding {
	p := g.Opens
	p.ID, p.Body = g.ID, g.Body(g.Names(o))
	return p
}

// leaves are the entries that say what was granted.
func (g *GrantRider) leaves(o Outcome, at time.Time) ([]audit.Entry, [][]byte, error) {
	entry := g.Entry
	entry.Tokens = unique(g.Names(o))
	entries, err := audit.Link(entry)
	if err != nil {
		return nil, nil, fmt.Errorf("vault: link the entry of a grant: %w", err)
	}
	leaves, err := audit.Finalise(entries, at)
	if err != nil {
		return nil, nil, fmt.Errorf("vault: finalise the entry of a grant: %w", err)
	}
	return entries, leaves, nil
}

// checkGrant refuses a grant that may not ride along.
func (c Change) checkGrant() error {
	g := c.grant
	if g == nil {
		return nil
	}
	if _, tokenizes := c.effect.(Tokenize); !tokenizes || c.opens != nil {
		return fmt.Errorf("%w: a grant rides along with what is tokenized alone", ErrNoEntry)
	}
	if g.Entry.Kind != audit.KindGrant || g.Opens.Kind != ProceedingGrant || g.Opens.State.Closes() {
		return fmt.Errorf("%w: a grant without its entry", ErrNoEntry)
	}
	return nil
}
