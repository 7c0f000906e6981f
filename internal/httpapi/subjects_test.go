package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

type searched struct {
	SubjectRefs []string `json:"subject_refs"`
	Found       []struct {
		ScopeRef            string `json:"scope_ref"`
		Kind, Entity, Class string
		Count, Expired      int
		First               time.Time `json:"first_created_at"`
		Last                time.Time `json:"last_created_at"`
		Ends                time.Time `json:"ends_at"`
		Destinations        []sentTo
		SubjectRefs         []string `json:"subject_refs"`
	}
	Ambiguous, More bool
	Audit           *audit.Receipt
}

// TestAPersonIsFound: by the caller's name and by values, in all scopes, with
// counts and without values.
func TestAPersonIsFound(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	const address = "erika.mustermann@example.org"
	w.Post("/v1/tokenize", m{"scope": "chat-1", "subject": "customer-77", "values": []m{
		{"entity": "EMAIL_ADDRESS", "value": address}, {"entity": "PERSON", "value": "Erika Mustermann"},
	}}).Want(http.StatusOK)
	v.Clock.Advance(time.Hour)
	w.Post("/v1/tokenize", m{"scope": "chat-2", "ttl": 60, "values": []m{{"entity": "EMAIL_ADDRESS", "value": address}}}).Want(http.StatusOK)
	w.Post("/v1/tokenize", m{"scope": "chat-3", "subject": "customer-78", "values": []m{{"entity": "PERSON", "value": "Erika Mustermann"}}}).Want(http.StatusOK)
	v.Clock.Advance(time.Hour)

	search := func(body m) searched {
		t.Helper()
		var out searched
		answer := w.As("privacy").Post("/v1/subjects/search", body).Want(http.StatusOK)
		answer.Decode(&out)
		for _, secret := range []string{"erika", "Erika", "customer", "chat-"} {
			if strings.Contains(string(answer.Body), secret) {
				t.Errorf("the answer repeats %q: %s", secret, answer.Body)
			}
		}
		return out
	}
	bySubject := search(m{"subject": "customer-77"})
	if len(bySubject.SubjectRefs) != 1 || len(bySubject.Found) != 2 || bySubject.Ambiguous || bySubject.More || bySubject.Audit == nil {
		t.Errorf("by subject: %+v", bySubject)
	}
	for _, f := range bySubject.Found {
		if f.Count != 1 || f.Expired != 0 || f.Kind != "conversation" || !f.First.Equal(f.Last) || !slices.Equal(f.SubjectRefs, bySubject.SubjectRefs) {
			t.Errorf("by subject: %+v", f)
		}
	}
	byValue := search(m{"identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": "Erika.Mustermann@EXAMPLE.org"}}})
	expired := 0
	for _, f := range byValue.Found {
		expired += f.Expired
	}
	if len(byValue.Found) != 2 || expired != 1 || byValue.Ambiguous || !slices.Equal(byValue.SubjectRefs, bySubject.SubjectRefs) {
		t.Errorf("by value: %+v", byValue)
	}
	byName := search(m{"identifiers": []m{{"entity": "PERSON", "value": "Erika Mustermann"}}})
	if len(byName.Found) != 2 || !byName.Ambiguous || len(byName.SubjectRefs) != 2 {
		t.Errorf("by name: %+v", byName)
	}
	none := search(m{"subject": "nobody-1"})
	if len(none.Found) != 0 || none.Ambiguous || none.SubjectRefs == nil || none.Audit == nil {
		t.Errorf("nobody: %+v", none)
	}
	// Each search is an entry, of an empty one too.
	entries := w.entriesOf(t, audit.KindSubjectSearch)
	if len(entries) != 4 || entries[0].Actor != "paula" || !slices.Equal(entries[0].SubjectRefs, bySubject.SubjectRefs) {
		t.Errorf("entries: %+v", entries)
	}
}

// Where a value went is told, and until when it stays; other ways to write it
// are looked for only where that is asked for.
func TestAPersonIsFoundByVariants(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	values := []m{{"entity": "EMAIL_ADDRESS", "value": "erika@example.org"}, {"entity": "PERSON", "value": "Mustermann, Erika"}}
	for _, destination := range []string{"openai/us", "anthropic/eu", "openai/us"} {
		w.Post("/v1/tokenize", m{"scope": "chat-1", "destination": destination, "values": values}).Want(http.StatusOK)
		v.Clock.Advance(2 * time.Hour)
	}
	search := func(match, entity, value string) (out searched) {
		t.Helper()
		body := m{"identifiers": []m{{"entity": entity, "value": value}}}
		if match != "" {
			body["match"] = match
		}
		w.As("privacy").Post("/v1/subjects/search", body).Want(http.StatusOK).Decode(&out)
		return out
	}
	for value, entity := range map[string]string{"erika+news@example.org": "EMAIL_ADDRESS", "Erika Mustermann": "PERSON"} {
		if exact, plain := search("exact", entity, value), search("", entity, value); len(exact.Found)+len(plain.Found) != 0 {
			t.Errorf("%s is found as it is not written", entity)
		}
		found := search("variants", entity, value).Found
		if len(found) != 1 {
			t.Errorf("%s is not found by variants: %+v", entity, found)
			continue
		}
		if f := found[0]; len(f.Destinations) != 2 || f.Destinations[0].Destination != "anthropic/eu" || f.Destinations[1].Mappings != 1 ||
			!f.Destinations[1].LastSent.After(f.Destinations[1].FirstSent) || !f.Ends.After(f.Last) {
			t.Errorf("%s: %+v", entity, f)
		}
	}
}

func TestSearchesThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	one := `{"entity":"PERSON","value":"x"}`
	for name, c := range map[string]struct {
		body   string
		status int
		field  string
		limit  string
	}{
		"nobody":            {`{}`, 422, "", ""},
		"an empty list":     {`{"identifiers":[]}`, 422, "/identifiers", ""},
		"a subject of none": {`{"subject":""}`, 422, "/subject", ""},
		"an unknown entity": {`{"identifiers":[{"entity":"NO_SUCH_THING","value":"x"}]}`, 422, "/identifiers/0/entity", ""},
		"no value":          {`{"identifiers":[{"entity":"PERSON"}]}`, 422, "/identifiers/0/value", ""},
		"an unknown field":  {`{"subject":"x","fuzzy":true}`, 422, "", ""},
		"a match of none":   {`{"subject":"x","match":"fuzzy"}`, 422, "/match", ""},
		"too many":          {`{"identifiers":[` + strings.Repeat(one+",", 50) + one + `]}`, 413, "/identifiers", "subject_identifiers"},
	} {
		answer := w.As("privacy").Post("/v1/subjects/search", c.body)
		p := answer.Problem()
		if fields := append(p.Fields(), ""); answer.Status != c.status || fields[0] != c.field || p.Limit != c.limit {
			t.Errorf("%s: %d, fields %v, limit %q: %s", name, answer.Status, fields, p.Limit, answer.Body)
		}
	}
	// What is looked for has no place in a URL.
	w.As("privacy").Get("/v1/subjects/search?subject=x").Want(http.StatusMethodNotAllowed)
}

// TestInvariant9_AScopeIsClosedAtOnce: nothing of it comes back, and its next
// use is another scope.
func TestInvariant9_AScopeIsClosedAtOnce(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var out, next tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK).Decode(&out)
	v.Clock.Advance(time.Second)
	w.As("gateway2").Post("/v1/scopes/close", m{"scope": "chat-1"}).Want(http.StatusNotFound)
	w.As("auditor").Post("/v1/scopes/close", m{"scope": "chat-1"}).Want(http.StatusForbidden)

	type closed struct {
		ScopeRef string    `json:"scope_ref"`
		ClosedAt time.Time `json:"closed_at"`
		Audit    *audit.Receipt
	}
	var first, again closed
	keyed := w.With("Idempotency-Key", "bye")
	keyed.Post("/v1/scopes/close", m{"scope": "chat-1"}).Want(http.StatusOK).Decode(&first)
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK).Decode(&next)
	// Repeated under its key it means the scope that it closed, not the next.
	keyed.Post("/v1/scopes/close", m{"scope": "chat-1"}).Want(http.StatusOK).Decode(&again)
	keyed.Post("/v1/scopes/close", m{"scope": "chat-2"}).Want(http.StatusConflict)
	if first.Audit == nil || first.ScopeRef == "" || first.ClosedAt.IsZero() || again.ScopeRef != first.ScopeRef || !again.ClosedAt.Equal(first.ClosedAt) {
		t.Errorf("first %+v, again %+v", first, again)
	}
	var back detokenized
	w.Post("/v1/detokenize", m{
		"scope": "chat-1", "reason": m{"code": "LLM_RESPONSE"}, "tokens": []string{out.Tokens[0].Token, next.Tokens[0].Token},
	}).Want(http.StatusOK).Decode(&back)
	if diff := cmp.Diff([]string{"unknown", "restored"}, []string{back.Results[0].Status, back.Results[1].Status}); diff != "" {
		t.Errorf("after the close: %s", diff)
	}
	entries := w.entriesOf(t, audit.KindScopeClose)
	if len(entries) != 1 || !slices.Equal(entries[0].ScopeRefs, []string{first.ScopeRef}) {
		t.Errorf("entries: %+v", entries)
	}
	w.Post("/v1/scopes/close", m{"scope": "chat-9"}).Want(http.StatusNotFound)
	w.Post("/v1/scopes/close", m{}).Want(http.StatusUnprocessableEntity)
	// The end user of the header decides as everywhere.
	w.With("Counterfoil-End-User", "erika").Post("/v1/tokenize", m{"scope": "bound", "text": prompt}).Want(http.StatusOK)
	w.With("Counterfoil-End-User", "max").Post("/v1/scopes/close", m{"scope": "bound"}).Want(http.StatusNotFound)
	w.With("Counterfoil-End-User", "erika").Post("/v1/scopes/close", m{"scope": "bound"}).Want(http.StatusOK)
}
