package verify_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

func TestInvariant11_CleanLogsPass(t *testing.T) {
	for seed := range uint64(long(200)) {
		m := newLog(t, seed).grow(int(seed % 20))
		if len(m.checkpoints) == 0 {
			m.commit(nil) // the empty log has a head too
		}
		opts := m.known()
		got, err := verify.Log(t.Context(), of(m.entries), opts)
		if err != nil {
			t.Fatalf("log %d: %v", seed, err)
		}
		root, err := m.frontier.Root()
		if err != nil {
			t.Fatal(err)
		}
		n := int64(len(m.entries))
		if got.Entries != n || got.Signed != n || got.Root != root || got.Tenant != "acme" || got.Origin != origin ||
			got.Checkpoints != len(opts.Checkpoints) || got.Receipts != len(opts.Receipts) || got.Anchors != len(opts.Anchors) {
			t.Fatalf("log %d of %d: %+v", seed, n, got)
		}
		if n > 0 && (!got.First.Equal(entryOf(t, m, 0).Time) || !got.Last.Equal(m.clock)) {
			t.Fatalf("log %d: first %v, last %v", seed, got.First, got.Last)
		}
	}
}

func entryOf(t *testing.T, m *made, i int) audit.Entry {
	t.Helper()
	e, err := audit.ParseLeaf(m.entries[i].Leaf)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestUnsignedTail(t *testing.T) {
	m := newLog(t, 1).grow(5)
	opts := m.known()
	opts.Receipts, opts.Anchors = nil, nil
	opts.Checkpoints = m.checkpoints[:3]
	var fault *verify.Fault
	if _, err := verify.Log(t.Context(), of(m.entries), opts); !errors.As(err, &fault) || fault.Rule != verify.RuleUnsigned {
		t.Errorf("a signed log is asked for: %v", err)
	}
	opts.RequireSigned = false
	got, err := verify.Log(t.Context(), of(m.entries), opts)
	if err != nil || got.Signed >= got.Entries || got.Signed == 0 || got.Entries != int64(len(m.entries)) {
		t.Errorf("%+v, %v", got, err)
	}
	opts.Checkpoints = nil
	if got, err := verify.Log(t.Context(), of(m.entries), opts); err != nil || got.Signed != 0 {
		t.Errorf("no head at all: %+v, %v", got, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	m := newLog(t, 1).grow(1)
	other, err := audit.NewSigner("counterfoil.local/log/globex", make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	bare, err := audit.NewSigner("acme", make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	key := m.signer.VerifierKey()
	for name, opts := range map[string]verify.Options{
		"no key":         {},
		"malformed key":  {VKeys: []string{"x"}},
		"keys of two":    {VKeys: []string{key, other.VerifierKey()}},
		"another origin": {VKeys: []string{key}, Origin: other.Origin()},
		"another tenant": {VKeys: []string{key}, Tenant: "globex"},
		"no tenant":      {VKeys: []string{bare.VerifierKey()}},
	} {
		if _, err := verify.Log(t.Context(), of(m.entries), opts); !errors.Is(err, verify.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnreadableLogIsNoFault(t *testing.T) {
	m := newLog(t, 1).grow(5)
	broken := errors.New("the disk is gone")
	var fault *verify.Fault
	_, err := verify.Log(t.Context(), func(yield func(verify.Entry) error) error {
		return errors.Join(of(m.entries[:2])(yield), broken)
	}, m.known())
	if !errors.Is(err, broken) || errors.As(err, &fault) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verify.Log(ctx, of(m.entries), m.known()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	m := newLog(t, 3).grow(8)
	var export bytes.Buffer
	for _, e := range m.entries {
		export.Write(append(bytes.Clone(e.Leaf), '\n'))
	}
	if got, err := verify.Log(t.Context(), verify.Lines(bytes.NewReader(export.Bytes())), m.known()); err != nil || got.Entries != int64(len(m.entries)) {
		t.Errorf("%+v, %v", got, err)
	}
	whole := export.String()
	if _, err := verify.Log(t.Context(), verify.Lines(strings.NewReader(strings.TrimSuffix(whole, "\n"))), m.known()); err != nil {
		t.Errorf("without the last line break: %v", err)
	}
	for name, text := range map[string]string{
		"empty line":    "\n" + whole,
		"empty at end":  whole + "\n",
		"CRLF":          strings.ReplaceAll(whole, "\n", "\r\n"),
		"long line":     whole + strings.Repeat("a", audit.MaxLeaf+1) + "\n",
		"very long":     strings.Repeat("a", 3*audit.MaxLeaf),
		"cut in a line": whole[:len(whole)-10],
	} {
		var fault *verify.Fault
		if _, err := verify.Log(t.Context(), verify.Lines(strings.NewReader(text)), m.known()); !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaultNamesItsPlace(t *testing.T) {
	for want, fault := range map[string]verify.Fault{
		"entry 7: gap: x": {Index: 7, Rule: verify.RuleGap, Detail: "x"},
		"signature: x":    {Index: verify.NoIndex, Rule: verify.RuleSignature, Detail: "x"},
	} {
		if got := fault.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
