package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Dispatch writes down what a vendor did with a prompt.
func (a *api) Dispatch(ctx context.Context, r gen.DispatchRequestObject) (gen.DispatchResponseObject, error) {
	ctx, x := begin(ctx)
	b := r.Body
	result, err := a.service.Dispatch(ctx, x.call, vault.DispatchRequest{
		RequestID: b.RequestId, Destination: b.Destination, Model: value(b.Model), VendorRequestID: value(b.VendorRequestId),
		Status: string(b.Status), LatencyMS: value(b.LatencyMs), Usage: usage(b.Usage),
	})
	if err != nil {
		return nil, err
	}
	return created(gen.DispatchAnswer{Audit: receipt(result.Audit), RequestId: x.requestID}), nil
}

// usage holds what the vendor counted; what it did not count is not there.
func usage(u *gen.Usage) map[string]int64 {
	if u == nil {
		return nil
	}
	counted := make(map[string]int64)
	for name, n := range map[string]*int64{
		"input_tokens": u.InputTokens, "output_tokens": u.OutputTokens,
		"cached_tokens": u.CachedTokens, "reasoning_tokens": u.ReasoningTokens, "total_tokens": u.TotalTokens,
	} {
		if n != nil {
			counted[name] = *n
		}
	}
	return counted
}
