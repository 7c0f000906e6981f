package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/counterfoil/counterfoil/internal/httpapi"
)

// endless is a body that has no end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

// TestAnEndlessBodyIsNotRead: a body without a length is read up to the limit, and no
// further, whoever looks at the request.
func TestAnEndlessBodyIsNotRead(t *testing.T) {
	w := newWorld(t, httpapi.Limits{BodyBytes: 1 << 16})
	for _, path := range []string{"/v1/tokenize", "/v1/detokenize", "/v1/grants"} {
		body := &endless{}
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
		request.ContentLength = -1
		request.Header.Set("Authorization", "Bearer gateway")
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusRequestEntityTooLarge || body.read > 1<<18 {
			t.Errorf("%s: %d after %d bytes", path, answer.Code, body.read)
		}
	}
}
