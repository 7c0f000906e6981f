package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// approval is a restoration, or an operation, that others have to approve.
type approval struct {
	ID, Status, Requester string
	Operation, Target     string
	Reason, Reference     string
	Tokens                int
	Entities              map[string]int
	ScopeRefs             []string `json:"scope_refs"`
	Required              int      `json:"approvals_required"`
	Decisions             []decision
	RequestedAt           time.Time  `json:"requested_at"`
	ExpiresAt             time.Time  `json:"expires_at"`
	ClosedAt              *time.Time `json:"closed_at"`
	Audit                 *audit.Receipt
	RequestID             string `json:"request_id"`
}

type decision struct {
	By, Decision string
	NoteDigest   string `json:"note_digest"`
	At           time.Time
}

// ask asks that others approve a restoration.
func (w *world) ask(bearer string, body m) (approval, string) {
	var asked approval
	w.As(bearer).Post("/v1/restorations", body).Want(http.StatusAccepted).Decode(&asked)
	return asked, "/v1/restorations/" + asked.ID
}

// approve lets others approve a restoration, as many as it takes.
func (w *world) approve(path string) approval {
	var stands approval
	for _, approver := range []string{"approver", "approver2"} {
		w.As(approver).Post(path+"/approvals", m{"decision": "approve"}).Want(http.StatusOK).Decode(&stands)
		if stands.Status == "approved" {
			break
		}
	}
	return stands
}

// approved restores what others approve first.
func (w *world) approved(bearer string, body any) (back detokenized) {
	var asked approval
	w.As(bearer).Post("/v1/restorations", body).Want(http.StatusAccepted).Decode(&asked)
	path := "/v1/restorations/" + asked.ID
	w.approve(path)
	w.As(bearer).Post(path+"/redeem", body).Want(http.StatusOK).Decode(&back)
	return back
}

// newShipped is a world under the shipped policy, where people need approvals.
func newShipped(t *testing.T) (*world, *vaulttest.Vault) {
	t.Helper()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	return newWorldOf(t, v.Service, httpapi.Limits{}), v
}

// ticket is a request for values of chat-1 that somebody has to approve.
func ticket(tokens []string, more m) m {
	body := m{"scope": "chat-1", "reason": m{"code": "CUSTOMER_SUPPORT", "reference": "TICKET-7"}, "tokens": tokens}
	for name, v := range more {
		body[name] = v
	}
	return body
}

// tokenizedValues are two values of which one needs one approval, and one two.
func (w *world) tokenizedValues() []string {
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "values": []m{
		{"entity": "EMAIL_ADDRESS", "value": "jane@example.com"}, {"entity": "US_SSN", "value": "536-90-4399"},
	}}).Want(http.StatusOK).Decode(&out)
	return out.Values
}

// TestInvariant14_ARestorationIsApprovedByOthersAndRedeemedOnce walks the way of a
// ticket: somebody asks, others approve, who asked has the values, once.
func TestInvariant14_ARestorationIsApprovedByOthersAndRedeemedOnce(t *testing.T) {
	w, _ := newShipped(t)
	tokens := w.tokenizedValues()
	for _, c := range []struct {
		name, form string
		tokens     []string
		required   int
		values     []string
	}{
		{"confidential", "full", tokens[:1], 1, []string{"jane@example.com"}},
		{"restricted", "partial", tokens[1:], 2, nil},
		{"both", "full", tokens, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := ticket(c.tokens, nil)
			asked, path := w.ask("restorer", body)
			if asked.Status != "pending" || asked.Required != c.required || asked.Requester != "rob" || asked.Tokens != len(c.tokens) ||
				asked.Reason != "CUSTOMER_SUPPORT" || asked.Reference != "TICKET-7" || asked.Audit == nil || len(asked.ScopeRefs) != 1 ||
				!asked.ExpiresAt.After(asked.RequestedAt) {
				t.Errorf("asked: %+v", asked)
			}
			w.As("restorer").Post(path+"/redeem", body).Want(http.StatusConflict)
			stands := w.approve(path)
			if stands.Status != "approved" || len(stands.Decisions) != c.required || stands.Decisions[0].By != "amy" || stands.Audit == nil {
				t.Errorf("approved: %+v", stands)
			}
			var back detokenized
			answer := w.As("restorer").Post(path+"/redeem", body).Want(http.StatusOK)
			answer.Decode(&back)
			if back.Results[0].Status != map[string]string{"full": "restored", "partial": "partial"}[c.form] || back.Audit == nil ||
				c.values != nil && !slices.Equal(back.Values, c.values) || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("redeemed: %s", answer.Body)
			}
			w.As("restorer").Post(path+"/redeem", body).Want(http.StatusConflict)
			var shown approval
			w.As("auditor").Get(path).Want(http.StatusOK).Decode(&shown)
			if shown.Status != "redeemed" || shown.ClosedAt == nil || shown.Audit != nil || shown.RequestID == "" {
				t.Errorf("shown: %+v", shown)
			}
		})
	}
}

