package client

import (
	"context"
	"time"
)

// What a vendor did with a prompt.
const (
	DispatchOK        = "ok"
	DispatchError     = "error"
	DispatchRefused   = "refused"
	DispatchTimeout   = "timeout"
	DispatchCancelled = "cancelled" // nobody waited for it any more
)

// Usage is what a vendor counted. Nil is what it did not count.
type Usage struct {
	InputTokens     *int64 `json:"input_tokens,omitempty"`
	OutputTokens    *int64 `json:"output_tokens,omitempty"`
	CachedTokens    *int64 `json:"cached_tokens,omitempty"`
	ReasoningTokens *int64 `json:"reasoning_tokens,omitempty"`
	TotalTokens     *int64 `json:"total_tokens,omitempty"`
}

// DispatchRequest says what a vendor did with a prompt. RequestID, Destination
// and Status are required.
type DispatchRequest struct {
	RequestID   string // of the answer that tokenized the prompt
	Destination string
	Model       string
	// VendorRequestID goes into the log as it is, so that the vendor can be asked
	// about it.
	VendorRequestID string
	Status          string
	Latency         time.Duration // is sent in whole milliseconds
	Usage           *Usage

	IdempotencyKey string // 128 random bits where it is empty
}

// DispatchAnswer proves that it was written down.
type DispatchAnswer struct {
	RequestID string `json:"request_id"`
	Proof
}

// Dispatch ends the record of a prompt: what the vendor did with it. The prompt is
// one that the calling client had tokenized.
func (c *Client) Dispatch(ctx context.Context, r DispatchRequest) (*DispatchAnswer, error) {
	if r.Latency < 0 {
		return nil, refuse("latency_ms", "must not be negative")
	}
	value := struct {
		RequestID       string `json:"request_id"`
		Destination     string `json:"destination"`
		Model           string `json:"model,omitempty"`
		VendorRequestID string `json:"vendor_request_id,omitempty"`
		Status          string `json:"status"`
		LatencyMS       int64  `json:"latency_ms,omitempty"`
		Usage           *Usage `json:"usage,omitempty"`
	}{r.RequestID, r.Destination, r.Model, r.VendorRequestID, r.Status, r.Latency.Milliseconds(), r.Usage}
	texts := []string{r.RequestID, r.Destination, r.Model, r.VendorRequestID, r.Status}
	return send[DispatchAnswer](ctx, c, "dispatches", plain{value, texts}, r.IdempotencyKey)
}
