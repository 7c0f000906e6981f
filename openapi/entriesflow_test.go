package openapi_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// A flow is a service and what people do with it.
type flow struct {
	*testing.T
	ctx context.Context
	v   *vaulttest.Vault
}

func newFlow(t *testing.T, opts ...vaulttest.Option) *flow {
	return &flow{T: t, ctx: context.Background(), v: vaulttest.New(t, opts...)}
}

func (f *flow) ok(err error) {
	f.Helper()
	var public *vault.Error
	if errors.As(err, &public) {
		f.Fatalf("%v %+v %v", err, public.Violations, errors.Unwrap(public))
	}
	if err != nil {
		f.Fatal(err)
	}
}

// refused is a step that the service must refuse.
func (f *flow) refused(err error) {
	f.Helper()
	if err == nil {
		f.Fatal("it was not refused")
	}
}

var (
	pia  = vaulttest.Call("pia", "privacy_officer")
	rob  = vaulttest.Call("rob", "restorer")
	ole  = vaulttest.Call("ole", "operator")
	olga = vaulttest.Call("olga", "operator")
	keys = vault.Call{Channel: "keys"}
)

// leaves are all entries of all logs of the service.
func (f *flow) leaves() (leaves [][]byte) {
	f.Helper()
	tenants := must(f.v.Service.Tenants(f.ctx))(f)
	for _, tenant := range append(tenants, vault.SystemTenant) {
		head, _, err := f.v.Service.SignedHead(f.ctx, tenant)
		f.ok(err)
		for next := int64(0); next < head.Size; {
			page, err := f.v.Service.StoredEntries(f.ctx, tenant, next, 500)
			f.ok(err)
			for _, e := range page {
				leaves = append(leaves, e.Leaf)
			}
			next += int64(len(page))
		}
	}
	return leaves
}

// must is what a step of the flow gives that has to succeed.
func must[T any](got T, err error) func(*flow) T {
	return func(f *flow) T {
		f.Helper()
		f.ok(err)
		return got
	}
}

func (f *flow) tokenize(scope string, values ...vault.Value) []string {
	f.Helper()
	req := vault.TokenizeRequest{Scope: scope, Values: values}
	return must(f.v.Service.Tokenize(f.ctx, f.v.Gateway(), req))(f).Values
}

func (f *flow) restore(call vault.Call, scope, code, reference, text string) (vault.DetokenizeResult, error) {
	return f.v.Service.Detokenize(f.ctx, call, vault.DetokenizeRequest{
		Scope: scope, Reason: vault.ReasonGiven{Code: code, Reference: reference, Note: "saw it"}, Recipient: "team-7", Text: &text,
	})
}

func (f *flow) identity() vault.IdentityCheck {
	return vault.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: f.v.Clock.Now()}
}

