package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/hashicorp/vault/api"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Keys is the second identity, counterfoil-keys: it makes, rotates and retires
// the keys of tenants, and can open nothing that they wrapped. It is for
// commands, not for the service.
type Keys struct {
	mount, prefix string
	client        *api.Client
	session       *session
}

// OpenKeys logs in as the second identity.
func OpenKeys(ctx context.Context, c Config) (*Keys, error) {
	c, session, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Keys{mount: c.Mount, prefix: c.KeyPrefix, client: session.client, session: session}, nil
}

// Close forgets the token.
func (k *Keys) Close() error {
	k.session.close()
	return nil
}

// Versions says which versions of a tenant's key there are.
type Versions struct {
	Latest        int // the one that wraps
	MinDecryption int // older ones open nothing
	MinAvailable  int // older ones were destroyed; 0 where none was
}

// Create makes the key of a tenant, where it has none.
func (k *Keys) Create(ctx context.Context, tenant string) error {
	return k.post(ctx, tenant, "", map[string]any{"type": "aes256-gcm96"})
}

// Rotate gives the key of a tenant a new version.
func (k *Keys) Rotate(ctx context.Context, tenant string) error {
	return k.post(ctx, tenant, "/rotate", map[string]any{})
}

// Retire destroys every version below the given one, for good: nothing opens
// what they wrapped any more, not even from a backup of the database.
func (k *Keys) Retire(ctx context.Context, tenant string, below int) error {
	config := map[string]any{"min_decryption_version": below, "min_encryption_version": below}
	if err := k.post(ctx, tenant, "/config", config); err != nil {
		return err
	}
	return k.post(ctx, tenant, "/trim", map[string]any{"min_available_version": below})
}

// Status reads the versions of a tenant's key.
func (k *Keys) Status(ctx context.Context, tenant string) (Versions, error) {
	if err := checkTenant(tenant); err != nil {
		return Versions{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	secret, err := k.client.Logical().ReadWithContext(ctx, k.path(tenant))
	if err != nil {
		return Versions{}, keysError(ctx, err)
	}
	if secret == nil {
		return Versions{}, fmt.Errorf("%w: %w", envelope.ErrUnavailable, ErrKeyMissing)
	}
	var v Versions
	for name, into := range map[string]*int{
		"latest_version": &v.Latest, "min_decryption_version": &v.MinDecryption, "min_available_version": &v.MinAvailable,
	} {
		number, ok := secret.Data[name].(json.Number)
		if !ok {
			return Versions{}, fmt.Errorf("%w: %s is not told", envelope.ErrUnavailable, name)
		}
		n, err := number.Int64()
		if err != nil {
			return Versions{}, fmt.Errorf("%w: %s is no number", envelope.ErrUnavailable, name)
		}
		*into = int(n)
	}
	return v, nil
}

func (k *Keys) path(tenant string) string { return k.mount + "/keys/" + KeyName(k.prefix, tenant) }

func (k *Keys) post(ctx context.Context, tenant, what string, body map[string]any) error {
	if err := checkTenant(tenant); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	_, err := k.client.Logical().WriteWithContext(ctx, k.path(tenant)+what, body)
	if err != nil {
		return keysError(ctx, err)
	}
	return nil
}

// keysError hides what the server says, which names paths.
func keysError(ctx context.Context, err error) error {
	var refused *api.ResponseError
	switch {
	case errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden:
		return errForbidden
	case errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound,
		errors.As(err, &refused) && mentions(refused.Errors, "no existing key named"):
		return fmt.Errorf("%w: %w", envelope.ErrUnavailable, ErrKeyMissing)
	case errors.As(err, &refused):
		return fmt.Errorf("%w: it answered with status %d", envelope.ErrUnavailable, refused.StatusCode)
	default:
		return transportError(ctx, err)
	}
}
