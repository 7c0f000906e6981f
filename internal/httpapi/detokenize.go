package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Detokenize puts values back in the place of tokens.
func (a *api) Detokenize(ctx context.Context, r gen.DetokenizeRequestObject) (gen.DetokenizeResponseObject, error) {
	ctx, x := begin(ctx)
	req := detokenizeRequest(r.Body)
	req.Payload = x.payload
	result, err := a.service.Detokenize(ctx, x.call, req)
	if err != nil {
		return nil, err
	}
	x.restored(result.Reason, result.Results)
	return answer(detokenizeAnswer(result, x.requestID), result.Payload), nil
}

// restored notes a restoration that the service has answered, so that the reason
// is one of the catalogue: a label that a caller cannot make up.
func (x *exchange) restored(reason string, results []vault.TokenResult) {
	x.reason, x.statuses = reason, make(map[vault.Status]int)
	for _, t := range results {
		x.statuses[t.Status]++
	}
}

// detokenizeRequest leaves a reason that is missing empty: the service refuses
// and records that.
func detokenizeRequest(b *gen.DetokenizeRequest) vault.DetokenizeRequest {
	req := vault.DetokenizeRequest{
		Scope: value(b.Scope), Recipient: value(b.Recipient), OnRefused: vault.RefusedKeep,
		Text: b.Text, Tokens: value(b.Tokens), Shape: string(value(b.Shape)),
		ReadScopes: value(b.ReadScopes), Reason: reasonGiven(b.Reason),
		GrantID: value(b.Grant), Partial: value(b.Partial),
	}
	if b.OnRefused != nil {
		req.OnRefused = vault.OnRefused(*b.OnRefused)
	}
	return req
}

func detokenizeAnswer(r vault.DetokenizeResult, requestID string) gen.DetokenizeAnswer {
	answer := gen.DetokenizeAnswer{
		Text: r.Text, Results: each(r.Results, tokenResult),
		PolicyVersion: r.PolicyVersion, Audit: receipt(r.Audit), RequestId: requestID,
	}
	if r.Partial {
		answer.HoldbackChars = pointer(int64(r.HoldbackChars))
	}
	if r.Values != nil {
		answer.Values = &r.Values
	}
	if r.Payload != nil {
		answer.Payload = standIn(requestID)
	}
	return answer
}

func tokenResult(t *vault.TokenResult) gen.TokenResult {
	return gen.TokenResult{
		Token: t.Token, Pointer: optional(t.Pointer), Status: gen.TokenStatus(t.Status), Form: optional(gen.Form(t.Form)), Repaired: t.Repaired,
	}
}
