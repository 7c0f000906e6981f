package vault_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func checked(v *vaulttest.Vault) vault.IdentityCheck {
	return vault.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: v.Clock.Now()}
}

func intake(v *vaulttest.Vault, kind vault.RequestKind, subject string) vault.IntakeRequest {
	identity := checked(v)
	return vault.IntakeRequest{Kind: kind, Regime: "gdpr", Subject: subject, Reference: "DSAR-31", Identity: &identity}
}

func opened(t *testing.T, v *vaulttest.Vault, req vault.IntakeRequest) vault.RequestInfo {
	t.Helper()
	return must2(v.Service.OpenSubjectRequest(context.Background(), officer(), req))(t).Request
}

// TestRequestLife: from a letter that names nobody to the answer, each step with
// its entry, which names the request and nobody.
func TestRequestLife(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	from := head(t, v)
	received := v.Clock.Now().Add(-48 * time.Hour)
	r := opened(t, v, vault.IntakeRequest{Kind: vault.RequestAccess, Regime: "gdpr", Reference: "DSAR-31", ReceivedAt: received})
	if r.Status != vault.StateReceived || !r.ReceivedAt.Equal(received) || !r.DueAt.Equal(received.AddDate(0, 1, 0)) || r.Named || r.Identity != nil {
		t.Fatalf("opened: %+v", r)
	}
	identify := vault.IdentifyRequest{Identity: checked(v)}
	if _, err := v.Service.IdentifyRequest(ctx, officer(), r.ID, identify); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("an identity of nobody: %v", err)
	}
	identify.Subject = "crm:jane"
	steps := []struct {
		code string
		take func() (vault.RequestResult, error)
		want vault.RequestState
	}{
		{"identity", func() (vault.RequestResult, error) { return v.Service.IdentifyRequest(ctx, officer(), r.ID, identify) }, vault.StateOpen},
		{"assign", func() (vault.RequestResult, error) { return v.Service.AssignRequest(ctx, officer(), r.ID, "paul") }, vault.StateOpen},
		{"note", func() (vault.RequestResult, error) {
			return v.Service.NoteOnRequest(ctx, officer(), r.ID, "Jane called: she means the old account.")
		}, vault.StateOpen},
		{"extend", func() (vault.RequestResult, error) { return v.Service.ExtendRequest(ctx, officer(), r.ID, "LETTER-2") }, vault.StateOpen},
		{"complete", func() (vault.RequestResult, error) { return v.Service.CompleteRequest(ctx, officer(), r.ID, false) }, vault.StateCompleted},
	}
	for _, step := range steps {
		v.Clock.Advance(time.Minute)
		if got := must2(step.take())(t); got.Request.Status != step.want || got.Audit == nil {
			t.Errorf("%s: %+v", step.code, got.Request)
		}
	}
	entries := entriesFrom(t, v, from)
	if len(entries) != 1+len(steps) || entries[0].Kind != audit.KindRequestOpen || entries[0].Code != "access" || entries[0].ChangeID != r.ID {
		t.Fatalf("%d entries, the first %+v", len(entries), entries[0])
	}
	for i, step := range steps {
		e := entries[i+1]
		if e.Kind != audit.KindRequestChange || e.Code != step.code || e.Obligations[0] != "request:"+r.ID || e.Actor != "pia" || e.Reference != "DSAR-31" {
			t.Errorf("%s: the entry is %+v", step.code, e)
		}
		if noted := step.code == "note"; noted != (e.NoteDigest != "") {
			t.Errorf("%s: the entry's note digest is %q", step.code, e.NoteDigest)
		}
	}
	info := must2(v.Service.SubjectRequest(ctx, v.Auditor(), r.ID))(t)
	if !info.Extended || !info.DueAt.Equal(received.AddDate(0, 3, 0)) || info.Assignee != "paul" || info.Named || info.ClosedAt.IsZero() || info.Overdue {
		t.Errorf("closed: %+v", info)
	}
	for _, step := range steps {
		if _, err := step.take(); vault.CodeOf(err) != vault.CodeConflict {
			t.Errorf("%s of a closed request: %v", step.code, err)
		}
	}
}

