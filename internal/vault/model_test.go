package vault_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// The model says what holds, erasure and retention come to together, in the
// plainest words: a list of what was ever tokenized, and what became of it.

// kept is one value under one token.
type kept struct {
	scope, value, token string
	of                  *modelScope
	about               []int // people, see history.refs
	made, expires       time.Time
	erased, restricted  bool
	retired, gone       bool // replaced by a newer token; swept
}

// modelScope is a scope of a name; after its end another one takes over.
type modelScope struct{ ends time.Time }

type modelHold struct {
	id, by, what string // by subject, value or scope
}

// history is one run of the model beside the service.
type history struct {
	*rapid.T
	v      *vaulttest.Vault
	prefix string // of all names, so that histories do not meet
	kept   []*kept
	scopes map[string]*modelScope
	holds  []*modelHold
	// refs are the people whom the service knows, by name; one who was erased
	// is somebody else when the name comes again.
	refs     map[string]int
	people   int
	deferred []*wish
}

// wish is an erasure that a hold defers.
type wish struct {
	ref   int
	until time.Time
}

var histories atomic.Int64

func (h *history) now() time.Time { return h.v.Clock.Now() }

// step moves the clock: no two things happen at once.
func (h *history) step() { h.v.Clock.Advance(time.Millisecond) }

func (h *history) pick(label string, of ...string) string {
	return h.prefix + rapid.SampledFrom(of).Draw(h.T, label)
}

func (h *history) scope() string   { return h.pick("scope", "a", "b") }
func (h *history) subject() string { return h.pick("subject", "jane", "john") }
func (h *history) value() string   { return h.pick("value", "1", "2", "3") + "@example.com" }

func (h *history) expired(k *kept) bool { return !h.now().Before(k.expires) }

// held tells whether a hold keeps a value.
func (h *history) held(k *kept) bool {
	return slices.ContainsFunc(h.holds, func(hold *modelHold) bool {
		switch hold.by {
		case "subject":
			ref, known := h.refs[hold.what]
			return known && slices.Contains(k.about, ref)
		case "value":
			return k.value == hold.what
		default:
			return k.scope == hold.what
		}
	})
}

// live tells whether a value has its token still.
func (h *history) live(k *kept) bool {
	return !k.gone && !k.erased && !k.restricted && !k.retired && !h.expired(k)
}

func (h *history) person(name string) int {
	ref, known := h.refs[name]
	if !known {
		h.people++
		ref = h.people
		h.refs[name] = ref
	}
	return ref
}

func (h *history) tokenize(*rapid.T) {
	h.step()
	scope, value, subject := h.scope(), h.value(), ""
	if rapid.Bool().Draw(h.T, "named") {
		subject = h.subject()
	}
	got, err := h.v.Service.Tokenize(context.Background(), h.v.Gateway(), vault.TokenizeRequest{
		Scope: scope, Subject: subject, Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: value}},
	})
	result := must(h, got, err)
	of := h.scopes[scope]
	if of == nil || !h.now().Before(of.ends) {
		of = &modelScope{ends: h.now().Add(30 * 24 * time.Hour)}
		h.scopes[scope] = of
	}
	var same *kept
	for _, k := range h.kept {
		if k.of != of || k.value != value || k.gone {
			continue
		}
		if h.live(k) {
			same = k
		} else if !k.restricted { // what is restricted is out of the way already
			k.retired = true
		}
	}
	token := result.Values[0]
	switch known := slices.IndexFunc(h.kept, func(k *kept) bool { return k.token == token }); {
	case same != nil && same.token != token:
		h.Fatalf("a value that has %s got %s", same.token, token)
	case same == nil && known >= 0:
		h.Fatalf("%s is given again", token)
	case same == nil:
		same = &kept{scope: scope, of: of, value: value, token: token, made: h.now()}
		h.kept = append(h.kept, same)
	}
	same.expires = *result.Tokens[0].ExpiresAt
	if subject != "" {
		if ref := h.person(subject); !slices.Contains(same.about, ref) {
			same.about = append(same.about, ref)
		}
	}
}

func (h *history) advance(*rapid.T) {
	h.v.Clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(h.T, "hours")) * time.Hour)
}

