package vault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// custom makes a detector of the default set with something custom.
func custom(t *testing.T, c detect.Custom) *detect.Detector {
	t.Helper()
	d, err := detect.New(detect.Options{Entities: []string{detect.EmailAddress, detect.APIKey}, Custom: c})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// searching makes a service whose tenants are searched so.
func searching(t *testing.T, of func(tenant string) vault.Detection, opts ...vaulttest.Option) *vaulttest.Vault {
	t.Helper()
	return vaulttest.New(t, append(opts, vaulttest.With(func(o *assembly.Options) { o.Detection = of }))...)
}

func always(d vault.Detection) func(string) vault.Detection {
	return func(string) vault.Detection { return d }
}

func TestDetectionIsOfTheTenant(t *testing.T) {
	own := custom(t, detect.Custom{Patterns: []detect.Pattern{{Name: "contract", Entity: "CUSTOM_ID", Expression: `\bV-\d{4}\b`}}})
	plain := custom(t, detect.Custom{})
	v := searching(t, func(tenant string) vault.Detection {
		if tenant == "acme" {
			return vault.Detection{Detector: own}
		}
		return vault.Detection{Detector: plain}
	})
	globex := v.Gateway()
	globex.Caller.Tenant = "globex"
	const text = "about V-1234"
	if out := tokenizeText(t, v, v.Gateway(), "chat", text); len(out.Tokens) != 1 || out.Tokens[0].Entity != "CUSTOM_ID" {
		t.Errorf("acme: %+v", out.Tokens)
	}
	if out := tokenizeText(t, v, globex, "chat", text); len(out.Tokens) != 0 || *out.Text != text {
		t.Errorf("globex: %+v", out.Tokens)
	}
}

const apiKey = "ghp_" + "R4nd0mLy9KqTzXvBn2LmWc8sHd7fGjPoYu1Q"

// TestAllowListsUnblockNothing, unless they say so.
func TestAllowListsUnblockNothing(t *testing.T) {
	text := "the documented key is " + apiKey + ", ask help@example.com"
	for _, even := range []bool{false, true} {
		v := searching(t, always(vault.Detection{Detector: custom(t, detect.Custom{
			Allow: []detect.AllowList{{Phrases: []string{apiKey, "help@example.com"}, EvenBlocked: even}},
		})}))
		out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &text})
		if !even {
			wantViolation(t, err, "/text")
		} else if out = must(t, out, err); *out.Text != text || len(out.Tokens) != 0 {
			t.Errorf("allowed even where it is blocked: %q", *out.Text)
		}
	}
}

// TestDeniedCountsBesideWhatIsAllowed: a phrase within a value that may go is not for its destination, and a caller
// who looks for something else does not lose it.
func TestDeniedCountsBesideWhatIsAllowed(t *testing.T) {
	v := searching(t, always(vault.Detection{Detector: custom(t, detect.Custom{
		Deny: []detect.DenyList{{Name: "projects", Entity: "CUSTOM_ID", Phrases: []string{"falcon"}}},
	})}), vaulttest.WithPolicy(warning(t, access.ActAllow)))
	text := "write to falcon@example.com"
	out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Text: &text, Destination: "internal/onprem", Detect: vault.DetectOptions{Entities: []string{"PERSON"}},
	})
	if out = must(t, out, err); len(out.Tokens) != 1 || out.Tokens[0].Entity != "CUSTOM_ID" || strings.Contains(*out.Text, "falcon") {
		t.Errorf("%q: %+v", *out.Text, out.Tokens)
	}
	plain := searching(t, always(vault.Detection{Detector: custom(t, detect.Custom{})}), vaulttest.WithPolicy(warning(t, access.ActAllow)))
	out, err = plain.Service.Tokenize(context.Background(), plain.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &text, Destination: "internal/onprem"})
	if out = must(t, out, err); *out.Text != text {
		t.Errorf("without the list %q: this shows nothing", *out.Text)
	}
}

// namesOnly is an analyzer that knows one name.
func namesOnly(_ context.Context, text string, _ [][2]int) ([]detect.Span, error) {
	at := strings.Index(text, "Zoë")
	if at < 0 {
		return nil, nil
	}
	return []detect.Span{{Start: at, End: at + len("Zoë"), Entity: "PERSON", Score: 0.85, Rule: "analyzer/PERSON"}}, nil
}

