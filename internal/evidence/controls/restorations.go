package controls

import (
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// haveReason looks whether restorations say why.
type haveReason struct{ base }

func newHaveReason(e *env) query { return &haveReason{base{env: e}} }

func (q *haveReason) take(c *evidence.Change, in bool) {
	if !in || !c.Restoration() {
		return
	}
	q.population++
	e := &c.Entry
	switch {
	case e.Reason == "":
		q.broken(c.First, "a restoration without a reason")
	case e.Reference == "" && slices.Contains(e.Obligations, "reference"):
		q.broken(c.First, "a restoration without the reference that its reason demands")
	}
}

// knownPolicy looks whether restorations were decided under a version of which the
// log had been told.
type knownPolicy struct {
	base
	known map[string]bool
}

func newKnownPolicy(e *env) query { return &knownPolicy{base{env: e}, make(map[string]bool)} }

func (q *knownPolicy) take(c *evidence.Change, in bool) {
	e := &c.Entry
	switch e.Kind {
	case audit.KindTenantCreate, audit.KindPolicyLoad:
		q.known[e.PolicyVersion] = true
	case audit.KindPolicyPropose, audit.KindPolicyChange:
		for _, version := range e.About(audit.ObligationVersion) {
			q.known[version] = true
		}
	}
	if !in || !c.Restoration() {
		return
	}
	q.population++
	if !q.known[e.PolicyVersion] {
		q.broken(c.First, "a restoration under a policy version that was not announced before")
	}
}

// minimal looks whether restorations stay within what their reason allows a request.
type minimal struct{ base }

func newMinimal(e *env) query { return &minimal{base{env: e}} }

func (q *minimal) take(c *evidence.Change, in bool) {
	limit := number(c.Entry.AboutOne("max_tokens:"))
	if !in || !c.Restoration() || limit < 0 {
		return
	}
	q.population++
	tokens := slices.Clone(c.Entry.Tokens)
	slices.Sort(tokens)
	if len(slices.Compact(tokens)) > limit {
		q.broken(c.First, "a restoration of more tokens than its reason allows in one request")
	}
}

// denials looks whether denials can be reviewed.
type denials struct{ base }

func newDenials(e *env) query { return &denials{base{env: e}} }

func (q *denials) take(c *evidence.Change, in bool) {
	if !in || c.Entry.Decision != audit.Deny {
		return
	}
	e := &c.Entry
	q.population += c.Denials()
	switch {
	case e.Code == "" && len(e.Results) == 0:
		q.broken(c.First, "a denial that does not say why")
	case e.Actor == "" && e.Channel == "api":
		q.broken(c.First, "a denial that does not say whom")
	}
}

// integrity looks for values that were altered or moved.
type integrity struct{ base }

func newIntegrity(e *env) query { return &integrity{base{env: e}} }

func (q *integrity) take(c *evidence.Change, in bool) {
	switch {
	case !in:
	case c.Restoration():
		q.population++
	case c.Entry.Kind == audit.KindIntegrityFailure:
		q.broken(c.First, "values that did not open: they were altered or moved, and not given")
	}
}

// consents looks whether somebody consented to what restorations were for.
type consents struct {
	base
	standing map[string]*consent            // by the change that gave it
	purposes map[string]map[string]*consent // by purpose, those that stand
}

type consent struct {
	purpose  string
	subjects []string
}

const consentPrefix = "consent:"

func newConsents(e *env) query {
	return &consents{base{env: e}, make(map[string]*consent), make(map[string]map[string]*consent)}
}

func (q *consents) take(c *evidence.Change, in bool) {
	e := &c.Entry
	switch {
	case !done(e):
		return
	case e.Kind == audit.KindConsent:
		given := &consent{strings.Clone(e.Code), slices.Clone(e.SubjectRefs)}
		q.standing[e.ChangeID] = given
		if q.purposes[given.purpose] == nil {
			q.purposes[given.purpose] = make(map[string]*consent)
		}
		q.purposes[given.purpose][e.ChangeID] = given
	case e.Kind == audit.KindWithdrawConsent:
		if given := q.standing[c.Proceeding()]; given != nil {
			delete(q.purposes[given.purpose], c.Proceeding())
		}
	}
	purpose := e.AboutOne(consentPrefix)
	if !in || purpose == "" || !c.Restoration() {
		return
	}
	q.population++
	switch missing, told := q.missing(purpose, e.SubjectRefs); {
	case missing:
		q.broken(c.First, "a restoration for a purpose to which nobody consented, or not everybody whom it is about")
	case !told:
		q.unsure("a restoration of which the log does not tell whose consent it rests on")
	}
}

// missing tells whether there is no consent to a purpose of somebody whom values are
// about, and whether that can be told: one of an older version does not name its person.
func (q *consents) missing(purpose string, subjects []string) (missing, told bool) {
	standing := q.purposes[purpose]
	if len(standing) == 0 {
		return true, true
	}
	named, nameless := make(map[string]bool), false
	for _, c := range standing {
		nameless = nameless || len(c.subjects) == 0
		for _, ref := range c.subjects {
			named[ref] = true
		}
	}
	for _, ref := range subjects {
		if !named[ref] {
			return !nameless, !nameless
		}
	}
	return false, len(subjects) > 0
}
