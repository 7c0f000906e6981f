package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi"
)

// found is a page of the log, with what was counted.
type found struct {
	page
	Count *int64
}

// search searches the log as the auditor does: by body and, where that can be, by
// query too, and both find the same.
func (w *world) search(t *testing.T, body m) (answer found) {
	t.Helper()
	w.As("auditor").Post("/v1/audit/search", body).Want(http.StatusOK).Decode(&answer)
	query := url.Values{}
	for name, v := range body {
		switch name {
		case "subject", "scope", "end_user":
			return answer
		case "end_user_digest":
			name = "end_user"
		}
		query.Set(name, fmt.Sprint(v))
	}
	var same found
	w.As("auditor").Get("/v1/audit/entries?" + query.Encode()).Want(http.StatusOK).Decode(&same)
	if len(same.Entries) != len(answer.Entries) || same.NextCursor != answer.NextCursor {
		t.Errorf("%v: %d entries by body, %d by query", body, len(answer.Entries), len(same.Entries))
	}
	return answer
}

// TestTheLogIsSearchedByWhatAuditorsAskFor tries each filter with what finds
// exactly the entries it should, and with what finds none.
func TestTheLogIsSearchedByWhatAuditorsAskFor(t *testing.T) {
	w, v := newShipped(t)
	w.As("onbehalf").Post("/v1/tokenize", m{
		"scope": "chat-1", "subject": "crm:jane", "destination": "default",
		"values": []m{{"entity": "EMAIL_ADDRESS", "value": "jane@example.com"}},
	}).Want(http.StatusOK)
	v.Clock.Advance(time.Hour)
	body := ticket([]string{w.firstToken(t)}, nil)
	asked, path := w.ask("restorer", body)
	w.approve(path)
	w.As("restorer").Post(path+"/redeem", body).Want(http.StatusOK)
	w.Post("/v1/tokenize", m{"scope": "chat-2", "text": "nothing to see"}).Want(http.StatusOK)

	tokenized := w.entriesOf(t, "tokenize")[0]
	const nowhere = "00000000000000000000000000000000"
	for _, c := range []struct {
		filter      string
		finds, none any
		kinds       []string // each must be among what is found
	}{
		{"subject", "crm:jane", "crm:john", []string{"tokenize", "restore"}},
		{"subject_ref", tokenized.SubjectRefs[0], nowhere, []string{"tokenize", "restore"}},
		{"scope", "chat-1", "chat-9", []string{"tokenize", "approval_request", "restore"}},
		{"scope_ref", tokenized.ScopeRefs[0], nowhere, []string{"tokenize", "restore"}},
		{"end_user", "erika", "max", []string{"tokenize"}},
		{"end_user_digest", tokenized.OnBehalfOf, nowhere, []string{"tokenize"}},
		{"reference", "TICKET-7", "TICKET-8", []string{"approval_request", "restore"}},
		{"actor", "rob", "ron", []string{"approval_request", "restore"}},
		{"client", "desk", "gw-9", []string{"approval_request", "restore"}},
		{"approver", "amy", "abe", []string{"approval_decide"}},
		{"class", "confidential", "public", []string{"tokenize"}},
		{"destination", "default", "openai/us", []string{"tokenize"}},
		{"policy_version", tokenized.PolicyVersion, nowhere, []string{"tokenize", "restore"}},
		{"reason", "CUSTOMER_SUPPORT", "FRAUD_REVIEW", []string{"approval_request", "restore"}},
		{"entity", "EMAIL_ADDRESS", "PERSON", []string{"tokenize", "restore"}},
		{"kind", "approval_request", "erase", []string{"approval_request"}},
		{"decision", "allow", "partial", []string{"tokenize", "restore"}},
		{"request_id", asked.RequestID, nowhere, []string{"approval_request"}},
		{"since", "2026-03-01T09:30:00Z", "2031-01-01T00:00:00Z", []string{"restore"}},
		{"until", "2026-03-01T09:30:00Z", "2021-01-01T00:00:00Z", []string{"tokenize"}},
	} {
		t.Run(c.filter, func(t *testing.T) {
			some := w.search(t, m{c.filter: c.finds, "count": true})
			if some.Count == nil || *some.Count != int64(len(some.Entries)) {
				t.Errorf("counted %v, found %d", some.Count, len(some.Entries))
			}
			for _, kind := range c.kinds {
				if !some.has(`"kind":"` + kind + `"`) {
					t.Errorf("no entry of kind %s among %d", kind, len(some.Entries))
				}
			}
			if none := w.search(t, m{c.filter: c.none, "count": true}); len(none.Entries) != 0 || none.Count == nil || *none.Count != 0 {
				t.Errorf("%d entries of nothing, counted %v", len(none.Entries), none.Count)
			}
		})
	}
	both := w.search(t, m{"scope": "chat-1", "kind": "restore", "actor": "rob", "subject": "crm:jane"})
	if len(both.Entries) != 1 || both.Count != nil {
		t.Errorf("joined: %d entries, counted %v", len(both.Entries), both.Count)
	}
}

