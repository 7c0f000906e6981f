package controls_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
)

// The period of all made-up logs: a quarter.
var (
	from   = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	to     = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	period = evidence.Period{From: from, To: to}
)

const day = 24 * time.Hour

// on is noon of a day of the period, or before it.
func on(n int) time.Time { return from.Add(time.Duration(n)*day + 12*time.Hour) }

// A made log is written as package vault writes one, entry by entry.
type made struct {
	t       testing.TB
	entries []evidence.Entry
	facts   evidence.Facts
}

func newLog(t testing.TB) *made {
	return &made{t: t, facts: evidence.Facts{
		Tenant: "acme", Origin: "counterfoil.local/log/acme", Made: to.Add(day), KeyEpoch: 7 * day, BackupHorizon: 30 * day,
		Destinations: []evidence.Destination{
			{Name: "openai/us", DPA: evidence.Agreement{Ref: "DPA-1", From: on(-100), To: on(200)}, Requires: []string{"dpa"}},
			{Name: "default"},
		},
		Export: &evidence.ExportState{Next: 1 << 30, At: to.Add(day)},
	}}
}

// add appends a change, and returns the index of its first entry.
func (m *made) add(at time.Time, e audit.Entry) int64 {
	m.t.Helper()
	index := int64(len(m.entries))
	e.Tenant, e.Channel, e.Environment, e.Replica = "acme", or(e.Channel, "api"), "test", or(e.Replica, "cf-0")
	e.PolicyVersion, e.ChangeID = or(e.PolicyVersion, "p1"), or(e.ChangeID, fmt.Sprint("c", index))
	parts, err := audit.Link(e)
	if err != nil {
		m.t.Fatal(err)
	}
	leaves, err := audit.Finalise(parts, at)
	if err != nil {
		m.t.Fatal(err)
	}
	for i, leaf := range leaves {
		entry, err := audit.ParseLeaf(leaf)
		if err != nil {
			m.t.Fatal(err)
		}
		m.entries = append(m.entries, evidence.Entry{Index: index + int64(i), Hash: audit.LeafHash(leaf), Leaf: leaf, Entry: entry})
	}
	return index
}

