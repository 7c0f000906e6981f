package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func erasure(v *vaulttest.Vault, subject string) vault.ErasureRequest {
	return vault.ErasureRequest{
		Regime: "gdpr", Subject: subject, ConfirmSubject: subject, Reference: "DSAR-7",
		Identity: vault.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: v.Clock.Now()},
		Suppress: "none",
	}
}

func erase(t *testing.T, v *vaulttest.Vault, subject string) vault.ErasureResult {
	t.Helper()
	return must2(v.Service.EraseSubject(context.Background(), officer(), erasure(v, subject)))(t)
}

func link(t *testing.T, v *vaulttest.Vault, subject, entity, value string) vault.LinkResult {
	t.Helper()
	return must2(v.Service.LinkSubject(context.Background(), officer(), vault.LinkRequest{
		Subject: subject, Identifiers: []vault.Identifier{{Entity: entity, Value: value}},
	}))(t)
}

// together tokenizes values in one scope, some of them about somebody.
func together(t *testing.T, v *vaulttest.Vault, scope string, values ...vault.Value) []string {
	t.Helper()
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: scope, Values: values})
	return must(t, got, err).Values
}

// TestInvariant8_ErasedIsNeverRestored: not of the person's own values, not of
// one that was tied to the person later, by nobody and for no reason; and the
// neighbours under the same key restore as before.
func TestInvariant8_ErasedIsNeverRestored(t *testing.T) {
	v := vaulttest.New(t)
	tokens := together(t, v, "chat",
		vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"},
		vault.Value{Entity: "PHONE_NUMBER", Value: "+1 212 555 0187"}, // of Jane, as is found later
		vault.Value{Entity: "PERSON", Value: "Nobody In Particular"},
		vault.Value{Entity: "EMAIL_ADDRESS", Value: "john@example.com", Subject: "crm:john"})
	shared := together(t, v, "chat",
		vault.Value{Entity: "LOCATION", Value: "1 Main Street", Subject: "crm:jane"},
		vault.Value{Entity: "LOCATION", Value: "1 Main Street", Subject: "crm:john"})[0]
	if got := link(t, v, "crm:jane", "PHONE_NUMBER", "+1 (212) 555-0187"); got.Changed != 1 {
		t.Fatalf("%d values were tied, want 1", got.Changed)
	}
	all := strings.Join(append(slices.Clone(tokens), shared), " | ")
	before := *must2(llm(v, v.Gateway(), "chat", all))(t).Text // and every key is in memory

	dry := erasure(v, "crm:jane")
	dry.DryRun = true
	seen := must2(v.Service.EraseSubject(context.Background(), officer(), dry))(t)
	if len(seen.Parts) != 1 || seen.Parts[0].Erased != 2 || seen.Parts[0].Shared != 1 || seen.Parts[0].Deferred != 0 || seen.Erasure != nil {
		t.Fatalf("the dry run: %+v", seen.Parts)
	}
	if got := *must2(llm(v, v.Gateway(), "chat", all))(t).Text; got != before {
		t.Fatalf("the dry run did something: %q", got)
	}
	from := head(t, v)
	request := erasure(v, "crm:jane")
	request.PreviewID = seen.PreviewID
	done := must2(v.Service.EraseSubject(context.Background(), officer(), request))(t)
	counts := done.Erasure.Counts
	if done.Erasure.State != vault.ErasureCompleted || counts.Erased != 2 || counts.Shared != 1 || counts.Deferred != 0 || counts.Rekeyed < 2 || counts.Keys < 2 {
		t.Errorf("erased: %+v", done.Erasure)
	}
	if want := done.Request.ReceivedAt.AddDate(0, 1, 0); !done.Request.DueAt.Equal(want) || done.Request.Status != vault.StateCompleted {
		t.Errorf("due at %s, want %s", done.Request.DueAt, want)
	}
	e := one(t, v, from)
	if e.Kind != audit.KindErase || e.Counts["erased"] != 2 || len(e.SubjectRefs) != 1 || len(e.KeyIDs) != counts.Keys || e.Reference != "DSAR-7" ||
		!slices.Equal(e.Obligations, []string{"identity:in_person"}) || e.Actor != "pia" {
		t.Errorf("the entry is %+v", e)
	}
	got := must2(llm(v, v.Gateway(), "chat", all))(t)
	want := strings.Join([]string{tokens[0], tokens[1], "Nobody In Particular", "john@example.com", "1 Main Street"}, " | ")
	if *got.Text != want || statuses(got)[0] != vault.StatusErased {
		t.Errorf("after the erasure: %q %v\nwant %q", *got.Text, statuses(got), want)
	}
	if got := discover(t, v, "chat", tokens[0]+tokens[1]); strings.Contains(*got.Text, "jane") || strings.Contains(*got.Text, "212") {
		t.Errorf("counsel got %q", *got.Text)
	}
	sweep(t, v)
	if got := must2(llm(v, v.Gateway(), "chat", all))(t); *got.Text != want || statuses(got)[0] != vault.StatusUnknown {
		t.Errorf("after the sweep: %q %v", *got.Text, statuses(got))
	}
	if found := search(t, v, vault.SubjectSearchRequest{Subject: "crm:jane", Identifiers: []vault.Identifier{
		{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}, {Entity: "LOCATION", Value: "1 main street"},
	}}); len(found.Sightings) != 1 || found.Sightings[0].Entity != "LOCATION" || len(found.SubjectRefs) != 1 {
		t.Errorf("of the person is found: %+v", found)
	}
	// An erasure blocks no new values of the person.
	again := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	if back := *must2(llm(v, v.Gateway(), "chat", again+tokens[0]))(t).Text; again == tokens[0] || back != "jane@example.com"+tokens[0] {
		t.Errorf("a new value of the person: %q", back)
	}
}

