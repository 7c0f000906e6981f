package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

type tokenized struct {
	Text          *string
	Values        []string
	Tokens        []struct{ Token, Entity, Class, Origin string }
	Masked        []struct{ Entity, Action string }
	PolicyVersion string `json:"policy_version"`
	RequestID     string `json:"request_id"`
	Audit         *audit.Receipt
}

type result struct{ Token, Status, Form string }

type detokenized struct {
	Text      *string
	Values    []string
	Results   []result
	RequestID string `json:"request_id"`
	Audit     *audit.Receipt
}

const prompt = `Write to <erika.mustermann@example.org> & offer a "refund". 😀`

func TestAPromptGoesOutAndComesBack(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	answer := w.Post("/v1/tokenize", m{"scope": "chat-1", "subject": "c-7", "text": prompt}).Want(http.StatusOK)
	answer.Decode(&out)
	if out.Text == nil || strings.Contains(*out.Text, "erika") || len(out.Tokens) != 1 {
		t.Fatalf("answer: %s", answer.Body)
	}
	if !strings.Contains(string(answer.Body), "<[EMAIL_ADDRESS_") {
		t.Errorf("< was escaped: %s", answer.Body)
	}
	if out.RequestID != answer.Header.Get("Request-Id") {
		t.Errorf("request id %s, header %s", out.RequestID, answer.Header.Get("Request-Id"))
	}
	var back detokenized
	w.Post("/v1/detokenize", m{
		"scope": "chat-1", "reason": m{"code": "LLM_RESPONSE"}, "text": *out.Text,
	}).Want(http.StatusOK).Decode(&back)
	if diff := cmp.Diff(prompt, *back.Text); diff != "" {
		t.Errorf("text: %s", diff)
	}
	if len(back.Results) != 1 || back.Results[0].Status != "restored" {
		t.Errorf("results: %+v", back.Results)
	}

	var one detokenized
	w.Post("/v1/detokenize", m{
		"scope": "chat-1", "reason": m{"code": "LLM_RESPONSE", "note": "n"}, "tokens": []string{out.Tokens[0].Token},
	}).Want(http.StatusOK).Decode(&one)
	if diff := cmp.Diff([]string{"erika.mustermann@example.org"}, one.Values); diff != "" {
		t.Errorf("values: %s", diff)
	}
}

func TestValuesAndEveryOptionOfTokenize(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{
		"scope": "chat-1", "ttl": 3600, "format": "opaque", "existing_tokens": "wrap", "destination": "default",
		"values": []m{{"entity": "EMAIL_ADDRESS", "value": "a@example.org", "subject": "s"}, {"entity": "PERSON", "value": "Ann"}},
	}).Want(http.StatusOK).Decode(&out)
	if len(out.Values) != 2 || len(out.Tokens) != 2 || out.Text != nil {
		t.Errorf("values: %+v", out)
	}
	w.Post("/v1/tokenize", m{
		"scope": "chat-1", "text": "Ann was here", "detect": m{"enabled": false},
		"spans": []m{{"start": 0, "end": 3, "entity": "PERSON"}},
	}).Want(http.StatusOK).Decode(&out)
	if len(out.Tokens) != 1 || !strings.HasSuffix(*out.Text, " was here") {
		t.Errorf("spans: %+v", out)
	}
	var dry tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-2", "text": prompt, "dry_run": true, "detect": m{"entities": []string{"EMAIL_ADDRESS"}}}).
		Want(http.StatusOK).Decode(&dry)
	if dry.Audit != nil || len(dry.Tokens) != 1 || dry.Tokens[0].Token != "" {
		t.Errorf("dry run: %+v", dry)
	}
	// An empty text is a text.
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": ""}).Want(http.StatusOK)
}

func TestScopesAreMadeOnceAndBound(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	body := m{"scope": "case-1", "kind": "case", "ttl": 2_592_000, "idle_ttl": 86_400, "end_user": "erika"}
	var first, again struct {
		Created  bool
		Kind     string
		ScopeRef string `json:"scope_ref"`
		IdleTTL  int    `json:"idle_ttl"`
		Bound    bool   `json:"end_user_bound"`
	}
	w.Post("/v1/scopes", body).Want(http.StatusCreated).Decode(&first)
	w.Post("/v1/scopes", body).Want(http.StatusOK).Decode(&again)
	if !first.Created || again.Created || first.ScopeRef != again.ScopeRef || first.IdleTTL != 86_400 || !first.Bound {
		t.Errorf("first %+v, again %+v", first, again)
	}
	w.As("gateway2").Post("/v1/scopes", body).Want(http.StatusNotFound)
	body["kind"] = "corpus"
	w.Post("/v1/scopes", body).Want(http.StatusConflict)
}

type page struct {
	Entries []struct {
		Index    int64
		LeafHash string `json:"leaf_hash"`
		Entry    json.RawMessage
	}
	NextCursor string `json:"next_cursor"`
}

