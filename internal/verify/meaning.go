package verify

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A class is what is remembered of a change by its id.
type class byte

const (
	classOther  class = iota
	classIntent       // something may have been given back, or more of it
	classGrant        // a grant, whose details are remembered until it is closed
	classClosed       // one that was closed
)

// meaning is what is remembered of the entries before, as far as later ones name
// it.
type meaning struct {
	approvals map[changeID]*approval
	grants    map[changeID]grant
	announced map[string]struct{} // policy versions
	announces bool                // from here on every policy version was announced
}

func newMeaning() meaning {
	return meaning{
		approvals: make(map[changeID]*approval), grants: make(map[changeID]grant), announced: make(map[string]struct{}),
	}
}

// partial tells whether entries before this one may be unknown: then what is named
// and not known may be one of them.
func (v *verifier) partial() bool { return v.from > 0 || v.pruned.count > 0 }

// remember keeps of an entry what later ones may name. It is the last of the rules.
func (v *verifier) remember(_ int64, e *audit.Entry) error {
	if e.Seq != 0 {
		return nil
	}
	id, of := idOf(e.ChangeID), classOther
	if e.Decision != audit.Deny {
		switch e.Kind {
		case audit.KindRestore, audit.KindGrantFlush, audit.KindSubjectSearch:
			of = classIntent
		case audit.KindGrant:
			of = classGrant
			v.grants[id] = grantOf(e)
		case audit.KindApprovalRequest:
			v.approvals[id] = &approval{requester: personOf(e), required: e.Counts["approvals"]}
		}
	}
	v.seen[id] = of
	return nil
}

// An approval is what others were asked to agree to.
type approval struct {
	requester      changeID
	required       int
	agreed         []changeID // who did, each once
	rejected, used bool
}

// personOf stands for an actor. Capitals do not make another person.
func personOf(e *audit.Entry) changeID { return idOf(strings.ToLower(e.Actor)) }

// The codes of an entry of kind approval_decide.
const (
	codeApprove = "approve"
	codeReject  = "reject"
)

// usesNone are the kinds whose entries name a proceeding without using an approval:
// they ask, decide, look at it, refuse, or go with an entry that uses it.
var usesNone = map[audit.Kind]bool{
	audit.KindApprovalRequest: true, audit.KindReviewOpen: true, audit.KindReviewClose: true, audit.KindRequestRefused: true,
	audit.KindOutcome: true, audit.KindIntegrityFailure: true, audit.KindReseal: true, audit.KindSubjectSearch: true,
	audit.KindGrantFlush: true, audit.KindGrantClose: true, audit.KindGrantRenew: true, audit.KindDispatch: true,
}

// usesOne are the kinds whose entries name no proceeding but an approval that they
// use. Those of other kinds name proceedings of other kinds, too.
var usesOne = map[audit.Kind]bool{
	audit.KindRestore: true, audit.KindGrant: true, audit.KindErase: true, audit.KindHoldRelease: true,
	audit.KindKeyRetire: true, audit.KindTenantClose: true, audit.KindApprovalDecide: true,
}

func (v *verifier) redeem(at int64, e *audit.Entry) error {
	if e.Seq != 0 || e.Decision == audit.Deny || usesNone[e.Kind] {
		return nil
	}
	for _, id := range e.About(audit.ObligationProceeding) {
		asked := v.approvals[idOf(id)]
		var wrong string
		switch {
		case asked == nil && (!usesOne[e.Kind] || v.partial()):
			continue
		case asked == nil:
			wrong = "nobody asked for the approval that it names before it"
		case e.Kind == audit.KindApprovalDecide && e.Code == codeApprove:
			asked.agree(personOf(e))
		case e.Kind == audit.KindApprovalDecide && e.Code == codeReject:
			asked.rejected = true
		default:
			wrong = asked.use()
		}
		if wrong == "" {
			continue
		}
		if err := v.report(at, RuleRedeem, wrong); err != nil {
			return err
		}
	}
	return nil
}

// agree counts each person once, and never who asked.
func (a *approval) agree(who changeID) {
	if who == a.requester {
		return
	}
	for _, before := range a.agreed {
		if before == who {
			return
		}
	}
	a.agreed = append(a.agreed, who)
}

