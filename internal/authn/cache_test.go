package authn_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// A cached answer is the answer that a verification would give, at any time.
func TestCacheNeverChangesTheAnswer(t *testing.T) {
	shared := theWorld()
	var tokens []string
	for n := range 6 {
		life := time.Duration(n+1) * time.Minute
		tokens = append(tokens, shared.signA(headerA(), with(shared.claimsA(), "exp", shared.now.Add(life).Unix(), "sub", fmt.Sprint("svc-", n), "team", "fraud")))
	}
	for _, f := range forgeries(shared)[:20] {
		tokens = append(tokens, f.token)
	}
	rapid.Check(t, func(r *rapid.T) {
		w := *shared
		start := w.now
		cached, plain := w.verifier(t, authn.WithCacheSize(3)), w.verifier(t, authn.WithCacheSize(0))
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			w.now = start.Add(time.Duration(rapid.IntRange(-60, 480).Draw(r, "seconds")) * time.Second)
			token := rapid.SampledFrom(tokens).Draw(r, "token")
			got, gotErr := cached.Verify(t.Context(), token)
			want, wantErr := plain.Verify(t.Context(), token)
			if diff := differ(want, got); diff != "" || authn.ReasonOf(gotErr) != authn.ReasonOf(wantErr) {
				r.Fatalf("cached %v, plain %v, caller (-plain +cached):\n%s", gotErr, wantErr, diff)
			}
		}
	})
}

func TestCachedTokenExpires(t *testing.T) {
	w := *theWorld()
	v, token := w.verifier(t), w.good()
	for range 2 {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if v.Cached() != 1 {
		t.Fatalf("%d callers cached, want 1", v.Cached())
	}
	w.now = w.now.Add(time.Hour + authn.Leeway)
	if _, err := v.Verify(t.Context(), token); authn.ReasonOf(err) != authn.ReasonExpired {
		t.Errorf("a cached token after its end: %v", err)
	}
	if v.Cached() != 0 {
		t.Error("an expired token is still cached")
	}
}

// A cache that did not ask the time again would serve a token after its end.
func TestCachedTokenExpiresTwin(t *testing.T) {
	w := *theWorld()
	v, token := w.verifier(t), w.good()
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	v.Prolong()
	w.now = w.now.Add(2 * time.Hour)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("the guard taken out: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	w := theWorld()
	v := w.verifier(t, authn.WithCacheSize(4))
	for n := range 20 {
		if _, err := v.Verify(t.Context(), w.signA(headerA(), with(w.claimsA(), "sub", fmt.Sprint("svc-", n)))); err != nil {
			t.Fatal(err)
		}
	}
	if v.Cached() != 4 {
		t.Errorf("%d callers cached, want 4", v.Cached())
	}
}

// What one request does to its caller must not reach the next.
func TestCachedCallersShareNothing(t *testing.T) {
	w := theWorld()
	v, token := w.verifier(t), w.signA(headerA(), with(w.claimsA(), "team", "support"))
	for n := range 3 {
		caller, err := v.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if caller.Roles[0] != "gateway" || caller.Attributes["team"] != "support" {
			t.Fatalf("use %d: roles %v, attributes %v", n, caller.Roles, caller.Attributes)
		}
		caller.Roles[0], caller.Attributes["team"] = "operator", "fraud"
	}
}

func TestVerifyFromManyGoroutines(t *testing.T) {
	w := theWorld()
	v := w.verifier(t, authn.WithCacheSize(2))
	var tokens []string
	for n := range 4 {
		tokens = append(tokens, w.signA(headerA(), with(w.claimsA(), "sub", fmt.Sprint("svc-", n))))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for n := range 100 {
				caller, err := v.Verify(t.Context(), tokens[n%4])
				if want := fmt.Sprint("svc-", n%4); err != nil || caller.Subject != want {
					t.Errorf("subject %q, want %q (%v)", caller.Subject, want, err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkVerify(b *testing.B) {
	w := theWorld()
	tokens := map[string]string{"ES256": w.good()}
	for _, tt := range acceptedOfB(w)[1:4] {
		tokens[tt.name[len("B, "):]] = tt.token
	}
	for name, token := range tokens {
		for cache, size := range map[string]int{"verified": 0, "cached": authn.MaxCachedTokens} {
			b.Run(name+"/"+cache, func(b *testing.B) {
				v := w.verifier(b, authn.WithCacheSize(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(b.Context(), token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
