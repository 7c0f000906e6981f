package assembly_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// busy makes a few days of a log: values that were tokenized, given back, refused
// and erased, and a new log key.
func busy(t *testing.T, v *vaulttest.Vault, days int) {
	t.Helper()
	ctx := context.Background()
	for range days {
		for _, person := range []string{"jane", "joe"} {
			out, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
				Scope: "chat of " + person, Destination: "openai/us",
				Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: person + "@example.com", Subject: person}},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{
				Scope: "chat of " + person, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: out.Values,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.Service.Detokenize(ctx, vaulttest.Call("eve", "restorer"), vault.DetokenizeRequest{
				Scope: "chat of " + person, Reason: vault.ReasonGiven{Code: "FRAUD_REVIEW", Reference: "CASE-1"}, Tokens: out.Values,
			})
			if vault.CodeOf(err) != vault.CodeDenied && err != nil {
				t.Fatal(err)
			}
		}
		v.Clock.Advance(24 * time.Hour)
	}
	if _, err := v.Service.RotateLogKey(ctx, vault.Call{Channel: "keys"}, "acme"); err != nil {
		t.Fatal(err)
	}
}

// TestEvidence: what somebody asks for is put together in the background into one
// bundle, which verifies offline with the first key of the log alone.
func TestEvidence(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	first := strings.Fields(readFile(t, config.Layout{Dir: v.Dir}.Files().LogKey("acme")))
	from := v.Clock.Now().UTC().Truncate(24 * time.Hour)
	busy(t, v, 3)
	if _, err := v.Service.CheckControls(ctx, v.Auditor()); err != nil {
		t.Fatal(err)
	}
	asked, err := v.Service.RequestEvidence(ctx, v.Auditor(), vault.EvidenceRequest{From: from, To: from.Add(72 * time.Hour)})
	if err != nil || asked.Evidence.Status != vault.EvidencePending || asked.Audit == nil {
		t.Fatalf("asked: %+v %v", asked, err)
	}
	id := asked.Evidence.ID
	if _, _, err := v.Service.EvidenceBundle(ctx, v.Auditor(), id); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("a bundle that is not done: %v", err)
	}
	folder := filepath.Join(config.Layout{Dir: v.Dir}.Evidence(), "acme")
	old, young := filepath.Join(folder, ".bundle-1"), filepath.Join(folder, ".bundle-2")
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(old, nil, 0o600), os.WriteFile(young, nil, 0o600),
		os.Chtimes(old, time.Time{}, time.Now().Add(-25*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if made, err := v.MakeEvidence(ctx, "acme"); !made || err != nil {
		t.Fatalf("made %t: %v", made, err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".bundle-*")); err != nil || len(left) != 1 || left[0] != young {
		t.Errorf("of what was cut off is left %v", left)
	}
	bundle, info, err := v.Service.EvidenceBundle(ctx, v.Auditor(), id)
	if err != nil || info.Status != vault.EvidenceDone || info.Progress != 100 {
		t.Fatalf("done: %+v %v", info, err)
	}
	body, err := io.ReadAll(bundle)
	if err = errors.Join(err, bundle.Close()); err != nil || int64(len(body)) != info.Bytes {
		t.Fatalf("the bundle has %d bytes of %d: %v", len(body), info.Bytes, err)
	}
	path := filepath.Join(t.TempDir(), "evidence.tar")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	// The bundle hands over from the first key to the one that signed it.
	result, err := verify.Bundle(ctx, bytes.NewReader(body), verify.Options{VKeys: first})
	if err != nil || result.Entries != info.Size {
		t.Errorf("verify: %+v %v", result, err)
	}
	opened, err := evidence.OpenBundle(path, first...)
	if err != nil || opened.Head.Size != info.Size {
		t.Fatal(err)
	}
	for _, name := range []string{"evidence/restorations.csv", "evidence/controls.json", "report.html", "evidence/access_matrix.csv"} {
		if !bytes.Contains(body, []byte(name)) {
			t.Errorf("there is no %s", name)
		}
	}
	for _, canary := range []string{"jane@example.com", "joe@example.com", "chat of jane"} {
		if bytes.Contains(body, []byte(canary)) {
			t.Errorf("the bundle holds %q", canary)
		}
	}
	if page, err := v.Service.Evidences(ctx, v.Auditor(), vault.EvidenceListRequest{}); err != nil || len(page.Evidence) != 1 {
		t.Errorf("listed: %+v %v", page, err)
	}
	if _, _, err := v.Service.EvidenceBundle(ctx, v.Gateway(), id); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a gateway reads evidence: %v", err)
	}
	if err := os.RemoveAll(config.Layout{Dir: v.Dir}.Evidence()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Service.EvidenceBundle(ctx, v.Auditor(), id); vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("a bundle that is lost: %v", err)
	}
}

