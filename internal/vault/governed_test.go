package vault_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// detokenized asks for the tokens of a text in the scope chat.
func detokenized(v *vaulttest.Vault, call vault.Call, code, reference, text string) (vault.DetokenizeResult, error) {
	return v.Service.Detokenize(context.Background(), call, vault.DetokenizeRequest{
		Scope: "chat", Reason: vault.ReasonGiven{Code: code, Reference: reference}, Text: &text,
	})
}

// onCall is a call of somebody who may break the glass.
func onCall(name string) vault.Call {
	call := staff(name)
	call.Caller.MFA, call.Caller.Attributes = true, map[string]string{"on_call": "true"}
	return call
}

// TestBudget: a budget is spent to the last token and not beyond, tells how much is
// left, and begins anew with the hour. Who is refused is recorded.
func TestBudget(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(edited(t, map[string][2]string{"reasons.yaml": {
		"      - {per: caller, tokens: 200}\n", "      - {per: caller, tokens: 3}\n",
	}})))
	var tokens []string
	for _, city := range []string{"Lisbon", "Porto", "Faro", "Braga"} {
		tokens = append(tokens, tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", city))
	}
	quota := func() vault.QuotaLine {
		lines := must2(v.Service.Quota(ctx, staff("rob"), "CUSTOMER_SUPPORT"))(t)
		i := slices.IndexFunc(lines, func(l vault.QuotaLine) bool { return l.Per == "caller" && l.Class == "" })
		return lines[i]
	}
	// The same token twice is one.
	must2(detokenized(v, staff("rob"), ticket.Code, ticket.Reference, tokens[0]+tokens[0]+" "+tokens[1]))(t)
	if got := quota(); got.Used != 2 || got.Limit != 3 || !got.ResetsAt.Equal(v.Clock.Now().Truncate(time.Hour).Add(time.Hour)) {
		t.Errorf("quota: %+v", got)
	}
	wantRefused(t, v, vault.CodeExhausted, "budget", func() error {
		_, err := detokenized(v, staff("rob"), ticket.Code, ticket.Reference, tokens[2]+tokens[3])
		var public *vault.Error
		if errors.As(err, &public) && (public.Limit != "budget_caller" || public.RetryAfter <= 0) {
			t.Errorf("the refusal says %+v", public)
		}
		return err
	})
	must2(detokenized(v, staff("sue"), ticket.Code, ticket.Reference, tokens[2]))(t) // her own budget
	must2(detokenized(v, staff("rob"), ticket.Code, ticket.Reference, tokens[2]))(t)
	if got := quota(); got.Used != 3 {
		t.Errorf("quota: %+v", got)
	}
	v.Clock.Advance(time.Hour)
	must2(detokenized(v, staff("rob"), ticket.Code, ticket.Reference, tokens[3]))(t)
	if got := quota(); got.Used != 1 {
		t.Errorf("in the next hour: %+v", got)
	}
	if more, err := v.Service.ForgetSpent(ctx, "acme"); more || err != nil {
		t.Errorf("forget: %v %v", more, err)
	}
	if got := quota(); got.Used != 1 {
		t.Errorf("what is of this hour was forgotten: %+v", got)
	}
}

