package assembly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// verifyPage is how many rows are read at a time: a few megabytes at most.
const verifyPage = 1000

// ErrFault says that a log, or what the tables say of it, is not as it was
// committed. The wrapped error names the first fault.
var ErrFault = errors.New("fault")

// Verify checks every log of a folder of the development mode.
func Verify(ctx context.Context, dir string) ([]verify.Result, error) {
	return VerifyService(ctx, Backends{Files: config.Layout{Dir: dir}.Files()}, LogPrefix)
}

// VerifyService checks every log of a service, while it is running or not: the
// log itself against the public keys and anchors that lie outside the
// database, and what the database keeps beside the leaves (the columns that
// queries use, the inner nodes, the heads) against the leaves.
func VerifyService(ctx context.Context, b Backends, logPrefix string) (_ []verify.Result, err error) {
	view, closer, err := openView(ctx, b)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	known, err := knownTenants(ctx, b, view)
	if err != nil {
		return nil, err
	}
	var results []verify.Result
	for _, tenant := range known.names {
		opts := verify.Options{Tenant: tenant, Origin: audit.Origin(logPrefix, tenant)}
		if anchor, anchored := known.anchors[tenant]; anchored {
			opts.Anchors = []audit.Anchor{anchor}
		}
		result, err := verifyTenant(ctx, b.Files, view, opts)
		if err != nil {
			return results, fmt.Errorf("%s: %w", tenant, err)
		}
		results = append(results, result)
	}
	return results, nil
}

// known is what the folder says of its tenants outside the database.
type known struct {
	names   []string
	anchors map[string]audit.Anchor
}

// knownTenants joins the tenants of the database with those that have a
// public key or an anchor outside: a log that vanished whole is a fault.
func knownTenants(ctx context.Context, b Backends, view view) (_ known, err error) {
	anchors, closer, err := openAnchors(ctx, b)
	if err != nil {
		return known{}, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	read, err := anchors.Read()
	if err != nil {
		return known{}, fmt.Errorf("%w: %w", ErrFault, err)
	}
	k := known{anchors: make(map[string]audit.Anchor)}
	for _, a := range read {
		k.anchors[a.Tenant] = a
	}
	tenants, err := view.Tenants(ctx)
	if err != nil {
		return known{}, err
	}
	standing := make(map[string]bool)
	for _, t := range tenants {
		standing[t.Name] = true
		k.names = append(k.names, t.Name)
	}
	keys, err := os.ReadDir(b.LogKeys)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return known{}, fmt.Errorf("assembly: %w", err)
	}
	for _, file := range keys {
		if name := strings.TrimSuffix(file.Name(), ".vkey"); name != file.Name() && !standing[name] {
			return known{}, fmt.Errorf("%w: %s: there is a key for a log that is not in the database", ErrFault, name)
		}
	}
	for name := range k.anchors {
		if !standing[name] {
			return known{}, fmt.Errorf("%w: %s: there is an anchor for a log that is not in the database", ErrFault, name)
		}
	}
	return k, nil
}

func verifyTenant(ctx context.Context, files config.Files, view view, opts verify.Options) (verify.Result, error) {
	tenant := opts.Tenant
	vkey, err := os.ReadFile(files.LogKey(tenant))
	if err != nil {
		return verify.Result{}, fmt.Errorf("assembly: the public key of the log: %w", err)
	}
	opts.VKeys = strings.Fields(string(vkey))
	if opts.Handovers, err = handoversAfter(ctx, view, tenant, opts.VKeys); err != nil {
		return verify.Result{}, err
	}
	// The head and the published checkpoint are read before the entries: the
	// service may be writing, and then the log may be longer, never shorter.
	head, err := view.Head(ctx, tenant)
	if err != nil {
		return verify.Result{}, fmt.Errorf("%w: head: %w", ErrFault, err)
	}
	switch note, err := view.LastNote(ctx, tenant, vault.NoteCheckpoint); {
	case err == nil:
		opts.Checkpoints = [][]byte{note.Body}
	case !errors.Is(err, vault.ErrNotFound):
		return verify.Result{}, err
	}
	tables := &tables{view: view, tenant: tenant, head: head, state: vault.TenantActive, minWrap: 1, retired: 1}
	result, err := verify.Log(ctx, tables.source(ctx), opts)
	var fault *verify.Fault
	if errors.As(err, &fault) {
		err = fmt.Errorf("%w: %w", ErrFault, err)
	}
	if err != nil {
		return verify.Result{}, err
	}
	return result, tables.finish()
}

