package storagetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var timeClauses = []clause{
	{"time/is UTC and cut to microseconds", microseconds},
	{"time/of what people come back to is UTC and cut to microseconds", proceedingTimes},
	{"time/never decreases within a log", neverDecreases},
	{"Invariant9/a clock that goes back revives nothing", clockBack},
}

func microseconds(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	m.TTL = 90*time.Minute + 123456789
	c := w.commit("acme", p.Tokenize(m))
	if c.At.Location() != time.UTC || !c.At.Equal(w.now()) {
		w.Errorf("committed at %v, want %v", c.At, w.now())
	}
	got := w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID]
	want := w.now().Add(90*time.Minute + 123456*time.Microsecond)
	if !got.ExpiresAt.Equal(want) || got.ExpiresAt.Location() != time.UTC {
		w.Errorf("expires at %v, want %v", got.ExpiresAt, want)
	}
	if s := c.Outcome.Standing[0]; !s.ExpiresAt.Equal(want) {
		w.Errorf("the commit says it expires at %v, want %v", s.ExpiresAt, want)
	}
	head, err := w.Ledger.Head(w.ctx, "acme")
	w.no(err)
	if !head.At.Equal(w.now()) || head.At.Location() != time.UTC {
		w.Errorf("the head is of %v, want %v", head.At, w.now())
	}
	e, err := audit.ParseLeaf(w.leaf("acme", c.First))
	w.no(err)
	if !e.Time.Equal(c.At) {
		w.Errorf("the leaf says %v, the commit %v", e.Time, c.At)
	}
}

func proceedingTimes(w *world) {
	w.tenant("acme")
	in := func(d time.Duration) time.Time { return w.clock.Now().Add(d + 123456789) }
	cut := func(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }
	asked := review("mia", in(time.Hour))
	asked.ExpiresAt = in(2 * time.Hour)
	check := func(what string, p vault.Proceeding) {
		w.Helper()
		for name, times := range map[string][2]time.Time{
			"due": {p.DueAt, cut(asked.DueAt)}, "over": {p.ExpiresAt, cut(asked.ExpiresAt)}, "opened": {p.CreatedAt, w.now()},
		} {
			if got, want := times[0], times[1]; !got.Equal(want) || got.Location() != time.UTC {
				w.Errorf("%s it is %s at %v, want %v", what, name, got, want)
			}
		}
	}
	p := w.begin("acme", asked)
	check("by itself", p)
	rides := Change(w, "acme", vault.Restore{}).Opening(asked).Notifying("restore", nil)
	_, err := w.Store.Commit(w.ctx, "acme", rides)
	w.no(err)
	check("besides", w.proceeding("acme", rides.ID()))
	asked.DueAt, asked.ExpiresAt = in(3*time.Hour), in(4*time.Hour)
	p.DueAt, p.ExpiresAt = asked.DueAt, asked.ExpiresAt
	check("changed", w.alter("acme", p))
	until := cut(in(time.Minute))
	w.no(w.Outbox.PostponeNotice(w.ctx, "acme", rides.ID(), until))
	w.clock.Advance(until.Sub(w.now()) - time.Microsecond)
	w.wantNotices("just before", w.take("acme", 10))
	w.clock.Advance(time.Microsecond)
	if got := w.take("acme", 10); len(got) != 1 || got[0].At.Location() != time.UTC {
		w.Errorf("at its time: %+v", got)
	}
}

func neverDecreases(w *world) {
	w.tenant("acme")
	high := w.now()
	for _, step := range []time.Duration{-time.Hour, time.Microsecond, -100 * 365 * 24 * time.Hour, 0} {
		w.clock.Advance(step)
		if c := w.commit("acme", vault.Record{}); !c.At.Equal(high) {
			w.Errorf("after %v committed at %v, want %v", step, c.At, high)
		}
	}
	// Another log has a time of its own.
	w.clock.Advance(100 * 365 * 24 * time.Hour)
	w.tenant("globex")
	if c := w.commit("globex", vault.Record{}); !c.At.Equal(w.now()) {
		w.Errorf("the log of globex says %v, want %v", c.At, w.now())
	}
	w.CheckLog("acme")
}

func clockBack(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.clock.Advance(ttl)
	w.commit("acme", vault.Record{}) // from now on the log knows how late it is
	w.clock.Advance(-ttl)
	if got := w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID]; !got.Expired {
		w.Error("a read with the clock back says that it is not expired")
	}
	w.refuse(vault.ErrConflict, "acme", p.Restore(m))
	again := p.Value("v")
	if s := w.keep(p, again)[0]; s.Reused || s.TokenID != again.Mapping.TokenID {
		w.Errorf("an expired mapping was revived: %+v", s)
	}
	sweep, err := w.Registry.Expired(w.ctx, "acme", 10)
	w.no(err)
	if len(sweep.Mappings) != 1 {
		w.Errorf("%d mappings are expired, want 1", len(sweep.Mappings))
	}
}
