package vault_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/authz"
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
