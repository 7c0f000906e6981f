package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi"
)

type grantOf struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Tokens int    `json:"tokens"`
}

// granted tokenizes a text with a grant, and returns both.
func granted(t *testing.T, w *world, text string, wish map[string]any) (token string, grant grantOf) {
	t.Helper()
	if wish == nil {
		wish = map[string]any{}
	}
	wish["reason"] = map[string]any{"code": "LLM_RESPONSE"}
	var out struct {
		Tokens []struct{ Token string }
		Grant  grantOf
	}
	w.Post("/v1/tokenize", map[string]any{"scope": "chat", "text": text, "grant": wish}).Want(http.StatusOK).Decode(&out)
	return out.Tokens[0].Token, out.Grant
}

// TestGrants: a grant from its opening to its end, each exchange held against the
// document.
func TestGrants(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	token, first := granted(t, w, "Write to jane@example.com.", map[string]any{"renewable": true})
	if first.Tokens != 1 || first.Status != "open" {
		t.Errorf("with the prompt: %+v", first)
	}
	var opened grantOf
	w.Post("/v1/grants", map[string]any{"scope": "chat", "reason": map[string]any{"code": "LLM_RESPONSE"}, "tokens": []string{token}}).
		Want(http.StatusCreated).Decode(&opened)
	w.Get("/v1/grants/" + opened.ID).Want(http.StatusOK)
	w.As("gateway2").Get("/v1/grants/" + opened.ID).Want(http.StatusNotFound)
	w.Post("/v1/grants/"+first.ID+"/renew", map[string]any{"ttl": 60}).Want(http.StatusOK)
	w.Post("/v1/grants/"+opened.ID+"/renew", map[string]any{}).Want(http.StatusConflict)
	var page struct{ Grants []grantOf }
	w.As("privacy").Get("/v1/grants?open=true").Want(http.StatusOK).Decode(&page)
	if len(page.Grants) != 2 {
		t.Errorf("%d grants are listed", len(page.Grants))
	}
	w.Get("/v1/grants").Want(http.StatusForbidden)
	var partial struct {
		Text     string `json:"text"`
		Holdback int    `json:"holdback_chars"`
	}
	w.Post("/v1/detokenize", map[string]any{"grant": first.ID, "partial": true, "text": token + " and [EM"}).Want(http.StatusOK).Decode(&partial)
	if partial.Text != "jane@example.com and [EM" || partial.Holdback != 3 {
		t.Errorf("partial: %+v", partial)
	}
	w.Send(http.MethodDelete, "/v1/grants/"+first.ID, nil).Want(http.StatusOK)
	w.Send(http.MethodDelete, "/v1/grants/"+first.ID, nil).Want(http.StatusConflict)
	w.Post("/v1/detokenize", map[string]any{"grant": first.ID, "text": token}).Want(http.StatusConflict)
	for name, body := range map[string]map[string]any{
		"a scope too":       {"grant": opened.ID, "scope": "chat", "text": token},
		"a reason too":      {"grant": opened.ID, "reason": map[string]any{"code": "LLM_RESPONSE"}, "text": token},
		"tokens":            {"grant": opened.ID, "tokens": []string{token}},
		"partial alone":     {"scope": "chat", "reason": map[string]any{"code": "LLM_RESPONSE"}, "partial": true, "text": token},
		"neither":           {"text": token, "reason": map[string]any{"code": "LLM_RESPONSE"}},
		"a dry run's grant": {"scope": "chat", "text": "x", "dry_run": true, "grant": map[string]any{"reason": map[string]any{"code": "LLM_RESPONSE"}}},
	} {
		path := "/v1/detokenize"
		if body["dry_run"] != nil {
			path = "/v1/tokenize"
		}
		if got := w.Post(path, body); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
}

// served is an interface behind a real server, so that answers stream.
func served(t *testing.T, h http.Handler, http2 bool) (*httptest.Server, *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	if http2 {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, server.Client()
}

func sseChunk(text string) string {
	content, _ := json.Marshal(text)
	return `data: {"choices":[{"index":0,"delta":{"content":` + string(content) + `}}]}` + "\n\n"
}

// TestStreamIsFullDuplex: over HTTP/1.1 and HTTP/2 each frame comes back restored before
// the next is sent, and the trailer says what became of the stream.
func TestStreamIsFullDuplex(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, httpapi.Limits{Request: 500 * time.Millisecond})
			token, grant := granted(t, w, "Write to jane@example.com.", nil)
			server, client := served(t, w.handler, http2)
			model, sends := io.Pipe()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/detokenize/stream?grant="+grant.ID, model)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer gateway")
			request.Header.Set("Content-Type", "text/event-stream")
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" || response.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %v", response.StatusCode, response.Header)
			}
			restored := bufio.NewReader(response.Body)
			for i, c := range []struct{ sent, want string }{
				{"Dear ", "Dear "}, {token[:9], ""}, {token[9:], "jane@example.com"}, {", hello", ", hello"},
			} {
				if i == 2 {
					time.Sleep(600 * time.Millisecond) // longer than a request may take
				}
				if _, err := io.WriteString(sends, sseChunk(c.sent)); err != nil {
					t.Fatal(err)
				}
				line, err := restored.ReadString('\n')
				if err != nil || line+"\n" != sseChunk(c.want) {
					t.Fatalf("%q came back as %q, %v", c.sent, line, err)
				}
				if _, err := restored.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			_ = sends.Close()
			if rest, err := io.ReadAll(restored); err != nil || len(rest) > 0 {
				t.Errorf("the rest: %q, %v", rest, err)
			}
			if got := response.Trailer.Get("Counterfoil-Stream"); got != "complete" {
				t.Errorf("the trailer says %q", got)
			}
			if log := w.log.String(); strings.Contains(log, "jane@example.com") || !strings.Contains(log, `"operation":"detokenizeStream"`) || !strings.Contains(log, `"restored":1`) {
				t.Errorf("the event: %s", log)
			}
		})
	}
}

