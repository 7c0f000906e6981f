package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// ErasureRequest asks that what there is of a subject is destroyed.
type ErasureRequest struct {
	Regime         string // gdpr, ccpa or hipaa: whose clock runs
	Subject        string
	ConfirmSubject string // the same again
	Reference      string
	Identity       IdentityCheck // that the person asks
	PreviewID      string        // of a dry run; the match must be as it was then
	DryRun         bool
	Suppress       string // none, 30d or forever; empty is 30d
	// Identifiers name the person where Subject is empty: values that nobody is
	// tied to. Where any is tied to a person, the answer is a conflict.
	Identifiers []Identifier
	// ApprovalID is of an approval of exactly the preview, where the policy demands
	// one for what goes.
	ApprovalID string
}

// ErasureInfo describes an erasure.
type ErasureInfo struct {
	ID, Regime, Reference string
	State                 ErasureState
	Identity              IdentityCheck
	ErasedAt, CompletedAt time.Time // CompletedAt is zero while a part is deferred
	// ExpectedFinalAt is when no backup will open it either, if keys are rotated
	// and trimmed in time; FinalAt is when that came true, zero before.
	ExpectedFinalAt, FinalAt time.Time
	SuppressUntil            time.Time // zero: not at all; SuppressForever: for ever
	Destinations             []ToldOf  // who is to be told that it was erased
	Counts                   ErasureCounts
}

// ToldOf is a destination of what was erased, with what the policy says of it; one
// that the policy dropped has no vendor.
type ToldOf struct {
	DestinationUse
	Vendor, Region string
}

// ErasureResult is the answer to a request for an erasure.
type ErasureResult struct {
	Erasure   *ErasureInfo // nil for a dry run
	Parts     []ErasurePart
	PreviewID string // of a dry run
	// Request is what asked for it, nil for a dry run.
	Request *RequestInfo
	Audit   *audit.Receipt
}

// EraseSubject destroys what there is of a person: everything that is about the
// person alone and that no hold keeps. Nothing of it is restored from the commit
// on, which destroys its data keys; values of others under the same keys are
// sealed anew in it. What a hold keeps is restricted, and goes once the last hold
// is released. A backup of the database has what it had, keys wrapped, until the
// versions of the wrapping key that open them are retired.
func (s *Service) EraseSubject(ctx context.Context, call Call, req ErasureRequest) (ErasureResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionErase, audit.KindErase)
	if err != nil {
		return ErasureResult{}, err
	}
	job, err := s.checkErasure(call, keys, &req)
	if err != nil {
		return ErasureResult{}, err
	}
	entry.Reference = req.Reference
	entry.Obligations = []string{"identity:" + req.Identity.Method}
	job.entry = entry
	return job.run(ctx)
}

// ExecuteErasure erases for a request that was opened before and whose identity
// is established, and is otherwise as EraseSubject. The erasure has the request's
// id.
func (s *Service) ExecuteErasure(ctx context.Context, call Call, id string, req ExecuteRequest) (ErasureResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionErase, audit.KindErase)
	if err != nil {
		return ErasureResult{}, err
	}
	row, err := s.storedRequest(ctx, call.Caller.Tenant, id)
	if err != nil {
		return ErasureResult{}, err
	}
	if row.Kind != RequestErasure {
		return ErasureResult{}, Errorf(CodeConflict, "a request for %s erases nothing", row.Kind)
	}
	job, err := s.newEraseJob(call, keys, row, req)
	if err != nil {
		return ErasureResult{}, err
	}
	if !req.DryRun {
		if err := confirms(&row, keys, req.ConfirmSubject); err != nil {
			return ErasureResult{}, err
		}
	}
	describeStep(&entry, &row, "")
	entry.Obligations = append(entry.Obligations, "identity:"+row.Identity.Method)
	job.entry = entry
	return job.run(ctx)
}

