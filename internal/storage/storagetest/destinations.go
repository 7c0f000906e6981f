package storagetest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var destinationClauses = slices.Concat([]clause{
	{"destinations/each token that stands or is touched was sent", sentTokens},
	{"destinations/what is sent to several at once was sent to each", sentToSeveral},
	{"destinations/the last time is behind by the resolution at most", sentResolution},
	{"destinations/are compared byte for byte, and listed by name", sentNames},
	{"destinations/of a person are told by scope and entity, and when the last value ends", sentSightings},
	{"destinations/go with the value", sentSwept},
	{"destinations/of what was erased stay with the erasure", sentErased},
	{"Invariant6/where a tenant sent its values no other is told", sentForeign},
}, heldSentClauses)

// to is a tokenize of what is sent somewhere.
func (p Place) to(destination string, values ...vault.NewMapping) vault.Tokenize {
	effect := p.Tokenize(values...)
	effect.Destinations = []string{destination}
	return effect
}

// sent reads where a value was sent.
func (w *world) sent(tenant string, values ...vault.NewMapping) []vault.DestinationUse {
	w.Helper()
	seen := w.seen(tenant, vault.PersonQuery{Lookups: lookupsOf(values...)})
	if len(seen) != 1 {
		w.Fatalf("of a value there are %d sightings", len(seen))
	}
	return seen[0].Destinations
}

func use(destination string, mappings int, first, last time.Time) vault.DestinationUse {
	return vault.DestinationUse{Destination: destination, Mappings: mappings, First: first, Last: last}
}

