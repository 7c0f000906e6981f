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

type incident struct {
	ID, Reference, Outcome string
	OpenedBy               string     `json:"opened_by"`
	AwareAt                time.Time  `json:"aware_at"`
	AuthorityDueAt         time.Time  `json:"authority_due_at"`
	AuthorityNotifiedAt    *time.Time `json:"authority_notified_at"`
	AuthorityOverdue       bool       `json:"authority_overdue"`
	PersonsDueAt           time.Time  `json:"persons_due_at"`
	PersonsNotifiedAt      *time.Time `json:"persons_notified_at"`
	PersonsOverdue         bool       `json:"persons_overdue"`
	OutcomeReference       string     `json:"outcome_reference"`
	Events                 []struct {
		Kind, Reference, By string
		At                  time.Time
	}
	From, To *time.Time
	ClosedAt *time.Time `json:"closed_at"`
	Audit    *audit.Receipt
}

type assessment struct {
	Entries, Tokens  int
	Entities, Actors map[string]int
	SubjectRefs      []string `json:"subject_refs"`
	ScopeRefs        []string `json:"scope_refs"`
	TokenIDs         []string `json:"token_ids"`
	Truncated        bool
	Audit            *audit.Receipt
}

// TestAnIncidentIsHandled walks the way of a breach: who was exposed, the clocks,
// who was told, the end.
func TestAnIncidentIsHandled(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	began := v.Clock.Now().UTC()
	stamp := func(at time.Time) string { return at.Format(time.RFC3339) }
	tokens := w.aboutJane("crm:jane")
	w.restore("restorer", "CUSTOMER_SUPPORT", tokens[:2])
	v.Clock.Advance(time.Hour)

	var found assessment
	window := m{"from": stamp(began.Add(-time.Hour)), "to": stamp(began.Add(30 * time.Minute)), "actor": "rob"}
	answer := w.As("privacy").Post("/v1/incidents/assess", window).Want(http.StatusOK)
	answer.Decode(&found)
	if found.Entries != 1 || found.Tokens != 2 || found.Actors["rob"] != 1 || len(found.SubjectRefs) == 0 || len(found.ScopeRefs) != 1 ||
		len(found.TokenIDs) != 2 || found.Truncated || found.Audit == nil || strings.Contains(string(answer.Body), "jane") {
		t.Errorf("exposed: %s", answer.Body)
	}
	window["actor"] = "ron"
	w.As("privacy").Post("/v1/incidents/assess", window).Want(http.StatusOK).Decode(&found)
	if found.Entries != 0 || len(found.SubjectRefs) != 0 {
		t.Errorf("by somebody else: %+v", found)
	}

	var opened, noted, closed incident
	w.As("privacy").Post("/v1/incidents", m{"reference": "INC-1", "aware_at": stamp(began), "from": stamp(began)}).
		Want(http.StatusCreated).Decode(&opened)
	path := "/v1/incidents/" + opened.ID
	if opened.OpenedBy != "paula" || !opened.AwareAt.Equal(began.Truncate(time.Second)) || opened.From == nil || opened.To != nil || opened.Audit == nil ||
		opened.AuthorityDueAt.Sub(opened.AwareAt) != 72*time.Hour || opened.PersonsDueAt.Sub(opened.AwareAt) != 60*24*time.Hour {
		t.Errorf("opened: %+v", opened)
	}
	v.Clock.Advance(72 * time.Hour)
	var late incident
	w.As("auditor").Get(path).Want(http.StatusOK).Decode(&late)
	if !late.AuthorityOverdue || late.PersonsOverdue || late.Audit != nil {
		t.Errorf("after three days: %+v", late)
	}
	w.As("privacy").Post(path+"/close", m{"outcome": "notified", "reference": "INC-1"}).Want(http.StatusConflict)
	for _, kind := range []string{"contained", "authority_notified", "persons_notified"} {
		w.As("privacy").Post(path+"/events", m{"kind": kind, "reference": "DPA-2"}).Want(http.StatusOK).Decode(&noted)
	}
	if len(noted.Events) != 3 || noted.Events[1].Kind != "authority_notified" || noted.Events[1].By != "paula" || noted.AuthorityNotifiedAt == nil ||
		noted.PersonsNotifiedAt == nil || noted.Audit == nil {
		t.Errorf("noted: %+v", noted)
	}
	w.As("privacy").Post(path+"/close", m{"outcome": "notified", "reference": "INC-1"}).Want(http.StatusOK).Decode(&closed)
	if closed.Outcome != "notified" || closed.OutcomeReference != "INC-1" || closed.ClosedAt == nil || closed.Audit == nil {
		t.Errorf("closed: %+v", closed)
	}
	for name, body := range map[string]m{"events": {"kind": "assessed", "reference": "X-1"}, "close": {"outcome": "no_risk", "reference": "X-1"}} {
		w.As("privacy").Post(path+"/"+name, body).Want(http.StatusConflict)
	}
	var page struct{ Incidents []incident }
	w.As("auditor").Get("/v1/incidents").Want(http.StatusOK).Decode(&page)
	if len(page.Incidents) != 1 || page.Incidents[0].ID != opened.ID {
		t.Errorf("listed: %+v", page.Incidents)
	}
	w.As("auditor").Get("/v1/incidents?open=true").Want(http.StatusOK).Decode(&page)
	if len(page.Incidents) != 0 {
		t.Errorf("open: %+v", page.Incidents)
	}
}

