package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
)

// grantUse is a grant in the hands of the one to whom it was given: what it says,
// and what was taken of it here. It is for one goroutine at a time.
type grantUse struct {
	s    *Service // not under a policy: each flush is decided under the one in force
	call Call
	keys *keySet
	row  Proceeding
	body grantBody

	named map[MappingRef]bool // that its own entry covers
	drawn map[MappingRef]bool // that an entry of a flush covers
	fresh []MappingRef        // given, and not yet noted as used
	noted map[MappingRef]bool
}

// overError says that a grant gives nothing any more, and why. It is the answer to
// a flush, not to a caller.
type overError struct{ why string }

func (e *overError) Error() string { return "vault: the grant is over: " + e.why }

// Why a stream gives nothing any more.
const (
	overClosed      = "closed"      // the grant was closed
	overExpired     = "expired"     // its time is over
	overSuspended   = "suspended"   // the tenant is not served
	overUnavailable = "unavailable" // the store or the key service did not answer
	overUnreadable  = "unreadable"  // a frame could not be read, and what follows it passes as it is
)

// useGrant finds a grant of the caller's that stands. To anybody else it is as if
// it were not there.
func (s *Service) useGrant(ctx context.Context, call Call, id string) (*grantUse, error) {
	keys, err := s.begin(ctx, call)
	if err != nil {
		return nil, public(err)
	}
	var body grantBody
	row, err := s.storedProceeding(ctx, call.Caller.Tenant, ProceedingGrant, id, &body)
	if err != nil {
		return nil, err
	}
	if len(body.Tokens) > len(body.Scopes) {
		return nil, public(fmt.Errorf("vault: a grant that names tokens of no scope"))
	}
	u := &grantUse{
		s: s, call: call, keys: keys, row: row, body: body,
		named: body.named(), drawn: make(map[MappingRef]bool), noted: make(map[MappingRef]bool),
	}
	if !body.of(row.Actor, call.Caller, keys) && !s.faults.ignoreGrantee {
		entry := u.entry(s.under(call))
		entry.Code, entry.Reference, entry.Recipient = "grantee", "", ""
		return nil, s.deny(ctx, call.Caller.Tenant, entry, errNoGrant())
	}
	if row.State.Closes() || expired(row, s.clock()) {
		return nil, Errorf(CodeConflict, "the grant is over")
	}
	return u, nil
}

func errNoGrant() *Error { return Errorf(CodeNotFound, "there is nothing of that id") }

// flush decides what becomes of the tokens of a piece of an answer, and gives what
// may be given. The order is that of Detokenize: what the grant's entry does not
// cover has an entry before it is opened (invariant 1); what it covers is checked
// against the primary, and opened from what was read there, so that what was erased
// or revoked before the flush began is not given by it (invariant 8).
func (u *grantUse) flush(ctx context.Context, found []occurrence) error {
	ctx, cancel := context.WithTimeout(ctx, FlushTimeout)
	defer cancel()
	for range MaxAttempts {
		err := u.attempt(ctx, found)
		if err == nil || !plannable(err) {
			return err
		}
	}
	return public(ErrConflict)
}

func (u *grantUse) attempt(ctx context.Context, found []occurrence) error {
	s := u.s.under(u.call)
	j := &restoreJob{
		s: s, call: u.call, keys: u.keys, entry: u.entry(s), found: found,
		req: DetokenizeRequest{Reason: ReasonGiven{Code: u.body.Reason, Reference: u.body.Reference}, Recipient: u.body.Recipient},
	}
	some, _ := j.anyEntity()
	j.labels(some)
	live, err := u.live(ctx, j)
	if err != nil {
		return err
	}
	refs := j.decideMappings()
	intent := u.row.ID
	if draws := u.uncovered(s, j, refs, live); len(draws) > 0 {
		if intent, err = u.draw(ctx, j, draws); err != nil {
			return err
		}
	}
	opened, err := u.openKeys(ctx, j, live.Keys)
	if err != nil {
		return err
	}
	if err := j.open(ctx, opened, intent); err != nil {
		return err
	}
	for i := range j.found {
		o := &j.found[i]
		if use := (MappingRef{o.mapping.ScopeID, o.mapping.TokenID}); o.gives() && !u.noted[use] {
			u.noted[use] = true
			u.fresh = append(u.fresh, use)
		}
	}
	return nil
}

