package storagetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// liveClauses are about what a flush depends on.
var liveClauses = []clause{
	{"grants/a flush is told what its tokens are, in each of its scopes", liveTokens},
	{"Invariant9/a flush is told of its tokens what every read is told", liveStates},
	{"Invariant8/a flush is told of a key as long as it stands", liveKeys},
	{"grants/a flush is told of its grant and its tenant as they stand", liveGrant},
	{"grants/what is no grant is not found", liveNotFound},
	{"Invariant15/a flush is told every suspension that stands", liveSuspensions},
	{"Invariant8/a flush is told what was committed before it asked", liveAtOnce},
	{"Invariant9/what is alive of a scope is all that can be restored, or more than is asked for", aliveTokens},
	{"Invariant6/a grant of one tenant is none of another's", liveForeign},
}

// Granting is a restoration that gives out a grant: its id is that of the change.
func Granting(t testing.TB, tenant string, effect vault.Restore, grant vault.Proceeding) vault.Change {
	t.Helper()
	return changeWith(t, tenant, effect, audit.Entry{Kind: audit.KindGrant, Actor: "svc-1", Decision: audit.Allow}).Opening(grant)
}

// Grant is one that stands until a time.
func Grant(until time.Time) vault.Proceeding {
	return vault.Proceeding{
		Kind: vault.ProceedingGrant, State: vault.ProceedingStanding, Actor: "svc-1", DueAt: until, ExpiresAt: until, Body: []byte(`{}`),
	}
}

// Rider is a grant that rides along with a tokenize and names what stands after it.
func Rider(grant vault.Proceeding, spends ...vault.Spend) vault.GrantRider {
	return vault.GrantRider{
		Spends: spends, Opens: grant,
		Entry: audit.Entry{Kind: audit.KindGrant, Actor: "svc-1", Decision: audit.Allow},
		Names: func(o vault.Outcome) (ids []string) {
			for _, s := range o.Standing {
				ids = append(ids, s.TokenID)
			}
			return ids
		},
		Body: bodyOf,
	}
}

// bodyOf are the details of a grant that names tokens.
func bodyOf(tokens []string) []byte {
	body, err := json.Marshal(tokens)
	if err != nil {
		panic("storagetest: " + err.Error()) // strings always encode
	}
	return body
}

// grant gives out a grant on values of a place and returns it as it stands.
func (w *world) grant(p Place, values ...vault.NewMapping) vault.Proceeding {
	w.Helper()
	change := Granting(w, p.Tenant, p.Restore(values...), Grant(w.now().Add(15*time.Minute)))
	_, err := w.Store.Commit(w.ctx, p.Tenant, change)
	w.no(err)
	return w.proceeding(p.Tenant, change.ID())
}

// refs are where values are.
func (p Place) refs(values ...vault.NewMapping) []vault.MappingRef {
	return p.Sweep(values...).Mappings
}

func (w *world) live(tenant string, q vault.LiveQuery) vault.Live {
	w.Helper()
	live, err := w.Grants.Live(w.ctx, tenant, q)
	w.no(err)
	return live
}

// everything is a query for values of places.
func everything(grant string, places []Place, values ...vault.NewMapping) vault.LiveQuery {
	q := vault.LiveQuery{GrantID: grant}
	for _, p := range places {
		q.ScopeIDs = append(q.ScopeIDs, p.Scope.ID)
	}
	for _, m := range values {
		q.TokenIDs = append(q.TokenIDs, m.Mapping.TokenID)
	}
	return q
}

// likeReads compares what a flush is told of its tokens with what the reads say.
func (w *world) likeReads(what, tenant string, q vault.LiveQuery) vault.Live {
	w.Helper()
	live := w.live(tenant, q)
	var mappings []vault.Mapping
	var ids []string
	for _, scope := range slices.Compact(slices.Sorted(slices.Values(q.ScopeIDs))) {
		found, err := w.Store.Mappings(w.ctx, tenant, vault.MappingQuery{ScopeID: scope, TokenIDs: q.TokenIDs})
		w.no(err)
		mappings = append(mappings, found...)
	}
	for _, m := range mappings {
		ids = append(ids, m.KeyID)
	}
	slices.Sort(ids)
	keys, err := w.Store.Keys(w.ctx, tenant, vault.KeyQuery{IDs: slices.Compact(ids)})
	w.no(err)
	order := func(a, b vault.Mapping) int {
		return cmp.Or(strings.Compare(a.ScopeID, b.ScopeID), strings.Compare(a.TokenID, b.TokenID))
	}
	slices.SortFunc(mappings, order)
	slices.SortFunc(live.Mappings, order)
	byID := func(a, b vault.DataKey) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(keys, byID)
	slices.SortFunc(live.Keys, byID)
	if diff := gocmp.Diff(mappings, live.Mappings); diff != "" {
		w.Errorf("%s: mappings: %s", what, diff)
	}
	if diff := gocmp.Diff(keys, live.Keys); diff != "" {
		w.Errorf("%s: keys: %s", what, diff)
	}
	return live
}