// TestSuspension: from its commit on nothing that it matches is given back, other
// values are, and lifting it ends that.
func TestSuspension(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	city := tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", "Lisbon")
	for name, match := range map[string]vault.SuspensionWords{
		"entity": {Entities: []string{"EMAIL_ADDRESS"}},
		"scope":  {Scopes: []string{"chat"}, Entities: []string{"EMAIL_ADDRESS"}},
		"client": {Clients: []string{"gw-1"}, Entities: []string{"EMAIL_ADDRESS"}},
		"caller": {Callers: []string{"gw-1"}, Reasons: []string{"LLM_RESPONSE"}, Entities: []string{"EMAIL_ADDRESS"}},
		"time":   {From: v.Clock.Now().Add(-time.Hour), To: v.Clock.Now().Add(time.Hour), Entities: []string{"EMAIL_ADDRESS"}},
	} {
		placed := must2(v.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Match: match, Reason: "INC-1"}))(t).Suspension
		got := must2(llm(v, v.Gateway(), "chat", email+" "+city))(t)
		if want := []vault.Status{vault.StatusSuspended, vault.StatusRestored}; !slices.Equal(statuses(got), want) {
			t.Errorf("%s: %v, want %v", name, statuses(got), want)
		}
		must2(v.Service.LiftSuspension(ctx, officer(), placed.ID, "INC-1"))(t)
		if got := must2(llm(v, v.Gateway(), "chat", email))(t); *got.Text != "jane@example.com" {
			t.Errorf("%s: lifted, and %q", name, *got.Text)
		}
	}
	for name, match := range map[string]vault.SuspensionWords{
		"another entity": {Entities: []string{"PHONE_NUMBER"}},
		"another scope":  {Scopes: []string{"other"}},
		"another client": {Clients: []string{"gw-2"}},
		"another person": {EndUsers: []string{"bob"}},
		"another reason": {Reasons: []string{"FRAUD_REVIEW"}},
		"another time":   {To: v.Clock.Now()},
	} {
		placed := must2(v.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Match: match, Reason: "INC-1"}))(t).Suspension
		if got := must2(llm(v, v.Gateway(), "chat", email))(t); *got.Text != "jane@example.com" {
			t.Errorf("%s: %q", name, *got.Text)
		}
		must2(v.Service.LiftSuspension(ctx, officer(), placed.ID, "INC-1"))(t)
	}
	_, err := v.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Reason: "INC-1"})
	wantViolation(t, err, "/match")
}

// TestSuspensionStopsNames: also the callers' own names, and a person's report.
func TestSuspensionStopsNames(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "jane"}},
	}))(t)
	ref := must2(v.Service.SearchSubjects(ctx, officer(), vault.SubjectSearchRequest{Subject: "jane"}))(t).SubjectRefs[0]
	names := vault.NamesRequest{SubjectRefs: []string{ref}, Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-1"}}
	if got := must2(v.Service.RestoreNames(ctx, officer(), names))(t); got.Subjects[ref] != "jane" {
		t.Fatalf("names: %v", got.Subjects)
	}
	must2(v.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Match: vault.SuspensionWords{Scopes: []string{"chat"}}, Reason: "INC-1"}))(t)
	wantRefused(t, v, vault.CodeDenied, "suspended", func() error {
		_, err := v.Service.RestoreNames(ctx, officer(), names)
		return err
	})
}

