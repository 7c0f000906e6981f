package httpapi_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

type hold struct {
	HoldID    string `json:"hold_id"`
	Matter    string
	Reference string
	Custodian string
	Match     struct {
		Subjects, Identifiers, Scopes   int
		Entities, Classes, Destinations []string
		From, To                        *time.Time
		TimeField                       string `json:"time_field"`
	}
	AppliesTo  string `json:"applies_to"`
	Backups    bool
	ReviewBy   *time.Time `json:"review_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ReleasedAt *time.Time `json:"released_at"`
}

type held struct {
	Hold  *hold
	Reach *struct {
		Mappings, Expired, Scopes, Subjects int
		Entities                            map[string]int
	}
	Audit *audit.Receipt
}

// place places a hold as counsel.
func (w *world) place(match m) hold {
	var placed held
	w.As("legal").Post("/v1/holds", m{"matter": "M-2026-17", "reference": "ORDER-4", "match": match}).
		Want(http.StatusCreated).Decode(&placed)
	return *placed.Hold
}

// entriesOf reads the entries of a kind, the oldest first.
func (w *world) entriesOf(t *testing.T, kind audit.Kind) []audit.Entry {
	t.Helper()
	var p page
	w.As("auditor").Get("/v1/audit/entries?limit=1000&kind=" + string(kind)).Want(http.StatusOK).Decode(&p)
	entries := make([]audit.Entry, len(p.Entries))
	for i, e := range p.Entries {
		var err error
		if entries[i], err = audit.ParseLeaf(e.Entry); err != nil {
			t.Fatal(err)
		}
	}
	return entries
}

// TestInvariant7_CounselKeepsWhatAMatterNeeds walks the way of a matter: what
// is held outlives its time and the sweep, for counsel and for nobody's prompt,
// until the hold is released.
func TestInvariant7_CounselKeepsWhatAMatterNeeds(t *testing.T) {
	for name, match := range map[string]m{
		"subject":    {"subjects": []string{"customer-77"}},
		"identifier": {"identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": "Erika.Mustermann@example.org"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := vaulttest.New(t)
			w := newWorldOf(t, v.Service, httpapi.Limits{})
			sweep := func() {
				t.Helper()
				if err := v.Worker.Sweep(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			const address = "erika.mustermann@example.org"
			var out tokenized
			w.Post("/v1/tokenize", m{"scope": "chat-1", "ttl": 3600, "values": []m{
				{"entity": "EMAIL_ADDRESS", "value": address, "subject": "customer-77"},
				{"entity": "EMAIL_ADDRESS", "value": "max@example.org", "subject": "customer-78"},
			}}).Want(http.StatusOK).Decode(&out)
			placed := w.place(match)

			v.Clock.Advance(2 * time.Hour)
			sweep()
			statuses := func(bearer, code string) []string {
				t.Helper()
				var back detokenized
				w.As(bearer).Post("/v1/detokenize", m{
					"scope": "chat-1", "reason": m{"code": code, "reference": "MATTER-17"}, "tokens": out.Values,
				}).Want(http.StatusOK).Decode(&back)
				got := []string{back.Results[0].Status, back.Results[1].Status}
				if (back.Values[0] == address) != (got[0] == "restored") {
					t.Errorf("%s: %s is %s", code, back.Values[0], got[0])
				}
				return got
			}
			if diff := cmp.Diff([]string{"restored", "unknown"}, statuses("legal", "LEGAL_DISCOVERY")); diff != "" {
				t.Errorf("held, for counsel: %s", diff)
			}
			if diff := cmp.Diff([]string{"expired", "unknown"}, statuses("gateway", "LLM_RESPONSE")); diff != "" {
				t.Errorf("held, for a model's answer: %s", diff)
			}
			var shown held
			w.As("legal").Get("/v1/holds/" + placed.HoldID).Want(http.StatusOK).Decode(&shown)
			if shown.Reach == nil || shown.Reach.Mappings != 1 || shown.Reach.Expired != 1 || shown.Reach.Entities["EMAIL_ADDRESS"] != 1 {
				t.Errorf("reach: %+v", shown.Reach)
			}

			w.As("legal").Post("/v1/holds/"+placed.HoldID+"/release", m{"reference": "ORDER-5"}).Want(http.StatusOK)
			if diff := cmp.Diff([]string{"expired", "unknown"}, statuses("legal", "LEGAL_DISCOVERY")); diff != "" {
				t.Errorf("released, for counsel: %s", diff)
			}
			sweep()
			if diff := cmp.Diff([]string{"unknown", "unknown"}, statuses("legal", "LEGAL_DISCOVERY")); diff != "" {
				t.Errorf("released and swept: %s", diff)
			}
		})
	}
}

// The twin: without the hold the same walk ends at the first sweep.
func TestInvariant7_CounselKeepsWhatAMatterNeeds_Twin(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "ttl": 3600, "text": prompt}).Want(http.StatusOK).Decode(&out)
	v.Clock.Advance(2 * time.Hour)
	if err := v.Worker.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	var back detokenized
	w.As("legal").Post("/v1/detokenize", m{
		"scope": "chat-1", "reason": m{"code": "LEGAL_DISCOVERY", "reference": "MATTER-17"}, "text": *out.Text,
	}).Want(http.StatusOK).Decode(&back)
	if back.Results[0].Status == "restored" {
		t.Error("nothing was held, and it was restored")
	}
}

// Every field of a hold comes back, but for what is kept as digests: of that
// the number.
func TestAHoldIsShownWithoutWhatItNames(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var placed, shown held
	answer := w.As("legal").Post("/v1/holds", m{
		"matter": "M-2026-17", "reference": "ORDER-4", "custodian": "counsel-3", "applies_to": "existing",
		"review_by": "2026-09-01T00:00:00.5Z",
		"match": m{
			"subjects": []string{canary, "customer-78"}, "scopes": []string{canary},
			"identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": canary}},
			"entities":    []string{"EMAIL_ADDRESS", "PERSON"}, "classes": []string{"confidential"},
			"destinations": []string{"openai/us"}, "time_field": "sent",
			"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z",
		},
		"backups": true,
	}).Want(http.StatusCreated)
	answer.Decode(&placed)
	if placed.Audit == nil || placed.Reach != nil {
		t.Errorf("placed: %s", answer.Body)
	}
	w.As("auditor").Get("/v1/holds/" + placed.Hold.HoldID).Want(http.StatusOK).Decode(&shown)
	if diff := cmp.Diff(placed.Hold, shown.Hold); diff != "" {
		t.Errorf("placed and shown: %s", diff)
	}
	h := shown.Hold
	at := func(text string) *time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return &at
	}
	want := hold{
		HoldID: h.HoldID, Matter: "M-2026-17", Reference: "ORDER-4", Custodian: "counsel-3", AppliesTo: "existing",
		ReviewBy: at("2026-09-01T00:00:00.5Z"), CreatedAt: h.CreatedAt,
	}
	want.Match.Subjects, want.Match.Identifiers, want.Match.Scopes = 2, 1, 1
	want.Match.Entities, want.Match.Classes = []string{"EMAIL_ADDRESS", "PERSON"}, []string{"confidential"}
	want.Match.Destinations, want.Match.TimeField, want.Backups = []string{"openai/us"}, "sent", true
	want.Match.From, want.Match.To = at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")
	if diff := cmp.Diff(want, *h); diff != "" || h.CreatedAt.IsZero() {
		t.Errorf("hold: %s", diff)
	}
	if shown.Audit != nil || shown.Reach == nil {
		t.Errorf("shown: %+v", shown)
	}
	entries := w.entriesOf(t, audit.KindHoldPlace)
	if len(entries) != 1 || !slices.Equal(entries[0].HoldIDs, []string{h.HoldID}) || entries[0].Reference != "ORDER-4" {
		t.Errorf("entries: %+v", entries)
	}
}

func TestADryRunPlacesNothingAndIsRecorded(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.Post("/v1/tokenize", m{"scope": "chat-1", "subject": "customer-77", "text": prompt}).Want(http.StatusOK)
	var dry held
	w.As("legal").Post("/v1/holds", m{
		"matter": "M-2026-17", "reference": "ORDER-4", "match": m{"subjects": []string{"customer-77"}}, "dry_run": true,
	}).Want(http.StatusOK).Decode(&dry)
	if dry.Hold != nil || dry.Audit == nil || dry.Reach == nil || dry.Reach.Mappings != 1 || dry.Reach.Scopes != 1 || dry.Reach.Subjects != 1 {
		t.Errorf("dry run: %+v", dry)
	}
	var list struct{ Holds []hold }
	w.As("legal").Get("/v1/holds").Want(http.StatusOK).Decode(&list)
	if len(list.Holds) != 0 || len(w.entriesOf(t, audit.KindHoldPlace)) != 0 {
		t.Errorf("a dry run placed %+v", list.Holds)
	}
	if len(w.entriesOf(t, audit.KindSubjectSearch)) != 1 {
		t.Error("a dry run is not in the log")
	}
}

func TestHoldsAreListedReviewedAndReleasedOnce(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	counsel := w.As("legal")
	var ids []string
	for i := range 3 {
		v.Clock.Advance(time.Minute)
		ids = append(ids, w.place(m{"subjects": []string{fmt.Sprint("customer-", i)}}).HoldID)
	}
	slices.Reverse(ids)
	listed := func(query string) (seen []string) {
		t.Helper()
		for cursor := ""; ; {
			var list struct {
				Holds []hold
				Next  string `json:"next_cursor"`
			}
			w.As("auditor").Get("/v1/holds?limit=2" + query + cursor).Want(http.StatusOK).Decode(&list)
			for _, h := range list.Holds {
				seen = append(seen, h.HoldID)
			}
			if list.Next == "" {
				return seen
			}
			cursor = "&cursor=" + list.Next
		}
	}
	if diff := cmp.Diff(ids, listed("")); diff != "" {
		t.Errorf("all: %s", diff)
	}

	path := "/v1/holds/" + ids[0]
	var reviewed, never, released held
	counsel.Post(path+"/review", m{"review_by": "2026-09-01T00:00:00Z"}).Want(http.StatusOK).Decode(&reviewed)
	counsel.Post(path+"/review", m{"review_by": nil}).Want(http.StatusOK).Decode(&never)
	if reviewed.Hold.ReviewBy == nil || never.Hold.ReviewBy != nil || reviewed.Audit == nil || never.Audit == nil {
		t.Errorf("reviewed %+v, never %+v", reviewed, never)
	}
	counsel.Post(path+"/release", m{"reference": "ORDER-9"}).Want(http.StatusOK).Decode(&released)
	if released.Hold.ReleasedAt == nil || released.Audit == nil {
		t.Errorf("released: %+v", released)
	}
	counsel.Post(path+"/release", m{"reference": "ORDER-9"}).Want(http.StatusConflict)
	counsel.Post(path+"/review", m{"review_by": nil}).Want(http.StatusConflict)
	if diff := cmp.Diff(ids[1:], listed("&standing=true")); diff != "" {
		t.Errorf("standing: %s", diff)
	}
	if diff := cmp.Diff(ids, listed("&standing=false")); diff != "" {
		t.Errorf("released ones too: %s", diff)
	}
	for kind, want := range map[audit.Kind]int{audit.KindHoldReview: 2, audit.KindHoldRelease: 1} {
		entries := w.entriesOf(t, kind)
		if len(entries) != want || !slices.Equal(entries[0].HoldIDs, ids[:1]) {
			t.Errorf("%s: %+v", kind, entries)
		}
	}
}

// The same key and body about another hold is another request.
func TestIdempotencyKeysCountForThePath(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	counsel := w.As("legal").With("Idempotency-Key", "one")
	body := m{"matter": "M-2026-17", "reference": "ORDER-4", "match": m{"subjects": []string{"customer-77"}}}
	var first, again held
	counsel.Post("/v1/holds", body).Want(http.StatusCreated).Decode(&first)
	counsel.Post("/v1/holds", body).Want(http.StatusCreated).Decode(&again)
	if first.Hold.HoldID != again.Hold.HoldID {
		t.Error("a repeated request placed a second hold")
	}
	body["matter"] = "M-2026-18"
	counsel.Post("/v1/holds", body).Want(http.StatusConflict)
	other := w.place(m{"subjects": []string{"customer-78"}})

	for _, c := range []struct {
		what string
		sent m
	}{{"review", m{"review_by": nil}}, {"release", m{"reference": "ORDER-9"}}} {
		counsel := w.As("legal").With("Idempotency-Key", c.what)
		counsel.Post("/v1/holds/"+first.Hold.HoldID+"/"+c.what, c.sent).Want(http.StatusOK)
		counsel.Post("/v1/holds/"+first.Hold.HoldID+"/"+c.what, c.sent).Want(http.StatusOK)
		counsel.Post("/v1/holds/"+other.HoldID+"/"+c.what, c.sent).Want(http.StatusConflict)
	}
	var standing struct{ Holds []hold }
	w.As("legal").Get("/v1/holds?standing=true").Want(http.StatusOK).Decode(&standing)
	if len(standing.Holds) != 1 || standing.Holds[0].HoldID != other.HoldID {
		t.Errorf("standing: %+v", standing.Holds)
	}
}

func TestHoldsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	counsel := w.As("legal")
	placed := "/v1/holds/" + w.place(m{"scopes": []string{"chat-1"}}).HoldID
	with := func(match string) string { return `{"matter":"M-1","reference":"O-1","match":` + match + `}` }
	many := func(n int) string { return `"x"` + strings.Repeat(`,"x"`, n-1) }
	for name, c := range map[string]struct {
		path, body string
		status     int
		field      string
		limit      string
	}{
		"no matter":          {"/v1/holds", `{"reference":"O-1","match":{"subjects":["x"]}}`, 422, "/matter", ""},
		"a name as matter":   {"/v1/holds", `{"matter":"Doe v. Acme","reference":"O-1","match":{"subjects":["x"]}}`, 422, "/matter", ""},
		"no reference":       {"/v1/holds", `{"matter":"M-1","match":{"subjects":["x"]}}`, 422, "/reference", ""},
		"a named custodian":  {"/v1/holds", `{"matter":"M-1","reference":"O-1","custodian":"Jane Doe","match":{"subjects":["x"]}}`, 422, "/custodian", ""},
		"no match":           {"/v1/holds", `{"matter":"M-1","reference":"O-1"}`, 422, "/match", ""},
		"an empty match":     {"/v1/holds", with(`{}`), 422, "/match", ""},
		"an empty list":      {"/v1/holds", with(`{"subjects":[],"entities":["PERSON"]}`), 422, "/match/subjects", ""},
		"an unknown field":   {"/v1/holds", with(`{"subject":"x"}`), 422, "/match", ""},
		"an unknown entity":  {"/v1/holds", with(`{"entities":["NO_SUCH_THING"]}`), 422, "/match/entities/0", ""},
		"an unknown class":   {"/v1/holds", with(`{"classes":["secret"]}`), 422, "/match/classes/0", ""},
		"an address":         {"/v1/holds", with(`{"destinations":["to whom it may concern"]}`), 422, "/match/destinations/0", ""},
		"another time":       {"/v1/holds", with(`{"subjects":["x"],"time_field":"read"}`), 422, "/match/time_field", ""},
		"backups as a word":  {"/v1/holds", `{"matter":"M-1","reference":"O-1","match":{"subjects":["x"]},"backups":"yes"}`, 422, "/backups", ""},
		"no value":           {"/v1/holds", with(`{"identifiers":[{"entity":"PERSON"}]}`), 422, "/match/identifiers/0/value", ""},
		"no such day":        {"/v1/holds", with(`{"from":"2026-02-30T00:00:00Z"}`), 422, "/match/from", ""},
		"no time at all":     {"/v1/holds", with(`{"to":"0001-01-01T00:00:00Z"}`), 422, "/match/to", ""},
		"backwards":          {"/v1/holds", with(`{"from":"2026-02-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}`), 422, "/match/to", ""},
		"reviewed yesterday": {"/v1/holds", `{"matter":"M-1","reference":"O-1","match":{"subjects":["x"]},"review_by":"2020-01-01T00:00:00Z"}`, 422, "/review_by", ""},
		"never reviewed":     {"/v1/holds", `{"matter":"M-1","reference":"O-1","match":{"subjects":["x"]},"review_by":null}`, 422, "/review_by", ""},
		"applies to":         {"/v1/holds", `{"matter":"M-1","reference":"O-1","match":{"subjects":["x"]},"applies_to":"past"}`, 422, "/applies_to", ""},
		"a long list":        {"/v1/holds", with(`{"subjects":[` + many(1001) + `]}`), 413, "/match/subjects", "hold_terms"},
		"long lists":         {"/v1/holds", with(`{"subjects":[` + many(600) + `],"scopes":[` + many(600) + `]}`), 413, "/match", "hold_terms"},
		"a long value":       {"/v1/holds", with(`{"identifiers":[{"entity":"PERSON","value":"` + strings.Repeat("x", 16<<10+1) + `"}]}`), 413, "/match/identifiers/0/value", "value_bytes"},
		"no review":          {placed + "/review", `{}`, 422, "/review_by", ""},
		"review yesterday":   {placed + "/review", `{"review_by":"2020-01-01T00:00:00Z"}`, 422, "/review_by", ""},
		"no order":           {placed + "/release", `{}`, 422, "/reference", ""},
		"a word as order":    {placed + "/release", `{"reference":"the judge said so"}`, 422, "/reference", ""},
		"no id":              {"/v1/holds/first/release", `{"reference":"O-1"}`, 422, "path:hold_id", ""},
		"an unknown hold":    {"/v1/holds/" + strings.Repeat("0", 32) + "/release", `{"reference":"O-1"}`, 404, "", ""},
		"nobody's review":    {"/v1/holds/" + strings.Repeat("0", 32) + "/review", `{"review_by":null}`, 404, "", ""},
	} {
		answer := counsel.Post(c.path, c.body)
		p := answer.Problem()
		if fields := append(p.Fields(), ""); answer.Status != c.status || fields[0] != c.field || p.Limit != c.limit {
			t.Errorf("%s: %d, fields %v, limit %q: %s", name, answer.Status, fields, p.Limit, answer.Body)
		}
	}
	for path, want := range map[string]struct {
		status int
		field  string
	}{
		"/v1/holds/first":                             {422, "path:hold_id"},
		"/v1/holds/" + strings.Repeat("0", 32):        {404, ""},
		"/v1/holds?limit=101":                         {422, "query:limit"},
		"/v1/holds?limit=0":                           {422, "query:limit"},
		"/v1/holds?standing=yes":                      {422, "query:standing"},
		"/v1/holds?cursor=1":                          {422, "query:cursor"},
		"/v1/holds?matter=M-1":                        {422, "query"},
		"/v1/holds/" + strings.Repeat("0", 32) + "?x": {422, "query"},
	} {
		answer := counsel.Get(path)
		if fields := append(answer.Problem().Fields(), ""); answer.Status != want.status || fields[0] != want.field {
			t.Errorf("%s: %d %v, want %d %q", path, answer.Status, fields, want.status, want.field)
		}
	}
}