func liveTokens(w *world) {
	p := w.place("acme")
	q, r := w.scope("acme", "a corpus"), w.scope("acme", "another")
	a, b, c, elsewhere := p.Value("a"), p.Value("b"), q.Value("c"), r.Value("elsewhere")
	// The same id in two scopes is two tokens.
	twice := q.Value("a")
	twice.Mapping.TokenID = a.Mapping.TokenID
	ann := person("ann")
	b.SubjectRefs = []string{ann.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}}, a, b))
	w.keep(q, c, twice)
	w.keep(r, elsewhere)
	grant := w.grant(p, a, b)
	none := p.Value("none")
	for name, tt := range map[string]struct {
		query vault.LiveQuery
		rows  int
	}{
		"all of it":           {everything(grant.ID, []Place{p, q}, a, b, c, none, elsewhere), 4},
		"of one scope":        {everything(grant.ID, []Place{p}, a, b, c, none, elsewhere), 2},
		"named twice":         {everything(grant.ID, []Place{p, p, q}, a, a, b), 3},
		"no token":            {everything(grant.ID, []Place{p, q}), 0},
		"no scope":            {everything(grant.ID, nil, a, b), 0},
		"none that is there":  {everything(grant.ID, []Place{p, q}, none), 0},
		"of all that may be":  {everything(grant.ID, slices.Repeat([]Place{q, r, p}, 3), a, b, c, elsewhere), 5},
		"of a scope of no id": {vault.LiveQuery{GrantID: grant.ID, ScopeIDs: []string{"", "\x00", "\xff"}, TokenIDs: []string{"", "\x00", a.Mapping.TokenID}}, 0},
		"of another spelling": {vault.LiveQuery{GrantID: grant.ID, ScopeIDs: []string{p.Scope.ID + " "}, TokenIDs: []string{a.Mapping.TokenID}}, 0},
	} {
		if live := w.likeReads(name, "acme", tt.query); len(live.Mappings) != tt.rows {
			w.Errorf("%s: %d mappings, want %d", name, len(live.Mappings), tt.rows)
		}
	}
}

func liveStates(w *world) {
	p := w.place("acme")
	short, long, held, gone := p.Value("short"), p.Value("long"), p.Value("held"), p.Value("replaced")
	long.TTL = maxAge
	other := p
	other.Key = p.FreshKey()
	gone.Mapping.KeyID = other.Key.ID
	effect := p.Tokenize(short, long, held, gone)
	effect.Keys = []vault.DataKey{other.Key}
	w.commit("acme", effect)
	w.hold("acme", onValue(held))
	grant := w.grant(p, short)
	all := everything(grant.ID, []Place{p}, short, long, held, gone)
	told := func(what string, expired, kept, keys int) {
		w.Helper()
		live, was, is := w.likeReads(what, "acme", all), 0, 0
		for _, m := range live.Mappings {
			if m.Expired {
				was++
			}
			if m.Held {
				is++
			}
		}
		if was != expired || is != kept || len(live.Keys) != keys {
			w.Errorf("%s: %d are expired, %d held, %d keys; want %d, %d and %d", what, was, is, len(live.Keys), expired, kept, keys)
		}
	}
	told("at first", 0, 0, 2)
	w.clock.Advance(ttl - time.Microsecond)
	told("before their end", 0, 0, 2)
	w.clock.Advance(time.Microsecond)
	told("at their end", 3, 1, 2)
	w.commit("acme", vault.Record{})
	w.clock.Advance(-time.Hour)
	told("by a clock that goes back", 3, 1, 2)
	w.clock.Advance(time.Hour)
	again, kept := p.Value("replaced"), p.Value("held")
	w.keep(p, again, kept)
	// What was replaced is not there, and neither is its key, unless it is held.
	told("replaced", 2, 1, 1)
}

