package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
)

func wantFault(t *testing.T, want client.Fault, call func() error) {
	t.Helper()
	var e *client.ReceiptError
	if err := call(); !errors.As(err, &e) || e.Fault != want {
		t.Errorf("%v, want: %s", err, want)
	}
}

// ledger is a log that a test writes itself, so that it can lie with the key.
type ledger struct {
	signer *audit.Signer
	nodes  map[[2]int64]audit.Hash
	front  audit.Frontier
	batch  *audit.Batch
}

func newLedger(t testing.TB, origin string, seed byte) *ledger {
	t.Helper()
	signer, err := audit.NewSigner(origin, []byte(strings.Repeat(string(rune(seed)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	return &ledger{signer: signer, nodes: make(map[[2]int64]audit.Hash)}
}

func (l *ledger) append(t testing.TB, leaves ...string) *ledger {
	t.Helper()
	for _, leaf := range leaves {
		batch, err := l.front.Append([][]byte{[]byte(leaf)})
		if err != nil {
			t.Fatal(err)
		}
		l.nodes[[2]int64{0, batch.First}] = batch.Leaves[0]
		for _, n := range batch.Nodes {
			l.nodes[[2]int64{int64(n.Level), n.N}] = n.Hash
		}
		l.front, l.batch = batch.Frontier, batch
	}
	return l
}

func (l *ledger) read(level int, n int64) (audit.Hash, error) {
	return l.nodes[[2]int64{int64(level), n}], nil
}

func (l *ledger) note(t testing.TB, size int64) (audit.Hash, string) {
	t.Helper()
	root, err := audit.RootAt(size, l.read)
	if err != nil {
		t.Fatal(err)
	}
	note, err := l.signer.Sign(audit.TreeHead{Origin: l.signer.Origin(), Size: size, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return root, string(note)
}

func (l *ledger) receipt(t testing.TB, index, size int64) client.Receipt {
	t.Helper()
	proof, err := audit.Prove(size, index, l.read)
	if err != nil {
		t.Fatal(err)
	}
	root, note := l.note(t, size)
	return client.Receipt{
		Log: l.signer.Origin(), Index: index, LeafHash: l.nodes[[2]int64{0, index}], TreeSize: size,
		RootHash: root, Proof: proof, Checkpoint: note,
	}
}

const acmeLog = "vault.example/log/acme"

// shop is a service that answers any request with the receipt it is told.
type shop struct {
	*client.Client
	next   *client.Receipt
	note   *string // of the checkpoint
	keys   []client.LogKey
	prover *ledger // of whose history it proves consistency
	asked  map[string]int
	url    string
}

func newShop(t *testing.T, keys ...string) *shop {
	t.Helper()
	s := &shop{asked: make(map[string]int)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := path.Base(r.URL.Path)
		s.asked[what]++
		if what == "checkpoint" {
			_, _ = io.WriteString(w, *s.note) // net/http sees that it is text
			return
		}
		w.Header().Set("Content-Type", "application/json")
		var answer any = map[string]any{"text": "x", "results": []int{}, "audit": s.next}
		switch {
		case what == "keys":
			answer = map[string]any{"keys": s.keys}
		case what == "consistency" && s.prover == nil:
			w.WriteHeader(http.StatusForbidden)
			return
		case what == "consistency":
			from, _ := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
			to, _ := strconv.ParseInt(r.URL.Query().Get("to"), 10, 64)
			proof, err := audit.ProveConsistency(from, to, s.prover.read)
			if err != nil {
				t.Error(err)
			}
			answer = client.Consistency{From: from, To: to, Proof: proof}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	s.Client = newClient(t, server.URL, client.Config{Token: constant("token"), LogKeys: keys})
	return s
}

// again is another client of the shop, as after a restart.
func (s *shop) again(t *testing.T, cfg client.Config) error {
	t.Helper()
	cfg.Token = constant("token")
	c, err := client.New(s.url, cfg)
	if err != nil {
		return err
	}
	t.Cleanup(c.Close)
	s.Client = c
	return nil
}

func (s *shop) answer(t *testing.T, r *client.Receipt) error {
	s.next = r
	out, err := s.Detokenize(t.Context(), restore(client.Text("x")))
	if err != nil && out != nil {
		t.Error("an answer was given out beside an error")
	}
	return err
}

func TestForgedReceiptsAreRefused(t *testing.T) {
	ours := newLedger(t, acmeLog, 1).append(t, "a", "b", "c", "d", "e")
	globex := newLedger(t, "vault.example/log/globex", 2).append(t, "a", "b", "c", "d", "e")
	another := newLedger(t, acmeLog, 3).append(t, "a", "b", "c", "d", "e")
	flip := func(h *client.Hash) { h[7] ^= 1 }
	_, foreign := globex.note(t, 5)
	_, shorter := ours.note(t, 4)
	for name, c := range map[string]struct {
		fault client.Fault
		forge func(r *client.Receipt)
	}{
		"flipped leaf hash":    {client.FaultProof, func(r *client.Receipt) { flip(&r.LeafHash) }},
		"flipped root":         {client.FaultProof, func(r *client.Receipt) { flip(&r.RootHash) }},
		"flipped proof":        {client.FaultProof, func(r *client.Receipt) { flip(&r.Proof[1]) }},
		"short proof":          {client.FaultProof, func(r *client.Receipt) { r.Proof = r.Proof[1:] }},
		"long proof":           {client.FaultProof, func(r *client.Receipt) { r.Proof = append(r.Proof, r.Proof[0]) }},
		"another place":        {client.FaultProof, func(r *client.Receipt) { r.Index-- }},
		"a place before all":   {client.FaultProof, func(r *client.Receipt) { r.Index = -1 }},
		"a place after all":    {client.FaultProof, func(r *client.Receipt) { r.Index = 5 }},
		"another size":         {client.FaultProof, func(r *client.Receipt) { r.TreeSize++ }},
		"a shorter head":       {client.FaultProof, func(r *client.Receipt) { r.Checkpoint = shorter }},
		"no head":              {client.FaultProof, func(r *client.Receipt) { r.Checkpoint = "" }},
		"a head of another":    {client.FaultSignature, func(r *client.Receipt) { r.Checkpoint = foreign }},
		"another key":          {client.FaultSignature, func(r *client.Receipt) { *r = another.receipt(t, 3, 5) }},
		"another tenant":       {client.FaultLog, func(r *client.Receipt) { *r = globex.receipt(t, 3, 5) }},
		"another tenant's log": {client.FaultLog, func(r *client.Receipt) { r.Log = globex.signer.Origin() }},
		"a changed signature": {client.FaultSignature, func(r *client.Receipt) {
			r.Checkpoint = strings.Replace(r.Checkpoint, "\n5\n", "\n6\n", 1)
		}},
	} {
		s := newShop(t, ours.signer.VerifierKey())
		r := ours.receipt(t, 3, 5)
		c.forge(&r)
		wantFault(t, c.fault, func() error { return s.answer(t, &r) })
		if s.Known() != 0 {
			t.Errorf("%s: a forged receipt was learned from", name)
		}
		// The twin: as it was, it is good, also after a forged one.
		honest := ours.receipt(t, 3, 5)
		if err := s.answer(t, &honest); err != nil {
			t.Errorf("%s: the honest one: %v", name, err)
		}
	}
	s := newShop(t, ours.signer.VerifierKey())
	wantFault(t, client.FaultMissing, func() error { return s.answer(t, nil) })
}

// With several keys of one log each of them will do, and no other.
func TestAKeyThatIsRotated(t *testing.T) {
	before, after := newLedger(t, acmeLog, 1).append(t, "a"), newLedger(t, acmeLog, 2).append(t, "a", "b")
	s := newShop(t, before.signer.VerifierKey(), after.signer.VerifierKey())
	for _, r := range []client.Receipt{before.receipt(t, 0, 1), after.receipt(t, 1, 2)} {
		if err := s.answer(t, &r); err != nil {
			t.Error(err)
		}
		if err := r.Verify(after.signer.VerifierKey(), before.signer.VerifierKey()); err != nil {
			t.Error(err)
		}
	}
	r := before.receipt(t, 0, 1)
	wantFault(t, client.FaultSignature, func() error { return r.Verify(after.signer.VerifierKey()) })
	wantFault(t, client.FaultSignature, func() error { return r.Verify() })
}

func TestInvariant11_ALogThatGoesBackIsRefused(t *testing.T) {
	l := newLedger(t, acmeLog, 1).append(t, "a", "b", "c", "d")
	first, second := l.receipt(t, 1, 2), l.receipt(t, 2, 4)
	s := newShop(t, l.signer.VerifierKey())
	for _, r := range []*client.Receipt{&first, &second} { // the twin: forwards is fine
		if err := s.answer(t, r); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, client.FaultBehind, func() error { return s.answer(t, &first) })
	wantFault(t, client.FaultBehind, func() error { return s.answer(t, &second) })
	// An entry that was there before, under a head that is newer.
	l.append(t, "e")
	stale := l.receipt(t, 3, 5)
	wantFault(t, client.FaultBehind, func() error { return s.answer(t, &stale) })
	fresh := l.receipt(t, 4, 5)
	if err := s.answer(t, &fresh); err != nil {
		t.Error(err)
	}
}

// Each fork is signed by the right key and proves what it says. The twin is
// the honest log, which goes on.
func TestInvariant11_AForkIsRefused(t *testing.T) {
	leaves := []string{"a", "b", "c", "d", "e"}
	for changed := range leaves {
		ours := newLedger(t, acmeLog, 1).append(t, leaves...)
		forged := slices.Clone(leaves)
		forged[changed] = "other"
		theirs := newLedger(t, acmeLog, 1).append(t, forged...)
		known := ours.receipt(t, 4, 5)
		next, fork := ours.append(t, "f").receipt(t, 5, 6), theirs.append(t, "f").receipt(t, 5, 6)
		s := newShop(t, ours.signer.VerifierKey())
		if err := s.answer(t, &known); err != nil {
			t.Fatal(err)
		}
		wantFault(t, client.FaultFork, func() error { return s.answer(t, &fork) })
		if err := s.answer(t, &next); err != nil {
			t.Errorf("the honest log after the fork: %v", err)
		}
	}
}

// A checkpoint is held against what receipts have shown, and the reverse.
func TestInvariant11_ACheckpointOfAForkIsRefused(t *testing.T) {
	ours := newLedger(t, acmeLog, 1).append(t, "a", "b", "c")
	theirs := newLedger(t, acmeLog, 1).append(t, "a", "x", "c")
	_, honest := ours.note(t, 2)
	_, fork := theirs.note(t, 2)
	note := fork
	s := newShop(t, ours.signer.VerifierKey())
	s.note = &note
	known, forged := ours.receipt(t, 2, 3), theirs.receipt(t, 2, 3)
	if err := s.answer(t, &known); err != nil {
		t.Fatal(err)
	}
	wantFault(t, client.FaultFork, func() error { _, err := s.Checkpoint(t.Context()); return err })
	note = honest // and behind the receipts, as checkpoints are
	if got, err := s.Checkpoint(t.Context()); err != nil || got.Size != 2 || got.Note != honest {
		t.Errorf("the honest one: %+v %v", got, err)
	}
	other := newShop(t, ours.signer.VerifierKey())
	other.note = &note
	if _, err := other.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFault(t, client.FaultFork, func() error { return other.answer(t, &forged) })
	_, note = newLedger(t, "vault.example/log/globex", 2).append(t, "a", "b", "c").note(t, 3)
	wantFault(t, client.FaultSignature, func() error { _, err := other.Checkpoint(t.Context()); return err })
	note = "no note"
	wantFault(t, client.FaultProof, func() error { _, err := other.Checkpoint(t.Context()); return err })
}

// What a receipt states of sizes other than that of its head is what the tree
// of that size has as root.
func TestInvariant11_AReceiptStatesThreeRoots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 200).Draw(t, "size")
		index := rapid.Int64Range(0, size-1).Draw(t, "index")
		l := ledgerOf200
		states := l.receipt(nopTB{}, index, size).States()
		want := []int64{index + 1, size}
		if index > 0 {
			want = append(want, index)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(states)); !slices.Equal(got, slices.Compact(want)) {
			t.Fatalf("sizes %v, want %v", got, want)
		}
		for n, root := range states {
			if honest, err := audit.RootAt(n, l.read); err != nil || honest != root {
				t.Fatalf("index %d of %d: another root for %d", index, size, n)
			}
		}
	})
}

// nopTB is for helpers that cannot fail where they are used.
type nopTB struct{ testing.TB }

func (nopTB) Helper() {}

var ledgerOf200 = func() *ledger {
	l := newLedger(nopTB{}, acmeLog, 1)
	for i := range 200 {
		l.append(nopTB{}, strconv.Itoa(i))
	}
	return l
}()

func TestInvariant17_HeadsAreBounded(t *testing.T) {
	l := newLedger(t, acmeLog, 1).append(t, "a", "b")
	s := newShop(t, l.signer.VerifierKey())
	for i := range int64(client.MaxHeads) {
		r := l.receipt(t, i+1, i+2)
		if err := s.answer(t, &r); err != nil {
			t.Fatal(err)
		}
		l.append(t, strconv.FormatInt(i, 10))
	}
	if s.Known() != client.MaxHeads {
		t.Errorf("%d heads", s.Known())
	}
}

// The real service's receipts, forged on the way.
func TestAReceiptOfTheServiceThatIsChangedOnTheWay(t *testing.T) {
	w := newWorld(t)
	c := w.gateway()
	out, err := c.Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	globex, err := w.client(w.as("globex", "gw-1", "gateway"), func(cfg *client.Config) {
		cfg.LogKeys = []string{w.logKey("globex")}
	}).Tokenize(t.Context(), prompt("x"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := *out.Receipt
	flipped.LeafHash = tlog.Hash{}
	for fault, r := range map[client.Fault]*client.Receipt{
		client.FaultMissing: nil, client.FaultBehind: out.Receipt, client.FaultLog: globex.Receipt, client.FaultProof: &flipped,
	} {
		w.wire.changing(func(body []byte) []byte {
			var answer map[string]json.RawMessage
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Error(err)
			}
			answer["audit"], _ = json.Marshal(r)
			changed, _ := json.Marshal(answer)
			return changed
		})
		wantFault(t, fault, func() error {
			back, err := c.Detokenize(t.Context(), restore(client.Text(out.Text)))
			if back != nil || err != nil && strings.Contains(err.Error(), email) {
				t.Error("the value was given out")
			}
			return err
		})
	}
	w.wire.changing(nil)
	if back, err := c.Detokenize(t.Context(), restore(client.Text(out.Text))); err != nil || back.Text != "mail "+email {
		t.Errorf("twin: %v", err)
	}
	// A credential of another tenant than the pinned key's.
	wrong := w.client(w.as("globex", "gw-1", "gateway"))
	wantFault(t, client.FaultLog, func() error { _, err := wrong.Tokenize(t.Context(), prompt("x")); return err })
}