// prompts are what gateways do all day, and what they may not.
func (f *flow) prompts() {
	s, gateway := f.v.Service, f.v.Gateway()
	f.ok(s.RecordStart(f.ctx))
	call := gateway
	call.Idempotency = &vault.Idempotency{Key: "k-1", Body: [32]byte{1}}
	request := vault.TokenizeRequest{Scope: "chat", Destinations: []string{"openai/us", "anthropic/eu"}, Text: vaulttest.Ptr("mail jane@example.com"), SourceRef: "doc-1"}
	for range 2 { // the second is a replay
		must(s.Tokenize(f.ctx, call, request))(f)
	}
	payload := []byte(`{"model":"m","messages":[{"role":"user","content":"call +1 212 555 0187"}]}`)
	must(s.Tokenize(f.ctx, gateway, vault.TokenizeRequest{Scope: "chat", Payload: payload}))(f)
	token := f.tokenize("chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "joe@example.com", Subject: "joe"})[0]
	must(f.restore(gateway, "chat", "LLM_RESPONSE", "", token+" [EMAIL_ADDRESS_0000000000]"))(f)
	must(f.restore(vaulttest.OnBehalfOf(gateway, "alice"), "chat", "LLM_RESPONSE", "", token))(f)
	for range 3 {
		_, err := f.restore(rob, "chat", "BREAK_GLASS", "", token)
		f.refused(err)
	}
	_, err := f.restore(rob, "chat", "NO_SUCH_REASON", "", token)
	f.refused(err)
	other := vaulttest.Call("gw-2", "gateway")
	must(f.restore(other, "chat", "LLM_RESPONSE", "", token))(f) // unknown to it
	_, err = s.Tokenize(f.ctx, other, vault.TokenizeRequest{Scope: "chat", Text: vaulttest.Ptr("x")})
	f.refused(err)
	must(s.OpenScope(f.ctx, gateway, vault.OpenScopeRequest{Scope: "case", Kind: vault.ScopeCase}))(f)
	must(s.CloseScope(f.ctx, gateway, vault.CloseScopeRequest{Scope: "case"}))(f)
	many := make([]vault.Value, 1500) // linked entries
	for i := range many {
		many[i] = vault.Value{Entity: "PERSON", Value: "Jane " + strings.Repeat("i", i+1)}
	}
	f.tokenize("many", many...)
	must(s.Dispatch(f.ctx, gateway, vault.DispatchRequest{
		RequestID: call.RequestID, Destination: "openai/us", Model: "m", VendorRequestID: "v-1", Status: "ok", LatencyMS: 900,
		Usage: map[string]int64{"input_tokens": 10, "output_tokens": 3},
	}))(f)
	s.CountUnauthenticated("expired")
	s.RecordRefused(f.ctx, rob, "detokenize", "invalid")
	f.ok(s.FlushDenials(f.ctx, true))
}

// persons are their requests, erasures, holds, consents.
func (f *flow) persons() {
	s := f.v.Service
	email := f.tokenize("chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"},
		vault.Value{Entity: "LOCATION", Value: "Lisbon"}, vault.Value{Entity: "PHONE_NUMBER", Value: "+1 212 555 0187"})[0]
	phone := []vault.Identifier{{Entity: "PHONE_NUMBER", Value: "+1 212 555 0187"}}
	linked := must(s.LinkSubject(f.ctx, pia, vault.LinkRequest{Subject: "crm:jane", Identifiers: phone}))(f)
	must(s.LinkSubject(f.ctx, pia, vault.LinkRequest{Subject: "crm:jane", Identifiers: phone, Undo: true}))(f)
	must(s.SearchSubjects(f.ctx, pia, vault.SubjectSearchRequest{Subject: "crm:jane"}))(f)
	must(s.RestoreNames(f.ctx, pia, vault.NamesRequest{
		SubjectRefs: []string{linked.SubjectRef}, Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-31"},
	}))(f)
	f.consents()
	f.accessRequest()
	f.restriction()

	match := vault.HoldWords{Subjects: []string{"crm:jane"}}
	lea := vaulttest.Call("lea", "legal")
	must(s.PlaceHold(f.ctx, lea, vault.HoldRequest{Matter: "M-1", Reference: "ORDER-4", Match: match, DryRun: true}))(f)
	hold := must(s.PlaceHold(f.ctx, lea, vault.HoldRequest{Matter: "M-1", Reference: "ORDER-4", Match: match}))(f).Hold.ID
	must(s.ReviewHold(f.ctx, lea, hold, f.v.Clock.Now().Add(time.Hour)))(f)
	erase := vault.ErasureRequest{
		Regime: "gdpr", Subject: "crm:jane", ConfirmSubject: "crm:jane", Reference: "DSAR-7", Identity: f.identity(), Suppress: "none", DryRun: true,
	}
	must(s.EraseSubject(f.ctx, pia, erase))(f)
	erase.DryRun = false
	must(s.EraseSubject(f.ctx, pia, erase))(f) // deferred, by the hold
	must(f.restore(f.v.Gateway(), "chat", "LLM_RESPONSE", "", email))(f)
	must(s.ReleaseHold(f.ctx, lea, hold, "ORDER-5", ""))(f)
	f.ok(s.ResumeErasures(f.ctx, "acme"))
}

