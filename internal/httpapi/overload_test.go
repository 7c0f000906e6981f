package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestInvariant17_RequestsUnderWayAreBounded(t *testing.T) {
	w := newWorld(t, httpapi.Limits{InFlight: 2})
	entered, leave := make(chan struct{}), make(chan struct{})
	w.authenticateBy(func(context.Context, string) (vault.Caller, error) {
		entered <- struct{}{}
		<-leave
		return callers["gateway"], nil
	})
	done := make(chan int)
	for range 2 {
		go func() {
			recorder := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/v1/limits", nil)
			r.Header.Set("Authorization", "Bearer gateway")
			w.handler.ServeHTTP(recorder, r)
			done <- recorder.Code
		}()
		<-entered
	}
	p := w.Get("/v1/limits").Want(http.StatusServiceUnavailable).Problem()
	if p.Limit != "http_requests_in_flight" || p.RetryAfter < 1 {
		t.Errorf("problem: %+v", p)
	}
	// An overloaded service is still alive, and says how it is.
	w.Get("/healthz").Want(http.StatusOK)
	if !strings.Contains(w.metrics(t), "counterfoil_http_requests_in_flight 2") {
		t.Error("the gauge does not say 2")
	}
	close(leave)
	for range 2 {
		if status := <-done; status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	w.authenticateBy(func(context.Context, string) (vault.Caller, error) { return callers["gateway"], nil })
	w.Get("/v1/limits").Want(http.StatusOK)
}

func TestInvariant17_BodiesUnderWayAreBounded(t *testing.T) {
	w := newWorld(t, httpapi.Limits{BodyBytes: 1000, BodyBytesInFlight: 500})
	small := m{"scope": "a", "text": "x"}
	w.Post("/v1/tokenize", small).Want(http.StatusOK)
	p := w.Post("/v1/tokenize", m{"scope": "a", "text": strings.Repeat("x", 600)}).Want(http.StatusServiceUnavailable).Problem()
	if p.Limit != "http_body_bytes_in_flight" {
		t.Errorf("problem: %+v", p)
	}
	if p = w.Post("/v1/tokenize", m{"scope": "a", "text": strings.Repeat("x", 1600)}).Want(413).Problem(); p.Limit != "http_body_bytes" {
		t.Errorf("problem: %+v", p)
	}
	// What was taken is given back, whatever the answer was.
	for range 50 {
		w.Post("/v1/tokenize", "{").Want(http.StatusBadRequest)
	}
	w.Post("/v1/tokenize", small).Want(http.StatusOK)
}

// A body without a length is counted while it arrives.
func TestABodyOfUnknownLengthIsBounded(t *testing.T) {
	w := newWorld(t, httpapi.Limits{BodyBytes: 1000})
	for text, want := range map[string]int{"x": 200, strings.Repeat("x", 2000): 413} {
		r := httptest.NewRequest(http.MethodPost, "/v1/tokenize", strings.NewReader(`{"scope":"a","text":"`+text+`"}`))
		r.ContentLength = -1
		r.Header.Set("Authorization", "Bearer gateway")
		r.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, r)
		if recorder.Code != want {
			t.Errorf("%d bytes: %d, want %d", len(text), recorder.Code, want)
		}
	}
}

func TestARequestThatTakesTooLongIsUnavailable(t *testing.T) {
	w := newWorld(t, httpapi.Limits{Request: time.Millisecond})
	w.authenticateBy(func(ctx context.Context, _ string) (vault.Caller, error) {
		<-ctx.Done()
		return vault.Caller{}, ctx.Err()
	})
	p := w.Get("/v1/limits").Want(http.StatusServiceUnavailable).Problem()
	if p.Limit != "http_request_seconds" {
		t.Errorf("problem: %+v", p)
	}
}

// A client that went away is no failure of ours: the event says so and has no
// level of an error.
func TestAClientThatWentAway(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	ctx, cancel := context.WithCancel(context.Background())
	w.authenticateBy(func(ctx context.Context, _ string) (vault.Caller, error) {
		cancel()
		<-ctx.Done()
		return vault.Caller{}, ctx.Err()
	})
	r := httptest.NewRequest(http.MethodGet, "/v1/limits", nil).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer gateway")
	w.handler.ServeHTTP(httptest.NewRecorder(), r)
	if e := w.log.last(t); e["status"] != 499.0 || e["level"] != "INFO" {
		t.Errorf("event: %v", e)
	}
}

// brokenPipe is a client that reads nothing of the answer.
type brokenPipe struct{ http.ResponseWriter }

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAClientThatDoesNotTakeTheAnswer(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	r := httptest.NewRequest(http.MethodGet, "/v1/limits", nil)
	r.Header.Set("Authorization", "Bearer gateway")
	w.handler.ServeHTTP(brokenPipe{httptest.NewRecorder()}, r)
	if e := w.log.last(t); e["status"] != 499.0 || e["level"] != "INFO" {
		t.Errorf("event: %v", e)
	}
}

func TestAPanicIsAnInternalErrorAndSaysNothing(t *testing.T) {
	type secret struct{ value string }
	for name, p := range map[string]any{
		"text": canary, "error": errors.New(canary), "struct": secret{canary}, "runtime": nil,
	} {
		w := newWorld(t, httpapi.Limits{})
		w.authenticateBy(func(context.Context, string) (vault.Caller, error) {
			if p == nil {
				var none []int
				_ = none[len(canary)]
			}
			panic(p)
		})
		answer := w.Get("/v1/limits").Want(http.StatusInternalServerError)
		e := w.log.last(t)
		if e["panic"] == nil || e["level"] != "ERROR" || e["code"] != "internal" {
			t.Errorf("%s: event: %v", name, e)
		}
		if stack, _ := e["stack"].([]any); len(stack) == 0 || !strings.Contains(stack[0].(string), ":") {
			t.Errorf("%s: stack: %v", name, e["stack"])
		}
		if everything := string(answer.Body) + w.log.String() + w.metrics(t); strings.Contains(everything, canary) {
			t.Errorf("%s: what was panicked with got out", name)
		}
		if !strings.Contains(w.metrics(t), "counterfoil_http_panics_total 1") {
			t.Errorf("%s: not counted", name)
		}
	}
}

// The service is as it was after a panic: what was taken is given back.
func TestAPanicLeaksNoBudget(t *testing.T) {
	w := newWorld(t, httpapi.Limits{InFlight: 1})
	w.authenticateBy(func(_ context.Context, bearer string) (vault.Caller, error) {
		if bearer == "panic" {
			panic("x")
		}
		return callers["gateway"], nil
	})
	for range 5 {
		w.As("panic").Get("/v1/limits").Want(http.StatusInternalServerError)
	}
	w.Get("/v1/limits").Want(http.StatusOK)
}