// TestRequestNotes: what was written is sealed, and reading it is an entry.
func TestRequestNotes(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	r := opened(t, v, intake(v, vault.RequestAccess, "crm:jane"))
	texts := []string{"Jane called.", "Paul asks counsel."}
	for _, text := range texts {
		v.Clock.Advance(time.Second)
		must2(v.Service.NoteOnRequest(ctx, officer(), r.ID, text))(t)
	}
	for _, role := range []string{"auditor", "legal", "gateway", "restorer"} {
		if _, err := v.Service.NotesOfRequest(ctx, vaulttest.Call("x", role), r.ID); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%s reads notes: %v", role, err)
		}
	}
	from := head(t, v)
	got := must2(v.Service.NotesOfRequest(ctx, officer(), r.ID))(t)
	if len(got.Notes) != 2 || got.Notes[0].Text != texts[0] || got.Notes[1].Text != texts[1] || got.Notes[0].Author != "pia" {
		t.Errorf("the notes are %+v", got.Notes)
	}
	if e := one(t, v, from); e.Kind != audit.KindSubjectSearch || e.Code != "notes" || e.Counts["notes"] != 2 {
		t.Errorf("the entry is %+v", e)
	}
}

// TestIntakeIsStrict: each field has its rule, and nothing is written where one is
// broken.
func TestIntakeIsStrict(t *testing.T) {
	v := vaulttest.New(t)
	from := head(t, v)
	for field, spoil := range map[string]func(*vault.IntakeRequest){
		"/kind":                 func(r *vault.IntakeRequest) { r.Kind = "rectification" },
		"/regime":               func(r *vault.IntakeRequest) { r.Regime = "lgpd" },
		"/reference":            func(r *vault.IntakeRequest) { r.Reference = "" },
		"/assignee":             func(r *vault.IntakeRequest) { r.Assignee = "Jane Doe" },
		"/subject":              func(r *vault.IntakeRequest) { r.Subject = "" },
		"/received_at":          func(r *vault.IntakeRequest) { r.ReceivedAt = v.Clock.Now().Add(time.Hour) },
		"/identity/method":      func(r *vault.IntakeRequest) { r.Identity.Method = "" },
		"/identity/verified_by": func(r *vault.IntakeRequest) { r.Identity.VerifiedBy = "pia@example.com" },
		"/identity/at":          func(r *vault.IntakeRequest) { r.Identity.At = time.Time{} },
	} {
		req := intake(v, vault.RequestErasure, "crm:jane")
		spoil(&req)
		_, err := v.Service.OpenSubjectRequest(context.Background(), officer(), req)
		wantViolation(t, err, field)
	}
	if made := entriesFrom(t, v, from); len(made) != 0 {
		t.Errorf("%d entries", len(made))
	}
	for _, role := range []string{"auditor", "legal", "gateway", "restorer", "operator", "approver"} {
		if _, err := v.Service.OpenSubjectRequest(context.Background(), vaulttest.Call("x", role), intake(v, vault.RequestErasure, "crm:jane")); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%s opens a request: %v", role, err)
		}
	}
}

