package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// EntrySearch selects entries by what callers know: the names are resolved to what
// entries hold. A name that stands for nothing finds nothing.
type EntrySearch struct {
	EntryQuery
	// Subject is the caller's own name of a person, Scope that of a scope, living or
	// not, EndUser that of somebody on whose behalf was called. The references name
	// them as entries do, also once an erasure has destroyed what links the two.
	Subject, SubjectRef string
	Scope, ScopeRef     string
	EndUser             string
	// Count asks for the number of all entries that match, without Cursor and Limit.
	Count bool
}

// AuditSearch returns a page of the caller's tenant's log.
func (s *Service) AuditSearch(ctx context.Context, call Call, q EntrySearch) (EntryPage, error) {
	s = s.under(call)
	keys, err := s.read(ctx, call, access.ActionAuditRead)
	if err != nil {
		return EntryPage{}, err
	}
	if q.Limit < 1 || q.Limit > PageEntries {
		return EntryPage{}, Invalid("/limit", fmt.Sprintf("must be between 1 and %d", PageEntries))
	}
	if q.Token != "" {
		q.Token = s.tokenID(q.Token)
	}
	tenant := call.Caller.Tenant
	known, err := s.resolveSearch(ctx, tenant, keys, &q)
	if err != nil {
		return EntryPage{}, err
	}
	var page EntryPage
	if q.Count {
		page.Count = new(int64)
	}
	if !known {
		return page, nil
	}
	if q.Count {
		if *page.Count, err = s.ledger.CountEntries(ctx, tenant, q.EntryQuery); err != nil {
			return EntryPage{}, public(err)
		}
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	if page.Entries, err = s.ledger.Entries(ctx, tenant, q.EntryQuery); err != nil {
		return EntryPage{}, public(err)
	}
	if len(page.Entries) > limit {
		page.Entries = page.Entries[:limit]
		page.Next, page.HasNext = page.Entries[limit-1].Index, true
	}
	return page, nil
}

// resolveSearch puts what entries hold in place of the names, and tells whether
// there can be any such entry.
func (s *Service) resolveSearch(ctx context.Context, tenant string, keys *keySet, q *EntrySearch) (known bool, err error) {
	for _, pair := range []struct{ field, name, ref string }{
		{"/subject", q.Subject, q.SubjectRef}, {"/scope", q.Scope, q.ScopeRef}, {"/end_user", q.EndUser, q.EntryQuery.EndUser},
	} {
		if err := checkName(pair.field, pair.name, false); err != nil {
			return false, err
		}
		if pair.name != "" && pair.ref != "" {
			return false, Invalid(pair.field, "must not be named both ways")
		}
	}
	if q.EndUser != "" {
		q.EntryQuery.EndUser = hexDigest(keys.index.EndUser(q.EndUser))
	}
	if q.SubjectRef != "" {
		q.Subjects = []string{q.SubjectRef}
	}
	if q.Subject != "" {
		people, err := s.store.Subjects(ctx, tenant, []Digest{keys.index.Subject(q.Subject)})
		if err != nil {
			return false, public(err)
		}
		for _, p := range people {
			q.Subjects = append(q.Subjects, p.Ref)
		}
		if len(q.Subjects) == 0 {
			return false, nil
		}
	}
	if q.ScopeRef != "" {
		q.Scopes = []string{q.ScopeRef}
	}
	if q.Scope == "" {
		return true, nil
	}
	scopes, err := s.custody.Scopes(ctx, tenant, keys.index.Scope(q.Scope))
	if err != nil {
		return false, public(err)
	}
	for _, scope := range scopes {
		q.Scopes = append(q.Scopes, scope.ID)
	}
	if len(q.Scopes) > MaxAnyOf {
		q.Scopes = q.Scopes[:MaxAnyOf] // the newest
	}
	return len(q.Scopes) > 0, nil
}

// AuditProofAt proves that an entry is in the log as it stood when it had size
// entries; zero is as it stands now. The checkpoint is signed for that size: it
// says what a checkpoint of that time said.
func (s *Service) AuditProofAt(ctx context.Context, call Call, index, size int64) (audit.Receipt, error) {
	s = s.under(call)
	keys, err := s.read(ctx, call, access.ActionAuditRead)
	if err != nil {
		return audit.Receipt{}, err
	}
	tenant := call.Caller.Tenant
	tree, checkpoint, err := s.headAt(ctx, tenant, keys, size)
	if err != nil {
		return audit.Receipt{}, err
	}
	if index < 0 || index >= tree.Size {
		return audit.Receipt{}, Errorf(CodeNotFound, "the log of that size has no entry of that index")
	}
	hash, err := s.ledger.Node(ctx, tenant, 0, index)
	if err != nil {
		return audit.Receipt{}, public(err)
	}
	return s.proveIn(ctx, tenant, tree, checkpoint, index, hash)
}

// headAt is the head of a log as it stood when it had size entries, signed.
func (s *Service) headAt(ctx context.Context, tenant string, keys *keySet, size int64) (audit.TreeHead, []byte, error) {
	tree, checkpoint, err := s.signedHead(ctx, tenant, keys)
	if err != nil {
		return audit.TreeHead{}, nil, public(err)
	}
	if size == 0 || size == tree.Size {
		return tree, checkpoint, nil
	}
	if size < 0 || size > tree.Size {
		return audit.TreeHead{}, nil, Errorf(CodeNotFound, "the log has not had that size")
	}
	if tree.Root, err = audit.RootAt(size, s.nodes(ctx, tenant)); err != nil {
		return audit.TreeHead{}, nil, public(err)
	}
	tree.Size = size
	checkpoint, err = keys.signer.Sign(tree)
	return tree, checkpoint, public(err)
}

func (s *Service) nodes(ctx context.Context, tenant string) func(level int, n int64) (audit.Hash, error) {
	return func(level int, n int64) (audit.Hash, error) { return s.ledger.Node(ctx, tenant, level, n) }
}

func (s *Service) proveIn(ctx context.Context, tenant string, tree audit.TreeHead, checkpoint []byte, index int64, leaf audit.Hash) (audit.Receipt, error) {
	proof, err := audit.Prove(tree.Size, index, s.nodes(ctx, tenant))
	if err != nil {
		return audit.Receipt{}, public(err)
	}
	return audit.Receipt{
		Log: tree.Origin, Index: index, LeafHash: leaf, TreeSize: tree.Size,
		RootHash: tree.Root, Proof: proof, Checkpoint: string(checkpoint),
	}, nil
}

// Consistency proves that a log of one size is the beginning of that log at
// another.
type Consistency struct {
	From, To         int64
	FromRoot, ToRoot audit.Hash
	Proof            []audit.Hash // RFC 6962 section 2.1.2
	Checkpoint       []byte       // of the size To
}

// AuditConsistency proves that the log of size from is the beginning of the log of
// size to; to zero is as it stands now.
func (s *Service) AuditConsistency(ctx context.Context, call Call, from, to int64) (Consistency, error) {
	s = s.under(call)
	keys, err := s.read(ctx, call, access.ActionAuditRead)
	if err != nil {
		return Consistency{}, err
	}
	tenant := call.Caller.Tenant
	tree, checkpoint, err := s.headAt(ctx, tenant, keys, to)
	if err != nil {
		return Consistency{}, err
	}
	if from < 1 || from > tree.Size {
		return Consistency{}, Invalid("/from", "must be at least 1, and not greater than to")
	}
	c := Consistency{From: from, To: tree.Size, ToRoot: tree.Root, Checkpoint: checkpoint}
	if c.FromRoot, err = audit.RootAt(from, s.nodes(ctx, tenant)); err != nil {
		return Consistency{}, public(err)
	}
	c.Proof, err = audit.ProveConsistency(from, tree.Size, s.nodes(ctx, tenant))
	return c, public(err)
}

// AuditTile returns a tile of the log or an entry bundle, as C2SP tlog-tiles has
// them: also a partial one, of any size that the log has had.
func (s *Service) AuditTile(ctx context.Context, call Call, tile audit.Tile) ([]byte, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionAuditRead); err != nil {
		return nil, err
	}
	tenant := call.Caller.Tenant
	head, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return nil, public(err)
	}
	if !tile.In(head.Frontier.Size) {
		return nil, Errorf(CodeNotFound, "the log has no such tile yet")
	}
	if !tile.Entries {
		hashes, err := s.ledger.Nodes(ctx, tenant, tile.Height(), tile.First(), tile.Width)
		if err != nil {
			return nil, public(err)
		}
		var b []byte
		for _, h := range hashes {
			b = append(b, h[:]...)
		}
		return b, nil
	}
	leaves, err := s.Leaves(ctx, tenant, tile.First(), tile.Width)
	if errors.Is(err, ErrPruned) {
		return nil, Errorf(CodeNotFound, "entries of it were pruned: they are in the archive").Because(err)
	}
	if err != nil {
		return nil, public(err)
	}
	bundle, err := audit.EntryBundle(leaves)
	return bundle, public(err)
}