// TestConsent: a reason whose basis is consent gives a value back while everybody
// whom it is about consents, and not to anything else.
func TestConsent(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	tokenize := func(value string, subjects ...string) string {
		req := vault.TokenizeRequest{Scope: "chat"}
		for _, subject := range subjects {
			req.Values = append(req.Values, vault.Value{Entity: "EMAIL_ADDRESS", Value: value, Subject: subject})
		}
		if len(subjects) == 0 {
			req.Values = []vault.Value{{Entity: "EMAIL_ADDRESS", Value: value}}
		}
		return must2(v.Service.Tokenize(ctx, v.Gateway(), req))(t).Values[0]
	}
	hers, shared, nobodys := tokenize("jane@example.com", "jane"), tokenize("family@example.com", "jane", "joe"), tokenize("info@example.com")
	ask := func() []vault.Status {
		return statuses(must2(detokenized(v, staff("rob"), "MARKETING_CONTACT", "CAMPAIGN-7", hers+" "+shared+" "+nobodys))(t))
	}
	const no, yes = vault.StatusNeedsConsent, vault.StatusRestored
	check := func(when string, want ...vault.Status) {
		t.Helper()
		if got := ask(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("without any", no, no, no)
	must2(v.Service.GiveConsent(ctx, officer(), vault.ConsentRequest{Subject: "jane", Purpose: "research", Reference: "FORM-1"}))(t)
	check("to another purpose", no, no, no)
	v.Clock.Advance(time.Second)
	given := must2(v.Service.GiveConsent(ctx, officer(), vault.ConsentRequest{Subject: "jane", Purpose: "marketing", Reference: "FORM-2"}))(t).Consent
	check("of one of two", yes, no, no)
	must2(v.Service.GiveConsent(ctx, officer(), vault.ConsentRequest{
		Subject: "joe", Purpose: "marketing", Reference: "FORM-3", ExpiresAt: v.Clock.Now().Add(time.Hour),
	}))(t)
	check("of both", yes, yes, no)
	v.Clock.Advance(time.Hour)
	check("one expired", yes, no, no)
	must2(v.Service.WithdrawConsent(ctx, officer(), given.ID, "CALL-1"))(t)
	check("withdrawn", no, no, no)
	page := must2(v.Service.Consents(ctx, v.Auditor(), "jane", vault.ProceedingListRequest{}))(t)
	var all []string
	for _, c := range page.Consents {
		all = append(all, c.Purpose+" "+c.Status)
	}
	if want := []string{"marketing withdrawn", "research live"}; !slices.Equal(all, want) {
		t.Errorf("her consents: %v, want %v", all, want)
	}
	if got := must2(v.Service.Consents(ctx, v.Auditor(), "nobody", vault.ProceedingListRequest{}))(t); len(got.Consents) > 0 {
		t.Errorf("somebody who is not known has %v", got.Consents)
	}
}

// TestConsentIsJudgedInTheCommit: one that is withdrawn after it was read stops the
// restoration.
func TestConsentIsJudgedInTheCommit(t *testing.T) {
	ctx := context.Background()
	between := &hooked{}
	v := vaulttest.New(t, vaulttest.WithStore(func(s vault.Store) vault.Store { between.Store = s; return between }))
	text := must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "jane"}},
	}))(t).Values[0]
	given := must2(v.Service.GiveConsent(ctx, officer(), vault.ConsentRequest{Subject: "jane", Purpose: "marketing", Reference: "FORM-2"}))(t).Consent
	between.set(func(c vault.Change) {
		if _, restores := c.Effect().(vault.Restore); restores {
			between.set(nil)
			must2(v.Service.WithdrawConsent(ctx, officer(), given.ID, "CALL-1"))(t)
		}
	})
	got := must2(detokenized(v, staff("rob"), "MARKETING_CONTACT", "CAMPAIGN-7", text))(t)
	if *got.Text != text || got.Results[0].Status != vault.StatusNeedsConsent {
		t.Errorf("withdrawn before the commit, and %q, %v", *got.Text, statuses(got))
	}
}

// hooked calls something before each commit.
type hooked struct {
	vault.Store
	mu   sync.Mutex
	hook func(vault.Change)
}

func (h *hooked) set(hook func(vault.Change)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hook = hook
}

func (h *hooked) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	h.mu.Lock()
	hook := h.hook
	h.mu.Unlock()
	if hook != nil {
		hook(c)
	}
	return h.Store.Commit(ctx, tenant, c)
}

