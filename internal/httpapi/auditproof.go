package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// AuditProof serves a receipt of an entry, against the log of a size or as it
// stands.
func (a *api) AuditProof(ctx context.Context, r gen.AuditProofRequestObject) (gen.AuditProofResponseObject, error) {
	ctx, x := begin(ctx)
	proof, err := a.service.AuditProofAt(ctx, x.call, r.Index, value(r.Params.Size))
	if err != nil {
		return nil, err
	}
	return ok(receipt(&proof)), nil
}

// AuditConsistency serves the proof that the log was only added to.
func (a *api) AuditConsistency(ctx context.Context, r gen.AuditConsistencyRequestObject) (gen.AuditConsistencyResponseObject, error) {
	if r.Params.To != nil && *r.Params.To < r.Params.From {
		return nil, vault.Invalid("query:to", "must not be less than from")
	}
	ctx, x := begin(ctx)
	c, err := a.service.AuditConsistency(ctx, x.call, r.Params.From, value(r.Params.To))
	if err != nil {
		return nil, err
	}
	return ok(gen.Consistency{
		From: c.From, To: c.To, FromRoot: c.FromRoot.String(), ToRoot: c.ToRoot.String(),
		Proof: each(c.Proof, hash), Checkpoint: string(c.Checkpoint), RequestId: x.requestID,
	}), nil
}