// TestExecuteErasure: a request that waited is erased under its own id, once its
// subject is said again; the preview holds, and the answer is of the request.
func TestExecuteErasure(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	tokens := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})
	waiting := intake(v, vault.RequestErasure, "crm:jane")
	waiting.Identity = nil
	r := opened(t, v, waiting)
	if r.Status != vault.StateAwaitingIdentity {
		t.Fatalf("opened: %+v", r)
	}
	execute := vault.ExecuteRequest{ConfirmSubject: "crm:jane", Suppress: "none"}
	if _, err := v.Service.ExecuteErasure(ctx, officer(), r.ID, execute); vault.CodeOf(err) != vault.CodeConflict {
		t.Fatalf("erased without an identity: %v", err)
	}
	must2(v.Service.IdentifyRequest(ctx, officer(), r.ID, vault.IdentifyRequest{Identity: checked(v)}))(t)
	wrong := execute
	wrong.ConfirmSubject = "crm:john"
	_, err := v.Service.ExecuteErasure(ctx, officer(), r.ID, wrong)
	wantViolation(t, err, "/confirm_subject")
	dry := must2(v.Service.ExecuteErasure(ctx, officer(), r.ID, vault.ExecuteRequest{DryRun: true}))(t)
	if len(dry.Parts) != 1 || dry.Parts[0].Erased != 1 || dry.Request != nil {
		t.Fatalf("the dry run: %+v", dry)
	}
	together(t, v, "other", vault.Value{Entity: "PHONE_NUMBER", Value: "+1 212 555 0187", Subject: "crm:jane"})
	execute.PreviewID = dry.PreviewID
	if _, err := v.Service.ExecuteErasure(ctx, officer(), r.ID, execute); vault.CodeOf(err) != vault.CodeConflict {
		t.Fatalf("erased more than was shown: %v", err)
	}
	execute.PreviewID = must2(v.Service.ExecuteErasure(ctx, officer(), r.ID, vault.ExecuteRequest{DryRun: true}))(t).PreviewID
	done := must2(v.Service.ExecuteErasure(ctx, officer(), r.ID, execute))(t)
	if done.Request.ID != r.ID || done.Request.Status != vault.StateCompleted || done.Erasure.ID != r.ID || done.Erasure.Counts.Erased != 2 {
		t.Errorf("erased: %+v %+v", done.Request, done.Erasure)
	}
	if got := must2(llm(v, v.Gateway(), "chat", tokens[0]))(t); *got.Text != tokens[0] {
		t.Errorf("%q is restored", *got.Text)
	}
	receipt := must2(v.Service.ErasureReceipt(ctx, officer(), r.ID))(t)
	entry := must2(audit.ParseLeaf(receipt.Leaf))(t)
	if entry.Kind != audit.KindErase || entry.Obligations[0] != "request:"+r.ID || strings.Contains(string(receipt.Leaf), "jane") {
		t.Errorf("the receipt's entry: %s", receipt.Leaf)
	}
}

// TestEraseByIdentifiers: what nobody was named with is erased by what the person
// is known by; what is tied to somebody is that subject's request to make.
func TestEraseByIdentifiers(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	token := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"})[0]
	neighbour := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "john@example.com"})[0]
	req := erasure(v, "")
	req.Identifiers = []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: "Jane@Example.com"}}
	dry := req
	dry.DryRun = true
	seen := must2(v.Service.EraseSubject(ctx, officer(), dry))(t)
	if len(seen.Parts) != 1 || seen.Parts[0].Erased != 1 {
		t.Fatalf("the dry run: %+v", seen)
	}
	req.PreviewID = seen.PreviewID
	done := must2(v.Service.EraseSubject(ctx, officer(), req))(t)
	if done.Erasure.Counts.Erased != 1 || done.Request.Status != vault.StateCompleted {
		t.Errorf("erased: %+v", done.Erasure)
	}
	if got := *must2(llm(v, v.Gateway(), "chat", token+" "+neighbour))(t).Text; got != token+" john@example.com" {
		t.Errorf("restored: %q", got)
	}
	together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})
	if _, err := v.Service.EraseSubject(ctx, officer(), req); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("erased what is somebody's: %v", err)
	}
	req.PreviewID = ""
	req.Identifiers = []vault.Identifier{{Entity: "PERSON", Value: "Jane Doe"}}
	_, err := v.Service.EraseSubject(ctx, officer(), req)
	wantViolation(t, err, "/preview_id")
}

