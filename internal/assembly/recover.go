package assembly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// ErrLost says that a tenant has an anchor and is not in the database.
var ErrLost = errors.New("assembly: a tenant with an anchor is not in the database")

// RecoverRequest says on whose word an older copy takes over.
type RecoverRequest struct {
	Reference string
	// Lost are tenants that are not in the copy, and are given up.
	Lost   []string
	DryRun bool
}

// Recovered is what became of a tenant.
type Recovered struct {
	Tenant string
	Lost   bool // it was not in the copy, and is given up
	// Older says that the copy was behind: it has Size entries of at least Anchored.
	Older          bool
	Size, Anchored int64
	vault.Replayed
}

// Recover takes up an older copy of the data: a database that is behind its
// anchors, which is served no more. What was erased since is erased again, the log
// says what is lost, and new anchors speak for it. A log that is not sound, or that
// has grown to another one than its anchor names, is refused.
//
// It may be interrupted anywhere and run again. Until the new anchor of a tenant
// is written, the last step, the service is refused as before.
func Recover(ctx context.Context, b Backends, req RecoverRequest, opts Options) (_ []Recovered, err error) {
	if !audit.IsIdentifier(req.Reference) {
		return nil, errors.New("assembly: a reference is required: on whose word an older copy takes over")
	}
	opts = opts.withDefaults()
	opts.recovering = true
	in, err := open(ctx, b, opts)
	defer func() { err = errors.Join(err, in.release()) }()
	if err != nil {
		return nil, err
	}
	known, err := in.journals.Anchors()
	if err != nil {
		return nil, err
	}
	if err := in.recoverable(ctx, known, req.Lost); err != nil {
		return nil, err
	}
	var all []Recovered
	for _, anchor := range known {
		one, err := in.recoverTenant(ctx, anchor, req)
		if err != nil {
			return all, fmt.Errorf("%s: %w", anchor.Tenant, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// recoverable refuses before anything is changed.
func (in *Instance) recoverable(ctx context.Context, known []audit.Anchor, lost []string) error {
	standing, err := in.Service.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range lost {
		if slices.Contains(standing, tenant) || !slices.ContainsFunc(known, func(a audit.Anchor) bool { return a.Tenant == tenant }) {
			return fmt.Errorf("assembly: %s is not lost: it is in the database, or has no anchor", tenant)
		}
	}
	for _, anchor := range known {
		if !slices.Contains(standing, anchor.Tenant) {
			if slices.Contains(lost, anchor.Tenant) {
				continue
			}
			return fmt.Errorf("%w: %s", ErrLost, anchor.Tenant)
		}
		head, err := in.Store.Head(ctx, anchor.Tenant)
		if err != nil {
			return err
		}
		if head.Frontier.Size < anchor.Size {
			continue
		}
		begun, err := in.begun(ctx, anchor)
		if err == nil && begun == nil {
			err = in.Service.CheckAnchor(ctx, anchor)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begun is the recovery in place of an anchor that was begun before and not
// brought to its end; nil where there is none of this copy.
func (in *Instance) begun(ctx context.Context, anchor audit.Anchor) (*vault.JournalRecovery, error) {
	lines, _, err := in.journals.Lines(anchor.Tenant)
	if err != nil {
		return nil, err
	}
	for _, line := range slices.Backward(lines) {
		r := line.Recovering
		if r == nil || r.Size != anchor.Size || r.Root != anchor.Root {
			continue
		}
		root, err := audit.RootAt(r.From, func(level int, n int64) (audit.Hash, error) {
			return in.Store.Node(ctx, anchor.Tenant, level, n)
		})
		if err == nil && root == r.FromRoot {
			return r, nil
		}
	}
	return nil, nil
}

func (in *Instance) recoverTenant(ctx context.Context, anchor audit.Anchor, req RecoverRequest) (Recovered, error) {
	done := Recovered{Tenant: anchor.Tenant, Anchored: anchor.Size}
	if slices.Contains(req.Lost, anchor.Tenant) {
		done.Lost = true
		if req.DryRun {
			return done, nil
		}
		return done, in.giveUp(anchor.Tenant)
	}
	head, err := in.Store.Head(ctx, anchor.Tenant)
	if err != nil {
		return done, err
	}
	begun, err := in.begun(ctx, anchor)
	if err != nil {
		return done, err
	}
	done.Size, done.Older = head.Frontier.Size, head.Frontier.Size < anchor.Size || begun != nil
	if begun != nil {
		done.Size = begun.From
	}
	if !done.Older {
		if err := in.journals.Check(ctx, anchor); err == nil || !errors.Is(err, ErrOlder) {
			return done, err
		}
		done.Older = true // only the journal knows of what was lost
	}
	if err := in.sound(ctx, anchor.Tenant); err != nil {
		return done, err
	}
	lines, _, err := in.journals.Intact(anchor)
	if err != nil {
		return done, err
	}
	if !req.DryRun && begun == nil {
		if err := in.begin(ctx, anchor, head); err != nil {
			return done, err
		}
	}
	if done.Replayed, err = in.Service.ReplayErasures(ctx, recoverCall, anchor.Tenant, lines, req.Reference, req.DryRun); err != nil || req.DryRun {
		return done, err
	}
	if err := in.Service.RecordRecovery(ctx, recoverCall, anchor, done.Size, req.Reference); err != nil {
		return done, err
	}
	return done, in.Worker.Reanchor(ctx, anchor.Tenant)
}

// recoverCall is how entries of a recovery say where they came from.
var recoverCall = vault.Call{Channel: "recover"}

// begin notes which copy takes over, before the copy is changed.
func (in *Instance) begin(ctx context.Context, anchor audit.Anchor, head vault.Head) error {
	root, err := audit.RootAt(head.Frontier.Size, func(level int, n int64) (audit.Hash, error) {
		return in.Store.Node(ctx, anchor.Tenant, level, n)
	})
	if err != nil {
		return err
	}
	return in.journals.Add(anchor.Tenant, vault.JournalLine{Recovering: &vault.JournalRecovery{
		Size: anchor.Size, Root: anchor.Root, From: head.Frontier.Size, FromRoot: root,
	}})
}

// sound verifies the log that the copy has.
func (in *Instance) sound(ctx context.Context, tenant string) (err error) {
	view, closer, err := openView(ctx, in.backends)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	_, err = verifyTenant(ctx, in.backends.Files, view, verify.Options{Tenant: tenant, Origin: audit.Origin(in.logPrefix, tenant)})
	return err
}

// lostSuffix ends the names of what is put aside.
const lostSuffix = ".lost"

// giveUp puts the anchor and the public key of a lost tenant aside.
func (in *Instance) giveUp(tenant string) error {
	key := in.backends.LogKey(tenant)
	if err := os.Rename(key, key+lostSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("assembly: %w", err)
	}
	return in.journals.SetAside(tenant, nil)
}
