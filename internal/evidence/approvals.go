package evidence

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// approvals are what others were asked to agree to.
type approvals struct {
	*builder
	byID  map[string]*approval
	order []*approval
}

type approval struct {
	index                                           int64
	id, operation, reason, reference, actor, client string
	required, tokens                                int
	at, decided, usedAt                             time.Time
	approvers                                       []string
	rejecter                                        string
	used                                            int64 // index of the entry, -1 for none
	usedKind                                        string
	touched                                         bool // something of it is in the period
}

// What approval_decide says in its code.
const (
	codeApprove = "approve"
	codeReject  = "reject"
	codeRedeem  = "redeem"
)

func (a *approvals) take(c *Change, in bool) {
	e, w := &c.Entry, a.words.one
	if !ran(e) {
		return
	}
	if e.Kind == audit.KindApprovalRequest {
		p := &approval{
			index: c.First, id: e.ChangeID, operation: w(e.Code), reason: w(e.Reason), reference: e.Reference, actor: w(e.Actor),
			client: w(e.Client.ClientID), required: e.Counts["approvals"], tokens: e.Counts["tokens"], at: e.Time, used: -1, touched: in,
		}
		a.byID[p.id] = p
		a.order = append(a.order, p)
		return
	}
	p := a.byID[c.Proceeding()]
	if p == nil {
		return
	}
	p.touched = p.touched || in
	if e.Kind != audit.KindApprovalDecide || e.Code == codeRedeem {
		if p.used < 0 { // it is used once; what says how the use went on names it, too
			p.used, p.usedAt, p.usedKind = c.First, e.Time, w(string(e.Kind))
		}
		return
	}
	switch e.Code {
	case codeApprove:
		if p.approvers = append(p.approvers, w(e.Actor)); len(p.approvers) == p.required {
			p.decided = e.Time
		}
	case codeReject:
		p.rejecter, p.decided = w(e.Actor), e.Time
	}
}

// state is how far it had come at the end of the period.
func (p *approval) state() string {
	switch {
	case p.used >= 0:
		return "used"
	case p.rejecter != "":
		return "rejected"
	case !p.decided.IsZero():
		return "approved"
	default:
		return "open"
	}
}

// byOthers tells whether as many as were required agreed, all different, none of
// them who asked.
func (p *approval) byOthers() bool {
	seen := map[string]bool{p.actor: true}
	for _, name := range p.approvers {
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	return p.rejecter == "" && len(p.approvers) >= p.required && p.required > 0
}

func (a *approvals) tables() []Table {
	t := Table{
		Name: TableApprovals, Title: "Approvals",
		Query: "Entries of kind approval_request, with the entries of kind approval_decide and of the use that name them as proceeding: " +
			"those of which any is in the period, as they stood at its end.",
		Notes: []string{
			"open: neither agreed to nor rejected. An approval lapses after 24 hours; that is no entry.",
			"The log names the accounts. That nobody agrees to their own request under another account is kept by the service, not shown here.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Asked", KindTime}, {"approval", "Approval", KindRef}, {"operation", "Operation", KindText},
			{"reason", "Reason", KindText}, {"reference", "Reference", KindRef}, {"requester", "Requester", KindRef}, {"client", "Client", KindRef},
			{"tokens", "Tokens", KindCount}, {"required", "Required", KindCount}, {"approvers", "Approvers", KindText},
			{"rejected_by", "Rejected by", KindRef}, {"state", "State", KindText}, {"decided_at", "Decided", KindTime},
			{"time_to_decide", "Time to decide", KindDuration}, {"used_by", "Used by entry", KindRef}, {"used_as", "Used as", KindText},
			{"used_at", "Used", KindTime}, {"by_others", "Enough others agreed before use", KindText},
		},
	}
	for _, p := range a.shown() {
		used, others := "", ""
		if p.used >= 0 {
			used, others = place(p.used), yes(p.byOthers() && p.decided.Compare(p.usedAt) <= 0)
		}
		t.Entries = append(t.Entries, p.index)
		t.Rows = append(t.Rows, []string{
			place(p.index), moment(p.at), p.id, p.operation, p.reason, p.reference, p.actor, p.client, count(p.tokens), count(p.required),
			list(p.approvers), p.rejecter, p.state(), moment(p.decided), between(p.at, p.decided), used, p.usedKind, moment(p.usedAt), others,
		})
	}
	return []Table{t}
}

func (a *approvals) shown() []*approval {
	return slices.DeleteFunc(slices.Clone(a.order), func(p *approval) bool { return !p.touched })
}