// TestRestriction: from the commit on only reasons that reach restricted data
// restore it; lifting gives it back, and so does refusing an objection.
func TestRestriction(t *testing.T) {
	for _, tt := range []struct {
		kind vault.RequestKind
		end  func(*vaulttest.Vault, string) (vault.RequestResult, error)
		want vault.RequestState
		back bool
	}{
		{vault.RequestRestriction, func(v *vaulttest.Vault, id string) (vault.RequestResult, error) {
			return v.Service.LiftRestriction(context.Background(), officer(), id)
		}, vault.StateCompleted, true},
		{vault.RequestObjection, func(v *vaulttest.Vault, id string) (vault.RequestResult, error) {
			return v.Service.RefuseRequest(context.Background(), officer(), id, vault.RefusedGrounds)
		}, vault.StateRefused, true},
		{vault.RequestObjection, func(v *vaulttest.Vault, id string) (vault.RequestResult, error) {
			return v.Service.WithdrawRequest(context.Background(), officer(), id)
		}, vault.StateWithdrawn, true},
		{vault.RequestObjection, func(v *vaulttest.Vault, id string) (vault.RequestResult, error) {
			return v.Service.CompleteRequest(context.Background(), officer(), id, false)
		}, vault.StateCompleted, false},
	} {
		v := vaulttest.New(t)
		token := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})[0]
		neighbour := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "john@example.com", Subject: "crm:john"})[0]
		r := opened(t, v, intake(v, tt.kind, "crm:jane"))
		got := must2(v.Service.RestrictSubject(context.Background(), officer(), r.ID, vault.ExecuteRequest{ConfirmSubject: "crm:jane"}))(t)
		if got.Restricted != 1 || got.Request.Status != vault.StateRunning {
			t.Fatalf("restricted: %+v", got)
		}
		text := token + " " + neighbour
		if got := *must2(llm(v, v.Gateway(), "chat", text))(t).Text; got != token+" john@example.com" {
			t.Errorf("while it is restricted: %q", got)
		}
		if got := *subjectAccess(t, v, "chat", text).Text; got != "jane@example.com john@example.com" {
			t.Errorf("for the person, while it is restricted: %q", got)
		}
		ended := must2(tt.end(v, r.ID))(t)
		want := token
		if tt.back {
			want = "jane@example.com"
		}
		if got := *must2(llm(v, v.Gateway(), "chat", token))(t).Text; got != want || ended.Request.Status != tt.want {
			t.Errorf("%s %s: %q", tt.kind, ended.Request.Status, got)
		}
	}
}

// TestRequestSummary counts by kind and regime, what was late and what refused.
func TestRequestSummary(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	start := v.Clock.Now().Add(-time.Hour)
	late := opened(t, v, intake(v, vault.RequestAccess, "crm:jane"))
	refused := opened(t, v, intake(v, vault.RequestAccess, "crm:john"))
	must2(v.Service.RefuseRequest(ctx, officer(), refused.ID, vault.RefusedExcessive))(t)
	erase(t, v, "crm:joe")
	v.Clock.Advance(40 * 24 * time.Hour)
	must2(v.Service.CompleteRequest(ctx, officer(), late.ID, true))(t)
	got := must2(v.Service.RequestSummary(ctx, v.Auditor(), start, v.Clock.Now()))(t)
	if len(got.Lines) != 2 || got.More {
		t.Fatalf("the summary is %+v", got)
	}
	access := got.Lines[0]
	if access.Kind != vault.RequestAccess || access.Received != 2 || access.ByStatus[vault.StatePartial] != 1 || access.Refused[vault.RefusedExcessive] != 1 ||
		access.Overdue != 1 || access.LongestDays < 40 || access.MedianDays < 20 || access.MedianDays > 21 {
		t.Errorf("access: %+v", access)
	}
	if e := got.Lines[1]; e.Kind != vault.RequestErasure || e.ByStatus[vault.StateCompleted] != 1 || e.Overdue != 0 {
		t.Errorf("erasure: %+v", e)
	}
}

// TestNothingIsLifted: a restriction that was never made is not lifted.
func TestNothingIsLifted(t *testing.T) {
	v := vaulttest.New(t)
	r := opened(t, v, intake(v, vault.RequestRestriction, "crm:jane"))
	if _, err := v.Service.LiftRestriction(context.Background(), officer(), r.ID); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("lifted: %v", err)
	}
	if got := must2(v.Service.CompleteRequest(context.Background(), officer(), r.ID, false))(t); got.Request.Status != vault.StateCompleted {
		t.Errorf("there is nothing to restrict: %+v", got.Request)
	}
}

