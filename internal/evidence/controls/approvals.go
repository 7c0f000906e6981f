package controls

import (
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// approvalLife is how long an approval may be used (vault.ApprovalLife).
const approvalLife = day

// approvals looks whether others agreed before what needs their word was done.
type approvals struct {
	base
	open map[string]*approval
}

type approval struct {
	actor     string
	required  int
	at        time.Time
	approvers map[string]bool
	rejected  bool
	uses      int
}

func newApprovals(e *env) query { return &approvals{base{env: e}, make(map[string]*approval)} }

func (q *approvals) take(c *evidence.Change, in bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	if e.Kind == audit.KindApprovalRequest {
		q.open[e.ChangeID] = &approval{
			actor: strings.Clone(e.Actor), required: e.Counts["approvals"], at: e.Time, approvers: make(map[string]bool),
		}
		return
	}
	asked := q.open[c.Proceeding()]
	switch {
	case asked == nil:
	case e.Kind == audit.KindApprovalDecide && e.Code == "approve":
		asked.approvers[strings.Clone(e.Actor)] = true
	case e.Kind == audit.KindApprovalDecide && e.Code == "reject":
		asked.rejected = true
	case e.Kind == audit.KindIntegrityFailure, e.Kind == audit.KindOutcome:
		// They say how its use went on.
	default:
		asked.uses++
		if in {
			q.population++
			q.judge(c.First, asked, e.Time)
		}
	}
}

func (q *approvals) judge(index int64, a *approval, used time.Time) {
	switch {
	case a.uses > 1:
		q.broken(index, "an approval that was used before")
	case a.rejected:
		q.broken(index, "an approval that was rejected")
	case a.approvers[a.actor]:
		q.broken(index, "an approval by who asked for it")
	case len(a.approvers) < max(a.required, 1):
		q.broken(index, "an approval by fewer than were required")
	case used.Sub(a.at) > approvalLife:
		q.broken(index, "an approval whose time was over")
	}
}

// breakGlass looks whether uses that are allowed at once are looked at afterwards.
type breakGlass struct {
	base
	open  map[string]*use
	order []*use
}

type use struct {
	index        int64
	actor        string
	at, due      time.Time
	closed       time.Time
	reviewer     string
	usedInPeriod bool
}

func newBreakGlass(e *env) query { return &breakGlass{base{env: e}, make(map[string]*use), nil} }

func (q *breakGlass) take(c *evidence.Change, in bool) {
	e := &c.Entry
	if hours := c.ReviewHours(); hours > 0 {
		u := &use{
			index: c.First, actor: strings.Clone(e.Actor), at: e.Time, due: e.Time.Add(time.Duration(hours) * time.Hour), usedInPeriod: in,
		}
		q.open[e.ChangeID] = u
		q.order = append(q.order, u)
		return
	}
	if e.Kind != audit.KindReviewClose || !done(e) {
		return
	}
	if u := q.open[c.Proceeding()]; u != nil {
		u.closed, u.reviewer = e.Time, strings.Clone(e.Actor)
		delete(q.open, c.Proceeding())
	}
}

func (q *breakGlass) finish() *finding {
	for _, u := range q.order {
		dueNow := !u.due.Before(q.period.From) && u.due.Before(q.end)
		if !dueNow && (!u.usedInPeriod || u.closed.IsZero()) {
			continue
		}
		q.population++
		switch {
		case u.closed.IsZero():
			q.broken(u.index, "a use that nobody looked at in time")
		case u.closed.After(u.due):
			q.broken(u.index, "a use that somebody looked at too late")
		case u.reviewer == u.actor:
			q.broken(u.index, "a use that was looked at by who made it")
		}
	}
	return &q.finding
}

// quarter is within how long access is to be reviewed: the longest quarter of a year.
const quarter = 92 * day

// accessReviews looks whether somebody looked at who may have what back.
type accessReviews struct {
	base
	first, last time.Time
}

func newAccessReviews(e *env) query { return &accessReviews{base: base{env: e}} }

func (q *accessReviews) take(c *evidence.Change, _ bool) {
	e := &c.Entry
	if q.first.IsZero() {
		q.first = e.Time
	}
	if e.Kind == audit.KindAccessReview && done(e) {
		q.last = e.Time
	}
}

// systemTenant is whose log the process itself writes (vault.SystemTenant).
const systemTenant = "_system"

func (q *accessReviews) finish() *finding {
	if q.facts.Tenant == systemTenant {
		return &finding{untold: "access is reviewed tenant by tenant"}
	}
	since := q.end.Add(-quarter)
	switch {
	case !q.last.IsZero() && !q.last.Before(since):
		q.population = 1
	case !q.first.IsZero() && q.first.Before(since):
		q.population = 1
		q.broken(-1, "no access review in the quarter before the end of the period")
	}
	return &q.finding
}
