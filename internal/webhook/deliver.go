package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Notice says that something happened.
type Notice struct {
	// ID is the same in every attempt: letters, digits, - and _.
	ID string
	// Tenant is whose notice it is, and Kind what it is about.
	Tenant, Kind string
	// At is when it happened.
	At time.Time
	// Body is JSON: ids, counts and times, never a value.
	Body []byte
}

// payload is what is sent, as the specification recommends it; the tenant stands
// beside data because one endpoint may be told about several.
type payload struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Tenant    string          `json:"tenant"`
	Data      json.RawMessage `json:"data"`
}

// Deliver makes one attempt at every endpoint that wants the notice and has not
// had it from this process, all at once. Its error is a [Failure]. A notice that
// nobody wants is delivered.
func (s *Sender) Deliver(ctx context.Context, n Notice) error {
	body, err := encode(n)
	if err != nil {
		return failure([]Refusal{{Reason: ReasonNotice}})
	}
	var mu sync.Mutex
	var refusals []Refusal
	var group sync.WaitGroup
	for _, e := range s.endpoints {
		if !e.wants(n) || s.settled.has(delivery{e.Name, n.Tenant, n.ID}) {
			continue
		}
		group.Go(func() {
			refusal := s.attempt(ctx, e, n.ID, body)
			if refusal.Reason == "" || refusal.final() {
				s.settled.add(delivery{e.Name, n.Tenant, n.ID})
			}
			if refusal.Reason == "" {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			refusals = append(refusals, refusal)
		})
	}
	group.Wait()
	return failure(refusals)
}

func encode(n Notice) ([]byte, error) {
	if !noticePattern.MatchString(n.ID) || !kindPattern.MatchString(n.Kind) {
		return nil, errors.New("webhook: the notice has no id or no kind")
	}
	body, err := json.Marshal(payload{Type: n.Kind, Timestamp: n.At.UTC(), Tenant: n.Tenant, Data: n.Body})
	if err != nil {
		return nil, fmt.Errorf("webhook: the body of a notice is no JSON: %w", err)
	}
	if len(body) > MaxBodyBytes {
		return nil, errors.New("webhook: the notice is too large")
	}
	return body, nil
}

// attempt posts to one endpoint. A refusal without a reason is none.
func (s *Sender) attempt(ctx context.Context, e *endpoint, id string, body []byte) Refusal {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	status, after, err := s.post(bounded, e, id, body)
	r := Refusal{Endpoint: e.Name, Status: status}
	switch {
	case err != nil:
		// The cause may quote the address, and a receiver.
		r.Reason, r.cause = reasonOf(err), ctx.Err()
		if r.cause != nil {
			r.Reason = ReasonCancelled
		}
	case status == http.StatusGone:
		r.Reason = ReasonGone
	case status < 200 || status > 299:
		r.Reason, r.after = ReasonStatus, after
	}
	return r
}

func (s *Sender) post(ctx context.Context, e *endpoint, id string, body []byte) (status int, after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, fmt.Errorf("webhook: %w", err)
	}
	at := s.now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "counterfoil-webhook")
	request.Header.Set(HeaderID, id)
	request.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(HeaderSignature, signatures(e.Secrets, id, at, body))
	response, err := e.client.Do(request)
	if err != nil {
		return 0, 0, fmt.Errorf("webhook: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // the status is known by now
	// What the receiver says besides changes nothing, nor does it that it is cut.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, MaxResponseBytes))
	return response.StatusCode, retryAfter(response.Header.Get("Retry-After"), at), nil
}

// retryAfter reads both forms of RFC 9110 section 10.2.3.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), MaxRetryAfter)
}

func reasonOf(err error) Reason {
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, errAddress):
		return ReasonAddress
	case errors.As(err, &certificate), errors.Is(err, http.ErrSchemeMismatch):
		return ReasonTLS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ReasonTimeout
	}
	return ReasonConnect
}
