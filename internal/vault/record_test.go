package vault_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// failing is a store that refuses commits of a kind while it is told to.
type failing struct {
	vault.Store
	restores atomic.Bool
}

var errDown = errors.New("the disk is gone")

func (f *failing) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	if _, ok := c.Effect().(vault.Restore); ok && f.restores.Load() {
		return vault.Committed{}, errors.Join(vault.ErrUnavailable, errDown)
	}
	return f.Store.Commit(ctx, tenant, c)
}

func withFailing(t *testing.T) (*vaulttest.Vault, *failing) {
	t.Helper()
	f := &failing{}
	v := vaulttest.New(t, vaulttest.WithStore(func(s vault.Store) vault.Store { f.Store = s; return f }))
	return v, f
}

// TestInvariant1_NoValueWithoutItsEntry: where the intent cannot be committed
// nothing is restored and the caller is told to come back.
func TestInvariant1_NoValueWithoutItsEntry(t *testing.T) {
	v, f := withFailing(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	f.restores.Store(true)
	got, err := llm(v, v.Gateway(), "chat", tok)
	var public *vault.Error
	if !errors.As(err, &public) || public.Code != vault.CodeUnavailable || public.RetryAfter == 0 {
		t.Fatalf("got %v, want unavailable with advice", err)
	}
	if got.Text != nil || strings.Contains(err.Error(), "disk") {
		t.Fatalf("something left: %v, %v", got.Text, err)
	}
	f.restores.Store(false)
	if got := must2(llm(v, v.Gateway(), "chat", tok))(t); *got.Text != "Jane Doe" {
		t.Fatalf("after the store came back: %q", *got.Text)
	}
}

// TestInvariant1_Twin: where values are opened before the commit, one leaves
// without its entry.
func TestInvariant1_Twin(t *testing.T) {
	v, f := withFailing(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	f.restores.Store(true)
	v.Service.SetFaults(vault.Faults{OpenBeforeCommit: true})
	before := head(t, v)
	got, err := llm(v, v.Gateway(), "chat", tok)
	if err != nil || *got.Text != "Jane Doe" || head(t, v) != before {
		t.Fatal("the guard was taken out and no value left unrecorded: this twin shows nothing")
	}
}

// entriesFrom returns the entries of acme from an index on.
func entriesFrom(t *testing.T, v *vaulttest.Vault, from int64) []audit.Entry {
	t.Helper()
	return entriesOf(t, v, "acme", from)
}

func entriesOf(t *testing.T, v *vaulttest.Vault, tenant string, from int64) []audit.Entry {
	t.Helper()
	stored, err := v.Store.Entries(context.Background(), tenant, vault.EntryQuery{HasCursor: from > 0, Cursor: from - 1, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var out []audit.Entry
	for _, s := range stored {
		entry, err := audit.ParseLeaf(s.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, entry)
	}
	return out
}

// TestInvariant10_DenialsAreEntries: whoever is refused, for whatever cause,
// leaves an entry if the caller is known.
func TestInvariant10_DenialsAreEntries(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	supporter := vaulttest.Call("sue", "restorer")
	for name, c := range map[string]struct {
		call   vault.Call
		reason vault.ReasonGiven
		code   vault.Code
		field  string
	}{
		"no reason":         {v.Gateway(), vault.ReasonGiven{}, vault.CodeInvalid, "/reason/code"},
		"unknown reason":    {v.Gateway(), vault.ReasonGiven{Code: "CURIOSITY"}, vault.CodeInvalid, "/reason/code"},
		"no reference":      {supporter, vault.ReasonGiven{Code: "CUSTOMER_SUPPORT"}, vault.CodeInvalid, "/reason/reference"},
		"idle reference":    {supporter, vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "because"}, vault.CodeInvalid, "/reason/reference"},
		"wrong role":        {vaulttest.Call("otto", "operator"), vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "TK-1"}, vault.CodeDenied, ""},
		"gateway as person": {v.Gateway(), vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "TK-1"}, vault.CodeDenied, ""},
		"no second factor":  {supporter, vault.ReasonGiven{Code: "BREAK_GLASS"}, vault.CodeDenied, ""},
		"not of the team":   {supporter, vault.ReasonGiven{Code: "FRAUD_REVIEW", Reference: "TK-1"}, vault.CodeDenied, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := head(t, v)
			_, err := v.Service.Detokenize(context.Background(), c.call, vault.DetokenizeRequest{Scope: "chat", Reason: c.reason, Text: &tok})
			var public *vault.Error
			if !errors.As(err, &public) || public.Code != c.code {
				t.Fatalf("got %v, want %s", err, c.code)
			}
			if c.field != "" && (len(public.Violations) != 1 || public.Violations[0].Field != c.field) {
				t.Fatalf("violations %v, want one of %s", public.Violations, c.field)
			}
			made := entriesFrom(t, v, before)
			if len(made) != 1 || made[0].Decision != audit.Deny || made[0].Actor != c.call.Caller.Subject || made[0].Kind != audit.KindRestore {
				t.Fatalf("entries %+v", made)
			}
		})
	}
}