func TestAnalyzerIsAsked(t *testing.T) {
	var asked atomic.Int64
	var reserved atomic.Pointer[[][2]int]
	v := searching(t, always(vault.Detection{
		Detector: custom(t, detect.Custom{}),
		Analyze: func(ctx context.Context, text string, r [][2]int) ([]detect.Span, error) {
			asked.Add(1)
			reserved.Store(&r)
			return namesOnly(ctx, text, r)
		},
	}))
	out := tokenizeText(t, v, v.Gateway(), "chat", "Zoë has zoe@example.com")
	if len(out.Tokens) != 2 || out.Tokens[0].Entity != "PERSON" || *out.Tokens[0].End != 3 || *out.Tokens[0].Score != 0.85 || out.Tokens[0].Rule != "" {
		t.Errorf("%+v", out.Tokens)
	}
	again := "Zoë: " + out.Tokens[1].Token
	if out := tokenizeText(t, v, v.Gateway(), "chat", again); len(out.Tokens) != 2 || out.Tokens[1].Origin != vault.OriginKept {
		t.Errorf("with a living token: %+v", out.Tokens)
	}
	if diff := cmp.Diff([][2]int{{6, len(again)}}, *reserved.Load()); diff != "" {
		t.Errorf("what is not to be passed on: %s", diff)
	}
	before := asked.Load()
	tokenizeText(t, v, v.Gateway(), "chat", again)
	tokenizeText(t, v, v.Gateway(), "chat", " -- ")
	if asked.Load() != before {
		t.Errorf("asked %d times more for what was analyzed before, or has nothing to analyze", asked.Load()-before)
	}
}

// TestAnalyzerSeesNoSecrets: a text that is refused anyway is shown to nobody, and what was found in it for one
// destination is not remembered for another.
func TestAnalyzerSeesNoSecrets(t *testing.T) {
	var asked atomic.Int64
	v := searching(t, always(vault.Detection{
		Detector: custom(t, detect.Custom{}),
		Analyze: func(ctx context.Context, text string, r [][2]int) ([]detect.Span, error) {
			asked.Add(1)
			return namesOnly(ctx, text, r)
		},
	}), vaulttest.WithPolicy(warning(t, access.ActBlock)))
	for _, secret := range []string{"Zoë, the key is " + apiKey, longText(20, "Zoë, the key is "+apiKey)} {
		_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &secret})
		wantViolation(t, err, "/text")
	}
	mail := longText(20, "Zoë has zoe@example.com")
	_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &mail, Destination: "internal/onprem"})
	wantViolation(t, err, "/text")
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	if out := tokenizeText(t, v, v.Gateway(), "chat", mail); len(out.Tokens) != 2 || asked.Load() != 1 {
		t.Errorf("where it is not blocked: asked %d times, %+v", asked.Load(), out.Tokens)
	}
}

var errAnalyzerDown = errors.New("canary: the analyzer is down")

func down(context.Context, string, [][2]int) ([]detect.Span, error) { return nil, errAnalyzerDown }

// TestInvariant18_AnalyzerFails: what could not be analyzed does not pass, and the twin: without the guard it does.
func TestInvariant18_AnalyzerFails(t *testing.T) {
	for name, analyze := range map[string]func(context.Context, string, [][2]int) ([]detect.Span, error){
		"down": down,
		"a span that cannot be": func(_ context.Context, text string, _ [][2]int) ([]detect.Span, error) {
			return []detect.Span{{Start: 0, End: len(text) + 1, Entity: "PERSON", Score: 1}}, nil
		},
		"panics": func(context.Context, string, [][2]int) ([]detect.Span, error) { panic("canary") },
	} {
		v := searching(t, always(vault.Detection{Detector: custom(t, detect.Custom{}), Analyze: analyze}))
		before := head(t, v)
		body := []byte(`{"model":"m","messages":[{"role":"user","content":"Zoë"},{"role":"user","content":"Zoë and Zoë"}]}`)
		out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Payload: body})
		if code := vault.CodeOf(err); code != vault.CodeUnavailable && (name != "panics" || code != vault.CodeInternal) || out.Payload != nil || head(t, v) != before {
			t.Errorf("%s: %v", name, err)
		}
	}
	v := searching(t, always(vault.Detection{Detector: custom(t, detect.Custom{}), Analyze: down}))
	v.Service.SetFaults(vault.Faults{IgnoreDetector: true})
	if out := tokenizeText(t, v, v.Gateway(), "chat", "Zoë"); *out.Text != "Zoë" {
		t.Error("the guard was taken out and the text did not pass: this twin shows nothing")
	}
}

