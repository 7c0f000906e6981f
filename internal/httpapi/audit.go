package httpapi

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// AuditEntries serves a page of the log.
func (a *api) AuditEntries(ctx context.Context, r gen.AuditEntriesRequestObject) (gen.AuditEntriesResponseObject, error) {
	ctx, x := begin(ctx)
	query, err := entryQuery(r.Params)
	if err != nil {
		return nil, err
	}
	page, err := a.service.AuditEntries(ctx, x.call, query)
	if err != nil {
		return nil, err
	}
	answer := gen.EntryPage{Entries: make([]gen.StoredEntry, 0, len(page.Entries)), RequestId: x.requestID}
	for _, e := range page.Entries {
		answer.Entries = append(answer.Entries, storedEntry(e))
	}
	if page.HasNext {
		answer.NextCursor = pointer(strconv.FormatInt(page.Next, 10))
	}
	x.entries = len(page.Entries)
	return ok(answer), nil
}

// AuditEntry serves one entry.
func (a *api) AuditEntry(ctx context.Context, r gen.AuditEntryRequestObject) (gen.AuditEntryResponseObject, error) {
	ctx, x := begin(ctx)
	entry, err := a.service.AuditEntry(ctx, x.call, r.Index)
	if err != nil {
		return nil, err
	}
	x.entries = 1
	return ok(storedEntry(entry)), nil
}

// AuditProof serves a receipt of an entry against the log as it stands.
func (a *api) AuditProof(ctx context.Context, r gen.AuditProofRequestObject) (gen.AuditProofResponseObject, error) {
	ctx, x := begin(ctx)
	proof, err := a.service.AuditProof(ctx, x.call, r.Index)
	if err != nil {
		return nil, err
	}
	return ok(receipt(&proof)), nil
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
	answer := gen.LogKeys{Keys: make([]gen.LogKey, 0, len(keys)), RequestId: x.requestID}
	for _, k := range keys {
		answer.Keys = append(answer.Keys, gen.LogKey{
			Version: int32(k.Version), Key: k.Key, Since: k.Since, //nolint:gosec // versions count rotations
		})
	}
	return ok(answer), nil
}

// entryQuery takes the filters. The document has bounded all of them.
func entryQuery(p gen.AuditEntriesParams) (vault.EntryQuery, error) {
	q := vault.EntryQuery{
		Actor: value(p.Actor), Reason: value(p.Reason), Entity: value(p.Entity), Kind: value(p.Kind),
		Token: value(p.Token), RequestID: value(p.RequestId), Decision: audit.Decision(value(p.Decision)),
		Descending: value(p.Order) == gen.Desc, Limit: DefaultPage,
	}
	if p.Limit != nil {
		q.Limit = int(*p.Limit)
	}
	if p.Cursor != nil {
		cursor, err := strconv.ParseInt(*p.Cursor, 10, 64)
		if err != nil {
			return q, vault.Invalid("query:cursor", "must be a cursor of an answer")
		}
		q.Cursor, q.HasCursor = cursor, true
	}
	for _, bound := range []struct {
		name string
		text *string
		at   *time.Time
	}{{"query:since", p.Since, &q.Since}, {"query:until", p.Until, &q.Until}} {
		var err error
		if *bound.at, err = instant(bound.name, bound.text); err != nil {
			return q, err
		}
	}
	return q, nil
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
func storedEntry(e vault.StoredEntry) gen.StoredEntry {
	return gen.StoredEntry{Index: e.Index, LeafHash: e.LeafHash.String(), Entry: json.RawMessage(e.Leaf)}
}

func receipt(r *audit.Receipt) *gen.Receipt {
	if r == nil {
		return nil
	}
	proof := make([]gen.Hash, 0, len(r.Proof))
	for _, h := range r.Proof {
		proof = append(proof, h.String())
	}
	return &gen.Receipt{
		Log: r.Log, Index: r.Index, LeafHash: r.LeafHash.String(), TreeSize: r.TreeSize,
		RootHash: r.RootHash.String(), Proof: proof, Checkpoint: r.Checkpoint,
	}
}
