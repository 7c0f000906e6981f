package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/client"
)

// streams is a service that answers streams by a function.
func streams(t *testing.T, answer http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, client.Config{
		Token: func(context.Context) (string, error) { return "token", nil }, TrustOnFirstUse: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestStream: what the service gives back is read as it comes, and the outcome is told
// after the end; an end without one is none.
func TestStream(t *testing.T) {
	for name, c := range map[string]struct {
		trailer string
		err     error
	}{
		"to its end":      {client.StreamComplete, nil},
		"revoked":         {"closed", nil},
		"without trailer": {"", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			service := streams(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("grant") != "g-1" || r.Header.Get("Content-Type") != client.EventStream || r.Header.Get("Authorization") != "Bearer token" {
					t.Errorf("asked %s with %v", r.URL, r.Header)
				}
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", client.EventStream)
				w.Header().Set("Trailer", "Counterfoil-Stream")
				_, _ = io.WriteString(w, strings.ToUpper(string(body)))
				if c.trailer != "" {
					w.Header().Set("Counterfoil-Stream", c.trailer)
				}
			})
			s := service.Restorer(t.Context(), "g-1").Stream(strings.NewReader("data: x\n\n"))
			if s.Outcome() != "" {
				t.Errorf("before the end: %q", s.Outcome())
			}
			got, err := io.ReadAll(s)
			if !errors.Is(err, c.err) || string(got) != "DATA: X\n\n" || s.Outcome() != c.trailer {
				t.Errorf("%q, %v, %q", got, err, s.Outcome())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStreamThatIsRefused: nothing of the model's stream is given out.
func TestStreamThatIsRefused(t *testing.T) {
	service := streams(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"type":"about:blank","title":"conflict","status":409,"code":"conflict"}`)
	})
	s := service.Restorer(t.Context(), "g-1").Stream(strings.NewReader("data: secret\n\n"))
	got, err := io.ReadAll(s)
	if !errors.Is(err, client.ErrConflict) || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, client.ErrConflict) {
		t.Errorf("once more: %v", err)
	}
}

// TestStreamThatIsNeverRead: closing one that nobody read asks nothing of the service.
func TestStreamThatIsNeverRead(t *testing.T) {
	service := streams(t, func(http.ResponseWriter, *http.Request) { t.Error("the service was asked") })
	s := service.Restorer(t.Context(), "g-1").Stream(strings.NewReader("data: x\n\n"))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read after the close: %v", err)
	}
}