func (h *history) hold(*rapid.T) {
	h.step()
	hold := &modelHold{by: rapid.SampledFrom([]string{"subject", "value", "scope"}).Draw(h.T, "by")}
	var match vault.HoldWords
	switch hold.by {
	case "subject":
		hold.what = h.subject()
		match.Subjects = []string{hold.what}
	case "value":
		hold.what = h.value()
		match.Identifiers = []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: strings.ToUpper(hold.what)}}
	default:
		hold.what = h.scope()
		match.Scopes = []string{hold.what}
	}
	placed, err := h.v.Service.PlaceHold(context.Background(), counsel(), holdRequest(match))
	hold.id = must(h, placed, err).Hold.ID
	h.holds = append(h.holds, hold)
}

func (h *history) release(*rapid.T) {
	if len(h.holds) == 0 {
		h.Skip("no hold stands")
	}
	h.step()
	i := rapid.IntRange(0, len(h.holds)-1).Draw(h.T, "hold")
	released, err := h.v.Service.ReleaseHold(context.Background(), counsel(), h.holds[i].id, "ORDER-5")
	must(h, released, err)
	h.holds = slices.Delete(h.holds, i, i+1)
}

func (h *history) link(*rapid.T) {
	h.step()
	subject, value := h.subject(), h.value()
	linked, err := h.v.Service.LinkSubject(context.Background(), officer(), vault.LinkRequest{
		Subject: subject, Identifiers: []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: value}},
	})
	result, ref, changed := must(h, linked, err), h.person(subject), 0
	for _, k := range h.kept {
		if k.value == value && !k.gone && !k.erased && !k.retired && !slices.Contains(k.about, ref) {
			k.about = append(k.about, ref)
			changed++
		}
	}
	if result.Changed != changed {
		h.Fatalf("%d were tied, want %d: %s %s", result.Changed, changed, subject, value)
	}
}

// fates tells what an erasure comes to: what goes, what a hold keeps, and what
// is about others too.
func (h *history) fates(w *wish) (goes, held, shared []*kept) {
	for _, k := range h.kept {
		switch {
		case k.gone || k.erased || !slices.Contains(k.about, w.ref) || k.made.After(w.until):
		case h.held(k):
			held = append(held, k)
		case len(k.about) > 1:
			shared = append(shared, k)
		default:
			goes = append(goes, k)
		}
	}
	return goes, held, shared
}

// perish erases what goes with a person, restricts what a hold keeps of it, and
// leaves to others what is about them.
func (h *history) perish(w *wish) (erased, deferred int) {
	goes, held, shared := h.fates(w)
	for _, k := range goes {
		k.erased = true
	}
	for _, k := range held {
		k.restricted = k.restricted || len(k.about) == 1 && !k.retired
	}
	for _, k := range shared {
		k.about = slices.DeleteFunc(k.about, func(ref int) bool { return ref == w.ref })
	}
	if !slices.ContainsFunc(h.kept, func(k *kept) bool { return !k.gone && !k.erased && slices.Contains(k.about, w.ref) }) {
		for name, ref := range h.refs {
			if ref == w.ref {
				delete(h.refs, name)
			}
		}
	}
	return len(goes), len(held)
}

func (h *history) erase(*rapid.T) {
	h.step()
	subject := h.subject()
	got, err := h.v.Service.EraseSubject(context.Background(), officer(), erasure(h.v, subject))
	done := must(h, got, err).Erasure
	ref, known := h.refs[subject]
	if !known {
		if done.State != vault.ErasureCompleted || done.Counts != (vault.ErasureCounts{}) {
			h.Fatalf("nobody was erased: %+v", done)
		}
		return
	}
	w := &wish{ref: ref, until: h.now()}
	erased, deferred := h.perish(w)
	if done.Counts.Erased != erased || (done.State == vault.ErasureDeferred) != (deferred > 0) {
		h.Fatalf("erased %+v (%s), want %d erased and %d deferred", done.Counts, done.State, erased, deferred)
	}
	if deferred > 0 {
		h.deferred = append(h.deferred, w)
	}
}

