package evidencetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

var destinations = []string{"openai/us", "anthropic/eu", "anthropic/eu", "google/eu"}

var models = map[string]string{"openai/us": "gpt-5", "anthropic/eu": "claude-sonnet-5", "google/eu": "gemini-3"}

// classOf has the entities of made prompts.
var classOf = map[string]string{
	"PERSON": "internal", "EMAIL_ADDRESS": "internal", "PHONE_NUMBER": "internal", "IBAN_CODE": "confidential",
	"CREDIT_CARD": "confidential", "US_SSN": "restricted",
}

func (m *maker) entities(n int) map[string]int {
	found := make(map[string]int)
	for range n {
		found[m.oneOf("PERSON", "PERSON", "EMAIL_ADDRESS", "EMAIL_ADDRESS", "PHONE_NUMBER", "IBAN_CODE", "CREDIT_CARD", "US_SSN")]++
	}
	return found
}

func sumOf(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func classesOf(found map[string]int) (list []string) {
	seen := make(map[string]bool)
	for _, class := range []string{"confidential", "internal", "restricted"} {
		for entity := range found {
			if classOf[entity] == class && !seen[class] {
				seen[class] = true
				list = append(list, audit.ObligationClass+class)
			}
		}
	}
	return list
}

// gateway fills an entry of a machine that calls for an end user.
func (m *maker) gateway(e *audit.Entry, rule string) {
	m.person(e, m.oneOf("gw-chat", "gw-chat", "gw-mail"), rule)
	e.OnBehalfOf, e.EndUserAssurance = digestOf("user", m.rng.IntN(200)), "token"
	e.ScopeRefs = []string{refOf("scope", m.rng.IntN(2000))}
}

func (m *maker) tokenize() {
	destination := destinations[m.rng.IntN(len(destinations))]
	found := m.entities(1 + m.rng.IntN(5))
	request := ""
	m.add(audit.KindTokenize, func(e *audit.Entry) {
		m.gateway(e, "gateway-tokenize")
		e.Destination, e.Entities = destination, found
		e.Obligations = classesOf(found)
		e.Results = map[string]int{"tokenized": sumOf(found)}
		if destination == "anthropic/eu" && m.rng.IntN(4) == 0 {
			e.Entities = map[string]int{"DATE_TIME": 1, "PERSON": 1}
			e.Results, e.Obligations = map[string]int{"allowed": 1, "tokenized": 1}, []string{audit.ObligationClass + "internal"}
		}
		e.Tokens = m.tokens(e.Results["tokenized"])
		request = e.RequestID
	})
	if m.rng.IntN(3) > 0 {
		m.later(m.minutes(2), func() { m.dispatch(request, destination) })
	}
}

func (m *maker) dispatch(request, destination string) {
	m.add(audit.KindDispatch, func(e *audit.Entry) {
		m.person(e, "gw-chat", "gateway-dispatch")
		e.RequestID, e.Destination, e.Model, e.Reference = request, destination, models[destination], "req_"+m.hex(16)
		e.Code, e.Counts = m.oneOf("ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "error", "timeout"), map[string]int{
			"latency_ms": 200 + m.rng.IntN(6000), "input_tokens": 100 + m.rng.IntN(3000), "output_tokens": 20 + m.rng.IntN(800),
		}
	})
}

// restored fills what a restoration says of what it gave back.
func (m *maker) restored(e *audit.Entry, found map[string]int, form string) {
	n := sumOf(found)
	e.Entities, e.Tokens = found, m.tokens(n)
	e.Results = map[string]int{"restored": n}
	e.Obligations = append(e.Obligations, "form:"+form, "max_tokens:500")
}

func (m *maker) answer() {
	first := m.add(audit.KindRestore, func(e *audit.Entry) {
		m.gateway(e, "llm-same-end-user")
		e.Reason = "LLM_RESPONSE"
		m.restored(e, m.entities(1+m.rng.IntN(3)), "full")
		if m.rng.IntN(20) == 0 {
			e.Decision, e.Results["unknown"] = audit.Partial, 1
		}
	})
	if m.rng.IntN(200) > 0 {
		return
	}
	m.later(m.minutes(1), func() { // the same request again, as after a lost answer
		m.add(audit.KindRestore, func(e *audit.Entry) {
			m.gateway(e, "llm-same-end-user")
			e.Reason, e.ReplayOf = "LLM_RESPONSE", first
			m.restored(e, m.entities(1), "full")
		})
	})
}

func (m *maker) support() {
	m.add(audit.KindRestore, func(e *audit.Entry) {
		m.person(e, m.oneOf("sue", "sam", "sid"), "support")
		e.Reason, e.Reference, e.ScopeRefs = "CUSTOMER_SUPPORT", "TICKET-"+m.hex(6), []string{refOf("scope", m.rng.IntN(2000))}
		e.SubjectRefs = []string{refOf("subject", m.rng.IntN(300))}
		e.Obligations = []string{"reference"}
		m.restored(e, map[string]int{m.oneOf("EMAIL_ADDRESS", "PHONE_NUMBER"): 1}, m.oneOf("full", "partial"))
	})
}

func (m *maker) denied() {
	m.add(audit.KindRestore, func(e *audit.Entry) {
		m.gateway(e, "llm-same-end-user")
		e.Decision, e.RuleIDs, e.Reason = audit.Deny, nil, "LLM_RESPONSE"
		switch m.rng.IntN(3) {
		case 0:
			e.Code, e.Results = "denied:no_rule", map[string]int{"denied": 1 + m.rng.IntN(3)}
		case 1:
			e.Code, e.Results = "exhausted:budget", map[string]int{"restored": 2}
		default:
			e.Results = map[string]int{"unknown": 1}
		}
		if e.Code != "" && m.rng.IntN(4) == 0 { // those with a code are counted by the minute
			e.Counts, e.Results = map[string]int{"denials": 1 + m.rng.IntN(30)}, nil
		}
	})
}

func (m *maker) refused() {
	m.add(audit.KindRequestRefused, func(e *audit.Entry) {
		m.by(e, "api", m.oneOf("sue", "gw-mail", "ole"))
		e.Decision, e.Code = audit.Deny, m.oneOf("denied:hold_place", "denied:erase", "denied:policy_manage")
	})
}

// stream is a grant, with a flush now and then, and its end.
func (m *maker) stream() {
	const ttl = 300
	var grant audit.Entry
	id := m.add(audit.KindGrant, func(e *audit.Entry) {
		m.gateway(e, "llm-same-end-user")
		e.Reason, e.Counts = "LLM_RESPONSE", map[string]int{"ttl_seconds": ttl}
		m.restored(e, m.entities(2+m.rng.IntN(6)), "full")
		e.Results = nil
		grant = *e
	})
	of := func(e *audit.Entry) {
		e.Channel, e.Actor, e.Client, e.OnBehalfOf, e.EndUserAssurance = grant.Channel, grant.Actor, grant.Client, grant.OnBehalfOf, grant.EndUserAssurance
		e.ScopeRefs, e.Reason, e.PolicyVersion, e.RequestID = grant.ScopeRefs, grant.Reason, grant.PolicyVersion, m.hex(32)
		e.Decision, e.RuleIDs, e.Obligations = audit.Allow, grant.RuleIDs, []string{audit.ObligationGrant + id}
	}
	closeAfter := 20 * time.Second
	if m.rng.IntN(3) == 0 {
		m.later(10*time.Second, func() {
			m.add(audit.KindGrantFlush, func(e *audit.Entry) { of(e); e.Tokens, e.Entities = m.tokens(2), map[string]int{"PERSON": 2} })
		})
	}
	m.later(closeAfter, func() {
		m.add(audit.KindGrantClose, func(e *audit.Entry) {
			of(e)
			e.Code, e.Results = m.oneOf("ended", "ended", "revoked"), map[string]int{"restored": sumOf(grant.Entities)}
		})
	})
}
