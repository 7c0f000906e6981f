package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// TestInvariant11_WhatWasShownSurvivesARestart: with a file, a log that was taken
// back or forked while the client was away is noticed, which two receipts alone do
// not show.
func TestInvariant11_WhatWasShownSurvivesARestart(t *testing.T) {
	file := client.CheckpointFile(filepath.Join(t.TempDir(), "acme.checkpoint"))
	ours := newLedger(t, acmeLog, 1).append(t, "a", "b", "c")
	theirs := newLedger(t, acmeLog, 1).append(t, "a", "x", "c")
	cfg := client.Config{LogKeys: []string{ours.signer.VerifierKey()}, Checkpoints: file}
	s := newShop(t, cfg.LogKeys...)
	s.prover = ours
	restart := func(cfg client.Config) {
		t.Helper()
		if err := s.again(t, cfg); err != nil {
			t.Fatal(err)
		}
	}
	known := ours.receipt(t, 2, 3)
	restart(cfg)
	if err := s.answer(t, &known); err != nil {
		t.Fatal(err)
	}
	if note, err := file.Load(); err != nil || string(note) != known.Checkpoint {
		t.Errorf("kept: %v", err)
	}
	back := newLedger(t, acmeLog, 1).append(t, "a", "b").receipt(t, 1, 2)
	restart(cfg)
	wantFault(t, client.FaultBehind, func() error { return s.answer(t, &back) })

	// Entries of others came in between, so the heads do not meet.
	fork := theirs.append(t, "d", "e", "f").receipt(t, 5, 6)
	for _, prover := range []*ledger{theirs, ours.append(t, "d", "e", "f", "g")} {
		s.prover = prover
		restart(cfg)
		wantFault(t, client.FaultConsistency, func() error { return s.answer(t, &fork) })
	}
	if note, _ := file.Load(); string(note) != known.Checkpoint {
		t.Error("the head of a fork was kept")
	}
	// A service that refuses the proof has not given it.
	s.prover = nil
	restart(cfg)
	var refused *client.Problem
	if err := s.answer(t, &fork); !errors.As(err, &refused) || refused.Status != 403 {
		t.Errorf("refused: %v", err)
	}
	// The twins: the honest log goes on; without the file the fork is taken.
	s.prover = ours
	next := ours.receipt(t, 6, 7)
	restart(cfg)
	if err := s.answer(t, &next); err != nil || s.asked["consistency"] == 0 {
		t.Errorf("honest: %v", err)
	}
	if note, err := file.Load(); err != nil || string(note) != next.Checkpoint {
		t.Errorf("kept: %v", err)
	}
	restart(client.Config{LogKeys: cfg.LogKeys})
	if err := s.answer(t, &fork); err != nil {
		t.Errorf("without what was kept: %v", err)
	}
}

// A published checkpoint is behind receipts, and is proven to be of their history.
func TestInvariant11_ACheckpointBehindWhatIsKeptIsProven(t *testing.T) {
	ours := newLedger(t, acmeLog, 1).append(t, "a", "b", "c", "d", "e")
	theirs := newLedger(t, acmeLog, 1).append(t, "a", "b", "x", "d", "e")
	for _, log := range []*ledger{ours, theirs} {
		s := newShop(t, ours.signer.VerifierKey())
		s.prover = ours
		if err := s.again(t, client.Config{LogKeys: []string{ours.signer.VerifierKey()}, Checkpoints: client.CheckpointMemory()}); err != nil {
			t.Fatal(err)
		}
		known := ours.receipt(t, 4, 5)
		if err := s.answer(t, &known); err != nil {
			t.Fatal(err)
		}
		_, note := log.note(t, 3)
		s.note = &note
		_, err := s.Checkpoint(t.Context())
		if honest := log == ours; honest != (err == nil) {
			t.Errorf("honest %v: %v", honest, err)
		}
		if log == theirs {
			wantFault(t, client.FaultConsistency, func() error { return err })
		}
	}
}

