package httpapi_test

import (
	"encoding/json"
	"maps"
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

// intakeOf is what somebody asks for, with whatever else is given.
func intakeOf(kind string, more m) m {
	body := m{"kind": kind, "regime": "gdpr", "reference": "DSAR-31"}
	maps.Copy(body, more)
	return body
}

// checked is how it was established that the person asks.
func checked() m {
	return m{"method": "in_person", "reference": "CHECK-118", "verified_by": "officer-2", "at": "2026-03-01T08:30:00Z"}
}

// open takes a request in and returns it, and the path of it.
func (w *world) open(t *testing.T, body m) (subjectRequest, string) {
	t.Helper()
	var opened erasureAnswer
	w.As("privacy").Post("/v1/subject-requests", body).Want(http.StatusCreated).Decode(&opened)
	if opened.Request == nil || opened.Audit == nil || opened.Parts != nil || opened.Outcome != "" {
		t.Fatalf("opened: %+v", opened)
	}
	return *opened.Request, "/v1/subject-requests/" + opened.Request.RequestID
}

// step changes a request and returns the answer.
func (w *world) step(path, name string, body m) erasureAnswer {
	var answer erasureAnswer
	w.As("privacy").Post(path+"/"+name, body).Want(http.StatusOK).Decode(&answer)
	return answer
}

// TestARequestGoesItsWay from the letter to the answer, and says of the person
// no more than that there is one.
func TestARequestGoesItsWay(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	const jane = "crm:jane+" + canary
	w.aboutJane(jane)
	opened, path := w.open(t, intakeOf("access", m{"received_at": "2026-02-27T16:00:00Z"}))
	want := subjectRequest{
		RequestID: opened.RequestID, Kind: "access", Regime: "gdpr", Reference: "DSAR-31", Status: "received",
		ReceivedAt: time.Date(2026, 2, 27, 16, 0, 0, 0, time.UTC), DueAt: time.Date(2026, 3, 27, 16, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Errorf("opened: %s", diff)
	}
	compare := func(what string, got erasureAnswer, change func(*subjectRequest)) {
		t.Helper()
		change(&want)
		if diff := cmp.Diff(&want, got.Request); diff != "" || got.Audit == nil || got.Restricted != nil {
			t.Errorf("%s: %s", what, diff)
		}
	}
	compare("identified", w.step(path, "identity", m{
		"identity": checked(), "subject": jane, "identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": canary}},
	}), func(r *subjectRequest) {
		r.Status, r.Named, r.Identifiers = "open", true, 1
		r.Identity = &identityInfo{"in_person", "CHECK-118", "officer-2", time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)}
	})
	compare("assigned", w.step(path, "assign", m{"assignee": "officer-3"}), func(r *subjectRequest) { r.Assignee = "officer-3" })
	compare("assigned to nobody", w.step(path, "assign", m{"assignee": nil}), func(r *subjectRequest) { r.Assignee = "" })
	compare("a note", w.step(path, "notes", m{"text": "Called back; it is " + canary}), func(*subjectRequest) {})
	compare("extended", w.step(path, "extend", m{"reference": "LETTER-204"}), func(r *subjectRequest) {
		r.Extended, r.DueAt = true, time.Date(2026, 5, 27, 16, 0, 0, 0, time.UTC)
	})
	var notes struct {
		Notes []struct {
			NoteID       string `json:"note_id"`
			Author, Text string
			At           time.Time
		}
		Audit *audit.Receipt
	}
	w.As("privacy").Get(path + "/notes").Want(http.StatusOK).Decode(&notes)
	if len(notes.Notes) != 1 || notes.Notes[0].Text != "Called back; it is "+canary || notes.Notes[0].Author != "paula" || notes.Audit == nil {
		t.Errorf("notes: %+v", notes)
	}
	// The clock does not stop: past due it is said so.
	v.Clock.Advance(90 * 24 * time.Hour)
	var shown struct{ Request subjectRequest }
	w.As("auditor").Get(path).Want(http.StatusOK).Decode(&shown)
	want.Overdue = true
	if diff := cmp.Diff(want, shown.Request); diff != "" {
		t.Errorf("shown: %s", diff)
	}
	done := w.step(path, "complete", m{})
	if r := done.Request; r.Status != "completed" || r.ClosedAt == nil || r.Named || r.Identifiers != 0 || !r.Overdue {
		t.Errorf("completed: %+v", r)
	}
	var steps []string
	for _, e := range w.entriesOf(t, audit.KindRequestChange) {
		steps = append(steps, e.Code)
		if e.Reference != "DSAR-31" || e.Actor != "paula" || !slices.Contains(e.Obligations, "request:"+opened.RequestID) {
			t.Errorf("an entry: %+v", e)
		}
	}
	if diff := cmp.Diff([]string{"identity", "assign", "assign", "note", "extend", "complete"}, steps); diff != "" || len(w.entriesOf(t, audit.KindRequestOpen)) != 1 {
		t.Errorf("steps in the log: %s", diff)
	}
	for what, text := range map[string]string{"log": w.log.String(), "metrics": w.metrics(t)} {
		if leaked := leak(text); leaked != "" || strings.Contains(text, "crm:") || strings.Contains(text, "Called") {
			t.Errorf("the %s has %q", what, leaked)
		}
	}
}

