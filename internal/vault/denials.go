package vault

import (
	"context"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// denials collapses identical denials of a caller. The first is committed at
// once, so that none goes unrecorded (invariant 10); those that follow within
// DenialWindow are counted and committed as one further entry. A crash loses
// at most that count, never the fact.
type denials struct {
	mu   sync.Mutex
	open map[denialKey]*denialWindow
}

// denialKey says which denials are identical: all that an entry would say,
// save the tokens that were asked for.
type denialKey struct {
	tenant, actor, client, endUser, scope, reason, destination, code string
	kind                                                             audit.Kind
}

type denialWindow struct {
	since time.Time
	more  int // denials after the first
	entry audit.Entry
}

func newDenials() *denials { return &denials{open: make(map[denialKey]*denialWindow)} }

func keyOf(tenant string, e audit.Entry) denialKey {
	scope := ""
	if len(e.ScopeRefs) > 0 {
		scope = e.ScopeRefs[0]
	}
	return denialKey{
		tenant: tenant, actor: e.Actor, client: e.Client.ClientID, endUser: e.OnBehalfOf,
		scope: scope, reason: e.Reason, destination: e.Destination, code: e.Code, kind: e.Kind,
	}
}

// count tells whether the denial was counted in an open window. If not, the
// caller commits it and then opens the window.
func (d *denials) count(key denialKey, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.open[key]
	if w == nil || now.Sub(w.since) >= DenialWindow {
		return false
	}
	w.more++
	return true
}

// begin opens a window for a denial that was committed. A window that is
// still open with a count is left alone: it is flushed in its time.
func (d *denials) begin(key denialKey, e audit.Entry, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.open[key]; w != nil && w.more > 0 {
		return
	}
	if len(d.open) < MaxDenialWindows {
		d.open[key] = &denialWindow{since: now, entry: e}
	}
}

// due takes out the windows that have ended, or all of them.
func (d *denials) due(now time.Time, all bool) map[denialKey]*denialWindow {
	d.mu.Lock()
	defer d.mu.Unlock()
	due := make(map[denialKey]*denialWindow)
	for key, w := range d.open {
		if all || now.Sub(w.since) >= DenialWindow {
			delete(d.open, key)
			if w.more > 0 {
				due[key] = w
			}
		}
	}
	return due
}

// restore puts back what could not be committed, so that the next flush tries
// again.
func (d *denials) restore(key denialKey, w *denialWindow) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if standing := d.open[key]; standing != nil {
		standing.more += w.more
		return
	}
	d.open[key] = w
}

// deny records a denial and returns it. Where it cannot be recorded the
// caller is told that the service is unavailable: a denial that nobody can
// review is not given either.
func (s *Service) deny(ctx context.Context, tenant string, entry audit.Entry, denial *Error) error {
	entry.Decision = audit.Deny
	entry.Code = refusalCode(denial.Code, entry.Code)
	now := s.clock()
	key := keyOf(tenant, entry)
	if s.faults.forgetDenials || s.denials.count(key, now) {
		return denial
	}
	if _, err := s.commit(ctx, tenant, Record{}, entry); err != nil {
		return public(err)
	}
	s.denials.begin(key, entry, now)
	return denial
}

// refusalCode joins the code that the caller gets with what the policy was
// about; both are of closed lists.
func refusalCode(code Code, about string) string {
	if about == "" {
		return string(code)
	}
	return string(code) + ":" + about
}

// FlushDenials commits the counts of windows that have ended, or of all. It
// is called by the background work of the process, and with all at its end.
func (s *Service) FlushDenials(ctx context.Context, all bool) error {
	var first error
	for key, w := range s.denials.due(s.clock(), all) {
		entry := w.entry
		entry.Counts = map[string]int{"denials": w.more}
		entry.Tokens, entry.Results, entry.Entities = nil, nil, nil
		if _, err := s.commit(ctx, key.tenant, Record{}, entry); err != nil {
			s.denials.restore(key, w)
			first = firstError(first, err)
		}
	}
	if err := s.flushStrays(ctx, all); err != nil {
		first = firstError(first, err)
	}
	return first
}

func firstError(first, next error) error {
	if first != nil {
		return first
	}
	return next
}

// strays counts requests without a valid credential by reason. They belong to
// no tenant; one entry a minute in the system's log tells how many there were.
type strays struct {
	mu     sync.Mutex
	counts map[string]int
	since  time.Time // of the first one counted
}

func newStrays() *strays { return &strays{counts: make(map[string]int)} }

// add counts n, and opens the minute where it is the first.
func (t *strays) add(reason string, n int, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.counts) == 0 {
		t.since = now
	}
	if _, known := t.counts[reason]; known || len(t.counts) < maxStrayReasons {
		t.counts[reason] += n
	}
}

// take returns the counts of a minute that has ended, or what there is.
func (t *strays) take(now time.Time, all bool) map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !all && now.Sub(t.since) < DenialWindow {
		return nil
	}
	counts := t.counts
	t.counts = make(map[string]int)
	return counts
}

// maxStrayReasons bounds the names: the reasons are a closed list of the
// authentication layer, and a mistake there must not grow an entry.
const maxStrayReasons = 32

// CountUnauthenticated counts a request that had no valid credential.
func (s *Service) CountUnauthenticated(reason string) { s.strays.add(reason, 1, s.clock()) }

func (s *Service) flushStrays(ctx context.Context, all bool) error {
	counts := s.strays.take(s.clock(), all)
	if len(counts) == 0 {
		return nil
	}
	entry := s.entry(Call{Channel: "api"}, audit.KindAuthFailures, nil)
	entry.Counts = counts
	_, err := s.commit(ctx, SystemTenant, Record{}, entry)
	if err != nil {
		for reason, n := range counts {
			s.strays.add(reason, n, s.clock())
		}
	}
	return err
}

// RecordRefused records that a known caller sent a restoration whose body was
// refused before anything could be decided on it.
func (s *Service) RecordRefused(ctx context.Context, call Call, operation, code string) {
	s = s.under(call)
	keys, err := s.begin(ctx, call)
	if err != nil {
		return // an unknown tenant has no log; the answer is an error either way
	}
	entry := s.entry(call, audit.KindRequestRefused, keys)
	entry.Code = operation
	// The answer is a refusal whether or not it can be recorded.
	_ = s.deny(ctx, call.Caller.Tenant, entry, &Error{Code: Code(code)})
}