// TestACheckpointFileThatIsNotAsItWasLeft: it is an error, never passed over.
func TestACheckpointFileThatIsNotAsItWasLeft(t *testing.T) {
	l := newLedger(t, acmeLog, 1).append(t, "a", "b", "c")
	globex := newLedger(t, "vault.example/log/globex", 2).append(t, "a")
	other := newLedger(t, acmeLog, 3).append(t, "a", "b")
	_, sound := l.note(t, 2)
	_, foreign := globex.note(t, 1)
	_, stranger := other.note(t, 2)
	next := l.receipt(t, 2, 3)
	for name, c := range map[string]struct {
		text  string
		early bool // New says so
	}{
		"sound":               {sound, false},
		"empty":               {"", true},
		"cut":                 {sound[:len(acmeLog)+10], true},
		"no note":             {acmeLog + "\nhello\n", true},
		"too long":            {sound + strings.Repeat("x", audit.MaxCheckpoint), true},
		"of another log":      {foreign, true},
		"another size":        {strings.Replace(sound, "\n2\n", "\n1\n", 1), false},
		"of another key":      {stranger, false},
		"a changed signature": {sound[:len(sound)-9] + "AAAA" + sound[len(sound)-5:], false},
	} {
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := newShop(t, l.signer.VerifierKey())
		s.prover, s.keys = l, []client.LogKey{{Version: 1, Key: l.signer.VerifierKey()}}
		err := s.again(t, client.Config{LogKeys: []string{l.signer.VerifierKey()}, Checkpoints: client.CheckpointFile(path)})
		if c.early != (err != nil) {
			t.Errorf("%s: New says %v", name, err)
		}
		if err == nil {
			err = s.answer(t, &next)
		}
		if sound := name == "sound"; sound != (err == nil) || !sound && !errors.Is(err, client.ErrCheckpoints) {
			t.Errorf("%s: %v", name, err)
		}
		// Nothing was asked under a head that cannot be used, and it is still there.
		if name != "sound" {
			if s.asked["detokenize"] > 0 {
				t.Errorf("%s: a request was made", name)
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != c.text {
				t.Errorf("%s: the file was changed", name)
			}
		}
	}
}

// A file that is put back to an older copy while the client runs is noticed before
// anything is written over it.
func TestACheckpointFileThatIsPutBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	l := newLedger(t, acmeLog, 1).append(t, "a", "b", "c", "d")
	_, old := l.note(t, 1)
	s := newShop(t, l.signer.VerifierKey())
	s.prover = l
	if err := s.again(t, client.Config{LogKeys: []string{l.signer.VerifierKey()}, Checkpoints: client.CheckpointFile(path)}); err != nil {
		t.Fatal(err)
	}
	first, second := l.receipt(t, 1, 2), l.receipt(t, 2, 3)
	if err := s.answer(t, &first); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.answer(t, &second); !errors.Is(err, client.ErrCheckpoints) {
		t.Errorf("put back: %v", err)
	}
	// The twin: as it was left, it goes on.
	if err := os.WriteFile(path, []byte(first.Checkpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	third := l.receipt(t, 3, 4)
	if err := s.answer(t, &third); err != nil {
		t.Errorf("twin: %v", err)
	}
}

// rotated makes a ledger that goes on with another key, and the handover to it.
func rotated(t *testing.T, l *ledger, seed byte) (next *ledger, handover string) {
	t.Helper()
	after := newLedger(t, acmeLog, seed)
	root, err := l.front.Root()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := audit.SignHandover(audit.TreeHead{Origin: acmeLog, Size: l.front.Size, Root: root}, l.signer, after.signer)
	if err != nil {
		t.Fatal(err)
	}
	after.front, after.nodes = l.front, l.nodes
	return after, string(signed)
}

// TestAKeyThatIsHandedOver: a receipt that a later key signed is taken where the
// pinned key vouches for it, over however many keys, and refused where none does.
func TestAKeyThatIsHandedOver(t *testing.T) {
	first := newLedger(t, acmeLog, 1).append(t, "a", "b")
	second, toSecond := rotated(t, first, 2)
	second.append(t, "c")
	third, toThird := rotated(t, second, 3)
	third.append(t, "d")
	honest := []client.LogKey{
		{Version: 3, Key: third.signer.VerifierKey(), Handover: toThird},
		{Version: 2, Key: second.signer.VerifierKey(), Handover: toSecond},
		{Version: 1, Key: first.signer.VerifierKey()},
	}
	changed := func(change func(keys []client.LogKey)) []client.LogKey {
		keys := append([]client.LogKey(nil), honest...)
		change(keys)
		return keys
	}
	_, elsewhere := rotated(t, newLedger(t, acmeLog, 1).append(t, "x", "y"), 2)
	known, next := first.receipt(t, 1, 2), third.receipt(t, 3, 4)
	for name, c := range map[string]struct {
		keys  []client.LogKey
		fault client.Fault
	}{
		"handed over":             {honest, ""},
		"no handover":             {changed(func(k []client.LogKey) { k[0].Handover = "" }), client.FaultHandover},
		"one is missing":          {changed(func(k []client.LogKey) { k[1].Handover = "" }), client.FaultHandover},
		"another's handover":      {changed(func(k []client.LogKey) { k[0].Handover = toSecond }), client.FaultHandover},
		"a changed handover":      {changed(func(k []client.LogKey) { k[0].Handover = strings.Replace(toThird, "\n3\n", "\n2\n", 1) }), client.FaultHandover},
		"the word of the service": {changed(func(k []client.LogKey) { k[0].Handover, k[0].Trusted = "", true }), client.FaultHandover},
		"not listed":              {honest[1:], client.FaultSignature},
		"over another history":    {changed(func(k []client.LogKey) { k[1].Handover = elsewhere }), client.FaultFork},
	} {
		s := newShop(t, first.signer.VerifierKey())
		s.keys = c.keys
		if err := s.answer(t, &known); err != nil {
			t.Fatal(err)
		}
		err := s.answer(t, &next)
		if c.fault == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.fault != "" {
			wantFault(t, c.fault, func() error { return err })
		}
		if s.asked["keys"] != 1 {
			t.Errorf("%s: the keys were asked for %d times", name, s.asked["keys"])
		}
		// The old key's word is still good.
		if c.fault == "" {
			again := third.append(t, "e").receipt(t, 4, 5)
			if err := s.answer(t, &again); err != nil || s.asked["keys"] != 1 {
				t.Errorf("%s: the next one: %v", name, err)
			}
		}
	}
}

// What was kept under a later key than the pinned one is taken up after a restart.
func TestACheckpointOfALaterKeyIsTakenUp(t *testing.T) {
	first := newLedger(t, acmeLog, 1).append(t, "a", "b")
	second, handover := rotated(t, first, 2)
	second.append(t, "c")
	_, note := second.note(t, 3)
	for _, vouched := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := os.WriteFile(path, []byte(note), 0o600); err != nil {
			t.Fatal(err)
		}
		s := newShop(t, first.signer.VerifierKey())
		s.prover = second
		s.keys = []client.LogKey{{Version: 2, Key: second.signer.VerifierKey()}}
		if vouched {
			s.keys[0].Handover = handover
		}
		if err := s.again(t, client.Config{LogKeys: []string{first.signer.VerifierKey()}, Checkpoints: client.CheckpointFile(path)}); err != nil {
			t.Fatal(err)
		}
		l, _ := rotated(t, first, 2)
		l.append(t, "c", "d")
		next := l.receipt(t, 3, 4)
		err := s.answer(t, &next)
		if vouched && err != nil {
			t.Error(err)
		}
		if !vouched {
			wantFault(t, client.FaultHandover, func() error { return err })
			if !errors.Is(err, client.ErrCheckpoints) {
				t.Error(err)
			}
		}
	}
}

// refusing takes no receipt.
type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, errors.New("test: the disk is full") }

// Each receipt that was found good is kept, one a line, and no other; where it
// cannot be kept the answer is withheld.
func TestReceiptsAreKept(t *testing.T) {
	l := newLedger(t, acmeLog, 1).append(t, "a", "b", "c")
	var kept bytes.Buffer
	s := newShop(t, l.signer.VerifierKey())
	cfg := client.Config{LogKeys: []string{l.signer.VerifierKey()}, Receipts: &kept}
	if err := s.again(t, cfg); err != nil {
		t.Fatal(err)
	}
	first, second := l.receipt(t, 0, 1), l.receipt(t, 2, 3)
	forged := l.receipt(t, 1, 2)
	forged.Index = 0
	for _, r := range []*client.Receipt{&first, &forged, &second} {
		if err := s.answer(t, r); (err == nil) == (r == &forged) {
			t.Error(err)
		}
	}
	lines := strings.Split(strings.TrimSuffix(kept.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		var r client.Receipt
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Verify(l.signer.VerifierKey()) != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	cfg.Receipts = refusing{}
	if err := s.again(t, cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.answer(t, &first); err == nil {
		t.Error("an answer was given out whose receipt is not kept")
	}
}
