package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var _ commitqueue.Backend = (*writer)(nil)

// batch is one transaction with the changes that share it.
type batch struct {
	*tx
	tenant  string
	exists  bool // the tenant does
	state   vault.TenantState
	minWrap int // no key is written that an older version wrapped
	// Whether anything is kept out, nil until somebody asked.
	suppresses *bool
	frontier   audit.Frontier // where its log stands
	last       int64          // the time of its last entry
	now        int64          // the time of everything in the batch

	// Suspensions that stand, nil until somebody asked.
	suspensions []vault.Proceeding

	leaves [][]byte
	terms  []entryTerm
}

// Apply implements commitqueue.Backend.
func (w *writer) Apply(tenant string, changes []vault.Change) ([]commitqueue.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := w.beginBatch(tenant)
	if err != nil {
		return nil, err
	}
	defer b.abandon() // also when something below panics
	results := make([]commitqueue.Result, len(changes))
	for i, c := range changes {
		results[i].Committed, err = b.change(c)
		if err != nil && !failsAlone(err) {
			return nil, err
		}
		results[i].Err = err
	}
	if len(b.leaves) == 0 {
		return results, nil // nothing was written: there is nothing to commit
	}
	appended, err := b.advance()
	if err != nil {
		return nil, err
	}
	// Until now nothing is durable, and a crash leaves the batch before.
	err = b.commit()
	// From here the batch is durable, unless err says that it may not be. In
	// that case the queue gives these results out only for changes that it
	// finds by their ids, so no tree is signed that could vanish.
	tree := vault.NewTree(appended)
	for i := range results {
		if results[i].Err == nil {
			results[i].Committed.Tree = tree
		}
	}
	if err != nil {
		return results, fmt.Errorf("%w: %w", commitqueue.ErrUnknown, err)
	}
	return results, nil
}

// Lookup implements commitqueue.Backend. The connection of the attempt before
// is closed, and the write lock is taken: that attempt has ended.
func (w *writer) Lookup(tenant string, ids []string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x, err := w.begin()
	if err != nil {
		return nil, err
	}
	defer x.abandon()
	var found []string
	for _, id := range ids {
		var seq int
		ok, err := x.row([]any{&seq}, sqlFindChange, tenant, id)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, id)
		}
	}
	return found, nil
}

func (w *writer) beginBatch(tenant string) (*batch, error) {
	x, err := w.begin()
	if err != nil {
		return nil, err
	}
	b := &batch{tx: x, tenant: tenant, now: micros(w.clock())}
	if err := b.readHead(); err != nil {
		b.abandon()
		return nil, err
	}
	return b, nil
}

// change runs one change so that it fails alone. An error for which failsAlone
// does not hold ends the batch.
func (b *batch) change(c vault.Change) (vault.Committed, error) {
	if _, err := b.exec(sqlSavepoint); err != nil {
		return vault.Committed{}, err
	}
	leaves, terms := len(b.leaves), len(b.terms)
	committed, err := b.try(c)
	if err != nil && !failsAlone(err) {
		return vault.Committed{}, err
	}
	if err != nil {
		b.leaves, b.terms = b.leaves[:leaves], b.terms[:terms]
		if _, err := b.exec(sqlRollbackTo); err != nil {
			return vault.Committed{}, err
		}
	}
	if _, err := b.exec(sqlRelease); err != nil {
		return vault.Committed{}, err
	}
	return committed, err
}

func (b *batch) try(c vault.Change) (vault.Committed, error) {
	effect := c.Effect()
	if effect == nil {
		return vault.Committed{}, vault.ErrNoEntry
	}
	if _, provision := effect.(vault.Provision); !b.exists && !provision {
		return vault.Committed{}, vault.ErrUnknownTenant
	}
	if c.Serves() && b.state != vault.TenantActive {
		return vault.Committed{}, vault.ErrSuspended
	}
	if err := b.redeem(c.Redeems()); err != nil {
		return vault.Committed{}, err
	}
	if err := b.claim(c.Claim()); err != nil {
		return vault.Committed{}, err
	}
	outcome, err := b.effect(c.ID(), effect)
	if err != nil {
		return vault.Committed{}, err
	}
	at := fromMicros(b.now)
	entries, leaves, err := c.Leaves(outcome, at)
	if err != nil {
		return vault.Committed{}, err
	}
	committed := vault.Committed{Outcome: outcome, First: b.next(), Count: len(entries), At: at}
	for i := range entries {
		if err := b.appendEntry(&entries[i], leaves[i]); err != nil {
			return vault.Committed{}, err
		}
	}
	if err := b.ride(c, outcome); err != nil {
		return vault.Committed{}, err
	}
	return committed, nil
}