// Who may not is told nothing more, and it is recorded (invariant 10).
func TestInvariant10_RefusalsByRoleAreRecorded(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	placed := "/v1/holds/" + w.place(m{"scopes": []string{"chat-1"}}).HoldID
	var erased erasureAnswer
	w.As("privacy").Post("/v1/subject-requests", erasureOf("y", nil)).Want(http.StatusCreated).Decode(&erased)
	asked := "/v1/subject-requests/" + erased.Request.RequestID
	report := m{"subject": "y", "identity": checked()}
	_, open := w.open(t, intakeOf("access", nil))
	_, identified := w.open(t, intakeOf("access", report))
	_, erasable := w.open(t, intakeOf("erasure", report))
	_, restrictable := w.open(t, intakeOf("restriction", report))
	_, refusable := w.open(t, intakeOf("access", nil))
	_, withdrawable := w.open(t, intakeOf("access", nil))
	w.Post("/v1/tokenize", m{"scope": "chat-1", "subject": "y", "text": prompt}).Want(http.StatusOK)
	_, running := w.open(t, intakeOf("restriction", report))
	w.step(running, "execute", m{"confirm_subject": "y"})
	names := m{"scope_refs": []string{strings.Repeat("0", 32)}, "reason": m{"code": "SUBJECT_ACCESS", "reference": "DSAR-31"}}
	send := func(bearer, path string, body m) int {
		v.Clock.Advance(2 * time.Minute) // identical denials of a minute share an entry
		if body == nil {
			return w.As(bearer).Get(path).Status
		}
		return w.As(bearer).Post(path, body).Status
	}
	// refused looks at the entries since it last looked: one, which says it.
	known := int64(-1)
	refused := func(bearer, path, action string) {
		t.Helper()
		var p page
		w.As("auditor").Get("/v1/audit/entries?kind=request_refused&order=desc&limit=2").Want(http.StatusOK).Decode(&p)
		entry, err := audit.ParseLeaf(p.Entries[0].Entry)
		if err != nil {
			t.Fatal(err)
		}
		if p.Entries[0].Index <= known || len(p.Entries) > 1 && known >= 0 && p.Entries[1].Index != known {
			t.Errorf("%s at %s: not one entry", bearer, path)
		}
		known = p.Entries[0].Index
		if entry.Code != "denied:"+action || entry.Decision != audit.Deny || entry.Actor != callers[bearer].Subject {
			t.Errorf("%s at %s: %+v", bearer, path, entry)
		}
	}
	for _, c := range []struct {
		path    string
		body    m // nil: GET
		allowed []string
		action  string
	}{
		{"/v1/holds", m{"matter": "M-1", "reference": "O-1", "match": m{"subjects": []string{"x"}}}, []string{"legal"}, "hold_place"},
		{"/v1/holds", m{"matter": "M-1", "reference": "O-1", "match": m{"subjects": []string{"x"}}, "dry_run": true}, []string{"legal"}, "hold_place"},
		{"/v1/holds", nil, []string{"legal", "auditor"}, "hold_read"},
		{placed, nil, []string{"legal", "auditor"}, "hold_read"},
		{placed + "/review", m{"review_by": nil}, []string{"legal"}, "hold_place"},
		{placed + "/release", m{"reference": "O-1"}, []string{"legal"}, "hold_release"},
		{"/v1/subjects/search", m{"subject": "x"}, []string{"privacy"}, "subject_search"},
		{"/v1/subjects/links", linkOf("x", false), []string{"privacy"}, "subject_link"},
		{"/v1/subjects/links", linkOf("x", true), []string{"privacy"}, "subject_link"},
		{"/v1/subject-requests", erasureOf("x", nil), []string{"privacy"}, "erase"},
		{"/v1/subject-requests", erasureOf("x", m{"dry_run": true}), []string{"privacy"}, "erase"},
		{"/v1/subject-requests", nil, []string{"privacy", "auditor"}, "request_read"},
		{asked, nil, []string{"privacy", "auditor"}, "request_read"},
		{asked + "/receipt?audience=subject", nil, []string{"privacy", "auditor"}, "request_read"},
		{"/v1/subject-requests/summary?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z", nil, []string{"privacy", "auditor"}, "request_read"},
		{"/v1/subject-requests", intakeOf("access", nil), []string{"privacy"}, "request_manage"},
		{open + "/identity", m{"identity": checked(), "subject": "x"}, []string{"privacy"}, "request_manage"},
		{open + "/assign", m{"assignee": "officer-3"}, []string{"privacy"}, "request_manage"},
		{open + "/notes", m{"text": "x"}, []string{"privacy"}, "request_manage"},
		{open + "/notes", nil, []string{"privacy"}, "request_report"},
		{open + "/extend", m{"reference": "LETTER-1"}, []string{"privacy"}, "request_manage"},
		{refusable + "/refuse", m{"refusal_code": "duplicate"}, []string{"privacy"}, "request_manage"},
		{withdrawable + "/withdraw", m{}, []string{"privacy"}, "request_manage"},
		{identified + "/report", m{}, []string{"privacy"}, "request_report"},
		{identified + "/report", m{"format": "html"}, []string{"privacy"}, "request_report"},
		{identified + "/complete", m{}, []string{"privacy"}, "request_manage"},
		{running + "/lift", m{}, []string{"privacy"}, "request_manage"},
		{"/v1/subjects/names", names, []string{"privacy"}, "names_restore"},
		{"/v1/retention/report", nil, []string{"privacy", "auditor", "operator"}, "retention_read"},
	} {
		for _, bearer := range []string{"gateway", "restorer", "approver", "operator", "auditor", "privacy", "legal", "nobody"} {
			if slices.Contains(c.allowed, bearer) {
				continue
			}
			if status := send(bearer, c.path, c.body); status != http.StatusForbidden {
				t.Errorf("%s at %s: %d", bearer, c.path, status)
			}
			refused(bearer, c.path, c.action)
		}
		for _, bearer := range c.allowed {
			if status := send(bearer, c.path, c.body); status >= 300 {
				t.Errorf("%s at %s: %d", bearer, c.path, status)
			}
		}
	}
	// What a request asks for is read first, so that to an auditor, who may read
	// it, it is the doing that is denied.
	for _, doing := range [][2]string{{restrictable, "request_manage"}, {erasable, "erase"}} {
		path, want := doing[0], doing[1]
		for bearer, action := range map[string]string{"gateway": "request_read", "legal": "request_read", "operator": "request_read", "auditor": want} {
			if status := send(bearer, path+"/execute", m{"confirm_subject": "y"}); status != http.StatusForbidden {
				t.Errorf("%s may execute: %d", bearer, status)
			}
			refused(bearer, path, action)
		}
		if status := send("privacy", path+"/execute", m{"confirm_subject": "y"}); status != http.StatusOK {
			t.Errorf("the privacy team may not execute: %d", status)
		}
	}
	// Somebody else's tenant has no such hold.
	w.As("counsel2").Get(placed).Want(http.StatusNotFound)
	w.As("counsel2").Post(placed+"/release", m{"reference": "O-1"}).Want(http.StatusNotFound)
}