func liveKeys(w *world) {
	e := w.estate("acme")
	grant := w.grant(e.p, e.hers)
	all := everything(grant.ID, []Place{e.p, e.q}, e.hers, e.both, e.far, e.his)
	hers := func(live vault.Live) (alive, key bool) {
		alive = slices.ContainsFunc(live.Mappings, func(m vault.Mapping) bool { return m.TokenID == e.hers.Mapping.TokenID && m.KeyAlive })
		return alive, slices.ContainsFunc(live.Keys, func(k vault.DataKey) bool { return k.ID == e.own.ID })
	}
	live := w.likeReads("at first", "acme", all)
	if alive, key := hers(live); !alive || !key || len(live.Mappings) != 4 || len(live.Keys) != 4 {
		w.Errorf("at first: %d mappings, %d keys, hers %v and %v", len(live.Mappings), len(live.Keys), alive, key)
	}
	w.erase("acme", erasureOf(e.ann))
	live = w.likeReads("after an erasure", "acme", all)
	if alive, key := hers(live); alive || key || len(live.Mappings) != 4 || len(live.Keys) != 3 {
		w.Errorf("after an erasure: %d mappings, %d keys, hers %v and %v", len(live.Mappings), len(live.Keys), alive, key)
	}
	w.commit("acme", vault.DestroyKeys{Keys: []string{e.bobs.ID}})
	if live = w.likeReads("after a destruction", "acme", all); len(live.Mappings) != 3 || len(live.Keys) != 2 {
		w.Errorf("after a destruction: %d mappings, %d keys", len(live.Mappings), len(live.Keys))
	}
}

func liveGrant(w *world) {
	p := w.place("acme")
	a, b := p.Value("a"), p.Value("b")
	a.TTL, b.TTL = maxAge, maxAge
	w.keep(p, a, b)
	grant := w.grant(p, a)
	as := func(what string, drawn int, state vault.TenantState) {
		w.Helper()
		live := w.live("acme", everything(grant.ID, []Place{p}, a))
		w.sameProceeding(what, w.proceeding("acme", grant.ID), live.Grant)
		if live.Drawn != drawn || live.State != state || !live.At.Equal(w.now()) || live.At.Location() != time.UTC {
			w.Errorf("%s: %d drawn, the tenant is %s, at %v", what, live.Drawn, live.State, live.At)
		}
	}
	as("at first", 0, vault.TenantActive)
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, p.refs(a)))
	as("with a use that it names", 0, vault.TenantActive)
	w.commit("acme", p.drawing(grant.ID, 5, b))
	w.clock.Advance(time.Second)
	as("with one that it does not", 1, vault.TenantActive)
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	as("of a tenant that is not served", 1, vault.TenantSuspended)
	w.commit("acme", vault.SetTenant{State: vault.TenantActive})
	grant.ExpiresAt, grant.DueAt = w.now().Add(time.Hour), w.now().Add(2*time.Hour)
	grant = w.alter("acme", grant)
	as("renewed", 1, vault.TenantActive)
	w.clock.Advance(3 * time.Hour)
	as("past its end", 1, vault.TenantActive)
	w.end("acme", grant, vault.ProceedingDone)
	as("closed", 1, vault.TenantActive)
	// Time does not go back behind the log.
	was := w.now()
	w.clock.Advance(-time.Hour)
	if live := w.live("acme", vault.LiveQuery{GrantID: grant.ID}); !live.At.Equal(was) {
		w.Errorf("at %v, and the last entry is of %v", live.At, was)
	}
}

func liveNotFound(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	grant := w.grant(p, m)
	for _, id := range []string{
		"", "none", grant.ID + " ", strings.ToUpper(grant.ID) + "X", "\x00", "\xff", p.Scope.ID,
		w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding)).ID,
		w.begin("acme", proceeding(vault.ProceedingSuspension, vault.ProceedingPending)).ID,
	} {
		for _, tenant := range []string{"acme", "nobody", "", "\x00"} {
			if tenant != "acme" {
				id = grant.ID
			}
			live, err := w.Grants.Live(w.ctx, tenant, everything(id, []Place{p}, m))
			if !errors.Is(err, vault.ErrNotFound) || len(live.Mappings)+len(live.Keys) > 0 {
				w.Errorf("of %q of %q: got %+v, %v", id, tenant, live, err)
			}
		}
	}
}

