package evidencetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// erasure erases for a person: at once with a hold in the way now and then, or by a
// request that was opened before.
func (m *maker) erasure() {
	subject, reference, held := m.subject(), m.dsar(), m.rng.IntN(4) == 0
	request := ""
	if m.rng.IntN(2) == 0 {
		request = m.add(audit.KindRequestOpen, func(e *audit.Entry) {
			m.person(e, "pia", "manage-privacy")
			e.Code, e.Reference = "erasure", reference
			m.underRegime(e)
		})
	}
	erase := func(deferred int, id *string) func(*audit.Entry) {
		return func(e *audit.Entry) {
			if *id == "" || deferred > 0 || request != "" && deferred == 0 && !held {
				m.person(e, "pia", "erase-privacy")
				e.Obligations = []string{"identity:passport"}
			} else {
				m.by(e, "lifecycle", "")
			}
			if *id != "" {
				e.Obligations = append([]string{"request:" + *id}, e.Obligations...)
			}
			e.Reference, e.SubjectRefs, e.ScopeRefs = reference, []string{subject}, []string{refOf("scope", m.rng.IntN(2000))}
			keys := 1 + m.rng.IntN(3)
			for range keys {
				e.KeyIDs = append(e.KeyIDs, m.hex(32))
			}
			e.Counts = map[string]int{
				"erased": 1 + m.rng.IntN(40), "deferred": deferred, "shared": m.rng.IntN(3), "keys": keys, "rekeyed": m.rng.IntN(2) * m.rng.IntN(9),
			}
		}
	}
	m.later(3*time.Hour, func() {
		deferred := 0
		if held {
			deferred = 1 + m.rng.IntN(4)
		}
		id := m.add(audit.KindErase, erase(deferred, &request))
		if request == "" {
			request = id
		}
		if held {
			m.later(9*24*time.Hour, func() { m.add(audit.KindErase, erase(0, &request)) })
		}
	})
}

// underRegime says under which law a request is that was received two days ago, and
// until when it has to be answered. Older versions did not say it.
func (m *maker) underRegime(e *audit.Entry) {
	regime := m.oneOf("", "gdpr", "gdpr", "ccpa", "hipaa")
	if regime == "" {
		return
	}
	e.Obligations = append(e.Obligations, audit.ObligationRegime+regime)
	received := m.now.AddDate(0, 0, -2)
	due := map[string]time.Time{"gdpr": received.AddDate(0, 1, 0), "ccpa": received.AddDate(0, 0, 45), "hipaa": received.AddDate(0, 0, 30)}
	e.SetInstant(audit.CountDueAt, due[regime])
}

// subjectRequest is one for access, answered in time or late.
func (m *maker) subjectRequest() {
	reference, subject := m.dsar(), m.subject()
	id := m.add(audit.KindRequestOpen, func(e *audit.Entry) {
		m.person(e, "pia", "manage-privacy")
		e.Code, e.Reference = m.oneOf("access", "accounting"), reference
		m.underRegime(e)
	})
	step := func(code string) func() {
		return func() {
			m.add(audit.KindRequestChange, func(e *audit.Entry) {
				m.person(e, "pia", "manage-privacy")
				e.Code, e.Reference, e.Obligations, e.SubjectRefs = code, reference, []string{"request:" + id}, []string{subject}
				if code == "extend" {
					e.SetInstant(audit.CountDueAt, m.now.AddDate(0, 0, 40))
				}
			})
		}
	}
	m.later(30*time.Hour, step("identity"))
	switch m.rng.IntN(8) {
	case 0:
		m.later(5*24*time.Hour, step("refuse"))
	case 1:
		m.later(20*24*time.Hour, step("extend"))
		m.later(50*24*time.Hour, step("complete"))
	default:
		m.later(time.Duration(4+m.rng.IntN(20))*24*time.Hour, step("complete"))
	}
}

