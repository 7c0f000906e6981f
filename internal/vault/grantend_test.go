package vault_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// ended is a stream whose grant restored a token once, to which then something
// happened.
func ended(t *testing.T, v *vaulttest.Vault, happens func(grant string)) (pushed string, token string, end vault.StreamEnd) {
	t.Helper()
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	token = out.Tokens[0].Token
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	if got := push(t, s, chunk(token)); got != chunk("jane@example.com") {
		t.Fatalf("before: %q", got)
	}
	happens(out.Grant.Grant.ID)
	pushed = push(t, s, chunk(token))
	rest := push(t, s, chunksEnd)
	tail, end := finish(t, s)
	if rest+tail != chunksEnd {
		t.Errorf("the stream does not go on to its end: %q", rest+tail)
	}
	return pushed, token, end
}

// TestStreamsThatEnd: whatever takes a grant's effect away, from the next flush on the
// tokens stay tokens, the stream says so and goes on to its end.
func TestStreamsThatEnd(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		happens func(t *testing.T, v *vaulttest.Vault, grant string)
		why     string // of the comment
		over    string
	}{
		"its time is over": {func(_ *testing.T, v *vaulttest.Vault, _ string) { v.Clock.Advance(vault.GrantLife) }, "expired", "expired"},
		"a suspension": {func(t *testing.T, v *vaulttest.Vault, _ string) {
			_, err := v.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Match: vault.SuspensionWords{Clients: []string{"gw-1"}}, Reason: "INC-1"})
			if err != nil {
				t.Fatal(err)
			}
		}, "suspended", ""},
		"the tenant is suspended": {func(t *testing.T, v *vaulttest.Vault, _ string) {
			if err := setState(v, "acme", vault.TenantSuspended); err != nil {
				t.Fatal(err)
			}
		}, "suspended", "suspended"},
		"its scope is closed": {func(t *testing.T, v *vaulttest.Vault, _ string) {
			if _, err := v.Service.CloseScope(ctx, v.Gateway(), vault.CloseScopeRequest{Scope: "chat"}); err != nil {
				t.Fatal(err)
			}
		}, "expired", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t)
			got, token, end := ended(t, v, func(grant string) { c.happens(t, v, grant) })
			if want := ": counterfoil {\"kept\":\"" + c.why + "\"}\n\n" + chunk(token); got != want {
				t.Errorf("after: %q, want %q", got, want)
			}
			if end.Over != c.over {
				t.Errorf("it ended %q, want %q", end.Over, c.over)
			}
		})
	}
}

// TestStreamWithoutAStore: where the store does not answer nothing is given, and the
// stream goes on.
func TestStreamWithoutAStore(t *testing.T) {
	v := vaulttest.New(t)
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	token := out.Tokens[0].Token
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got, err := s.Push(ctx, []byte(chunk(token)))
	if want := ": counterfoil {\"kept\":\"unavailable\"}\n\n" + chunk(token); string(must(t, got, err)) != want {
		t.Errorf("without a store: %q", got)
	}
	if got := push(t, s, chunk(token)); got != chunk(token) {
		t.Errorf("it comes back: %q", got)
	}
	if _, end := finish(t, s); end.Over != "unavailable" {
		t.Errorf("the end: %+v", end)
	}
}

// TestInvariant1_FlushBeyondItsGrant: what a grant does not name has its entry before it
// is given; without the guard it has none.
func TestInvariant1_FlushBeyondItsGrant(t *testing.T) {
	for _, silent := range []bool{false, true} {
		v := vaulttest.New(t)
		v.Service.SetFaults(vault.Faults{SilentFlush: silent})
		out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
		later := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Erika Mustermann")
		before := head(t, v)
		s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
		if got := push(t, s, chunk(later)); got != chunk("Erika Mustermann") {
			t.Fatalf("restored %q", got)
		}
		entries := kinded(t, v, before)
		if recorded := len(entries) == 1 && entries[0].Kind == audit.KindGrantFlush && len(entries[0].Tokens) == 1; recorded == silent {
			t.Errorf("silent is %v and the entries are %v", silent, kindsOf(entries))
		}
	}
}

