package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

const nobodysRequest = "/v1/subject-requests/00000000000000000000000000000000"

// TestErasuresThatAreRefused: nothing is erased without the name said twice, the
// identity established, and what was shown still there.
func TestErasuresThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")
	officer := w.As("privacy")
	identity := func(field, value string) m {
		check := m{"method": "in_person", "reference": "CHECK-118", "verified_by": "officer-2", "at": "2026-03-01T08:30:00Z", field: value}
		return m{"identity": check}
	}
	const code = "must match ^[A-Za-z0-9][A-Za-z0-9._:/#+-]{0,127}$"
	for name, c := range map[string]struct {
		change      m
		field, rule string
	}{
		"a kind there is none":  {m{"kind": "correction"}, "/kind", "must be one of access, erasure, restriction, objection, accounting"},
		"another kind":          {m{"kind": "restriction"}, "/confirm_subject", "goes with an erasure that is done at once"},
		"somebody to do it":     {m{"assignee": "officer-3"}, "/assignee", "goes with a request that is not carried out at once"},
		"asked before":          {m{"received_at": "2026-02-01T00:00:00Z"}, "/received_at", "goes with a request that is not carried out at once"},
		"no check":              {m{"identity": nil}, "/identity", ""},
		"two ways to say whom":  {m{"identifiers": []m{{"entity": "PERSON", "value": "Jane"}}}, "/identifiers", ""},
		"another regime":        {m{"regime": "lgpd"}, "/regime", "must be one of gdpr, ccpa, hipaa"},
		"nobody":                {m{"subject": "", "confirm_subject": ""}, "/", ""},
		"somebody else":         {m{"confirm_subject": "crm:john"}, "/confirm_subject", "must be the subject again"},
		"no confirmation":       {m{"confirm_subject": nil}, "/confirm_subject", ""},
		"a name as reference":   {m{"reference": "Jane Doe"}, "/reference", code},
		"no identity":           {m{"identity": m{}}, "/identity/", ""},
		"a sentence for method": {identity("method", "I know her"), "/identity/method", code},
		"a name of an officer":  {identity("verified_by", "Paula Privacy"), "/identity/verified_by", code},
		"a word for the check":  {identity("reference", "by phone"), "/identity/reference", code},
		"checked tomorrow":      {identity("at", "2026-03-02T09:00:00Z"), "/identity/at", "must be a time that is over"},
		"checked on no day":     {identity("at", "2026-02-30T09:00:00Z"), "/identity/at", "must be a time that exists"},
		"another preview":       {m{"preview_id": "first"}, "/preview_id", ""},
		"kept out for a week":   {m{"suppress": "7d"}, "/suppress", "must be one of none, 30d, forever"},
		"more":                  {m{"tokens": []string{"x"}}, "", ""},
	} {
		answer := officer.Post("/v1/subject-requests", erasureOf("crm:jane", c.change))
		p := answer.Problem()
		if answer.Status != http.StatusUnprocessableEntity || len(p.Errors) == 0 {
			t.Errorf("%s: %d: %s", name, answer.Status, answer.Body)
			continue
		}
		if e := p.Errors[0]; !strings.HasPrefix(e.Field+"/", c.field) || c.rule != "" && e.Rule != c.rule {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
	unconfirmed := erasureOf("crm:jane", m{"preview_id": strings.Repeat("0", 32)})
	delete(unconfirmed, "confirm_subject")
	if p := officer.Post("/v1/subject-requests", unconfirmed).Want(http.StatusUnprocessableEntity).Problem(); !slices.Equal(p.Fields(), []string{"/confirm_subject"}) {
		t.Errorf("without the name again: %+v", p)
	}
	delete(unconfirmed, "identity")
	if p := officer.Post("/v1/subject-requests", unconfirmed).Want(http.StatusUnprocessableEntity).Problem(); !slices.Equal(p.Fields(), []string{"/identity"}) {
		t.Errorf("without an identity: %+v", p)
	}
	// A dry run does nothing, so it needs nothing said twice.
	unconfirmed = erasureOf("crm:jane", m{"dry_run": true})
	delete(unconfirmed, "confirm_subject")
	var dry erasureAnswer
	officer.Post("/v1/subject-requests", unconfirmed).Want(http.StatusOK).Decode(&dry)
	w.Post("/v1/tokenize", m{"scope": "chat-2", "subject": "crm:jane", "text": prompt}).Want(http.StatusOK)
	if p := officer.Post("/v1/subject-requests", erasureOf("crm:jane", m{"preview_id": dry.PreviewID})).Want(http.StatusConflict).Problem(); p.Code != "conflict" {
		t.Errorf("something came since: %+v", p)
	}
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens); !slices.Equal(got, slices.Repeat([]string{"restored"}, len(tokens))) {
		t.Errorf("something was erased: %v", got)
	}
	if n := len(w.entriesOf(t, audit.KindErase)); n != 0 {
		t.Errorf("%d erasures", n)
	}
}