// restriction is asked for, made and lifted.
func (m *maker) restriction() {
	reference, subject := m.dsar(), m.subject()
	id := m.add(audit.KindRequestOpen, func(e *audit.Entry) {
		m.person(e, "pia", "manage-privacy")
		e.Code, e.Reference = "restriction", reference
		m.underRegime(e)
	})
	step := func(kind audit.Kind, code string) func() {
		return func() {
			m.add(kind, func(e *audit.Entry) {
				m.person(e, "pia", "manage-privacy")
				e.Code, e.Reference, e.Obligations, e.SubjectRefs = code, reference, []string{"request:" + id}, []string{subject}
				e.Counts = map[string]int{"mappings": 3, "shared": 0}
			})
		}
	}
	m.later(time.Hour, step(audit.KindRestrict, "restrict"))
	m.later(20*24*time.Hour, step(audit.KindLiftRestriction, "lift"))
}

func (m *maker) sweep() {
	m.add(audit.KindSweep, func(e *audit.Entry) {
		m.by(e, "lifecycle", "")
		n := 1 + m.rng.IntN(30)
		e.Tokens = m.tokens(n)
		e.Counts = map[string]int{"mappings": len(e.Tokens), "keys": m.rng.IntN(3), "scopes": m.rng.IntN(5), "tombstones": 0, "requests": 0, "subjects": 0}
		for range e.Counts["keys"] {
			e.KeyIDs = append(e.KeyIDs, m.hex(32))
		}
	})
}

// rotate begins a key epoch; what the one of five weeks before wrapped is destroyed.
func (m *maker) rotate() {
	m.wrap++
	version := m.wrap
	m.add(audit.KindKeyRotate, func(e *audit.Entry) {
		m.by(e, "keys", "")
		e.Decision, e.Counts = audit.Allow, map[string]int{"min_wrap_version": version}
	})
	m.later(10*time.Minute, func() {
		m.add(audit.KindKeyRewrap, func(e *audit.Entry) {
			m.by(e, "keys", "")
			e.KeyIDs = []string{m.hex(32), m.hex(32)}
			e.Counts = map[string]int{"keys": 2, "oldest_wrap_version": version - 1}
		})
	})
	m.later(35*24*time.Hour, func() {
		m.add(audit.KindKeyRetire, func(e *audit.Entry) {
			m.by(e, "keys", "")
			e.Counts = map[string]int{"retired_below": version}
		})
		m.later(time.Minute, func() {
			m.add(audit.KindFinality, func(e *audit.Entry) {
				m.by(e, "keys", "")
				e.Counts = map[string]int{"retired_below": version, "erasures": 1}
			})
		})
	})
}

// changePolicy lets another version decide from here on, which the log is told first.
func (m *maker) changePolicy() {
	m.policy = m.versions[1]
	m.add(audit.KindPolicyLoad, func(e *audit.Entry) { m.by(e, "process", "") })
}

// broken is a restoration some of whose values do not open.
func (m *maker) broken() {
	var entry audit.Entry
	id := m.add(audit.KindRestore, func(e *audit.Entry) {
		m.gateway(e, "llm-same-end-user")
		e.Reason = "LLM_RESPONSE"
		m.restored(e, map[string]int{"PERSON": 3}, "full")
		entry = *e
	})
	m.add(audit.KindIntegrityFailure, func(e *audit.Entry) {
		kept := *e
		*e = entry
		e.Kind, e.ChangeID = kept.Kind, kept.ChangeID
		e.Tokens, e.Obligations = entry.Tokens[:1], []string{audit.ObligationIntent + id}
		e.Results, e.Entities = nil, nil
	})
}

// big is a restoration of more tokens than one entry holds.
func (m *maker) big() {
	m.add(audit.KindRestore, func(e *audit.Entry) {
		m.person(e, "lea", "legal-discovery")
		e.Reason, e.Reference, e.ScopeRefs = "LEGAL_DISCOVERY", "MATTER-7", []string{refOf("scope", 7)}
		m.restored(e, map[string]int{"EMAIL_ADDRESS": 1200, "PERSON": 1300}, "full")
	})
}

func (m *maker) prune(to int) {
	m.add(audit.KindPrune, func(e *audit.Entry) {
		m.by(e, "operator", "")
		e.Decision, e.Reference, e.Counts = audit.Allow, "ARCHIVE-2026-3", map[string]int{"from": 0, "to": to}
	})
}

