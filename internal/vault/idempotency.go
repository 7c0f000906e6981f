package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Idempotency is the key that a caller sent with a request that changes
// something, after the IETF's draft-ietf-httpapi-idempotency-key-header.
//
// An answer that may hold values is never kept. The same key with the same
// body is decided and carried out anew, under the policy of that moment, and
// its entry names the first one (replay_of): retrying is safe because the same
// value in the same scope has the same token, and a restoration that is asked
// for twice is two restorations. The same key with another body is a conflict.
// A key stands for its body for ClaimLife, counted from the first request that
// succeeded; one that was refused has claimed nothing.
type Idempotency struct {
	Key string
	// Body is the SHA-256 of the operation and the body as it was sent.
	Body [sha256.Size]byte
}

// idempotencyKey: long enough for a UUID, and nothing that an error or a log
// would have to escape.
var idempotencyKey = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// IsIdempotencyKey tells whether a key may be sent.
func IsIdempotencyKey(key string) bool { return idempotencyKey.MatchString(key) }

// claiming is the idempotency key of one request on its way. The zero value is
// that of a request without one.
type claiming struct {
	key, body Digest
	given     bool
	fresh     bool // nothing stands under the key yet: the commit claims it
}

func (s *Service) newClaiming(call Call, keys *keySet) claiming {
	if call.Idempotency == nil {
		return claiming{}
	}
	return claiming{
		given: true,
		key:   keys.index.Claim(call.Caller.Client, call.Idempotency.Key),
		// On behalf of somebody else it is another request.
		body: keys.index.Claim(call.Caller.EndUser, hex.EncodeToString(call.Idempotency.Body[:])),
	}
}

// read finds out what the key stands for now, and marks the entry of a replay.
func (c *claiming) read(ctx context.Context, s *Service, tenant string, entry *audit.Entry) error {
	if !c.given {
		return nil
	}
	standing, err := s.books.Claim(ctx, tenant, c.key)
	switch {
	case errors.Is(err, ErrNotFound):
		c.fresh, entry.ReplayOf = true, ""
		return nil
	case err != nil:
		return err
	case standing.Body != c.body && !s.faults.ignoreClaims:
		return Errorf(CodeConflict, "the idempotency key came with another request before")
	}
	c.fresh, entry.ReplayOf = false, standing.ChangeID
	return nil
}

// on lets the key ride along with a change, where it stands for nothing yet.
func (c *claiming) on(change Change) Change {
	if !c.fresh {
		return change
	}
	return change.Claiming(c.key, c.body)
}

// ForgetClaims deletes idempotency keys of a tenant whose time is over, and
// tells whether there may be more.
func (s *Service) ForgetClaims(ctx context.Context, tenant string) (more bool, err error) {
	n, err := s.books.ForgetClaims(ctx, tenant, ClaimSweep)
	return n == ClaimSweep, public(err)
}