// TestBreakGlass: at once, and looked at afterwards by somebody else; who lets two
// reviews pass may not do it again until they are closed.
func TestBreakGlass(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	must2(v.Service.OpenScope(ctx, v.Gateway(), vault.OpenScopeRequest{Scope: "chat", Kind: vault.ScopeCase}))(t)
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	if _, err := detokenized(v, staff("rob"), "BREAK_GLASS", "", email); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("without a second factor and off call: %v", err)
	}
	for range 2 {
		if got := must2(detokenized(v, onCall("rob"), "BREAK_GLASS", "", email))(t); *got.Text != "jane@example.com" {
			t.Fatalf("on call: %q", *got.Text)
		}
	}
	open := must2(v.Service.Reviews(ctx, v.Auditor(), vault.ReviewListRequest{Status: "open"}))(t).Reviews
	if len(open) != 2 || open[0].Actor != "rob" || open[0].Tokens != 1 || !open[0].DueAt.Equal(v.Clock.Now().Add(72*time.Hour)) {
		t.Fatalf("reviews: %+v", open)
	}
	v.Clock.Advance(72*time.Hour + time.Second)
	if late := must2(v.Service.Reviews(ctx, v.Auditor(), vault.ReviewListRequest{Status: "overdue"}))(t).Reviews; len(late) != 2 || !late[0].Overdue {
		t.Errorf("overdue: %+v", late)
	}
	wantRefused(t, v, vault.CodeDenied, "reviews_overdue", func() error {
		_, err := detokenized(v, onCall("rob"), "BREAK_GLASS", "", email)
		return err
	})
	must2(detokenized(v, onCall("sue"), "BREAK_GLASS", "", email))(t)
	rob := vaulttest.Call("ROB", "auditor")
	wantRefused(t, v, vault.CodeConflict, "self_review", func() error {
		_, err := v.Service.CloseReview(ctx, rob, open[0].ID, "justified", "REVIEW-1")
		return err
	})
	closed := must2(v.Service.CloseReview(ctx, v.Auditor(), open[0].ID, "policy_gap", "REVIEW-1"))(t).Review
	if closed.Finding != "policy_gap" || closed.ClosedBy != "ann" || closed.ClosedAt.IsZero() {
		t.Errorf("closed: %+v", closed)
	}
	must2(detokenized(v, onCall("rob"), "BREAK_GLASS", "", email))(t) // one of two is closed
	if _, err := v.Service.CloseReview(ctx, v.Auditor(), open[0].ID, "justified", "REVIEW-2"); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("closed twice: %v", err)
	}
}

// TestSeparationOfDuties: a credential with roles that exclude each other is refused
// whatever it asks for, with an entry that names the rule.
func TestSeparationOfDuties(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	for rule, roles := range map[string][]string{
		"operator-auditor": {"operator", "auditor"}, "legal-privacy": {"privacy_officer", "legal"}, "gateway-human": {"restorer", "gateway"},
	} {
		call := vaulttest.Call("eve-"+rule, roles...)
		before := head(t, v)
		wantRefused(t, v, vault.CodeDenied, "separation", func() error {
			_, err := v.Service.LimitsInForce(ctx, call)
			return err
		})
		if e := entriesFrom(t, v, before)[0]; !slices.Equal(e.RuleIDs, []string{rule}) || e.Actor != call.Caller.Subject {
			t.Errorf("%s: the entry names %v of %s", rule, e.RuleIDs, e.Actor)
		}
	}
	v.Service.SetFaults(vault.Faults{IgnoreSeparation: true})
	if _, err := v.Service.LimitsInForce(ctx, vaulttest.Call("eve", "operator", "auditor")); err != nil {
		t.Errorf("the guard was taken out and it was refused all the same: this twin shows nothing: %v", err)
	}
}

