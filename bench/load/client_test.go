package load_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/bench/load"
)

func TestClientSendsAndReadsAll(t *testing.T) {
	long := strings.Repeat("answer ", 10_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/v1/x" || string(body) != `{"a":1}` ||
			r.Header.Get("Authorization") != "Bearer b" || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Accept-Encoding") != "" || r.ProtoMajor != 1 {
			t.Errorf("%s %s %q %v", r.Method, r.URL, body, r.Header)
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, long)
	}))
	defer server.Close()
	client := load.NewClient(1)
	defer client.Close()
	into := bytes.NewBufferString("of the call before")
	status, header, err := client.Call(t.Context(), http.MethodPost, server.URL+"/v1/x", "b", []byte(`{"a":1}`), into)
	if err != nil || status != http.StatusServiceUnavailable || header.Get("Retry-After") != "1" || into.String() != long {
		t.Errorf("%d %v %v, %d bytes", status, header, err, into.Len())
	}
}

func TestClientKeepsItsConnections(t *testing.T) {
	const clients = 8
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := load.NewClient(clients)
	defer client.Close()
	var buffers [clients]bytes.Buffer
	r, err := load.Closed(t.Context(), load.Plan{Clients: clients, Requests: 400}, func(ctx context.Context, c int, n int64) error {
		into := &buffers[c]
		if n%2 == 0 {
			into = nil // read and dropped
		}
		_, _, err := client.Call(ctx, http.MethodGet, server.URL, "", nil, into)
		return err
	})
	if err != nil || r.Failed != 0 || r.Good != 400 {
		t.Errorf("%d good, %d failed, %v, %v", r.Good, r.Failed, r.First, err)
	}
	// A connection may be dialled for a request that then finds another free.
	if got := opened.Load(); got > 2*clients {
		t.Errorf("%d connections for %d clients and 400 requests", got, clients)
	}
}

func TestClientSendsNothingTwice(t *testing.T) {
	var seen atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if seen.Add(1) > 1 {
			panic(http.ErrAbortHandler) // the connection breaks before an answer
		}
	}))
	defer server.Close()
	client := load.NewClient(1)
	defer client.Close()
	if _, _, err := client.Call(t.Context(), http.MethodPost, server.URL, "", []byte("{}"), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Call(t.Context(), http.MethodPost, server.URL, "", []byte("{}"), nil); err == nil {
		t.Error("an answer, though the connection broke")
	}
	if got := seen.Load(); got != 2 {
		t.Errorf("the service saw %d requests, want 2", got)
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	held := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	defer server.Close()
	defer close(held)
	ctx, cancel := context.WithCancel(t.Context())
	client := load.NewClient(1)
	defer client.Close()
	done := make(chan error)
	go func() {
		_, _, err := client.Call(ctx, http.MethodGet, server.URL+"/path", "secret-bearer", nil, nil)
		done <- err
	}()
	cancel()
	err := <-done
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