// use is that of an approval, or what is wrong with it.
func (a *approval) use() string {
	switch {
	case a.rejected:
		return "the approval that it names was rejected"
	case a.used:
		return "the approval that it names was used before"
	case len(a.agreed) < a.required:
		return "fewer others agreed before it than the approval that it names asked for"
	}
	a.used = true
	return ""
}

// outcome holds what says how something went on against what was begun.
func (v *verifier) outcome(at int64, e *audit.Entry) error {
	if e.Seq != 0 || e.Kind != audit.KindOutcome && e.Kind != audit.KindIntegrityFailure {
		return nil
	}
	begun := e.About(audit.ObligationIntent)
	// Before entries named it, a value that did not open had an entry of its own.
	if len(begun) == 0 && e.Kind == audit.KindOutcome {
		return v.report(at, RuleOutcome, "it does not name the entry whose outcome it is")
	}
	for _, id := range begun {
		of, known := v.seen[idOf(id)]
		if known && of != classOther || !known && v.partial() {
			continue
		}
		if err := v.report(at, RuleOutcome, "the entry that it names is not before it, or began nothing"); err != nil {
			return err
		}
	}
	return nil
}

// A grant is what a stream goes by.
type grant struct {
	who   changeID // for whom and why
	until time.Time
}

func grantOf(e *audit.Entry) grant { return grant{who: streamOf(e), until: standsUntil(e)} }

// standsUntil is until when a grant stands, by its entry or by that of its renewal.
func standsUntil(e *audit.Entry) time.Time {
	return e.Time.Add(time.Duration(e.Counts[audit.CountTTL]) * time.Second)
}

// streamOf stands for who has what a stream gives, and why. No part of it holds the
// byte between them.
func streamOf(e *audit.Entry) changeID {
	sum := sha256.Sum256([]byte(e.Actor + "\x00" + e.Client.ClientID + "\x00" + e.Reason))
	return changeID(sum[:len(changeID{})])
}

// flush holds what a stream does against its grant.
func (v *verifier) flush(at int64, e *audit.Entry) error {
	if e.Seq != 0 || e.Decision == audit.Deny {
		return nil
	}
	switch e.Kind {
	case audit.KindGrantFlush, audit.KindGrantClose, audit.KindGrantRenew:
	default:
		return nil
	}
	named := e.About(audit.ObligationGrant)
	if len(named) != 1 {
		return v.report(at, RuleFlush, "it does not name its grant")
	}
	id := idOf(named[0])
	of, known := v.seen[id]
	g := v.grants[id]
	var wrong string
	switch {
	case !known && v.partial():
		return nil
	case !known || of != classGrant && of != classClosed:
		wrong = "the grant that it names is not before it, or was refused"
	case of == classClosed:
		wrong = "the grant that it names was closed before"
	case e.Kind == audit.KindGrantClose:
		v.seen[id] = classClosed
		delete(v.grants, id)
	case !e.Time.Before(g.until):
		wrong = "the time of its grant is over"
	case streamOf(e) != g.who:
		wrong = "its grant is of another actor, client or reason"
	case e.Kind == audit.KindGrantRenew:
		g.until = standsUntil(e)
		v.grants[id] = g
	}
	if wrong == "" {
		return nil
	}
	return v.report(at, RuleFlush, wrong)
}

// policy holds the version under which something was decided against those that
// the log announced.
func (v *verifier) policy(at int64, e *audit.Entry) error {
	switch e.Kind {
	case audit.KindTenantCreate, audit.KindPolicyLoad:
		// One that does not say so is of a service that did not announce versions yet.
		v.announces = v.announces || slices.Contains(e.About(audit.ObligationVersion), e.PolicyVersion)
		v.announce(e.PolicyVersion)
		// Of a version that was read again, or proposed, the entry is still made
		// under the one before.
		v.announce(e.Reference)
	case audit.KindPolicyPropose:
		v.announce(e.Reference)
	}
	if e.Kind == audit.KindPolicyPropose || e.Kind == audit.KindPolicyChange {
		for _, version := range e.About(audit.ObligationVersion) {
			v.announce(version)
		}
	}
	if _, known := v.announced[e.PolicyVersion]; known || e.PolicyVersion == "" || !v.announces || v.partial() {
		return nil
	}
	return v.report(at, RulePolicy, "it names a policy version that no entry before it announced")
}

func (v *verifier) announce(version string) {
	if version != "" {
		v.announced[strings.Clone(version)] = struct{}{}
	}
}