// effect writes what a change does. The set of effects is closed.
func (b *batch) effect(id string, effect vault.Effect) (vault.Outcome, error) {
	switch e := effect.(type) {
	case vault.Provision:
		return vault.Outcome{}, b.provision(e)
	case vault.OpenScope:
		return vault.Outcome{}, b.openScope(e)
	case vault.Tokenize:
		return b.tokenize(e)
	case vault.Restore:
		return vault.Outcome{}, b.restore(e)
	case vault.Record:
		return vault.Outcome{}, nil
	default:
		return b.aloneEffect(id, effect)
	}
}

// aloneEffect writes what a change does that shares its commit with no other.
func (b *batch) aloneEffect(id string, effect vault.Effect) (vault.Outcome, error) {
	switch e := effect.(type) {
	case vault.Sweep:
		return vault.Outcome{}, b.sweep(e)
	case vault.DestroyKeys:
		return vault.Outcome{}, b.destroyKeys(e)
	case vault.PlaceHold:
		return vault.Outcome{}, b.placeHold(id, e.Hold)
	case vault.ReviewHold:
		return vault.Outcome{}, b.reviewHold(e)
	case vault.ReleaseHold:
		return vault.Outcome{}, b.releaseHold(e)
	case vault.CloseScope:
		return vault.Outcome{}, b.closeScope(e)
	case vault.Erase:
		return b.erase(id, e)
	case vault.LinkSubject:
		return b.linkSubject(e)
	case vault.UnlinkSubject:
		return b.unlinkSubject(e)
	case vault.OpenRequest:
		return vault.Outcome{}, b.openRequest(id, e.Request)
	case vault.UpdateRequest:
		return vault.Outcome{}, b.updateRequest(e.Request)
	case vault.NoteRequest:
		return vault.Outcome{}, b.noteRequest(id, e)
	case vault.OpenProceeding:
		return vault.Outcome{}, b.openProceeding(id, e.Proceeding)
	case vault.ChangeProceedings:
		return vault.Outcome{}, b.changeProceedings(e)
	case vault.Restrict:
		return b.restrict(e)
	case vault.LiftRestriction:
		return b.liftRestriction(e)
	default:
		return b.tenantEffect(effect)
	}
}

// tenantEffect writes what a change does to the tenant, its keys or its log.
func (b *batch) tenantEffect(effect vault.Effect) (vault.Outcome, error) {
	switch e := effect.(type) {
	case vault.SetTenant:
		return vault.Outcome{}, b.setTenant(e)
	case vault.RaiseWrapMinimum:
		return vault.Outcome{}, b.raiseWrapMinimum(e)
	case vault.Rewrap:
		return vault.Outcome{}, b.rewrap(e)
	case vault.RetireVersions:
		return vault.Outcome{}, b.retireVersions(e)
	case vault.Finality:
		return b.finality(e)
	case vault.Replay:
		return vault.Outcome{}, b.replay(e)
	case vault.Move:
		return vault.Outcome{}, b.moveValues(e)
	case vault.RotateLogKey:
		return vault.Outcome{}, b.rotateLogKey(e.Key)
	default:
		return vault.Outcome{}, fmt.Errorf("%w: no store knows %T", ErrMalformed, effect)
	}
}

// next is the index of the next entry.
func (b *batch) next() int64 { return b.frontier.Size + int64(len(b.leaves)) }

// appendEntry stores an entry with its place in the log. Its hash goes into
// the tree with those of the whole batch.
func (b *batch) appendEntry(e *audit.Entry, leaf []byte) error {
	if e.Tenant != b.tenant {
		return fmt.Errorf("%w: the entry is of another tenant", vault.ErrNoEntry)
	}
	idx, hash := b.next(), audit.LeafHash(leaf)
	_, err := b.exec(sqlInsertEntry, b.tenant, idx, leaf, hash[:], b.now, e.ChangeID, e.Seq)
	if isDuplicate(err) {
		return fmt.Errorf("sqlite: change %s was committed before: %w", e.ChangeID, vault.ErrConflict)
	}
	if err != nil {
		return err
	}
	b.leaves = append(b.leaves, leaf)
	for _, t := range entryrow.TermsOf(e) {
		b.terms = append(b.terms, entryTerm{t, idx})
	}
	return nil
}
