package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RequestEvidence asks for the evidence of a period.
func (a *api) RequestEvidence(ctx context.Context, r gen.RequestEvidenceRequestObject) (gen.RequestEvidenceResponseObject, error) {
	ctx, x := begin(ctx)
	from, errFrom := instant("/from", &r.Body.From)
	to, errTo := instant("/to", &r.Body.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	result, err := a.service.RequestEvidence(ctx, x.call, vault.EvidenceRequest{From: from, To: to})
	if err != nil {
		return nil, err
	}
	return accepted(evidenceAnswer(&result, x)), nil
}

// Evidences lists the evidence that was asked for.
func (a *api) Evidences(ctx context.Context, r gen.EvidencesRequestObject) (gen.EvidencesResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Evidences(ctx, x.call, vault.EvidenceListRequest{
		Before: value(r.Params.Cursor), Limit: int(value(r.Params.Limit)),
	})
	if err != nil {
		return nil, err
	}
	return ok(gen.EvidencePage{
		Evidence: each(page.Evidence, evidence), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// Evidence shows how far evidence is.
func (a *api) Evidence(ctx context.Context, r gen.EvidenceRequestObject) (gen.EvidenceResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.Evidence(ctx, x.call, r.EvidenceId)
	if err != nil {
		return nil, err
	}
	return ok(evidenceAnswer(&vault.EvidenceResult{Evidence: info}, x)), nil
}

func evidenceAnswer(r *vault.EvidenceResult, x *exchange) gen.Evidence {
	out := evidence(&r.Evidence)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func evidence(i *vault.EvidenceInfo) gen.Evidence {
	return gen.Evidence{
		Id: i.ID, From: i.From, To: i.To, Status: gen.EvidenceStatus(i.Status),
		Progress:    int32(i.Progress), //nolint:gosec // per cent
		RequestedBy: i.RequestedBy, RequestedAt: i.RequestedAt, DoneAt: moment(i.DoneAt),
		Sha256: optional(i.SHA256), Bytes: optional(i.Bytes), TreeSize: optional(i.Size),
	}
}
