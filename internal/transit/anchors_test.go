package transit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

// anchorAt is the anchor of a log at a size; the text makes it this log's.
func anchorAt(t *testing.T, tenant string, size int64, log string) audit.Anchor {
	t.Helper()
	signer, err := audit.NewSigner(audit.Origin("counterfoil.example/log", tenant), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	root := audit.LeafHash(fmt.Append(nil, log, size))
	checkpoint, err := signer.Sign(audit.TreeHead{Origin: audit.Origin("counterfoil.example/log", tenant), Size: size, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return audit.Anchor{
		Tenant: tenant, Size: size, Root: root, Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Checkpoint: string(checkpoint),
	}
}

func openAnchors(t *testing.T, s *transittest.Server) *transit.Anchors {
	t.Helper()
	a, err := transit.OpenAnchors(t.Context(), s.Identity(t, "anchors"), transit.Place{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func keeps(t *testing.T, a *transit.Anchors, want ...audit.Anchor) {
	t.Helper()
	got, err := a.Read()
	if err != nil {
		t.Fatal(err)
	}
	byTenant := func(anchors []audit.Anchor) map[string]audit.Anchor {
		m := make(map[string]audit.Anchor)
		for _, one := range anchors {
			m[one.Tenant] = one
		}
		return m
	}
	if diff := cmp.Diff(byTenant(want), byTenant(got)); diff != "" {
		t.Errorf("anchors (-want +got):\n%s", diff)
	}
}

func write(t *testing.T, a *transit.Anchors, anchor audit.Anchor) {
	t.Helper()
	if err := a.Write(anchor); err != nil {
		t.Fatal(err)
	}
}

// TestAnchorsAreKept: of tenants that careless code takes for each other, too,
// and for a process that starts anew.
func TestAnchorsAreKept(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	keeps(t, a)
	var want []audit.Anchor
	for i, tenant := range []string{"acme", "Acme", "ACME", "acme-2", "acme.2", "_system", strings.Repeat("a", 64)} {
		write(t, a, anchorAt(t, tenant, int64(i), "log"))
		anchor := anchorAt(t, tenant, int64(i)+10, "log")
		write(t, a, anchor)
		want = append(want, anchor)
	}
	keeps(t, a, want...)
	keeps(t, openAnchors(t, s), want...)
}

// TestInvariant11_AnchorsNeverGoBack: not by a replica that is behind, and not
// by one that has not seen what another wrote.
func TestInvariant11_AnchorsNeverGoBack(t *testing.T) {
	s := transittest.Start(t)
	first, second := openAnchors(t, s), openAnchors(t, s)
	write(t, first, anchorAt(t, "acme", 5, "log"))
	write(t, second, anchorAt(t, "acme", 9, "log"))
	write(t, first, anchorAt(t, "acme", 7, "log")) // it believes that 5 is kept
	keeps(t, first, anchorAt(t, "acme", 9, "log"))
	write(t, first, anchorAt(t, "acme", 9, "log")) // the same again
	write(t, openAnchors(t, s), anchorAt(t, "acme", 3, "log"))
	keeps(t, first, anchorAt(t, "acme", 9, "log"))
	write(t, first, anchorAt(t, "acme", 10, "log"))
	keeps(t, second, anchorAt(t, "acme", 10, "log"))
}

// TestTwinWithoutCheckAndSet: the same race with writes that are not checked
// goes back.
func TestTwinWithoutCheckAndSet(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	write(t, a, anchorAt(t, "acme", 9, "log"))
	text, err := anchorAt(t, "acme", 7, "log").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "acme", string(text))
	keeps(t, a, anchorAt(t, "acme", 7, "log"))
}

// put writes a document of an anchor as an operator would.
func put(t *testing.T, s *transittest.Server, tenant, text string) {
	t.Helper()
	path := transit.AnchorMount + "/data/" + transit.AnchorFolder + "/" + transit.KeyName("", tenant)
	if _, err := s.Root().Logical().Write(path, map[string]any{"data": map[string]any{"anchor": text}}); err != nil {
		t.Fatal(err)
	}
}

// TestInvariant11_ForksAreNotAnchored: another log at the same size is refused,
// and what was kept stays.
func TestInvariant11_ForksAreNotAnchored(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	write(t, a, anchorAt(t, "acme", 5, "log"))
	for name, from := range map[string]*transit.Anchors{"the writer": a, "another": openAnchors(t, s)} {
		if err := from.Write(anchorAt(t, "acme", 5, "other log")); !errors.Is(err, transit.ErrFork) {
			t.Errorf("%s writes a fork: %v", name, err)
		}
	}
	keeps(t, a, anchorAt(t, "acme", 5, "log"))
}

// TestAnchorsSideBySide: replicas that all write leave the largest.
func TestAnchorsSideBySide(t *testing.T) {
	s := transittest.Start(t)
	const replicas, rounds = 3, 10
	var group sync.WaitGroup
	for replica := range replicas {
		a := openAnchors(t, s)
		group.Go(func() {
			for round := range rounds {
				err := a.Write(anchorAt(t, "acme", int64(round*replicas+replica), "log"))
				// To be written over three times is a second's delay, no fault.
				if err != nil && !errors.Is(err, envelope.ErrUnavailable) {
					t.Error(err)
				}
			}
			for a.Write(anchorAt(t, "acme", int64(rounds*replicas+replica), "log")) != nil && t.Context().Err() == nil {
			}
		})
	}
	group.Wait()
	keeps(t, openAnchors(t, s), anchorAt(t, "acme", rounds*replicas+replicas-1, "log"))
}

// TestDamagedAnchorsDoNotCountAsNone: neither what is malformed, nor what is in
// another's place, nor what somebody deleted.
func TestDamagedAnchorsDoNotCountAsNone(t *testing.T) {
	good := func(tenant string) string {
		text, err := anchorAt(t, tenant, 5, "log").Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, text := range map[string]string{
		"empty": "", "cut": good("acme")[:60], "longer": "x" + good("acme"), "another's": good("globex"),
	} {
		s := transittest.Start(t)
		put(t, s, "acme", text)
		a := openAnchors(t, s)
		if got, err := a.Read(); !errors.Is(err, audit.ErrAnchor) || got != nil {
			t.Errorf("%s: read %v, %v", name, got, err)
		}
		if err := a.Write(anchorAt(t, "acme", 9, "log")); !errors.Is(err, audit.ErrAnchor) {
			t.Errorf("%s: written over: %v", name, err)
		}
	}
}

// TestDeletedAnchor: a deletion that leaves older versions is seen, and the
// next write heals it.
func TestDeletedAnchor(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	write(t, a, anchorAt(t, "acme", 5, "log"))
	path := transit.AnchorMount + "/data/" + transit.AnchorFolder + "/" + transit.KeyName("", "acme")
	if _, err := s.Root().Logical().Delete(path); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Read(); !errors.Is(err, audit.ErrAnchor) {
		t.Errorf("read %v, %v", got, err)
	}
	for _, from := range []*transit.Anchors{openAnchors(t, s), a} {
		write(t, from, anchorAt(t, "acme", 6, "log"))
		keeps(t, from, anchorAt(t, "acme", 6, "log"))
	}
}

// TestAnchorsOfAServerThatIsDown: the error says that it is, and no path.
func TestAnchorsOfAServerThatIsDown(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	s.Stop(t)
	_, readErr := a.Read()
	for name, err := range map[string]error{"read": readErr, "write": a.Write(anchorAt(t, "acme", 1, "log"))} {
		if !errors.Is(err, envelope.ErrUnavailable) || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "secret/") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnchorsLeastPrivilege: the policy gives anchors and nothing else, and no
// way to take one away.
func TestAnchorsLeastPrivilege(t *testing.T) {
	s := transittest.Start(t)
	a := openAnchors(t, s)
	write(t, a, anchorAt(t, "acme", 5, "log"))
	name := transit.AnchorFolder + "/" + transit.KeyName("", "acme")
	for path, data := range map[string]map[string]any{
		"secret/delete/" + name:                 {"versions": []int{1}},
		"secret/destroy/" + name:                {"versions": []int{1}},
		"secret/metadata/" + name:               {"max_versions": 1},
		"secret/data/counterfoil/other":         nil,
		"secret/data/x":                         {"data": map[string]any{"a": "b"}},
		"secret/config":                         {"max_versions": 1},
		"transit/encrypt/counterfoil-n-acme-n":  {"plaintext": ""},
		"transit/keys/counterfoil-n-acme-n":     nil,
		"sys/policies/acl/counterfoil-anchors":  nil,
		"auth/approle/role/counterfoil-anchors": nil,
	} {
		if status := transittest.Ask(t, s.Identity(t, "anchors"), path, data); status != 403 {
			t.Errorf("%s: status %d, want 403", path, status)
		}
	}
	// The serving identity alone reaches no anchor.
	for path, data := range map[string]map[string]any{"secret/data/" + name: nil, "secret/data/" + name + "-x": {"data": map[string]any{}}} {
		if status := transittest.Ask(t, s.Serving(t), path, data); status != 403 {
			t.Errorf("serving: %s: status %d, want 403", path, status)
		}
	}
}
