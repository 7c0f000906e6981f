package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// serve runs the handler behind a real server and returns its address.
func serve(t *testing.T, handler http.Handler, logger *slog.Logger) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer(handler, logger)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}

func TestOverARealConnection(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	address := serve(t, w.handler, slog.New(slog.NewJSONHandler(w.log, nil)))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: httpapitest.NewTransport(t, transport)}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/v1/tokenize",
		strings.NewReader(`{"scope":"chat-1","text":"mail erika.mustermann@example.org"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer gateway")
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%d %s %v", answer.StatusCode, body, err)
	}
}

// Two proxies may read these in two ways; the first of them is refused by us,
// the others by net/http, and none reaches an operation.
func TestRequestsThatTwoServersReadDifferently(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	address := serve(t, w.handler, slog.New(slog.NewJSONHandler(w.log, nil)))
	const body = `{"scope":"a","text":"x"}`
	for name, c := range map[string]struct {
		headers string
		status  int
	}{
		"two credentials": {"Authorization: Bearer gateway\r\nAuthorization: Bearer auditor\r\nContent-Length: 24", 401},
		"two types":       {"Authorization: Bearer gateway\r\nContent-Type: text/plain\r\nContent-Length: 24", 415},
		"two lengths":     {"Authorization: Bearer gateway\r\nContent-Length: 24\r\nContent-Length: 25", 400},
		"huge header":     {"Authorization: Bearer " + strings.Repeat("x", 2*httpapi.MaxHeaderBytes) + "\r\nContent-Length: 24", 431},
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST /v1/tokenize HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n%s\r\n\r\n%s", c.headers, body)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, answer.StatusCode, c.status)
		}
		_ = conn.Close()
	}
}

// A panic after a part of the answer was sent must not look like a whole one.
func TestAPanicInTheMiddleOfAnAnswerCutsTheConnection(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	log := &logBuffer{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	handler, err := httpapi.NewExposing(httpapi.Config{
		Service: w.service, Logger: logger, Registry: prometheus.NewRegistry(), Version: "test",
		Authenticate: func(context.Context, string) (vault.Caller, error) { return vault.Caller{}, nil },
	}, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, "half")
		if err := http.NewResponseController(rw).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
		panic(canary)
	}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+serve(t, handler, logger)+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("the answer looks whole: %q", body)
	}
	if e := log.last(t); e["code"] != "internal" || e["panic"] != "string" || strings.Contains(log.String(), "kanarie") {
		t.Errorf("event: %v", e)
	}
}

func TestAConfigurationThatIsIncompleteIsRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	whole := func() httpapi.Config {
		return httpapi.Config{
			Service: w.service, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Version: "test",
			Authenticate: func(context.Context, string) (vault.Caller, error) { return vault.Caller{}, nil },
		}
	}
	if _, err := httpapi.New(whole()); err != nil {
		t.Fatalf("whole: %v", err)
	}
	for name, leaveOut := range map[string]func(*httpapi.Config){
		"service":        func(c *httpapi.Config) { c.Service = nil },
		"authentication": func(c *httpapi.Config) { c.Authenticate = nil },
		"logger":         func(c *httpapi.Config) { c.Logger = nil },
		"registry":       func(c *httpapi.Config) { c.Registry = nil },
		"version":        func(c *httpapi.Config) { c.Version = "" },
	} {
		cfg := whole()
		leaveOut(&cfg)
		if _, err := httpapi.New(cfg); err == nil {
			t.Errorf("without %s: accepted", name)
		}
	}
	twice := whole()
	if _, err := httpapi.New(twice); err != nil {
		t.Fatal(err)
	}
	if _, err := httpapi.New(twice); err == nil {
		t.Error("a registry that has the metrics already: accepted")
	}
}

// BenchmarkTokenize is the whole way but the network.
func BenchmarkTokenize(b *testing.B) {
	for _, size := range []int{2 << 10, 30 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b, httpapi.Limits{})
			sentence := "Write to erika.mustermann@example.org. " + strings.Repeat("Offer a refund for the order of last week. ", 10)
			body := `{"scope":"chat-1","text":"` + strings.Repeat(sentence, size/len(sentence)) + `"}`
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/tokenize", strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer gateway")
				r.Header.Set("Content-Type", "application/json")
				recorder := httptest.NewRecorder()
				w.handler.ServeHTTP(recorder, r)
				if recorder.Code != http.StatusOK {
					b.Fatalf("status %d", recorder.Code)
				}
			}
		})
	}
}
