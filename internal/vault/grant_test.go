package vault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/google/go-cmp/cmp"
)

var forAnswers = vault.ReasonGiven{Code: "LLM_RESPONSE"}

// prompted tokenizes a prompt and asks for a grant with it.
func prompted(t *testing.T, v *vaulttest.Vault, call vault.Call, scope, text string, wish vault.GrantWish) vault.TokenizeResult {
	t.Helper()
	if wish.Reason.Code == "" {
		wish.Reason = forAnswers
	}
	got, err := v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{Scope: scope, Text: &text, Grant: &wish})
	return must(t, got, err)
}

// chunk is a frame of an OpenAI chat stream.
func chunk(text string) string {
	content, _ := json.Marshal(text)
	return `data: {"choices":[{"index":0,"delta":{"content":` + string(content) + `}}]}` + "\n\n"
}

const chunksEnd = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + "data: [DONE]\n\n"

func streaming(t *testing.T, v *vaulttest.Vault, call vault.Call, grant string) *vault.Stream {
	t.Helper()
	stream, err := v.Service.OpenStream(context.Background(), call, vault.StreamRequest{GrantID: grant})
	return must(t, stream, err)
}

// push gives a stream bytes and returns what is free to go.
func push(t *testing.T, s *vault.Stream, chunk string) string {
	t.Helper()
	out, err := s.Push(context.Background(), []byte(chunk))
	return string(must(t, out, err))
}

func finish(t *testing.T, s *vault.Stream) (string, vault.StreamEnd) {
	t.Helper()
	rest, end, err := s.Close(context.Background())
	return string(must(t, rest, err)), end
}

// kinded are the entries from an index on, each held against the rule of its kind.
func kinded(t *testing.T, v *vaulttest.Vault, from int64) []audit.Entry {
	t.Helper()
	entries := entriesFrom(t, v, from)
	for i := range entries {
		if err := audit.CheckKind(&entries[i]); err != nil {
			t.Errorf("%s: %v", entries[i].Kind, err)
		}
	}
	return entries
}

func kindsOf(entries []audit.Entry) []audit.Kind {
	var out []audit.Kind
	for _, e := range entries {
		out = append(out, e.Kind)
	}
	return out
}

// TestGrantOfAPrompt: a prompt whose answer streams takes two entries, both in its
// own commit, and one when the answer has ended. No flush has one.
func TestGrantOfAPrompt(t *testing.T) {
	v := vaulttest.New(t)
	before := head(t, v)
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com and to bob@example.com.", vault.GrantWish{})
	if out.Grant == nil || out.Grant.Grant.Tokens != 2 || out.Grant.Grant.Status != vault.GrantOpen {
		t.Fatalf("the grant: %+v", out.Grant)
	}
	jane, bob := out.Tokens[0].Token, out.Tokens[1].Token
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	var got strings.Builder
	for _, part := range []string{"Dear ", jane[:7], jane[7:] + ", ", "and " + strings.ToLower(bob), "!"} {
		got.WriteString(push(t, s, chunk(part)))
	}
	got.WriteString(push(t, s, chunksEnd))
	rest, end := finish(t, s)
	got.WriteString(rest)
	want := chunk("Dear ") + chunk("") + chunk("jane@example.com, ") + chunk("and bob@example.com") + chunk("!") + chunksEnd
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	if end.Over != "" || end.Results[vault.StatusRestored] != 2 {
		t.Errorf("the end: %+v", end)
	}
	entries := kinded(t, v, before)
	if want := []audit.Kind{audit.KindTokenize, audit.KindGrant, audit.KindGrantClose}; !slices.Equal(kindsOf(entries), want) {
		t.Fatalf("entries %v, want %v", kindsOf(entries), want)
	}
	for _, e := range entries[1:] {
		if len(e.Tokens) != 2 {
			t.Errorf("the entry %s names %v", e.Kind, e.Tokens)
		}
	}
	if e := entries[1]; e.ChangeID != out.Grant.Grant.ID || e.Counts[audit.CountTTL] != 900 || e.Entities["EMAIL_ADDRESS"] != 2 || e.Reason != "LLM_RESPONSE" {
		t.Errorf("the grant's entry: %+v", e)
	}
	if e := entries[2]; e.Code != "ended" || e.AboutOne(audit.ObligationGrant) != out.Grant.Grant.ID || e.Results["restored"] != 2 {
		t.Errorf("the closing entry: %+v", e)
	}
	for _, r := range []*audit.Receipt{out.Audit, out.Grant.Audit} {
		if r == nil {
			t.Fatal("no receipt")
		}
	}
	if out.Audit.Index+1 != out.Grant.Audit.Index {
		t.Errorf("the receipts prove entries %d and %d", out.Audit.Index, out.Grant.Audit.Index)
	}
	if _, err := v.Service.OpenStream(context.Background(), v.Gateway(), vault.StreamRequest{GrantID: out.Grant.Grant.ID}); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("a second stream under a grant that ended: %v", err)
	}
}