// TestInvariant8_ARequestIsExecuted: what was opened is erased once it was looked
// at, and the request says so.
func TestInvariant8_ARequestIsExecuted(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")
	opened, path := w.open(t, intakeOf("erasure", m{"subject": "crm:jane", "identity": checked()}))
	dry := w.step(path, "execute", m{"dry_run": true})
	if dry.Request != nil || dry.PreviewID == "" || dry.Outcome != "erased" || *dry.Counts != (erasureCounts{Erased: 1, Shared: 1}) || dry.Parts[0].Outcome != "erased" {
		t.Errorf("dry run: %+v", dry)
	}
	officer := w.As("privacy")
	officer.Post(path+"/execute", m{"preview_id": dry.PreviewID}).Want(http.StatusUnprocessableEntity)
	officer.Post(path+"/execute", m{"confirm_subject": "crm:john", "preview_id": dry.PreviewID}).Want(http.StatusUnprocessableEntity)
	officer.Post(path+"/execute", m{"confirm_subject": "crm:jane", "preview_id": strings.Repeat("0", 32)}).Want(http.StatusConflict)
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens[:1]); got[0] != "restored" {
		t.Fatalf("erased without a word: %v", got)
	}
	keyed := officer.With("Idempotency-Key", "go-31")
	body := m{"confirm_subject": "crm:jane", "preview_id": dry.PreviewID, "suppress": "forever"}
	var done, again erasureAnswer
	keyed.Post(path+"/execute", body).Want(http.StatusOK).Decode(&done)
	keyed.Post(path+"/execute", body).Want(http.StatusOK).Decode(&again)
	r := done.Request
	if r.Status != "completed" || r.RequestID != opened.RequestID || r.Erasure == nil || !r.Erasure.SuppressedForever || r.Erasure.SuppressUntil != nil ||
		r.Erasure.Counts.Erased != 1 || done.Outcome != "erased" || len(done.Parts) != 1 {
		t.Errorf("executed: %+v %+v", done, r)
	}
	if diff := cmp.Diff(r, again.Request); diff != "" || len(again.Parts) != 0 || again.Outcome != "erased" {
		t.Errorf("repeated: %s", diff)
	}
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens[:1]); got[0] == "restored" {
		t.Error("erased, and restored")
	}
	internal, subject, _ := w.receiptOf(t, opened.RequestID)
	if diff := cmp.Diff(*r.Erasure, internal.erasureTold); diff != "" || !subject.SuppressedForever || subject.Reference != "" {
		t.Errorf("receipt: %s", diff)
	}
	officer.Post(path+"/execute", m{"confirm_subject": "crm:jane"}).Want(http.StatusConflict)
}