// handoversAfter are how the keys that lie outside the database vouched for those
// that came after them: a service writes these beside them when it starts again.
func handoversAfter(ctx context.Context, view view, tenant string, kept []string) ([][]byte, error) {
	stored, err := view.TenantKeys(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var handovers [][]byte
	for _, key := range slices.Backward(stored) { // the newest is the first
		switch {
		case key.Purpose != vault.PurposeLog:
		case key.Version > len(kept):
			handovers = append(handovers, []byte(key.Handover))
		case key.Public != kept[key.Version-1]:
			return nil, fmt.Errorf("%w: the public key of version %d is not the one that is kept", ErrFault, key.Version)
		}
	}
	return handovers, nil
}

// tables compares what the database keeps beside the leaves with the leaves,
// while these are read.
type tables struct {
	view   view
	tenant string
	head   vault.Head

	state    vault.TenantState // as the leaves up to the head say
	minWrap  int
	retired  int            // below which versions of the wrapping key are retired
	frontier audit.Frontier // of the leaves read so far
	atHead   *audit.Frontier
	headTime time.Time // of the last entry up to the head
}

// source gives the entries, page by page, after their columns were compared.
func (t *tables) source(ctx context.Context) verify.Source {
	return func(yield func(verify.Entry) error) error {
		for next := int64(0); ; {
			rows, err := t.view.EntryRows(ctx, t.tenant, next, verifyPage)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return nil
			}
			var leaves []audit.Hash
			for i := range rows {
				// First the log itself, so that the fault that is named is the
				// one of the log where both are wrong.
				if err := yield(verify.Entry{Index: rows[i].Index, Leaf: rows[i].Leaf, LeafHash: rows[i].LeafHash[:]}); err != nil {
					return err
				}
				if err := rows[i].Check(t.tenant); err != nil {
					return fmt.Errorf("%w: %w", ErrFault, err)
				}
				if err := t.follow(&rows[i]); err != nil {
					return err
				}
				leaves = append(leaves, rows[i].LeafHash)
				if rows[i].Index == t.head.Frontier.Size-1 {
					t.headTime = rows[i].Time
				}
			}
			if err := t.grow(ctx, leaves); err != nil {
				return err
			}
			next = rows[len(rows)-1].Index + 1
		}
	}
}

// follow takes note of the entries that say whether the tenant is served and
// which keys are written: what the head keeps of it must follow from them.
func (t *tables) follow(row *entryrow.Row) error {
	if row.Index >= t.head.Frontier.Size {
		return nil // younger than the head that was read
	}
	if row.Leaf == nil {
		return nil // of no kind that is looked for here: leaves of those are never pruned
	}
	e, err := audit.ParseLeaf(row.Leaf)
	if err != nil {
		return fmt.Errorf("%w: entry %d: leaf: %w", ErrFault, row.Index, err)
	}
	switch e.Kind {
	case audit.KindTenantSuspend:
		t.state = vault.TenantSuspended
	case audit.KindTenantResume:
		t.state = vault.TenantActive
	case audit.KindTenantClose:
		t.state = vault.TenantClosed
	case audit.KindKeyRotate:
		t.minWrap = e.Counts[vault.CountMinWrapVersion]
	case audit.KindKeyRetire:
		t.retired = e.Counts[vault.CountRetiredBelow]
	}
	return nil
}

// grow appends leaves to the tree and compares the inner nodes that the
// database keeps with those that follow from the leaves.
func (t *tables) grow(ctx context.Context, leaves []audit.Hash) error {
	if n := t.head.Frontier.Size - t.frontier.Size; n > 0 && n <= int64(len(leaves)) {
		batch, err := t.frontier.AppendHashes(slices.Clone(leaves[:n]))
		if err != nil {
			return fmt.Errorf("assembly: %w", err)
		}
		t.atHead = &batch.Frontier
	}
	batch, err := t.frontier.AppendHashes(leaves)
	if err != nil {
		return fmt.Errorf("assembly: %w", err)
	}
	for _, node := range batch.Nodes {
		stored, err := t.view.Node(ctx, t.tenant, node.Level, node.N)
		if err != nil || stored != node.Hash {
			return fmt.Errorf("%w: node %d of level %d is not what its leaves give", ErrFault, node.N, node.Level)
		}
	}
	t.frontier = batch.Frontier
	return nil
}

// finish compares the head with the leaves up to it.
func (t *tables) finish() error {
	if t.head.Frontier.Size == 0 && t.frontier.Size == 0 {
		return nil
	}
	if t.atHead == nil {
		return fmt.Errorf("%w: the head says %d entries, there are %d", ErrFault, t.head.Frontier.Size, t.frontier.Size)
	}
	want, err := t.atHead.MarshalBinary()
	if err != nil {
		return fmt.Errorf("assembly: %w", err)
	}
	got, err := t.head.Frontier.MarshalBinary()
	if err != nil || string(got) != string(want) {
		return fmt.Errorf("%w: the head is not what its leaves give", ErrFault)
	}
	if !t.head.At.Equal(t.headTime) {
		return fmt.Errorf("%w: the time of the head is not that of its last entry", ErrFault)
	}
	if t.head.State != t.state || t.head.MinWrapVersion != t.minWrap || t.head.RetiredBelow != t.retired {
		return fmt.Errorf("%w: the state of the tenant is not what its leaves say", ErrFault)
	}
	return nil
}
