package transit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Wrapper is the serving identity: it encrypts, decrypts and re-wraps. It is
// safe for concurrent use.
type Wrapper struct {
	mount, prefix string
	calls         *caller
	share         *share
}

var _ envelope.KeyWrapper = (*Wrapper)(nil)

// Open logs in. It fails with ErrConfig, or with envelope.ErrUnavailable where
// the server does not take the login now.
func Open(ctx context.Context, c Config) (*Wrapper, error) {
	c, session, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	w := &Wrapper{mount: c.Mount, prefix: c.KeyPrefix, calls: newCaller(session)}
	w.share = newShare(w.calls.do)
	return w, nil
}

// Close ends the renewal and forgets the token, which expires by itself.
func (w *Wrapper) Close() error {
	w.calls.close()
	return nil
}

// Stats counts calls of the engine and the items in them, since Open.
type Stats struct{ Calls, Items int64 }

// Stats returns the counts.
func (w *Wrapper) Stats() Stats {
	return Stats{Calls: w.calls.calls.Load(), Items: w.calls.items.Load()}
}

// frame is before every plaintext: the version of the form.
const frame = 0x01

// Wrap implements envelope.KeyWrapper.
func (w *Wrapper) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	items := make([]item, len(plain))
	for i, p := range plain {
		items[i].Plaintext = append([]byte{frame}, p...)
	}
	// Who sends them wipes them: where the context ends first, they may still be
	// on their way.
	results, err := w.batches(ctx, "encrypt", tenant, items)
	if err != nil {
		return nil, err
	}
	wrapped := make([]envelope.Wrapped, len(plain))
	for i, r := range results {
		if r.Error != "" {
			return nil, fmt.Errorf("%w: it does not encrypt", envelope.ErrUnavailable)
		}
		if wrapped[i], err = parse(r.Ciphertext); err != nil {
			return nil, err
		}
	}
	return wrapped, nil
}

// Unwrap implements envelope.KeyWrapper.
func (w *Wrapper) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	answers := make([]envelope.Unwrapped, len(wrapped))
	err := w.each(ctx, "decrypt", tenant, wrapped, func(i int, r result, err error) error {
		if err == nil && (len(r.Plaintext) == 0 || r.Plaintext[0] != frame) {
			err = envelope.ErrAuthentication
		}
		if err != nil {
			answers[i].Err = err
			return nil
		}
		answers[i].Plain = envelope.NewSecret(r.Plaintext[1:])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// Rewrap implements envelope.KeyWrapper.
func (w *Wrapper) Rewrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Rewrapped, error) {
	answers := make([]envelope.Rewrapped, len(wrapped))
	err := w.each(ctx, "rewrap", tenant, wrapped, func(i int, r result, err error) error {
		if err != nil {
			answers[i].Err = err
			return nil
		}
		answers[i].Wrapped, err = parse(r.Ciphertext)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// Version implements envelope.KeyWrapper: by what an encryption now uses, which
// needs no further right.
func (w *Wrapper) Version(ctx context.Context, tenant string) (int, error) {
	one, err := w.Wrap(ctx, tenant, [][]byte{nil})
	if err != nil {
		return 0, err
	}
	return one[0].Version, nil
}

// each sends wrapped keys and gives every one its result or its own error.
// What no server has to be asked about is refused here.
func (w *Wrapper) each(ctx context.Context, operation, tenant string, wrapped []envelope.Wrapped, give func(int, result, error) error) error {
	var items []item
	var asked []int
	for i, one := range wrapped {
		if one.Version < 1 || len(one.Bytes) == 0 {
			if err := give(i, result{}, envelope.ErrAuthentication); err != nil {
				return err
			}
			continue
		}
		items = append(items, item{Ciphertext: write(one)})
		asked = append(asked, i)
	}
	results, err := w.batches(ctx, operation, tenant, items)
	if err != nil {
		return err
	}
	for n, r := range results {
		if err := give(asked[n], r, verdict(r.Error)); err != nil {
			return err
		}
	}
	return nil
}

// batches divides items into calls that the server takes.
func (w *Wrapper) batches(ctx context.Context, operation, tenant string, items []item) ([]result, error) {
	if err := checkTenant(tenant); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("transit: %w", err)
	}
	path := w.mount + "/" + operation + "/" + KeyName(w.prefix, tenant)
	results := make([]result, 0, len(items))
	for len(items) > 0 {
		n := fitting(items)
		some, err := w.share.call(ctx, path, items[:n])
		if err != nil {
			return nil, err
		}
		results, items = append(results, some...), items[n:]
	}
	return results, nil
}

// verdict translates what the engine says of one item. Only its words tell a
// version that was destroyed from bytes that were changed; from words that
// nobody knows nothing is concluded but that this item cannot be had now.
func verdict(text string) error {
	switch {
	case text == "":
		return nil
	case strings.Contains(text, "too old"), strings.Contains(text, "min_available_version"),
		strings.Contains(text, "no key found for version"):
		return envelope.ErrVersionGone
	case strings.Contains(text, "invalid ciphertext"), strings.Contains(text, "message authentication failed"),
		strings.Contains(text, "too new"), strings.Contains(text, "unable to decrypt"), strings.Contains(text, "unable to unwrap"):
		return envelope.ErrAuthentication
	default:
		return fmt.Errorf("%w: it refuses an item and the reason is not known", envelope.ErrUnavailable)
	}
}

// The form of a ciphertext: vault:v<version>:<standard base64>.
const formPrefix = "vault:v"

func parse(ciphertext string) (envelope.Wrapped, error) {
	bad := fmt.Errorf("%w: what it wrapped is of no known form", envelope.ErrUnavailable)
	rest, ok := strings.CutPrefix(ciphertext, formPrefix)
	number, encoded, cut := strings.Cut(rest, ":")
	version, err := strconv.Atoi(number)
	if !ok || !cut || err != nil || version < 1 {
		return envelope.Wrapped{}, bad
	}
	bytes, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(bytes) == 0 {
		return envelope.Wrapped{}, bad
	}
	return envelope.Wrapped{Version: version, Bytes: bytes}, nil
}

func write(w envelope.Wrapped) string {
	return formPrefix + strconv.Itoa(w.Version) + ":" + base64.StdEncoding.EncodeToString(w.Bytes)
}

// Missing tells whether an error is about a tenant that has no key.
func Missing(err error) bool { return errors.Is(err, ErrKeyMissing) }