// Values that nobody was tied to are erased by what they are, once they were
// looked at; where any is somebody's, they are not.
func TestInvariant8_ValuesAreErasedWithoutASubject(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")
	by := func(entity, value string, more m) m {
		body := m{"identity": checked(), "identifiers": []m{{"entity": entity, "value": value}}}
		maps.Copy(body, more)
		return intakeOf("erasure", body)
	}
	officer := w.As("privacy")
	var dry, done erasureAnswer
	officer.Post("/v1/subject-requests", by("PHONE_NUMBER", "(212) 555-0187", m{"dry_run": true})).Want(http.StatusOK).Decode(&dry)
	officer.Post("/v1/subject-requests", by("PHONE_NUMBER", "(212) 555-0187", m{"preview_id": dry.PreviewID})).Want(http.StatusCreated).Decode(&done)
	if dry.Outcome != "erased" || done.Request.Erasure == nil || done.Request.Erasure.Counts.Erased != 1 || done.Request.Status != "completed" {
		t.Errorf("by a number: %+v, then %+v", dry, done.Request)
	}
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens[:2]); got[0] != "restored" || got[1] == "restored" {
		t.Errorf("after it: %v", got)
	}
	officer.Post("/v1/subject-requests", by("EMAIL_ADDRESS", "jane@example.com", m{"dry_run": true})).Want(http.StatusConflict)
	// Without a preview nothing is done at once.
	if opened, _ := w.open(t, by("PERSON", "Nobody In Particular", nil)); opened.Status != "open" || opened.Erasure != nil || opened.Identifiers != 1 {
		t.Errorf("opened: %+v", opened)
	}
}

// TestARestrictionIsMadeAndLifted: GDPR Art. 18 and 21.
func TestARestrictionIsMadeAndLifted(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")
	restored := func() (gateway, legal string) {
		t.Helper()
		_, g := w.restore("gateway", "LLM_RESPONSE", tokens[:1])
		_, l := w.restore("legal", "LEGAL_DISCOVERY", tokens[:1])
		return g[0], l[0]
	}
	zero := 0
	for _, c := range []struct {
		kind, end string
		body      m
		status    string
		lifts     bool
	}{
		{"restriction", "lift", m{}, "completed", true},
		{"restriction", "withdraw", m{}, "withdrawn", true},
		{"objection", "refuse", m{"refusal_code": "compelling_grounds"}, "refused", true},
		{"objection", "complete", m{"partial": true}, "partially_completed", false},
	} {
		_, path := w.open(t, intakeOf(c.kind, m{"subject": "crm:jane", "identity": checked()}))
		w.As("privacy").Post(path+"/execute", m{"confirm_subject": "crm:jane", "suppress": "none"}).Want(http.StatusUnprocessableEntity)
		made := w.step(path, "execute", m{"confirm_subject": "crm:jane"})
		if made.Request.Status != "running" || made.Restricted == nil || *made.Restricted != 1 || *made.Shared != 1 || made.Request.SubjectRef == "" {
			t.Errorf("%s: made %+v %+v", c.kind, made, made.Request)
		}
		if gateway, legal := restored(); gateway != "restricted" || legal != "restored" {
			t.Errorf("%s: a gateway gets %s, counsel %s", c.kind, gateway, legal)
		}
		ended := w.step(path, c.end, c.body)
		if ended.Request.Status != c.status || ended.Request.ClosedAt == nil {
			t.Errorf("%s, %s: %+v", c.kind, c.end, ended.Request)
		}
		if c.end == "lift" && (ended.Restricted == nil || *ended.Restricted == zero) {
			t.Errorf("lifted: %+v", ended)
		}
		want := map[bool]string{true: "restored", false: "restricted"}[c.lifts]
		if gateway, _ := restored(); gateway != want {
			t.Errorf("%s, %s: a gateway gets %s", c.kind, c.end, gateway)
		}
	}
}

func TestRequestsThatAreRefusedAreClosed(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	_, path := w.open(t, intakeOf("accounting", m{"regime": "hipaa", "identifiers": []m{{"entity": "US_SSN", "value": canary}}}))
	refused := w.step(path, "refuse", m{"refusal_code": "identity_not_established"})
	if r := refused.Request; r.Status != "refused" || r.RefusalCode != "identity_not_established" || r.ClosedAt == nil || r.Identifiers != 0 {
		t.Errorf("refused: %+v", r)
	}
	// Nothing moves a request that is closed.
	for name, body := range steps() {
		if status := w.As("privacy").Post(path+"/"+name, body).Status; status != http.StatusConflict {
			t.Errorf("%s of a closed request: %d", name, status)
		}
	}
}