func liveSuspensions(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	m.TTL = maxAge
	w.keep(p, m)
	grant := w.grant(p, m)
	told := func(what string, want ...vault.Proceeding) {
		w.Helper()
		got := w.live("acme", everything(grant.ID, []Place{p}, m)).Suspensions
		slices.SortFunc(got, func(a, b vault.Proceeding) int { return strings.Compare(a.ID, b.ID) })
		slices.SortFunc(want, func(a, b vault.Proceeding) int { return strings.Compare(a.ID, b.ID) })
		if diff := gocmp.Diff(want, got); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
	}
	told("at first")
	one := w.begin("acme", suspension(w, vault.SuspensionMatch{Callers: []string{"mia"}}))
	told("one", one)
	ends := suspension(w, vault.SuspensionMatch{})
	ends.ExpiresAt = w.now().Add(time.Minute)
	ends = w.begin("acme", ends)
	for _, p := range []vault.Proceeding{
		proceeding(vault.ProceedingSuspension, vault.ProceedingPending), proceeding(vault.ProceedingReview, vault.ProceedingStanding),
		proceeding(vault.ProceedingConsent, vault.ProceedingStanding),
	} {
		w.begin("acme", p)
	}
	w.clock.Advance(time.Minute - time.Microsecond)
	told("two", one, ends)
	w.clock.Advance(time.Microsecond)
	told("one that ended", one)
	w.commit("acme", vault.Record{})
	w.clock.Advance(-time.Minute)
	told("by a clock that goes back", one)
	w.end("acme", one, vault.ProceedingDone)
	told("lifted")
	// However many stand, none is left out.
	var many []vault.Proceeding
	for range vault.MaxSuspensions + 1 {
		many = append(many, w.begin("acme", suspension(w, vault.SuspensionMatch{Callers: []string{"max"}})))
	}
	told("many", many...)
}

func liveAtOnce(w *world) {
	p := w.place("acme")
	for range 20 {
		m := p.Value(vault.NewID())
		p.Key = p.FreshKey()
		m.Mapping.KeyID = p.Key.ID
		effect := p.Tokenize(m)
		effect.Keys = []vault.DataKey{p.Key}
		w.commit("acme", effect)
		grant := w.grant(p, m)
		q := everything(grant.ID, []Place{p}, m)
		stop := w.begin("acme", suspension(w, vault.SuspensionMatch{}))
		if live := w.live("acme", q); len(live.Suspensions) != 1 || !live.Mappings[0].KeyAlive || live.Grant.State.Closes() {
			w.Fatalf("after a suspension: %+v", live)
		}
		w.end("acme", stop, vault.ProceedingDone)
		w.commit("acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
		w.end("acme", grant, vault.ProceedingDone)
		if live := w.live("acme", q); len(live.Suspensions)+len(live.Keys)+len(live.Mappings) != 0 || !live.Grant.State.Closes() {
			w.Fatalf("after a destruction and a close: %+v", live)
		}
	}
}

func liveForeign(w *world) {
	mine, theirs, value := w.twins()
	grant := w.grant(mine, value)
	q := everything(grant.ID, []Place{mine, theirs}, value)
	if live := w.live("acme", q); len(live.Mappings) != 1 || len(live.Keys) != 1 {
		w.Errorf("of mine: %+v", live)
	}
	_, err := w.Grants.Live(w.ctx, "Acme", q)
	w.is(err, vault.ErrNotFound)
	w.begin("Acme", suspension(w, vault.SuspensionMatch{}))
	if live := w.live("acme", q); len(live.Suspensions) != 0 {
		w.Errorf("of another tenant's suspension: %+v", live.Suspensions)
	}
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, mine.refs(value)))
	w.no(w.Grants.NoteUses(w.ctx, "Acme", grant.ID, theirs.refs(value, theirs.Value("another"))))
	w.wantUses("mine", "acme", grant.ID, mine.refs(value)...)
	w.wantUses("theirs", "Acme", grant.ID)
	w.refuse(vault.ErrConflict, "Acme", theirs.drawing(grant.ID, 5, value))
	w.end("acme", grant, vault.ProceedingDone)
	n, err := w.Grants.ForgetUses(w.ctx, "Acme", 10)
	if err != nil || n != 0 {
		w.Errorf("another tenant forgot %d of mine, %v", n, err)
	}
	for _, p := range []Place{mine, theirs} {
		if alive := w.alive(p.Tenant, 9, p); len(alive) != 1 || string(alive[0].Sealed) != "of "+p.Tenant {
			w.Errorf("of %s: alive are %+v", p.Tenant, alive)
		}
	}
	w.wantUses("mine, after that", "acme", grant.ID, mine.refs(value)...)
	w.clock.Advance(vault.GrantKept)
	_, err = w.Grants.ForgetUses(w.ctx, "acme", 10)
	w.no(err)
	n, err = w.Proceedings.ForgetGrants(w.ctx, "Acme", 10)
	if err != nil || n != 0 {
		w.Errorf("another tenant forgot %d grants of mine, %v", n, err)
	}
	w.proceeding("acme", grant.ID)
	w.forgetsGrants(10, 1)
}