func TestInvariant16_AnIncidentIsOpenedOnce(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	keyed := w.As("privacy").With("Idempotency-Key", "one")
	var first, again incident
	keyed.Post("/v1/incidents", m{"reference": "INC-1"}).Want(http.StatusCreated).Decode(&first)
	keyed.Post("/v1/incidents", m{"reference": "INC-1"}).Want(http.StatusCreated).Decode(&again)
	if first.ID != again.ID || first.Audit.Index != again.Audit.Index {
		t.Errorf("opened twice: %s and %s", first.ID, again.ID)
	}
	keyed.Post("/v1/incidents", m{"reference": "INC-2"}).Want(http.StatusConflict)
	event := w.As("privacy").With("Idempotency-Key", "event")
	for range 2 {
		event.Post("/v1/incidents/"+first.ID+"/events", m{"kind": "contained", "reference": "X-1"}).Want(http.StatusOK).Decode(&again)
	}
	if len(again.Events) != 1 {
		t.Errorf("events: %+v", again.Events)
	}
}

func TestIncidentsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var opened incident
	w.As("privacy").Post("/v1/incidents", m{"reference": "INC-1"}).Want(http.StatusCreated).Decode(&opened)
	const incidents, assess = "/v1/incidents", "/v1/incidents/assess"
	path := incidents + "/" + opened.ID
	span := func(from, to string) m { return m{"from": from, "to": to} }
	for name, c := range map[string]refused{
		"no reference":        {incidents, m{}, 422, "/reference", "is required", ""},
		"a sentence":          {incidents, m{"reference": "Jane was seen"}, 422, "/reference", "", ""},
		"known tomorrow":      {incidents, m{"reference": "INC-1", "aware_at": "2026-03-02T09:00:00Z"}, 422, "/aware_at", "must be a time that is over", ""},
		"on no day":           {incidents, m{"reference": "INC-1", "aware_at": "2026-02-30T09:00:00Z"}, 422, "/aware_at", "must be a time that exists", ""},
		"ended before":        {incidents, m{"reference": "INC-1", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 422, "/to", "must be after from", ""},
		"no kind":             {path + "/events", m{"reference": "X-1"}, 422, "/kind", "is required", ""},
		"an unknown kind":     {path + "/events", m{"kind": "forgotten", "reference": "X-1"}, 422, "/kind", "", ""},
		"no outcome":          {path + "/close", m{"reference": "X-1"}, 422, "/outcome", "is required", ""},
		"an unknown outcome":  {path + "/close", m{"outcome": "fine", "reference": "X-1"}, 422, "/outcome", "must be one of notified, no_risk, not_an_incident", ""},
		"of nobody":           {incidents + "/" + nobodys + "/events", m{"kind": "contained", "reference": "X-1"}, 404, "", "", ""},
		"of no id":            {incidents + "/x/close", m{"outcome": "no_risk", "reference": "X-1"}, 422, "path:incident_id", "", ""},
		"no time":             {assess, m{"to": "2026-01-02T00:00:00Z"}, 422, "/from", "is required", ""},
		"a time that is none": {assess, span("2026-02-30T00:00:00Z", "2026-03-01T00:00:00Z"), 422, "/from", "must be a time that exists", ""},
		"the wrong way round": {assess, span("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), 422, "/to", "must be after from", ""},
		"a long time":         {assess, span("2025-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), 413, "/to", "", "assessment_seconds"},
		"by somebody's name":  {assess, m{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "subject": "x"}, 422, "", "", ""},
	} {
		c.check(t, name, w.As("privacy"))
	}
	w.As("auditor").Post(incidents, m{"reference": "INC-1"}).Want(http.StatusForbidden)
	w.As("privacy2").Get(path).Want(http.StatusNotFound)
	w.As("operator").Get(path).Want(http.StatusForbidden)
}

type consent struct {
	ID, Purpose, Reference, Status string
	SubjectRef                     string     `json:"subject_ref"`
	GivenAt                        time.Time  `json:"given_at"`
	ExpiresAt                      *time.Time `json:"expires_at"`
	WithdrawnAt                    *time.Time `json:"withdrawn_at"`
	Audit                          *audit.Receipt
}

// consents lists those of a search.
func (w *world) consents(body m) (found []consent) {
	var page struct{ Consents []consent }
	w.As("auditor").Post("/v1/consents/search", body).Want(http.StatusOK).Decode(&page)
	return page.Consents
}

// A reason that rests on a consent restores while the person consents, and no
// longer.
func TestAConsentIsGivenAndWithdrawn(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "values": []m{
		{"entity": "EMAIL_ADDRESS", "value": "jane@example.com", "subject": "crm:jane"},
	}}).Want(http.StatusOK).Decode(&out)
	status := func() string {
		t.Helper()
		values, statuses := w.restore("restorer", "MARKETING_CONTACT", out.Values)
		if (statuses[0] == "restored") != (values[0] == "jane@example.com") {
			t.Errorf("%s: %s", statuses[0], values[0])
		}
		return statuses[0]
	}
	if got := status(); got != "needs_consent" {
		t.Errorf("without a consent: %s", got)
	}
	ends := v.Clock.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	body := m{"subject": "crm:jane", "purpose": "marketing", "reference": "C-1"}
	var given, again, withdrawn consent
	w.As("privacy").Post("/v1/consents", body).Want(http.StatusCreated).Decode(&given)
	if given.Status != "live" || given.Purpose != "marketing" || len(given.SubjectRef) != 32 || given.ExpiresAt != nil || given.Audit == nil {
		t.Errorf("given: %+v", given)
	}
	if got := status(); got != "restored" {
		t.Errorf("with a consent: %s", got)
	}
	path := "/v1/consents/" + given.ID + "/withdraw"
	w.As("privacy").Post(path, m{"reference": "L-1"}).Want(http.StatusOK).Decode(&withdrawn)
	if withdrawn.Status != "withdrawn" || withdrawn.WithdrawnAt == nil || withdrawn.Audit == nil {
		t.Errorf("withdrawn: %+v", withdrawn)
	}
	w.As("privacy").Post(path, m{"reference": "L-1"}).Want(http.StatusConflict)
	if got := status(); got != "needs_consent" {
		t.Errorf("after it was withdrawn: %s", got)
	}
	v.Clock.Advance(time.Minute) // the newest comes first
	body["expires_at"] = ends
	w.Post("/v1/consents", body).Want(http.StatusCreated).Decode(&again)
	if got := status(); got != "restored" || again.ExpiresAt == nil || again.SubjectRef != given.SubjectRef {
		t.Errorf("for two days: %s %+v", got, again)
	}
	var seen []string
	for _, c := range w.consents(m{"subject": "crm:jane"}) {
		seen = append(seen, c.Status)
	}
	slices.Sort(seen)
	if diff := cmp.Diff([]string{"live", "withdrawn"}, seen); diff != "" {
		t.Errorf("of the person: %s", diff)
	}
	if open, others := w.consents(m{"open": true}), w.consents(m{"subject": "crm:john"}); len(open) != 1 || len(others) != 0 {
		t.Errorf("open %+v, of others %+v", open, others)
	}
	v.Clock.Advance(49 * time.Hour)
	if got := w.consents(m{"subject": "crm:jane", "limit": 1}); got[0].Status != "expired" {
		t.Errorf("after two days: %+v", got)
	}
	log := string(w.As("auditor").Get("/v1/audit/entries?limit=1000").Want(http.StatusOK).Body)
	if strings.Contains(log+w.log.String(), "jane") {
		t.Error("a name came out")
	}
}

func TestConsentsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	const path = "/v1/consents"
	with := func(more m) m {
		body := m{"subject": "crm:jane", "purpose": "marketing", "reference": "C-1"}
		for name, v := range more {
			body[name] = v
		}
		return body
	}
	for name, c := range map[string]refused{
		"of nobody":          {path, m{"purpose": "marketing", "reference": "C-1"}, 422, "/subject", "is required", ""},
		"to nothing":         {path, m{"subject": "x", "reference": "C-1"}, 422, "/purpose", "is required", ""},
		"to a sentence":      {path, with(m{"purpose": "We may write to you"}), 422, "/purpose", "", ""},
		"no reference":       {path, m{"subject": "x", "purpose": "marketing"}, 422, "/reference", "is required", ""},
		"over already":       {path, with(m{"expires_at": "2020-01-01T00:00:00Z"}), 422, "/expires_at", "must be in the future", ""},
		"until no day":       {path, with(m{"expires_at": "2027-02-30T00:00:00Z"}), 422, "/expires_at", "must be a time that exists", ""},
		"withdrawn, unknown": {path + "/" + nobodys + "/withdraw", m{"reference": "L-1"}, 404, "", "", ""},
		"a long page":        {path + "/search", m{"limit": 101}, 422, "/limit", "", ""},
		"a cursor of nobody": {path + "/search", m{"cursor": "x"}, 422, "/cursor", "", ""},
	} {
		c.check(t, name, w.As("privacy"))
	}
	w.As("restorer").Post(path, with(nil)).Want(http.StatusForbidden)
	w.Post(path+"/search", m{}).Want(http.StatusForbidden)
	keyed := w.As("privacy").With("Idempotency-Key", "one")
	var first, again consent
	keyed.Post(path, with(nil)).Want(http.StatusCreated).Decode(&first)
	keyed.Post(path, with(nil)).Want(http.StatusCreated).Decode(&again)
	if first.ID != again.ID {
		t.Error("a repeated request is a second consent")
	}
	w.As("privacy2").Post(path+"/"+first.ID+"/withdraw", m{"reference": "L-1"}).Want(http.StatusNotFound)
}