// TestGrantBeyondWhatItNames: a token that a grant does not name is given too, after
// an entry of its own, once, and within the budget.
func TestGrantBeyondWhatItNames(t *testing.T) {
	v := vaulttest.New(t)
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{Budget: 3, Renewable: true})
	more := prompted(t, v, v.Gateway(), "chat", "a@example.com b@example.com c@example.com", vault.GrantWish{})
	before := head(t, v)
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	text := func(i int) string { return more.Tokens[i].Token }
	got := push(t, s, chunk(out.Tokens[0].Token)) + push(t, s, chunk(text(0)+" "+text(1))) + push(t, s, chunk(text(0))) + push(t, s, chunk(text(2)))
	want := chunk("jane@example.com") + chunk("a@example.com b@example.com") + chunk("a@example.com") +
		": counterfoil {\"kept\":\"over_budget\"}\n\n" + chunk(text(2))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	_, end := finish(t, s)
	if end.Results[vault.StatusOverBudget] != 1 {
		t.Errorf("the end: %+v", end)
	}
	entries := kinded(t, v, before)
	if want := []audit.Kind{audit.KindGrantFlush, audit.KindGrantFlush}; !slices.Equal(kindsOf(entries), want) {
		t.Fatalf("entries %v, want %v", kindsOf(entries), want)
	}
	if e := entries[0]; len(e.Tokens) != 2 || e.Decision != audit.Allow || e.AboutOne(audit.ObligationGrant) != out.Grant.Grant.ID {
		t.Errorf("the flush: %+v", e)
	}
	if e := entries[1]; e.Decision != audit.Deny || e.Results["over_budget"] != 1 {
		t.Errorf("the refusal: %+v", e)
	}
	closed, err := v.Service.CloseGrant(context.Background(), v.Gateway(), out.Grant.Grant.ID)
	if must(t, closed, err).Grant.Status != vault.GrantClosed {
		t.Errorf("closed: %+v", closed)
	}
	entries = kinded(t, v, head(t, v)-1)
	if e := entries[0]; e.Kind != audit.KindGrantClose || e.Code != "revoked" || len(e.Tokens) != 3 {
		t.Errorf("the close: %+v", e)
	}
}

// tenStreams opens ten streams, each with a token of its own.
func tenStreams(t *testing.T, v *vaulttest.Vault) (grants, tokens []string, streams []*vault.Stream) {
	for i := range 10 {
		out := prompted(t, v, v.Gateway(), fmt.Sprintf("chat-%d", i), fmt.Sprintf("Write to jane%d@example.com.", i), vault.GrantWish{})
		grants, tokens = append(grants, out.Grant.Grant.ID), append(tokens, out.Tokens[0].Token)
		streams = append(streams, streaming(t, v, v.Gateway(), grants[i]))
	}
	return grants, tokens, streams
}

// TestInvariant8_RevokedStream: of ten streams one is revoked in the middle. It stops
// restoring with the next flush, says so and goes on to its end; the others restore.
func TestInvariant8_RevokedStream(t *testing.T) {
	v := vaulttest.New(t)
	grants, tokens, streams := tenStreams(t, v)
	for i, s := range streams {
		if got, want := push(t, s, chunk(tokens[i])), chunk(fmt.Sprintf("jane%d@example.com", i)); got != want {
			t.Fatalf("stream %d: %q", i, got)
		}
	}
	if _, err := v.Service.CloseGrant(context.Background(), officer(), grants[4]); err != nil {
		t.Fatal(err)
	}
	for i, s := range streams {
		want, over := chunk(fmt.Sprintf("jane%d@example.com", i)), ""
		if i == 4 {
			want, over = ": counterfoil {\"kept\":\"closed\"}\n\n"+chunk(tokens[i]), "closed"
		}
		if got := push(t, s, chunk(tokens[i])); got != want {
			t.Errorf("stream %d after one was revoked: %q", i, got)
		}
		if got := push(t, s, chunk("on we go")); got != chunk("on we go") {
			t.Errorf("stream %d does not go on: %q", i, got)
		}
		if _, end := finish(t, s); end.Over != over {
			t.Errorf("stream %d ended %q", i, end.Over)
		}
	}
}

// TestInvariant8_RevokedStreamTwin: without the guard a revoked stream restores on.
func TestInvariant8_RevokedStreamTwin(t *testing.T) {
	v := vaulttest.New(t)
	v.Service.SetFaults(vault.Faults{IgnoreGrantEnd: true})
	grants, tokens, streams := tenStreams(t, v)
	if _, err := v.Service.CloseGrant(context.Background(), v.Gateway(), grants[0]); err != nil {
		t.Fatal(err)
	}
	if got := push(t, streams[0], chunk(tokens[0])); got != chunk("jane0@example.com") {
		t.Errorf("the twin is green: %q", got)
	}
}

