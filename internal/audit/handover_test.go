package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
)

func handoverOf(t testing.TB, size int64, from, to *audit.Signer) []byte {
	t.Helper()
	signed, err := audit.SignHandover(audit.TreeHead{Origin: origin, Size: size, Root: audit.LeafHash([]byte("a"))}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestHandoverRoundTrip(t *testing.T) {
	old, next := newSigner(t, origin, 1), newSigner(t, origin, 2)
	want := audit.Handover{Origin: origin, Size: 17, Root: audit.LeafHash([]byte("a")), Old: old.VerifierKey(), New: next.VerifierKey()}
	got, err := audit.OpenHandover(handoverOf(t, 17, old, next), old.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The text is what a person can read, and others can check.
	statement, err := audit.OpenStatement(handoverOf(t, 17, old, next), audit.TitleHandover, next.VerifierKey())
	if err != nil || statement.Body != old.VerifierKey()+"\n"+next.VerifierKey()+"\n17\n"+want.Root.String()+"\n" {
		t.Errorf("%+v, %v", statement, err)
	}
}

// withBody is a handover with a body of any kind, signed.
func withBody(t *testing.T, body string, signers ...*audit.Signer) []byte {
	t.Helper()
	return signedStatement(t, audit.Statement{Title: audit.TitleHandover, Origin: origin, Body: body}, signers...)
}

func TestHandoversThatAreRefused(t *testing.T) {
	old, next, thief := newSigner(t, origin, 1), newSigner(t, origin, 2), newSigner(t, origin, 3)
	hash := audit.LeafHash(nil)
	body := func(from, to, size, root string) string { return from + "\n" + to + "\n" + size + "\n" + root + "\n" }
	o, n, x, root := old.VerifierKey(), next.VerifierKey(), thief.VerifierKey(), hash.String()
	for name, c := range map[string]struct {
		signed []byte
		want   error
	}{
		"by a stranger":                 {handoverOf(t, 4, thief, next), audit.ErrSignature},
		"the old one did not sign":      {withBody(t, body(o, n, "4", root), next), audit.ErrSignature},
		"the new one did not sign":      {withBody(t, body(o, n, "4", root), old), audit.ErrSignature},
		"another signed for the new":    {withBody(t, body(o, n, "4", root), old, thief), audit.ErrSignature},
		"a stranger, with our word":     {withBody(t, body(x, n, "4", root), old, thief, next), audit.ErrSignature},
		"to itself":                     {withBody(t, body(o, o, "4", root), old), audit.ErrKey},
		"size with a sign":              {withBody(t, body(o, n, "+4", root), old, next), audit.ErrStatement},
		"negative size":                 {withBody(t, body(o, n, "-4", root), old, next), audit.ErrStatement},
		"size beyond any log":           {withBody(t, body(o, n, "9223372036854775807", root), old, next), audit.ErrStatement},
		"root in loose base64":          {withBody(t, body(o, n, "4", strings.TrimRight(root, "=")), old, next), audit.ErrStatement},
		"a line more":                   {withBody(t, body(o, n, "4", root)+"more\n", old, next), audit.ErrStatement},
		"a line less":                   {withBody(t, o+"\n"+n+"\n4\n", old, next), audit.ErrStatement},
		"a new key that is none":        {withBody(t, body(o, "no key", "4", root), old, next), audit.ErrSignature},
		"another statement of this log": {signedStatement(t, audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: body(o, n, "4", root)}, old, next), audit.ErrStatement},
	} {
		if _, err := audit.OpenHandover(c.signed, o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := audit.SignHandover(audit.TreeHead{Origin: origin}, old, old); !errors.Is(err, audit.ErrKey) {
		t.Errorf("signed to itself: %v", err)
	}
	if _, err := audit.SignHandover(audit.TreeHead{Origin: origin, Size: -1}, old, next); !errors.Is(err, audit.ErrTree) {
		t.Errorf("signed for no size: %v", err)
	}
	if _, err := audit.SignHandover(audit.TreeHead{Origin: origin}, old, newSigner(t, "counterfoil.local/log/globex", 2)); !errors.Is(err, audit.ErrKey) {
		t.Errorf("signed to the key of another log: %v", err)
	}
}

func TestHandoversAreFollowedInOrder(t *testing.T) {
	var signers []*audit.Signer
	var handovers [][]byte
	for i := range byte(4) {
		signers = append(signers, newSigner(t, origin, i+1))
		if i > 0 {
			handovers = append(handovers, handoverOf(t, int64(i)*10, signers[i-1], signers[i]))
		}
	}
	keys, err := audit.FollowHandovers([]string{signers[0].VerifierKey()}, handovers...)
	if err != nil || len(keys) != 4 || keys[3] != signers[3].VerifierKey() {
		t.Errorf("%v, %v", keys, err)
	}
	for name, given := range map[string][][]byte{
		"out of order": {handovers[1], handovers[0]}, "one left out": {handovers[0], handovers[2]}, "not one": {handovers[0], []byte("x")},
	} {
		if _, err := audit.FollowHandovers([]string{signers[0].VerifierKey()}, given...); err == nil {
			t.Errorf("%s: it is followed", name)
		}
	}
	// What is given is left as it is.
	trusted := make([]string, 1, 8)
	trusted[0] = signers[0].VerifierKey()
	if _, err := audit.FollowHandovers(trusted, handovers...); err != nil || trusted[:2][1] != "" {
		t.Errorf("%v, %v", trusted[:2], err)
	}
}

// Twin: a statement that one trusted key signed is opened; that both keys must sign
// is what keeps somebody from handing a log to a key that is not theirs.
func TestHandover_Twin_OneSignatureWouldPass(t *testing.T) {
	old, next := newSigner(t, origin, 1), newSigner(t, origin, 2)
	root := audit.LeafHash(nil)
	signed := withBody(t, old.VerifierKey()+"\n"+next.VerifierKey()+"\n4\n"+root.String()+"\n", old)
	if _, err := audit.OpenStatement(signed, audit.TitleHandover, old.VerifierKey()); err != nil {
		t.Errorf("the statement is broken, and the case shows nothing: %v", err)
	}
	if _, err := audit.OpenHandover(signed, old.VerifierKey()); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("the new key did not sign: %v", err)
	}
}

func TestAbout(t *testing.T) {
	e := audit.Entry{Obligations: []string{"form:full", "proceeding:a", "mfa", "proceeding:b", "proceeding", "grant:c", "intent:"}}
	for prefix, want := range map[string][]string{
		audit.ObligationProceeding: {"a", "b"}, audit.ObligationGrant: {"c"}, audit.ObligationIntent: {""}, audit.ObligationVersion: nil,
	} {
		if diff := cmp.Diff(want, e.About(prefix)); diff != "" {
			t.Errorf("%s: %s", prefix, diff)
		}
	}
}
