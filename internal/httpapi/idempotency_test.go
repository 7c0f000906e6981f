package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/httpapi"
)

// replays counts the entries that name another one as their first.
func replays(w *world) (n int) {
	var page struct {
		Entries []struct {
			Entry struct {
				ReplayOf string `json:"replay_of"`
			}
		}
	}
	w.As("auditor").Get("/v1/audit/entries?limit=1000").Want(http.StatusOK).Decode(&page)
	for _, e := range page.Entries {
		if e.Entry.ReplayOf != "" {
			n++
		}
	}
	return n
}

// TestIdempotencyKeyOnEveryChange: each operation that changes something takes
// the header, quoted or bare; the same body is repeated, another is a conflict.
func TestIdempotencyKeyOnEveryChange(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for path, bodies := range map[string][2]string{
		"/v1/tokenize":   {`{"scope":"a","text":"x"}`, `{"scope":"a","text":"x" }`},
		"/v1/detokenize": {`{"scope":"a","reason":{"code":"LLM_RESPONSE"},"text":"x"}`, `{"scope":"a","reason":{"code":"LLM_RESPONSE"},"text":"y"}`},
		"/v1/scopes":     {`{"scope":"b","kind":"case"}`, `{"scope":"c","kind":"case"}`},
	} {
		before := replays(w)
		key := "key-of" + strings.ReplaceAll(path, "/", "-")
		send := func(header, body string) int {
			return w.With("Idempotency-Key", header).Send(http.MethodPost, path, []byte(body)).Status
		}
		if got := send(key, bodies[0]); got != http.StatusOK && got != http.StatusCreated {
			t.Fatalf("%s: %d", path, got)
		}
		if got := send(`"`+key+`"`, bodies[0]); got != http.StatusOK {
			t.Errorf("%s again: %d", path, got)
		}
		if got := send(key, bodies[1]); got != http.StatusConflict {
			t.Errorf("%s with another body: %d", path, got)
		}
		// Opening what stands changes nothing, so nothing is recorded.
		if got := replays(w) - before; got != 1 && path != "/v1/scopes" {
			t.Errorf("%s: %d replays in the log", path, got)
		}
	}
	// One key, two operations: not the same request.
	w.With("Idempotency-Key", "one").Send(http.MethodPost, "/v1/tokenize", []byte(`{"scope":"a","text":"x"}`)).Want(http.StatusOK)
	w.With("Idempotency-Key", "one").Send(http.MethodPost, "/v1/detokenize",
		[]byte(`{"scope":"a","reason":{"code":"LLM_RESPONSE"},"text":"x"}`)).Want(http.StatusConflict)
}

func TestIdempotencyKeysAreChecked(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	const secret = "erika@example.org"
	for _, key := range []string{"", `"`, secret, "a b", `"a`, strings.Repeat("k", 131)} {
		answer := w.With("Idempotency-Key", key).Send(http.MethodPost, "/v1/tokenize", []byte(`{"scope":"a","text":"x"}`))
		if answer.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", key, answer.Status)
			continue
		}
		if strings.Contains(string(answer.Body), secret) {
			t.Errorf("the error repeats the key: %s", answer.Body)
		}
		if fields := slices.Compact(answer.Problem().Fields()); !slices.Equal(fields, []string{"header:Idempotency-Key"}) {
			t.Errorf("%q: fields %q", key, fields)
		}
	}
}

func TestSourcesByHTTP(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.Send(http.MethodPost, "/v1/tokenize",
		[]byte(`{"scope":"docs","source_ref":"a#1","text":"erika@example.org, max@example.org"}`)).Want(http.StatusOK)
	var page struct {
		Tokens []struct{ Token, Entity, Class string }
		Next   string `json:"next_cursor"`
	}
	w.Send(http.MethodPost, "/v1/sources/tokens", []byte(`{"scope":"docs","source_ref":"a#1","limit":1}`)).Want(http.StatusOK).Decode(&page)
	if len(page.Tokens) != 1 || page.Tokens[0].Entity != "EMAIL_ADDRESS" || page.Next == "" {
		t.Fatalf("the page is %+v", page)
	}
	first := page.Tokens[0].Token
	w.Send(http.MethodPost, "/v1/sources/tokens",
		[]byte(`{"scope":"docs","source_ref":"a#1","limit":1,"cursor":"`+page.Next+`"}`)).Want(http.StatusOK).Decode(&page)
	if len(page.Tokens) != 1 || page.Tokens[0].Token == first {
		t.Fatalf("the second page is %+v", page)
	}
	w.As("gateway2").Send(http.MethodPost, "/v1/sources/tokens", []byte(`{"scope":"docs","source_ref":"a#1"}`)).Want(http.StatusNotFound)
	w.As("auditor").Send(http.MethodPost, "/v1/sources/tokens", []byte(`{"scope":"docs","source_ref":"a#1"}`)).Want(http.StatusForbidden)
	w.Send(http.MethodPost, "/v1/sources/tokens", []byte(`{"scope":"docs"}`)).Want(http.StatusUnprocessableEntity)
}
