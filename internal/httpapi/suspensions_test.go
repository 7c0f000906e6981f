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

type suspension struct {
	ID, Reason string
	PlacedBy   string     `json:"placed_by"`
	PlacedAt   time.Time  `json:"placed_at"`
	LiftedAt   *time.Time `json:"lifted_at"`
	Match      struct {
		Callers, Clients, Reasons, Entities []string
		EndUsers                            int `json:"end_users"`
		Scopes                              int
		From, To                            *time.Time
	}
	Audit *audit.Receipt
}

// suspend stops what matches.
func (w *world) suspend(bearer string, match m) suspension {
	var placed suspension
	w.As(bearer).Post("/v1/suspensions", m{"match": match, "reason": "INC-1"}).Want(http.StatusCreated).Decode(&placed)
	return placed
}

// What a suspension matches is not restored while it stands, and all else is.
func TestASuspensionStopsWhatItMatches(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	tokens := w.tokenizedValues()
	at := v.Clock.Now().UTC()
	stamp := func(d time.Duration) string { return at.Add(d).Format(time.RFC3339) }
	for name, c := range map[string]struct {
		match m
		stops bool
	}{
		"the client":            {m{"clients": []string{"gw-1"}}, true},
		"another client":        {m{"clients": []string{"gw-2"}}, false},
		"the caller":            {m{"callers": []string{"rob", "gw-1"}}, true},
		"the scope":             {m{"scopes": []string{"chat-1"}}, true},
		"another scope":         {m{"scopes": []string{"chat-2"}}, false},
		"the reason":            {m{"reasons": []string{"LLM_RESPONSE"}}, true},
		"the entity":            {m{"entities": []string{"EMAIL_ADDRESS"}}, true},
		"the time":              {m{"from": stamp(-time.Hour), "to": stamp(time.Hour)}, true},
		"the hour before":       {m{"from": stamp(-2 * time.Hour), "to": stamp(-time.Hour)}, false},
		"an end user":           {m{"end_users": []string{"erika"}}, false},
		"the client, elsewhere": {m{"clients": []string{"gw-1"}, "scopes": []string{"chat-2"}}, false},
	} {
		placed := w.suspend("privacy", c.match)
		values, statuses := w.restore("gateway", "LLM_RESPONSE", tokens[:1])
		if stopped := statuses[0] == "suspended" && values[0] == tokens[0]; stopped != c.stops || !stopped && values[0] != "jane@example.com" {
			t.Errorf("%s: %v", name, statuses)
		}
		var lifted suspension
		w.As("operator").Post("/v1/suspensions/"+placed.ID+"/lift", m{"reference": "INC-1"}).Want(http.StatusOK).Decode(&lifted)
		if lifted.LiftedAt == nil || lifted.Audit == nil {
			t.Errorf("%s: lifted: %+v", name, lifted)
		}
		if values, statuses := w.restore("gateway", "LLM_RESPONSE", tokens[:1]); values[0] != "jane@example.com" {
			t.Errorf("%s: after it was lifted: %v", name, statuses)
		}
		w.As("operator").Post("/v1/suspensions/"+placed.ID+"/lift", m{"reference": "INC-1"}).Want(http.StatusConflict)
	}
}

// Of people and scopes a suspension tells their number, and the log nothing.
func TestASuspensionIsShownWithoutThoseItNames(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	placed := w.suspend("privacy", m{
		"clients": []string{"gw-7"}, "end_users": []string{canary, "max"}, "scopes": []string{canary}, "reasons": []string{"CUSTOMER_SUPPORT"},
		"entities": []string{"PERSON"}, "from": "2026-01-01T00:00:00Z",
	})
	if placed.PlacedBy != "paula" || placed.Reason != "INC-1" || placed.Audit == nil || placed.LiftedAt != nil {
		t.Errorf("placed: %+v", placed)
	}
	answer := w.As("auditor").Get("/v1/suspensions").Want(http.StatusOK)
	var page struct{ Suspensions []suspension }
	answer.Decode(&page)
	if len(page.Suspensions) != 1 {
		t.Fatalf("listed: %s", answer.Body)
	}
	placed.Audit = nil
	if diff := cmp.Diff(placed, page.Suspensions[0]); diff != "" {
		t.Errorf("placed and listed: %s", diff)
	}
	match := page.Suspensions[0].Match
	if match.EndUsers != 2 || match.Scopes != 1 || !slices.Equal(match.Clients, []string{"gw-7"}) || match.From == nil || match.To != nil {
		t.Errorf("match: %+v", match)
	}
	log := string(w.As("auditor").Get("/v1/audit/entries?limit=1000").Want(http.StatusOK).Body)
	if strings.Contains(string(answer.Body)+log+w.log.String(), "kanarie") {
		t.Error("a name came out")
	}
}