func (w *world) alive(tenant string, limit int, places ...Place) []vault.Mapping {
	w.Helper()
	var scopes []string
	for _, p := range places {
		scopes = append(scopes, p.Scope.ID)
	}
	found, err := w.Grants.Alive(w.ctx, tenant, scopes, limit)
	w.no(err)
	return found
}

func aliveTokens(w *world) {
	e := w.estate("acme")
	short, held, old := e.p.Value("short"), e.p.Value("held"), e.p.Value("old")
	short.TTL, held.TTL, old.TTL = time.Minute, time.Minute, time.Minute
	w.keep(e.p, short, held, old)
	w.hold("acme", onValue(held))
	other := w.scope("acme", "other")
	w.values(other, 3)
	// are compares with what reads say of all that there is in two scopes.
	are := func(what string, want ...vault.NewMapping) {
		w.Helper()
		got := w.alive("acme", 20, e.p, e.q, e.p)
		var ids []string
		byScope := make(map[string][]string)
		for _, m := range got {
			ids = append(ids, m.TokenID)
			byScope[m.ScopeID] = append(byScope[m.ScopeID], m.TokenID)
		}
		var wanted []string
		for _, m := range want {
			wanted = append(wanted, m.Mapping.TokenID)
		}
		slices.Sort(ids)
		slices.Sort(wanted)
		if diff := gocmp.Diff(wanted, ids); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
		var read []vault.Mapping
		for scope, ids := range byScope {
			found, err := w.Store.Mappings(w.ctx, "acme", vault.MappingQuery{ScopeID: scope, TokenIDs: ids})
			w.no(err)
			read = append(read, found...)
		}
		byToken := func(a, b vault.Mapping) int { return strings.Compare(a.TokenID, b.TokenID) }
		slices.SortFunc(got, byToken)
		slices.SortFunc(read, byToken)
		if diff := gocmp.Diff(read, got); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
	}
	are("at first", e.hers, e.there, e.tied, e.both, e.near, e.far, e.his, short, held, old)
	w.clock.Advance(time.Minute - time.Microsecond)
	are("before an end", e.hers, e.there, e.tied, e.both, e.near, e.far, e.his, short, held, old)
	w.clock.Advance(time.Microsecond)
	again := e.p.Value("old")
	w.keep(e.p, again)
	w.clock.Advance(-time.Minute) // it does not go back behind the log
	are("at an end", e.hers, e.there, e.tied, e.both, e.near, e.far, e.his, again)
	w.hold("acme", onValue(e.tied)) // it is restricted then, and not live
	w.erase("acme", erasureOf(e.ann))
	are("after an erasure", e.both, e.near, e.far, e.his, again)
	w.hold("acme", onValue(e.near))
	w.commit("acme", vault.DestroyKeys{Keys: []string{e.bobs.ID}})
	are("after a destruction", e.both, e.near, e.far, again)
	// Where there are more than are asked for, one more of them is returned.
	for limit, want := range map[int]int{0: 1, 1: 2, 2: 3, 3: 4, 4: 4, 5: 4, math.MaxInt: 4, -1: 1} {
		if got := w.alive("acme", limit, e.p, e.q); len(got) != want {
			w.Errorf("of at most %d there are %d, want %d", limit, len(got), want)
		}
	}
	if got := w.alive("acme", 10); len(got) != 0 {
		w.Errorf("of no scope there are %d", len(got))
	}
	if got, err := w.Grants.Alive(w.ctx, "acme", []string{"", "none", "\x00", "\xff", e.p.Scope.ID + " "}, 5); err != nil || len(got) != 0 {
		w.Errorf("of scopes that are none there are %d, %v", len(got), err)
	}
	w.commit("acme", e.p.close())
	w.commit("acme", e.q.close())
	are("after both were closed")
	if got := w.alive("acme", 5, e.p, e.q, other); len(got) != 3 {
		w.Errorf("of another scope there are %d, want 3", len(got))
	}
}
