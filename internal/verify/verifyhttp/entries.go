package verifyhttp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// A page is an answer of GET /v1/audit/entries. Fields that later versions may
// add are left alone; what is inside an entry is held to the schema.
type page struct {
	Entries    []row  `json:"entries"`
	NextCursor string `json:"next_cursor"`
}

type row struct {
	Index    *int64          `json:"index"`
	LeafHash string          `json:"leaf_hash"`
	Entry    json.RawMessage `json:"entry"`
	Pruned   bool            `json:"pruned"`
}

var (
	errNotPage  = errors.New("the answer is not a page of entries")
	errNotProof = errors.New("the answer is not a proof")
	errPaging   = errors.New("the pages of the log do not end where they should")
)

// entries is the source of the entries from an index up to a size.
//
//  1. A page carries each entry as a JSON object inside a larger document, so
//     whatever wrote or relayed it may have changed white space, the order of
//     keys and escapes, and the bytes that were hashed are not on the wire.
//  2. They need not be: an entry has exactly one canonical form. Decoding
//     strictly (no unknown or repeated field, whole numbers only) and encoding
//     again gives the leaf, if the object is the entry that was hashed.
//  3. If it is not, some other leaf comes out, and its hash does not lead to the
//     signed root. Nothing can be hidden in what step 2 normalises, because
//     nothing of it reaches the reader of the log.
func (s *Service) entries(ctx context.Context, from, size int64) verify.Source {
	return func(yield func(verify.Entry) error) error {
		query := url.Values{"order": {"asc"}, "limit": {strconv.Itoa(pageEntries)}}
		if from > 0 {
			query.Set("cursor", strconv.FormatInt(from-1, 10)) // the index that the page before ended with
		}
		for read := from; read < size; {
			p, err := s.page(ctx, query)
			if err != nil {
				return err
			}
			if len(p.Entries) > pageEntries {
				return fmt.Errorf("%w: one has more than %d entries", errPaging, pageEntries)
			}
			for i := range p.Entries {
				if read == size {
					return nil // appended after the checkpoint was signed
				}
				e, err := p.Entries[i].entry(read)
				if err != nil {
					return err
				}
				if err := yield(e); err != nil {
					return err
				}
				read++
			}
			if p.NextCursor == "" {
				return nil // if that is too early, the verifier says so
			}
			if len(p.Entries) == 0 {
				return fmt.Errorf("%w: an empty one is followed by another", errPaging)
			}
			query.Set("cursor", p.NextCursor)
		}
		return nil
	}
}

func (s *Service) page(ctx context.Context, query url.Values) (page, error) {
	const path = "/v1/audit/entries"
	var p page
	b, err := s.get(ctx, path, query, maxPage)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("GET %s: %w", path, errNotPage)
	}
	return p, nil
}

// entry turns a row into what is verified; at is the index that it should have.
func (r *row) entry(at int64) (verify.Entry, error) {
	if r.Index == nil {
		return verify.Entry{}, &verify.Fault{Index: at, Rule: verify.RuleGap, Detail: "the entry has no index"}
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(r.LeafHash)
	if err != nil || len(hash) == 0 {
		return verify.Entry{}, &verify.Fault{Index: at, Rule: verify.RuleHash, Detail: "the stored leaf hash is not base64"}
	}
	if r.Pruned && len(r.Entry) == 0 {
		return verify.Entry{Index: *r.Index, LeafHash: hash}, nil
	}
	e, err := audit.DecodeEntry(r.Entry)
	if err != nil {
		return verify.Entry{}, &verify.Fault{Index: at, Rule: verify.RuleSchema, Detail: err.Error()}
	}
	leaf, err := e.Leaf()
	if err != nil {
		return verify.Entry{}, &verify.Fault{Index: at, Rule: verify.RuleSchema, Detail: err.Error()}
	}
	return verify.Entry{Index: *r.Index, Leaf: leaf, LeafHash: hash}, nil
}