// eraseJob is one request, or one deferred erasure, on its way.
type eraseJob struct {
	s        *Service
	call     Call
	tenant   string
	keys     *keySet
	entry    audit.Entry
	claim    claiming
	preview  string
	dryRun   bool
	suppress Suppression
	request  SubjectRequest // what asks for it; one without an id is opened by the commit
	unnamed  Digest         // of the subject of a request that names none
	erasure  Erasure        // as it begins, or as it stands
	many     bool           // what was looked at is not all that has to be moved
	approval string         // the id of one, where the request names one
	redeems  *redeeming     // it, once it was read
}

// run tries until nobody comes in between.
func (j *eraseJob) run(ctx context.Context) (ErasureResult, error) {
	if !j.dryRun {
		j.claim = j.s.newClaiming(j.call, j.keys)
	}
	for range MaxAttempts {
		result, err := j.attempt(ctx)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return ErasureResult{}, public(ErrConflict)
}

func (j *eraseJob) attempt(ctx context.Context) (ErasureResult, error) {
	if err := j.claim.read(ctx, j.s, j.tenant, &j.entry); err != nil {
		return ErasureResult{}, err
	}
	if j.entry.ReplayOf != "" {
		return j.erasedBefore(ctx, j.entry.ReplayOf)
	}
	if err := j.readRequest(ctx); err != nil {
		return ErasureResult{}, err
	}
	plan, preview, err := j.look(ctx)
	if err != nil {
		return ErasureResult{}, err
	}
	switch {
	case j.dryRun:
		return j.tell(ctx, plan, preview)
	case j.preview == "" && j.request.Subject == Digest{}:
		// What was found by a name may be about somebody of the same name.
		return ErasureResult{}, Invalid("/preview_id", "is required where the person is found by identifiers")
	case j.preview != "" && j.preview != preview:
		return ErasureResult{}, Errorf(CodeConflict, "what would be erased is not what the preview showed")
	}
	if err := j.approve(ctx, plan, preview); err != nil {
		return ErasureResult{}, err
	}
	if plan, err = j.ready(ctx, plan); err != nil {
		return ErasureResult{}, err
	}
	id, committed, err := j.commit(ctx, plan)
	if err != nil {
		return ErasureResult{}, err
	}
	result, err := j.after(ctx, id)
	if err != nil {
		return ErasureResult{}, err
	}
	result.Parts = plan.Parts
	result.Audit, err = j.s.receipt(j.keys, committed)
	return result, err
}

// after reads what the erasure and its request have come to.
func (j *eraseJob) after(ctx context.Context, id string) (ErasureResult, error) {
	info, err := j.s.requestInfo(ctx, j.tenant, id)
	if err != nil {
		return ErasureResult{}, err
	}
	return ErasureResult{Erasure: info.Erasure, Request: &info}, nil
}

// read reads what the erasure would touch. Where more of others' values share the
// keys that go than one commit seals anew, many is true, and the plan has not all
// of them.
func (j *eraseJob) read(ctx context.Context) (plan ErasurePlan, many bool, err error) {
	plan, err = j.s.erasures.PlanErasure(ctx, j.tenant, j.erasure.SubjectRef, j.erasure.ErasedAt, MaxReseals)
	if many = errors.Is(err, ErrTooMany); many {
		err = nil
	}
	return plan, many, err
}

// plan reads what the erasure touches, and first moves others' values that are too
// many for its commit, batch by batch, with an entry for each.
func (j *eraseJob) plan(ctx context.Context) (ErasurePlan, error) {
	for range maxMoves {
		plan, many, err := j.read(ctx)
		if err != nil || !many {
			return plan, err
		}
		if err := j.move(ctx, plan); err != nil && !plannable(err) {
			return ErasurePlan{}, err
		}
	}
	refusal := Errorf(CodeConflict, "more than %d values of others share the keys that would go", maxMoves*MaxReseals)
	refusal.Limit = "erase_reseals"
	return ErasurePlan{}, refusal
}

// maxMoves bounds the batches that go before one erasure: ten million values.
const maxMoves = 1000

// move seals a batch of others' values anew under keys that stay.
func (j *eraseJob) move(ctx context.Context, plan ErasurePlan) error {
	sealed, err := j.s.reseal(ctx, j.tenant, j.erasure.SubjectRef, plan)
	if err != nil {
		return err
	}
	entry := j.entry
	entry.Kind = audit.KindReseal
	entry.KeyIDs, entry.ReplayOf = plan.Keys, ""
	entry.Counts = map[string]int{"rekeyed": len(sealed.values) + len(sealed.names)}
	_, err = j.s.commit(ctx, j.tenant, Move{Fresh: sealed.fresh, Reseal: sealed.values, Names: sealed.names}, entry)
	if err != nil {
		j.s.refused(j.tenant, err, sealed.fresh)
	}
	return err
}

// commit erases, and returns the id of the change.
func (j *eraseJob) commit(ctx context.Context, plan ErasurePlan) (string, Committed, error) {
	effect := Erase{Erasure: j.erasure, Keys: plan.Keys, Suppress: j.suppress}
	if j.erasure.ID == "" {
		effect.Request = &j.request
	}
	sealed, err := j.s.reseal(ctx, j.tenant, j.erasure.SubjectRef, plan)
	if err != nil {
		return "", Committed{}, err
	}
	effect.Fresh, effect.Reseal, effect.Names = sealed.fresh, sealed.values, sealed.names
	entry := j.entry
	entry.KeyIDs = plan.Keys
	if j.erasure.SubjectRef != "" {
		entry.SubjectRefs = []string{j.erasure.SubjectRef}
	}
	for _, part := range plan.Parts {
		entry.ScopeRefs = append(entry.ScopeRefs, part.ScopeID)
	}
	entry.Obligations = append(slices.Clone(entry.Obligations), j.redeems.obligations()...)
	change, err := NewChange(j.tenant, effect, entry)
	if err != nil {
		return "", Committed{}, err
	}
	committed, err := j.s.write(ctx, j.tenant, j.claim.on(j.redeems.on(change)))
	if err != nil {
		j.s.refused(j.tenant, err, effect.Fresh)
		return "", Committed{}, err
	}
	for _, key := range plan.Keys {
		j.s.keys.Forget(j.tenant, key)
	}
	if j.request.ID != "" {
		return j.request.ID, committed, nil
	}
	return change.ID(), committed, nil
}

// tell answers a dry run. That it was asked is an entry, as a search is.
func (j *eraseJob) tell(ctx context.Context, plan ErasurePlan, preview string) (ErasureResult, error) {
	entry := j.entry
	entry.Kind = audit.KindSubjectSearch
	entry.Counts = map[string]int{"keys": len(plan.Keys), "rekeyed": len(plan.Survivors) + len(plan.Names)}
	for _, part := range plan.Parts {
		entry.ScopeRefs = append(entry.ScopeRefs, part.ScopeID)
		entry.Counts["erased"] += part.Erased
		entry.Counts["deferred"] += part.Deferred
		entry.Counts["shared"] += part.Shared
	}
	if j.erasure.SubjectRef != "" {
		entry.SubjectRefs = []string{j.erasure.SubjectRef}
	}
	committed, err := j.s.commit(ctx, j.tenant, Record{}, entry)
	if err != nil {
		return ErasureResult{}, err
	}
	receipt, err := j.s.receipt(j.keys, committed)
	return ErasureResult{Parts: plan.Parts, PreviewID: preview, Audit: receipt}, err
}

// erasedBefore answers a repeated request with what the first came to.
func (j *eraseJob) erasedBefore(ctx context.Context, changeID string) (ErasureResult, error) {
	id := j.request.ID
	if id == "" {
		id = changeID
	}
	result, err := j.after(ctx, id)
	if err != nil {
		return ErasureResult{}, err
	}
	_, result.Audit, err = j.s.entryOf(ctx, j.tenant, j.keys, changeID)
	return result, err
}

// previewOf names a match: another one has another name. It holds nothing that
// the answer beside it does not.
func previewOf(subjectRef string, parts []ErasurePart) string {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q\n", subjectRef) // a hash never fails
	for _, p := range parts {
		_, _ = fmt.Fprintf(hash, "%q %d %d %d\n", p.ScopeID, p.Erased, p.Deferred, p.Shared)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}
