package vault_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func counsel() vault.Call { return vaulttest.Call("lea", "legal") }

func holdRequest(match vault.HoldWords) vault.HoldRequest {
	return vault.HoldRequest{Matter: "M-2026-17", Reference: "ORDER-4", Match: match}
}

func place(t *testing.T, v *vaulttest.Vault, match vault.HoldWords) vault.HoldInfo {
	t.Helper()
	got := must2(v.Service.PlaceHold(context.Background(), counsel(), holdRequest(match)))(t)
	return *got.Hold
}

// about tokenizes a value about somebody.
func about(t *testing.T, v *vaulttest.Vault, scope, subject, entity, value string) string {
	t.Helper()
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: scope, Subject: subject, Values: []vault.Value{{Entity: entity, Value: value}},
	})
	return must(t, got, err).Values[0]
}

// discover asks as counsel does.
func discover(t *testing.T, v *vaulttest.Vault, scope, text string) vault.DetokenizeResult {
	t.Helper()
	return must2(v.Service.Detokenize(context.Background(), counsel(), vault.DetokenizeRequest{
		Scope: scope, Reason: vault.ReasonGiven{Code: "LEGAL_DISCOVERY", Reference: "MATTER-1"}, Text: &text,
	}))(t)
}

func sweep(t *testing.T, v *vaulttest.Vault) {
	t.Helper()
	if err := v.Worker.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestInvariant7_HeldUntilReleased: what a hold matches outlives its time for
// the reasons that reach it, and for no other; once it is released the sweep
// destroys it, and nobody can tell it from what never was.
func TestInvariant7_HeldUntilReleased(t *testing.T) {
	for name, match := range map[string]vault.HoldWords{
		"subject":    {Subjects: []string{"crm:jane"}},
		"identifier": {Identifiers: []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: " JANE@Example.com"}}},
		"scope":      {Scopes: []string{"chat"}, Entities: []string{"EMAIL_ADDRESS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := vaulttest.New(t)
			kept := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
			other := about(t, v, "chat", "crm:john", "PHONE_NUMBER", "+1 212 555 0187")
			hold := place(t, v, match)
			v.Clock.Advance(40 * 24 * time.Hour) // the scope is over, too
			sweep(t, v)
			if got := discover(t, v, "chat", kept); *got.Text != "jane@example.com" {
				t.Fatalf("counsel got %q, %v", *got.Text, statuses(got))
			}
			if got := discover(t, v, "chat", other); *got.Text != other || statuses(got)[0] != vault.StatusUnknown {
				t.Errorf("what was not held is %v", statuses(got))
			}
			got := must2(llm(v, v.Gateway(), "chat", kept))(t)
			if *got.Text != kept || statuses(got)[0] != vault.StatusUnknown {
				t.Errorf("a gateway got %v", statuses(got))
			}
			must2(v.Service.ReleaseHold(context.Background(), counsel(), hold.ID, "ORDER-5", ""))(t)
			if got := discover(t, v, "chat", kept); *got.Text != kept || statuses(got)[0] != vault.StatusExpired {
				t.Errorf("released: %q %v", *got.Text, statuses(got))
			}
			sweep(t, v)
			if got := discover(t, v, "chat", kept); statuses(got)[0] != vault.StatusUnknown {
				t.Errorf("swept: %v", statuses(got))
			}
		})
	}
}

// TestHeldAndExpiredInALivingScope: the gateway is told that the token expired,
// as without the hold; also after the value was tokenized again.
func TestHeldAndExpiredInALivingScope(t *testing.T) {
	v := vaulttest.New(t)
	kept := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	place(t, v, vault.HoldWords{Subjects: []string{"crm:jane"}})
	v.Clock.Advance(25 * time.Hour)
	if got := must2(llm(v, v.Gateway(), "chat", kept))(t); statuses(got)[0] != vault.StatusExpired {
		t.Errorf("expired: %v", statuses(got))
	}
	again := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	sweep(t, v)
	if again == kept {
		t.Fatal("an expired token was revived")
	}
	if got := discover(t, v, "chat", kept+" "+again); *got.Text != "jane@example.com jane@example.com" {
		t.Errorf("counsel got %q, %v", *got.Text, statuses(got))
	}
	text := "write to " + kept
	if out := must2(v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &text}))(t); strings.Contains(*out.Text, kept) {
		t.Error("a token that is over was kept in a text")
	}
}