// entry begins the entry of a flush.
func (u *grantUse) entry(s *Service) audit.Entry {
	e := s.entry(u.call, audit.KindGrantFlush, u.keys)
	e.Reason, e.Reference, e.Recipient = u.body.Reason, u.body.Reference, u.body.Recipient
	e.Obligations = []string{audit.ObligationGrant + u.row.ID}
	return e
}

// live reads the world of the flush, once and from the primary. Where the grant
// stands no more it is an overError.
func (u *grantUse) live(ctx context.Context, j *restoreJob) (Live, error) {
	ctx, end := stage.Start(ctx, stage.Read)
	defer end()
	q := LiveQuery{GrantID: u.row.ID}
	j.scopes = u.body.scopes()
	for _, scope := range j.scopes {
		q.ScopeIDs = append(q.ScopeIDs, scope.ID)
	}
	for i := range j.found {
		if o := &j.found[i]; o.status == undecided && o.readable {
			o.form, o.decision, o.mapping, o.standing = "", access.Decision{}, Mapping{}, nil
			q.TokenIDs = append(q.TokenIDs, o.token.ID)
		}
	}
	q.TokenIDs = unique(q.TokenIDs)
	live, err := j.s.grants.Live(ctx, u.call.Caller.Tenant, q)
	if errors.Is(err, ErrNotFound) {
		return live, &overError{overClosed}
	}
	if err != nil {
		return live, err
	}
	if over := live.over(); over != nil && !j.s.faults.ignoreGrantEnd {
		return live, over
	}
	byScope := make(map[string][]Mapping, len(q.ScopeIDs))
	for _, m := range live.Mappings {
		byScope[m.ScopeID] = append(byScope[m.ScopeID], m)
	}
	for _, id := range q.ScopeIDs {
		j.stand(byScope[id])
	}
	j.suspended = live.Suspensions
	return live, j.readConsents(ctx)
}

// over tells whether the grant stands no more.
func (l *Live) over() error {
	switch {
	case l.Grant.State.Closes():
		return &overError{overClosed}
	case expired(l.Grant, l.At):
		return &overError{overExpired}
	case l.State != TenantActive:
		return &overError{overSuspended}
	default:
		return nil
	}
}

// uncovered are the values that no entry names yet under this policy: beyond those
// of the grant, or decided under another policy than it was. What the grant has no
// budget for is refused.
func (u *grantUse) uncovered(s *Service, j *restoreJob, refs []RestoreRef, live Live) []RestoreRef {
	same := s.rules().Version() == u.body.PolicyVersion
	room := u.body.Budget - len(u.named) - live.Drawn
	var draws []RestoreRef
	for _, ref := range refs {
		use := MappingRef{ref.ScopeID, ref.TokenID}
		if same && u.named[use] || u.drawn[use] || u.drawnBefore(s, use) || s.faults.silentFlush {
			continue
		}
		if !u.named[use] {
			if room <= 0 {
				j.refuse(use, StatusOverBudget)
				continue
			}
			room--
		}
		draws = append(draws, ref)
	}
	return draws
}

// drawnBefore tells whether this process wrote the entry of a flush of the grant that
// names the value, under the policy in force. Of another process's there is another.
func (u *grantUse) drawnBefore(s *Service, use MappingRef) bool {
	return len(s.uses.unknown(u.call.Caller.Tenant, u.drawsUnder(s), []MappingRef{use})) == 0
}

