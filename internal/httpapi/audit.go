package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// AuditEntry serves one entry.
func (a *api) AuditEntry(ctx context.Context, r gen.AuditEntryRequestObject) (gen.AuditEntryResponseObject, error) {
	ctx, x := begin(ctx)
	entry, err := a.service.AuditEntry(ctx, x.call, r.Index)
	if err != nil {
		return nil, err
	}
	x.entries = 1
	return ok(storedEntry(&entry)), nil
}

// AuditCheckpoint serves the signed head of the log.
func (a *api) AuditCheckpoint(ctx context.Context, _ gen.AuditCheckpointRequestObject) (gen.AuditCheckpointResponseObject, error) {
	ctx, x := begin(ctx)
	checkpoint, err := a.service.AuditCheckpoint(ctx, x.call)
	if err != nil {
		return nil, err
	}
	return note(checkpoint), nil
}

// AuditKeys serves the public keys of the log.
func (a *api) AuditKeys(ctx context.Context, _ gen.AuditKeysRequestObject) (gen.AuditKeysResponseObject, error) {
	ctx, x := begin(ctx)
	keys, err := a.service.AuditKeys(ctx, x.call)
	if err != nil {
		return nil, err
	}
	return ok(gen.LogKeys{Keys: each(keys, logKey), RequestId: x.requestID}), nil
}

func logKey(k *vault.LogKey) gen.LogKey {
	return gen.LogKey{
		Version: int32(k.Version), Key: k.Key, Since: k.Since, Handover: optional(k.Handover), //nolint:gosec // versions count rotations
	}
}

// instant reads a time that the document has bounded; what it cannot say is
// that a day exists. The zero time is none: to the domain it is no bound.
func instant(field string, text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, *text)
	if err != nil || at.IsZero() {
		return time.Time{}, vault.Invalid(field, "must be a time that exists")
	}
	return at, nil
}

// storedEntry embeds the leaf as it is. It is canonical JSON, and the encoder
// neither escapes nor orders anything in raw JSON.
func storedEntry(e *vault.StoredEntry) gen.StoredEntry {
	out := gen.StoredEntry{Index: e.Index, LeafHash: e.LeafHash.String()}
	if e.Leaf == nil {
		out.Pruned = pointer(true)
		return out
	}
	out.Entry = pointer(json.RawMessage(e.Leaf))
	return out
}

func receipt(r *audit.Receipt) *gen.Receipt {
	if r == nil {
		return nil
	}
	return &gen.Receipt{
		Log: r.Log, Index: r.Index, LeafHash: r.LeafHash.String(), TreeSize: r.TreeSize,
		RootHash: r.RootHash.String(), Proof: each(r.Proof, hash), Checkpoint: r.Checkpoint,
	}
}

func hash(h *audit.Hash) gen.Hash { return h.String() }