// TestIncident: who was exposed, from the log, and the clocks.
func TestIncident(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	for _, person := range []string{"jane", "joe"} {
		text := must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
			Scope: "chat of " + person, Destination: "openai/us",
			Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: person + "@example.com", Subject: person}, {Entity: "LOCATION", Value: "Lisbon", Subject: person}},
		}))(t).Values
		must2(llm(v, v.Gateway(), "chat of "+person, strings.Join(text, " ")))(t)
	}
	from, to := v.Clock.Now().Add(-time.Hour), v.Clock.Now().Add(time.Hour)
	assess := func(change func(*vault.AssessRequest)) vault.Assessment {
		req := vault.AssessRequest{From: from, To: to}
		change(&req)
		return must2(v.Service.AssessIncident(ctx, officer(), req))(t)
	}
	all := assess(func(*vault.AssessRequest) {})
	if all.Entries != 2 || all.Tokens != 4 || all.Entities["EMAIL_ADDRESS"] != 2 || len(all.Subjects) != 2 || len(all.Scopes) != 2 || all.Actors["gw-1"] != 2 || all.Audit == nil {
		t.Errorf("restored: %+v", all)
	}
	if one := assess(func(r *vault.AssessRequest) { r.Scope = "chat of joe" }); one.Tokens != 2 || len(one.Subjects) != 1 {
		t.Errorf("of one scope: %+v", one)
	}
	if one := assess(func(r *vault.AssessRequest) { r.SubjectRef = all.Subjects[0] }); one.Tokens != 2 {
		t.Errorf("of one person: %+v", one)
	}
	if sent := assess(func(r *vault.AssessRequest) { r.Tokenized, r.Destination = true, "openai/us" }); sent.Tokens != 4 {
		t.Errorf("sent: %+v", sent)
	}
	for name, none := range map[string]func(*vault.AssessRequest){
		"actor":       func(r *vault.AssessRequest) { r.Actor = "gw-2" },
		"client":      func(r *vault.AssessRequest) { r.Client = "gw-2" },
		"reason":      func(r *vault.AssessRequest) { r.Reason = "FRAUD_REVIEW" },
		"entity":      func(r *vault.AssessRequest) { r.Entity = "PERSON" },
		"destination": func(r *vault.AssessRequest) { r.Tokenized, r.Destination = true, "anthropic/eu" },
		"time":        func(r *vault.AssessRequest) { r.To = from.Add(time.Minute) },
	} {
		if got := assess(none); got.Entries != 0 {
			t.Errorf("another %s: %+v", name, got)
		}
	}

	opened := must2(v.Service.OpenIncident(ctx, officer(), vault.IncidentRequest{Reference: "INC-1", AwareAt: v.Clock.Now().Add(-time.Hour)}))(t).Incident
	if !opened.AuthorityDueAt.Equal(opened.AwareAt.Add(72*time.Hour)) || !opened.PersonsDueAt.Equal(opened.AwareAt.AddDate(0, 0, 60)) {
		t.Errorf("clocks: %+v", opened)
	}
	if _, err := v.Service.CloseIncident(ctx, officer(), opened.ID, vault.OutcomeNotified, "END-1"); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("closed as notified while nobody was: %v", err)
	}
	v.Clock.Advance(71*time.Hour + time.Second)
	if got := must2(v.Service.Incident(ctx, v.Auditor(), opened.ID))(t); !got.AuthorityOverdue || got.PersonsOverdue {
		t.Errorf("after 72 hours: %+v", got)
	}
	must2(v.Service.NoteIncident(ctx, officer(), opened.ID, vault.IncidentAuthorityNotified, "LETTER-1"))(t)
	closed := must2(v.Service.CloseIncident(ctx, officer(), opened.ID, vault.OutcomeNotified, "END-1"))(t).Incident
	if closed.ClosedAt.IsZero() || len(closed.Events) != 1 || !closed.AuthorityOverdue || closed.PersonsOverdue {
		t.Errorf("closed: %+v", closed)
	}
}

// TestExposure: what each destination has had, and would have in clear.
func TestExposure(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Destinations: []string{"openai/us", "anthropic/eu"}, Text: vaulttest.Ptr("jane@example.com on 2026-04-01"),
	}))(t)
	got := must2(v.Service.Exposure(ctx, v.Auditor()))(t)
	by := make(map[string]vault.DestinationExposure)
	for _, e := range got {
		by[e.Name] = e
	}
	eu := by["anthropic/eu"]
	if len(eu.Sent) == 0 || eu.Sent[0].Mappings == 0 || eu.DPA == nil || !eu.DPA.InForce || !slices.Contains(eu.InClear, "DATE_TIME") {
		t.Errorf("anthropic/eu: %+v", eu)
	}
	if us := by["openai/us"]; len(us.Sent) != len(eu.Sent) || len(us.InClear) > 0 {
		t.Errorf("openai/us: %+v", us)
	}
	v.Clock.Advance(3 * 365 * 24 * time.Hour)
	for _, e := range must2(v.Service.Exposure(ctx, v.Auditor()))(t) {
		if e.Name == "anthropic/eu" && (e.DPA.InForce || len(e.InClear) > 0) {
			t.Errorf("after its agreement: %+v", e)
		}
	}
}

