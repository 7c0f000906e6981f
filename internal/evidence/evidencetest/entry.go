package evidencetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// add commits one change at the present and returns its id.
func (m *maker) add(kind audit.Kind, fill func(*audit.Entry)) string {
	e := audit.Entry{
		Tenant: Tenant, Kind: kind, ChangeID: m.hex(32), Environment: "production", Channel: "api",
		PolicyVersion: m.policy, Replica: []string{"vault-0", "vault-1"}[m.rng.IntN(2)],
	}
	fill(&e)
	parts, err := audit.Link(e)
	if err != nil {
		panic("evidencetest: an entry: " + err.Error())
	}
	leaves, err := audit.Finalise(parts, m.now)
	if err != nil {
		panic("evidencetest: a leaf: " + err.Error())
	}
	for _, leaf := range leaves {
		m.leaves = append(m.leaves, leaf)
		m.hashes = append(m.hashes, audit.LeafHash(leaf))
	}
	return e.ChangeID
}

// by says who calls, with a request of their own; nobody calls on a channel of the
// process itself.
func (m *maker) by(e *audit.Entry, channel, actor string) {
	if e.Channel = channel; actor != "" {
		e.Actor, e.Client, e.RequestID = actor, audit.Client{ClientID: actor}, m.hex(32)
	}
}

// person fills an entry of somebody who was allowed it by a rule.
func (m *maker) person(e *audit.Entry, actor, rule string) {
	m.by(e, "api", actor)
	e.Decision, e.RuleIDs = audit.Allow, []string{rule}
}

// later lets something follow after a time.
func (m *maker) later(after time.Duration, do func()) {
	one := todo{m.now.Add(after), do}
	at, _ := slices.BinarySearchFunc(m.due, one, func(a, b todo) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1 // what is of the same time stays in the order in which it was said
	})
	m.due = slices.Insert(m.due, at, one)
}

// at lets something happen at a time.
func (m *maker) at(when time.Time, do func()) { m.later(when.Sub(m.now), do) }

func (m *maker) hex(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%016x", m.rng.Uint64())
	}
	return b.String()[:n]
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// token makes the id of a token.
func (m *maker) token() string {
	b := make([]byte, 8)
	for i := range b {
		b[i] = crockford[m.rng.IntN(len(crockford))]
	}
	return string(b)
}

func (m *maker) tokens(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = m.token()
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// digestOf is a digest that a name always has.
func digestOf(kind string, n int) string {
	h := audit.LeafHash(fmt.Appendf(nil, "%s %d", kind, n))
	return fmt.Sprintf("%x", h[:])
}

func refOf(kind string, n int) string { return digestOf(kind, n)[:32] }

func (m *maker) oneOf(names ...string) string { return names[m.rng.IntN(len(names))] }

// minutes is a time of up to n minutes.
func (m *maker) minutes(n int) time.Duration {
	return time.Duration(1+m.rng.IntN(n*60)) * time.Second
}