// TestInvariant7And8_HoldBeforeErasure: what is held is restricted at once and
// erased once it is released, with nobody's help; what came after the erasure
// is none of it.
func TestInvariant7And8_HoldBeforeErasure(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	mail := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	phone := about(t, v, "chat", "crm:jane", "PHONE_NUMBER", "+1 212 555 0187")
	hold := place(t, v, vault.HoldWords{Identifiers: []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}}})
	done := erase(t, v, "crm:jane")
	if c := done.Erasure.Counts; done.Erasure.State != vault.ErasureDeferred || c.Erased != 1 || c.Deferred != 1 || !done.Erasure.CompletedAt.IsZero() {
		t.Fatalf("with a hold: %+v", done.Erasure)
	}
	got := must2(llm(v, v.Gateway(), "chat", mail+phone))(t)
	if want := []vault.Status{vault.StatusRestricted, vault.StatusErased}; !slices.Equal(statuses(got), want) {
		t.Errorf("a gateway gets %v, want %v", statuses(got), want)
	}
	if got := discover(t, v, "chat", mail); *got.Text != "jane@example.com" {
		t.Errorf("counsel gets %q, %v", *got.Text, statuses(got))
	}
	v.Clock.Advance(time.Hour)
	late := about(t, v, "chat", "crm:jane", "PHONE_NUMBER", "+1 212 555 0199")
	if err := v.Worker.ResumeErasures(ctx); err != nil {
		t.Fatal(err)
	}
	if got := discover(t, v, "chat", mail); *got.Text != "jane@example.com" {
		t.Fatalf("held, and counsel gets %q", *got.Text)
	}
	must2(v.Service.ReleaseHold(ctx, counsel(), hold.ID, "ORDER-5", ""))(t)
	from := head(t, v)
	if err := v.Worker.ResumeErasures(ctx); err != nil {
		t.Fatal(err)
	}
	if e := one(t, v, from); e.Kind != audit.KindErase || e.Counts["erased"] != 1 || e.Counts["deferred"] != 0 || e.Reference != "DSAR-7" {
		t.Errorf("the entry is %+v", e)
	}
	info := *must2(v.Service.SubjectRequest(ctx, officer(), done.Erasure.ID))(t).Erasure
	if info.State != vault.ErasureCompleted || info.Counts.Erased != 2 || info.CompletedAt.IsZero() || !info.ErasedAt.Equal(done.Erasure.ErasedAt) {
		t.Errorf("completed: %+v", info)
	}
	if got := discover(t, v, "chat", mail+" "+late); *got.Text != mail+" +1 212 555 0199" {
		t.Errorf("released: counsel gets %q", *got.Text)
	}
	if err := v.Worker.ResumeErasures(ctx); err != nil || head(t, v) != from+2 { // the discovery is an entry, too
		t.Errorf("a completed erasure goes on: %v", err)
	}
}

