package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// TestBackup copies a database while it is written, and again without a service:
// the copy has a prefix of the log, is its owner's alone, and is not overwritten.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "counterfoil.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	p := storagetest.NewPlace("acme", "p", time.Now())
	commit := func(effect vault.Effect) {
		t.Helper()
		if _, err := s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	commit(storagetest.Provision())
	commit(p.Open())
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.Record{})); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	var copies []string
	for range 3 {
		to := filepath.Join(t.TempDir(), "copy.db")
		if err := sqlite.Backup(t.Context(), path, to); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, to)
	}
	close(stop)
	writing.Wait()
	last, err := s.Head(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := sqlite.Backup(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	for _, to := range append(copies, to) {
		info, err := os.Stat(to)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v, %v", info.Mode(), err)
		}
		if err := sqlite.Backup(t.Context(), path, to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second time: %v", err)
		}
		v, err := sqlite.OpenReadOnly(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		head, err := v.Head(t.Context(), "acme")
		if err != nil || head.Frontier.Size < 2 || head.Frontier.Size > last.Frontier.Size {
			t.Errorf("the copy has %d entries of %d, %v", head.Frontier.Size, last.Frontier.Size, err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(filepath.Dir(to)); err != nil || len(left) != 1 {
			t.Errorf("beside the copy there is more: %v, %v", left, err)
		}
	}
	for what, err := range map[string]error{
		"no database": sqlite.Backup(t.Context(), filepath.Join(dir, "none.db"), filepath.Join(dir, "x.db")),
		"no folder":   sqlite.Backup(t.Context(), path, filepath.Join(dir, "none", "x.db")),
	} {
		if err == nil {
			t.Errorf("%s: a copy of nothing", what)
		}
	}
}