// TestPlacingIsAnEntry: the entry names the hold and says nothing of whom it is
// about; a second request under the same idempotency key places no second hold.
func TestPlacingIsAnEntry(t *testing.T) {
	v := vaulttest.New(t)
	ctx, from := context.Background(), head(t, v)
	req := holdRequest(vault.HoldWords{Subjects: []string{"crm:jane", "crm:jane"}, Classes: []string{"restricted"}})
	call := keyed(counsel(), "key-1", "body")
	first := must2(v.Service.PlaceHold(ctx, call, req))(t)
	e := one(t, v, from)
	if e.Kind != audit.KindHoldPlace || e.Reference != "ORDER-4" || !slices.Equal(e.HoldIDs, []string{first.Hold.ID}) ||
		e.Counts["subjects"] != 1 || e.Counts["classes"] != 1 || e.Actor != "lea" || e.Decision != audit.Allow {
		t.Errorf("the entry is %+v", e)
	}
	if first.Audit == nil || first.Audit.Index != from || first.Hold.Matter != "M-2026-17" || first.Hold.Subjects != 1 {
		t.Errorf("the answer is %+v of %+v", first.Audit, first.Hold)
	}
	again := must2(v.Service.PlaceHold(ctx, call, req))(t)
	if again.Hold.ID != first.Hold.ID || again.Audit == nil || again.Audit.Index != first.Audit.Index || head(t, v) != from+1 {
		t.Errorf("again: %+v", again.Hold)
	}
	released := keyed(counsel(), "key-2", "body")
	done := must2(v.Service.ReleaseHold(ctx, released, first.Hold.ID, "ORDER-5", ""))(t)
	if done.Hold.ReleasedAt.IsZero() || one(t, v, from+1).Kind != audit.KindHoldRelease {
		t.Errorf("released: %+v", done.Hold)
	}
	if repeated := must2(v.Service.ReleaseHold(ctx, released, first.Hold.ID, "ORDER-5", ""))(t); repeated.Audit.Index != done.Audit.Index {
		t.Errorf("released again under another entry: %+v", repeated.Audit)
	}
	if _, err := v.Service.ReleaseHold(ctx, counsel(), first.Hold.ID, "ORDER-5", ""); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("releasing what was released: %v", err)
	}
	if _, err := v.Service.ReviewHold(ctx, counsel(), first.Hold.ID, v.Clock.Now().Add(time.Hour)); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("reviewing what was released: %v", err)
	}
	if _, err := v.Service.ReleaseHold(ctx, counsel(), vault.NewID(), "ORDER-5", ""); vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("releasing what never was: %v", err)
	}
}

// TestDryRunOfAHold places nothing, counts, and is recorded as a search.
func TestDryRunOfAHold(t *testing.T) {
	v := vaulttest.New(t)
	about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	v.Clock.Advance(25 * time.Hour)
	about(t, v, "call", "crm:jane", "PHONE_NUMBER", "+1 212 555 0187")
	from := head(t, v)
	req := holdRequest(vault.HoldWords{Subjects: []string{"crm:jane"}})
	req.DryRun = true
	got := must2(v.Service.PlaceHold(context.Background(), counsel(), req))(t)
	if r := got.Reach; got.Hold != nil || r == nil || r.Mappings != 2 || r.Expired != 1 || r.Scopes != 2 || r.Subjects != 1 || r.Entities["PHONE_NUMBER"] != 1 {
		t.Errorf("the hold would reach %+v", r)
	}
	if e := one(t, v, from); e.Kind != audit.KindSubjectSearch || e.Reference != "ORDER-4" {
		t.Errorf("the entry is %+v", e)
	}
	sweep(t, v)
	if page := must2(v.Service.Holds(context.Background(), counsel(), vault.HoldListRequest{}))(t); len(page.Holds) != 0 {
		t.Error("a dry run placed a hold")
	}
}

func TestHoldsAreListedAndReviewed(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	var ids []string
	for range 3 {
		ids = append(ids, place(t, v, vault.HoldWords{Subjects: []string{"crm:jane"}}).ID)
		v.Clock.Advance(time.Minute)
	}
	must2(v.Service.ReleaseHold(ctx, counsel(), ids[1], "ORDER-5", ""))(t)
	due := v.Clock.Now().Add(90 * 24 * time.Hour)
	reviewed := must2(v.Service.ReviewHold(ctx, counsel(), ids[0], due))(t)
	if !reviewed.Hold.ReviewBy.Equal(due) {
		t.Errorf("to be reviewed by %s, want %s", reviewed.Hold.ReviewBy, due)
	}
	first := must2(v.Service.Holds(ctx, v.Auditor(), vault.HoldListRequest{Limit: 2}))(t)
	second := must2(v.Service.Holds(ctx, v.Auditor(), vault.HoldListRequest{Limit: 2, Cursor: first.Next}))(t)
	var listed []string
	for _, h := range append(first.Holds, second.Holds...) {
		listed = append(listed, h.ID)
	}
	if want := []string{ids[2], ids[1], ids[0]}; !slices.Equal(listed, want) || second.Next != "" {
		t.Errorf("listed %v, want %v", listed, want)
	}
	standing := must2(v.Service.Holds(ctx, counsel(), vault.HoldListRequest{Standing: true}))(t)
	if len(standing.Holds) != 2 {
		t.Errorf("%d stand, want 2", len(standing.Holds))
	}
	about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	if one := must2(v.Service.Hold(ctx, counsel(), ids[0]))(t); one.Reach == nil || one.Reach.Mappings != 1 {
		t.Errorf("the hold reaches %+v", one.Reach)
	}
}

