package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/client"
)

func TestATextGoesAndComesBack(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	for _, text := range []string{"mail " + email + " <b>&</b>\u2028", "", "\x00 \U0001F600 \uFFFD\r\n", "nobody"} {
		out, err := c.Tokenize(t.Context(), prompt(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if strings.Contains(out.Text, email) || out.Receipt == nil || out.RequestID == "" || out.PolicyVersion == "" {
			t.Errorf("%q: %+v", text, out)
		}
		back, err := c.Detokenize(t.Context(), restore(client.Text(out.Text)))
		if err != nil || back.Text != text {
			t.Errorf("%q came back as %q, %v", text, back.Text, err)
		}
		if back != nil && len(back.Results) != strings.Count(text, email) {
			t.Errorf("%q: results %+v", text, back.Results)
		}
	}
}

func TestSpansValuesAndTokens(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	out, err := c.Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Subject: "customer-77", TTL: time.Hour, DetectOff: true,
		Content: client.SpannedText{Text: "Frau Jané, " + email, Spans: []client.Span{{Start: 5, End: 9, Entity: "PERSON"}}},
	})
	if err != nil || len(out.Tokens) != 1 || !strings.HasSuffix(out.Text, ", "+email) || *out.Tokens[0].Start != 5 || out.Tokens[0].ExpiresAt == nil {
		t.Fatalf("%+v %v", out, err)
	}
	values, err := c.Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Content: client.Values{{Entity: "EMAIL_ADDRESS", Value: email}, {Entity: "PERSON", Value: "Jané"}},
	})
	if err != nil || len(values.Values) != 2 || values.Text != "" || values.Values[1] != out.Tokens[0].Token {
		t.Fatalf("%+v %v", values, err)
	}
	back, err := c.Detokenize(t.Context(), restore(client.Tokens(append(values.Values, "[PERSON_0000000000]"))))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{email, "Jané", "[PERSON_0000000000]"}, back.Values); diff != "" {
		t.Error(diff)
	}
	if back.Results[0].Status != client.StatusRestored || back.Results[0].Form != "full" || back.Results[2].Status != client.StatusUnknown {
		t.Errorf("%+v", back.Results)
	}
}

// What stands in a body of a provider is not ours to change: white space,
// spellings, duplicate names and numbers that no float holds.
const providerBody = "{\"model\" : \"m\",\n \"x\": {\"d\":1, \"d\":2, \"z\":-0, \"e\":1e400, \"u\":\"\\ud800\"}, " +
	"\"messages\":[ {\"role\":\"user\",\"content\":\"<b>&\\/ caf\\u00e9 \u2028 " + email + "\"} ]}"