// TestInvariant8_ErasedWhileItStreams: what was erased is not given by a stream that
// was open, though its grant names it and its key was in memory.
func TestInvariant8_ErasedWhileItStreams(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	text := "Write to jane@example.com and bob@example.com."
	got, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Text: &text, Grant: &vault.GrantWish{Reason: forAnswers},
		Spans: []vault.Span{{Start: 9, End: 25, Entity: "EMAIL_ADDRESS", Subject: "crm:jane"}},
	})
	out := must(t, got, err)
	s := streaming(t, v, v.Gateway(), out.Grant.Grant.ID)
	jane, bob := out.Tokens[0].Token, out.Tokens[1].Token
	if got := push(t, s, chunk(jane+" "+bob)); got != chunk("jane@example.com bob@example.com") {
		t.Fatalf("before: %q", got)
	}
	if _, err := v.Service.EraseSubject(ctx, officer(), erasure(v, "crm:jane")); err != nil {
		t.Fatal(err)
	}
	if got, want := push(t, s, chunk(jane+" "+bob)), chunk(jane+" bob@example.com"); !strings.HasSuffix(got, want) {
		t.Errorf("after: %q", got)
	}
}

// TestGrantIsBound: to anybody else a grant is not there.
func TestGrantIsBound(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{Renewable: true})
	id, text := out.Grant.Grant.ID, out.Tokens[0].Token
	for name, call := range map[string]vault.Call{
		"another client": vaulttest.Call("gw-2", "gateway"), "another tenant's": {Channel: "api", Caller: vault.Caller{Tenant: "other", Subject: "gw-1", Client: "gw-1", Roles: []string{"gateway"}}},
		"on behalf of somebody": vaulttest.OnBehalfOf(v.Gateway(), "erika"),
	} {
		for what, err := range map[string]error{
			"stream": func() error {
				_, err := v.Service.OpenStream(ctx, call, vault.StreamRequest{GrantID: id})
				return err
			}(),
			"detokenize": func() error {
				_, err := v.Service.Detokenize(ctx, call, vault.DetokenizeRequest{GrantID: id, Text: &text})
				return err
			}(),
			"show":  func() error { _, err := v.Service.Grant(ctx, call, id); return err }(),
			"renew": func() error { _, err := v.Service.RenewGrant(ctx, call, id, 0); return err }(),
			"close": func() error { _, err := v.Service.CloseGrant(ctx, call, id); return err }(),
		} {
			if code := vault.CodeOf(err); code != vault.CodeNotFound && (call.Caller.Tenant == "acme" || code != vault.CodeDenied) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	last := kinded(t, v, head(t, v)-1)[0]
	if last.Kind != audit.KindGrantFlush || last.Decision != audit.Deny || last.Code != "not_found:grantee" {
		t.Errorf("no record of it: %+v", last)
	}
	v.Service.SetFaults(vault.Faults{IgnoreGrantee: true})
	if _, err := v.Service.Detokenize(ctx, vaulttest.Call("gw-2", "gateway"), vault.DetokenizeRequest{GrantID: id, Text: &text}); err != nil {
		t.Errorf("the twin is green: %v", err)
	}
}

// TestPartial: a text that grows is restored as far as it is decided, on any call,
// and the same again costs nothing.
func TestPartial(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	whole := "Dear " + out.Tokens[0].Token + ", hello"
	before := head(t, v)
	shown := ""
	for n := range len(whole) + 1 {
		text := whole[:n]
		got, err := v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{GrantID: out.Grant.Grant.ID, Text: &text, Partial: true})
		answer := must(t, got, err)
		final := (*answer.Text)[:len(*answer.Text)-answer.HoldbackChars]
		if !strings.HasPrefix(final, shown) {
			t.Fatalf("%q was shown, now it is %q", shown, final)
		}
		shown = final
	}
	got, err := v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{GrantID: out.Grant.Grant.ID, Text: &whole})
	if answer := must(t, got, err); *answer.Text != "Dear jane@example.com, hello" || answer.HoldbackChars != 0 || !strings.HasPrefix(*answer.Text, shown) {
		t.Errorf("the whole: %q", *answer.Text)
	}
	if n := head(t, v) - before; n != 0 {
		t.Errorf("%d entries for what the grant names", n)
	}
}

// TestRenewGrant: a grant stands for longer as often as it is renewed, and never past
// two hours.
func TestRenewGrant(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	short := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	if _, err := v.Service.RenewGrant(ctx, v.Gateway(), short.Grant.Grant.ID, 0); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("one that is not renewable: %v", err)
	}
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{Renewable: true})
	text := out.Tokens[0].Token
	restores := func() bool {
		got, err := v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{GrantID: out.Grant.Grant.ID, Text: &text})
		return err == nil && *got.Text == "jane@example.com"
	}
	for i := range 11 {
		v.Clock.Advance(11 * time.Minute)
		_, err := v.Service.RenewGrant(ctx, v.Gateway(), out.Grant.Grant.ID, 0)
		if (err == nil) != (i < 10) || (i < 10) != restores() {
			t.Fatalf("after %d minutes: %v, restores: %v", 11*(i+1), err, restores())
		}
	}
	if more, err := v.Service.CloseExpiredGrants(ctx, "acme"); more || err != nil {
		t.Fatal(more, err)
	}
	last := kinded(t, v, head(t, v)-2)
	for _, e := range last {
		if e.Kind != audit.KindGrantClose || e.Code != "expired" {
			t.Errorf("closed: %+v", e)
		}
	}
}