// TestInvariant13_PolicyChangesWhileItStreams: a flush under another policy than the
// grant's has an entry that names that one.
func TestInvariant13_PolicyChangesWhileItStreams(t *testing.T) {
	bundle := bundleOf(t, authz.FS)
	v := vaulttest.New(t, administered(func() *access.Bundle { return bundle }))
	var before int64
	var version string
	got, _, _ := ended(t, v, func(string) {
		bundle = bundleOf(t, tokensOf(t, "400"))
		if _, err := v.Service.Reload(context.Background()); err != nil {
			t.Fatal(err)
		}
		before = head(t, v)
		info, err := v.Service.PolicyInfo(context.Background(), v.Auditor())
		version = must(t, info, err).Version
	})
	if got != chunk("jane@example.com") {
		t.Errorf("after the change: %q", got)
	}
	entries := kinded(t, v, before)
	at := slices.IndexFunc(entries, func(e audit.Entry) bool { return e.Kind == audit.KindGrantFlush })
	if at < 0 || entries[at].PolicyVersion != version || len(entries[at].Tokens) != 1 {
		t.Errorf("entries %v", kindsOf(entries))
	}
}

// TestOpenGrant: a grant names the tokens that are sent, or what lives in its scopes;
// of too much it names none, and each flush has its entry.
func TestOpenGrant(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	jane := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	place := corpus(t, v, v.Gateway(), "handbook", "12 Harbour Lane")
	open := func(req vault.GrantRequest) (vault.GrantResult, error) {
		req.Reason = forAnswers
		return v.Service.OpenGrant(ctx, v.Gateway(), req)
	}
	got, err := open(vault.GrantRequest{Scope: "chat", ReadScopes: []string{"handbook"}})
	if all := must(t, got, err); all.Grant.Tokens != 2 || len(all.Grant.ScopeRefs) != 2 {
		t.Errorf("what lives there: %+v", all.Grant)
	}
	got, err = open(vault.GrantRequest{Scope: "chat", Tokens: []string{jane, "[EMAIL_ADDRESS_00000000ZZ]"}})
	if named := must(t, got, err); named.Grant.Tokens != 1 || len(named.Results) != 2 || named.Results[0].Status != vault.StatusRestored || named.Results[1].Status != vault.StatusUnknown {
		t.Errorf("what is named: %+v", named)
	}
	if _, err := open(vault.GrantRequest{Scope: "chat", Tokens: []string{place}}); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a token of another scope: %v", err)
	}
	if empty := must(t, got, err); empty.Audit == nil {
		t.Error("no receipt")
	}
	values := make([]vault.Value, vault.MaxGrantTokens+1)
	for i := range values {
		values[i] = vault.Value{Entity: "PERSON", Value: "person " + strings.Repeat("x", i+1)}
	}
	made, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{Scope: "crowd", Values: values})
	token := must(t, made, err).Values[7]
	got, err = open(vault.GrantRequest{Scope: "crowd"})
	crowd := must(t, got, err)
	if crowd.Grant.Tokens != 0 {
		t.Errorf("it names %d", crowd.Grant.Tokens)
	}
	before := head(t, v)
	s := streaming(t, v, v.Gateway(), crowd.Grant.ID)
	if got := push(t, s, chunk(token)); got != chunk(values[7].Value) || head(t, v) != before+1 {
		t.Errorf("restored %q with %d entries", got, head(t, v)-before)
	}
	for field, wrong := range map[string]vault.GrantRequest{
		"/scope":  {},
		"/ttl":    {Scope: "chat", GrantWish: vault.GrantWish{TTL: vault.GrantLife + time.Second}},
		"/budget": {Scope: "chat", GrantWish: vault.GrantWish{Budget: -1}},
		"/tokens": {Scope: "chat", Tokens: make([]string, vault.MaxGrantTokens+1)},
	} {
		_, err := open(wrong)
		wantViolation(t, err, field)
	}
	_, err = v.Service.OpenGrant(ctx, vaulttest.Call("olga", "restorer"), vault.GrantRequest{Scope: "chat", GrantWish: vault.GrantWish{Reason: vault.ReasonGiven{Code: "BREAK_GLASS", Reference: "INC-20261"}}})
	wantViolation(t, err, "/reason/code")
}

