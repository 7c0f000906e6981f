package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Tokenize puts tokens in the place of personal data.
func (a *api) Tokenize(ctx context.Context, r gen.TokenizeRequestObject) (gen.TokenizeResponseObject, error) {
	ctx, x := begin(ctx)
	req := tokenizeRequest(r.Body)
	req.Payload = x.payload
	result, err := a.service.Tokenize(ctx, x.call, req)
	if err != nil {
		return nil, err
	}
	x.origins, x.untouched = make(map[vault.Origin]int), make(map[string]int)
	for _, t := range result.Tokens {
		x.origins[t.Origin]++
	}
	for _, m := range result.Masked {
		x.untouched[m.Action]++
	}
	return answer(tokenizeAnswer(result, x.requestID), result.Payload), nil
}

func tokenizeRequest(b *gen.TokenizeRequest) vault.TokenizeRequest {
	req := vault.TokenizeRequest{
		Scope: b.Scope, Subject: value(b.Subject), Destination: value(b.Destination), Destinations: value(b.Destinations),
		TTL: duration(b.Ttl), Format: string(value(b.Format)),
		Existing: vault.ExistingKeep, DryRun: value(b.DryRun), Text: b.Text, Shape: string(value(b.Shape)),
		ReadScopes: value(b.ReadScopes), SourceRef: value(b.SourceRef), Grant: grantWish(b.Grant),
	}
	if b.ExistingTokens != nil {
		req.Existing = vault.ExistingTokens(*b.ExistingTokens)
	}
	if d := b.Detect; d != nil {
		req.Detect = vault.DetectOptions{Off: d.Enabled != nil && !*d.Enabled, Entities: value(d.Entities), Explain: value(d.Explain)}
	}
	for _, s := range value(b.Spans) {
		req.Spans = append(req.Spans, vault.Span{
			Start: int(s.Start), End: int(s.End), Entity: s.Entity, Subject: value(s.Subject),
		})
	}
	for _, v := range value(b.Values) {
		req.Values = append(req.Values, vault.Value{Entity: v.Entity, Value: v.Value, Subject: value(v.Subject)})
	}
	return req
}

// duration takes seconds, which the document bounds to a year.
func duration(seconds *int64) time.Duration { return time.Duration(value(seconds)) * time.Second }

func tokenizeAnswer(r vault.TokenizeResult, requestID string) gen.TokenizeAnswer {
	answer := gen.TokenizeAnswer{
		Text: r.Text, Tokens: make([]gen.Token, 0, len(r.Tokens)), Masked: make([]gen.Masked, 0, len(r.Masked)),
		PolicyVersion: r.PolicyVersion, Audit: receipt(r.Audit), RequestId: requestID, Coverage: coverage(r.Coverage),
	}
	if r.Grant != nil {
		answer.Grant = pointer(grantAnswer(r.Grant, requestID))
	}
	if r.Values != nil {
		answer.Values = &r.Values
	}
	if r.Payload != nil {
		answer.Payload = standIn(requestID)
	}
	if r.Unanalyzed > 0 {
		answer.Unanalyzed = pointer(int32(r.Unanalyzed)) //nolint:gosec // bounded by the parts of a body
	}
	for _, t := range r.Tokens {
		answer.Tokens = append(answer.Tokens, gen.Token{
			Token: optional(t.Token), Entity: t.Entity, Class: gen.EntityClass(t.Class), Origin: gen.TokenOrigin(t.Origin),
			Pointer: optional(t.Pointer), Start: offset(t.Start), End: offset(t.End), Score: t.Score, ExpiresAt: t.ExpiresAt,
			Rule: optional(t.Rule),
		})
	}
	for _, m := range r.Masked {
		answer.Masked = append(answer.Masked, gen.Masked{
			Entity: m.Entity, Action: gen.MaskedAction(m.Action), Pointer: optional(m.Pointer), Start: offset(m.Start), End: offset(m.End),
			Score: m.Score, Rule: optional(m.Rule),
		})
	}
	return answer
}

// offset narrows a position in a text; the greatest text has 2^20 characters.
func offset(n *int) *int32 {
	if n == nil {
		return nil
	}
	return pointer(int32(*n)) //nolint:gosec // bounded by the greatest text
}
