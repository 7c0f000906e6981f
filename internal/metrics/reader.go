package metrics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Position tells how many entries of a tenant's log a stage has done, from the
// first on. It may have done none.
type Position func(ctx context.Context, tenant string) (int64, error)

// Noted is the position of a stage that notes it in the store.
func Noted(books vault.Bookkeeping, kind vault.NoteKind) Position {
	return func(ctx context.Context, tenant string) (int64, error) {
		note, err := books.LastNote(ctx, tenant, kind)
		if errors.Is(err, vault.ErrNotFound) {
			return 0, nil
		}
		return note.Order, err
	}
}

// Anchored is the position of anchors, all of which are read at once.
func Anchored(read func() ([]audit.Anchor, error)) Position {
	return func(_ context.Context, tenant string) (int64, error) {
		anchors, err := read()
		if err != nil {
			return 0, err
		}
		for i := range anchors {
			if anchors[i].Tenant == tenant {
				return anchors[i].Size, nil
			}
		}
		return 0, nil
	}
}

// Reader reads how things stand from a store, for all tenants. All fields are
// required but Stages, and Stages has those that there are.
type Reader struct {
	Registry    vault.Registry
	Ledger      vault.Ledger
	Requests    vault.Requests
	Proceedings vault.Proceedings
	Custody     vault.Custody
	Stages      map[Stage]Position
	// Now is the clock by which things are due.
	Now func() time.Time
}

// Read reads once. It fails as a whole: half of the figures would look like better
// ones.
func (r *Reader) Read(ctx context.Context) (Standing, error) {
	standing := Standing{
		Lags: make(map[Stage]Lag), Matters: make(map[Matter]Count), Controls: make(map[ControlResult]int),
	}
	tenants, err := r.Registry.Tenants(ctx)
	if err != nil {
		return Standing{}, fmt.Errorf("metrics: tenants: %w", err)
	}
	for stage := range r.Stages {
		standing.Lags[stage] = Lag{}
	}
	now := r.Now()
	for i := range tenants {
		one := reading{Reader: r, Standing: &standing, tenant: tenants[i].Name, now: now}
		if err := one.log(ctx); err != nil {
			return Standing{}, fmt.Errorf("metrics: log: %w", err)
		}
		if err := one.matters(ctx); err != nil {
			return Standing{}, fmt.Errorf("metrics: matters: %w", err)
		}
		expired, err := r.Registry.Expired(ctx, one.tenant, vault.SweepBatch)
		if err != nil {
			return Standing{}, fmt.Errorf("metrics: expired: %w", err)
		}
		standing.Backlog += len(expired.Mappings)
		if len(expired.Mappings) >= vault.SweepBatch {
			standing.Behind++
		}
		if tenants[i].State == vault.TenantClosed {
			continue // nothing new is sealed: its keys need no new versions
		}
		standing.Tenants++
		if err := one.keys(ctx, &tenants[i]); err != nil {
			return Standing{}, fmt.Errorf("metrics: keys: %w", err)
		}
	}
	return standing, nil
}

// reading is that of one tenant.
type reading struct {
	*Reader
	*Standing
	tenant string
	now    time.Time
}

// log adds up the log, and how far each stage is behind it.
func (r *reading) log(ctx context.Context) error {
	done := make(map[Stage]int64, len(r.Stages))
	for stage, position := range r.Stages {
		// Before the head: so no entry that came in between is taken for late.
		var err error
		if done[stage], err = position(ctx, r.tenant); err != nil {
			return err
		}
	}
	head, err := r.Ledger.Head(ctx, r.tenant)
	if err != nil {
		return err
	}
	size := head.Frontier.Size
	r.Entries += size
	for stage, n := range done {
		if n >= size {
			continue
		}
		at, err := r.timeOf(ctx, n)
		if err != nil {
			return err
		}
		lag := r.Lags[stage]
		lag.Entries += size - n
		lag.Age = max(lag.Age, r.now.Sub(at))
		r.Lags[stage] = lag
	}
	return r.controls(ctx)
}

// timeOf is when an entry was written. What was pruned has no time any more: then it
// is that of the first after it that has one, of a page of them.
func (r *reading) timeOf(ctx context.Context, index int64) (time.Time, error) {
	for _, limit := range []int{1, vault.PageEntries} {
		q := vault.EntryQuery{HasCursor: index > 0, Cursor: index - 1, Limit: limit}
		entries, err := r.Ledger.Entries(ctx, r.tenant, q)
		if err != nil {
			return time.Time{}, err
		}
		for i := range entries {
			if entries[i].Leaf != nil {
				entry, err := audit.ParseLeaf(entries[i].Leaf)
				return entry.Time, err
			}
		}
	}
	return r.now, nil
}

// controls counts the last result of each control.
func (r *reading) controls(ctx context.Context) error {
	entries, err := r.Ledger.Entries(ctx, r.tenant, vault.EntryQuery{Kind: string(audit.KindControl), Descending: true, Limit: controlEntries})
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i := range entries {
		entry, err := audit.ParseLeaf(entries[i].Leaf)
		if err != nil {
			return err
		}
		if !seen[entry.Reference] {
			seen[entry.Reference] = true
			r.Controls[ControlResult{entry.Reference, entry.Code}]++
		}
	}
	return nil
}

// keys notes the age of the tenant's keys.
func (r *reading) keys(ctx context.Context, tenant *vault.Tenant) error {
	rotated := tenant.CreatedAt
	entries, err := r.Ledger.Entries(ctx, r.tenant, vault.EntryQuery{Kind: string(audit.KindKeyRotate), Descending: true, Limit: 1})
	if err != nil {
		return err
	}
	for i := range entries {
		entry, err := audit.ParseLeaf(entries[i].Leaf)
		if err != nil {
			return err
		}
		rotated = entry.Time
	}
	r.WrappingKeyAge = max(r.WrappingKeyAge, r.now.Sub(rotated))
	keys, err := r.Registry.TenantKeys(ctx, r.tenant)
	if err != nil {
		return err
	}
	for i := range keys {
		if keys[i].Purpose == vault.PurposeLog {
			r.LogKeyAge = max(r.LogKeyAge, r.now.Sub(keys[i].CreatedAt))
			break // the newest is the first
		}
	}
	return nil
}