func (w *world) wantSent(what string, got []vault.DestinationUse, want ...vault.DestinationUse) {
	w.Helper()
	if len(got)+len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

func sentTokens(w *world) {
	p := w.place("acme")
	made, found, touched, other := p.Value("made"), p.Value("found"), p.Value("touched"), p.Value("other")
	for _, m := range []*vault.NewMapping{&made, &found, &touched, &other} {
		m.TTL = maxAge
	}
	w.keep(p, found, touched, other)
	for _, m := range []vault.NewMapping{found, touched, other} {
		w.wantSent("sent nowhere", w.sent("acme", m))
	}
	w.clock.Advance(time.Second)
	again := p.Value("found")
	effect := p.to("vendor", made, again)
	effect.Touch = []vault.TouchRef{{TokenID: touched.Mapping.TokenID, Entity: "PERSON", TTL: ttl}}
	w.commit("acme", effect)
	first := w.now()
	for _, m := range []vault.NewMapping{made, found, touched} {
		w.wantSent("sent once", w.sent("acme", m), use("vendor", 1, first, first))
	}
	w.wantSent("not sent", w.sent("acme", other))
	// What is refused was not sent.
	w.clock.Advance(2 * vault.SentResolution)
	effect = p.to("vendor", p.Value("other"))
	effect.Touch = []vault.TouchRef{{TokenID: "NOSUCHID", Entity: "PERSON", TTL: ttl}}
	w.refuse(vault.ErrConflict, "acme", effect)
	w.wantSent("not sent", w.sent("acme", other))
	// To another destination, and to none.
	w.commit("acme", p.to("another", p.Value("made")))
	w.keep(p, p.Value("made"))
	w.wantSent("sent to two", w.sent("acme", made), use("another", 1, w.now(), w.now()), use("vendor", 1, first, first))
	for _, bad := range []string{strings.Repeat("x", 65), "x\x00", "\xff"} {
		before := w.size("acme")
		if _, err := w.try("acme", p.to(bad, p.Value("made"))); err == nil || w.size("acme") != before {
			w.Errorf("sent to %q: %v", bad, err)
		}
	}
}

func sentToSeveral(w *world) {
	p := w.place("acme")
	touched := p.Value("touched")
	w.keep(p, touched)
	began := w.now()
	made := p.Value("made")
	effect := p.to("vendor", made, p.Value("found"))
	effect.Destinations = append(effect.Destinations, "another", "Vendor")
	effect.Touch = []vault.TouchRef{{TokenID: touched.Mapping.TokenID, Entity: "PERSON", TTL: ttl}}
	w.commit("acme", effect)
	want := []vault.DestinationUse{use("Vendor", 1, began, began), use("another", 1, began, began), use("vendor", 1, began, began)}
	for _, m := range []vault.NewMapping{made, touched} {
		w.wantSent("sent to three", w.sent("acme", m), want...)
	}
	// Again, to some of them and to a new one.
	w.clock.Advance(30 * time.Minute)
	effect.Destinations, effect.Mappings = []string{"new", "vendor"}, []vault.NewMapping{p.Value("made")}
	w.commit("acme", effect)
	later := append(want[:1:1], want[1], use("new", 1, w.now(), w.now()), w.sent("acme", made)[3])
	if last := later[3]; last.Destination != "vendor" || !last.First.Equal(began) || w.now().Sub(last.Last) > vault.SentResolution {
		w.Errorf("sent again: %+v", last)
	}
	w.wantSent("to some again", w.sent("acme", made), later...)
	w.wantSent("to some again", w.sent("acme", touched), later...)
	// All of it, or nothing.
	before := w.size("acme")
	effect.Destinations, effect.Mappings = []string{"last", "x\x00"}, []vault.NewMapping{p.Value("never")}
	if _, err := w.try("acme", effect); err == nil || w.size("acme") != before {
		w.Errorf("sent also to what is none: %v", err)
	}
	w.wantSent("after what was refused", w.sent("acme", touched), later...)
}

func sentResolution(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	m.TTL = maxAge
	w.commit("acme", p.to("vendor", m))
	began := w.now()
	for _, pause := range []time.Duration{
		time.Microsecond, time.Minute, 30 * time.Minute, vault.SentResolution - time.Microsecond, vault.SentResolution,
		vault.SentResolution + time.Microsecond, 20 * time.Minute, 39 * time.Minute, time.Minute, time.Microsecond, 2 * time.Hour,
	} {
		w.clock.Advance(pause)
		w.commit("acme", p.to("vendor", p.Value("v")))
		got := w.sent("acme", m)
		if len(got) != 1 || !got[0].First.Equal(began) || got[0].Last.After(w.now()) || w.now().Sub(got[0].Last) > vault.SentResolution {
			w.Errorf("sent first at %v and now at %v: %+v", began, w.now(), got)
		}
	}
}

func sentNames(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	names := slices.Clone(alike)
	for _, name := range names {
		w.commit("acme", p.to(name, p.Value("v")))
	}
	slices.Sort(names)
	var want []vault.DestinationUse
	for _, name := range names {
		want = append(want, use(name, 1, w.now(), w.now()))
	}
	w.wantSent("to names that are alike", w.sent("acme", m), want...)
}

func sentSightings(w *world) {
	e := w.estate("acme") // nothing of it was sent
	q := vault.PersonQuery{Subjects: []vault.Digest{e.ann.Digest}}
	began := w.now()
	at := func(hour int) time.Time { return began.Add(time.Duration(hour) * time.Hour) }
	long, short := e.p.Value("long"), e.p.Value("short")
	long.TTL, short.TTL = maxAge, 30*time.Minute
	long.SubjectRefs, short.SubjectRefs = []string{e.ann.Ref}, []string{e.ann.Ref}
	effect := about(e.p, []vault.SubjectUse{{Subject: e.ann}}, long, short)
	effect.Destinations = []string{"vendor"}
	w.commit("acme", effect)
	mail := e.p.Value("mail")
	mail.Mapping.Entity, mail.SubjectRefs = "EMAIL_ADDRESS", []string{e.ann.Ref}
	effect = about(e.p, []vault.SubjectUse{{Subject: e.ann}}, mail)
	effect.Destinations = []string{"mail"}
	w.commit("acme", effect)
	ends := map[string]time.Time{e.p.Scope.ID + "PERSON": at(10), e.q.Scope.ID + "PERSON": at(1), e.p.Scope.ID + "EMAIL_ADDRESS": at(1)}
	want := map[string][]vault.DestinationUse{
		e.p.Scope.ID + "PERSON": {use("vendor", 2, began, began)}, e.p.Scope.ID + "EMAIL_ADDRESS": {use("mail", 1, began, began)},
	}
	check := func(what string) {
		w.Helper()
		seen := w.seen("acme", q)
		if len(seen) != 3 {
			w.Fatalf("%s: %d sightings", what, len(seen))
		}
		for _, s := range seen {
			w.wantSent(what, s.Destinations, want[s.ScopeID+s.Entity]...)
			if end := ends[s.ScopeID+s.Entity]; !s.Ends.Equal(end) {
				w.Errorf("%s: what is in %s of %s ends at %v, want %v", what, s.ScopeID, s.Entity, s.Ends, end)
			}
		}
	}
	check("at first")
	w.clock.Advance(30 * time.Minute) // short is past its time, and is told
	w.commit("acme", e.q.to("vendor", e.q.Value("there")))
	want[e.q.Scope.ID+"PERSON"] = []vault.DestinationUse{use("vendor", 1, w.now(), w.now())}
	ends[e.q.Scope.ID+"PERSON"] = at(1) // half of its time is left
	check("after half an hour")
	w.clock.Advance(2 * time.Hour)
	effect = e.p.to("vendor")
	effect.Touch = []vault.TouchRef{{TokenID: long.Mapping.TokenID, Entity: "PERSON", TTL: ttl}}
	w.commit("acme", effect)
	effect.Destinations = []string{"another"}
	w.commit("acme", effect)
	want[e.p.Scope.ID+"PERSON"] = []vault.DestinationUse{use("another", 1, w.now(), w.now()), use("vendor", 2, began, w.now())}
	check("after two hours more")
	// What was replaced is told no more, with where it was sent.
	fresh := e.p.Value("short")
	w.keep(e.p, fresh)
	want[e.p.Scope.ID+"PERSON"] = []vault.DestinationUse{use("another", 1, w.now(), w.now()), use("vendor", 1, began, w.now())}
	check("after one was replaced")
}

func sentSwept(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.commit("acme", p.to("vendor", m))
	w.clock.Advance(ttl)
	w.commit("acme", p.Sweep(m))
	w.commit("acme", p.to("another", m)) // under the id of before
	w.wantSent("made again", w.sent("acme", m), use("another", 1, w.now(), w.now()))
	w.commit("acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	if got := w.seen("acme", vault.PersonQuery{Lookups: lookupsOf(m)}); len(got) != 0 {
		w.Errorf("of what was destroyed: %+v", got)
	}
}

func sentErased(w *world) {
	e := w.estate("acme")
	began := w.now()
	send := func(p Place, destination string, values ...string) {
		w.Helper()
		var all []vault.NewMapping
		for _, v := range values {
			all = append(all, p.Value(v))
		}
		w.commit("acme", p.to(destination, all...))
	}
	send(e.p, "vendor", "hers", "both", "near")
	send(e.p, "mail", "tied")
	send(e.p, "post", "hers")
	w.clock.Advance(2 * time.Minute)
	then := w.now()
	send(e.p, "vendor", "tied")
	send(e.p, "mail", "hers")
	send(e.p, "post", "tied")
	send(e.p, "another", "both", "near") // none of which is erased
	w.clock.Advance(2 * time.Minute)
	later := w.now()
	send(e.q, "vendor", "there", "his")
	hold := w.hold("acme", onValue(e.tied))
	w.clock.Advance(time.Second)
	waits, _ := w.erase("acme", erasureOf(e.ann))
	w.wantSent("what went at first", waits.Destinations, use("mail", 1, then, then), use("post", 1, began, began), use("vendor", 2, began, later))
	w.sweepUntilDone("acme", 10)
	w.release("acme", hold)
	done, _ := w.erase("acme", waits)
	if done.State != vault.ErasureCompleted || done.Counts.Erased != 3 {
		w.Errorf("after the release: %+v", done)
	}
	want := []vault.DestinationUse{use("mail", 2, began, then), use("post", 2, began, then), use("vendor", 3, began, later)}
	w.wantSent("all of it", done.Destinations, want...)
	list, err := w.Erasures.Erasures(w.ctx, "acme", vault.ErasureQuery{})
	w.no(err)
	if len(list) != 1 || len(list[0].Destinations) != 0 {
		w.Errorf("in a list: %+v", list)
	}
	w.wantSent("what stays", w.sent("acme", e.near), use("another", 1, then, then), use("vendor", 1, began, began))
	w.sweepUntilDone("acme", 10)
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.wantSent("swept, after a restart", w.erasure("acme", done.ID).Destinations, want...)
	other, _ := w.erase("acme", erasureOf(e.bob))
	w.wantSent("of bob", other.Destinations, use("another", 1, then, then), use("vendor", 2, began, later))
}

func sentForeign(w *world) {
	mine, theirs, value := w.twins()
	ann := vault.Subject{Digest: Digest("p"), Ref: value.SubjectRefs[0]}
	value.SubjectRefs = nil
	w.commit("acme", mine.to("vendor", value))
	w.wantSent("theirs", w.sent("Acme", value))
	w.commit("Acme", theirs.to("another", value))
	w.wantSent("mine", w.sent("acme", value), use("vendor", 1, w.now(), w.now()))
	got, _ := w.erase("acme", erasureOf(ann))
	w.wantSent("erased", got.Destinations, use("vendor", 1, w.now(), w.now()))
	w.wantSent("theirs", w.sent("Acme", value), use("another", 1, w.now(), w.now()))
}