func (f *flow) consents() {
	s := f.v.Service
	must(s.GiveConsent(f.ctx, pia, vault.ConsentRequest{Subject: "new", Purpose: "marketing", Reference: "FORM-1"}))(f)
	given := must(s.GiveConsent(f.ctx, pia, vault.ConsentRequest{Subject: "joe", Purpose: "marketing", Reference: "FORM-2"}))(f).Consent.ID
	token := f.tokenize("chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "joe@example.com", Subject: "joe"})[0]
	must(f.restore(rob, "chat", "MARKETING_CONTACT", "CAMPAIGN-7", token))(f)
	must(s.WithdrawConsent(f.ctx, pia, given, "CALL-1"))(f)
	must(f.restore(rob, "chat", "MARKETING_CONTACT", "CAMPAIGN-7", token))(f)
}

func (f *flow) accessRequest() {
	s := f.v.Service
	id := must(s.OpenSubjectRequest(f.ctx, pia, vault.IntakeRequest{Kind: vault.RequestAccess, Regime: "gdpr", Reference: "DSAR-31"}))(f).Request.ID
	must(s.IdentifyRequest(f.ctx, pia, id, vault.IdentifyRequest{Identity: f.identity(), Subject: "crm:jane"}))(f)
	must(s.AssignRequest(f.ctx, pia, id, "paul"))(f)
	must(s.NoteOnRequest(f.ctx, pia, id, "she called"))(f)
	must(s.NotesOfRequest(f.ctx, pia, id))(f)
	must(s.ExtendRequest(f.ctx, pia, id, "LETTER-2"))(f)
	must(s.ReportOnRequest(f.ctx, pia, id, vault.ReportRequest{}))(f)
	must(s.ReportOnRequest(f.ctx, pia, id, vault.ReportRequest{
		Values: true, Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-31"},
	}))(f)
	_, err := s.ReportOnRequest(f.ctx, pia, id, vault.ReportRequest{Values: true, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}})
	f.refused(err)
	must(s.CompleteRequest(f.ctx, pia, id, false))(f)
}

func (f *flow) restriction() {
	s := f.v.Service
	identity := f.identity()
	open := func(kind vault.RequestKind) string {
		return must(s.OpenSubjectRequest(f.ctx, pia, vault.IntakeRequest{
			Kind: kind, Regime: "gdpr", Subject: "crm:jane", Reference: "DSAR-32", Identity: &identity,
		}))(f).Request.ID
	}
	confirm := vault.ExecuteRequest{ConfirmSubject: "crm:jane"}
	lifted := open(vault.RequestRestriction)
	must(s.RestrictSubject(f.ctx, pia, lifted, confirm))(f)
	must(s.LiftRestriction(f.ctx, pia, lifted))(f)
	refused := open(vault.RequestObjection)
	must(s.RestrictSubject(f.ctx, pia, refused, confirm))(f)
	must(s.RefuseRequest(f.ctx, pia, refused, vault.RefusedClaims))(f)
	must(s.WithdrawRequest(f.ctx, pia, open(vault.RequestErasure)))(f)
}

