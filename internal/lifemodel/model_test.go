//go:build unix

package lifemodel_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// The model says what holds, erasure, restriction and retention come to
// together, in the plainest words: a list of what was ever tokenized, and what
// became of it.

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

// A conversation's values live for a day when they are not used, and what has
// less than half a day left is given a whole one again; the scope ends after
// thirty.
const (
	day       = 24 * time.Hour
	scopeLife = 30 * day
)

type modelHold struct {
	id, by, what string    // by subject, value, scope or entity
	backups      bool      // keeps versions of the wrapping key, too
	until        time.Time // of what was made later nothing is held; zero: of all
}

// asked is a restriction that stands.
type asked struct {
	id  string
	ref int
}

// wish is an erasure that a hold defers.
type wish struct {
	ref      int
	until    time.Time // what is younger is none of it
	suppress time.Time // until when what it erases is kept out
	receipt  *receipt
}

// history is one run of the model beside the service.
type history struct {
	*rapid.T
	v      *vaulttest.Vault
	vkeys  []string // of the log
	prefix string   // of all names, so that histories do not meet
	kept   []*kept
	scopes map[string]*modelScope
	holds  []*modelHold
	// refs are the people whom the service knows, by name; one who was erased
	// is somebody else when the name comes again.
	refs     map[string]int
	people   int
	deferred []*wish
	requests []*asked
	keptOut  map[string]time.Time // values that were erased, until when
	receipts []*receipt
	keys     *epoch
}

var histories atomic.Int64

func newHistory(t *rapid.T, v *vaulttest.Vault, vkeys []string, keys *epoch) *history {
	return &history{
		T: t, v: v, vkeys: vkeys, keys: keys, prefix: fmt.Sprintf("h%d-", histories.Add(1)),
		refs: make(map[string]int), scopes: make(map[string]*modelScope), keptOut: make(map[string]time.Time),
	}
}

// actions are what people do, and the comparison after each.
func (h *history) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"tokenize": h.tokenize, "again": h.tokenize, "once more": h.tokenize,
		"hours": h.hours, "days": h.days, "close": h.close, "sweep": h.sweep,
		"hold": h.hold, "release": h.release, "link": h.link,
		"erase": h.erase, "erase a value": h.eraseValue, "resume": h.resume,
		"restrict": h.restrict, "lift": h.lift, "rotate": h.rotate, "trim": h.trim,
		"": h.check,
	}
}

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
		if !hold.until.IsZero() && k.made.After(hold.until) {
			return false
		}
		switch hold.by {
		case "subject":
			ref, known := h.refs[hold.what]
			return known && slices.Contains(k.about, ref)
		case "value":
			return k.value == hold.what
		case "scope":
			return k.scope == hold.what
		default:
			return true
		}
	})
}

// stands tells whether there is anything of a value but a row to be swept.
func (k *kept) stands() bool { return !k.gone && !k.erased }

// current tells whether a value's token is the one of its value, in time or not.
func (k *kept) current() bool { return k.stands() && !k.restricted && !k.retired }

// live tells whether a value is restored to the gateway.
func (h *history) live(k *kept) bool { return k.current() && !h.expired(k) }

// person is who goes by a name, made known where nobody does.
func (h *history) person(name string) int {
	ref, known := h.refs[name]
	if !known {
		h.people++
		ref = h.people
		h.refs[name] = ref
	}
	return ref
}

// check compares what a gateway and counsel are given with what they should be.
// Counsel's reason reaches what is restricted and what a hold keeps.
func (h *history) check(*rapid.T) {
	if len(h.kept) == 0 {
		return
	}
	tokens, forGateway, forCounsel := make([]string, len(h.kept)), make([]string, len(h.kept)), make([]string, len(h.kept))
	for i, k := range h.kept {
		tokens[i], forGateway[i], forCounsel[i] = k.token, k.token, k.token
		if h.live(k) {
			forGateway[i] = k.value
		}
		if k.stands() && (h.held(k) || !h.expired(k) && !k.retired) {
			forCounsel[i] = k.value
		}
	}
	h.compare(tokens, forGateway, h.v.Gateway(), vault.ReasonGiven{Code: "LLM_RESPONSE"})
	h.compare(tokens, forCounsel, counsel(), vault.ReasonGiven{Code: "LEGAL_DISCOVERY", Reference: "MATTER-1"})
}

func (h *history) compare(tokens, want []string, call vault.Call, reason vault.ReasonGiven) {
	got := must(h.v.Service.Detokenize(ctx, call, vault.DetokenizeRequest{
		Scope: h.prefix + "a", ReadScopes: []string{h.prefix + "b"}, Reason: reason, Tokens: tokens,
	}))(h)
	for i := range tokens {
		if got.Values[i] != want[i] {
			h.Fatalf("for %s %q is given (%s), want %q: %+v", reason.Code, got.Values[i], got.Results[i].Status, want[i], *h.kept[i])
		}
	}
}