// The bytes of an entry go through unchanged: whoever reads the answer can
// hash them and check the proof with the public key alone.
func TestInvariant11_EntriesAreServedAsTheyWereHashed(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for i := range 3 {
		w.Post("/v1/tokenize", m{"scope": fmt.Sprint("chat-", i), "text": prompt}).Want(http.StatusOK)
	}
	auditor := w.As("auditor")
	var keys struct{ Keys []struct{ Key string } }
	auditor.Get("/v1/audit/keys").Want(http.StatusOK).Decode(&keys)
	if len(keys.Keys) == 0 {
		t.Fatal("no keys")
	}
	var all page
	auditor.Get("/v1/audit/entries?limit=1000").Want(http.StatusOK).Decode(&all)
	if len(all.Entries) < 3 {
		t.Fatalf("%d entries", len(all.Entries))
	}
	for i, e := range all.Entries {
		sum := sha256.Sum256(append([]byte{0}, e.Entry...))
		if base64.StdEncoding.EncodeToString(sum[:]) != e.LeafHash || e.Index != int64(i) {
			t.Errorf("entry %d: the bytes do not have the hash", i)
		}
		var proof audit.Receipt
		auditor.Get(fmt.Sprintf("/v1/audit/entries/%d/proof", i)).Want(http.StatusOK).Decode(&proof)
		if err := proof.Verify(keys.Keys[0].Key); err != nil || proof.LeafHash.String() != e.LeafHash {
			t.Errorf("proof %d: %v", i, err)
		}
		auditor.Get(fmt.Sprintf("/v1/audit/entries/%d", i)).Want(http.StatusOK)
	}
	note := auditor.Get("/v1/audit/checkpoint").Want(http.StatusOK)
	if _, err := audit.OpenCheckpoint(note.Body, keys.Keys[0].Key); err != nil {
		t.Errorf("checkpoint: %v", err)
	}
	auditor.Get("/v1/audit/entries/999999").Want(http.StatusNotFound)
}

func TestPagesOfTheLogFollowEachOther(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for i := range 5 {
		w.Post("/v1/tokenize", m{"scope": fmt.Sprint("chat-", i), "text": prompt}).Want(http.StatusOK)
	}
	auditor := w.As("auditor")
	for _, order := range []string{"asc", "desc"} {
		var seen []int64
		for query := "kind=tokenize&actor=gw-1&entity=EMAIL_ADDRESS&decision=allow&limit=2&order=" + order; ; {
			var p page
			auditor.Get("/v1/audit/entries?" + query).Want(http.StatusOK).Decode(&p)
			for _, e := range p.Entries {
				seen = append(seen, e.Index)
			}
			if p.NextCursor == "" {
				break
			}
			query = strings.Split(query, "&cursor=")[0] + "&cursor=" + p.NextCursor
		}
		if len(seen) != 5 || (seen[0] < seen[4]) != (order == "asc") {
			t.Errorf("%s: %v", order, seen)
		}
	}
	var none page
	auditor.Get("/v1/audit/entries?since=2031-01-01T00:00:00Z&until=2031-01-01T00:00:00.5Z").Want(http.StatusOK).Decode(&none)
	if len(none.Entries) != 0 {
		t.Errorf("entries of the future: %d", len(none.Entries))
	}
}

func TestTheLogIsFoundByTokenAndRequest(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK).Decode(&out)
	auditor := w.As("auditor")
	for _, query := range []string{"token=" + url.QueryEscape(out.Tokens[0].Token), "request_id=" + out.RequestID} {
		var p page
		auditor.Get("/v1/audit/entries?kind=tokenize&" + query).Want(http.StatusOK).Decode(&p)
		if len(p.Entries) != 1 {
			t.Errorf("%d entries", len(p.Entries))
		}
	}
}

func TestPolicyLimitsAndHealth(t *testing.T) {
	w := newWorld(t, httpapi.Limits{InFlight: 7})
	var policy struct {
		Version  string
		Reasons  []struct{ Code string }
		Entities []struct{ Name string }
	}
	w.As("auditor").Get("/v1/policy").Want(http.StatusOK).Decode(&policy)
	if policy.Version == "" || len(policy.Reasons) < 7 || len(policy.Entities) < 8 {
		t.Errorf("policy: %+v", policy)
	}
	var limits struct {
		Limits []struct {
			Name, Unit, Why string
			Value           int64
		}
	}
	w.Get("/v1/limits").Want(http.StatusOK).Decode(&limits)
	numbers := make(map[string]int64)
	for _, l := range limits.Limits {
		if _, twice := numbers[l.Name]; twice || l.Unit == "" || l.Why == "" || l.Value <= 0 {
			t.Errorf("limit %+v", l)
		}
		numbers[l.Name] = l.Value
	}
	if numbers["http_requests_in_flight"] != 7 || numbers["http_body_bytes"] != httpapi.MaxBodyBytes || numbers["text_bytes"] == 0 {
		t.Errorf("limits: %v", numbers)
	}
	w.As("").Get("/healthz").Want(http.StatusOK)
	w.As("").Get("/readyz").Want(http.StatusOK)
	if text := w.metrics(t); !strings.Contains(text, `counterfoil_build_info{version="test"} 1`) {
		t.Errorf("metrics: %s", text)
	}
}

func TestReadinessNamesTheComponentAndNothingElse(t *testing.T) {
	instance, err := assembly.Open(context.Background(), t.TempDir(), assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := instance.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, instance.Service, httpapi.Limits{})
	p := w.As("").Get("/readyz").Want(http.StatusServiceUnavailable).Problem()
	if p.Code != "unavailable" || p.Detail != "store" || p.RetryAfter < 1 {
		t.Errorf("problem: %+v", p)
	}
	w.As("").Get("/healthz").Want(http.StatusOK)
}