func TestSuspensionsAreListed(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var ids []string
	for range 3 {
		v.Clock.Advance(time.Minute)
		ids = append(ids, w.suspend("privacy", m{"clients": []string{"gw-7"}}).ID)
	}
	slices.Reverse(ids)
	w.As("privacy").Post("/v1/suspensions/"+ids[0]+"/lift", m{"reference": "INC-1"}).Want(http.StatusOK)
	for query, want := range map[string][]string{
		"": ids, "?open=true": ids[1:], "?open=false": ids, "?limit=1": ids[:1], "?limit=2&cursor=" + ids[0]: ids[1:],
	} {
		var page struct{ Suspensions []suspension }
		w.As("operator").Get("/v1/suspensions" + query).Want(http.StatusOK).Decode(&page)
		var got []string
		for _, s := range page.Suspensions {
			got = append(got, s.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	w.As("restorer").Get("/v1/suspensions").Want(http.StatusForbidden)
}

func TestInvariant16_ASuspensionIsPlacedOnce(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	keyed := w.As("privacy").With("Idempotency-Key", "one")
	body := m{"match": m{"clients": []string{"gw-7"}}, "reason": "INC-1"}
	var first, again suspension
	keyed.Post("/v1/suspensions", body).Want(http.StatusCreated).Decode(&first)
	keyed.Post("/v1/suspensions", body).Want(http.StatusCreated).Decode(&again)
	if first.ID != again.ID || first.Audit.Index != again.Audit.Index {
		t.Errorf("placed twice: %s and %s", first.ID, again.ID)
	}
	body["reason"] = "INC-2"
	keyed.Post("/v1/suspensions", body).Want(http.StatusConflict)
	lift := w.As("privacy").With("Idempotency-Key", "lift")
	for range 2 {
		lift.Post("/v1/suspensions/"+first.ID+"/lift", m{"reference": "INC-1"}).Want(http.StatusOK)
	}
	if n := len(w.entriesOf(t, audit.KindLiftSuspension)); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestSuspensionsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	const path = "/v1/suspensions"
	with := func(match m) m { return m{"match": match, "reason": "INC-1"} }
	for name, c := range map[string]refused{
		"of everything":      {path, with(m{}), 422, "/match", "must say what is stopped", ""},
		"no match":           {path, m{"reason": "INC-1"}, 422, "/match", "is required", ""},
		"no reason":          {path, m{"match": m{"clients": []string{"gw-7"}}}, 422, "/reason", "is required", ""},
		"a sentence":         {path, m{"match": m{"clients": []string{"gw-7"}}, "reason": "it leaked"}, 422, "/reason", "", ""},
		"an empty list":      {path, with(m{"clients": []string{}}), 422, "/match/clients", "", ""},
		"an unknown entity":  {path, with(m{"entities": []string{"SHOE_SIZE"}}), 422, "/match/entities/0", "is not in the list of entities", ""},
		"an unknown reason":  {path, with(m{"reasons": []string{"CURIOSITY"}}), 422, "/match/reasons/0", "is not in the catalogue of reasons", ""},
		"no day":             {path, with(m{"from": "2026-02-30T00:00:00Z"}), 422, "/match/from", "must be a time that exists", ""},
		"no time":            {path, with(m{"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}), 422, "/match/to", "must be after from", ""},
		"too many clients":   {path, with(m{"clients": slices.Repeat([]string{"x"}, 101)}), 413, "/match/clients", "", "suspension_terms"},
		"too many of all":    {path, with(m{"clients": slices.Repeat([]string{"x"}, 60), "callers": slices.Repeat([]string{"x"}, 60)}), 413, "/match", "", "suspension_terms"},
		"of a subject":       {path, with(m{"subjects": []string{"x"}}), 422, "/match", "", ""},
		"lifted by no order": {path + "/" + nobodys + "/lift", m{}, 422, "/reference", "is required", ""},
		"of nobody":          {path + "/" + nobodys + "/lift", m{"reference": "INC-1"}, 404, "", "", ""},
	} {
		c.check(t, name, w.As("privacy"))
	}
	placed := w.suspend("privacy", m{"clients": []string{"gw-7"}})
	w.As("restorer").Post(path, with(m{"clients": []string{"gw-7"}})).Want(http.StatusForbidden)
	w.As("privacy2").Post(path+"/"+placed.ID+"/lift", m{"reference": "INC-1"}).Want(http.StatusNotFound)
}
