// Package sqlitetest gives tests databases whose migrations were done before: a
// test that opens one does not wait for them. What opening makes of an empty
// folder is for the tests of package sqlite.
package sqlitetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
)

// Prepare writes an empty database with the newest schema where there is no file
// yet, and makes its folder.
func Prepare(t testing.TB, path string) {
	t.Helper()
	content, err := migrated()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatalf("sqlitetest: %v", err)
	}
}

// migrated is the file of an empty database, made once for the process.
var migrated = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "counterfoil-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "vault.db")
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{Clock: time.Now})
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := store.Close(); err != nil { // which leaves nothing beside the file
		return nil, err
	}
	return os.ReadFile(path)
})