// TestInvariant10_Twin: where refusals are not recorded the log does not grow,
// which is what the test above looks at.
func TestInvariant10_Twin(t *testing.T) {
	v := vaulttest.New(t)
	v.Service.SetFaults(vault.Faults{ForgetDenials: true})
	before := head(t, v)
	if _, err := v.Service.Detokenize(context.Background(), v.Gateway(), vault.DetokenizeRequest{
		Scope: "chat", Text: vaulttest.Ptr("x"),
	}); vault.CodeOf(err) != vault.CodeInvalid || head(t, v) != before {
		t.Fatal("the guard was taken out and the refusal was recorded: this twin shows nothing")
	}
}

// TestInvariant13_OnePolicyVersion: the answer and its entry name the version
// that decided.
func TestInvariant13_OnePolicyVersion(t *testing.T) {
	v := vaulttest.New(t)
	out := tokenizeText(t, v, v.Gateway(), "chat", "mail jane@example.com")
	back := must2(llm(v, v.Gateway(), "chat", *out.Text))(t)
	if out.PolicyVersion == "" || back.PolicyVersion != out.PolicyVersion {
		t.Fatalf("versions %q and %q", out.PolicyVersion, back.PolicyVersion)
	}
	for _, e := range entriesFrom(t, v, 0) {
		if e.PolicyVersion != out.PolicyVersion {
			t.Errorf("an entry of kind %s names the version %q", e.Kind, e.PolicyVersion)
		}
	}
}

// TestInvariant18_DetectorFails: detection that cannot run fails the request,
// and nothing is written. The twin: without the guard the text passes.
func TestInvariant18_DetectorFails(t *testing.T) {
	late, err := detect.New(detect.Options{Timeout: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	v := vaulttest.New(t, vaulttest.WithDetector(late))
	before := head(t, v)
	text := strings.Repeat("mail jane@example.com ", 2000)
	req := vault.TokenizeRequest{Scope: "chat", Text: &text}
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), req)
	var told *vault.Error
	if !errors.As(err, &told) || told.Code != vault.CodeUnavailable || told.Detail != "detection" || got.Text != nil || head(t, v) != before {
		t.Fatalf("a detector that timed out: %v", err)
	}
	v.Service.SetFaults(vault.Faults{IgnoreDetector: true})
	if got, err := v.Service.Tokenize(context.Background(), v.Gateway(), req); err != nil || *got.Text != text {
		t.Fatalf("the guard was taken out and the text did not pass (%v): this twin shows nothing", err)
	}
}