// TestStreamsThatAreRefused: what is refused is a problem, before anything of the
// stream was read.
func TestStreamsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	token, grant := granted(t, w, "Write to jane@example.com.", nil)
	for name, c := range map[string]struct {
		bearer, query, media string
		status               int
	}{
		"no credential":       {"", "grant=" + grant.ID, "text/event-stream", http.StatusUnauthorized},
		"another's grant":     {"gateway2", "grant=" + grant.ID, "text/event-stream", http.StatusNotFound},
		"no such grant":       {"gateway", "grant=" + strings.Repeat("0", 32), "text/event-stream", http.StatusNotFound},
		"no grant":            {"gateway", "", "text/event-stream", http.StatusUnprocessableEntity},
		"unknown format":      {"gateway", "format=telex&grant=" + grant.ID, "text/event-stream", http.StatusUnprocessableEntity},
		"a format of a text":  {"gateway", "format=gemini&grant=" + grant.ID, "text/plain", http.StatusUnprocessableEntity},
		"JSON":                {"gateway", "grant=" + grant.ID, "application/json", http.StatusUnsupportedMediaType},
		"another charset":     {"gateway", "grant=" + grant.ID, "text/plain; charset=latin-1", http.StatusUnsupportedMediaType},
		"an unknown question": {"gateway", "colour=red&grant=" + grant.ID, "text/plain", http.StatusUnprocessableEntity},
	} {
		request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/v1/detokenize/stream?"+c.query, strings.NewReader(sseChunk(token)))
		request.Header.Set("Content-Type", c.media)
		if c.bearer != "" {
			request.Header.Set("Authorization", "Bearer "+c.bearer)
		}
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, request)
		if answer.Code != c.status || answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
		if strings.Contains(answer.Body.String(), "jane") {
			t.Errorf("%s: it holds the value", name)
		}
	}
}

// TestStreamWhoseReaderVanishes: a client that goes away ends its stream, and the grant
// with it: its closing entry says what was given.
func TestStreamWhoseReaderVanishes(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	token, grant := granted(t, w, "Write to jane@example.com.", nil)
	server, client := served(t, w.handler, false)
	model, sends := io.Pipe()
	ctx, vanish := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/detokenize/stream?grant="+grant.ID, model)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer gateway")
	request.Header.Set("Content-Type", "text/event-stream")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(sends, sseChunk(token)) }()
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || line+"\n" != sseChunk("jane@example.com") {
		t.Fatalf("%q, %v", line, err)
	}
	vanish()
	_ = response.Body.Close()
	_ = sends.Close()
	var got grantOf
	for range 200 {
		if w.Get("/v1/grants/" + grant.ID).Want(http.StatusOK).Decode(&got); got.Status == "closed" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got.Status != "closed" {
		t.Errorf("the grant is %s", got.Status)
	}
	var page struct {
		Entries []struct {
			Entry struct {
				Kind    string         `json:"kind"`
				Results map[string]int `json:"results"`
			} `json:"entry"`
		} `json:"entries"`
	}
	w.As("auditor").Get("/v1/audit/entries?order=desc&limit=1").Want(http.StatusOK).Decode(&page)
	if e := page.Entries[0].Entry; e.Kind != "grant_close" || e.Results["restored"] != 1 {
		t.Errorf("the last entry: %+v", e)
	}
}
