package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func tokenize(t *testing.T, v *vaulttest.Vault, scope string) string {
	t.Helper()
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: scope, Values: []vault.Value{{Entity: "PERSON", Value: "Jane Doe"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.Values[0]
}

func anchorOf(t *testing.T, dir, tenant string) audit.Anchor {
	t.Helper()
	anchors, err := lifecycle.OpenAnchors(config.Layout{Dir: dir}.Anchors())
	if err != nil {
		t.Fatal(err)
	}
	all, err := anchors.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Tenant == tenant {
			return a
		}
	}
	t.Fatalf("no anchor of %s", tenant)
	return audit.Anchor{}
}

// TestPublishMovesCheckpointAndAnchor: both follow a log that grew, carry its
// signature, and stay where nothing happened.
func TestPublishMovesCheckpointAndAnchor(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	before := anchorOf(t, v.Dir, "acme")
	tokenize(t, v, "chat")
	if err := v.Worker.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	after := anchorOf(t, v.Dir, "acme")
	if after.Size != before.Size+1 {
		t.Fatalf("the anchor went from %d to %d entries", before.Size, after.Size)
	}
	keys, err := v.Service.LogKeys(ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	head, err := audit.OpenCheckpoint([]byte(after.Checkpoint), keys[0].Key)
	if err != nil || head.Size != after.Size || head.Root != after.Root {
		t.Fatalf("the checkpoint of the anchor: %+v %v", head, err)
	}
	published, err := v.Service.AuditCheckpoint(ctx, v.Auditor())
	if err != nil || string(published) != after.Checkpoint {
		t.Fatalf("the published checkpoint is not the anchored one: %v", err)
	}
	if err := v.Worker.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	if again := anchorOf(t, v.Dir, "acme"); again != after {
		t.Fatal("the anchor moved without an entry")
	}
}

// TestInvariant11_AnchorIsRefused: a head behind its anchor, and a log of the
// same length with another root, are refused. The twin: a true anchor is not.
func TestInvariant11_AnchorIsRefused(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	tokenize(t, v, "chat")
	if err := v.Worker.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	true1 := anchorOf(t, v.Dir, "acme")
	if err := v.Service.CheckAnchor(ctx, true1); err != nil {
		t.Fatalf("a true anchor is refused: %v", err)
	}
	ahead := true1
	ahead.Size++
	other := true1
	other.Root[0] ^= 1
	vanished := true1
	vanished.Tenant = "initech"
	for name, a := range map[string]audit.Anchor{"ahead": ahead, "another root": other, "no such log": vanished} {
		if err := v.Service.CheckAnchor(ctx, a); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestAnchorFilesAreStrict: a damaged anchor is an error, never no anchor, and
// a write that was cut off leaves the one before.
func TestAnchorFilesAreStrict(t *testing.T) {
	v := vaulttest.New(t)
	dir := config.Layout{Dir: v.Dir}.Anchors()
	anchors, err := lifecycle.OpenAnchors(dir)
	if err != nil {
		t.Fatal(err)
	}
	good := anchorOf(t, v.Dir, "acme")
	body, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "acme.anchor")
	for name, text := range map[string]string{
		"empty": "", "cut": string(body[:len(body)/2]), "before": "x" + string(body),
		"another tenant": strings.Replace(string(body), "tenant acme", "tenant evil", 1),
		"huge":           strings.Repeat("x", audit.MaxAnchor+1),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := anchors.Read(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := anchors.Write(good); err != nil {
		t.Fatal(err)
	}
	// What a crash before the rename leaves behind is no anchor.
	if err := os.WriteFile(filepath.Join(dir, ".anchor-123"), body[:10], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := anchorOf(t, v.Dir, "acme"); got != good {
		t.Fatal("the anchor before the crash is gone")
	}
}

// TestWriteFailsWhereTheFolderIsGone: an anchor that cannot be kept is an
// error that the next round tries again.
func TestWriteFailsWhereTheFolderIsGone(t *testing.T) {
	v := vaulttest.New(t)
	dir := filepath.Join(t.TempDir(), "anchors")
	anchors, err := lifecycle.OpenAnchors(dir)
	if err != nil {
		t.Fatal(err)
	}
	worker := lifecycle.NewWorker(v.Service, lifecycle.NewJournals(anchors, v.Store), slog.New(slog.DiscardHandler))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := worker.Publish(context.Background()); err == nil {
		t.Fatal("an anchor that was not kept is no error")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := worker.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, err := anchors.Read(); err != nil || len(got) != 3 {
		t.Fatalf("%d anchors, %v", len(got), err)
	}
}

// TestSweepInBatches: more than one batch goes in one round, each with an entry.
func TestSweepInBatches(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	values := make([]vault.Value, 2*vault.SweepBatch+1)
	for i := range values {
		values[i] = vault.Value{Entity: "CUSTOM_ID", Value: vault.NewID()}
	}
	if _, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{Scope: "chat", Values: values}); err != nil {
		t.Fatal(err)
	}
	v.Clock.Advance(366 * 24 * time.Hour)
	head, err := v.Store.Head(ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Worker.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	entries, err := v.Store.Entries(ctx, "acme", vault.EntryQuery{HasCursor: true, Cursor: head.Frontier.Size - 1, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	swept, batches := 0, 0
	for _, stored := range entries {
		e, err := audit.ParseLeaf(stored.Leaf)
		if err != nil || e.Kind != audit.KindSweep {
			t.Fatalf("%s %v", e.Kind, err)
		}
		if n := e.Counts["mappings"]; n > vault.SweepBatch {
			t.Fatalf("a batch of %d", n)
		} else if n > 0 {
			swept, batches = swept+n, batches+1
		}
	}
	if swept != len(values) || batches != 3 {
		t.Fatalf("%d mappings in %d batches, want %d in 3", swept, batches, len(values))
	}
}

// TestRunEnds: the worker ends with its context and leaves nothing behind.
func TestRunEnds(t *testing.T) {
	v := vaulttest.New(t)
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { v.Worker.Run(ctx); close(done) }()
	cancel()
	<-done
	goleak.VerifyNone(t, before)
}

// TestSlowSweepRests: a tenant whose round took long and left nothing to do is
// left alone for a while, and swept again after it.
func TestSlowSweepRests(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	now, step := time.Now(), 2*lifecycle.SlowSweep
	v.Worker.SetNow(func() time.Time { now = now.Add(step); return now })
	tokenize := func(scope string) {
		t.Helper()
		if _, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
			Scope: scope, Values: []vault.Value{{Entity: "CUSTOM_ID", Value: vault.NewID()}},
		}); err != nil {
			t.Fatal(err)
		}
		v.Clock.Advance(366 * 24 * time.Hour)
	}
	swept := func() bool {
		t.Helper()
		if err := v.Worker.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		left, err := v.Store.Expired(ctx, "acme", 1)
		if err != nil {
			t.Fatal(err)
		}
		return len(left.Mappings) == 0
	}
	tokenize("first")
	if !swept() {
		t.Fatal("nothing was swept")
	}
	step = time.Millisecond
	tokenize("second")
	if swept() {
		t.Error("swept again at once, after a round that took long")
	}
	now = now.Add(2 * lifecycle.SweepRest * 2 * lifecycle.SlowSweep)
	if !swept() {
		t.Error("the rest has no end")
	}
}

// TestTurns: a round is one replica's at a time; where nobody can tell whose
// turn it is, it is everybody's.
func TestTurns(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	var held, released bool
	var failure error
	v.Worker.TakeTurns(func(context.Context, string) (func(), bool, error) { return func() { released = true }, held, failure })
	for _, tt := range []struct {
		held, done bool
		err        error
	}{{false, false, nil}, {true, true, nil}, {false, true, errors.New("nobody can tell")}} {
		if _, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
			Scope: "chat", Values: []vault.Value{{Entity: "CUSTOM_ID", Value: vault.NewID()}},
		}); err != nil {
			t.Fatal(err)
		}
		v.Clock.Advance(366 * 24 * time.Hour)
		held, failure, released = tt.held, tt.err, false
		if err := v.Worker.Round(ctx); err != nil {
			t.Fatal(err)
		}
		left, err := v.Store.Expired(ctx, "acme", 1)
		if err != nil || (len(left.Mappings) == 0) != tt.done || released != tt.held {
			t.Errorf("held %t, %v: %d mappings left, released %t, %v", tt.held, tt.err, len(left.Mappings), released, err)
		}
	}
}
