//go:build unix

package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// world is a service whose store is read.
type world struct {
	*vaulttest.Vault
	t      *testing.T
	reader metrics.Reader
}

func newWorld(t *testing.T, opts ...vaulttest.Option) *world {
	t.Helper()
	v := vaulttest.New(t, opts...)
	anchors, err := lifecycle.OpenAnchors(config.Layout{Dir: v.Dir}.Files().Anchors)
	if err != nil {
		t.Fatal(err)
	}
	return &world{Vault: v, t: t, reader: readerOf(v.Store, v.Clock.Now, map[metrics.Stage]metrics.Position{
		metrics.StageCheckpoint: metrics.Noted(v.Store, vault.NoteCheckpoint),
		metrics.StageExport:     metrics.Noted(v.Store, vault.NoteExport),
		metrics.StageAnchor:     metrics.Anchored(anchors.Read),
	})}
}

func readerOf(s *assembly.Store, now func() time.Time, stages map[metrics.Stage]metrics.Position) metrics.Reader {
	return metrics.Reader{Registry: s, Ledger: s, Requests: s, Proceedings: s, Custody: s, Stages: stages, Now: now}
}

func (w *world) read() metrics.Standing {
	w.t.Helper()
	s, err := w.reader.Read(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) no(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tokenize(text string) {
	w.t.Helper()
	_, err := w.Service.Tokenize(w.t.Context(), w.Gateway(), vault.TokenizeRequest{Scope: "chat-1", Text: &text})
	w.no(err)
}

func TestReaderTellsWhoIsBehindTheLogs(t *testing.T) {
	w := newWorld(t)
	before := w.read()
	if lag := before.Lags[metrics.StageCheckpoint]; lag != (metrics.Lag{}) {
		t.Errorf("all was published: %+v", lag)
	}
	if before.Entries < 4 || before.Lags[metrics.StageExport].Entries != before.Entries {
		t.Errorf("nothing was exported of %d entries: %+v", before.Entries, before.Lags)
	}
	w.tokenize("mail jane@example.com")
	w.Clock.Advance(time.Minute)
	w.tokenize("mail john@example.com")
	w.Clock.Advance(time.Second)
	got := w.read()
	late := metrics.Lag{Entries: got.Entries - before.Entries, Age: time.Minute + time.Second}
	if late.Entries < 2 {
		t.Fatalf("%d entries", late.Entries)
	}
	if diff := cmp.Diff(map[metrics.Stage]metrics.Lag{
		metrics.StageCheckpoint: late, metrics.StageAnchor: late,
		metrics.StageExport: {Entries: got.Entries, Age: time.Minute + time.Second},
	}, got.Lags); diff != "" {
		t.Error(diff)
	}
	w.no(w.Worker.Publish(t.Context()))
	// An export that is one entry behind in one log, and level in the others.
	tenants, err := w.Service.Tenants(t.Context())
	w.no(err)
	for _, tenant := range tenants {
		head, err := w.Store.Head(t.Context(), tenant)
		w.no(err)
		next := head.Frontier.Size
		if tenant == "acme" {
			next--
		}
		w.no(w.Store.Note(t.Context(), tenant, vault.Note{Kind: vault.NoteExport, Order: next, Body: []byte("{}")}))
	}
	if diff := cmp.Diff(map[metrics.Stage]metrics.Lag{
		metrics.StageCheckpoint: {}, metrics.StageAnchor: {}, metrics.StageExport: {Entries: 1, Age: time.Second},
	}, w.read().Lags); diff != "" {
		t.Error(diff)
	}
}

// demanding is the shipped policy, under which a tenant is not closed by one alone.
func demanding(t *testing.T) fs.FS {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(authz.FS, path)
		text = bytes.Replace(text, []byte("tenant_close: {approvals: 0}"), []byte("tenant_close: {approvals: 1}"), 1)
		bundle[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func TestReaderCountsWhatPeopleComeBackTo(t *testing.T) {
	w := newWorld(t, vaulttest.WithPolicy(demanding(t)))
	ctx, now := t.Context(), w.Clock.Now()
	privacy, legal := vaulttest.Call("paula", "privacy_officer"), vaulttest.Call("lea", "legal")
	for _, received := range []time.Duration{0, 27 * 24 * time.Hour, 60 * 24 * time.Hour} { // a month is given
		_, err := w.Service.OpenSubjectRequest(ctx, privacy, vault.IntakeRequest{
			Kind: vault.RequestAccess, Regime: "gdpr", Subject: "crm:1", Reference: "R-1", ReceivedAt: now.Add(-received),
		})
		w.no(err)
	}
	_, err := w.Service.OpenIncident(ctx, privacy, vault.IncidentRequest{Reference: "I-1", AwareAt: now.Add(-73 * time.Hour)})
	w.no(err)
	match := vault.HoldWords{Subjects: []string{"crm:1"}}
	for _, review := range []time.Time{{}, now.Add(time.Hour)} {
		_, err = w.Service.PlaceHold(ctx, legal, vault.HoldRequest{Matter: "M-1", Reference: "O-1", Match: match, ReviewBy: review})
		w.no(err)
	}
	_, err = w.Service.RequestApproval(ctx, vaulttest.Call("ole", "operator"), vault.ApprovalRequest{Operation: "tenant_close", Target: "acme", Reference: "END-1"})
	w.no(err)
	onCall := vaulttest.Call("olga", "restorer")
	onCall.Caller.MFA, onCall.Caller.Attributes = true, map[string]string{"on_call": "true"}
	text := "mail jane@example.com"
	made, err := w.Service.Tokenize(ctx, w.Gateway(), vault.TokenizeRequest{Scope: "chat-1", Text: &text})
	w.no(err)
	_, err = w.Service.Detokenize(ctx, onCall, vault.DetokenizeRequest{Scope: "chat-1", Text: made.Text, Reason: vault.ReasonGiven{Code: "BREAK_GLASS", Reference: "INC-1"}})
	w.no(err)
	want := map[metrics.Matter]metrics.Count{
		metrics.MatterAccess:   {Open: 3, Soon: 1, Overdue: 1},
		metrics.MatterIncident: {Open: 1, Overdue: 1},
		metrics.MatterHold:     {Open: 2, Soon: 1},
		metrics.MatterApproval: {Open: 1},
		metrics.MatterReview:   {Open: 1, Soon: 1},
	}
	if diff := cmp.Diff(want, w.read().Matters); diff != "" {
		t.Error(diff)
	}
	// An approval that nobody gave in time is none; reviews and holds are late.
	w.Clock.Advance(10 * 24 * time.Hour)
	got := w.read().Matters
	if got[metrics.MatterApproval].Open != 0 || got[metrics.MatterReview].Overdue != 1 || got[metrics.MatterHold].Overdue != 1 {
		t.Errorf("later: %+v", got)
	}
}

func TestReaderTellsAgesAndWhatIsLeftOver(t *testing.T) {
	w := newWorld(t)
	w.tokenize("mail jane@example.com, and john@example.com")
	w.Clock.Advance(25 * time.Hour)
	got := w.read()
	if got.Backlog != 2 || got.WrappingKeyAge != 25*time.Hour || got.LogKeyAge != 25*time.Hour || got.Tenants < 2 {
		t.Errorf("after a day: %+v", got)
	}
	w.no(w.Worker.Sweep(t.Context()))
	if left := w.read().Backlog; left != 0 {
		t.Errorf("after the sweep %d are left", left)
	}
}

// controlled is a ledger in whose logs controls were tried.
type controlled struct {
	vault.Ledger
	tried []audit.Entry
	err   error
}

func (c controlled) Entries(ctx context.Context, tenant string, q vault.EntryQuery) ([]vault.StoredEntry, error) {
	if q.Kind != string(audit.KindControl) || tenant != "acme" {
		return c.Ledger.Entries(ctx, tenant, q)
	}
	var stored []vault.StoredEntry
	for i := range c.tried {
		e := c.tried[i]
		e.Tenant, e.Kind, e.Time = tenant, audit.KindControl, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		e.V, e.ChangeID = 1, vault.NewID()
		leaf, err := e.Leaf()
		if err != nil {
			return nil, err
		}
		stored = append(stored, vault.StoredEntry{Leaf: leaf})
	}
	return stored, c.err
}

func TestReaderTakesTheLastResultOfAControl(t *testing.T) {
	w := newWorld(t)
	w.reader.Ledger = controlled{Ledger: w.Store, tried: []audit.Entry{
		{Reference: "keys_rotated", Code: "pass"}, {Reference: "log_consistent", Code: "fail"}, {Reference: "keys_rotated", Code: "fail"},
	}}
	want := map[metrics.ControlResult]int{{Control: "keys_rotated", Result: "pass"}: 1, {Control: "log_consistent", Result: "fail"}: 1}
	if diff := cmp.Diff(want, w.read().Controls); diff != "" {
		t.Error(diff)
	}
}

// Half of the figures would look like better ones.
func TestReaderFailsAsAWhole(t *testing.T) {
	w, broken := newWorld(t), errors.New("the store")
	w.reader.Ledger = controlled{Ledger: w.Store, err: broken}
	if got, err := w.reader.Read(t.Context()); !errors.Is(err, broken) || !cmp.Equal(metrics.Standing{}, got) {
		t.Errorf("%+v, %v", got, err)
	}
}