// TestErasureOfNobody has its entry and its receipt: that nothing was found is
// an answer, too.
func TestErasureOfNobody(t *testing.T) {
	v := vaulttest.New(t)
	about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	done := erase(t, v, "crm:nobody")
	if done.Erasure.State != vault.ErasureCompleted || done.Erasure.Counts != (vault.ErasureCounts{}) || len(done.Parts) != 0 || done.Audit == nil {
		t.Errorf("of nobody: %+v", done.Erasure)
	}
}

// TestErasureReceipt proves an erasure with nothing but the log's key, and
// neither it nor the entry says of whom.
func TestErasureReceipt(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	call := keyed(officer(), "key-1", "body")
	first := must2(v.Service.EraseSubject(ctx, call, erasure(v, "crm:jane")))(t)
	again := must2(v.Service.EraseSubject(ctx, call, erasure(v, "crm:jane")))(t)
	if again.Erasure.ID != first.Erasure.ID || again.Audit.Index != first.Audit.Index {
		t.Errorf("again: %+v", again.Erasure)
	}
	receipt := must2(v.Service.ErasureReceipt(ctx, v.Auditor(), first.Erasure.ID))(t)
	if audit.LeafHash(receipt.Leaf) != receipt.Proof.LeafHash || receipt.Proof.Index != first.Audit.Index {
		t.Error("the receipt is of another entry")
	}
	for _, told := range []string{"crm", "jane"} {
		if bytes.Contains(receipt.Leaf, []byte(told)) {
			t.Errorf("the entry tells %q: %s", told, receipt.Leaf)
		}
	}
	keys := must2(v.Service.LogKeys(ctx, "acme"))(t)
	if err := receipt.Proof.Verify(keys[0].Key); err != nil {
		t.Errorf("the receipt does not verify: %v", err)
	}
	page := must2(v.Service.SubjectRequests(ctx, v.Auditor(), vault.RequestListRequest{Status: vault.StateCompleted}))(t)
	if len(page.Requests) != 1 || page.Requests[0].ID != first.Erasure.ID || page.Next != "" {
		t.Errorf("listed: %+v", page)
	}
	for id, call := range map[string]vault.Call{vault.NewID(): officer(), first.Erasure.ID: vaulttest.Call("x", "privacy_officer")} {
		if id == first.Erasure.ID {
			call.Caller.Tenant = "globex"
		}
		if _, err := v.Service.ErasureReceipt(ctx, call, id); vault.CodeOf(err) != vault.CodeNotFound {
			t.Errorf("a receipt of nothing: %v", err)
		}
	}
}

