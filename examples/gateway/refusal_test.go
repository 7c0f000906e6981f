package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// send posts a body to the gateway as some application does.
func (w *world) send(t *testing.T, path string, body []byte) (*http.Response, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // for what should never hang
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.gateway.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+apiID)
	r.Header.Set("Cookie", "who="+mail)
	r.Header.Set("X-Customer", mail)
	response, err := w.gateway.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	begun := make([]byte, 512)
	n, err := response.Body.Read(begun)
	if w.begun != nil {
		w.begun()
	}
	if err != nil {
		return response, string(begun[:n]), ended(err)
	}
	rest, err := io.ReadAll(response.Body)
	return response, string(begun[:n]) + string(rest), err
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func streamed(body []byte) []byte {
	return bytes.Replace(body, []byte(`{"model"`), []byte(`{"stream":true,"model"`), 1)
}

// leaks tells what of a prompt or of an answer stands in a text.
func leaks(text string) bool {
	return strings.Contains(text, mail) || tokenPattern.MatchString(text)
}

// TestNothingGoesOut: what cannot be tokenized, or is for no model, reaches none.
func TestNothingGoesOut(t *testing.T) {
	secret := "My key is AKIA" + "Z7Q2MX4NDPLTRWYB, use it, I am " + mail
	for name, c := range map[string]struct {
		path, body string
		down       bool
		status     int
	}{
		"the vault is down":      {"/v1/chat/completions", string(chatBody(user(asked))), true, http.StatusBadGateway},
		"a secret in the prompt": {"/v1/chat/completions", string(chatBody(user(secret))), false, http.StatusUnprocessableEntity},
		"a value in a number":    {"/v1/chat/completions", `{"model":"m","metadata":{"card":4111111111111111},"messages":[` + user(asked) + `]}`, false, http.StatusUnprocessableEntity},
		"no JSON":                {"/v1/messages", "I am " + mail, false, http.StatusUnprocessableEntity},
		"another path":           {"/v1/files/" + mail, `{}`, false, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, vaulttest.New(t), toChat)
			if c.down {
				w.service.Close()
			}
			response, answer, err := w.send(t, c.path, []byte(c.body))
			if err != nil || response.StatusCode != c.status || leaks(answer) {
				t.Errorf("%v, %v, %q", response.StatusCode, err, answer)
			}
			if n := w.model.requests(); n != 0 {
				t.Errorf("the model was sent %d requests", n)
			}
		})
	}
}

// TestTooLarge: what is beyond the limit is not read to its end.
func TestTooLarge(t *testing.T) {
	w := newWorld(t, vaulttest.New(t), toChat)
	body := strings.NewReader(`{"input":"` + strings.Repeat("a", 2*maxBody) + `"}`)
	answer := httptest.NewRecorder()
	w.gateway.Config.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/responses", body))
	if answer.Code != http.StatusBadRequest || w.model.requests() != 0 || body.Len() < maxBody/2 {
		t.Errorf("%d, %d requests, %d bytes not read", answer.Code, w.model.requests(), body.Len())
	}
}

// TestHeadGoesOutByList: a query, a cookie, or a header of the application's own may
// hold anything, and nobody looks into them. The twin: what is on the list arrives.
func TestHeadGoesOutByList(t *testing.T) {
	w := newWorld(t, vaulttest.New(t), toChat)
	if response, _, err := w.send(t, "/v1/chat/completions?who="+mail, chatBody(user(asked))); err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.StatusCode, err)
	}
	seen := w.model.seen.String()
	if len(w.model.knows()) > 0 || strings.Contains(seen, "Cookie") || strings.Contains(seen, "X-Customer") || strings.Contains(seen, "?") {
		t.Errorf("the model was sent %q", seen)
	}
	if !strings.Contains(seen, "Authorization: Bearer "+apiID) {
		t.Error("the model was not sent the application's key")
	}
}

