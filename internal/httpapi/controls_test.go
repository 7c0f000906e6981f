package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

type control struct {
	ID, Title, Query, Frequency, Result string
	Clauses, Detail                     []string
	Population, Exceptions              int
	Entries                             []int64
	At, Due                             *time.Time
}

// TestControlsAreTriedAndRemembered: what a check says is what the log has, and
// what is shown afterwards.
func TestControlsAreTriedAndRemembered(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK)
	var before, tried, after struct{ Controls []control }
	w.As("operator").Get("/v1/controls").Want(http.StatusOK).Decode(&before)
	if len(before.Controls) == 0 {
		t.Fatal("no controls")
	}
	for _, c := range before.Controls {
		if c.ID == "" || c.Title == "" || c.Query == "" || len(c.Clauses) == 0 || c.Result != "" || c.At != nil {
			t.Errorf("before any was tried: %+v", c)
		}
	}
	w.As("auditor").Post("/v1/controls/check", m{}).Want(http.StatusOK).Decode(&tried)
	w.As("privacy").Get("/v1/controls").Want(http.StatusOK).Decode(&after)
	entries := w.entriesOf(t, audit.KindControl)
	if len(tried.Controls) != len(before.Controls) || len(after.Controls) != len(before.Controls) || len(entries) != len(before.Controls) {
		t.Fatalf("%d controls, %d tried, %d entries, %d shown", len(before.Controls), len(tried.Controls), len(entries), len(after.Controls))
	}
	for i, c := range after.Controls {
		now := tried.Controls[i]
		if c.Result == "" || c.Result != now.Result || c.Population != now.Population || c.Exceptions != now.Exceptions ||
			c.At == nil || c.Due == nil || !c.Due.After(*c.At) || !c.At.Equal(*now.At) {
			t.Errorf("tried %+v, shown %+v", now, c)
		}
		if e := entries[i]; e.Reference != c.ID || e.Code != c.Result {
			t.Errorf("entry %s %s, shown %s %s", e.Reference, e.Code, c.ID, c.Result)
		}
		if (now.Exceptions > 0) != (now.Result == "fail") {
			t.Errorf("%s: %d exceptions are %s", c.ID, now.Exceptions, now.Result)
		}
	}
}

func TestControlsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for _, caller := range []string{"gateway", "restorer", "nobody"} {
		w.As(caller).Get("/v1/controls").Want(http.StatusForbidden)
		w.As(caller).Post("/v1/controls/check", m{}).Want(http.StatusForbidden)
	}
	more := refused{"/v1/controls/check", m{"control": "RST-1"}, 422, "", "", ""}
	more.check(t, "one of them", w.As("auditor"))
	w.As("auditor").Get("/v1/controls?result=fail").Want(http.StatusUnprocessableEntity)
	if n := len(w.entriesOf(t, audit.KindControl)); n != 0 {
		t.Errorf("%d results of nothing", n)
	}
}