// TestOptionalAnalyzer: the tenant said that texts pass without it. Who asked and the log are told, and a text
// that it did not see is shown to it the next time.
func TestOptionalAnalyzer(t *testing.T) {
	var up atomic.Bool
	v := searching(t, always(vault.Detection{
		Detector: custom(t, detect.Custom{}), Optional: true,
		Analyze: func(ctx context.Context, text string, r [][2]int) ([]detect.Span, error) {
			if up.Load() {
				return namesOnly(ctx, text, r)
			}
			return down(ctx, text, r)
		},
	}))
	before := head(t, v)
	text := longText(20, "Zoë has zoe@example.com")
	out := tokenizeText(t, v, v.Gateway(), "chat", text)
	if out.Unanalyzed != 1 || len(out.Tokens) != 1 || out.Tokens[0].Entity != "EMAIL_ADDRESS" {
		t.Errorf("%d not analyzed, %+v", out.Unanalyzed, out.Tokens)
	}
	if entry := entriesFrom(t, v, before)[0]; entry.Counts["unanalyzed"] != 1 {
		t.Errorf("the entry has %v", entry.Counts)
	}
	up.Store(true)
	if out := tokenizeText(t, v, v.Gateway(), "chat", text); out.Unanalyzed != 0 || len(out.Tokens) != 2 {
		t.Errorf("once it is up: %d not analyzed, %+v", out.Unanalyzed, out.Tokens)
	}
	up.Store(false)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	other := text + "."
	if _, err := v.Service.Tokenize(canceled, v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &other}); err == nil {
		t.Error("a caller that has gone away counts as an analyzer that may be missing")
	}
}

// TestAnalysesAtOnce: the strings of a body are analyzed side by side, within a limit, and each gets its own findings.
func TestAnalysesAtOnce(t *testing.T) {
	var running, most atomic.Int64
	v := searching(t, always(vault.Detection{
		Detector: custom(t, detect.Custom{}),
		Analyze: func(ctx context.Context, text string, r [][2]int) ([]detect.Span, error) {
			n := running.Add(1)
			defer running.Add(-1)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
			select { // long enough for the others to come in
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
			}
			return namesOnly(ctx, text, r)
		},
	}))
	var messages []string
	for n := range 40 {
		messages = append(messages, fmt.Sprintf(`{"role":"user","content":"%s Zoë"}`, strings.Repeat("x", n)))
	}
	body := `{"model":"m","messages":[` + strings.Join(messages, ",") + `]}`
	out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Payload: []byte(body)})
	out = must(t, out, err)
	var starts []int
	for _, tok := range out.Tokens {
		starts = append(starts, *tok.Start)
	}
	var want []int
	for n := range 40 {
		want = append(want, n+1)
	}
	if diff := cmp.Diff(want, starts); diff != "" {
		t.Error(diff)
	}
	if m := most.Load(); m < 2 || m > vault.AnalysesAtOnce {
		t.Errorf("%d at once", m)
	}
}

// TestExplanations: of each finding the rule that found it, where the caller asks and nowhere else.
func TestExplanations(t *testing.T) {
	v := searching(t, always(vault.Detection{
		Detector: custom(t, detect.Custom{Patterns: []detect.Pattern{{Name: "contract", Entity: "CUSTOM_ID", Expression: `\bV-\d{4}\b`}}}), Analyze: namesOnly,
	}), vaulttest.WithPolicy(warning(t, access.ActWarn)))
	text := "Zoë of V-1234: zoe@example.com"
	for _, explain := range []bool{true, false} {
		out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
			Scope: "chat", Text: &text, Destination: "internal/onprem", Detect: vault.DetectOptions{Explain: explain},
		})
		out = must(t, out, err)
		got := []string{out.Tokens[0].Rule, out.Tokens[1].Rule, out.Masked[0].Rule}
		want := []string{"analyzer/PERSON", "custom/contract", "email/address"}
		if !explain {
			want = []string{"", "", ""}
		}
		if diff := cmp.Diff(want, got); diff != "" || (out.Masked[0].Score != nil) != explain {
			t.Errorf("explain %t: %s", explain, diff)
		}
		secret := "key " + apiKey
		_, err = v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
			Scope: "chat", Text: &secret, Detect: vault.DetectOptions{Explain: explain},
		})
		var refused *vault.Error
		if !errors.As(err, &refused) || len(refused.Violations) != 1 || strings.Contains(refused.Violations[0].Rule, "secret/github-pat") != explain {
			t.Errorf("explain %t: %v", explain, err)
		}
	}
}