func TestRequestsOfPersonsThatAreNotThere(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var done erasureAnswer
	w.As("privacy").Post("/v1/subject-requests", erasureOf("crm:jane", nil)).Want(http.StatusCreated).Decode(&done)
	path := "/v1/subject-requests/" + done.Request.RequestID
	for _, c := range []struct {
		bearer, path string
		status       int
		field, rule  string
	}{
		{"privacy", nobodysRequest, 404, "", ""},
		{"privacy", nobodysRequest + "/receipt?audience=subject", 404, "", ""},
		{"auditor", "/v1/subject-requests/first", 422, "path:request_id", ""},
		{"auditor", "/v1/subject-requests/first/receipt?audience=internal", 422, "path:request_id", ""},
		{"privacy", path + "/receipt", 422, "query:audience", "is required"},
		{"privacy", path + "/receipt?audience=", 422, "query:audience", ""},
		{"privacy", path + "/receipt?audience=press", 422, "query:audience", "must be one of subject, internal"},
		{"privacy", path + "/receipt?audience=subject&audience=internal", 422, "query:audience", "must be given once"},
		{"auditor", "/v1/subject-requests?limit=101", 422, "query:limit", "must be at most 100"},
		{"auditor", "/v1/subject-requests?limit=0", 422, "query:limit", ""},
		{"auditor", "/v1/subject-requests?cursor=1", 422, "query:cursor", ""},
		{"auditor", "/v1/subject-requests?state=open", 422, "query", ""},
		{"auditor", "/v1/subject-requests?status=late", 422, "query:status", ""},
		{"auditor", "/v1/subject-requests?kind=correction", 422, "query:kind", ""},
		{"auditor", "/v1/subject-requests?open=yes", 422, "query:open", ""},
		{"auditor", "/v1/subject-requests?from=2026-02-30T00:00:00Z", 422, "query:from", "must be a time that exists"},
		{"auditor", "/v1/subject-requests?to=today", 422, "query:to", ""},
		{"auditor", "/v1/subject-requests/summary", 422, "query:from", "is required"},
		{"auditor", "/v1/subject-requests/summary?from=2026-02-01T00:00:00Z&to=2026-02-01T00:00:00Z", 422, "query:to", "must be after from"},
		{"auditor", "/v1/subject-requests/summary?from=2026-02-30T00:00:00Z&to=2026-03-01T00:00:00Z", 422, "query:from", "must be a time that exists"},
		{"privacy", nobodysRequest + "/notes", 404, "", ""},
		{"privacy2", path + "/notes", 404, "", ""},
		{"auditor", "/v1/subject-requests?subject=x", 422, "query", ""},
		// Another tenant's is not told from what is not there.
		{"privacy2", path, 404, "", ""},
		{"privacy2", path + "/receipt?audience=internal", 404, "", ""},
	} {
		answer := w.As(c.bearer).Get(c.path)
		p := answer.Problem()
		if fields := append(p.Fields(), ""); answer.Status != c.status || fields[0] != c.field || c.rule != "" && p.Errors[0].Rule != c.rule {
			t.Errorf("%s: %d %+v", c.path, answer.Status, p.Errors)
		}
	}
	ours := w.As("privacy2").Get(nobodysRequest).Problem()
	theirs := w.As("privacy2").Get(path).Problem()
	if ours.Detail != theirs.Detail || ours.Code != theirs.Code {
		t.Errorf("%+v and %+v", ours, theirs)
	}
	var page struct{ Requests []subjectRequest }
	w.As("privacy2").Get("/v1/subject-requests").Want(http.StatusOK).Decode(&page)
	if len(page.Requests) != 0 {
		t.Errorf("another tenant sees %+v", page.Requests)
	}
}

// TestInvariant16_AnErasureIsRepeated without a second one: the answer is the
// request that stands.
func TestInvariant16_AnErasureIsRepeated(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")
	keyed := w.As("privacy").With("Idempotency-Key", "dsar-31")
	var first, again erasureAnswer
	keyed.Post("/v1/subject-requests", erasureOf("crm:jane", nil)).Want(http.StatusCreated).Decode(&first)
	w.aboutJane("crm:jane") // which comes after, and is nothing of it
	keyed.Post("/v1/subject-requests", erasureOf("crm:jane", nil)).Want(http.StatusCreated).Decode(&again)
	one, err := json.Marshal(first.Request)
	if err != nil {
		t.Fatal(err)
	}
	two, err := json.Marshal(again.Request)
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(two) || again.Audit.Index != first.Audit.Index || len(again.Parts) != 0 {
		t.Errorf("first %s, again %s", one, two)
	}
	keyed.Post("/v1/subject-requests", erasureOf("crm:john", nil)).Want(http.StatusConflict)
	if n := len(w.entriesOf(t, audit.KindErase)); n != 1 {
		t.Errorf("%d erasures", n)
	}
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens[3:]); !slices.Equal(got, slices.Repeat([]string{"restored"}, len(tokens)-3)) {
		t.Errorf("the neighbours: %v", got)
	}
}