func (h *history) resume(*rapid.T) {
	h.step()
	if err := h.v.Worker.ResumeErasures(context.Background()); err != nil {
		h.Fatalf("resume: %v", err)
	}
	// The newest goes on first.
	slices.Reverse(h.deferred)
	h.deferred = slices.DeleteFunc(h.deferred, func(w *wish) bool {
		if goes, held, shared := h.fates(w); len(goes)+len(shared) == 0 && len(held) > 0 {
			return false // held as before
		}
		_, deferred := h.perish(w)
		return deferred == 0
	})
	slices.Reverse(h.deferred)
}

func (h *history) close(*rapid.T) {
	h.step()
	scope := h.scope()
	_, err := h.v.Service.CloseScope(context.Background(), h.v.Gateway(), vault.CloseScopeRequest{Scope: scope})
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
		if k.of == of && k.expires.After(of.ends) {
			k.expires = of.ends
		}
	}
}

func (h *history) sweep(*rapid.T) {
	h.step()
	if err := h.v.Worker.Sweep(context.Background()); err != nil {
		h.Fatalf("sweep: %v", err)
	}
	for _, k := range h.kept {
		k.gone = k.gone || k.erased || h.expired(k) && !h.held(k)
	}
}

// check compares what a gateway and counsel are given with what they should be.
func (h *history) check(*rapid.T) {
	tokens, gateway, discovery := make(map[string][]string), make(map[string][]string), make(map[string][]string)
	for _, k := range h.kept {
		forGateway, forCounsel := k.token, k.token
		if h.live(k) {
			forGateway = k.value
		}
		if !k.gone && !k.erased && (h.held(k) || !h.expired(k) && !k.retired) {
			forCounsel = k.value
		}
		tokens[k.scope] = append(tokens[k.scope], k.token)
		gateway[k.scope] = append(gateway[k.scope], forGateway)
		discovery[k.scope] = append(discovery[k.scope], forCounsel)
	}
	for scope, list := range tokens {
		h.compare(scope, list, gateway[scope], h.v.Gateway(), vault.ReasonGiven{Code: "LLM_RESPONSE"})
		h.compare(scope, list, discovery[scope], counsel(), vault.ReasonGiven{Code: "LEGAL_DISCOVERY", Reference: "MATTER-1"})
	}
}

func (h *history) compare(scope string, tokens, want []string, call vault.Call, reason vault.ReasonGiven) {
	result, err := h.v.Service.Detokenize(context.Background(), call, vault.DetokenizeRequest{Scope: scope, Reason: reason, Tokens: tokens})
	got := must(h, result, err)
	for i, token := range tokens {
		if got.Values[i] != want[i] {
			of := slices.IndexFunc(h.kept, func(k *kept) bool { return k.token == token })
			h.Fatalf("for %s %q is given (%s), want %q: %+v", reason.Code, got.Values[i], got.Results[i].Status, want[i], *h.kept[of])
		}
	}
}

// TestInvariant7And8And9_Model: whatever people do in whatever order, nothing
// held is destroyed, nothing erased or expired restored, and everything else is.
func TestInvariant7And8And9_Model(t *testing.T) {
	v := vaulttest.New(t)
	n := 500
	if long() {
		n = 10_000
	}
	check(t, n, func(r *rapid.T) {
		h := &history{T: r, v: v, prefix: fmt.Sprintf("h%d-", histories.Add(1)), refs: make(map[string]int),
			scopes: make(map[string]*modelScope)}
		v.Clock.Advance(time.Hour)
		r.Repeat(map[string]func(*rapid.T){
			"tokenize": h.tokenize, "again": h.tokenize, "advance": h.advance, "hold": h.hold, "release": h.release,
			"link": h.link, "erase": h.erase, "resume": h.resume, "close": h.close, "sweep": h.sweep, "": h.check,
		})
		// What is left is nobody's business in the next history.
		for len(h.holds) > 0 {
			_, err := v.Service.ReleaseHold(context.Background(), counsel(), h.holds[0].id, "ORDER-5")
			if err != nil {
				r.Fatalf("release: %v", err)
			}
			h.holds = h.holds[1:]
		}
		if err := v.Worker.ResumeErasures(context.Background()); err != nil {
			r.Fatalf("resume: %v", err)
		}
	})
}