// TestAccessReview: a decision about every right, and no other.
func TestAccessReview(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	must2(llm(v, v.Gateway(), "chat", email))(t)
	matrix := must2(v.Service.PolicyMatrix(ctx, v.Auditor()))(t)
	var decisions []vault.AccessReviewDecision
	seen, used := make(map[string]bool), 0
	for _, line := range matrix.Lines {
		if line.Uses > 0 {
			used++
			if line.Reason != "LLM_RESPONSE" || line.Class != "confidential" || line.LastUsed.IsZero() {
				t.Errorf("used: %+v", line)
			}
		}
		if !seen[line.Rule] {
			seen[line.Rule] = true
			decisions = append(decisions, vault.AccessReviewDecision{Rule: line.Rule, Decision: "keep"})
		}
	}
	if used != 1 {
		t.Errorf("%d rights were used, want 1", used)
	}
	review := vault.AccessReviewRequest{From: v.Clock.Now().Add(-time.Hour), To: v.Clock.Now(), Reference: "REVIEW-1", Decisions: decisions[1:]}
	_, err := v.Service.RecordAccessReview(ctx, v.Auditor(), review)
	wantViolation(t, err, "/decisions")
	review.Decisions = decisions
	must2(v.Service.RecordAccessReview(ctx, v.Auditor(), review))(t)
	if got := must2(v.Service.AccessReviews(ctx, v.Auditor(), vault.ProceedingListRequest{}))(t).Reviews; len(got) != 1 || len(got[0].Decisions) != len(decisions) || got[0].PolicyVersion != matrix.PolicyVersion {
		t.Errorf("reviews: %+v", got)
	}
}

// TestNotices: what is loud is queued in the commit, delivered at least once, and
// holds no value.
func TestNotices(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS), notifying())
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	must2(detokenized(v, onCall("rob"), "BREAK_GLASS", "", email))(t)
	must2(llm(v, v.Gateway(), "chat", email))(t) // not loud
	must2(v.Service.RequestRestoration(ctx, staff("rob"), asked(email)))(t)
	var sent []vault.Notice
	send := func(done bool) {
		t.Helper()
		sent = nil
		if _, err := v.Service.SendNotices(ctx, "acme", func(_ context.Context, _ string, n vault.Notice) vault.Delivery {
			sent = append(sent, n)
			return vault.Delivery{Done: done, Again: v.Clock.Now().Add(time.Minute)}
		}); err != nil {
			t.Fatal(err)
		}
	}
	send(false)
	if len(sent) != 2 || sent[0].Kind != string(audit.KindRestore) || sent[1].Kind != string(audit.KindApprovalRequest) {
		t.Fatalf("queued: %+v", sent)
	}
	for _, n := range sent {
		if strings.Contains(string(n.Body), "jane") || strings.Contains(string(n.Body), "EMAIL_ADDRESS_") {
			t.Errorf("a notice tells a value or a token: %s", n.Body)
		}
	}
	if send(true); len(sent) != 0 {
		t.Errorf("before its time: %+v", sent)
	}
	v.Clock.Advance(time.Minute)
	if send(true); len(sent) != 2 || sent[0].Attempts != 1 {
		t.Errorf("again: %+v", sent)
	}
	v.Clock.Advance(time.Hour)
	if send(true); len(sent) != 0 {
		t.Errorf("delivered, and once more: %+v", sent)
	}
}
