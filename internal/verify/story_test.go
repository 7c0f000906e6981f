package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A story is what a made-up log has told so far, as far as later entries go back to
// it.
type story struct {
	version   string      // under which it is decided
	approvals []*asking   // that wait for others, or for their use
	grants    []streaming // that are open
	intents   []string
}

type asking struct {
	id, requester    string
	required, agreed int
}

type streaming struct {
	id, actor string
	until     time.Time
}

var versions = []string{strings.Repeat("5a", 32), strings.Repeat("6b", 32), strings.Repeat("7c", 32)}

// entry begins an entry of a kind.
func (m *made) entry(kind audit.Kind, actor string, obligations ...string) audit.Entry {
	m.changes++
	return audit.Entry{
		V: audit.Version, Tenant: "acme", Kind: kind, Environment: "test", Replica: "cf-0", ChangeID: fmt.Sprintf("c%06d-%08x", m.changes, m.rng.Uint32()),
		Actor: actor, Channel: "api", Client: audit.Client{ClientID: "svc-1"}, Decision: audit.Allow,
		PolicyVersion: m.story.version, RequestID: fmt.Sprintf("r%d", m.changes), Obligations: obligations,
	}
}

func (m *made) actor() string { return fmt.Sprintf("svc-%d", m.rng.IntN(4)) }

func (m *made) id() string { return fmt.Sprintf("%08X", m.rng.Uint32()) }

// plain is a change that nothing comes before or after.
func (m *made) plain() audit.Entry {
	switch m.rng.IntN(6) {
	case 0:
		e := m.entry(audit.KindHoldPlace, m.actor())
		e.HoldIDs, e.Reference, e.Counts = []string{e.ChangeID}, "ORDER-9", map[string]int{"subjects": 1}
		return e
	case 1:
		e := m.entry(audit.KindSweep, "")
		e.Counts = map[string]int{"mappings": 3, "keys": 1}
		e.Channel, e.Decision, e.Client, e.RequestID = "lifecycle", "", audit.Client{}, ""
		return e
	case 2:
		e := m.entry(audit.KindRestore, m.actor())
		e.Decision, e.Reason, e.Code = audit.Deny, "LLM_RESPONSE", "denied"
		return e
	default:
		e := m.entry(audit.KindTokenize, m.actor())
		e.Entities, e.Destination = map[string]int{"EMAIL_ADDRESS": 1 + m.rng.IntN(4)}, "default"
		e.Tokens, e.Results, e.ScopeRefs = []string{m.id()}, map[string]int{"tokenized": 1}, []string{"s_5JX0"}
		return e
	}
}

// linked divides a change into parts, as Link does with a long one.
func (m *made) linked(e audit.Entry, parts int) []audit.Entry {
	all := make([]audit.Entry, parts)
	for i := range all {
		all[i] = e
		all[i].Seq, all[i].Parts = i, parts
		if i > 0 {
			all[i].Entities, all[i].Results, all[i].ScopeRefs, all[i].Tokens = nil, nil, nil, []string{m.id()}
		}
	}
	return all
}

func (m *made) restore(obligations ...string) audit.Entry {
	e := m.entry(audit.KindRestore, m.actor(), append([]string{"form:full"}, obligations...)...)
	e.Reason, e.Entities, e.Tokens, e.Results = "LLM_RESPONSE", map[string]int{"PERSON": 1}, []string{m.id()}, map[string]int{"restored": 1}
	e.ScopeRefs = []string{"s_5JX0"}
	if m.rng.IntN(4) == 0 {
		e.Decision, e.Results["unknown"] = audit.Partial, 2
	}
	m.story.intents = append(m.story.intents, e.ChangeID)
	return e
}

// ask asks for an approval of a number of others.
func (m *made) ask(requester string, required int) audit.Entry {
	e := m.entry(audit.KindApprovalRequest, requester)
	e.Code, e.Reason, e.Reference, e.Counts = "restore", "FRAUD_REVIEW", "CASE-31", map[string]int{"approvals": required, "tokens": 1}
	e.Entities, e.ScopeRefs = map[string]int{"PERSON": 1}, []string{"s_5JX0"}
	m.story.approvals = append(m.story.approvals, &asking{id: e.ChangeID, requester: requester, required: required})
	return e
}

func (m *made) say(code, actor, id string) audit.Entry {
	e := m.entry(audit.KindApprovalDecide, actor, audit.ObligationProceeding+id)
	e.Code, e.Reason, e.Reference = code, "FRAUD_REVIEW", "CASE-31"
	return e
}

