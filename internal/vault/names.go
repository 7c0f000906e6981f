package vault

import (
	"context"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// MaxNames bounds the scopes and people whose names one request asks for.
const MaxNames = 1_000

// RestoreNames gives back how the callers call scopes and people, so that
// somebody who answers a person can find the transcripts elsewhere. It is a
// restoration like any other: decided, recorded, and only then opened.
func (s *Service) RestoreNames(ctx context.Context, call Call, req NamesRequest) (NamesResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionNamesRestore, audit.KindRestore)
	if err != nil {
		return NamesResult{}, err
	}
	tenant := call.Caller.Tenant
	if err := s.justifyAccess(ctx, tenant, &entry, req.Reason); err != nil {
		return NamesResult{}, err
	}
	if err := checkNames(&req); err != nil {
		return NamesResult{}, err
	}
	for range MaxAttempts {
		result, err := s.namesOnce(ctx, call, keys, req, entry)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return NamesResult{}, public(ErrConflict)
}

func checkNames(req *NamesRequest) error {
	switch n := len(req.ScopeRefs) + len(req.SubjectRefs); {
	case n == 0:
		return Invalid("/", "scope_refs or subject_refs is required")
	case n > MaxNames:
		return tooLarge("/", "names", MaxNames)
	}
	for field, refs := range map[string][]string{"/scope_refs/": req.ScopeRefs, "/subject_refs/": req.SubjectRefs} {
		for i, ref := range refs {
			if !audit.IsName(ref) {
				return Invalid(field+strconv.Itoa(i), "is not a reference")
			}
		}
	}
	return nil
}

func (s *Service) namesOnce(ctx context.Context, call Call, keys *keySet, req NamesRequest, entry audit.Entry) (NamesResult, error) {
	tenant := call.Caller.Tenant
	sealed, err := s.requests.Names(ctx, tenant, unique(req.ScopeRefs), unique(req.SubjectRefs))
	if err != nil {
		return NamesResult{}, err
	}
	// A suspension of any scope stops the names of all: what they are is not read.
	effect := Restore{By: by(call.Caller, keys, req.Reason.Code)}
	var ids []string
	for _, n := range sealed {
		effect.Names = append(effect.Names, NameRef{ScopeID: n.ScopeID, SubjectRef: n.SubjectRef, KeyID: n.KeyID})
		ids = append(ids, n.KeyID)
		if n.ScopeID != "" {
			entry.ScopeRefs = append(entry.ScopeRefs, n.ScopeID)
		} else {
			entry.SubjectRefs = append(entry.SubjectRefs, n.SubjectRef)
		}
	}
	entry.ScopeRefs, entry.SubjectRefs = unique(entry.ScopeRefs), unique(entry.SubjectRefs)
	entry.Counts = map[string]int{"names": len(sealed)}
	opened, err := s.openStored(ctx, tenant, ids)
	if err != nil {
		return NamesResult{}, err
	}
	if err := s.refuseStopped(ctx, tenant, entry, effect); err != nil {
		return NamesResult{}, err
	}
	committed, err := s.commit(ctx, tenant, effect, entry)
	if err != nil {
		return NamesResult{}, err
	}
	result := NamesResult{Scopes: make(map[string]string), Subjects: make(map[string]string)}
	for _, n := range sealed {
		name, err := openName(tenant, n, opened[n.KeyID])
		switch {
		case err != nil: // altered or moved: it is left out, as what has no name
		case n.ScopeID != "":
			result.Scopes[n.ScopeID] = name
		default:
			result.Subjects[n.SubjectRef] = name
		}
	}
	result.Audit, err = s.receipt(keys, committed)
	return result, err
}

func openName(tenant string, n SealedName, key envelope.OpenedKey) (string, error) {
	if key.Err != nil {
		return "", key.Err
	}
	if key.Key == nil {
		return "", ErrKeyDestroyed
	}
	binding := subjectNameBinding(tenant, n.SubjectRef)
	if n.ScopeID != "" {
		binding = envelope.Binding{Purpose: sealScopeName, Tenant: tenant, Scope: n.ScopeID}
	}
	name, err := key.Key.Open(binding, n.Sealed)
	return string(name), err
}

// subjectNameBinding is the place of the caller's name for a person.
func subjectNameBinding(tenant, ref string) envelope.Binding {
	return envelope.Binding{Purpose: sealSubjectName, Tenant: tenant, Scope: ref}
}

// nameSubject seals the caller's name for a new subject under a data key of the
// subject, which destroying forgets the name with the values.
func nameSubject(tenant string, subject *Subject, name string, key *envelope.DataKey) error {
	sealed, err := key.Seal(subjectNameBinding(tenant, subject.Ref), []byte(name))
	if err != nil {
		return err
	}
	subject.SealedName, subject.NameKeyID = sealed, key.ID()
	return nil
}
