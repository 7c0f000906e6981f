package vault

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// read authorises an operation that only reads. Its denials are entries too.
func (s *Service) read(ctx context.Context, call Call, action access.Action) (*keySet, error) {
	keys, _, err := s.authorise(ctx, call, action, audit.KindRequestRefused)
	return keys, err
}

// authorise opens the door to an operation that is not about a scope, and
// begins its entry. A refusal is an entry.
func (s *Service) authorise(ctx context.Context, call Call, action access.Action, kind audit.Kind) (*keySet, audit.Entry, error) {
	return s.authoriseAs(ctx, call, s.plainRequest(call.Caller, action), kind)
}

// authoriseAs is authorise where the policy is asked more than who calls.
func (s *Service) authoriseAs(ctx context.Context, call Call, request access.Request, kind audit.Kind) (*keySet, audit.Entry, error) {
	keys, err := s.begin(ctx, call)
	if err != nil {
		return nil, audit.Entry{}, public(err)
	}
	entry := s.entry(call, kind, keys)
	decision := s.rules().Decide(request)
	if !decision.Allow {
		entry.Kind, entry.Code = audit.KindRequestRefused, string(request.Action)
		return nil, audit.Entry{}, s.deny(ctx, call.Caller.Tenant, entry, Errorf(CodeDenied, "the policy does not allow this"))
	}
	entry.RuleIDs, entry.Decision = decision.RuleIDs, audit.Allow
	return keys, entry, nil
}

// plainRequest asks the policy about a caller and an action that no scope is
// part of; where one is, the caller sets its binding.
func (s *Service) plainRequest(caller Caller, action access.Action) access.Request {
	return access.Request{
		Action: action, Roles: caller.Roles, MFA: caller.MFA, Attributes: caller.Attributes,
		Environment: s.environment, SameClient: true, EndUser: access.EndUserUnbound,
		Tenant: caller.Tenant, ACR: caller.ACR, Address: caller.Address, At: s.moment(),
	}
}

// MayAssertEndUser tells whether the caller may name an end user by header.
func (s *Service) MayAssertEndUser(call Call) bool {
	s = s.under(call)
	return s.rules().Decide(s.plainRequest(call.Caller, access.ActionAssertEndUser)).Allow
}

// tokenID reads a token as an auditor may write it, or takes it as an id.
func (s *Service) tokenID(written string) string {
	if cs := s.words.Scan(written); len(cs) == 1 && cs[0].Start == 0 && cs[0].End == len(written) {
		return cs[0].Token.ID
	}
	return written
}

// AuditEntry returns one entry, exactly as it was hashed.
func (s *Service) AuditEntry(ctx context.Context, call Call, index int64) (StoredEntry, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionAuditRead); err != nil {
		return StoredEntry{}, err
	}
	return s.entryAt(ctx, call.Caller.Tenant, index)
}

func (s *Service) entryAt(ctx context.Context, tenant string, index int64) (StoredEntry, error) {
	if index < 0 {
		return StoredEntry{}, Invalid("/index", "must not be negative")
	}
	entries, err := s.ledger.Entries(ctx, tenant, EntryQuery{HasCursor: index > 0, Cursor: index - 1, Limit: 1})
	if err != nil {
		return StoredEntry{}, public(err)
	}
	if len(entries) == 0 || entries[0].Index != index {
		return StoredEntry{}, Errorf(CodeNotFound, "the log has no entry of that index")
	}
	return entries[0], nil
}

// proveEntry proves that an entry is in the log as it stands now.
func (s *Service) proveEntry(ctx context.Context, tenant string, keys *keySet, entry StoredEntry) (audit.Receipt, error) {
	tree, checkpoint, err := s.signedHead(ctx, tenant, keys)
	if err != nil {
		return audit.Receipt{}, public(err)
	}
	return s.proveIn(ctx, tenant, tree, checkpoint, entry.Index, entry.LeafHash)
}

// entryOf returns the entry of a change that was committed before, and its
// proof.
func (s *Service) entryOf(ctx context.Context, tenant string, keys *keySet, changeID string) (audit.Entry, *audit.Receipt, error) {
	stored, err := s.ledger.Entries(ctx, tenant, EntryQuery{ChangeID: changeID, Limit: 1})
	if err != nil {
		return audit.Entry{}, nil, public(err)
	}
	if len(stored) == 0 {
		return audit.Entry{}, nil, Errorf(CodeNotFound, "the log has no entry of the first request")
	}
	entry, err := audit.ParseLeaf(stored[0].Leaf)
	if err != nil {
		return audit.Entry{}, nil, public(err)
	}
	receipt, err := s.proveEntry(ctx, tenant, keys, stored[0])
	return entry, &receipt, err
}

// signedHead signs the head of a log as it is committed.
func (s *Service) signedHead(ctx context.Context, tenant string, keys *keySet) (audit.TreeHead, []byte, error) {
	head, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return audit.TreeHead{}, nil, err
	}
	root, err := head.Frontier.Root()
	if err != nil {
		return audit.TreeHead{}, nil, err
	}
	tree := audit.TreeHead{Origin: keys.signer.Origin(), Size: head.Frontier.Size, Root: root}
	checkpoint, err := keys.signer.Sign(tree)
	return tree, checkpoint, err
}

// AuditCheckpoint returns the published checkpoint; it moves once a second.
func (s *Service) AuditCheckpoint(ctx context.Context, call Call) ([]byte, error) {
	s = s.under(call)
	keys, err := s.read(ctx, call, access.ActionAuditRead)
	if err != nil {
		return nil, err
	}
	note, err := s.books.LastNote(ctx, call.Caller.Tenant, NoteCheckpoint)
	if err == nil {
		return note.Body, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return nil, public(err)
	}
	_, checkpoint, err := s.signedHead(ctx, call.Caller.Tenant, keys)
	return checkpoint, public(err)
}

// AuditKeys returns the keys that check the signatures of the log. They are
// public: every caller of the tenant may have them, to check receipts with.
func (s *Service) AuditKeys(ctx context.Context, call Call) ([]LogKey, error) {
	s = s.under(call)
	if _, err := s.begin(ctx, call); err != nil {
		return nil, public(err)
	}
	return s.LogKeys(ctx, call.Caller.Tenant)
}

// LogKeys returns the keys of a tenant's log, for the process itself.
func (s *Service) LogKeys(ctx context.Context, tenant string) ([]LogKey, error) {
	stored, err := s.registry.TenantKeys(ctx, tenant)
	if err != nil {
		return nil, public(err)
	}
	var keys []LogKey
	for _, k := range stored {
		if k.Purpose == PurposeLog {
			keys = append(keys, LogKey{Version: k.Version, Key: k.Public, Since: k.CreatedAt, Handover: k.Handover})
		}
	}
	return keys, nil
}

// PolicyInfo describes the policy in force.
func (s *Service) PolicyInfo(ctx context.Context, call Call) (PolicyInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionPolicyRead); err != nil {
		return PolicyInfo{}, err
	}
	info := PolicyInfo{Version: s.rules().Version()}
	for _, r := range s.rules().Reasons() {
		info.Reasons = append(info.Reasons, ReasonInfo{
			Code: r.Code, Description: r.Description, GDPR: r.GDPR, HIPAA: r.HIPAA,
			ReferenceRequired: r.Reference.Required, ReferencePattern: r.Reference.Pattern, MaxTokens: r.MaxTokens,
		})
	}
	for _, e := range s.rules().Entities() {
		info.Entities = append(info.Entities, EntityInfo{
			Name: e.Name, Class: string(e.Class), Action: string(e.Action), Retention: e.Retention,
		})
	}
	return info, nil
}