// TestHoldOnADestination: one that nobody knows is a mistake of writing; one that
// the policy knows is held before anything was sent there.
func TestHoldOnADestination(t *testing.T) {
	v := vaulttest.New(t)
	_, err := v.Service.PlaceHold(context.Background(), counsel(), holdRequest(vault.HoldWords{Destinations: []string{"openai/usa"}}))
	wantViolation(t, err, "/match/destinations/0")
	_, err = v.Service.PlaceHold(context.Background(), counsel(), holdRequest(vault.HoldWords{Destinations: []string{"Not One"}}))
	wantViolation(t, err, "/match/destinations/0")
	held := place(t, v, vault.HoldWords{Destinations: []string{"openai/us"}})
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Destination: "openai/us", Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}},
	})
	must(t, got, err)
	if reach := must2(v.Service.Hold(context.Background(), counsel(), held.ID))(t).Reach; reach.Mappings != 1 {
		t.Errorf("the hold reaches %+v", reach)
	}
}

// TestInvariant7_DeferredRequest: what a hold keeps defers the request, which is
// neither refused nor withdrawn then, and is completed by itself.
func TestInvariant7_DeferredRequest(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	token := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})[0]
	held := place(t, v, vault.HoldWords{Subjects: []string{"crm:jane"}})
	r := opened(t, v, intake(v, vault.RequestErasure, "crm:jane"))
	done := must2(v.Service.ExecuteErasure(ctx, officer(), r.ID, vault.ExecuteRequest{ConfirmSubject: "crm:jane"}))(t)
	if done.Request.Status != vault.StateDeferred || done.Erasure.Counts.Deferred != 1 || !done.Erasure.ExpectedFinalAt.IsZero() {
		t.Fatalf("erased: %+v %+v", done.Request, done.Erasure)
	}
	if got := must2(llm(v, v.Gateway(), "chat", token))(t); *got.Text != token {
		t.Errorf("while it is deferred %q is restored", *got.Text)
	}
	if _, err := v.Service.WithdrawRequest(ctx, officer(), r.ID); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("withdrawn: %v", err)
	}
	v.Clock.Advance(60 * 24 * time.Hour)
	if info := must2(v.Service.SubjectRequest(ctx, officer(), r.ID))(t); info.Overdue || info.Status != vault.StateDeferred {
		t.Errorf("while it is deferred: %+v", info)
	}
	must2(v.Service.ReleaseHold(ctx, counsel(), held.ID, "ORDER-5", ""))(t)
	if err := v.Worker.ResumeErasures(ctx); err != nil {
		t.Fatal(err)
	}
	info := must2(v.Service.SubjectRequest(ctx, officer(), r.ID))(t)
	if info.Status != vault.StateCompleted || info.Overdue || info.ClosedAt.IsZero() || info.Named || info.Erasure.CompletedAt.IsZero() || info.Erasure.ExpectedFinalAt.IsZero() {
		t.Errorf("after the release: %+v %+v", info, info.Erasure)
	}
}

// TestRestrictedTwice: what two requests restrict is restored once both are over,
// and never where one was an objection that was upheld.
func TestRestrictedTwice(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	token := together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})[0]
	restrict := func(kind vault.RequestKind) string {
		t.Helper()
		r := opened(t, v, intake(v, kind, "crm:jane"))
		must2(v.Service.RestrictSubject(ctx, officer(), r.ID, vault.ExecuteRequest{ConfirmSubject: "crm:jane"}))(t)
		return r.ID
	}
	restored := func(want bool) {
		t.Helper()
		if got := *must2(llm(v, v.Gateway(), "chat", token))(t).Text; (got != token) != want {
			t.Errorf("%q, want it restored: %t", got, want)
		}
	}
	first, second := restrict(vault.RequestRestriction), restrict(vault.RequestObjection)
	must2(v.Service.LiftRestriction(ctx, officer(), first))(t)
	restored(false)
	must2(v.Service.RefuseRequest(ctx, officer(), second, vault.RefusedGrounds))(t)
	restored(true)
	first, second = restrict(vault.RequestRestriction), restrict(vault.RequestObjection)
	must2(v.Service.CompleteRequest(ctx, officer(), second, false))(t)
	must2(v.Service.LiftRestriction(ctx, officer(), first))(t)
	restored(false)
}