// TestEvidenceIsAskedFor: what cannot be a period is refused, and so is too much.
func TestEvidenceIsAskedFor(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	now := v.Clock.Now().UTC()
	for field, req := range map[string]vault.EvidenceRequest{
		"/from": {From: now.Add(-time.Hour + time.Millisecond), To: now},
		"/to":   {From: now, To: now.Add(time.Hour)},
	} {
		var refused *vault.Error
		if _, err := v.Service.RequestEvidence(ctx, v.Auditor(), req); !errors.As(err, &refused) || len(refused.Violations) != 1 || refused.Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	long := vault.EvidenceRequest{From: now.AddDate(-2, 0, 0), To: now}
	if _, err := v.Service.RequestEvidence(ctx, v.Auditor(), long); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("two years: %v", err)
	}
	hour := vault.EvidenceRequest{From: now.Add(-time.Hour), To: now}
	for n := range vault.MaxEvidenceOpen + 1 {
		_, err := v.Service.RequestEvidence(ctx, v.Auditor(), hour)
		if full := n == vault.MaxEvidenceOpen; full != (vault.CodeOf(err) == vault.CodeConflict) || !full && err != nil {
			t.Errorf("request %d: %v", n, err)
		}
	}
	if _, err := v.Service.RequestEvidence(ctx, v.Gateway(), hour); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a gateway asks for evidence: %v", err)
	}
}

// TestControls: all are tried at once by hand and at their intervals by themselves;
// each result is an entry.
func TestControls(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	busy(t, v, 1)
	before, err := v.Service.Controls(ctx, v.Auditor())
	if err != nil || len(before) < 20 || before[0].Result != "" {
		t.Fatalf("before: %d controls, %v", len(before), err)
	}
	if _, err := v.Service.TryDueControls(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	count := func() int64 {
		page, err := v.Service.AuditSearch(ctx, v.Auditor(), vault.EntrySearch{Count: true, EntryQuery: vault.EntryQuery{Kind: string(audit.KindControl), Limit: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return *page.Count
	}
	if n := count(); n != int64(len(before)) {
		t.Errorf("%d controls have %d entries", len(before), n)
	}
	if _, err := v.Service.TryDueControls(ctx, "acme"); err != nil || count() != int64(len(before)) {
		t.Errorf("tried again at once: %d entries, %v", count(), err)
	}
	v.Clock.Advance(25 * time.Hour)
	if _, err := v.Service.TryDueControls(ctx, "acme"); err != nil || count() <= int64(len(before)) {
		t.Errorf("the daily ones are not tried again: %d entries, %v", count(), err)
	}
	checked, err := v.Service.CheckControls(ctx, vaulttest.Call("olga", "operator"))
	if err != nil || len(checked) != len(before) {
		t.Fatal(err)
	}
	for _, c := range checked {
		if c.Result == "fail" {
			t.Errorf("%s fails: %v", c.ID, c.Detail)
		}
	}
	if _, err := v.Service.CheckControls(ctx, v.Gateway()); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a gateway tries controls: %v", err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