// by adds what somebody did who was allowed it.
func (m *made) by(actor string, at time.Time, e audit.Entry) int64 {
	m.t.Helper()
	e.Actor, e.Client = actor, audit.Client{ClientID: "console"}
	if e.Decision == "" {
		e.Decision = audit.Allow
	}
	return m.add(at, e)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (m *made) source() evidence.Source {
	return func(yield func(evidence.Entry) error) error {
		for _, one := range m.entries {
			if err := yield(one); err != nil {
				return err
			}
		}
		return nil
	}
}

// prune takes the leaf of an entry away.
func (m *made) prune(index int64) {
	m.entries[index].Leaf, m.entries[index].Entry = nil, audit.Entry{}
}

// one is a catalogue of one control. Load refuses such, since it covers too little.
func one(query string, none controls.Outcome) controls.Catalogue {
	return controls.Catalogue{Controls: []controls.Control{{
		ID: "T-1", Title: "a control", Clauses: []string{"GDPR 5"}, Query: query, Frequency: controls.Daily, None: none, NotCovered: "all else",
	}}}
}

// ask tries one query over the log.
func (m *made) ask(query string) controls.Result {
	m.t.Helper()
	results, err := controls.Run(context.Background(), one(query, ""), m.source(), m.facts, period)
	if err != nil {
		m.t.Fatal(err)
	}
	return results[0]
}

// What the logs are made of.

func restored(reason string, obligations ...string) audit.Entry {
	return audit.Entry{
		Kind: audit.KindRestore, Reason: reason, Tokens: []string{"7K3QX9M2", "0A1B2C3D"}, Entities: map[string]int{"PERSON": 2},
		Results: map[string]int{"restored": 2}, Obligations: obligations,
	}
}

func tokenized(request, destination string, results map[string]int) audit.Entry {
	return audit.Entry{
		Kind: audit.KindTokenize, RequestID: request, Destination: destination, Tokens: []string{"7K3QX9M2"},
		Entities: map[string]int{"PERSON": 1}, Results: results,
	}
}

func step(kind audit.Kind, code, about string) audit.Entry {
	e := audit.Entry{Kind: kind, Code: code, Reference: "REF-1"}
	if about != "" {
		e.Obligations = []string{about}
	}
	return e
}

func counted(kind audit.Kind, counts map[string]int) audit.Entry {
	return audit.Entry{Kind: kind, Counts: counts}
}

func named(e audit.Entry, id string) audit.Entry {
	e.ChangeID = id
	return e
}

// begun is a tenant from before the period.
func (m *made) begun() *made {
	m.add(on(-20), audit.Entry{Kind: audit.KindTenantCreate, Channel: "process", KeyIDs: []string{"k1", "k2"}, Decision: audit.Allow})
	return m
}

// approved is an approval on its way: who asked, and who agreed.
func (m *made) approved(at time.Time, id, actor string, required int, approvers ...string) {
	e := step(audit.KindApprovalRequest, "restore", "")
	e.Counts = map[string]int{"approvals": required, "tokens": 1}
	m.by(actor, at, named(e, id))
	for _, name := range approvers {
		m.by(name, at.Add(time.Hour), step(audit.KindApprovalDecide, "approve", "proceeding:"+id))
	}
}

// asked writes down what a person asked for, and until when it is to be answered.
func (m *made) asked(at time.Time, id, kind, regime string, due time.Time) int64 {
	e := named(step(audit.KindRequestOpen, kind, audit.ObligationRegime+regime), id)
	e.SetInstant(audit.CountDueAt, due)
	return m.by("pia", at, e)
}

func extended(id string, due time.Time) audit.Entry {
	e := step(audit.KindRequestChange, "extend", "request:"+id)
	e.SetInstant(audit.CountDueAt, due)
	return e
}

// aware writes down an incident of which somebody knew before.
func (m *made) aware(at time.Time, id string, since time.Time) int64 {
	e := named(step(audit.KindIncidentOpen, "", ""), id)
	e.SetInstant(audit.CountAwareAt, since)
	return m.by("pia", at, e)
}

func (m *made) suspended(at time.Time, id string, names map[string]int) {
	e := named(step(audit.KindSuspend, "", ""), id)
	e.Counts = names
	m.by("pia", at, e)
}

func (m *made) granted(at time.Time, id string, seconds int) {
	e := named(restored("LLM_RESPONSE"), id)
	e.Kind, e.Results, e.Counts = audit.KindGrant, nil, map[string]int{"ttl_seconds": seconds}
	m.by("gw", at, e)
}

// holdsAbout says something of a hold.
func holdsAbout(kind audit.Kind, id string) audit.Entry {
	e := audit.Entry{Kind: kind, HoldIDs: []string{id}, Reference: "ORDER-1"}
	if kind == audit.KindHoldPlace {
		e.Counts = map[string]int{"subjects": 1}
	}
	return e
}

func erased(about string, deferred int) audit.Entry {
	return audit.Entry{
		Kind: audit.KindErase, Reference: "DSAR-1", Obligations: []string{about}, KeyIDs: []string{"k9"},
		Counts: map[string]int{"erased": 1, "shared": 0, "deferred": deferred, "keys": 1, "rekeyed": 0},
	}
}

// rotated rotates the key in every epoch, as it should be.
func (m *made) rotated(days ...int) {
	for i, n := range days {
		e := counted(audit.KindKeyRotate, map[string]int{"min_wrap_version": i + 2})
		e.Channel, e.Decision = "keys", audit.Allow
		m.add(on(n), e)
	}
}

func lines(r controls.Result) string { return strings.Join(r.Detail, "; ") }
