package lifecycle_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// lines are those of a journal file.
func lines(t *testing.T, a *lifecycle.Anchors, tenant string, from int) []string {
	t.Helper()
	raw, err := a.Journal(tenant, from)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range raw {
		all = append(all, string(line))
	}
	return all
}

// TestJournalFile: lines are added where one thinks they are, and a line that a
// crash cut off was never there.
func TestJournalFile(t *testing.T) {
	dir := t.TempDir()
	a, err := lifecycle.OpenAnchors(dir)
	if err != nil {
		t.Fatal(err)
	}
	add := func(after int, texts ...string) error {
		var raw [][]byte
		for _, text := range texts {
			raw = append(raw, []byte(text))
		}
		return a.Append("acme", after, raw)
	}
	if got := lines(t, a, "acme", 0); len(got) != 0 {
		t.Errorf("at first %q", got)
	}
	for _, err := range []error{add(0, "one", "two"), add(2, "three")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, after := range []int{0, 1, 2, 4} {
		if err := add(after, "x"); !errors.Is(err, vault.ErrJournalMoved) {
			t.Errorf("after %d: %v", after, err)
		}
	}
	file := filepath.Join(dir, "acme.journal")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(bytes.Clone(body), "cut off and long"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"two", "three"}, lines(t, a, "acme", 1)); diff != "" {
		t.Error(diff)
	}
	if err := add(3, "four"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", "two", "three", "four"}, lines(t, a, "acme", 0)); diff != "" {
		t.Error(diff)
	}
	if _, err := a.Journal("acme", 5); !errors.Is(err, vault.ErrJournal) {
		t.Errorf("lost lines: %v", err)
	}
	if got := lines(t, a, "globex", 0); len(got) != 0 {
		t.Errorf("of another tenant %q", got)
	}
}

func erase(t *testing.T, v *vaulttest.Vault, subject string) string {
	t.Helper()
	got, err := v.Service.EraseSubject(context.Background(), vaulttest.Call("pia", "privacy_officer"), vault.ErasureRequest{
		Regime: "gdpr", Subject: subject, ConfirmSubject: subject, Reference: "DSAR-7", Suppress: "none",
		Identity: vault.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: v.Clock.Now()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.Erasure.ID
}

func keep(t *testing.T, v *vaulttest.Vault, subject, value string) {
	t.Helper()
	if _, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Values: []vault.Value{{Entity: "CUSTOM_ID", Value: value, Subject: subject}},
	}); err != nil {
		t.Fatal(err)
	}
}

