package vault

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// RestrictSubject restricts what there is of a person, for an open request of the
// kinds restriction and objection (GDPR Art. 18, and Art. 21 with 18(1)(d)): from
// the commit on it is restored only for reasons that reach restricted data. It is
// about what is there now and about the person alone. The restriction stands
// until it is lifted, or an objection refused or withdrawn.
func (s *Service) RestrictSubject(ctx context.Context, call Call, id string, req ExecuteRequest) (RequestResult, error) {
	s = s.under(call)
	row, err := s.readRequest(ctx, call, id)
	if err != nil {
		return RequestResult{}, err
	}
	if row.Kind != RequestRestriction && row.Kind != RequestObjection {
		return RequestResult{}, Errorf(CodeConflict, "a request for %s restricts nothing", row.Kind)
	}
	if req.DryRun || req.PreviewID != "" {
		return RequestResult{}, Invalid("/dry_run", "goes with an erasure only")
	}
	ref := ""
	st := step{
		code: "restrict", kind: audit.KindRestrict,
		change: func(row *SubjectRequest, keys *keySet) error {
			if err := errors.Join(row.in(StateOpen), confirms(row, keys, req.ConfirmSubject)); err != nil {
				return err
			}
			found, err := s.subjectOf(ctx, call, keys, row)
			if err != nil {
				return err
			}
			ref = found
			row.SubjectRef, row.State = found, StateRunning
			return nil
		},
	}
	st.effect = func(_ context.Context, row SubjectRequest) (Effect, error) {
		return Restrict{SubjectRef: ref, Request: row}, nil
	}
	return s.take(ctx, call, id, st)
}

// LiftRestriction ends a restriction that was asked for, and completes its
// request. Values are restored again for every reason that may, unless another
// request of the person restricts them, too.
func (s *Service) LiftRestriction(ctx context.Context, call Call, id string) (RequestResult, error) {
	s = s.under(call)
	return s.take(ctx, call, id, step{
		code: "lift", kind: audit.KindLiftRestriction, effect: lifting,
		change: func(row *SubjectRequest, _ *keySet) error {
			if row.Kind != RequestRestriction {
				return Errorf(CodeConflict, "a request for %s is not lifted", row.Kind)
			}
			if err := row.in(StateRunning); err != nil {
				return err
			}
			row.State = StateCompleted
			return nil
		},
	})
}

// lifting lifts what a request restricted.
func lifting(_ context.Context, row SubjectRequest) (Effect, error) {
	return LiftRestriction{SubjectRef: row.SubjectRef, Request: row}, nil
}

// confirms refuses a call that does not say the subject of a request again.
func confirms(row *SubjectRequest, keys *keySet, subject string) error {
	if row.Subject != (Digest{}) && keys.index.Subject(subject) != row.Subject {
		return Invalid("/confirm_subject", "must be the subject of the request again")
	}
	return nil
}

// errTied says that values are about people whom the request does not name.
var errTied = Errorf(CodeConflict, "what was found by the identifiers is tied to a person: make a request about that subject")

// subjectOf is the reference of the person whom a request is about. Values that
// were found by identifiers alone are tied to a subject of the request's own
// first.
func (s *Service) subjectOf(ctx context.Context, call Call, keys *keySet, row *SubjectRequest) (string, error) {
	if row.Subject == (Digest{}) {
		return s.tieFound(ctx, call, keys, keys.index.Subject(nobody+row.ID), row)
	}
	known, err := s.store.Subjects(ctx, call.Caller.Tenant, []Digest{row.Subject})
	if err == nil && len(known) == 0 {
		err = Errorf(CodeConflict, "nothing is tied to that person")
	}
	if err != nil {
		return "", err
	}
	return known[0].Ref, nil
}

// untied returns what identifiers lead to, unless any of it is tied to another
// subject than the given one: then it is that subject's request to make.
func (s *Service) untied(ctx context.Context, tenant string, lookups []Digest, own string) ([]Sighting, error) {
	found, err := s.custody.Sightings(ctx, tenant, PersonQuery{Lookups: lookups})
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		for _, ref := range one.SubjectRefs {
			if ref != own {
				return nil, errTied
			}
		}
	}
	return found, nil
}

// tieFound ties what the identifiers of a request lead to to a subject that is
// the request's own, with an entry of its own, and returns its reference.
func (s *Service) tieFound(ctx context.Context, call Call, keys *keySet, digest Digest, row *SubjectRequest) (string, error) {
	tenant := call.Caller.Tenant
	known, err := s.store.Subjects(ctx, tenant, []Digest{digest})
	if err != nil {
		return "", err
	}
	use := SubjectUse{New: true, Subject: Subject{Digest: digest, IndexVersion: keys.indexVersion, Ref: NewID()}}
	if len(known) > 0 {
		use = SubjectUse{Subject: known[0]}
	}
	if _, err := s.untied(ctx, tenant, row.Lookups, use.Subject.Ref); err != nil {
		return "", err
	}
	entry := s.entry(call, audit.KindSubjectLink, keys)
	entry.Decision, entry.Reference, entry.SubjectRefs = audit.Allow, row.Reference, []string{use.Subject.Ref}
	entry.RuleIDs = s.rules().Decide(s.plainRequest(call.Caller, access.ActionRequestManage)).RuleIDs
	_, err = s.commit(ctx, tenant, LinkSubject{Subject: use, Lookups: row.Lookups}, entry)
	return use.Subject.Ref, err
}

// nobody begins the names of subjects that a request makes for values that nobody
// was named with. No caller's name begins so: it may hold no control characters.
const nobody = "\x00request\x00"