// steps are what can be done with a request, each in a form that is one.
func steps() map[string]m {
	return map[string]m{
		"identity": {"identity": checked(), "subject": "x"}, "assign": {"assignee": "officer-3"}, "notes": {"text": "x"},
		"extend": {"reference": "LETTER-1"}, "refuse": {"refusal_code": "excessive"}, "withdraw": {}, "complete": {},
		"execute": {"confirm_subject": "x"}, "lift": {}, "report": {},
	}
}

// Somebody else's request is not told from one that is not there.
func TestInvariant6_RequestsOfOtherTenants(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	_, path := w.open(t, intakeOf("access", m{"subject": "x", "identity": checked()}))
	for name, body := range steps() {
		theirs := w.As("privacy2").Post(path+"/"+name, body).Want(http.StatusNotFound).Problem()
		nobodys := w.As("privacy2").Post(nobodysRequest+"/"+name, body).Want(http.StatusNotFound).Problem()
		if theirs.Detail != nobodys.Detail {
			t.Errorf("%s: %q and %q", name, theirs.Detail, nobodys.Detail)
		}
	}
	var page struct{ Requests []subjectRequest }
	w.As("privacy2").Get("/v1/subject-requests").Want(http.StatusOK).Decode(&page)
	if len(page.Requests) != 0 {
		t.Errorf("another tenant sees %+v", page.Requests)
	}
}

func TestInvariant16_StepsAreRepeated(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for _, name := range []string{"identity", "assign", "notes", "extend", "complete"} {
		more := m{"subject": "x", "identity": checked()}
		if name == "identity" {
			more = nil
		}
		_, path := w.open(t, intakeOf("access", more))
		keyed := w.As("privacy").With("Idempotency-Key", "step-"+name)
		body := steps()[name]
		var first, again erasureAnswer
		keyed.Post(path+"/"+name, body).Want(http.StatusOK).Decode(&first)
		keyed.Post(path+"/"+name, body).Want(http.StatusOK).Decode(&again)
		if diff := cmp.Diff(first.Request, again.Request); diff != "" || again.Audit == nil || first.Audit.Index != again.Audit.Index {
			t.Errorf("%s again: %s", name, diff)
		}
		other, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		keyed.Post(path+"/"+name, " "+string(other)).Want(http.StatusConflict)
		keyed.Post(nobodysRequest+"/"+name, body).Want(http.StatusConflict)
	}
	if n := len(w.entriesOf(t, audit.KindRequestChange)); n != 5 {
		t.Errorf("%d steps in the log", n)
	}
	keyed := w.As("privacy").With("Idempotency-Key", "intake")
	var first, again erasureAnswer
	keyed.Post("/v1/subject-requests", intakeOf("access", nil)).Want(http.StatusCreated).Decode(&first)
	keyed.Post("/v1/subject-requests", intakeOf("access", nil)).Want(http.StatusCreated).Decode(&again)
	if first.Request.RequestID != again.Request.RequestID {
		t.Error("a repeated intake opened a second request")
	}
	keyed.Post("/v1/subject-requests", intakeOf("objection", nil)).Want(http.StatusConflict)
}

func TestIntakesAndStepsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	_, path := w.open(t, intakeOf("access", m{"subject": "x", "identity": checked()}))
	const requests = "/v1/subject-requests"
	with := func(more m) m { return intakeOf("access", more) }
	at := func(text string) m {
		identity := checked()
		identity["at"] = text
		return identity
	}
	const code = "must match ^[A-Za-z0-9][A-Za-z0-9._:/#+-]{0,127}$"
	for name, c := range map[string]struct {
		path               string
		body               any
		status             int
		field, rule, limit string
	}{
		"no kind":                 {requests, m{"regime": "gdpr", "reference": "R-1"}, 422, "/kind", "is required", ""},
		"no regime":               {requests, m{"kind": "access", "reference": "R-1"}, 422, "/regime", "is required", ""},
		"no reference":            {requests, m{"kind": "access", "regime": "gdpr"}, 422, "/reference", "is required", ""},
		"a name as reference":     {requests, with(m{"reference": "Jane Doe"}), 422, "/reference", code, ""},
		"a name of an officer":    {requests, with(m{"assignee": "Olga Officer"}), 422, "/assignee", code, ""},
		"asked tomorrow":          {requests, with(m{"received_at": "2026-03-02T09:00:00Z"}), 422, "/received_at", "must be a time that is over", ""},
		"asked on no day":         {requests, with(m{"received_at": "2026-02-30T09:00:00Z"}), 422, "/received_at", "must be a time that exists", ""},
		"asked long ago":          {requests, with(m{"received_at": "2016-02-20T09:00:00Z"}), 422, "/received_at", "", ""},
		"established, of nobody":  {requests, with(m{"identity": checked()}), 422, "/subject", "", ""},
		"established tomorrow":    {requests, with(m{"subject": "x", "identity": at("2026-03-02T09:00:00Z")}), 422, "/identity/at", "must be a time that is over", ""},
		"a dry run of a report":   {requests, with(m{"dry_run": true}), 422, "/dry_run", "goes with an erasure that is done at once", ""},
		"a preview of a report":   {requests, with(m{"preview_id": strings.Repeat("0", 32)}), 422, "/preview_id", "goes with an erasure that is done at once", ""},
		"kept out, not at once":   {requests, intakeOf("erasure", m{"suppress": "none"}), 422, "/suppress", "goes with an erasure that is done at once", ""},
		"an unknown entity":       {requests, with(m{"identifiers": []m{{"entity": "SHOE_SIZE", "value": "x"}}}), 422, "/identifiers/0/entity", "", ""},
		"too many":                {requests, with(m{"identifiers": slices.Repeat([]m{{"entity": "PERSON", "value": "x"}}, 51)}), 413, "/identifiers", "", "subject_identifiers"},
		"no check":                {path + "/identity", m{"subject": "x"}, 422, "/identity", "is required", ""},
		"a check of no day":       {path + "/identity", m{"identity": at("2026-02-30T09:00:00Z")}, 422, "/identity/at", "must be a time that exists", ""},
		"checked twice":           {path + "/identity", m{"identity": checked()}, 409, "", "", ""},
		"nobody named":            {path + "/assign", m{}, 422, "/assignee", "is required", ""},
		"named":                   {path + "/assign", m{"assignee": "Olga Officer"}, 422, "/assignee", code, ""},
		"no text":                 {path + "/notes", m{"text": ""}, 422, "/text", "", ""},
		"a long text":             {path + "/notes", m{"text": strings.Repeat("x", 4097)}, 413, "/text", "", "note_bytes"},
		"a text of many bytes":    {path + "/notes", m{"text": strings.Repeat("é", 2049)}, 413, "/text", "", "note_bytes"},
		"no letter":               {path + "/extend", m{}, 422, "/reference", "is required", ""},
		"a word as letter":        {path + "/extend", m{"reference": "by phone"}, 422, "/reference", code, ""},
		"no ground":               {path + "/refuse", m{}, 422, "/refusal_code", "is required", ""},
		"a ground there is none":  {path + "/refuse", m{"refusal_code": "too_much_work"}, 422, "/refusal_code", "", ""},
		"a word more":             {path + "/withdraw", m{"reason": "x"}, 422, "", "", ""},
		"no object":               {path + "/withdraw", "null", 422, "", "", ""},
		"partly, as a word":       {path + "/complete", m{"partial": "half"}, 422, "/partial", "must be a boolean", ""},
		"a report is not done":    {path + "/execute", m{"confirm_subject": "x"}, 409, "", "", ""},
		"nothing to lift":         {path + "/lift", m{}, 409, "", "", ""},
		"an unknown term":         {path + "/execute", m{"suppress": "ever"}, 422, "/suppress", "must be one of none, 30d, forever", ""},
		"a reason without values": {path + "/report", m{"reason": m{"code": "SUBJECT_ACCESS"}}, 422, "/reason", "goes with values", ""},
		"values without a reason": {path + "/report", m{"values": true}, 422, "/reason/code", "must be SUBJECT_ACCESS", ""},
		"values, out of interest": {path + "/report", m{"values": true, "reason": m{"code": "CUSTOMER_SUPPORT", "reference": "T-1"}}, 422, "/reason/code", "must be SUBJECT_ACCESS", ""},
		"a page in another form":  {path + "/report", m{"format": "pdf"}, 422, "/format", "must be one of json, html", ""},
		"no id":                   {requests + "/first/assign", m{"assignee": nil}, 422, "path:request_id", "", ""},
	} {
		answer := w.As("privacy").Post(c.path, c.body)
		p := answer.Problem()
		if answer.Status != c.status || p.Limit != c.limit || c.status == 422 && len(p.Errors) == 0 {
			t.Errorf("%s: %d, limit %q: %s", name, answer.Status, p.Limit, answer.Body)
			continue
		}
		if fields := append(p.Fields(), ""); fields[0] != c.field || c.rule != "" && p.Errors[0].Rule != c.rule {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
	var shown struct{ Request subjectRequest }
	w.As("privacy").Get(path).Want(http.StatusOK).Decode(&shown)
	if shown.Request.Status != "open" || len(w.entriesOf(t, audit.KindRequestChange)) != 0 {
		t.Errorf("something was done: %+v", shown.Request)
	}
}

func TestRequestsAreFilteredAndCounted(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var ids []string
	for _, body := range []m{
		intakeOf("access", m{"received_at": "2026-01-10T00:00:00Z", "subject": "x", "identity": checked()}),
		intakeOf("erasure", m{"regime": "ccpa", "received_at": "2026-02-10T00:00:00Z"}),
		intakeOf("erasure", m{"regime": "ccpa", "received_at": "2026-02-20T00:00:00Z"}),
	} {
		v.Clock.Advance(time.Minute)
		opened, _ := w.open(t, body)
		ids = append(ids, opened.RequestID)
	}
	w.step("/v1/subject-requests/"+ids[2], "refuse", m{"refusal_code": "duplicate"})
	for query, want := range map[string][]string{
		"":                          {ids[2], ids[1], ids[0]},
		"kind=erasure":              {ids[2], ids[1]},
		"status=refused":            {ids[2]},
		"open=true":                 {ids[1], ids[0]},
		"open=false":                {ids[2], ids[1], ids[0]},
		"from=2026-02-10T00:00:00Z": {ids[2], ids[1]},
		"to=2026-02-10T00:00:00Z":   {ids[0]},
		"kind=erasure&open=true&from=2026-02-01T00:00:00Z&to=2026-02-11T00:00:00Z": {ids[1]},
		"kind=objection": nil,
	} {
		var page struct{ Requests []subjectRequest }
		w.As("auditor").Get("/v1/subject-requests?" + query).Want(http.StatusOK).Decode(&page)
		var got []string
		for _, r := range page.Requests {
			got = append(got, r.RequestID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	type line struct {
		Kind, Regime                string
		Received, Extended, Overdue int
		ByStatus                    map[string]int `json:"by_status"`
		Refused                     map[string]int
		MedianDays                  *float64 `json:"median_days"`
		LongestDays                 *float64 `json:"longest_days"`
	}
	var summary struct {
		From, To time.Time
		Lines    []line
		More     bool
	}
	w.As("auditor").Get("/v1/subject-requests/summary?from=2026-01-01T00:00:00Z&to=2026-04-01T00:00:00Z").Want(http.StatusOK).Decode(&summary)
	if len(summary.Lines) != 2 || summary.More || !summary.From.Before(summary.To) {
		t.Fatalf("summary: %+v", summary)
	}
	access, erasure := summary.Lines[0], summary.Lines[1]
	if diff := cmp.Diff(line{
		Kind: "access", Regime: "gdpr", Received: 1, Overdue: 1, ByStatus: map[string]int{"open": 1}, Refused: map[string]int{},
	}, access); diff != "" {
		t.Errorf("access: %s", diff)
	}
	if erasure.MedianDays == nil || *erasure.MedianDays < 9 || *erasure.LongestDays != *erasure.MedianDays {
		t.Errorf("erasure: %+v", erasure)
	}
	erasure.MedianDays, erasure.LongestDays = nil, nil
	if diff := cmp.Diff(line{
		Kind: "erasure", Regime: "ccpa", Received: 2, ByStatus: map[string]int{"received": 1, "refused": 1}, Refused: map[string]int{"duplicate": 1},
	}, erasure); diff != "" {
		t.Errorf("erasure: %s", diff)
	}
}