// TestExistingOnly: what comes after the hold is not held.
func TestExistingOnly(t *testing.T) {
	v := vaulttest.New(t)
	before := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	req := holdRequest(vault.HoldWords{Subjects: []string{"crm:jane"}})
	req.ExistingOnly = true
	hold := must2(v.Service.PlaceHold(context.Background(), counsel(), req))(t)
	v.Clock.Advance(time.Second)
	after := about(t, v, "chat", "crm:jane", "PHONE_NUMBER", "+1 212 555 0187")
	v.Clock.Advance(25 * time.Hour)
	sweep(t, v)
	if got := discover(t, v, "chat", before+" "+after); *got.Text != "jane@example.com "+after {
		t.Errorf("counsel got %q", *got.Text)
	}
	if one := must2(v.Service.Hold(context.Background(), counsel(), hold.Hold.ID))(t); one.Reach.Mappings != 1 || !one.Hold.To.IsZero() {
		t.Errorf("the hold reaches %+v until %s", one.Reach, one.Hold.To)
	}
}

// TestInvariant10_HoldsAreForCounsel: others are refused, and the refusal is
// an entry.
func TestInvariant10_HoldsAreForCounsel(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	id := place(t, v, vault.HoldWords{Subjects: []string{"crm:jane"}}).ID
	for _, role := range []string{"gateway", "restorer", "approver", "privacy_officer", "auditor", "operator"} {
		call := vaulttest.Call("u-"+role, role)
		for action, ask := range map[string]func() error{
			"hold_place": func() error {
				_, err := v.Service.PlaceHold(ctx, call, holdRequest(vault.HoldWords{Subjects: []string{"crm:jane"}}))
				return err
			},
			"hold_release": func() error { _, err := v.Service.ReleaseHold(ctx, call, id, "ORDER-5", ""); return err },
		} {
			from := head(t, v)
			if err := ask(); vault.CodeOf(err) != vault.CodeDenied {
				t.Errorf("%s: %s: %v", role, action, err)
			}
			if e := one(t, v, from); e.Decision != audit.Deny || e.Code != "denied:"+action {
				t.Errorf("%s: %s: the entry is %+v", role, action, e)
			}
		}
		if role == "auditor" {
			continue
		}
		if _, err := v.Service.Holds(ctx, call, vault.HoldListRequest{}); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%s lists holds: %v", role, err)
		}
	}
}

func TestHoldRequestsAreChecked(t *testing.T) {
	v := vaulttest.New(t)
	jane := vault.HoldWords{Subjects: []string{"crm:jane"}}
	for field, spoil := range map[string]func(*vault.HoldRequest){
		"/matter":                     func(r *vault.HoldRequest) { r.Matter = "" },
		"/reference":                  func(r *vault.HoldRequest) { r.Reference = "Jane Doe v. Acme" },
		"/custodian":                  func(r *vault.HoldRequest) { r.Custodian = "jane@example.com" },
		"/review_by":                  func(r *vault.HoldRequest) { r.ReviewBy = v.Clock.Now() },
		"/match":                      func(r *vault.HoldRequest) { r.Match = vault.HoldWords{} },
		"/match/to":                   func(r *vault.HoldRequest) { r.Match.From, r.Match.To = v.Clock.Now(), v.Clock.Now() },
		"/match/subjects/1":           func(r *vault.HoldRequest) { r.Match.Subjects = []string{"a", ""} },
		"/match/scopes/0":             func(r *vault.HoldRequest) { r.Match.Scopes = []string{"a\x00"} },
		"/match/entities/0":           func(r *vault.HoldRequest) { r.Match.Entities = []string{"SHOE_SIZE"} },
		"/match/classes/0":            func(r *vault.HoldRequest) { r.Match.Classes = []string{"secret"} },
		"/match/identifiers/0/entity": func(r *vault.HoldRequest) { r.Match.Identifiers = []vault.Identifier{{Entity: "X", Value: "x"}} },
		"/match/identifiers/0/value":  func(r *vault.HoldRequest) { r.Match.Identifiers = []vault.Identifier{{Entity: "PERSON"}} },
	} {
		req := holdRequest(jane)
		spoil(&req)
		from := head(t, v)
		_, err := v.Service.PlaceHold(context.Background(), counsel(), req)
		wantField(t, err, field)
		if head(t, v) != from {
			t.Errorf("%s: something was written", field)
		}
	}
	many := holdRequest(vault.HoldWords{Entities: slices.Repeat([]string{"PERSON"}, vault.MaxHoldTerms+1)})
	_, err := v.Service.PlaceHold(context.Background(), counsel(), many)
	wantField(t, err, "/match")
}
