package access

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// memo remembers what the rules of one bucket said. A gateway asks the same
// of the policy for each token of each request, and Casbin takes 8 µs or more
// for what is known already.
//
// It cannot mix two requests up: a question holds all of a request that the
// matcher can see, part by part and never joined, and whatever else changes a
// decision (place, approvals, consents, the state of the data) is looked at
// anew each time. It cannot outlive its policy either, being a part of it.
type memo struct {
	// known is replaced and never written to, so that readers take no lock.
	known atomic.Pointer[map[question]found]
	mu    sync.Mutex // of those who replace it
}

// question is a request as the matcher sees it: functions and columns read
// nothing else of it. Action and reason are those of the bucket.
type question struct {
	entity string
	class  Class
	roles  uint64 // those of the caller, by their places in bucketRules.roles
	facts  uint64 // the conditions that hold, by their places in bucketRules.conditions
	lacks  shortfall
	best   bool
}

const (
	// maxBits is how many roles, and how many conditions, a question tells
	// apart. A bucket with more is asked anew each time.
	maxBits = 64
	// maxKnown bounds the memory of a bucket: all entities of a catalogue for
	// some kinds of callers, at some 150 bytes each. Beyond it remembering
	// begins anew.
	maxKnown = 1024
)

// found is what the rules say, before the demands of the reason.
type found struct {
	allow bool
	form  Form
	why   Why
	rules []string // never given away
}

func (f found) decision() Decision {
	return Decision{Allow: f.allow, Form: f.form, Why: f.why, RuleIDs: slices.Clone(f.rules)}
}

// question puts the request in a form that can be compared. Only a value of
// the catalogue, or none, is remembered: other names could be without number.
func (b *bucketRules) question(r *Request, lacks shortfall, best bool) (q question, ok bool) {
	if len(b.roles) > maxBits || len(b.conditions) > maxBits || r.Action != ActionRestore && (r.Entity != "" || r.Class != "") {
		return question{}, false
	}
	q = question{entity: r.Entity, class: r.Class, lacks: lacks, best: best}
	for i, role := range b.roles {
		if slices.Contains(r.Roles, role) {
			q.roles |= 1 << i
		}
	}
	for i := range b.conditions {
		if b.conditions[i].holds(r) {
			q.facts |= 1 << i
		}
	}
	if b.blur != nil {
		b.blur(&q)
	}
	return q, true
}

func (m *memo) get(q question) (found, bool) {
	known := m.known.Load()
	if known == nil {
		return found{}, false
	}
	f, ok := (*known)[q]
	return f, ok
}

func (m *memo) put(q question, f found) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := make(map[question]found)
	if known := m.known.Load(); known != nil && len(*known) < maxKnown {
		next = maps.Clone(*known)
	}
	next[q] = f
	m.known.Store(&next)
}