// looseWith is the shipped policy with one rule in the place of another.
func looseWith(t *testing.T, from, to string) fstest.MapFS {
	t.Helper()
	return shippedWith(t, "policy.csv", from, to)
}

// shippedWith is the shipped policy with a part of one file replaced.
func shippedWith(t *testing.T, name, from, to string) fstest.MapFS {
	t.Helper()
	loose := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := authz.FS.ReadFile(path)
		loose[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	loose[name].Data = []byte(replaceOnce(t, string(loose[name].Data), from, to))
	return loose
}

func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	if strings.Count(text, from) != 1 {
		t.Fatalf("the policy has no %q, or several", from)
	}
	return strings.Replace(text, from, to, 1)
}

// Where the policy demands a second person, a hold is not released by the one
// who placed it.
func TestInvariant14_AHoldIsReleasedBySomebodyElse(t *testing.T) {
	const rule = "p, hold-release,            allow, legal,           hold_release,   -, -, -, "
	policy := looseWith(t, rule+"-, -", rule+"second_person, -")
	w := newWorldOf(t, vaulttest.New(t, vaulttest.WithPolicy(policy)).Service, httpapi.Limits{})
	path := "/v1/holds/" + w.place(m{"scopes": []string{"chat-1"}}).HoldID + "/release"
	w.As("legal").Post(path, m{"reference": "ORDER-5"}).Want(http.StatusForbidden)
	if e := w.entriesOf(t, audit.KindRequestRefused); len(e) != 1 || e[0].Actor != "lea" {
		t.Errorf("entries: %+v", e)
	}
	w.As("legal2").Post(path, m{"reference": "ORDER-5"}).Want(http.StatusOK)
}

// The twin: where the policy lets an auditor place holds, one is placed, so
// that it is the policy that refuses above.
func TestInvariant10_RefusalsByRoleAreRecorded_Twin(t *testing.T) {
	const rule = "p, hold-place, "
	loose := looseWith(t, rule, "p, loose, allow, auditor, hold_place, -, -, -, -, -\n"+rule)
	w := newWorldOf(t, vaulttest.New(t, vaulttest.WithPolicy(loose)).Service, httpapi.Limits{})
	w.As("auditor").Post("/v1/holds", m{"matter": "M-1", "reference": "O-1", "match": m{"subjects": []string{"x"}}}).
		Want(http.StatusCreated)
}