// A text and a body of a provider come back as they were approved, byte for byte.
func TestATextAndAPayloadAreRedeemed(t *testing.T) {
	w, _ := newShipped(t)
	token := w.tokenizedValues()[0]
	body := ticket(nil, m{"text": "Write to <" + token + "> & co."})
	delete(body, "tokens")
	back := w.approved("restorer", body)
	if back.Text == nil || *back.Text != "Write to <jane@example.com> & co." {
		t.Errorf("text: %+v", back)
	}
	raw := func(text string) string {
		return `{"scope":"chat-1","reason":{"code":"CUSTOMER_SUPPORT","reference":"TICKET-7"},"payload":{"a": 1.50,  "say":"` + text + `"}}`
	}
	var asked approval
	w.As("restorer").Post("/v1/restorations", raw(token)).Want(http.StatusAccepted).Decode(&asked)
	path := "/v1/restorations/" + asked.ID
	w.approve(path)
	w.As("restorer").Post(path+"/redeem", strings.Replace(raw(token), "1.50", "1.5", 1)).Want(http.StatusConflict)
	answer := w.As("restorer").Post(path+"/redeem", raw(token)).Want(http.StatusOK)
	if want := `{"a": 1.50,  "say":"jane@example.com"}`; !strings.Contains(string(answer.Body), want) {
		t.Errorf("payload: %s", answer.Body)
	}
}

// Whoever may not is refused, and each refusal is an entry.
func TestInvariant14_ApprovalsThatAreRefused(t *testing.T) {
	w, v := newShipped(t)
	tokens := w.tokenizedValues()
	body := ticket(tokens, nil)
	other := func(more m) m { return ticket(tokens, more) }
	approve, reject := m{"decision": "approve"}, m{"decision": "reject"}
	_, pending := w.ask("restorer", body)
	_, half := w.ask("restorer", body)
	w.As("approver").Post(half+"/approvals", approve).Want(http.StatusOK)
	_, rejected := w.ask("restorer", body)
	w.As("approver").Post(rejected+"/approvals", reject).Want(http.StatusOK)
	_, approved := w.ask("restorer", body)
	w.approve(approved)
	denials := func() int {
		t.Helper()
		var p page
		w.As("auditor").Get("/v1/audit/entries?limit=1000&decision=deny").Want(http.StatusOK).Decode(&p)
		return len(p.Entries)
	}
	for _, c := range []struct {
		name, bearer, path string
		body               m
		status             int
	}{
		{"by who asked", "restorer", pending + "/approvals", approve, 403},
		{"by who asked, under another name", "alias", pending + "/approvals", approve, 409},
		{"rejected by who asked, under another name", "alias", pending + "/approvals", reject, 409},
		{"by who may not", "gateway", pending + "/approvals", approve, 403},
		{"by an auditor", "auditor", pending + "/approvals", approve, 403},
		{"twice by one", "approver", half + "/approvals", approve, 409},
		{"of what was rejected", "approver2", rejected + "/approvals", approve, 409},
		{"of what was approved", "approver2", approved + "/approvals", reject, 409},
		{"redeemed while it is pending", "restorer", pending + "/redeem", body, 409},
		{"redeemed with one of two", "restorer", half + "/redeem", body, 409},
		{"redeemed after it was rejected", "restorer", rejected + "/redeem", body, 409},
		{"redeemed by somebody else", "restorer2", approved + "/redeem", body, 404},
		{"redeemed by who approved", "approver", approved + "/redeem", body, 403},
		{"redeemed for less", "restorer", approved + "/redeem", other(m{"tokens": tokens[:1]}), 409},
		{"redeemed for another ticket", "restorer", approved + "/redeem", other(m{"reason": m{"code": "CUSTOMER_SUPPORT", "reference": "TICKET-8"}}), 409},
		{"redeemed for somebody else to see", "restorer", approved + "/redeem", other(m{"recipient": "desk-9"}), 409},
		{"redeemed with one more scope", "restorer", approved + "/redeem", other(m{"read_scopes": []string{"docs"}}), 409},
	} {
		v.Clock.Advance(vault.DenialWindow) // within it what is denied again shares an entry
		before := denials()
		if answer := w.As(c.bearer).Post(c.path, c.body); answer.Status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, answer.Status, c.status, answer.Body)
		}
		if after := denials(); after != before+1 {
			t.Errorf("%s: %d entries of denials, then %d", c.name, before, after)
		}
	}
	v.Clock.Advance(vault.ApprovalLife + time.Minute)
	w.As("restorer").Post(approved+"/redeem", body).Want(http.StatusConflict)
	w.As("approver2").Post(half+"/approvals", approve).Want(http.StatusConflict)
	var shown approval
	w.As("restorer").Get(approved).Want(http.StatusOK).Decode(&shown)
	if shown.Status != "expired" {
		t.Errorf("at its end it is %s", shown.Status)
	}
}

