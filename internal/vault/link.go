package vault

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// LinkRequest ties values to a person, or takes such ties back.
type LinkRequest struct {
	Subject     string
	Identifiers []Identifier
	Undo        bool
}

// LinkResult says how many values were tied, or are no more.
type LinkResult struct {
	SubjectRef string
	Changed    int
	Audit      *audit.Receipt
}

// LinkSubject ties every stored value that equals one of the identifiers, in
// whatever scope and however it was written, to a person: what was tokenized
// without saying whom it is about is found and erased with the rest from then
// on. Only such ties are taken back, and none while a hold keeps the value.
func (s *Service) LinkSubject(ctx context.Context, call Call, req LinkRequest) (LinkResult, error) {
	s = s.under(call)
	kind := audit.KindSubjectLink
	if req.Undo {
		kind = audit.KindSubjectUnlink
	}
	keys, entry, err := s.authorise(ctx, call, access.ActionSubjectLink, kind)
	if err != nil {
		return LinkResult{}, err
	}
	if err := s.checkLink(&req); err != nil {
		return LinkResult{}, err
	}
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		result, err := s.linkOnce(ctx, call.Caller.Tenant, keys, req, entry, &claim)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return LinkResult{}, public(ErrConflict)
}

func (s *Service) linkOnce(ctx context.Context, tenant string, keys *keySet, req LinkRequest, entry audit.Entry, claim *claiming) (LinkResult, error) {
	if err := claim.read(ctx, s, tenant, &entry); err != nil {
		return LinkResult{}, err
	}
	use := SubjectUse{New: true, Subject: Subject{
		Digest: Digest(keys.index.Subject(req.Subject)), IndexVersion: keys.indexVersion, Ref: NewID(),
	}}
	known, err := s.store.Subjects(ctx, tenant, []Digest{use.Subject.Digest})
	if err != nil {
		return LinkResult{}, err
	}
	if len(known) > 0 {
		use = SubjectUse{Subject: known[0]}
	}
	link := LinkSubject{Subject: use, Lookups: s.lookups(keys, req.Identifiers)}
	if use.New && !req.Undo {
		fresh, err := s.freshKey(ctx, tenant)
		if err == nil {
			err = nameSubject(tenant, &link.Subject.Subject, req.Subject, fresh.Key)
		}
		if err != nil {
			return LinkResult{}, err
		}
		link.Keys = []DataKey{{ID: fresh.ID, SubjectRef: use.Subject.Ref, Wrapped: fresh.Wrapped}}
	}
	var effect Effect = link
	if req.Undo {
		if use.New {
			return LinkResult{}, Errorf(CodeNotFound, "nothing is tied to that person")
		}
		effect = UnlinkSubject{SubjectRef: use.Subject.Ref, Lookups: s.lookups(keys, req.Identifiers)}
	}
	entry.SubjectRefs = []string{use.Subject.Ref}
	committed, err := s.commitClaiming(ctx, tenant, effect, entry, claim)
	if err != nil {
		s.refused(tenant, err, link.Keys)
		return LinkResult{}, err
	}
	receipt, err := s.receipt(keys, committed)
	return LinkResult{SubjectRef: use.Subject.Ref, Changed: committed.Outcome.Linked, Audit: receipt}, err
}

func (s *Service) checkLink(req *LinkRequest) error {
	if err := checkName("/subject", req.Subject, true); err != nil {
		return err
	}
	switch {
	case len(req.Identifiers) == 0:
		return Invalid("/identifiers", "is required")
	case len(req.Identifiers) > MaxIdentifiers:
		return tooLarge("/identifiers", "subject_identifiers", MaxIdentifiers)
	}
	return s.checkIdentifiers("/identifiers", req.Identifiers)
}
