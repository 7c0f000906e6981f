package controls

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// policyChanges looks whether two people changed the policy. Proposals and promotions
// are in the log of the system; that of a tenant says from when on a version is in
// force there, and the facts who proposed and who promoted it.
type policyChanges struct {
	base
	proposer map[string]string // by the change that proposed it
	seen     map[string]bool   // versions
	facts    map[string]evidence.PolicyFile
}

func newPolicyChanges(e *env) query {
	q := &policyChanges{base{env: e}, make(map[string]string), make(map[string]bool), make(map[string]evidence.PolicyFile)}
	for _, file := range e.facts.Policies {
		q.facts[file.Version] = file
	}
	return q
}

func (q *policyChanges) take(c *evidence.Change, in bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	switch e.Kind {
	case audit.KindPolicyPropose:
		q.proposer[e.ChangeID] = strings.Clone(e.Actor)
	case audit.KindPolicyChange:
		if in && (e.Code == "promote" || e.Code == "rollback") {
			q.population++
			q.changed(c)
		}
	case audit.KindPolicyLoad:
		first := !q.seen[e.PolicyVersion]
		q.seen[strings.Clone(e.PolicyVersion)] = true
		switch {
		case !in:
		case e.Code == "reload":
			q.population++
			q.unsure("a configured policy that was read again: who changed it is kept where it is kept")
		case first:
			q.population++
			q.announced(c.First, e.PolicyVersion)
		}
	}
}

func (q *policyChanges) changed(c *evidence.Change) {
	switch proposer, known := q.proposer[c.Proceeding()]; {
	case !known:
		q.unsure("a change of a proposal that is not in this log")
	case proposer == c.Entry.Actor:
		q.broken(c.First, "a policy whose proposer promoted it or rolled it back")
	}
}

func (q *policyChanges) announced(index int64, version string) {
	switch file, known := q.facts[version]; {
	case !known:
		q.unsure("a policy version of which it was not given who proposed it")
	case file.Proposed.By == "":
		q.unsure("a configured policy version: who changed it is kept where it is kept")
	case file.Promoted.By == "":
		q.unsure("a policy version on trial, which nobody promoted yet")
	case file.Proposed.By == file.Promoted.By:
		q.broken(index, "a policy whose proposer promoted it or rolled it back")
	}
}
