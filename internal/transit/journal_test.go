package transit_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func linesOf(t *testing.T, a *transit.Anchors, from int) string {
	t.Helper()
	got, err := a.Journal("acme", from)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(got, []byte{' '}))
}

// TestJournalIsKept for a process that starts anew, in as many documents as it
// takes, and the anchors are read as before.
func TestJournalIsKept(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	if got := linesOf(t, a, 0); got != "" {
		t.Errorf("at first %q", got)
	}
	write(t, a, anchorAt(t, "acme", 5, "log"))
	for after, lines := range [][]string{{"one", "two"}, nil, {"three"}} {
		var raw [][]byte
		for _, line := range lines {
			raw = append(raw, []byte(line))
		}
		if err := a.Append("acme", after, raw); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []*transit.Anchors{a, openAnchors(t, s)} {
		if got := linesOf(t, who, 0); got != "one two three" {
			t.Errorf("read %q", got)
		}
		if got := linesOf(t, who, 2); got != "three" {
			t.Errorf("from 2 %q", got)
		}
		for _, after := range []int{0, 2, 7} {
			if err := who.Append("acme", after, [][]byte{[]byte("x")}); !errors.Is(err, vault.ErrJournalMoved) {
				t.Errorf("after %d: %v", after, err)
			}
		}
	}
	large := [][]byte{bytes.Repeat([]byte{'a'}, 300<<10), bytes.Repeat([]byte{'b'}, 300<<10), []byte("c")}
	if err := a.Append("acme", 3, large); err != nil {
		t.Fatal(err)
	}
	if got, err := openAnchors(t, s).Journal("acme", 0); err != nil || len(got) != 6 || !bytes.Equal(got[4], large[1]) {
		t.Errorf("%d lines, %v", len(got), err)
	}
	keeps(t, openAnchors(t, s), anchorAt(t, "acme", 5, "log"))
}

// TestJournalSideBySide: of replicas that add at once none is lost.
func TestJournalSideBySide(t *testing.T) {
	s := transittest.Start(t)
	const replicas, each = 3, 8
	var group sync.WaitGroup
	for replica := range replicas {
		a := openAnchors(t, s)
		group.Go(func() {
			for n := range each {
				for {
					lines, err := a.Journal("acme", 0)
					if err == nil {
						err = a.Append("acme", len(lines), [][]byte{fmt.Appendf(nil, "%d-%d", replica, n)})
					}
					if err == nil {
						break
					}
					if !errors.Is(err, vault.ErrJournalMoved) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	group.Wait()
	got, err := openAnchors(t, s).Journal("acme", 0)
	seen := make(map[string]bool)
	for _, line := range got {
		seen[string(line)] = true
	}
	if err != nil || len(got) != replicas*each || len(seen) != len(got) {
		t.Errorf("%d lines, %d different, %v", len(got), len(seen), err)
	}
}

// TestDamagedJournalsDoNotCountAsShort: neither what was deleted nor what somebody
// wrote over.
func TestDamagedJournalsDoNotCountAsShort(t *testing.T) {
	for name, damage := range map[string]func(s *transittest.Server, path string) error{
		"deleted": func(s *transittest.Server, path string) error { _, err := s.Root().Logical().Delete(path); return err },
		"written over": func(s *transittest.Server, path string) error {
			_, err := s.Root().Logical().Write(path, map[string]any{"data": map[string]any{"journal": "other"}})
			return err
		},
	} {
		s := transittest.Start(t)
		a := openAnchors(t, s)
		if err := a.Append("acme", 0, [][]byte{[]byte("one")}); err != nil {
			t.Fatal(err)
		}
		if err := damage(s, "secret/data/counterfoil/anchors/journal/n-acme-n/000000000000"); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Journal("acme", 0); !errors.Is(err, vault.ErrJournal) {
			t.Errorf("%s: read %q, %v", name, got, err)
		}
	}
}

// TestAnchorsAreSetAside for one of a smaller size and of another log, or for
// none; what they said stays readable, and they are written on.
func TestAnchorsAreSetAside(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	if err := a.SetAside("acme", nil); err != nil {
		t.Fatal(err)
	}
	write(t, a, anchorAt(t, "acme", 9, "log"))
	write(t, a, anchorAt(t, "globex", 9, "log"))
	by := anchorAt(t, "acme", 5, "other log")
	if err := a.SetAside("acme", &by); err != nil {
		t.Fatal(err)
	}
	keeps(t, a, by, anchorAt(t, "globex", 9, "log"))
	write(t, a, anchorAt(t, "acme", 6, "other log"))
	for range 2 {
		if err := a.SetAside("acme", nil); err != nil {
			t.Fatal(err)
		}
		keeps(t, openAnchors(t, s), anchorAt(t, "globex", 9, "log"))
	}
	document, err := s.Root().Logical().ReadWithData("secret/data/counterfoil/anchors/n-acme-n", map[string][]string{"version": {"1"}})
	if err != nil || document == nil || document.Data["data"] == nil {
		t.Errorf("what was said first: %v, %v", document, err)
	}
	write(t, a, anchorAt(t, "acme", 2, "third log"))
	keeps(t, openAnchors(t, s), anchorAt(t, "acme", 2, "third log"), anchorAt(t, "globex", 9, "log"))
}