// TestErasureRefuses what is not confirmed, checked or as it was previewed, and
// whoever is no privacy officer; nothing is erased then.
func TestErasureRefuses(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	mail := about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	for field, spoil := range map[string]func(*vault.ErasureRequest){
		"/regime":               func(r *vault.ErasureRequest) { r.Regime = "lgpd" },
		"/subject":              func(r *vault.ErasureRequest) { r.Subject = "" },
		"/confirm_subject":      func(r *vault.ErasureRequest) { r.ConfirmSubject = "crm:john" },
		"/reference":            func(r *vault.ErasureRequest) { r.Reference = "of Jane" },
		"/identity/method":      func(r *vault.ErasureRequest) { r.Identity.Method = "" },
		"/identity/reference":   func(r *vault.ErasureRequest) { r.Identity.Reference = "" },
		"/identity/verified_by": func(r *vault.ErasureRequest) { r.Identity.VerifiedBy = "Pia Privacy" },
		"/identity/at":          func(r *vault.ErasureRequest) { r.Identity.At = v.Clock.Now().Add(time.Hour) },
	} {
		request := erasure(v, "crm:jane")
		spoil(&request)
		_, err := v.Service.EraseSubject(ctx, officer(), request)
		wantField(t, err, field)
	}
	dry := erasure(v, "crm:jane")
	dry.DryRun = true
	seen := must2(v.Service.EraseSubject(ctx, officer(), dry))(t)
	phone := about(t, v, "call", "crm:jane", "PHONE_NUMBER", "+1 212 555 0187")
	stale := erasure(v, "crm:jane")
	stale.PreviewID = seen.PreviewID
	if _, err := v.Service.EraseSubject(ctx, officer(), stale); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("another match than the preview's: %v", err)
	}
	for _, call := range []vault.Call{v.Gateway(), v.Auditor(), counsel(), vaulttest.Call("op", "operator")} {
		from := head(t, v)
		if _, err := v.Service.EraseSubject(ctx, call, erasure(v, "crm:jane")); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%v erases: %v", call.Caller.Roles, err)
		}
		if e := one(t, v, from); e.Decision != audit.Deny || e.Code != "denied:erase" {
			t.Errorf("%v: the entry is %+v", call.Caller.Roles, e)
		}
		if _, err := v.Service.LinkSubject(ctx, call, vault.LinkRequest{
			Subject: "crm:jane", Identifiers: []vault.Identifier{{Entity: "PERSON", Value: "Jane"}},
		}); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%v ties values: %v", call.Caller.Roles, err)
		}
	}
	if got := *must2(llm(v, v.Gateway(), "chat", mail))(t).Text + *must2(llm(v, v.Gateway(), "call", phone))(t).Text; got != "jane@example.com+1 212 555 0187" {
		t.Errorf("something was erased: %q", got)
	}
}

// TestTiesAreUndone: a tie that a person made goes again, one that the caller
// declared does not, and none while a hold keeps the value.
func TestTiesAreUndone(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	tokenizeValue(t, v, v.Gateway(), "chat", "PHONE_NUMBER", "+1 212 555 0187")
	about(t, v, "call", "crm:jane", "PHONE_NUMBER", "+1 212 555 0187")
	undo := func() (vault.LinkResult, error) {
		return v.Service.LinkSubject(ctx, officer(), vault.LinkRequest{
			Subject: "crm:jane", Undo: true, Identifiers: []vault.Identifier{{Entity: "PHONE_NUMBER", Value: "+12125550187"}},
		})
	}
	from := head(t, v)
	if got := link(t, v, "crm:jane", "PHONE_NUMBER", "+1-212-555-0187"); got.Changed != 1 {
		t.Errorf("%d were tied, want 1", got.Changed)
	}
	if e := one(t, v, from); e.Kind != audit.KindSubjectLink || e.Counts["mappings"] != 1 || len(e.SubjectRefs) != 1 {
		t.Errorf("the entry is %+v", e)
	}
	hold := place(t, v, vault.HoldWords{Subjects: []string{"crm:jane"}})
	if _, err := undo(); vault.CodeOf(err) != vault.CodeHeld {
		t.Errorf("untied what is held: %v", err)
	}
	must2(v.Service.ReleaseHold(ctx, counsel(), hold.ID, "ORDER-5", ""))(t)
	if got := must2(undo())(t); got.Changed != 1 {
		t.Errorf("%d ties were undone, want 1", got.Changed)
	}
	if got := must2(undo())(t); got.Changed != 0 {
		t.Errorf("%d ties were undone twice", got.Changed)
	}
	if found := search(t, v, vault.SubjectSearchRequest{Subject: "crm:jane"}); len(found.Sightings) != 1 || found.Sightings[0].Mappings != 1 {
		t.Errorf("found: %+v", found.Sightings)
	}
	_, err := v.Service.LinkSubject(ctx, officer(), vault.LinkRequest{
		Subject: "crm:nobody", Undo: true, Identifiers: []vault.Identifier{{Entity: "PERSON", Value: "x"}},
	})
	if vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("undone for nobody: %v", err)
	}
}