// journaled is a service that is closed, with the folder of its anchors, of which
// two people were erased, the second with an anchor that does not speak for it.
func journaled(t *testing.T) (dir, anchors string, options assembly.Options) {
	t.Helper()
	dir = t.TempDir()
	clock := vaulttest.NewClock()
	options = assembly.Options{Clock: clock.Now}
	in, err := assembly.Open(t.Context(), dir, options)
	if err != nil {
		t.Fatal(err)
	}
	v := &vaulttest.Vault{Instance: in, Clock: clock, Dir: dir}
	keep(t, v, "crm:ann", "A-1")
	keep(t, v, "crm:bob", "B-1")
	first := erase(t, v, "crm:ann")
	if err := v.Worker.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	anchors = config.Layout{Dir: dir}.Anchors()
	a, err := lifecycle.OpenAnchors(anchors)
	if err != nil {
		t.Fatal(err)
	}
	all := lines(t, a, "acme", 0)
	if len(all) != 1 {
		t.Fatalf("%d lines", len(all))
	}
	line, err := vault.ParseJournalLine([]byte(all[0]))
	if err != nil || line.Erased.ID != first || len(line.Erased.Buried) == 0 || line.Erased.Subject != "" {
		t.Fatalf("%s: %v", all[0], err)
	}
	if got := anchorOf(t, dir, "acme"); got.Tombstones != vault.JournalHash(audit.Hash{}, []byte(all[0])) {
		t.Error("the anchor does not speak for the journal")
	}
	stale, err := os.ReadFile(filepath.Join(anchors, "acme.anchor"))
	if err != nil {
		t.Fatal(err)
	}
	erase(t, v, "crm:bob")
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(lines(t, a, "acme", 0)) != 2 {
		t.Error("the second erasure is not journaled")
	}
	if err := os.WriteFile(filepath.Join(anchors, "acme.anchor"), stale, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, anchors, options
}

// TestJournalAheadOfItsAnchor is served. One that lost a line that the anchor
// speaks for, or has another, is not: these are the twins.
func TestJournalAheadOfItsAnchor(t *testing.T) {
	dir, anchors, options := journaled(t)
	opens := func() error {
		in, err := assembly.Open(t.Context(), dir, options)
		if err != nil {
			return err
		}
		return in.Close(t.Context())
	}
	file := filepath.Join(anchors, "acme.journal")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"none": {}, "no line break": bytes.TrimRight(whole, "\n")[:10],
		"another": bytes.Replace(whole, []byte("DSAR-7"), []byte("DSAR-8"), 1),
		"no line": append([]byte("x\n"), whole...), "a field more": bytes.Replace(whole, []byte(`{"erased":{`), []byte(`{"erased":{"x":1,`), 1),
	} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := opens(); !errors.Is(err, vault.ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An erasure that the database does not have is one of a newer database.
	more := bytes.ReplaceAll(whole[bytes.IndexByte(whole, '\n')+1:], []byte(`{"erased":{"id":"`), []byte(`{"erased":{"id":"f`))
	if err := os.WriteFile(file, append(bytes.Clone(whole), more...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opens(); !errors.Is(err, lifecycle.ErrOlder) {
		t.Errorf("an erasure of a newer database: %v", err)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opens(); err != nil {
		t.Error(err)
	}
	// Without anchors there is no journal either: it is written anew.
	if err := os.RemoveAll(anchors); err != nil {
		t.Fatal(err)
	}
	if err := opens(); err != nil {
		t.Error(err)
	}
	a, err := lifecycle.OpenAnchors(anchors)
	if err != nil || len(lines(t, a, "acme", 0)) != 2 {
		t.Errorf("it has %d lines, %v", len(lines(t, a, "acme", 0)), err)
	}
}

// lame is an anchor store whose journals cannot be written.
type lame struct {
	*lifecycle.Anchors
	broken bool
}

func (l *lame) Append(tenant string, after int, lines [][]byte) error {
	if l.broken {
		return errors.New("no journal")
	}
	return l.Anchors.Append(tenant, after, lines)
}

// memory is a store that remembers what it was asked to commit.
type memory struct {
	vault.Store
	seen int
}

func (m *memory) Commit(context.Context, string, vault.Change) (vault.Committed, error) {
	m.seen++
	return vault.Committed{}, nil
}

// TestMovesAreJournaledFirst: where they cannot be, nothing is sealed anew; what
// moves nothing is committed all the same.
func TestMovesAreJournaledFirst(t *testing.T) {
	anchors, err := lifecycle.OpenAnchors(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keeps, inner, woken := &lame{Anchors: anchors, broken: true}, &memory{}, 0
	store := &lifecycle.Journaled{Store: inner, Journals: lifecycle.NewJournals(keeps, nil), Erased: func() { woken++ }}
	change := func(effect vault.Effect, kind audit.Kind) vault.Change {
		c, err := vault.NewChange("acme", effect, audit.Entry{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	moving := change(vault.Erase{Reseal: []vault.Resealed{{ScopeID: "s", TokenID: "v", From: "k1", To: "k2"}}}, audit.KindErase)
	if _, err := store.Commit(t.Context(), "acme", moving); !errors.Is(err, vault.ErrUnavailable) || inner.seen != 0 || woken != 0 {
		t.Errorf("without a journal: %v, %d commits", err, inner.seen)
	}
	if _, err := store.Commit(t.Context(), "acme", change(vault.Erase{}, audit.KindErase)); err != nil || inner.seen != 1 || woken != 1 {
		t.Errorf("of nothing that moves: %v, %d commits", err, inner.seen)
	}
	keeps.broken = false
	if _, err := store.Commit(t.Context(), "acme", moving); err != nil || inner.seen != 2 || woken != 2 {
		t.Errorf("with one: %v, %d commits", err, inner.seen)
	}
	if got := lines(t, anchors, "acme", 0); len(got) != 2 {
		t.Errorf("the journal is %q", got)
	}
}