// forget takes out the leaves that a prune entry spoke of.
func (m *maker) forget(to int) {
	for i, leaf := range m.leaves[:to] {
		if e, err := audit.ParseLeaf(leaf); err == nil && e.Kind == audit.KindTokenize {
			m.leaves[i] = nil
		}
	}
}

// facts are what the service would say of itself.
func (m *maker) facts() evidence.Facts {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	dpa := evidence.Agreement{Ref: "DPA-2", From: year(2026), To: year(2028)}
	day := 24 * time.Hour
	return evidence.Facts{
		Tenant: Tenant, Origin: Origin, ToolVersion: "counterfoil test", Made: To.Add(30 * time.Hour), Current: m.versions[1],
		Policies: []evidence.PolicyFile{
			{Version: m.versions[0], Packed: []byte("the tar of the first policy"), Since: start},
			{
				Version: m.versions[1], Packed: []byte("the tar of the second policy"), Since: From.AddDate(0, 0, 40).Add(8 * time.Hour),
				Diff:     []string{"reasons CUSTOMER_SUPPORT max_tokens: 500 -> 50 (narrower)", "=rules support-2 added (wider) <b>"},
				Proposed: evidence.PolicyStep{By: "ole", At: From.AddDate(0, 0, 38), Reference: "PR-12"},
				Promoted: evidence.PolicyStep{By: "olga", At: From.AddDate(0, 0, 40).Add(8 * time.Hour), Reference: "CHG-1"},
			},
		},
		Matrix: &evidence.Table{
			Title:   "Access matrix",
			Columns: []evidence.Column{{Name: "role", Title: "Role", Kind: evidence.KindText}, {Name: "reason", Title: "Reason", Kind: evidence.KindText}, {Name: "class", Title: "Class", Kind: evidence.KindText}},
			Rows:    [][]string{{"gateway", "LLM_RESPONSE", "internal"}, {"support", "CUSTOMER_SUPPORT", "internal"}},
		},
		Reasons: []evidence.Reason{
			{Code: "LLM_RESPONSE", Description: "The answer of a model.", MaxTokens: 500},
			{Code: "CUSTOMER_SUPPORT", Description: "A support case.", MaxTokens: 50, Reference: true},
			{Code: "LEGAL_DISCOVERY", Description: "A legal matter.", MaxTokens: 5000, Reference: true},
			{Code: "BREAK_GLASS", Description: "An emergency.", MaxTokens: 100, Reference: true, Review: 72 * time.Hour},
		},
		Destinations: []evidence.Destination{
			{Name: "openai/us", Vendor: "OpenAI", Region: "us", DPA: evidence.Agreement{Ref: "DPA-1", From: year(2026), To: year(2028)}, VendorRetentionDays: 30},
			{Name: "anthropic/eu", Vendor: "Anthropic", Region: "eu", DPA: dpa, BAA: evidence.Agreement{Ref: "BAA-2", From: year(2026), To: year(2028)}, Requires: []string{"dpa"}, VendorRetentionDays: 30},
			{Name: "google/eu", Vendor: "Google", Region: "eu", DPA: evidence.Agreement{Ref: "DPA-3", From: year(2025), To: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}, Requires: []string{"dpa"}, VendorRetentionDays: 55},
		},
		Retention: []evidence.RetentionSetting{
			{Class: "internal", For: 180 * day}, {Class: "confidential", For: 90 * day}, {Class: "restricted", For: 30 * day},
			{Entity: "US_SSN", ScopeKind: "conversation", For: 7 * day},
		},
		Records:  []evidence.RecordSetting{{Record: "requests of persons", For: "24 months after they were closed"}, {Record: "the log", For: "for ever"}},
		KeyEpoch: 7 * day, BackupHorizon: 35 * day, KeyBackups: 7 * day,
		Export: &evidence.ExportState{Next: int64(len(m.leaves)), At: To.Add(30 * time.Hour)},
	}
}