// TestGrantWithReadScopes: a prompt that holds only tokens of a corpus gets a grant that
// names them.
func TestGrantWithReadScopes(t *testing.T) {
	v := vaulttest.New(t)
	place := corpus(t, v, v.Gateway(), "handbook", "12 Harbour Lane")
	body := `{"model":"m","messages":[{"role":"tool","tool_call_id":"1","content":` + quoted("At "+place) + `}]}`
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", ReadScopes: []string{"handbook"}, Payload: []byte(body), Grant: &vault.GrantWish{Reason: forAnswers},
	})
	out := must(t, got, err)
	if out.Grant == nil || out.Grant.Grant.Tokens != 1 {
		t.Fatalf("the grant: %+v", out.Grant)
	}
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	if got := push(t, s, chunk(place)); got != chunk("12 Harbour Lane") {
		t.Errorf("restored %q", got)
	}
	text := "nothing here"
	none, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &text, Grant: &vault.GrantWish{Reason: forAnswers}})
	if must(t, none, err).Grant != nil {
		t.Error("a grant for a prompt without tokens")
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// TestGrantOfATokenizeThatIsRefused: nothing is tokenized where the grant that was asked
// for is not to be had.
func TestGrantOfATokenizeThatIsRefused(t *testing.T) {
	v := vaulttest.New(t)
	text := "Write to jane@example.com."
	for name, c := range map[string]struct {
		wish vault.GrantWish
		code vault.Code
	}{
		"no reason":       {vault.GrantWish{}, vault.CodeInvalid},
		"unknown reason":  {vault.GrantWish{Reason: vault.ReasonGiven{Code: "CURIOSITY"}}, vault.CodeInvalid},
		"not the gateway": {vault.GrantWish{Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-1"}}, vault.CodeDenied},
		"too long":        {vault.GrantWish{Reason: forAnswers, TTL: time.Hour}, vault.CodeInvalid},
	} {
		_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "new", Text: &text, Grant: &c.wish})
		if vault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, e := range kinded(t, v, 0) {
		if e.Kind == audit.KindTokenize {
			t.Errorf("something was tokenized: %+v", e)
		}
	}
}

// TestInvariant20_GrantOfReplicas: what one replica revokes the streams of another stop
// restoring with their next flush.
func TestInvariant20_GrantOfReplicas(t *testing.T) {
	replicas := vaulttest.NewReplicas(t, 2)
	a, b := replicas[0], replicas[1]
	out := prompted(t, a, a.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	token := out.Tokens[0].Token
	s := streaming(t, b, b.Gateway(), out.Grant.Grant.ID)
	if got := push(t, s, chunk(token)); got != chunk("jane@example.com") {
		t.Fatalf("on another replica: %q", got)
	}
	if _, err := a.Service.CloseGrant(context.Background(), a.Gateway(), out.Grant.Grant.ID); err != nil {
		t.Fatal(err)
	}
	if got := push(t, s, chunk(token)); !strings.HasSuffix(got, chunk(token)) {
		t.Errorf("after it was revoked: %q", got)
	}
}

// TestStreamThatCannotBeRead: from a frame on that cannot be read everything passes as
// it came, and the end says so.
func TestStreamThatCannotBeRead(t *testing.T) {
	v := vaulttest.New(t)
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	token := out.Tokens[0].Token
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	broken := `data: {"choices":[{"index":0,"delta":{"content":"` + token + "\n\n"
	if got := push(t, s, broken+chunk(token)); got != broken+chunk(token) {
		t.Errorf("it is not as it came: %q", got)
	}
	if _, end := finish(t, s); end.Over != "unreadable" {
		t.Errorf("the end: %+v", end)
	}
	if grant, err := v.Service.Grant(context.Background(), v.Gateway(), out.Grant.Grant.ID); must(t, grant, err).Status != vault.GrantClosed {
		t.Errorf("the grant is %s", grant.Status)
	}
}
