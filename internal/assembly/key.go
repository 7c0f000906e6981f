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
)

var (
	// ErrNoKey says that there is no key file.
	ErrNoKey = errors.New("assembly: there is no key file")
	// ErrKeyExists says that there is one already.
	ErrKeyExists = errors.New("assembly: there is a key file already")
	// ErrNotLocal says that the wrapping keys are those of a key service, which
	// another identity rotates.
	ErrNotLocal = errors.New("assembly: the wrapping keys are not in a local file")
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

func openKey(b Backends) (wrapper, error) {
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

// RotateKey gives the wrapping key of every tenant a new version. What was
// wrapped before still opens.
func (in *Instance) RotateKey(ctx context.Context) error {
	local, ok := in.key.(*localkey.Key)
	if !ok {
		return ErrNotLocal
	}
	return local.Rotate(ctx)
}