// Somebody else's restorations are listed for those alone who may read them, and
// another tenant's are not there at all.
func TestInvariant6_RestorationsAreListedForThoseWhoMayReadThem(t *testing.T) {
	w, v := newShipped(t)
	tokens := w.tokenizedValues()
	var ids []string
	for _, bearer := range []string{"restorer", "restorer2", "restorer"} {
		v.Clock.Advance(time.Minute)
		asked, _ := w.ask(bearer, ticket(tokens, nil))
		ids = append(ids, asked.ID)
	}
	w.As("approver").Post("/v1/restorations/"+ids[0]+"/approvals", m{"decision": "reject"}).Want(http.StatusOK)
	listed := func(bearer, query string) (seen []string) {
		t.Helper()
		for cursor := ""; ; {
			var page struct {
				Restorations []approval
				Next         string `json:"next_cursor"`
			}
			w.As(bearer).Get("/v1/restorations?limit=2" + query + cursor).Want(http.StatusOK).Decode(&page)
			for _, r := range page.Restorations {
				seen = append(seen, r.ID)
			}
			if page.Next == "" {
				return seen
			}
			cursor = "&cursor=" + page.Next
		}
	}
	for name, c := range map[string]struct {
		bearer, query string
		want          []string
	}{
		"an auditor":    {"auditor", "", []string{ids[2], ids[1], ids[0]}},
		"pending ones":  {"approver", "&status=pending", []string{ids[2], ids[1]}},
		"rejected ones": {"approver", "&status=rejected", []string{ids[0]}},
		"one's own":     {"restorer", "", []string{ids[2], ids[0]}},
		"another's":     {"restorer2", "", []string{ids[1]}},
		"of others":     {"auditor2", "", nil},
	} {
		if diff := cmp.Diff(c.want, listed(c.bearer, c.query)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	w.As("restorer2").Get("/v1/restorations/" + ids[0]).Want(http.StatusForbidden)
	theirs := w.As("auditor2").Get("/v1/restorations/" + ids[0]).Want(http.StatusNotFound).Problem()
	nobodys := w.As("auditor2").Get("/v1/restorations/" + nobodys).Want(http.StatusNotFound).Problem()
	if theirs.Detail != nobodys.Detail {
		t.Errorf("%q and %q", theirs.Detail, nobodys.Detail)
	}
}

func TestInvariant16_ARestorationIsAskedForOnce(t *testing.T) {
	w, _ := newShipped(t)
	tokens := w.tokenizedValues()
	keyed := w.As("restorer").With("Idempotency-Key", "ask")
	var first, again approval
	keyed.Post("/v1/restorations", ticket(tokens, nil)).Want(http.StatusAccepted).Decode(&first)
	keyed.Post("/v1/restorations", ticket(tokens, nil)).Want(http.StatusAccepted).Decode(&again)
	if first.ID != again.ID || first.Audit.Index != again.Audit.Index {
		t.Errorf("asked twice: %s and %s", first.ID, again.ID)
	}
	keyed.Post("/v1/restorations", ticket(tokens[:1], nil)).Want(http.StatusConflict)
	if n := len(w.entriesOf(t, audit.KindApprovalRequest)); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// A note of an approver is kept by its digest alone.
func TestInvariant12_NotesOfApproversAreNotKept(t *testing.T) {
	w, _ := newShipped(t)
	_, path := w.ask("restorer", ticket(w.tokenizedValues(), m{
		"reason": m{"code": "CUSTOMER_SUPPORT", "reference": "TICKET-7", "note": canary},
	}))
	answer := w.As("approver").Post(path+"/approvals", m{"decision": "reject", "note": canary}).Want(http.StatusOK)
	var stands approval
	answer.Decode(&stands)
	if stands.Status != "rejected" || stands.Decisions[0].NoteDigest == "" {
		t.Errorf("rejected: %s", answer.Body)
	}
	log := string(w.As("auditor").Get("/v1/audit/entries?limit=1000").Want(http.StatusOK).Body)
	if strings.Contains(string(answer.Body)+log+w.log.String(), "kanarie") {
		t.Error("a note is kept")
	}
}

func TestRestorationsThatAreRefused(t *testing.T) {
	w, _ := newShipped(t)
	tokens := w.tokenizedValues()
	_, path := w.ask("restorer", ticket(tokens, nil))
	const restorations = "/v1/restorations"
	for name, c := range map[string]refused{
		"no scope":             {restorations, m{"reason": m{"code": "CUSTOMER_SUPPORT"}, "tokens": tokens}, 422, "/scope", "is required", ""},
		"no reason":            {restorations, m{"scope": "chat-1", "tokens": tokens}, 422, "/reason/code", "", ""},
		"no ticket":            {restorations, ticket(tokens, m{"reason": m{"code": "CUSTOMER_SUPPORT"}}), 422, "/reason/reference", "", ""},
		"nothing to restore":   {restorations, ticket(tokens, m{"text": "x"}), 422, "", "", ""},
		"what is put there":    {restorations, ticket(tokens, m{"on_refused": "keep"}), 422, "", "", ""},
		"too many tokens":      {restorations, ticket(slices.Repeat([]string{"x"}, 10_001), nil), 413, "/tokens", "", "findings"},
		"no token of anybody":  {restorations, ticket([]string{"[PERSON_EXAMPLE00U]"}, nil), 403, "", "", ""},
		"no approval needed":   {restorations, ticket(tokens, m{"reason": m{"code": "BREAK_GLASS"}}), 403, "", "", ""},
		"no decision":          {path + "/approvals", m{"note": "x"}, 422, "/decision", "is required", ""},
		"an unknown decision":  {path + "/approvals", m{"decision": "maybe"}, 422, "/decision", "must be one of approve, reject", ""},
		"a long note":          {path + "/approvals", m{"decision": "reject", "note": longNote}, 413, "/note", "", "note_bytes"},
		"no id":                {restorations + "/first/approvals", m{"decision": "reject"}, 422, "path:restoration_id", "", ""},
		"of nobody":            {restorations + "/" + nobodys + "/redeem", ticket(tokens, nil), 404, "", "", ""},
		"redeemed for nothing": {path + "/redeem", m{"scope": "chat-1"}, 422, "/reason/code", "", ""},
	} {
		client := w.As("restorer")
		if strings.HasSuffix(c.path, "/approvals") {
			client = w.As("approver")
		}
		c.check(t, name, client)
	}
	for query, field := range map[string]string{
		"status=open": "query:status", "limit=101": "query:limit", "cursor=x": "query:cursor", "actor=rob": "query",
	} {
		if got := w.As("auditor").Get(restorations + "?" + query).Want(http.StatusUnprocessableEntity).Problem().Fields(); got[0] != field {
			t.Errorf("%s: %v", query, got)
		}
	}
}

// refused is a request that is refused, and where it breaks which rule.
type refused struct {
	path               string
	body               any
	status             int
	field, rule, limit string
}

// check sends it.
func (c *refused) check(t *testing.T, name string, client *httpapitest.Client) {
	t.Helper()
	answer := client.Post(c.path, c.body)
	if answer.Status < http.StatusBadRequest {
		t.Errorf("%s: %d: %s", name, answer.Status, answer.Body)
		return
	}
	p := answer.Problem()
	if answer.Status != c.status || p.Limit != c.limit || c.status == http.StatusUnprocessableEntity && len(p.Errors) == 0 {
		t.Errorf("%s: %d, limit %q: %s", name, answer.Status, p.Limit, answer.Body)
		return
	}
	if fields := append(p.Fields(), ""); fields[0] != c.field || c.rule != "" && p.Errors[0].Rule != c.rule {
		t.Errorf("%s: %s", name, fmt.Sprint(p.Errors))
	}
}

// longNote is a character longer than a note may be.
var longNote = strings.Repeat("x", vault.MaxNoteBytes+1)

// Of a hundred who redeem at once, one has the values.
func TestInvariant14_AHundredRedeemAtOnce(t *testing.T) {
	w, _ := newShipped(t)
	body := ticket(w.tokenizedValues()[:1], nil)
	_, path := w.ask("restorer", body)
	w.approve(path)
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		got  = make(map[int]int)
	)
	for range 100 {
		wait.Go(func() {
			answer := w.As("restorer").With("Idempotency-Key", "redeem").Post(path+"/redeem", body)
			mu.Lock()
			defer mu.Unlock()
			got[answer.Status]++
		})
	}
	wait.Wait()
	if diff := cmp.Diff(map[int]int{http.StatusOK: 1, http.StatusConflict: 99}, got); diff != "" {
		t.Errorf("statuses: %s", diff)
	}
	if n := len(w.entriesOf(t, audit.KindRestore)); n != 1 {
		t.Errorf("%d entries of a restoration", n)
	}
}
