package scenario

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/bench/system"
)

// wired is a server and connections to it.
func wired(t *testing.T, answer http.HandlerFunc) *wires {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	w, err := newWires(&face{on: &system.Service{URL: server.URL}, bearer: "b"}, "/v1/x", 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.hangUp)
	return w
}

func TestWireSendsAndReads(t *testing.T) {
	long := strings.Repeat("long ", 4000) // more than net/http sends in one piece
	w := wired(t, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/x" || r.Header.Get("Authorization") != "Bearer b" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		rw.Header().Set("Retry-After", "1")
		if string(body) == "short" {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(rw, string(body)+long)
	})
	var into bytes.Buffer
	for _, test := range []struct {
		body   string
		status int
	}{{"short", 503}, {"other", 200}, {"short", 503}} {
		into.Reset()
		status, header, err := w.call(t.Context(), 1, []byte(test.body), &into)
		if err != nil || status != test.status || header.Get("Retry-After") != "1" || into.String() != test.body+long {
			t.Errorf("%d %v %v, %d bytes", status, header, err, into.Len())
		}
	}
}

// TestWireIsMadeAnew: a connection that broke is not used again, and the next is.
func TestWireIsMadeAnew(t *testing.T) {
	breaks := true
	w := wired(t, func(rw http.ResponseWriter, _ *http.Request) {
		if breaks {
			breaks = false
			panic(http.ErrAbortHandler)
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	if _, _, err := w.call(t.Context(), 0, []byte("x"), &bytes.Buffer{}); err == nil {
		t.Error("a connection that broke gave an answer")
	}
	if status, _, err := w.call(t.Context(), 0, []byte("x"), &bytes.Buffer{}); err != nil || status != http.StatusNoContent {
		t.Errorf("%d %v", status, err)
	}
}

// TestWiresHangUp: whoever waits for an answer does not any more, and nobody begins.
func TestWiresHangUp(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	w := wired(t, func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})
	t.Cleanup(func() { close(leave) }) // before the server closes
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, _, err := w.call(ctx, 0, []byte("x"), &bytes.Buffer{})
		ended <- err
	}()
	<-entered
	w.hangUp()
	if err := <-ended; err == nil {
		t.Error("there was an answer")
	}
	if _, _, err := w.call(ctx, 1, []byte("x"), &bytes.Buffer{}); err == nil {
		t.Error("somebody went on to send")
	}
}
