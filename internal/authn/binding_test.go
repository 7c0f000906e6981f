package authn_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/counterfoil/counterfoil/internal/authn"
)

func fingerprint(of string) string {
	digest := sha256.Sum256([]byte(of))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// bound is a token of A that only the holder of a certificate may use.
func (w *world) bound(to string) string {
	return w.signA(headerA(), with(w.claimsA(), "cnf", map[string]any{"x5t#S256": to}))
}

// A bound token is worth nothing to whoever stole it, whether or not it was
// verified before over the connection of its owner.
func TestBoundTokenNeedsItsCertificate(t *testing.T) {
	w := theWorld()
	mine, stranger := fingerprint("mine"), fingerprint("stranger")
	token := w.bound(mine)
	for _, cached := range []int{0, authn.MaxCachedTokens} {
		v := w.verifier(t, authn.WithCacheSize(cached))
		refused := func(when string) {
			t.Helper()
			for name, shown := range map[string]string{
				"none": "", "another": stranger, "a part": mine[:42], "more": mine + "A", "in other letters": "x" + mine[1:],
			} {
				if _, err := v.VerifyOver(t.Context(), token, shown); authn.ReasonOf(err) != authn.ReasonBinding {
					t.Errorf("cache of %d, %s, %s: %v", cached, when, name, err)
				}
			}
			if _, err := v.Verify(t.Context(), token); authn.ReasonOf(err) != authn.ReasonBinding {
				t.Errorf("cache of %d, %s, no connection: %v", cached, when, err)
			}
		}
		refused("at first")
		for range 2 {
			caller, err := v.VerifyOver(t.Context(), token, mine)
			if diff := differ(callerA(same), caller); err != nil || diff != "" {
				t.Errorf("cache of %d: %v (-want +got):\n%s", cached, err, diff)
			}
			refused("after its owner")
		}
	}
}

// A token that is not bound is as good over every connection.
func TestUnboundTokenOverAnyConnection(t *testing.T) {
	w := theWorld()
	v := w.verifier(t)
	for _, shown := range []string{"", fingerprint("mine"), ""} {
		if _, err := v.VerifyOver(t.Context(), w.good(), shown); err != nil {
			t.Errorf("over %q: %v", shown, err)
		}
	}
}

// Without the check, and without it on a hit of the cache, the stolen token
// works.
func TestBoundTokenNeedsItsCertificateTwin(t *testing.T) {
	w := theWorld()
	token := w.bound(fingerprint("mine"))
	if _, err := w.verifier(t).Without("binding").VerifyOver(t.Context(), token, fingerprint("stranger")); err != nil {
		t.Errorf("the guard taken out: %v", err)
	}
	v := w.verifier(t)
	if _, err := v.VerifyOver(t.Context(), token, fingerprint("mine")); err != nil {
		t.Fatal(err)
	}
	v.ForgetBindings()
	if _, err := v.VerifyOver(t.Context(), token, fingerprint("stranger")); err != nil {
		t.Errorf("the guard of the cache taken out: %v", err)
	}
}