// governance is what officers, auditors and operators do.
func (f *flow) governance() {
	s, ann := f.v.Service, f.v.Auditor()
	token := f.tokenize("case", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"})[0]
	placed := must(s.Suspend(f.ctx, pia, vault.SuspensionRequest{
		Match: vault.SuspensionWords{Entities: []string{"EMAIL_ADDRESS"}}, Reason: "INC-1",
	}))(f).Suspension.ID
	must(f.restore(f.v.Gateway(), "case", "LLM_RESPONSE", "", token))(f)
	must(s.LiftSuspension(f.ctx, pia, placed, "INC-1"))(f)
	incident := must(s.OpenIncident(f.ctx, pia, vault.IncidentRequest{Reference: "INC-1"}))(f).Incident.ID
	now := f.v.Clock.Now()
	must(s.AssessIncident(f.ctx, pia, vault.AssessRequest{From: now.Add(-time.Hour), To: now.Add(time.Hour)}))(f)
	must(s.NoteIncident(f.ctx, pia, incident, vault.IncidentAuthorityNotified, "LETTER-1"))(f)
	must(s.CloseIncident(f.ctx, pia, incident, vault.OutcomeNotified, "LETTER-2"))(f)
	var decisions []vault.AccessReviewDecision
	for _, line := range must(s.PolicyMatrix(f.ctx, ann))(f).Lines {
		if !slices.ContainsFunc(decisions, func(d vault.AccessReviewDecision) bool { return d.Rule == line.Rule }) {
			decisions = append(decisions, vault.AccessReviewDecision{Rule: line.Rule, Decision: "keep"})
		}
	}
	must(s.RecordAccessReview(f.ctx, ann, vault.AccessReviewRequest{From: now.Add(-time.Hour), To: now, Reference: "REVIEW-1", Decisions: decisions}))(f)
	_, err := s.Suspend(f.ctx, rob, vault.SuspensionRequest{})
	f.refused(err)
	_, err = s.LimitsInForce(f.ctx, vaulttest.Call("eve", "operator", "auditor"))
	f.refused(err)

	asked := must(s.RequestEvidence(f.ctx, ann, vault.EvidenceRequest{
		From: now.Add(-time.Hour).Truncate(time.Second), To: now.Truncate(time.Second),
	}))(f).Evidence
	asked.SHA256, asked.Bytes, asked.Size = strings.Repeat("0a", 32), 4096, 12
	f.ok(s.FinishEvidence(f.ctx, "acme", asked))
}

// upkeep is what the process and commands do.
func (f *flow) upkeep() {
	s := f.v.Service
	f.ok(f.v.RotateKeys(f.ctx))
	tenants := append(must(s.Tenants(f.ctx))(f), vault.SystemTenant)
	slices.Sort(tenants)
	tenants = slices.Compact(tenants)
	for _, tenant := range tenants {
		_, _, err := s.RaiseWrapMinimum(f.ctx, keys, tenant)
		f.ok(err)
		for more := true; more; {
			_, more, err = s.Rewrap(f.ctx, keys, tenant)
			f.ok(err)
		}
	}
	f.v.Clock.Advance(400 * 24 * time.Hour)
	trim := vault.TrimRequest{Now: true, Reference: "CHG-9"}
	plans := must(f.v.PlanTrim(f.ctx, tenants, trim))(f)
	_, err := f.v.Trim(f.ctx, plans, trim)
	f.ok(err)
	must(s.RotateLogKey(f.ctx, keys, "acme"))(f)
	f.ok(s.RecordPrune(f.ctx, keys, vault.PrunePlan{
		Pruning: vault.Pruning{To: 20}, Tenant: "acme", Leaves: map[string]int{"tokenize": 4},
	}))
	f.ok(f.v.Worker.Sweep(f.ctx))
	_, err = s.SweepRecords(f.ctx, "acme")
	f.ok(err)
	process := vault.Call{Channel: "process"}
	f.ok(s.CreateTenant(f.ctx, process, "initech"))
	for _, state := range []vault.TenantState{vault.TenantSuspended, vault.TenantActive, vault.TenantClosed} {
		f.ok(s.SetTenantState(f.ctx, process, "initech", state))
	}
	f.ok(s.SetTenantState(f.ctx, process, "acme", vault.TenantSuspended))
	_, err = s.Tokenize(f.ctx, f.v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: vaulttest.Ptr("mail jane@example.com")})
	f.refused(err)
	_, err = s.OpenScope(f.ctx, f.v.Gateway(), vault.OpenScopeRequest{Scope: "other", Kind: vault.ScopeCase})
	f.refused(err)
	lost := audit.Anchor{Tenant: "acme", Size: 1 << 20}
	f.ok(s.RecordRecovery(f.ctx, vault.Call{Channel: "recover"}, lost, 10, "REC-1"))
	f.ok(s.RecordStop(f.ctx))
}