// TestNothingUnrestoredComesBack: what cannot be restored is not passed on. The
// application sees an error, or a stream that breaks off, and no token in either.
func TestNothingUnrestoredComesBack(t *testing.T) {
	var w *world
	gone := make(chan struct{})
	frame := func(text string) string {
		return `data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":` + quoted(text) + `}}]}` + "\n\n"
	}
	begin := func(rw http.ResponseWriter) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(rw, frame("Hello, "))
		_ = http.NewResponseController(rw).Flush()
	}
	for name, c := range map[string]struct {
		answer answering
		status int
		broken bool // the answer began, and has no end
	}{
		"HTML": {func(rw http.ResponseWriter, _ string, body []byte) {
			rw.Header().Set("Content-Type", "text/html")
			_, _ = rw.Write(body)
		}, http.StatusBadGateway, false},
		"compressed": {func(rw http.ResponseWriter, path string, body []byte) {
			rw.Header().Set("Content-Encoding", "br")
			toChat(rw, path, body)
		}, http.StatusBadGateway, false},
		"no whole JSON": {func(rw http.ResponseWriter, _ string, body []byte) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write(body[:len(body)-1])
		}, http.StatusBadGateway, false},
		"the vault goes down before a whole answer": {func(rw http.ResponseWriter, path string, body []byte) {
			w.service.CloseClientConnections()
			w.service.Close()
			toChat(rw, path, bytes.ReplaceAll(body, []byte(`"stream":true`), nil))
		}, http.StatusBadGateway, false},
		"the vault goes down in a stream": {func(rw http.ResponseWriter, _ string, body []byte) {
			begin(rw)
			select {
			case <-gone:
			case <-t.Context().Done():
			}
			_, _ = io.WriteString(rw, frame("dear "+tokensIn(body)["EMAIL_ADDRESS"]+", and more"))
		}, http.StatusOK, true},
		"the model breaks off": {func(rw http.ResponseWriter, _ string, body []byte) {
			begin(rw)
			_, _ = io.WriteString(rw, frame("dear "+tokensIn(body)["EMAIL_ADDRESS"][:9]))
			_ = http.NewResponseController(rw).Flush()
			panic(http.ErrAbortHandler)
		}, http.StatusOK, true},
	} {
		t.Run(name, func(t *testing.T) {
			w = newWorld(t, vaulttest.New(t), c.answer)
			if name == "the vault goes down in a stream" {
				w.begun = func() { w.service.CloseClientConnections(); close(gone) }
			}
			response, answer, err := w.send(t, "/v1/chat/completions", streamed(chatBody(user(asked))))
			if response.StatusCode != c.status || (err != nil) != c.broken || leaks(answer) {
				t.Errorf("%d, %v, %q", response.StatusCode, err, answer)
			}
			if known := w.model.knows(); len(known) > 0 || w.model.requests() != 1 {
				t.Errorf("%d requests, %d values", w.model.requests(), len(known))
			}
		})
	}
	t.Run("the model is down", func(t *testing.T) {
		w := newWorld(t, vaulttest.New(t), toChat)
		w.behind.Close()
		if response, answer, err := w.send(t, "/v1/messages", chatBody(user(asked))); err != nil || response.StatusCode != http.StatusBadGateway || leaks(answer) {
			t.Errorf("%d, %v, %q", response.StatusCode, err, answer)
		}
	})
}

// TestWithoutValues: a request that holds none needs no grant, and its answer comes
// back as it is.
func TestWithoutValues(t *testing.T) {
	const text = `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Nice [weather]"}}]}`
	w := newWorld(t, vaulttest.New(t), func(rw http.ResponseWriter, _ string, _ []byte) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = io.WriteString(rw, text)
	})
	response, answer, err := w.send(t, "/v1/chat/completions", chatBody(user("How are you?")))
	if diff := cmp.Diff(text, answer); err != nil || response.StatusCode != http.StatusOK || diff != "" {
		t.Errorf("%d, %v\n%s", response.StatusCode, err, diff)
	}
}

// TestOpenAIErrors: the package takes a refusal for what it is, that of the vendor
// too, whose words come with it.
func TestOpenAIErrors(t *testing.T) {
	w := newWorld(t, vaulttest.New(t), func(rw http.ResponseWriter, _ string, body []byte) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusTooManyRequests)
		_, _ = fmt.Fprintf(rw, `{"error":{"type":"rate_limit","message":"too much of %s"}}`, tokensIn(body)["EMAIL_ADDRESS"])
	})
	_, answer, _ := w.send(t, "/v1/chat/completions", chatBody(user(asked)))
	if want := "too much of " + mail; !strings.Contains(answer, want) {
		t.Errorf("%q", answer)
	}
	calls := []request{{"chat", true, chatBody(user(asked))}, {"chat", true, chatBody(user("AKIA" + "Z7Q2MX4NDPLTRWYB"))}}
	got := application(t, job{Base: w.gateway.URL, Calls: calls})
	w.service.Close()
	got = append(got, application(t, job{Base: w.gateway.URL, Calls: calls[:1]})...)
	var seen []string
	for _, g := range got {
		seen = append(seen, fmt.Sprint(g.Error, " ", g.Status))
	}
	want := []string{"RateLimitError 429", "UnprocessableEntityError 422", "InternalServerError 502"}
	if diff := cmp.Diff(want, seen); diff != "" || w.model.requests() != 2 {
		t.Errorf("%d requests\n%s", w.model.requests(), diff)
	}
}
