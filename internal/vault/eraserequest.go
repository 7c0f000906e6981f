package vault

import (
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// This file is what an erasure has to do with the request that asks for it.

// checkErasure checks a request for an erasure that is done at once, and makes a
// job of it with the row of the request that its commit opens.
func (s *Service) checkErasure(call Call, keys *keySet, req *ErasureRequest) (*eraseJob, error) {
	if req.Subject == "" && len(req.Identifiers) == 0 {
		return nil, Invalid("/subject", "is required, or identifiers")
	}
	if req.Subject != "" && len(req.Identifiers) > 0 {
		return nil, Invalid("/identifiers", "go without subject: tie them to the subject first")
	}
	if req.ConfirmSubject != req.Subject && !req.DryRun {
		return nil, Invalid("/confirm_subject", "must be the subject again")
	}
	row, err := s.intake(keys, &IntakeRequest{
		Kind: RequestErasure, Regime: req.Regime, Subject: req.Subject, Identifiers: req.Identifiers,
		Reference: req.Reference, Identity: &req.Identity,
	})
	if err != nil {
		return nil, err
	}
	return s.newEraseJob(call, keys, row, ExecuteRequest{
		PreviewID: req.PreviewID, DryRun: req.DryRun, Suppress: req.Suppress, ApprovalID: req.ApprovalID,
	})
}

// newEraseJob makes a job of a request, stored or not.
func (s *Service) newEraseJob(call Call, keys *keySet, row SubjectRequest, req ExecuteRequest) (*eraseJob, error) {
	name := row.ID
	if name == "" {
		name = NewID()
	}
	suppress, err := s.suppression(req.Suppress)
	return &eraseJob{
		s: s, call: call, tenant: call.Caller.Tenant, keys: keys, preview: req.PreviewID, dryRun: req.DryRun,
		suppress: suppress, approval: req.ApprovalID, request: row, unnamed: keys.index.Subject(nobody + name),
	}, err
}

// DefaultSuppression is for how long what was erased is kept out unless the
// request says otherwise: as long as a conversation lives, whose history is sent
// again with each turn.
const DefaultSuppression = 30 * 24 * time.Hour

// suppression reads for how long what is erased is kept out.
func (s *Service) suppression(asked string) (Suppression, error) {
	sup := Suppression{}
	switch asked {
	case "none":
		return sup, nil
	case "", "30d":
		sup.For = DefaultSuppression
	case "forever":
		sup.Forever = true
	default:
		return sup, Invalid("/suppress", "must be one of none, 30d, forever")
	}
	for _, e := range s.rules().Entities() {
		if isCommon(e) {
			sup.Common = append(sup.Common, e.Name)
		}
	}
	return sup, nil
}

// isCommon tells whether many people share values of an entity: names, and what
// is not confidential, such as places and dates. To keep such a value out
// everywhere would mask what is about others.
func isCommon(e access.Entity) bool {
	return e.Name == entityPerson || e.Class == access.ClassPublic || e.Class == access.ClassInternal
}

// readRequest reads the request anew, and whom the erasure is about.
func (j *eraseJob) readRequest(ctx context.Context) error {
	if j.request.ID != "" {
		row, err := j.s.openRequest(ctx, j.tenant, j.request.ID)
		if err == nil {
			err = row.in(StateOpen)
		}
		if err != nil {
			return err
		}
		j.request = row
	}
	r := &j.request
	subject := r.Subject
	if subject == (Digest{}) {
		subject = j.unnamed
	}
	j.erasure = Erasure{Subject: subject, Reference: r.Reference, Regime: r.Regime, Identity: r.Identity}
	known, err := j.s.store.Subjects(ctx, j.tenant, []Digest{subject})
	if err == nil && len(known) > 0 {
		j.erasure.SubjectRef = known[0].Ref
	}
	return err
}

// approve finds out whether the policy demands approvals for what goes, and reads
// the one that was given. It is of exactly the preview.
func (j *eraseJob) approve(ctx context.Context, plan ErasurePlan, preview string) error {
	j.redeems = nil
	needed, err := j.weighty(ctx, plan)
	if err != nil || !needed && j.approval == "" {
		return err
	}
	j.redeems, err = j.s.operationApproval(ctx, j.call, j.tenant, access.OpErase, preview, j.approval, j.entry)
	return err
}

// weighty tells whether more goes, or something more sensitive, than one person
// erases alone.
func (j *eraseJob) weighty(ctx context.Context, plan ErasurePlan) (bool, error) {
	rule := j.s.rules().Operation(access.OpErase)
	if rule.Approvals == 0 {
		return false, nil
	}
	goes := 0
	for _, part := range plan.Parts {
		goes += part.Erased + part.Deferred
	}
	if goes > rule.Over || !rule.Restricted {
		return goes > rule.Over, nil
	}
	sightings, err := j.s.custody.Sightings(ctx, j.tenant, PersonQuery{
		Subjects: []Digest{j.erasure.Subject}, Lookups: j.request.Lookups, Limit: MaxSightings + 1,
	})
	restricted := func(s Sighting) bool { return s.Class == string(access.ClassRestricted) }
	return len(sightings) > MaxSightings || slices.ContainsFunc(sightings, restricted), err
}

// look reads what the erasure would touch, and names it. Of values that are found
// by identifiers alone it tells how many there are: what a hold keeps of them is
// known only once they are tied.
func (j *eraseJob) look(ctx context.Context) (plan ErasurePlan, preview string, err error) {
	j.many = false
	if j.request.Subject != (Digest{}) {
		if j.erasure.SubjectRef != "" {
			plan, j.many, err = j.read(ctx)
		}
		return plan, previewOf(j.erasure.SubjectRef, plan.Parts), err
	}
	found, err := j.s.untied(ctx, j.tenant, j.request.Lookups, j.erasure.SubjectRef)
	if err != nil {
		return plan, "", err
	}
	for _, one := range found {
		if n := len(plan.Parts); n == 0 || plan.Parts[n-1].ScopeID != one.ScopeID {
			plan.Parts = append(plan.Parts, ErasurePart{ScopeID: one.ScopeID})
		}
		plan.Parts[len(plan.Parts)-1].Erased += one.Mappings
	}
	return plan, previewOf("", plan.Parts), nil
}

// ready makes a plan of what was looked at, once nothing stands against it any
// more: what was found by identifiers is tied to a subject of the request's own,
// and what is too much for one commit is moved. What is tied or moved stays so
// where the erasure then fails: the next attempt finds it.
func (j *eraseJob) ready(ctx context.Context, plan ErasurePlan) (ErasurePlan, error) {
	untied := j.request.Subject == Digest{} && len(plan.Parts) > 0
	if !untied && !j.many {
		return plan, nil
	}
	if untied {
		ref, err := j.s.tieFound(ctx, j.call, j.keys, j.unnamed, &j.request)
		if err != nil {
			return ErasurePlan{}, err
		}
		j.erasure.SubjectRef = ref
	}
	return j.plan(ctx)
}
