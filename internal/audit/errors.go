package audit

import (
	"errors"
	"fmt"
)

// What can be wrong. Every error of this package wraps one of these; the text
// around it names a field, a rule or a position, never what stood there.
var (
	ErrSyntax     = errors.New("audit: not the JSON of an entry")
	ErrSchema     = errors.New("audit: entry breaks the schema")
	ErrCanonical  = errors.New("audit: leaf is not in canonical form")
	ErrTooLarge   = errors.New("audit: entry exceeds a limit")
	ErrChain      = errors.New("audit: linked entries do not form one change")
	ErrTree       = errors.New("audit: tree is inconsistent")
	ErrCheckpoint = errors.New("audit: checkpoint is malformed")
	ErrSignature  = errors.New("audit: no valid signature of a given key")
	ErrReceipt    = errors.New("audit: receipt does not verify")
	ErrAnchor     = errors.New("audit: anchor is malformed")
	ErrKey        = errors.New("audit: key is malformed")
)

func schemaError(field, rule string) error {
	return fmt.Errorf("%w: %s: %s", ErrSchema, field, rule)
}