// firstToken is the first token of chat-1.
func (w *world) firstToken(t *testing.T) string {
	t.Helper()
	var again tokenized
	w.As("onbehalf").Post("/v1/tokenize", m{"scope": "chat-1", "values": []m{{"entity": "EMAIL_ADDRESS", "value": "jane@example.com"}}}).
		Want(http.StatusOK).Decode(&again)
	return again.Values[0]
}

func (f *found) has(text string) bool {
	for _, e := range f.Entries {
		if strings.Contains(string(e.Entry), text) {
			return true
		}
	}
	return false
}

// What is counted is all that matches, on every page; and the pages of a search
// follow each other.
func TestPagesOfASearchAreCountedInFull(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for i := range 5 {
		w.Post("/v1/tokenize", m{"scope": "chat-1", "text": fmt.Sprint(prompt, i)}).Want(http.StatusOK)
	}
	for _, order := range []string{"asc", "desc"} {
		var seen []int64
		for body := (m{"scope": "chat-1", "kind": "tokenize", "limit": 2, "order": order, "count": true}); ; {
			p := w.search(t, body)
			if p.Count == nil || *p.Count != 5 {
				t.Errorf("%s: counted %v", order, p.Count)
			}
			for _, e := range p.Entries {
				seen = append(seen, e.Index)
			}
			if p.NextCursor == "" {
				break
			}
			body["cursor"] = p.NextCursor
		}
		if len(seen) != 5 || (seen[0] < seen[4]) != (order == "asc") {
			t.Errorf("%s: %v", order, seen)
		}
	}
}

func TestSearchesOfTheLogThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	const path, ref = "/v1/audit/search", "00000000000000000000000000000000"
	for name, c := range map[string]refused{
		"unknown filter":        {path, m{"value": "x"}, 422, "", "", ""},
		"a person in two ways":  {path, m{"subject": "s-1", "subject_ref": ref}, 422, "/subject", "", ""},
		"a scope in two ways":   {path, m{"scope": "s-1", "scope_ref": ref}, 422, "/scope", "", ""},
		"an end user two ways":  {path, m{"end_user": "e", "end_user_digest": ref}, 422, "/end_user", "", ""},
		"name of many bytes":    {path, m{"subject": strings.Repeat("é", 200)}, 422, "/subject", "", ""},
		"no name":               {path, m{"scope": ""}, 422, "/scope", "", ""},
		"no reference of ours":  {path, m{"scope_ref": "chat-1"}, 422, "/scope_ref", "", ""},
		"no digest":             {path, m{"end_user_digest": "erika"}, 422, "/end_user_digest", "", ""},
		"no class":              {path, m{"class": "secret"}, 422, "/class", "", ""},
		"a day that is not":     {path, m{"since": "2026-02-30T00:00:00Z"}, 422, "/since", "must be a time that exists", ""},
		"no cursor":             {path, m{"cursor": "x"}, 422, "/cursor", "", ""},
		"page":                  {path, m{"limit": 1001}, 422, "/limit", "must be at most 1000", ""},
		"count that is no flag": {path, m{"count": "yes"}, 422, "/count", "", ""},
	} {
		c.check(t, name, w.As("auditor"))
	}
	w.Post(path, m{}).Want(http.StatusForbidden)
}
