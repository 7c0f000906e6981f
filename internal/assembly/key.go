package assembly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/localkey"
	"github.com/counterfoil/counterfoil/internal/transit"
)

var (
	// ErrNoKey says that there is no key file.
	ErrNoKey = errors.New("assembly: there is no key file")
	// ErrKeyExists says that there is one already.
	ErrKeyExists = errors.New("assembly: there is a key file already")
	// ErrNoAdministration says that the keys are those of a key service, and
	// nothing tells how to log in as the identity that makes and rotates them.
	ErrNoAdministration = errors.New("assembly: keys.transit.administration is needed to make or rotate keys")
	// ErrInUse says that another process has the database.
	ErrInUse = errors.New("assembly: one process at a time can have an SQLite database, and one has it")
)

// CreateKey makes the key file, where there is neither a key file nor a
// database: a new key beside an old database could open nothing, and would hide
// that the old one is missing.
func CreateKey(files config.Files) error {
	switch {
	case exists(files.KeyFile):
		return fmt.Errorf("%w: %s", ErrKeyExists, files.KeyFile)
	case exists(files.Database):
		return noKey(files)
	}
	if err := os.MkdirAll(filepath.Dir(files.KeyFile), 0o700); err != nil {
		return fmt.Errorf("assembly: %w", err)
	}
	return localkey.Create(files.KeyFile)
}

func openKey(ctx context.Context, b Backends) (wrapper, error) {
	if b.Transit != nil {
		w, err := transit.Open(ctx, *b.Transit)
		if err != nil {
			return nil, err
		}
		return w, nil
	}
	key, err := localkey.Open(b.KeyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, noKey(b.Files)
	case err != nil:
		return nil, err
	}
	return key, nil
}

func noKey(files config.Files) error {
	if exists(files.Database) {
		return fmt.Errorf("%w: %s, but a database: its values cannot be opened, and a new key is not made beside it",
			ErrNoKey, files.KeyFile)
	}
	return fmt.Errorf("%w: %s", ErrNoKey, files.KeyFile)
}

// exists is true also where it cannot be told: nothing is made there then.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// MakeKey makes the wrapping key of a tenant where a key service has them: the
// serving identity cannot. A key file needs nothing.
func MakeKey(ctx context.Context, b Backends, tenant string) error {
	if b.Transit == nil {
		return nil
	}
	return administer(ctx, b, func(keys *transit.Keys) error { return keys.Create(ctx, tenant) })
}

// RotateKeys gives the wrapping keys of tenants a new version: those of all
// tenants at once where they are in a file. What was wrapped before still opens.
func (in *Instance) RotateKeys(ctx context.Context, tenants ...string) error {
	if local, ok := in.key.(*localkey.Key); ok {
		return local.Rotate(ctx)
	}
	return administer(ctx, in.backends, func(keys *transit.Keys) error {
		for _, tenant := range tenants {
			if err := keys.Rotate(ctx, tenant); err != nil {
				return fmt.Errorf("%s: %w", tenant, err)
			}
		}
		return nil
	})
}

// KeyCalls counts the calls of the key service since the service was opened.
// There are none where the keys are in a file.
func (in *Instance) KeyCalls() transit.Stats {
	if w, ok := in.key.(*transit.Wrapper); ok {
		return w.Stats()
	}
	return transit.Stats{}
}

// administer does something as the identity that makes and rotates keys.
func administer(ctx context.Context, b Backends, do func(*transit.Keys) error) error {
	if b.Administration == nil {
		return ErrNoAdministration
	}
	keys, err := transit.OpenKeys(ctx, *b.Administration)
	if err != nil {
		return err
	}
	return errors.Join(do(keys), keys.Close())
}
