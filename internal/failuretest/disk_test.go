//go:build linux

package failuretest

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// smallDisk mounts a file system in memory, and has temporary folders made on
// it until the test ends.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root mounts a file system, and this test needs a small one")
	}
	dir, err := os.MkdirTemp("", "counterfoil-small-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	err = syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256m,mode=0755")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this root may not mount a file system, and this test needs a small one")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TMPDIR", dir)
	return dir
}

// fill takes all the room that is left on a disk.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for block := make([]byte, 1<<20); len(block) > 0; {
		n, err := file.Write(block)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2]
		case err != nil:
			t.Fatal(err)
		case n == 0:
			t.Fatal("nothing is written")
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// refusedAtTimes asks until it was refused several times, one of them soon.
func (s *service) refusedAtTimes(detail string, ask func() answer) {
	s.t.Helper()
	const times = 5
	refused, fastest := 0, comeback
	s.until("it is refused", func() bool {
		if a := ask(); !a.ok() {
			s.unavailable(a, detail)
			refused, fastest = refused+1, min(fastest, a.took)
		}
		return refused == times
	})
	if fastest > soon {
		s.t.Errorf("the fastest refusal took %s", fastest)
	}
}

// The disk of PostgreSQL is full under load, tables and log both.
func TestPostgresDiskFull(t *testing.T) {
	disk := smallDisk(t)
	server := pgtest.Start(t, "max_wal_size=64MB", "min_wal_size=32MB")
	t.Setenv("TMPDIR", "/tmp") // for all else
	s := newPlace(t, server.Database(t)).serve()
	known := s.must("chat-1", "Ann")
	l := s.underLoad()
	l.await(20)
	free := fill(t, disk)
	s.until("the load is refused", func() bool { return l.refused.Load() > 50 })
	l.end()
	// Values can be read as before. They are not given where there is no room for
	// the entry. A row that still fits somewhere is written, and served.
	s.refusedAtTimes("store", func() answer { return s.tokenize("chat-1", "Carol") })
	s.refusedAtTimes("store", func() answer { return s.restored(known) })
	free()
	s.recovers(func() answer { server.Revive(t); return s.restored(known) })
	s.recovers(func() answer { return s.tokenize("chat-2", "Dave") })
	s.recovers(s.ready)
	s.holds()
}
