package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func (w *world) auditor(change ...func(*client.Config)) *client.Client {
	return w.client(w.as("acme", "ada", "auditor"), change...)
}

// told is a conversation in the log: a prompt, what the vendor did, and its answer.
func (w *world) told() *client.TokenizeAnswer {
	w.t.Helper()
	c := w.gateway()
	r := prompt("mail " + email)
	r.Subject, r.Destination = "crm:4711", "openai/us"
	out, err := c.Tokenize(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	input := int64(412)
	answer, err := c.Dispatch(w.t.Context(), client.DispatchRequest{
		RequestID: out.RequestID, Destination: "openai/us", Model: "gpt-5-mini", VendorRequestID: "chatcmpl-1",
		Status: client.DispatchOK, Latency: 1840 * time.Millisecond, Usage: &client.Usage{InputTokens: &input},
	})
	if err != nil || answer.Receipt == nil {
		w.t.Fatalf("dispatch: %v", err)
	}
	if _, err := c.Detokenize(w.t.Context(), restore(client.Text(out.Text))); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestTheLogIsSearchedAndProven: by names of the caller, by what entries hold, with
// a count; each entry is that of its hash, and is proven under a head of any size.
func TestTheLogIsSearchedAndProven(t *testing.T) {
	w := newWorld(t)
	out := w.told()
	c := w.auditor()
	for name, q := range map[string]client.AuditQuery{
		"person":      {Subject: "crm:4711", Kind: "tokenize"},
		"scope":       {Scope: "chat-1", Kind: "restore"},
		"request":     {RequestID: out.RequestID, Kind: "tokenize"},
		"destination": {Destination: "openai/us", Kind: "dispatch"},
		"reference":   {Reference: "chatcmpl-1"},
		"reason":      {Reason: "LLM_RESPONSE", Client: "gw-1", Decision: "allow", Entity: "EMAIL_ADDRESS", Class: "confidential"},
	} {
		q.Count = true
		page, err := c.AuditSearch(t.Context(), q)
		if err != nil || len(page.Entries) != 1 || *page.Count != 1 {
			t.Fatalf("%s: %+v %v", name, page, err)
		}
		found := page.Entries[0]
		one, err := c.AuditEntry(t.Context(), found.Index)
		if err != nil || !bytes.Equal(one.Entry, found.Entry) {
			t.Errorf("%s: the entry: %v", name, err)
		}
		proof, err := c.AuditProof(t.Context(), found.Index, found.Index+1)
		if err != nil || proof.LeafHash != found.LeafHash || proof.TreeSize != found.Index+1 {
			t.Errorf("%s: the proof: %v", name, err)
		}
	}
	all, err := c.AuditSearch(t.Context(), client.AuditQuery{Descending: true, Limit: 2})
	if err != nil || len(all.Entries) != 2 || all.Entries[0].Index < all.Entries[1].Index || all.NextCursor == "" || all.Count != nil {
		t.Errorf("%+v %v", all, err)
	}
	if _, err := w.gateway().AuditSearch(t.Context(), client.AuditQuery{}); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a gateway reads the log: %v", err)
	}
	// The twin: an entry that is changed on the way is not given out.
	w.wire.changing(func(body []byte) []byte {
		return bytes.Replace(body, []byte(`"LLM_RESPONSE"`), []byte(`"FRAUD_REVIEW"`), 1)
	})
	if page, err := c.AuditSearch(t.Context(), client.AuditQuery{Reason: "LLM_RESPONSE"}); page != nil || !errors.Is(err, client.ErrAnswer) {
		t.Errorf("a changed entry: %v", err)
	}
}

// publish lets the published head move on, as the work in the background does.
func (w *world) publish() {
	w.t.Helper()
	if _, _, err := w.vault.Service.PublishCheckpoint(w.t.Context(), "acme", 0); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheLogIsReadAsTiles(t *testing.T) {
	w := newWorld(t)
	w.told()
	w.publish()
	c := w.auditor()
	head, err := c.Checkpoint(t.Context())
	if err != nil || head.Size == 0 {
		t.Fatal(err)
	}
	for _, tile := range audit.Tiles(0, head.Size) {
		b, err := c.AuditTile(t.Context(), tile.Path())
		if err != nil || tile.Entries {
			leaves, _ := audit.ParseEntryBundle(b)
			if err != nil || len(leaves) != tile.Width {
				t.Errorf("%s: %d leaves, %v", tile.Path(), len(leaves), err)
			}
		} else if len(b) != tile.Width*len(audit.Hash{}) {
			t.Errorf("%s: %d bytes", tile.Path(), len(b))
		}
	}
	for _, path := range []string{"", "tile/0/0", "../keys", "tile/entries/000.p/256"} {
		if _, err := c.AuditTile(t.Context(), path); !errors.Is(err, client.ErrRequest) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// TestInvariant11_ConsistencyIsDemanded: an auditor's client keeps what it saw, over
// restarts and a change of the key of the log, by proofs of the service.
func TestInvariant11_ConsistencyIsDemanded(t *testing.T) {
	w := newWorld(t)
	file := client.CheckpointFile(filepath.Join(t.TempDir(), "acme.checkpoint"))
	pinned := w.logKey("acme")
	keeping := func(cfg *client.Config) { cfg.LogKeys, cfg.Checkpoints = []string{pinned}, file }
	size := int64(0)
	for range 3 {
		w.told()
		w.publish()
		c := w.auditor(keeping)
		head, err := c.Checkpoint(t.Context())
		if err != nil || head.Size <= size {
			t.Fatalf("%+v %v", head, err)
		}
		if size > 0 {
			proof, err := c.Consistency(t.Context(), size, head.Size)
			if err != nil || proof.ToRoot != head.Root {
				t.Errorf("%d to %d: %v", size, head.Size, err)
			}
		}
		size = head.Size
	}
	if _, err := w.vault.Service.RotateLogKey(t.Context(), vault.Call{Channel: "keys"}, "acme"); err != nil {
		t.Fatal(err)
	}
	gateway := w.client(w.as("acme", "gw-1", "gateway"), func(cfg *client.Config) { cfg.LogKeys = []string{pinned} })
	if out, err := gateway.Tokenize(t.Context(), prompt("x")); err != nil || out.Receipt == nil {
		t.Errorf("a gateway with the old key: %v", err)
	}
	w.publish()
	c := w.auditor(keeping)
	head, err := c.Checkpoint(t.Context())
	if err != nil || head.Size <= size {
		t.Fatalf("%+v %v", head, err)
	}
	keys, err := c.LogKeys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Handover == "" || !keys[0].Trusted || keys[1].Key != pinned {
		t.Errorf("%+v %v", keys, err)
	}
	if note, err := file.Load(); err != nil || string(note) != head.Note {
		t.Errorf("kept: %v", err)
	}
	// The twin: a gateway may not have the proof, and says so.
	c = w.client(w.as("acme", "gw-1", "gateway"), keeping)
	if _, err := c.Tokenize(t.Context(), prompt("x")); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a gateway: %v", err)
	}
}

// bundle puts something in the place of the bundle of evidence, as the work in the
// background does.
func (w *world) bundle(id string) []byte {
	w.t.Helper()
	made := bytes.Repeat([]byte("a bundle "), 1<<16)
	path := filepath.Join(config.Layout{Dir: w.vault.Dir}.Evidence(), "acme", id+".tar")
	sum := sha256.Sum256(made)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, made, 0o600),
		w.vault.Service.FinishEvidence(w.t.Context(), "acme", vault.EvidenceInfo{ID: id, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(made)), Size: 3}))
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// TestEvidenceIsDownloaded: asked for, waited for, and fetched with its digest held
// against what is written.
func TestEvidenceIsDownloaded(t *testing.T) {
	w := newWorld(t)
	w.told()
	w.vault.Clock.Advance(time.Hour)
	c := w.auditor()
	to := w.vault.Clock.Now().UTC().Truncate(time.Second)
	asked, err := c.RequestEvidence(t.Context(), to.Add(-2*time.Hour), to, "")
	if err != nil || asked.Status != client.EvidencePending || asked.Receipt == nil {
		t.Fatalf("%+v %v", asked, err)
	}
	var bundle bytes.Buffer
	if _, err := c.DownloadEvidence(t.Context(), asked.ID, &bundle); !errors.Is(err, client.ErrNotDone) || bundle.Len() > 0 {
		t.Errorf("not done: %v", err)
	}
	made := w.bundle(asked.ID)
	got, err := c.DownloadEvidence(t.Context(), asked.ID, &bundle)
	if err != nil || got.Bytes != int64(bundle.Len()) {
		t.Fatalf("%+v %v", got, err)
	}
	if !bytes.Equal(bundle.Bytes(), made) {
		t.Error("another bundle")
	}
	page, err := c.Evidences(t.Context(), "")
	if err != nil || len(page.Evidence) != 1 || page.Evidence[0].ID != asked.ID {
		t.Errorf("%+v %v", page, err)
	}
	// The twin: a bit, a byte less or a byte more is no bundle.
	for name, change := range map[string]func(b []byte) []byte{
		"a bit":       func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a byte less": func(b []byte) []byte { return b[:len(b)-1] },
		"a byte more": func(b []byte) []byte { return append(b, 0) },
	} {
		w.wire.changing(func(b []byte) []byte {
			if json.Valid(b) {
				return b
			}
			return change(b)
		})
		if _, err := c.DownloadEvidence(t.Context(), asked.ID, io.Discard); !errors.Is(err, client.ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestControlsAreTried(t *testing.T) {
	w := newWorld(t)
	w.told()
	c := w.auditor()
	before, err := c.Controls(t.Context())
	if err != nil || len(before) == 0 || before[0].Result != "" {
		t.Fatalf("%+v %v", before, err)
	}
	tried, err := c.CheckControls(t.Context())
	if err != nil || len(tried) != len(before) {
		t.Fatal(err)
	}
	results := make(map[string]int)
	for _, one := range tried {
		results[one.Result]++
		if one.At == nil || one.ID == "" || len(one.Clauses) == 0 {
			t.Errorf("%+v", one)
		}
	}
	if results[client.ControlPass] == 0 || results[""] > 0 {
		t.Errorf("%v", results)
	}
	if after, err := c.Controls(context.Background()); err != nil || after[0].Result != tried[0].Result {
		t.Errorf("%+v %v", after[0], err)
	}
}