// TestInvariant10_IdenticalDenialsCollapse: the first denial is an entry at
// once, the rest of the minute is one more entry with a count.
func TestInvariant10_IdenticalDenialsCollapse(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	before := head(t, v)
	ask := func(client string) {
		if _, err := v.Service.Detokenize(context.Background(), vaulttest.Call(client, "operator"), vault.DetokenizeRequest{
			Scope: "chat", Reason: vault.ReasonGiven{Code: "BREAK_GLASS"}, Text: &tok,
		}); vault.CodeOf(err) != vault.CodeDenied {
			t.Fatalf("got %v", err)
		}
	}
	for range 10 {
		ask("otto")
	}
	ask("olga")
	if made := entriesFrom(t, v, before); len(made) != 2 {
		t.Fatalf("%d entries for two callers within a minute", len(made))
	}
	v.Clock.Advance(vault.DenialWindow)
	if err := v.Service.FlushDenials(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	made := entriesFrom(t, v, before)
	if len(made) != 3 || made[2].Counts["denials"] != 9 || made[2].Actor != "otto" {
		t.Fatalf("entries %+v", made)
	}
	ask("otto")
	if made := entriesFrom(t, v, before); len(made) != 4 {
		t.Fatal("a denial in the next minute is not an entry at once")
	}
}

// TestInvariant10_Unauthenticated: whoever has no valid credential is counted
// in the system's log, one entry a minute.
func TestInvariant10_Unauthenticated(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	before := int64(len(entriesOf(t, v, vault.SystemTenant, 0)))
	flush := func(all bool) []audit.Entry {
		if err := v.Service.FlushDenials(ctx, all); err != nil {
			t.Fatal(err)
		}
		return entriesOf(t, v, vault.SystemTenant, before)
	}
	for range 5 {
		v.Service.CountUnauthenticated("signature")
	}
	v.Service.CountUnauthenticated("expired")
	if made := flush(false); len(made) != 0 {
		t.Fatalf("%d entries before the minute is over", len(made))
	}
	v.Clock.Advance(vault.DenialWindow)
	made := flush(false)
	if len(made) != 1 || made[0].Kind != audit.KindAuthFailures || made[0].Counts["signature"] != 5 || made[0].Counts["expired"] != 1 {
		t.Fatalf("entries %+v", made)
	}
	v.Service.CountUnauthenticated("expired")
	if made := flush(true); len(made) != 2 {
		t.Fatal("what was counted is lost when the process ends")
	}
}

// TestInvariant9_Expired: from the instant on nothing is restored, whether or
// not the sweep has run, and the value gets a new token.
func TestInvariant9_Expired(t *testing.T) {
	v := vaulttest.New(t)
	call := v.Gateway()
	got, err := v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{
		Scope: "chat", TTL: time.Hour, Values: []vault.Value{{Entity: "PERSON", Value: "Jane Doe"}},
	})
	tok := must(t, got, err).Values[0]
	v.Clock.Advance(time.Hour - time.Microsecond)
	if r := must2(llm(v, call, "chat", tok))(t); *r.Text != "Jane Doe" {
		t.Fatalf("a microsecond before: %q", *r.Text)
	}
	v.Clock.Advance(time.Microsecond)
	r := must2(llm(v, call, "chat", tok))(t)
	if *r.Text != tok || statuses(r)[0] != vault.StatusExpired {
		t.Fatalf("at the instant: %q %v", *r.Text, statuses(r))
	}
	if again := tokenizeValue(t, v, call, "chat", "PERSON", "Jane Doe"); again == tok {
		t.Fatal("an expired mapping was revived")
	}
	if err := v.Worker.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if r := must2(llm(v, call, "chat", tok))(t); *r.Text != tok || statuses(r)[0] != vault.StatusUnknown {
		t.Fatalf("after the sweep: %q %v", *r.Text, statuses(r))
	}
}

// TestInvariant9_Twin: the domain's judgement is one guard of two. Without it
// the store's precondition still refuses, which is what makes it a guard; the
// store's own suite shows the twin of that one.
func TestInvariant9_Twin(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	v.Clock.Advance(48 * time.Hour)
	v.Service.SetFaults(vault.Faults{IgnoreExpiry: true})
	if _, err := llm(v, v.Gateway(), "chat", tok); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Fatalf("got %v: the store's precondition let an expired value through", err)
	}
}

