package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// writer makes batches durable.
type writer struct {
	app, destroy *pgxpool.Pool
	hooks        *hooks
	clock        func() time.Time // nil for the database's
	health       *health
	breaker      *breaker
}

var _ commitqueue.Backend = (*writer)(nil)

// batch is one transaction with the changes that share it.
type batch struct {
	*transaction
	image *image

	entries []entryRow
	leaves  [][]byte
	terms   []entryTerm
}

// Apply implements commitqueue.Backend.
func (w *writer) Apply(tenant string, changes []vault.Change) ([]commitqueue.Result, error) {
	var results []commitqueue.Result
	err := w.breaker.do(context.Background(), func() (err error) {
		results, err = w.applyTogether(tenant, changes)
		if err != nil && isRefusal(err) && !errors.Is(err, commitqueue.ErrUnknown) {
			// One of them brought what the tables refuse, and with it all were
			// rolled back. Whose fault it is shows when each is alone.
			results, err = w.applyApart(tenant, changes)
		}
		return err
	})
	w.health.saw(err)
	return results, err
}

// applyTogether commits changes in one transaction. Before COMMIT nothing of
// it is durable, so a failure that passes may be tried again.
func (w *writer) applyTogether(tenant string, changes []vault.Change) (results []commitqueue.Result, err error) {
	pool := w.poolFor(changes)
	var unknown error
	err = retrying(pool, func() error {
		var err error
		results, err = w.attempt(pool, tenant, changes)
		if errors.Is(err, commitqueue.ErrUnknown) {
			unknown = err
			return nil
		}
		return err
	})
	return results, errors.Join(err, unknown)
}

// applyApart commits changes one by one. Where the outcome of one is unknown
// those after it are not begun: the queue finds none of them, and applies them
// again.
func (w *writer) applyApart(tenant string, changes []vault.Change) ([]commitqueue.Result, error) {
	results := make([]commitqueue.Result, len(changes))
	for i, c := range changes {
		one, err := w.applyTogether(tenant, []vault.Change{c})
		switch {
		case errors.Is(err, commitqueue.ErrUnknown):
			results[i] = one[0]
			return results, err
		case err != nil && isRefusal(err):
			results[i].Err = fmt.Errorf("%w: %w", ErrMalformed, err)
		case err != nil:
			results[i].Err = fmt.Errorf("%w: %w", vault.ErrUnavailable, err)
		default:
			results[i] = one[0]
		}
	}
	return results, nil
}

// poolFor is the pool of the role that may make the changes. What destroys,
// suspends, re-wraps, seals anew, closes, unties or lets go comes alone.
func (w *writer) poolFor(changes []vault.Change) *pgxpool.Pool {
	switch changes[0].Effect().(type) {
	case vault.Sweep, vault.DestroyKeys, vault.SetTenant, vault.RaiseWrapMinimum, vault.Rewrap,
		vault.ReviewHold, vault.ReleaseHold, vault.CloseScope, vault.Erase, vault.UnlinkSubject,
		vault.LiftRestriction, vault.RetireVersions, vault.Finality, vault.Replay, vault.Move:
		return w.destroy
	default:
		return w.app
	}
}

// attempt is one transaction. Whatever happens in it, once it returns the
// connection is as it was, or closed.
func (w *writer) attempt(pool *pgxpool.Pool, tenant string, changes []vault.Change) ([]commitqueue.Result, error) {
	b, err := w.beginBatch(pool, tenant, changes)
	if err != nil {
		return nil, err
	}
	defer b.abandon() // also when something below panics
	results := make([]commitqueue.Result, len(changes))
	p := b.pipeline()
	if act := b.alone(changes); act != nil {
		results[0].Committed, err = b.changeAlone(changes[0], act, p)
		results[0].Err = err
		if err != nil && !failsAlone(err) {
			return nil, err
		}
	} else {
		for i, c := range changes {
			results[i].Committed, results[i].Err = b.change(c)
		}
		b.write(p)
	}
	if len(b.leaves) == 0 {
		return results, nil // nothing is to be written: there is nothing to commit
	}
	return b.conclude(p, results)
}

// conclude writes the batch and commits it.
func (b *batch) conclude(p *pipeline, results []commitqueue.Result) ([]commitqueue.Result, error) {
	appended, err := b.advance(p)
	if err != nil {
		return nil, err
	}
	if err := b.run(p, 0); err != nil {
		if len(results) == 1 && failsAlone(err) {
			// A change that commits alone, whose condition the server judged.
			return []commitqueue.Result{{Err: err}}, nil
		}
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

// beginBatch takes the lock and reads what the changes are judged by.
func (w *writer) beginBatch(pool *pgxpool.Pool, tenant string, changes []vault.Change) (*batch, error) {
	b := &batch{image: newImage()}
	var want wanted
	_, provision := changes[0].Effect().(vault.Provision)
	for _, c := range changes {
		want.want(c)
	}
	var err error
	b.transaction, err = begin(pool, w.hooks, tenant, begun{
		named: provision, wait: lockTimeout, clock: w.clock,
		reads: func(p *pipeline) { b.image.readFor(p, tenant, &want) },
	})
	return b, err
}

// Lookup implements commitqueue.Backend. It takes the locks that the attempt
// had: while that may still land they are not to be had. And it commits: that
// waits for the standbys, if the server does, until they have all that came
// before, so what is found here is as safe as what was acknowledged.
func (w *writer) Lookup(tenant string, ids []string) (found []string, err error) {
	patience := cmp.Or(w.hooks.patience, lookupPatience)
	for end := time.Now().Add(patience); ; time.Sleep(lookupPause) {
		found, err = w.lookup(tenant, ids)
		if err == nil || !isPassing(err) || time.Now().After(end) {
			w.health.saw(err)
			return found, err
		}
		w.app.Reset() // a server that crashed is not to be found on what it left
	}
}

func (w *writer) lookup(tenant string, ids []string) (found []string, err error) {
	x, err := begin(w.app, w.hooks, tenant, begun{named: true, wait: lookupPatience, clock: w.clock})
	if err != nil {
		return nil, err
	}
	defer x.abandon()
	p := x.pipeline()
	p.each(sqlFindChanges, func(rows pgx.Rows) error {
		var id string
		err := scan(rows, &id)
		found = append(found, id)
		return err
	}, tenant, ids)
	p.exec(sqlUnbound)
	if err := x.run(p, 0); err != nil {
		return nil, err
	}
	return found, x.commit()
}