// TestErasureOfAFullKey: a thousand neighbours under the key of a scope are
// sealed anew, also the scope's own name, and none is lost.
func TestErasureOfAFullKey(t *testing.T) {
	v := vaulttest.New(t)
	values := make([]vault.Value, vault.MaxSealsPerKey+8)
	for i := range values {
		values[i] = vault.Value{Entity: "PERSON", Value: fmt.Sprintf("person %d", i)}
	}
	tokens := together(t, v, "chat", values...)
	link(t, v, "crm:jane", "PERSON", "person 7")
	done := erase(t, v, "crm:jane")
	if c := done.Erasure.Counts; c.Erased != 1 || c.Keys != 2 || c.Rekeyed < vault.MaxSealsPerKey-2 || c.Rekeyed > vault.MaxSealsPerKey {
		t.Errorf("%+v", c)
	}
	for i := 0; i < len(tokens); i += 400 {
		page := tokens[i:min(i+400, len(tokens))]
		got, err := v.Service.Detokenize(context.Background(), v.Gateway(), vault.DetokenizeRequest{
			Scope: "chat", Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: page,
		})
		for n, value := range must(t, got, err).Values {
			if lost := value == page[n]; lost != (i+n == 7) || !lost && value != values[i+n].Value {
				t.Fatalf("value %d came back as %q", i+n, value)
			}
		}
	}
}

// TestErasureBeyondOneCommit: more neighbours than one commit seals anew are moved
// before, each batch with its entry, and none is lost; a dry run moves nothing.
func TestErasureBeyondOneCommit(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("seals more than ten thousand values: not under -race")
	}
	v := vaulttest.New(t)
	ctx := context.Background()
	const keys = vault.MaxReseals/vault.MaxSealsPerKey + 1
	var tokens []string
	for range keys {
		values := make([]vault.Value, vault.MaxSealsPerKey)
		for i := range values {
			values[i] = vault.Value{Entity: "CUSTOM_ID", Value: vault.NewID()}
		}
		values[7] = vault.Value{Entity: "EMAIL_ADDRESS", Value: fmt.Sprintf("jane.%d@example.com", len(tokens))}
		link(t, v, "crm:jane", "EMAIL_ADDRESS", "nobody@example.com")
		tokens = append(tokens, together(t, v, fmt.Sprint("chat", len(tokens)), values...)...)
		link(t, v, "crm:jane", "EMAIL_ADDRESS", values[7].Value)
	}
	dry := erasure(v, "crm:jane")
	dry.DryRun = true
	from := head(t, v)
	if seen := must2(v.Service.EraseSubject(ctx, officer(), dry))(t); len(seen.Parts) != keys {
		t.Fatalf("the dry run: %d parts", len(seen.Parts))
	}
	if made := entriesFrom(t, v, from); len(made) != 1 {
		t.Fatalf("a dry run has %d entries", len(made))
	}
	from = head(t, v)
	other := erasure(v, "crm:jane")
	other.PreviewID = "another"
	if _, err := v.Service.EraseSubject(ctx, officer(), other); vault.CodeOf(err) != vault.CodeConflict {
		t.Fatalf("erased against its preview: %v", err)
	}
	if made := entriesFrom(t, v, from); len(made) != 0 {
		t.Fatalf("%d entries of an erasure that was refused", len(made))
	}
	done := erase(t, v, "crm:jane")
	if done.Erasure.Counts.Erased != keys || done.Erasure.State != vault.ErasureCompleted {
		t.Errorf("erased: %+v", done.Erasure.Counts)
	}
	made := entriesFrom(t, v, from)
	if len(made) != 2 || made[0].Kind != audit.KindReseal || made[0].Counts["rekeyed"] != vault.MaxReseals || made[1].Kind != audit.KindErase {
		t.Errorf("the entries are %+v", made)
	}
	for first := 0; first < len(tokens); first += vault.MaxSealsPerKey {
		lost := 0
		for page := range slices.Chunk(tokens[first:first+vault.MaxSealsPerKey], 500) {
			got := must2(v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{
				Scope: fmt.Sprint("chat", first), Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: page,
			}))(t)
			for i, value := range got.Values {
				if value == page[i] {
					lost++
				}
			}
		}
		if lost != 1 {
			t.Fatalf("%d values of chat%d are lost, want 1", lost, first)
		}
	}
}
