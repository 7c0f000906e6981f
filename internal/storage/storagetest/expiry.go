package storagetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var expiryClauses = []clause{
	{"Invariant9/an expired mapping is not restorable", expiredAtTheInstant},
	{"Invariant9/an expired mapping is never revived", neverRevived},
	{"expiry/a reuse extends only under half of its life", extension},
	{"expiry/an extension never passes the class maximum nor goes back", extensionBounds},
}

func expiredAtTheInstant(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.clock.Advance(ttl - time.Microsecond)
	w.commit("acme", p.Restore(m))
	if got := w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID]; got.Expired {
		w.Error("expired a microsecond early")
	}
	w.clock.Advance(time.Microsecond)
	w.refuse(vault.ErrConflict, "acme", p.Restore(m))
	if got := w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID]; !got.Expired {
		w.Error("not expired at its instant")
	}
	reaches := p.Restore(m)
	reaches.Refs[0].Expired = true
	w.refuse(vault.ErrConflict, "acme", reaches) // nothing keeps it
	reaches.Refs[0].Expired, reaches.Refs[0].Restricted = false, true
	w.refuse(vault.ErrConflict, "acme", reaches)
}

func neverRevived(w *world) {
	p := w.place("acme")
	old := p.Value("v")
	w.keep(p, old)
	w.clock.Advance(ttl)
	fresh := p.Value("v")
	s := w.keep(p, fresh)[0]
	if s.Reused || s.TokenID != fresh.Mapping.TokenID || !s.ExpiresAt.Equal(w.now().Add(ttl)) {
		w.Errorf("got %+v, want a new token", s)
	}
	w.commit("acme", p.Restore(fresh))
	w.refuse(vault.ErrConflict, "acme", p.Restore(old))
	reaches := p.Restore(old)
	reaches.Refs[0].Expired, reaches.Refs[0].Restricted = true, true
	w.refuse(vault.ErrConflict, "acme", reaches) // replaced: out of reach of any reason
	if got := w.read(p, old.Mapping.TokenID, fresh.Mapping.TokenID); len(got) != 1 {
		w.Errorf("%d mappings are read, want only the one that stands", len(got))
	}
	// The old row is still there to be swept, the new one is not.
	sweep, err := w.Registry.Expired(w.ctx, "acme", 10)
	w.no(err)
	if len(sweep.Mappings) != 1 || sweep.Mappings[0].TokenID != old.Mapping.TokenID {
		w.Errorf("to be swept: %v", sweep.Mappings)
	}
}

// standingAfter keeps a value again after a pause, and returns its expiry.
func (w *world) standingAfter(p Place, pause, life time.Duration) time.Time {
	w.Helper()
	w.clock.Advance(pause)
	m := p.Value("v")
	m.TTL = life
	s := w.keep(p, m)[0]
	if !s.Reused {
		w.Fatalf("after %v it was not found again", pause)
	}
	if got := w.read(p, s.TokenID)[s.TokenID]; !got.ExpiresAt.Equal(s.ExpiresAt) {
		w.Errorf("the row expires at %v, the commit says %v", got.ExpiresAt, s.ExpiresAt)
	}
	return s.ExpiresAt
}

func extension(w *world) {
	p := w.place("acme")
	first := w.keep(p, p.Value("v"))[0].ExpiresAt
	if got := w.standingAfter(p, ttl/2, ttl); !got.Equal(first) {
		w.Errorf("with half of its life left it was extended to %v", got)
	}
	if got := w.standingAfter(p, time.Microsecond, ttl); !got.Equal(w.now().Add(ttl)) {
		w.Errorf("with less than half of its life left it expires at %v, want %v", got, w.now().Add(ttl))
	}
}

func extensionBounds(w *world) {
	p := w.place("acme")
	w.keep(p, p.Value("v"))
	end := w.now().Add(maxAge)
	var last time.Time
	for w.now().Add(ttl).Before(end) {
		last = w.standingAfter(p, 3*ttl/4, ttl)
	}
	if !last.Equal(end) {
		w.Errorf("expires at %v, want the class maximum %v", last, end)
	}
	if got := w.standingAfter(p, ttl/8, 100*ttl); !got.Equal(end) {
		w.Errorf("extended past the class maximum to %v", got)
	}
	q := w.scope("acme", "another conversation")
	long := w.keep(q, q.Value("v"))[0].ExpiresAt
	if got := w.standingAfter(q, ttl/2, time.Second); !got.Equal(long) {
		w.Errorf("a shorter life cut it from %v to %v", long, got)
	}
}