// approvals are what needs somebody else, under the shipped policy.
func (f *flow) approvals() {
	s := f.v.Service
	email := f.tokenize("chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"})[0]
	req := vault.DetokenizeRequest{Scope: "chat", Reason: vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"}, Text: &email}
	must(s.Detokenize(f.ctx, rob, req))(f) // needs an approval
	id := must(s.RequestRestoration(f.ctx, rob, req))(f).Approval.ID
	approve := vault.DecisionGiven{Decision: "approve", Note: "saw the ticket"}
	_, err := s.DecideRestoration(f.ctx, vaulttest.Call("rob", "approver"), id, approve)
	f.refused(err)
	must(s.DecideRestoration(f.ctx, vaulttest.Call("amy", "approver"), id, approve))(f)
	must(s.RedeemRestoration(f.ctx, rob, id, req))(f)
	_, err = s.RedeemRestoration(f.ctx, rob, id, req)
	f.refused(err)
	other := must(s.RequestRestoration(f.ctx, rob, req))(f).Approval.ID
	must(s.DecideRestoration(f.ctx, vaulttest.Call("amy", "approver"), other, vault.DecisionGiven{Decision: "reject"}))(f)

	onCall := rob
	onCall.Caller.MFA, onCall.Caller.Attributes = true, map[string]string{"on_call": "true"}
	must(f.restore(onCall, "chat", "BREAK_GLASS", "", email))(f)
	open := must(s.Reviews(f.ctx, f.v.Auditor(), vault.ReviewListRequest{Status: "open"}))(f).Reviews
	must(s.CloseReview(f.ctx, f.v.Auditor(), open[0].ID, vault.FindingJustified, "REVIEW-1"))(f)
}

// policies are proposed, promoted with an approval, rolled back and dropped.
func (f *flow) policies() {
	s := f.v.Service
	bundle := must(access.BundleOf(fewerTokens(f.T)))(f)
	packed := must(bundle.Pack())(f)
	propose := func() string {
		return must(s.ProposePolicy(f.ctx, ole, vault.ProposeRequest{
			Bundle: packed, Tenants: []string{"globex"}, Change: access.Change{PR: "PR-12", Commit: "abc", TestsDigest: bundle.TestsDigest()},
		}))(f).Proposal.ID
	}
	id := propose()
	_, err := s.PromotePolicy(f.ctx, ole, id, "CHG-1", "")
	f.refused(err)
	approval := must(s.RequestApproval(f.ctx, olga, vault.ApprovalRequest{Operation: "policy_promotion", Target: id, Reference: "CHG-1"}))(f).Approval.ID
	must(s.DecideApproval(f.ctx, vaulttest.Call("otto", "operator"), approval, vault.DecisionGiven{Decision: "approve"}))(f)
	must(s.PromotePolicy(f.ctx, olga, id, "CHG-1", approval))(f)
	f.tokenize("under the new one", vault.Value{Entity: "PERSON", Value: "Jane Doe"})
	must(s.RollbackPolicy(f.ctx, olga, "CHG-2"))(f)
	must(s.DropPolicy(f.ctx, olga, propose(), "CHG-3"))(f)
}

