package storagetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// exposureClauses are about what is stored of what was sent where.
var exposureClauses = []clause{
	{"exposure/counts what is stored by where it was sent", exposureLines},
	{"exposure/what was swept or erased is counted no more", exposureGone},
	{"exposure/destinations are counted byte for byte, in order", exposureExact},
	{"Invariant6/what one tenant sent is told to no other", exposureForeign},
}

func (w *world) wantExposure(what, tenant string, want ...vault.ExposureLine) {
	w.Helper()
	got, err := w.Proceedings.Exposure(w.ctx, tenant)
	w.no(err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

func line(destination, entity, class string, mappings int, first, last time.Time) vault.ExposureLine {
	return vault.ExposureLine{Destination: destination, Entity: entity, Class: class, Mappings: mappings, First: first, Last: last}
}

func exposureLines(w *world) {
	p := w.place("acme")
	q := w.scope("acme", "another conversation")
	w.wantExposure("nothing", "acme")
	began := w.now()
	at := func(hour int) time.Time { return began.Add(time.Duration(hour) * time.Hour) }
	name, secret, mail := p.Value("name"), p.Value("secret"), p.Value("mail")
	secret.Mapping.Class, mail.Mapping.Entity = "restricted", "EMAIL_ADDRESS"
	w.keep(p, p.Value("sent nowhere"))
	w.wantExposure("sent nowhere", "acme")
	effect := p.to("vendor", name, secret, mail)
	effect.Destinations = append(effect.Destinations, "another")
	w.commit("acme", effect)
	want := []vault.ExposureLine{
		line("another", "EMAIL_ADDRESS", "confidential", 1, began, began), line("another", "PERSON", "confidential", 1, began, began),
		line("another", "PERSON", "restricted", 1, began, began),
		line("vendor", "EMAIL_ADDRESS", "confidential", 1, began, began), line("vendor", "PERSON", "confidential", 1, began, began),
		line("vendor", "PERSON", "restricted", 1, began, began),
	}
	w.wantExposure("sent", "acme", want...)
	// Of another scope, and again: first and last are those of all.
	w.clock.Advance(2 * time.Hour)
	w.commit("acme", q.to("vendor", q.Value("name")))
	want[4] = line("vendor", "PERSON", "confidential", 2, began, at(2))
	w.wantExposure("of two scopes", "acme", want...)
	// What is past its time, or replaced, or restricted, is stored and counts.
	w.commit("acme", p.to("vendor", p.Value("name")))
	want[4].Mappings = 3
	w.wantExposure("replaced", "acme", want...)
	w.commit("acme", q.close())
	w.wantExposure("of a scope that has ended", "acme", want...)
}

func exposureGone(w *world) {
	e := w.estate("acme")
	began := w.now()
	for _, of := range []struct {
		p      Place
		values []string
	}{{e.p, []string{"hers", "both", "near"}}, {e.q, []string{"there", "far", "his"}}} {
		var values []vault.NewMapping
		for _, v := range of.values {
			values = append(values, of.p.Value(v))
		}
		w.commit("acme", of.p.to("vendor", values...))
	}
	check := func(what string, want int) {
		w.Helper()
		var lines []vault.ExposureLine
		if want > 0 {
			lines = []vault.ExposureLine{line("vendor", "PERSON", "confidential", want, began, began)}
		}
		w.wantExposure(what, "acme", lines...)
	}
	check("at first", 6)
	w.restrict("acme", e.ann)
	check("restricted", 6)
	hold := w.hold("acme", onValue(e.there))
	w.clock.Advance(time.Microsecond)
	waits, _ := w.erase("acme", erasureOf(e.ann)) // hers goes, there waits
	check("erased, and not swept yet", 5)
	w.sweepUntilDone("acme", 10)
	check("swept", 5)
	w.release("acme", hold)
	check("released", 5)
	w.erase("acme", waits)
	check("what was deferred is erased", 4)
	w.clock.Advance(2 * ttl)
	check("past its time", 4)
	w.sweepUntilDone("acme", 10)
	check("all swept", 0)
}

func exposureExact(w *world) {
	p := w.place("acme")
	var names []string
	for _, name := range alike {
		w.commit("acme", p.to(name, p.Value("v")))
		names = append(names, name)
	}
	slices.Sort(names)
	var want []vault.ExposureLine
	for _, name := range names {
		want = append(want, line(name, "PERSON", "confidential", 1, w.now(), w.now()))
	}
	w.wantExposure("to names that are alike", "acme", want...)
}

func exposureForeign(w *world) {
	mine, theirs, value := w.twins()
	value.SubjectRefs = nil
	w.commit("acme", mine.to("vendor", value))
	w.wantExposure("theirs", "Acme")
	w.commit("Acme", theirs.to("another", value))
	w.wantExposure("theirs", "Acme", line("another", "PERSON", "confidential", 1, w.now(), w.now()))
	w.wantExposure("mine", "acme", line("vendor", "PERSON", "confidential", 1, w.now(), w.now()))
	w.tenant("aCME")
	w.wantExposure("of a third", "aCME")
	w.wantExposure("of nobody", "globex")
}
