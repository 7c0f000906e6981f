package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var lifeClauses = []clause{
	{"Invariant15/what was acknowledged is there after a restart", reopened},
	{"life/a closed store refuses and says so", closedStore},
	{"life/closing commits what waits", closeDrains},
	{"life/an open store is ready", ready},
}

func reopened(w *world) {
	p := w.place("acme")
	var values []vault.NewMapping
	for i := range 10 {
		m := p.Value(fmt.Sprint("value ", i))
		w.keep(p, m)
		values = append(values, m)
	}
	w.no(w.Books.Note(w.ctx, "acme", vault.Note{Kind: vault.NoteCheckpoint, Body: []byte("note")}))
	before, err := w.Ledger.Head(w.ctx, "acme")
	w.no(err)
	w.no(w.Close())
	w.Stores = w.Reopen()
	after, err := w.Ledger.Head(w.ctx, "acme")
	w.no(err)
	if diff := cmp.Diff(before, after); diff != "" {
		w.Errorf("the head before and after: %s", diff)
	}
	w.commit("acme", p.Restore(values...))
	if _, err := w.Books.LastNote(w.ctx, "acme", vault.NoteCheckpoint); err != nil {
		w.Errorf("the note is gone: %v", err)
	}
	w.CheckLog("acme")
}

func closedStore(w *world) {
	p := w.place("acme")
	w.no(w.Close())
	_, err := w.try("acme", vault.Record{})
	w.is(err, vault.ErrClosed)
	w.is(w.Registry.Ready(w.ctx), vault.ErrClosed)
	w.is(w.Books.Note(w.ctx, "acme", vault.Note{Kind: vault.NoteCheckpoint}), vault.ErrClosed)
	_, err = w.Ledger.Head(w.ctx, "acme")
	w.is(err, vault.ErrClosed)
	_, err = w.Store.Mappings(w.ctx, "acme", vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: []string{"x"}})
	w.is(err, vault.ErrClosed)
	_, err = w.Registry.Tenants(w.ctx)
	w.is(err, vault.ErrClosed)
	_, err = w.Custody.Holds(w.ctx, "acme", vault.HoldQuery{})
	w.is(err, vault.ErrClosed)
	_, err = w.Proceedings.Proceedings(w.ctx, "acme", vault.ProceedingQuery{})
	w.is(err, vault.ErrClosed)
	_, _, err = w.Proceedings.Spent(w.ctx, "acme", []vault.Digest{Digest("budget")})
	w.is(err, vault.ErrClosed)
	_, err = w.Proceedings.ForgetSpent(w.ctx, "acme", 10)
	w.is(err, vault.ErrClosed)
	_, err = w.Proceedings.Exposure(w.ctx, "acme")
	w.is(err, vault.ErrClosed)
	_, err = w.Outbox.TakeNotices(w.ctx, "acme", 10, lease)
	w.is(err, vault.ErrClosed)
	w.is(w.Outbox.PostponeNotice(w.ctx, "acme", "id", w.now()), vault.ErrClosed)
	w.is(w.Outbox.SettleNotice(w.ctx, "acme", "id"), vault.ErrClosed)
	w.no(w.Close())
}

func closeDrains(w *world) {
	w.tenant("acme")
	const n = 10
	release := w.Hold()
	var group sync.WaitGroup
	for range n {
		change := Change(w, "acme", vault.Record{})
		group.Go(func() {
			_, err := w.Store.Commit(w.ctx, "acme", change)
			w.is(err, nil)
		})
	}
	w.awaitWaiting("acme", n)
	closed := make(chan error)
	go func() { closed <- w.Close() }()
	// Once Close has begun, nothing more is taken.
	for err := error(nil); !errors.Is(err, vault.ErrClosed); {
		ctx, cancel := context.WithTimeout(w.ctx, time.Millisecond)
		_, err = w.Store.Commit(ctx, "globex", Change(w, "globex", vault.Record{}))
		cancel()
	}
	release()
	w.no(<-closed)
	group.Wait()
	w.Stores = w.Reopen()
	if got := w.size("acme"); got != n+1 {
		w.Errorf("%d of %d waiting changes were committed", got-1, n)
	}
}

func ready(w *world) {
	w.no(w.Registry.Ready(w.ctx))
	w.tenant("acme")
	w.no(w.Registry.Ready(w.ctx))
}