// drawsUnder is under which name draws are remembered.
func (u *grantUse) drawsUnder(s *Service) string { return u.row.ID + " " + s.rules().Version() }

// refuse takes back what was decided about a value.
func (j *restoreJob) refuse(use MappingRef, status Status) {
	for i := range j.found {
		if o := &j.found[i]; o.gives() && o.mapping.ScopeID == use.ScopeID && o.mapping.TokenID == use.TokenID {
			o.status, o.form = status, ""
		}
	}
}

// draw commits the entry of what is about to be given beyond what the grant's own
// entry covers, and returns the id of its change.
func (u *grantUse) draw(ctx context.Context, j *restoreJob, draws []RestoreRef) (string, error) {
	ctx, end := stage.Start(ctx, stage.Commit)
	defer end()
	about := make(map[MappingRef]bool, len(draws))
	draw := &Draw{GrantID: u.row.ID, Most: u.body.Budget - len(u.named)}
	for _, ref := range draws {
		use := MappingRef{ref.ScopeID, ref.TokenID}
		about[use] = true
		if !u.named[use] {
			draw.Uses = append(draw.Uses, use)
		}
	}
	entry, owed := j.part(about)
	effect := Restore{
		Refs: draws, By: by(u.call.Caller, u.keys, u.body.Reason), Spends: owed.spends(u.call.Caller, u.keys, u.body.Reason),
		Standing: append(j.standing(), u.row.ID), Draw: draw,
	}
	committed, err := j.s.commitRiding(ctx, u.call.Caller.Tenant, effect, entry, &claiming{}, nil)
	switch {
	case errors.Is(err, ErrExhausted):
		for use := range about {
			j.refuse(use, StatusOverBudget)
		}
		return u.row.ID, nil
	case err != nil:
		return "", err
	}
	for use := range about {
		u.drawn[use] = true
		j.s.uses.add(u.call.Caller.Tenant, u.drawsUnder(j.s), []MappingRef{use})
	}
	for _, use := range draw.Uses {
		u.noted[use] = true // the store noted it with the change
	}
	return committed.changeID, nil
}

// part is the entry about some of the values, and what these come with.
func (j *restoreJob) part(about map[MappingRef]bool) (audit.Entry, demands) {
	some := *j
	some.found = slices.DeleteFunc(slices.Clone(j.found), func(o occurrence) bool {
		return !o.gives() || !about[MappingRef{o.mapping.ScopeID, o.mapping.TokenID}]
	})
	var owed demands
	for i := range some.found {
		o := &some.found[i]
		owed.add(o.decision, MappingRef{o.mapping.ScopeID, o.mapping.TokenID})
	}
	entry := some.describe()
	entry.Obligations = unique(append(entry.Obligations, j.entry.Obligations...))
	return entry, owed
}

// openKeys opens the data keys of what is given, as they were read with it.
func (u *grantUse) openKeys(ctx context.Context, j *restoreJob, stored []DataKey) (map[string]envelope.OpenedKey, error) {
	wanted := make(map[string]bool)
	for i := range j.found {
		if o := &j.found[i]; o.gives() {
			wanted[o.mapping.KeyID] = true
		}
	}
	stored = slices.DeleteFunc(slices.Clone(stored), func(k DataKey) bool { return !wanted[k.ID] })
	if len(stored) == 0 {
		return nil, nil
	}
	ctx, end := stage.Start(ctx, stage.Unwrap)
	defer end()
	return j.s.openKeys(ctx, u.call.Caller.Tenant, stored)
}

// note keeps what was given since the last time, for the closing entry. It is
// bookkeeping: the entry of what was given is written already.
func (u *grantUse) note(ctx context.Context) error {
	if len(u.fresh) == 0 {
		return nil
	}
	err := u.s.grants.NoteUses(ctx, u.call.Caller.Tenant, u.row.ID, u.fresh)
	if err == nil {
		u.fresh = nil
	}
	return err
}
