package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
)

type review struct {
	ID, Status, Actor, Reason, Finding string
	Tokens                             int
	Entities                           map[string]int
	ScopeRefs                          []string `json:"scope_refs"`
	ClosedBy                           string   `json:"closed_by"`
	FindingReference                   string   `json:"finding_reference"`
	OpenedAt                           time.Time
	DueAt                              time.Time  `json:"due_at"`
	ClosedAt                           *time.Time `json:"closed_at"`
	Audit                              *audit.Receipt
}

// reviews lists those of a status.
func (w *world) reviews(status string) (found []review) {
	var page struct{ Reviews []review }
	w.As("auditor").Get("/v1/reviews?status=" + status).Want(http.StatusOK).Decode(&page)
	return page.Reviews
}

// emergency is a use of the reason that is reviewed afterwards.
func emergency(tokens []string) m {
	return m{"scope": "chat-1", "reason": m{"code": "BREAK_GLASS", "reference": "INC-1"}, "tokens": tokens}
}

// An emergency has its values at once, and somebody else looks at it in time.
func TestAnEmergencyIsReviewed(t *testing.T) {
	w, v := newShipped(t)
	tokens := w.tokenizedValues()
	var back detokenized
	w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusOK).Decode(&back)
	if back.Values[0] != "jane@example.com" {
		t.Fatalf("in an emergency: %+v", back.Results)
	}
	open := w.reviews("open")
	if len(open) != 1 || open[0].Status != "open" || open[0].Actor != "olga" || open[0].Reason != "BREAK_GLASS" || open[0].Tokens != 2 ||
		open[0].Entities["US_SSN"] != 1 || len(open[0].ScopeRefs) != 1 || len(w.reviews("overdue"))+len(w.reviews("closed")) != 0 {
		t.Fatalf("open: %+v", open)
	}
	path, found := "/v1/reviews/"+open[0].ID+"/close", m{"finding": "justified", "reference": "INC-1"}
	w.As("oncall").Post(path, found).Want(http.StatusForbidden)
	v.Clock.Advance(73 * time.Hour)
	if late := w.reviews("overdue"); len(late) != 1 || late[0].Status != "overdue" || len(w.reviews("open")) != 1 {
		t.Errorf("after three days: %+v", late)
	}
	var closed review
	w.As("auditor").Post(path, found).Want(http.StatusOK).Decode(&closed)
	if closed.Status != "closed" || closed.Finding != "justified" || closed.FindingReference != "INC-1" || closed.ClosedBy != "ann" ||
		closed.ClosedAt == nil || closed.Audit == nil {
		t.Errorf("closed: %+v", closed)
	}
	w.As("auditor").Post(path, found).Want(http.StatusConflict)
	if len(w.reviews("closed")) != 1 || len(w.reviews("open"))+len(w.reviews("overdue")) != 0 {
		t.Error("a review that is closed is listed as another")
	}
}

// Whoever has two reviews that nobody closed in time waits for them.
func TestTwoOverdueReviewsEndIt(t *testing.T) {
	w, v := newShipped(t)
	tokens := w.tokenizedValues()
	for range 2 {
		w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusOK)
	}
	v.Clock.Advance(80 * time.Hour)
	tokens = w.tokenizedValues()
	w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusForbidden)
	late := w.reviews("overdue")
	if len(late) != 2 {
		t.Fatalf("overdue: %+v", late)
	}
	w.As("auditor").Post("/v1/reviews/"+late[0].ID+"/close", m{"finding": "policy_gap", "reference": "INC-2"}).Want(http.StatusOK)
	w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusOK)
}

func TestReviewsThatAreRefused(t *testing.T) {
	w, _ := newShipped(t)
	w.As("oncall").Post("/v1/detokenize", emergency(w.tokenizedValues())).Want(http.StatusOK)
	path := "/v1/reviews/" + w.reviews("open")[0].ID + "/close"
	for name, c := range map[string]refused{
		"no finding":         {path, m{"reference": "INC-1"}, 422, "/finding", "is required", ""},
		"an unknown finding": {path, m{"finding": "fine", "reference": "INC-1"}, 422, "/finding", "must be one of justified, not_justified, policy_gap", ""},
		"no reference":       {path, m{"finding": "justified"}, 422, "/reference", "is required", ""},
		"a sentence":         {path, m{"finding": "justified", "reference": "it was right"}, 422, "/reference", "", ""},
		"of nobody":          {"/v1/reviews/" + nobodys + "/close", m{"finding": "justified", "reference": "INC-1"}, 404, "", "", ""},
		"of no id":           {"/v1/reviews/x/close", m{"finding": "justified", "reference": "INC-1"}, 422, "path:review_id", "", ""},
	} {
		c.check(t, name, w.As("auditor"))
	}
	w.As("auditor2").Post(path, m{"finding": "justified", "reference": "INC-1"}).Want(http.StatusNotFound)
	w.As("restorer").Get("/v1/reviews").Want(http.StatusForbidden)
	if got := w.As("auditor").Get("/v1/reviews?status=late").Want(http.StatusUnprocessableEntity).Problem().Fields()[0]; got != "query:status" {
		t.Errorf("an unknown status: %s", got)
	}
}

type quota struct {
	Reason, Per, Class     string
	Limit, Used, Remaining int
	ResetsAt               time.Time `json:"resets_at"`
}

func (w *world) quota(bearer, query string) []quota {
	var answer struct{ Budgets []quota }
	w.As(bearer).Get("/v1/quota" + query).Want(http.StatusOK).Decode(&answer)
	return answer.Budgets
}

// What is left of a budget is told, and what is beyond it is not restored.
func TestInvariant17_BudgetsAreShownAndHold(t *testing.T) {
	w, v := newShipped(t)
	tokens := w.tokenizedValues()[:1]
	before := w.quota("oncall", "?reason=BREAK_GLASS")
	if len(before) != 2 || before[0].ResetsAt.IsZero() {
		t.Fatalf("budgets: %+v", before)
	}
	w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusOK)
	for i, after := range w.quota("oncall", "?reason=BREAK_GLASS") {
		want := before[i]
		want.Used, want.Remaining = 1, want.Limit-1
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("after one: %s", diff)
		}
	}
	if others := w.quota("restorer", "?reason=BREAK_GLASS"); others[0].Per != "caller" || others[0].Used != 0 || others[1].Used != 1 {
		t.Errorf("somebody else's: %+v", others)
	}
	for range before[0].Limit - 1 {
		w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusOK)
	}
	answer := w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusTooManyRequests)
	if p := answer.Problem(); p.Code != "exhausted" || p.RetryAfter < 1 || strings.Contains(string(answer.Body), "jane@") {
		t.Errorf("beyond it: %s", answer.Body)
	}
	v.Clock.Advance(time.Hour)
	w.As("oncall").Post("/v1/detokenize", emergency(tokens)).Want(http.StatusOK)
	if all := w.quota("oncall", ""); len(all) <= 2 {
		t.Errorf("of all reasons: %+v", all)
	}
	for query, field := range map[string]string{"?reason=MADE_UP": "/reason", "?reason=x": "query:reason"} {
		if got := w.As("oncall").Get("/v1/quota" + query).Want(http.StatusUnprocessableEntity).Problem().Fields()[0]; got != field {
			t.Errorf("%s: %s", query, got)
		}
	}
}