func TestInvariant3_APayloadKeepsItsBytes(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	out, err := c.Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Content: client.Payload{JSON: json.RawMessage("\n " + providerBody + "\r\n"), Shape: "openai.chat.request"},
	})
	if err != nil || len(out.Tokens) != 1 || out.Tokens[0].Pointer != "/messages/0/content" || out.Coverage == nil {
		t.Fatalf("%+v %v", out, err)
	}
	want := strings.Replace(providerBody, email, out.Tokens[0].Token, 1)
	if diff := cmp.Diff(want, string(out.Payload)); diff != "" {
		t.Errorf("tokenized (-want +got):\n%s", diff)
	}
	back, err := c.Detokenize(t.Context(), restore(client.Payload{JSON: out.Payload}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(providerBody, string(back.Payload)); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
}

// The twin: encoded again, as a client that knows only encoding/json would, the
// same body is another one.
func TestInvariant3_TwinAPayloadThatIsEncodedAgainIsAnother(t *testing.T) {
	again, err := json.Marshal(map[string]json.RawMessage{"payload": json.RawMessage(providerBody)})
	if err != nil || bytes.Contains(again, []byte(providerBody)) {
		t.Errorf("the body does not tell: %v", err)
	}
}

func TestADryRunMakesNothing(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	r := prompt("mail " + email)
	r.DryRun = true
	out, err := c.Tokenize(t.Context(), r)
	if err != nil || out.Receipt != nil || out.Text != "" || len(out.Tokens) != 1 || out.Tokens[0].Token != "" {
		t.Errorf("%+v %v", out, err)
	}
	w.wire.changing(func(body []byte) []byte { return append([]byte(`{"text":"x",`), body[1:]...) })
	if _, err := c.Tokenize(t.Context(), r); !errors.Is(err, client.ErrAnswer) {
		t.Errorf("a dry run that made something: %v", err)
	}
}

func TestAScopeAndItsEndUser(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	r := client.OpenScopeRequest{Scope: "chat-1", Kind: client.KindConversation, TTL: time.Hour, OnBehalfOf: "erika"}
	made, err := c.OpenScope(t.Context(), r)
	if err != nil || !made.Created || !made.EndUserBound || made.Receipt == nil || made.ScopeRef == "" || made.IdleTTL != time.Hour {
		t.Fatalf("%+v %v", made, err)
	}
	again, err := c.OpenScope(t.Context(), r)
	if err != nil || again.Created || again.Receipt != nil {
		t.Errorf("%+v %v", again, err)
	}
	w.wire.changing(func(body []byte) []byte { return bytes.Replace(body, []byte(`"audit"`), []byte(`"other"`), 1) })
	unproven := client.OpenScopeRequest{Scope: "chat-2", Kind: client.KindConversation}
	wantFault(t, client.FaultMissing, func() error { _, err := c.OpenScope(t.Context(), unproven); return err })
	w.wire.changing(nil)
	r.Kind = client.KindCase
	if _, err := c.OpenScope(t.Context(), r); !errors.Is(err, client.ErrConflict) {
		t.Errorf("another kind: %v", err)
	}
	ask := prompt("mail " + email)
	ask.OnBehalfOf = "erika"
	out, err := c.Tokenize(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	back := restore(client.Text(out.Text))
	for name, want := range map[string]string{"erika": "mail " + email, "max": out.Text} {
		back.OnBehalfOf = name
		if got, err := c.Detokenize(t.Context(), back); err != nil || got.Text != want {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func TestPreambleAndCheckpoint(t *testing.T) {
	w := newWorld(t)
	if text, err := w.gateway().Preamble(t.Context()); err != nil || !strings.Contains(text, "brackets") {
		t.Errorf("%q %v", text, err)
	}
	if _, err := w.gateway().Checkpoint(t.Context()); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a gateway reads the log: %v", err)
	}
	auditor := w.client(w.as("acme", "ann", "auditor"))
	first, err := auditor.Checkpoint(t.Context())
	if err != nil || first.Size < 1 || first.Log == "" || !strings.HasPrefix(first.Note, first.Log+"\n") {
		t.Fatalf("%+v %v", first, err)
	}
	if _, err := w.gateway().Tokenize(t.Context(), prompt("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.vault.Worker.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := auditor.Checkpoint(t.Context())
	if err != nil || second.Size <= first.Size {
		t.Fatalf("%+v %v", second, err)
	}
	w.wire.changing(func([]byte) []byte { return []byte(first.Note) })
	wantFault(t, client.FaultBehind, func() error { _, err := auditor.Checkpoint(t.Context()); return err })
	w.wire.changing(func(body []byte) []byte { return bytes.Replace(body, []byte("acme"), []byte("acmE"), 1) })
	wantFault(t, client.FaultSignature, func() error { _, err := auditor.Checkpoint(t.Context()); return err })
}

func TestKeysThatAreTrustedOnFirstUse(t *testing.T) {
	w := newWorld(t)
	tofu := func(cfg *client.Config) { cfg.LogKeys, cfg.TrustOnFirstUse = nil, true }
	both := w.client(w.as("acme", "gw-1", "gateway"), tofu)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := both.Tokenize(t.Context(), prompt("x")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.wire.requests(); n != 1+8 {
		t.Errorf("%d requests: the keys were fetched more than once", n)
	}
	for name, answer := range map[string]string{
		"no keys": `{"keys":[]}`, "no key": `{"keys":[{"key":"x"}]}`, "not JSON": `x`,
		"two logs": `{"keys":[{"key":"` + w.logKey("acme") + `"},{"key":"` + w.logKey("globex") + `"}]}`,
	} {
		w.wire.changing(func([]byte) []byte { return []byte(answer) })
		c := w.client(w.as("acme", "gw-1", "gateway"), tofu)
		if _, err := c.Tokenize(t.Context(), prompt("x")); !errors.Is(err, client.ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Answers to requests that ran side by side come in any order, and share
// heads: no alarm may come of that.
func TestManyCallersOfOneClient(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 8 {
				if _, err := c.Tokenize(t.Context(), prompt("mail "+email)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if c.Known() < 100 {
		t.Errorf("%d heads are known", c.Known())
	}
}

func TestARequestThatIsRefusedSaysWhy(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	none := restore(client.Text("x"))
	none.Reason = client.Reason{}
	var p *client.Problem
	_, err := c.Detokenize(t.Context(), none)
	if !errors.As(err, &p) || !errors.Is(err, client.ErrInvalid) || errors.Is(err, client.ErrDenied) {
		t.Fatalf("%v", err)
	}
	if p.Status != 422 || len(p.Violations) != 1 || !strings.HasPrefix(p.Violations[0].Field, "/reason") || p.Violations[0].Rule == "" || p.RequestID == "" {
		t.Errorf("%+v", p)
	}
	if got := err.Error(); got != "counterfoil: invalid (422) at "+p.Violations[0].Field+", request "+p.RequestID {
		t.Errorf("%q", got)
	}
	long := prompt(strings.Repeat("x", 1<<20+1))
	if _, err = c.Tokenize(t.Context(), long); !errors.As(err, &p) || p.Status != 413 || p.Limit != "text_bytes" {
		t.Errorf("%v", err)
	}
	other := w.client(w.as("acme", "nobody", "restorer"))
	if _, err = other.Tokenize(t.Context(), prompt("x")); !errors.Is(err, client.ErrDenied) {
		t.Errorf("%v", err)
	}
	stranger := w.client(func(context.Context) (string, error) { return "e30.e30.x", nil })
	if _, err = stranger.Tokenize(t.Context(), prompt("x")); !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("%v", err)
	}
}

// An answer that is lost on the way is asked for again, and the log tells that
// from a second request.
func TestInvariant16_ALostAnswerIsARepetitionInTheLog(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	slept := c.WithClock(time.Unix(1e9, 0))
	replayed := func(r *client.Receipt) bool {
		entry, err := w.vault.Service.AuditEntry(t.Context(), w.vault.Auditor(), r.Index)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(entry.Leaf, []byte(`"replay_of"`))
	}
	once, err := c.Tokenize(t.Context(), prompt("mail "+email))
	if err != nil || replayed(once.Receipt) {
		t.Fatalf("a first request is a repetition: %v", err)
	}
	w.wire.losing(2)
	out, err := c.Tokenize(t.Context(), prompt("mail "+email))
	if err != nil || len(*slept) != 2 || out.Text != once.Text || !replayed(out.Receipt) {
		t.Fatalf("%d pauses, %+v %v", len(*slept), out, err)
	}
	w.wire.losing(1)
	back, err := c.Detokenize(t.Context(), restore(client.Text(out.Text)))
	if err != nil || back.Text != "mail "+email || !replayed(back.Receipt) {
		t.Fatalf("%+v %v", back, err)
	}
	w.wire.losing(1)
	made, err := c.OpenScope(t.Context(), client.OpenScopeRequest{Scope: "chat-3", Kind: client.KindConversation})
	if err != nil || made.Created {
		t.Errorf("%+v %v", made, err)
	}
	// A key of the caller's own: the same wish twice, then another one.
	own := prompt("mail " + email)
	own.IdempotencyKey = "turn-17"
	for i, want := range []bool{false, true} {
		if got, err := c.Tokenize(t.Context(), own); err != nil || replayed(got.Receipt) != want {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
	own.Content = client.Text("something else")
	if _, err := c.Tokenize(t.Context(), own); !errors.Is(err, client.ErrConflict) {
		t.Errorf("another wish under the same key: %v", err)
	}
}

// The client is small: none of the dependencies of the service.
func TestTheClientDependsOnNothingOfTheService(t *testing.T) {
	const own = "github.com/counterfoil/counterfoil/"
	allowed := func(path string) bool {
		name, _, _ := strings.Cut(path, "/")
		return !strings.Contains(name, ".") || // of the standard library
			path == own+"client" || path == own+"internal/audit" || strings.HasPrefix(path, "golang.org/x/mod/")
	}
	list := func(pkg string) []string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Skipf("there is no go command here: %v", err)
		}
		return strings.Fields(string(out))
	}
	deps := list(".")
	if len(deps) < 50 {
		t.Fatalf("only %d packages were listed", len(deps))
	}
	for _, path := range deps {
		if !allowed(path) {
			t.Errorf("depends on %s", path)
		}
	}
	// The twin: the test sees what a service would bring.
	red := 0
	for _, path := range list("../internal/httpapi") {
		if !allowed(path) {
			red++
		}
	}
	if red == 0 {
		t.Error("the service itself would pass for light")
	}
}
