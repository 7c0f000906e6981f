package audit_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// bothWays reads bytes by the short cut and the long way: what the short cut
// accepts is accepted, and is the same entry.
func bothWays(leaf []byte) error { return compared(audit.ParseShort, leaf) }

func compared(shortCut func([]byte) (audit.Entry, bool), leaf []byte) error {
	short, ok := shortCut(leaf)
	if !ok {
		return nil
	}
	long, err := audit.ParseLong(leaf)
	if err != nil {
		return fmt.Errorf("only the short cut accepts it: %w", err)
	}
	if diff := cmp.Diff(long, short); diff != "" {
		return fmt.Errorf("the two read different entries: %s", diff)
	}
	return nil
}

func TestShortCutReadsWhatIsWritten(t *testing.T) {
	for i, leaf := range goldenLeaves(t) {
		if _, ok := audit.ParseShort(leaf); !ok {
			t.Errorf("golden leaf %d is read the long way", i)
		}
		if err := bothWays(leaf); err != nil {
			t.Errorf("golden leaf %d: %v", i, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		parts, err := audit.Link(drawEntry(t, 40))
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := audit.Finalise(parts, drawTime(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range leaves {
			if _, ok := audit.ParseShort(leaf); !ok {
				t.Fatalf("it is read the long way: %s", leaf)
			}
			if err := bothWays(leaf); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// nearLeaves are texts close to a leaf, each wrong in one way that only the rules
// of an entry tell.
func nearLeaves(leaf string) []string {
	replace := func(old, with string) string { return strings.Replace(leaf, old, with, 1) }
	near := []string{
		"", "{", "{}", leaf + leaf, leaf[:len(leaf)-1], replace(`"v":1`, `"v":2`), replace(`"v":1`, `"v":01`), replace(`"v":1`, `"v":0`),
		replace(`"kind":"tokenize"`, `"kind":"unheard_of"`), replace(`"decision":"allow"`, `"decision":"perhaps"`),
		replace(`"tenant":"acme",`, ``), replace(`"tokens":[`, `"tokens":[],"x":[`), replace(`"EMAIL_ADDRESS":2`, `"EMAIL_ADDRESS":9007199254740992`),
		replace(`"EMAIL_ADDRESS":2`, `"EMAIL_ADDRESS":-2`), replace(`"EMAIL_ADDRESS":2`, `"EMAIL_ADDRESS":02`), replace(`"EMAIL_ADDRESS":2`, `"EMAIL_ADDRESS":2,"EMAIL_ADDRESS":2`),
		replace(`2026-01-02`, `2026-02-30`), replace(`2026-01-02`, `2026-13-02`), replace(`2026-01-02`, `1969-01-02`), replace(`03:04:05`, `24:04:05`),
		replace(`03:04:05`, `03:60:05`), replace(`03:04:05`, `03:04:60`), replace(`.678901Z`, `.67890Z"`), replace(`"actor":"svc-1"`, `"actor":"svc 1"`),
		replace(`"actor":"svc-1"`, `"actor":"`+strings.Repeat("a", audit.MaxIdentifier+1)+`"`), replace(`"actor":"svc-1"`, `"actor":null`),
		replace(`"actor":"svc-1"`, `"actor":"svc-1","actor":"svc-1"`), replace(`"tenant"`, `"seq":1,"tenant"`),
		replace(`"policy_version"`, `"parts":1,"policy_version"`), replace(`{"client_id"`, `{"x":"y","client_id"`), replace(`"client":{`, `"client":{},"x":{`),
	}
	for _, form := range otherForms(leaf) {
		near = append(near, form)
	}
	return near
}

func TestShortCutAcceptsNoMore(t *testing.T) {
	leaf := leafOf(t, sample())
	refused := 0
	for _, near := range nearLeaves(string(leaf)) {
		if err := bothWays([]byte(near)); err != nil {
			t.Errorf("%s: %v", near, err)
		}
		if _, ok := audit.ParseShort([]byte(near)); !ok {
			refused++
		}
	}
	if want := len(nearLeaves(string(leaf))); refused != want {
		t.Errorf("%d of %d are refused", refused, want)
	}
	// Every byte in its place, replaced by each that could mean something there.
	for at := range leaf {
		for _, b := range []byte("\x00\n \",:{}[]\\019Zaz\x7f\xff") {
			near := bytes.Clone(leaf)
			near[at] = b
			if err := bothWays(near); err != nil {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
	}
}

// Twin: a short cut that reads any form of an entry is found by the comparison.
func TestShortCut_Twin_WithoutTheRulesMoreIsAccepted(t *testing.T) {
	careless := func(leaf []byte) (audit.Entry, bool) {
		e, err := audit.DecodeEntry(leaf)
		return e, err == nil
	}
	leaf := string(leafOf(t, sample()))
	for name, form := range otherForms(leaf) {
		if compared(careless, []byte(form)) == nil {
			t.Errorf("%s: the comparison finds nothing", name)
		}
	}
}

func FuzzShortCut(f *testing.F) {
	leaves := goldenLeaves(f)
	for _, leaf := range leaves {
		f.Add(leaf)
	}
	for _, near := range nearLeaves(string(leafOf(f, sample()))) {
		f.Add([]byte(near))
	}
	f.Fuzz(func(t *testing.T, leaf []byte) {
		if len(leaf) > audit.MaxLeaf {
			t.Skip()
		}
		if err := bothWays(leaf); err != nil {
			t.Error(err)
		}
		if _, err := audit.ParseLong(leaf); err == nil {
			if _, ok := audit.ParseShort(leaf); !ok {
				t.Error("a leaf is read the long way")
			}
		}
	})
}