// proceed is the next step of an approval.
func (m *made) proceed() audit.Entry {
	if len(m.story.approvals) == 0 || m.rng.IntN(4) == 0 {
		return m.ask(m.actor(), 1+m.rng.IntN(2))
	}
	i := m.rng.IntN(len(m.story.approvals))
	a := m.story.approvals[i]
	if a.agreed < a.required && m.rng.IntN(6) > 0 {
		a.agreed++
		return m.say("approve", fmt.Sprintf("approver-%d", a.agreed), a.id)
	}
	m.story.approvals = slices.Delete(m.story.approvals, i, i+1)
	if a.agreed < a.required {
		return m.say("reject", "approver-9", a.id)
	}
	if m.rng.IntN(4) == 0 {
		return m.say("redeem", a.requester, a.id)
	}
	e := m.restore(audit.ObligationProceeding + a.id)
	e.Actor = a.requester
	return e
}

func (m *made) grant() audit.Entry {
	e := m.entry(audit.KindGrant, m.actor())
	ttl := 60 + m.rng.IntN(3)
	e.Reason, e.Counts, e.Tokens, e.Entities = "LLM_RESPONSE", map[string]int{"ttl_seconds": ttl}, []string{m.id()}, map[string]int{"PERSON": 1}
	e.ScopeRefs = []string{"s_5JX0"}
	m.story.grants = append(m.story.grants, streaming{e.ChangeID, e.Actor, m.clock.Add(time.Duration(ttl) * time.Second)})
	m.story.intents = append(m.story.intents, e.ChangeID)
	return e
}

// stream is the next step of a grant.
func (m *made) stream() audit.Entry {
	if len(m.story.grants) == 0 || m.rng.IntN(3) == 0 {
		return m.grant()
	}
	i := m.rng.IntN(len(m.story.grants))
	g := m.story.grants[i]
	if m.clock.Before(g.until) && m.rng.IntN(2) == 0 {
		e := m.entry(audit.KindGrantFlush, g.actor, audit.ObligationGrant+g.id)
		e.Reason, e.Tokens, e.ScopeRefs = "LLM_RESPONSE", []string{m.id()}, []string{"s_5JX0"}
		return e
	}
	m.story.grants = slices.Delete(m.story.grants, i, i+1)
	e := m.entry(audit.KindGrantClose, g.actor, audit.ObligationGrant+g.id)
	e.Code, e.Reason, e.Results = "ended", "LLM_RESPONSE", map[string]int{"restored": 1}
	return e
}

// turn is what goes with something else: how it went on, or another policy.
func (m *made) turn() audit.Entry {
	if len(m.story.intents) > 0 && m.rng.IntN(2) == 0 {
		kind := []audit.Kind{audit.KindOutcome, audit.KindIntegrityFailure}[m.rng.IntN(2)]
		e := m.entry(kind, m.actor(), audit.ObligationIntent+m.story.intents[m.rng.IntN(len(m.story.intents))])
		e.Reason, e.Results, e.Tokens = "LLM_RESPONSE", map[string]int{"integrity_failure": 1}, []string{m.id()}
		return e
	}
	next := versions[m.rng.IntN(len(versions))]
	e := m.entry(audit.KindPolicyLoad, "")
	e.Channel, e.Decision, e.Client = "process", "", audit.Client{}
	if m.rng.IntN(2) == 0 {
		e.PolicyVersion = next // it rides before the first entry under it
		e.Obligations = []string{audit.ObligationVersion + next}
	} else {
		e.Code, e.Reference = "reload", next // it is made under the one before
	}
	m.story.version = next
	return e
}

// change makes the entries of the next change.
func (m *made) change() []audit.Entry {
	if m.changes == 0 {
		m.story.version = versions[0]
		e := m.entry(audit.KindTenantCreate, "", audit.ObligationVersion+versions[0])
		e.Channel, e.KeyIDs, e.Client, e.Decision = "cli", []string{"k_1"}, audit.Client{}, ""
		return []audit.Entry{e}
	}
	switch n := m.rng.IntN(20); {
	case n < 3:
		return []audit.Entry{m.proceed()}
	case n < 6:
		return []audit.Entry{m.stream()}
	case n < 8:
		return []audit.Entry{m.turn()}
	case n < 10:
		return []audit.Entry{m.restore()}
	}
	e := m.plain()
	if e.Kind == audit.KindTokenize && m.rng.IntN(4) == 0 {
		return m.linked(e, 2+m.rng.IntN(3))
	}
	return []audit.Entry{e}
}

// prune takes leaves of tokenize entries out of the copy that is stored, after an
// entry that says so.
func (m *made) prune(from, to int64) {
	e := m.entry(audit.KindPrune, "")
	e.Channel, e.Counts, e.Client = "owner", map[string]int{"from": int(from), "to": int(to)}, audit.Client{}
	for i := from; i < to; i++ {
		parsed, err := audit.ParseLeaf(m.entries[i].Leaf)
		if err != nil {
			m.t.Fatal(err)
		}
		if parsed.Kind == audit.KindTokenize {
			m.entries[i].Leaf = nil
		}
	}
	m.commit(m.finish([]audit.Entry{e}))
}