// TestSweepDestroysAndSaysSo: mappings, then keys, then scopes go, each batch
// with its entry, and what lives stays.
func TestSweepDestroysAndSaysSo(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	tokenizeValue(t, v, v.Gateway(), "old chat", "PERSON", "Jane Doe")
	v.Clock.Advance(31 * 24 * time.Hour)
	stays := tokenizeValue(t, v, v.Gateway(), "new chat", "PERSON", "Jane Doe")
	before := head(t, v)
	if err := v.Worker.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	total := make(map[string]int)
	for _, e := range entriesFrom(t, v, before) {
		if e.Kind != audit.KindSweep {
			t.Fatalf("an entry of kind %s", e.Kind)
		}
		for name, n := range e.Counts {
			total[name] += n
		}
	}
	if total["mappings"] != 1 || total["keys"] != 1 || total["scopes"] != 1 {
		t.Fatalf("destroyed %v, want one of each", total)
	}
	if r := must2(llm(v, v.Gateway(), "new chat", stays))(t); *r.Text != "Jane Doe" {
		t.Fatal("the sweep destroyed what lives")
	}
	if again, err := v.Service.Sweep(ctx, "acme"); err != nil || again {
		t.Fatalf("a second sweep found more: %v %v", again, err)
	}
}

// TestInvariant18_BlockedSecrets: secrets are refused with type and place, and
// the refusal is an entry.
func TestInvariant18_BlockedSecrets(t *testing.T) {
	v := vaulttest.New(t)
	before := head(t, v)
	text := "key: AKIA" + "IOSFODNN7EXAMPLQ and -----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA1234567890abcdefghijklmnop\n-----END RSA PRIVATE KEY-----"
	_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &text})
	var public *vault.Error
	if !errors.As(err, &public) || public.Code != vault.CodeInvalid || len(public.Violations) == 0 {
		t.Fatalf("got %v, want invalid with places", err)
	}
	for _, violation := range public.Violations {
		if strings.Contains(violation.Rule, "AKIA") || strings.Contains(violation.Rule, "MIIE") {
			t.Fatal("a value is in an error")
		}
	}
	if made := entriesFrom(t, v, before); len(made) != 1 || made[0].Decision != audit.Deny || made[0].Entities["PRIVATE_KEY"] != 1 {
		t.Fatalf("entries %+v", made)
	}
}

// TestInvariant17_Limits: every limit has a name, a number, a unit and a reason.
func TestInvariant17_Limits(t *testing.T) {
	v := vaulttest.New(t)
	names := make(map[string]bool)
	for _, l := range v.Service.Limits() {
		if l.Name == "" || l.Unit == "" || l.Why == "" || l.Value <= 0 || names[l.Name] {
			t.Errorf("limit %+v", l)
		}
		names[l.Name] = true
	}
	if !names["text_bytes"] || !names["findings"] {
		t.Error("the limits of a request are not in the list")
	}
}

// TestNoteKindsArePinned: bookkeeping that is written without an entry is a
// closed list. Whoever adds a kind must say here that it cannot widen access.
func TestNoteKindsArePinned(t *testing.T) {
	if got := vault.NoteKinds(); !slices.Equal(got, []vault.NoteKind{vault.NoteCheckpoint, vault.NoteExport, vault.NoteEvidence}) {
		t.Fatalf("the list of notes is %v", got)
	}
}

// TestInvariant2_ChangeNeedsItsEntry: a change without an entry that speaks
// for it cannot be made, and the zero change is refused by the store.
func TestInvariant2_ChangeNeedsItsEntry(t *testing.T) {
	v := vaulttest.New(t)
	for name, c := range map[string]struct {
		effect vault.Effect
		entry  audit.Entry
	}{
		"no effect":          {nil, audit.Entry{Kind: audit.KindRestore}},
		"no entry":           {vault.Tokenize{}, audit.Entry{}},
		"another entry":      {vault.Tokenize{}, audit.Entry{Kind: audit.KindRestore}},
		"a sweep in silence": {vault.Sweep{}, audit.Entry{Kind: audit.KindServiceStart}},
		"tokens unchecked":   {vault.Record{}, audit.Entry{Kind: audit.KindRestore, Tokens: []string{"7K3QX9M2"}}},
	} {
		if _, err := vault.NewChange("acme", c.effect, c.entry); !errors.Is(err, vault.ErrNoEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Store.Commit(context.Background(), "acme", vault.Change{}); !errors.Is(err, vault.ErrNoEntry) {
		t.Errorf("the zero change: %v", err)
	}
}