// fewerTokens is the shipped policy with another version.
func fewerTokens(t *testing.T) fs.FS {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(authz.FS, path)
		bundle[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reasons := bundle["reasons.yaml"]
	changed := bytes.Replace(reasons.Data, []byte("max_tokens: 500"), []byte("max_tokens: 400"), 1)
	if bytes.Equal(changed, reasons.Data) {
		t.Fatal("the shipped policy has no reason of 500 tokens")
	}
	reasons.Data = changed
	return bundle
}

// controlsHold tries all controls on what was done so far: people did what they should,
// so that none may fail.
func (f *flow) controlsHold() {
	f.Helper()
	for _, c := range must(f.v.Service.CheckControls(f.ctx, f.v.Auditor()))(f) {
		if c.Result == "fail" {
			f.Errorf("%s %s: %d of %d, entries %v, %v", c.ID, c.Query, c.Exceptions, c.Population, c.Entries, c.Detail)
		}
	}
}

// unwritten are the kinds that no step of the flows comes to: of values that were
// altered, of a log that is pruned, and of what nothing writes yet.
var unwritten = []audit.Kind{
	audit.KindOutcome, audit.KindIntegrityFailure, audit.KindKeyCreate, audit.KindKeyDestroy, audit.KindReplay, audit.KindReseal,
	audit.KindReviewOpen,
}

// TestEntriesOfTheServiceConform: what a service writes in a broad day is by the
// table of kinds and by the schema.
func TestEntriesOfTheServiceConform(t *testing.T) {
	one := newFlow(t)
	one.prompts()
	one.streams()
	one.persons()
	one.governance()
	one.controlsHold()
	one.upkeep()
	two := newFlow(t, vaulttest.WithPolicy(authz.FS), vaulttest.With(func(o *assembly.Options) { o.PolicyAdministrator = "acme" }))
	two.approvals()
	two.policies()
	two.controlsHold()

	s := compiled(t, committed(t))
	written := make(map[audit.Kind]int)
	for _, leaf := range append(one.leaves(), two.leaves()...) {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			t.Fatal(err)
		}
		written[e.Kind]++
		if err := audit.CheckKind(&e); err != nil {
			t.Errorf("%s: %v\n%s", e.Kind, err, leaf)
		}
		if err := conforms(t, s, leaf); err != nil {
			t.Errorf("%s: %v\n%s", e.Kind, err, leaf)
		}
	}
	var missing []audit.Kind
	for _, k := range audit.Kinds() {
		if written[k.Kind] == 0 && !slices.Contains(unwritten, k.Kind) {
			missing = append(missing, k.Kind)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no entry of the kinds %v among %v", missing, slices.Sorted(maps.Keys(written)))
	}
	changedLeavesAreRefused(t, append(one.leaves(), two.leaves()...))
}

// changedLeavesAreRefused changes what the service wrote: a field that is taken
// out, renamed or put in is found by the schema.
func changedLeavesAreRefused(t *testing.T, leaves [][]byte) {
	t.Helper()
	s := compiled(t, committed(t))
	seen := make(map[audit.Kind]bool)
	for _, leaf := range leaves {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			t.Fatal(err)
		}
		if seen[e.Kind] {
			continue
		}
		seen[e.Kind] = true
		for name, change := range map[string][2]string{
			"without its kind": {`"kind":"` + string(e.Kind) + `",`, ""},
			"of another kind":  {`"kind":"` + string(e.Kind) + `"`, `"kind":"something"`},
			"another version":  {`"v":1`, `"v":2`},
			"another field":    {`"v":1`, `"v":1,"value":"jane"`},
			"a value":          {`"tenant":"`, `"tenant":"Jane Doe `},
			"not a time":       {`"time":"`, `"time":"on `},
			"an empty list":    {`"v":1`, `"v":1,"tokens":[]`},
		} {
			changed := bytes.Replace(leaf, []byte(change[0]), []byte(change[1]), 1)
			if bytes.Equal(changed, leaf) {
				t.Fatalf("%s: nothing was changed", name)
			}
			if conforms(t, s, changed) == nil {
				t.Errorf("%s %s passes", e.Kind, name)
			}
		}
	}
}
