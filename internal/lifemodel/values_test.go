//go:build unix

package lifemodel_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// This file is what a gateway does with values, and what time does to them.

func (h *history) tokenize(*rapid.T) {
	h.step()
	scope, value, subject := h.scope(), h.value(), ""
	if rapid.Bool().Draw(h.T, "named") {
		subject = h.subject()
	}
	result := must(h.v.Service.Tokenize(ctx, h.v.Gateway(), vault.TokenizeRequest{
		Scope: scope, Subject: subject, Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: value}},
	}))(h)
	of := h.scopes[scope]
	same := slices.IndexFunc(h.kept, func(k *kept) bool { return k.of == of && k.value == value && h.live(k) })
	if same < 0 && h.now().Before(h.keptOut[value]) {
		if len(result.Tokens) != 0 || result.Values[0] != "<EMAIL_ADDRESS>" {
			h.Fatalf("%q was erased and is kept out until %s: it got %s", value, h.keptOut[value], result.Values[0])
		}
		return
	}
	if len(result.Tokens) != 1 {
		h.Fatalf("%q is kept out by nothing, and became %s", value, result.Values[0])
	}
	var k *kept
	if token := result.Values[0]; same >= 0 {
		k = h.used(h.kept[same], token)
	} else {
		k = h.made(scope, value, token)
	}
	if got := *result.Tokens[0].ExpiresAt; !got.Equal(k.expires) {
		h.Fatalf("%s expires at %s, want %s: %+v", k.token, got, k.expires, *k)
	}
	if subject != "" {
		if ref := h.person(subject); !slices.Contains(k.about, ref) {
			k.about = append(k.about, ref)
		}
	}
}

// used is a value that has its token already, and lives longer where less than
// half its time is left.
func (h *history) used(k *kept, token string) *kept {
	if k.token != token {
		h.Fatalf("a value that has %s got %s", k.token, token)
	}
	if k.expires.Sub(h.now()) < day/2 {
		k.expires = earlier(h.now().Add(day), k.of.ends)
	}
	return k
}

// made is a value that gets a token of its own; one that it had before is retired.
func (h *history) made(scope, value, token string) *kept {
	if slices.ContainsFunc(h.kept, func(k *kept) bool { return k.token == token }) {
		h.Fatalf("%s is given again", token)
	}
	of := h.scopes[scope]
	if of == nil || !h.now().Before(of.ends) {
		of = &modelScope{ends: h.now().Add(scopeLife)}
		h.scopes[scope] = of
	}
	for _, k := range h.kept {
		// What is restricted is out of the way already.
		if k.of == of && k.value == value && !k.gone && !k.restricted {
			k.retired = true
		}
	}
	k := &kept{
		scope: scope, of: of, value: value, token: token, made: h.now(),
		expires: earlier(h.now().Add(day), of.ends),
	}
	h.kept = append(h.kept, k)
	return k
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (h *history) hours(*rapid.T) {
	h.v.Clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(h.T, "hours")) * time.Hour)
}

func (h *history) days(*rapid.T) {
	h.v.Clock.Advance(time.Duration(rapid.IntRange(2, 31).Draw(h.T, "days")) * day)
}

func (h *history) close(*rapid.T) {
	h.step()
	scope := h.scope()
	_, err := h.v.Service.CloseScope(ctx, h.v.Gateway(), vault.CloseScopeRequest{Scope: scope})
	if err != nil && vault.CodeOf(err) != vault.CodeNotFound {
		h.Fatalf("close: %v", err)
	}
	of := h.scopes[scope]
	if (err == nil) != (of != nil && h.now().Before(of.ends)) {
		h.Fatalf("close: %v", err)
	}
	if err != nil {
		return
	}
	of.ends = h.now()
	for _, k := range h.kept {
		if k.of == of {
			k.expires = earlier(k.expires, of.ends)
		}
	}
}

// sweep destroys what is over, and forgets whom nothing is about.
func (h *history) sweep(*rapid.T) {
	h.step()
	h.sweepAll()
	for _, k := range h.kept {
		k.gone = k.gone || k.erased || h.expired(k) && !h.held(k)
	}
	for name, ref := range h.refs {
		of := func(other int) bool { return other == ref }
		if !slices.ContainsFunc(h.kept, func(k *kept) bool { return !k.gone && slices.ContainsFunc(k.about, of) }) &&
			!slices.ContainsFunc(h.deferred, func(w *wish) bool { return w.ref == ref }) &&
			!slices.ContainsFunc(h.requests, func(r *asked) bool { return r.ref == ref }) {
			delete(h.refs, name)
		}
	}
}

func (h *history) sweepAll() {
	// Not the worker's: it rests where the machine is slow.
	for _, step := range []func(string) (bool, error){
		func(tenant string) (bool, error) { return h.v.Service.Sweep(ctx, tenant) },
		func(tenant string) (bool, error) { return h.v.Service.SweepRecords(ctx, tenant) },
		func(tenant string) (bool, error) { return h.v.Service.ForgetSuppressions(ctx, tenant) },
	} {
		for more := true; more; {
			var err error
			if more, err = step("acme"); err != nil {
				h.Fatalf("sweep: %v", err)
			}
		}
	}
}
