package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// ErrCheckpoints says that the head that was kept cannot be used: it is damaged, of
// another log, signed by a key that is not trusted, or somebody else changed it. It
// is never passed over, since whoever can take away what was kept could take back
// what the log has shown. Look what happened; only a person may remove it.
var ErrCheckpoints = errors.New("client: the checkpoint that was kept cannot be used")

// A CheckpointStore keeps the greatest head of the log that a client has seen, as
// the signed note that states it. It belongs to one client at a time.
type CheckpointStore interface {
	// Load returns what is kept, nil where nothing is.
	Load() ([]byte, error)
	// Keep replaces the note from, which the client loaded or kept before (empty
	// where there was none), whole or not at all. Where something else is kept than
	// from, that is an error of the kind ErrCheckpoints and nothing is changed.
	Keep(from, to []byte) error
}

// CheckpointFile keeps the head in a file, which need not exist yet. A file that
// survives restarts is what shows that a log was taken back in between. After a
// crash it holds the old head or the new one, and both are right.
func CheckpointFile(path string) CheckpointStore { return checkpointFile(path) }

type checkpointFile string

// Load reads the file.
func (path checkpointFile) Load() ([]byte, error) {
	file, err := os.Open(string(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoints, err)
	}
	defer func() { _ = file.Close() }() // it was read only
	note, err := io.ReadAll(io.LimitReader(file, audit.MaxCheckpoint+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCheckpoints, err)
	case len(note) == 0:
		// The file is written whole: an empty one was emptied.
		return nil, fmt.Errorf("%w: the file is empty", ErrCheckpoints)
	}
	return note, nil
}

// Keep writes a file beside it and moves that into its place.
func (path checkpointFile) Keep(from, to []byte) error {
	there, err := path.Load()
	if err != nil {
		return err
	}
	if !bytes.Equal(there, from) {
		return fmt.Errorf("%w: the file is not as it was left", ErrCheckpoints)
	}
	folder := filepath.Dir(string(path))
	file, err := os.CreateTemp(folder, ".checkpoint-*")
	if err != nil {
		return fmt.Errorf("client: keep the checkpoint: %w", err)
	}
	_, err = file.Write(to)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), string(path))
	}
	if err != nil {
		return fmt.Errorf("client: keep the checkpoint: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return settle(folder)
}

// settle makes a rename in a folder last.
func settle(folder string) error {
	f, err := os.Open(folder)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("client: keep the checkpoint: %w", err)
	}
	return nil
}

// CheckpointMemory keeps the head as long as the process lives: consistency is
// demanded within it, and what was shown is forgotten with it.
func CheckpointMemory() CheckpointStore { return new(checkpointMemory) }

type checkpointMemory struct {
	mu   sync.Mutex
	note []byte
}

// Load returns the note.
func (m *checkpointMemory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.note, nil
}

// Keep replaces the note.
func (m *checkpointMemory) Keep(from, to []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !bytes.Equal(m.note, from) {
		return fmt.Errorf("%w: another client has changed it", ErrCheckpoints)
	}
	m.note = bytes.Clone(to)
	return nil
}

// open takes what is kept, so far as it can be judged without asking: its form, and
// the log that it is of. Its signature is judged before the first request, since a
// key that is not pinned may have made it.
func (l *logbook) open(store CheckpointStore) error {
	if store == nil {
		l.opened = true
		return nil
	}
	note, err := store.Load()
	if err != nil {
		return err
	}
	origin, _, _ := strings.Cut(string(note), "\n")
	switch {
	case len(note) == 0:
		return nil
	case l.origin != "" && origin != l.origin:
		return fmt.Errorf("%w: it is of another log, or damaged", ErrCheckpoints)
	}
	if _, err := audit.OpenCheckpoint(note, l.keys...); len(l.keys) > 0 && err != nil && !errors.Is(err, audit.ErrSignature) {
		return fmt.Errorf("%w: it is damaged", ErrCheckpoints)
	}
	l.kept = string(note)
	return nil
}
