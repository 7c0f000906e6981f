package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// tree is the log in memory, so that proofs and tiles can be had of it.
func (m *made) tree(t *testing.T) func(level int, n int64) (audit.Hash, error) {
	t.Helper()
	b, err := audit.Frontier{}.Append(m.leaves)
	if err != nil {
		t.Fatal(err)
	}
	nodes := make(map[[2]int64]audit.Hash)
	for i, h := range b.Leaves {
		nodes[[2]int64{0, int64(i)}] = h
	}
	for _, n := range b.Nodes {
		nodes[[2]int64{int64(n.Level), n.N}] = n.Hash
	}
	return func(level int, n int64) (audit.Hash, error) { return nodes[[2]int64{int64(level), n}], nil }
}

// folder writes the log as tiles.
func (m *made) folder(t *testing.T) string {
	t.Helper()
	dir, read := t.TempDir(), m.tree(t)
	write := func(name string, b []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tile := range audit.Tiles(0, int64(len(m.leaves))) {
		if tile.Entries {
			b, err := audit.EntryBundle(m.leaves[tile.First() : tile.First()+int64(tile.Width)])
			if err != nil {
				t.Fatal(err)
			}
			write(tile.Path(), b)
			continue
		}
		var b []byte
		for i := range int64(tile.Width) {
			h, _ := read(tile.Height(), tile.First()+i)
			b = append(b, h[:]...)
		}
		write(tile.Path(), b)
	}
	write("checkpoint", m.newest())
	return dir
}

// bundle writes the log as evidence without any.
func (m *made) bundle(t *testing.T) []byte {
	t.Helper()
	files := map[string][]byte{"log/checkpoint": m.newest(), "log/entries/000000.jsonl": m.export(), "report.html": []byte("<!doctype html>\n")}
	var body strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		fmt.Fprintf(&body, "%s  %d  %s\n", hex.EncodeToString(sum[:]), len(files[name]), name)
	}
	manifest, err := audit.SignStatement(audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: body.String()}, m.signer)
	if err != nil {
		t.Fatal(err)
	}
	files["manifest"] = manifest
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// receipt is the JSON of the proof of an entry, as an answer has it.
func (m *made) receipt(t *testing.T, index int64) []byte {
	t.Helper()
	b, err := audit.Frontier{}.Append(m.leaves)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := b.Prove(index)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(audit.Receipt{
		Log: origin, Index: index, LeafHash: b.Leaves[index], TreeSize: b.Frontier.Size, RootHash: b.Root, Proof: proof, Checkpoint: string(m.newest()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSoundForms(t *testing.T) {
	m := newLog(t, 1, 20)
	key := m.signer.VerifierKey()
	earlier, receipt := put(t, "earlier", m.checkpoints[4]), put(t, "receipt", m.receipt(t, 7))
	for name, args := range map[string][]string{
		"tiles":  {"--tiles", m.folder(t)},
		"bundle": {"--bundle", put(t, "bundle.tar", m.bundle(t))},
		"log":    {"--log", put(t, "log", m.export()), "--checkpoint", put(t, "c", m.newest())},
	} {
		code, stdout, stderr := command(t, append(args, "--key", key, "--since", earlier, "--receipt", receipt, "--checkpoint", earlier)...)
		if code != exitSound || !strings.HasPrefix(stdout, "SOUND tenant=acme entries=23 ") || stderr != "" {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
		if (name == "bundle") != strings.HasSuffix(stdout, " files=3\n") {
			t.Errorf("%s: %q", name, stdout)
		}
		// A receipt of another log of the same name is what shows a second history.
		other := put(t, "receipt", newLog(t, 1, 21).receipt(t, 7))
		if code, stdout, _ := command(t, append(args, "--key", key, "--receipt", other)...); code != exitFault {
			t.Errorf("%s: %d %q", name, code, stdout)
		}
	}
}

func TestInvariant11_FaultyForms(t *testing.T) {
	m := newLog(t, 1, 20)
	key := m.signer.VerifierKey()
	tiles := m.folder(t)
	if err := os.Remove(filepath.Join(tiles, filepath.FromSlash(audit.Tile{Width: 23}.Path()))); err != nil {
		t.Fatal(err)
	}
	bundle := bytes.Replace(m.bundle(t), []byte("<!doctype html>"), []byte("<!doctype htmk>"), 1)
	for want, args := range map[string][]string{
		"tile: ":      {"--tiles", tiles},
		"no checkpoi": {"--tiles", t.TempDir()},
		"manifest: ":  {"--bundle", put(t, "bundle.tar", bundle)},
		"bundle: ":    {"--bundle", put(t, "bundle.tar", bundle[:700])},
	} {
		if code, stdout, stderr := command(t, append(args, "--key", key)...); code != exitFault || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("want %q: %d %q %q", want, code, stdout, stderr)
		}
	}
}

func TestHandover(t *testing.T) {
	m := newLog(t, 1, 20)
	old, err := audit.NewSigner(origin, bytes.Repeat([]byte{9}, 32))
	if err != nil {
		t.Fatal(err)
	}
	read := m.tree(t)
	root, err := audit.RootAt(5, read)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := audit.SignHandover(audit.TreeHead{Origin: origin, Size: 5, Root: root}, old, m.signer)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--tiles", m.folder(t), "--key", old.VerifierKey()}
	if code, stdout, stderr := command(t, append(args, "--handover", put(t, "h", signed))...); code != exitSound {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if code, stdout, _ := command(t, args...); code != exitFault || !strings.Contains(stdout, "signature: ") {
		t.Errorf("without the handover: %d %q", code, stdout)
	}
}

// proving answers the question of how two sizes of the log go together.
func proving(t *testing.T, s *server, lie bool) func(w http.ResponseWriter, r *http.Request) bool {
	read := s.tree(t)
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/audit/consistency" {
			return false
		}
		from, _ := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
		to, _ := strconv.ParseInt(r.URL.Query().Get("to"), 10, 64)
		proof, err := audit.ProveConsistency(from, to, read)
		if err != nil {
			t.Error(err)
		}
		if lie {
			proof[0][0] ^= 1
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"from": from, "to": to, "proof": proof, "request_id": "r"})
		return true
	}
}

// From every earlier checkpoint on, a log is read that ends in the same root.
func TestServiceSince(t *testing.T) {
	s := &server{made: newLog(t, 1, 20), limit: 7}
	s.before = proving(t, s, false)
	for i, since := range s.checkpoints {
		s.answered = 0
		code, stdout, stderr := againstService(t, s, "--since", put(t, "since", since))
		if code != exitSound || !strings.Contains(stdout, "entries=23 root="+rootOf(t, s.made)+" ") || stderr != "" {
			t.Fatalf("checkpoint %d: %d %q %q", i, code, stdout, stderr)
		}
		if want := " from=" + strconv.FormatInt(s.sizes[i], 10) + "\n"; !strings.HasSuffix(stdout, want) {
			t.Errorf("checkpoint %d: %q does not say %q", i, stdout, want)
		}
		if want := int(23-s.sizes[i]+6) / 7; s.answered != want {
			t.Errorf("checkpoint %d: %d pages were read, want %d", i, s.answered, want)
		}
	}
}

func TestInvariant11_ServiceThatDoesNotContinue(t *testing.T) {
	m := newLog(t, 1, 20)
	other := newLog(t, 1, 21)
	for i := range other.leaves {
		other.leaves[i] = bytes.Replace(other.leaves[i], []byte(`"actor":"svc-1"`), []byte(`"actor":"svc-9"`), 1)
	}
	since := put(t, "since", m.checkpoints[9])
	for name, c := range map[string]struct {
		s    *server
		lie  bool
		want string
	}{
		"no proof":        {&server{made: m}, true, "consistency: "},
		"a lie after it":  {&server{made: m, change: func(_ int, r *answeredRow) { r.Entry = bytes.Replace(r.Entry, []byte("svc-1"), []byte("svc-2"), 1) }}, false, "hash: "},
		"an older copy":   {&server{made: &made{signer: m.signer, leaves: m.leaves[:m.sizes[3]]}, checkpoint: m.checkpoints[3]}, false, "checkpoint-behind: "},
		"another history": {&server{made: other, checkpoint: m.newest()}, false, "consistency: "},
	} {
		c.s.before = proving(t, c.s, c.lie)
		if code, stdout, stderr := againstService(t, c.s, "--since", since); code != exitFault || !strings.Contains(stdout, c.want) || stderr != "" {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
	}
}

func TestServiceThatPruned(t *testing.T) {
	m := newLog(t, 1, 20)
	gone := func(i int, r *answeredRow) {
		if i < 3 {
			r.Entry, r.Pruned = nil, true
		}
	}
	if code, stdout, _ := againstService(t, &server{made: m, change: gone}); code != exitFault || !strings.Contains(stdout, "entry 0: pruned: ") {
		t.Errorf("nobody said so: %d %q", code, stdout)
	}
	m = newLog(t, 1, 20).and(t, audit.Entry{
		Tenant: "acme", Kind: audit.KindPrune, ChangeID: "prune-1", Channel: "owner", Environment: "test", Replica: "cf-0", PolicyVersion: "5a5a5a5a",
		Decision: audit.Allow, Counts: map[string]int{"from": 0, "to": 3},
	})
	if code, stdout, stderr := againstService(t, &server{made: m, change: gone}); code != exitSound || !strings.HasSuffix(stdout, " pruned=3\n") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}

func TestReceiptsThatAreNone(t *testing.T) {
	m := newLog(t, 1, 5)
	args := []string{"--tiles", m.folder(t), "--key", m.signer.VerifierKey(), "--receipt"}
	for name, text := range map[string]string{"no JSON": "x", "none": "\n", "one and another": "{}x", "another": `{"a_secret":1}`} {
		if code, stdout, stderr := command(t, append(args, put(t, "r", []byte(text)))...); code != exitUnreadable || stdout != "" || strings.Contains(stderr, "secret") {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
	}
	if code, stdout, _ := command(t, append(args, put(t, "r", []byte(`{}`)))...); code != exitFault {
		t.Errorf("an empty one: %d %q", code, stdout)
	}
}

// A client that keeps its receipts writes one on each line; the verifier takes them
// as they are, and each of them counts.
func TestReceiptsThatAClientKept(t *testing.T) {
	m := newLog(t, 1, 5)
	args := []string{"--tiles", m.folder(t), "--key", m.signer.VerifierKey(), "--receipt"}
	kept := append(m.receipt(t, 1), '\n')
	if code, stdout, stderr := command(t, append(args, put(t, "r", append(kept, m.receipt(t, 3)...)))...); code != exitSound {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	// The twin: one of them is of another history.
	forged := newLog(t, 1, 5)
	forged.leaves[3] = newLog(t, 1, 6).leaves[5]
	if code, stdout, _ := command(t, append(args, put(t, "r", append(kept, forged.receipt(t, 3)...)))...); code != exitFault {
		t.Errorf("forged: %d %q", code, stdout)
	}
}
