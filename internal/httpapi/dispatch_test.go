package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

const dispatches = "/v1/dispatches"

// TestTheRecordOfAPromptEndsWithWhatTheVendorDid: one search finds both.
func TestTheRecordOfAPromptEndsWithWhatTheVendorDid(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK).Decode(&out)
	var answer struct {
		Audit     *audit.Receipt
		RequestID string `json:"request_id"`
	}
	w.Post(dispatches, m{
		"request_id": out.RequestID, "destination": "default", "model": "gpt-5-mini", "vendor_request_id": "chatcmpl-7",
		"status": "ok", "latency_ms": 1840,
		"usage": m{"input_tokens": 412, "output_tokens": 96, "cached_tokens": 0, "reasoning_tokens": 31, "total_tokens": 508},
	}).Want(http.StatusCreated).Decode(&answer)
	if answer.Audit == nil || answer.Audit.Verify(w.logKey(t)) != nil || answer.RequestID == out.RequestID {
		t.Errorf("answer: %+v", answer)
	}
	if of := w.search(t, m{"request_id": out.RequestID}); len(of.Entries) < 2 || !of.has(`"kind":"dispatch"`) || !of.has(`"kind":"tokenize"`) {
		t.Errorf("%d entries of the prompt", len(of.Entries))
	}
	entry := w.entriesOf(t, audit.KindDispatch)[0]
	want := map[string]int{
		"latency_ms": 1840, "input_tokens": 412, "output_tokens": 96, "cached_tokens": 0, "reasoning_tokens": 31, "total_tokens": 508,
	}
	if diff := cmp.Diff(want, entry.Counts); diff != "" {
		t.Errorf("counts: %s", diff)
	}
	if entry.Code != "ok" || entry.Model != "gpt-5-mini" || entry.Destination != "default" || entry.Reference != "chatcmpl-7" {
		t.Errorf("entry: %+v", entry)
	}
	for _, status := range []string{"error", "refused", "timeout", "cancelled"} {
		w.Post(dispatches, m{"request_id": out.RequestID, "destination": "default", "status": status}).Want(http.StatusCreated)
	}
}

func TestInvariant16_ADispatchIsWrittenDownOnce(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK).Decode(&out)
	keyed, body := w.With("Idempotency-Key", "one"), m{"request_id": out.RequestID, "destination": "default", "status": "ok"}
	keyed.Post(dispatches, body).Want(http.StatusCreated)
	keyed.Post(dispatches, body).Want(http.StatusCreated)
	if n := len(w.entriesOf(t, audit.KindDispatch)); n != 1 {
		t.Errorf("%d entries", n)
	}
	body["status"] = "error"
	keyed.Post(dispatches, body).Want(http.StatusConflict)
}

func TestDispatchesThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK).Decode(&out)
	but := func(name string, v any) m {
		body := m{"request_id": out.RequestID, "destination": "default", "status": "ok"}
		if body[name] = v; v == nil {
			delete(body, name)
		}
		return body
	}
	for name, c := range map[string]refused{
		"no request":          {dispatches, but("request_id", nil), 422, "/request_id", "is required", ""},
		"no destination":      {dispatches, but("destination", nil), 422, "/destination", "is required", ""},
		"no status":           {dispatches, but("status", nil), 422, "/status", "is required", ""},
		"a request of nobody": {dispatches, but("request_id", nobodys), 404, "", "", ""},
		"no id":               {dispatches, but("request_id", "7"), 422, "/request_id", "", ""},
		"unknown destination": {dispatches, but("destination", "nowhere"), 422, "/destination", "", ""},
		"made-up status":      {dispatches, but("status", "fine"), 422, "/status", "", ""},
		"a sentence":          {dispatches, but("model", "the large one"), 422, "/model", "", ""},
		"an address":          {dispatches, but("vendor_request_id", "jane@example.com"), 422, "/vendor_request_id", "", ""},
		"negative":            {dispatches, but("latency_ms", -1), 422, "/latency_ms", "must be at least 0", ""},
		"two days":            {dispatches, but("latency_ms", 172_800_000), 422, "/latency_ms", "must be at most 86400000", ""},
		"made-up count":       {dispatches, but("usage", m{"emoji_tokens": 1}), 422, "/usage", "", ""},
		"half a token":        {dispatches, but("usage", m{"input_tokens": 0.5}), 422, "/usage/input_tokens", "", ""},
		"too many tokens":     {dispatches, but("usage", m{"total_tokens": 1_000_000_001}), 422, "/usage/total_tokens", "", ""},
		"what the model said": {dispatches, but("text", "x"), 422, "", "", ""},
	} {
		c.check(t, name, w.Client)
	}
	// A prompt of another client is as if it were not there.
	w.As("gateway2").Post(dispatches, but("model", "m")).Want(http.StatusNotFound)
	w.As("auditor").Post(dispatches, but("model", "m")).Want(http.StatusForbidden)
}
