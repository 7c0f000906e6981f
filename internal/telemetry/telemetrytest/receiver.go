// Package telemetrytest is a collector for tests: it speaks OTLP over HTTP and
// keeps what it is sent, so that a test can see what leaves the process.
package telemetrytest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver is a collector.
type Receiver struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	instead  http.HandlerFunc
	requests []*http.Request
	bodies   []byte
	received []*tracepb.ResourceSpans
}

// Span is a span as it was received.
type Span struct {
	*tracepb.Span
	Resource map[string]string
}

// New starts a collector, over TLS if so wanted.
func New(t testing.TB, encrypted bool) *Receiver {
	r := &Receiver{t: t}
	if r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve)); encrypted {
		r.StartTLS()
	} else {
		r.Start()
	}
	t.Cleanup(r.Close)
	return r
}

// AnswerBy makes another handler answer; nil takes it out again.
func (r *Receiver) AnswerBy(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.instead = h
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, req)
	instead := r.instead
	r.mu.Unlock()
	if instead != nil {
		instead(w, req)
		return
	}
	if err := r.take(req); err != nil {
		r.t.Errorf("telemetrytest: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (r *Receiver) take(req *http.Request) error {
	if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/x-protobuf" {
		return fmt.Errorf("%s of %q", req.Method, req.Header.Get("Content-Type"))
	}
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unpacked
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var sent collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &sent); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, raw...)
	r.received = append(r.received, sent.ResourceSpans...)
	return nil
}

// Requests are those that came so far, in vain or not.
func (r *Receiver) Requests() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*http.Request(nil), r.requests...)
}

// Spans are those that were received so far.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Span
	for _, of := range r.received {
		about := map[string]string{}
		for _, kv := range of.Resource.Attributes {
			about[kv.Key] = kv.Value.GetStringValue()
		}
		for _, in := range of.ScopeSpans {
			for _, s := range in.Spans {
				all = append(all, Span{s, about})
			}
		}
	}
	return all
}

// Text is all that was received, in the forms in which somebody could read it:
// the bytes as they came, and every id as it is shown.
func (r *Receiver) Text() string {
	var b strings.Builder
	for _, s := range r.Spans() {
		fmt.Fprintln(&b, hex.EncodeToString(s.TraceId), hex.EncodeToString(s.SpanId), hex.EncodeToString(s.ParentSpanId), s.TraceState, s.Span)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b.Write(r.bodies)
	return b.String()
}

// Attributes are those of a span, as texts.
func (s Span) Attributes() map[string]string {
	all := map[string]string{}
	for _, kv := range s.Span.Attributes {
		text := kv.Value.GetStringValue()
		if text == "" {
			text = fmt.Sprint(kv.Value.GetIntValue())
		}
		all[kv.Key] = text
	}
	return all
}
