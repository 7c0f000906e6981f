package localkey

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Key is an open key file. It implements envelope.KeyWrapper and is safe for
// use by several goroutines at once.
type Key struct {
	path string

	mu     sync.RWMutex
	roots  map[int]envelope.Secret // by version, from the minimum to the current
	min    int
	last   int
	closed bool
}

var _ envelope.KeyWrapper = (*Key)(nil)

// Create makes a key file with one version. It refuses a path where something
// is already: overwriting a key file loses every value under it.
func Create(path string) error { return create(path, noFault) }

func create(path string, before step) error {
	unlock, err := lockFolder(path)
	if err != nil {
		return err
	}
	defer unlock()
	taken, err := exists(path)
	if err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	if taken {
		return fmt.Errorf("localkey: %s stays as it is: %w", path, fs.ErrExist)
	}
	f := keyFile{Format: fileFormat, Versions: []keyVersion{newVersion(1)}, MinVersion: 1}
	defer f.wipe()
	return replaceFile(path, f, before)
}

// Open reads a key file.
func Open(path string) (*Key, error) {
	f, err := readFile(path)
	if err != nil {
		return nil, err
	}
	k := &Key{path: path}
	k.adopt(f)
	return k, nil
}

// Rotate adds a version, for every tenant, and makes it the current one when
// it is durable.
func (k *Key) Rotate(ctx context.Context) error { return k.rotate(ctx, noFault) }

func (k *Key) rotate(ctx context.Context, before step) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	unlock, err := lockFolder(k.path)
	if err != nil {
		return err
	}
	defer unlock()
	return k.addVersion(before)
}

// addVersion adds a version to what is in the file now: another process may
// have rotated since Open. The folder is locked.
func (k *Key) addVersion(before step) error {
	f, err := readFile(k.path)
	if err != nil {
		return err
	}
	if len(f.Versions) == maxVersions {
		f.wipe()
		return fmt.Errorf("%w: it has %d versions, the most there can be", ErrFile, maxVersions)
	}
	f.Versions = append(f.Versions, newVersion(f.last()+1))
	// Where this fails after the rename, the new version is in the file and not
	// in use, as if another process had made it. The next rotation adopts it.
	if err := replaceFile(k.path, f, before); err != nil {
		f.wipe()
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		f.wipe()
		return errClosed
	}
	k.adopt(f)
	return nil
}

// Close wipes the keys. Every call answers ErrUnavailable from then on.
func (k *Key) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for _, root := range k.roots {
		root.Wipe()
	}
	k.roots = nil
	return nil
}

// adopt takes the content of the file over. k.mu is held, or k is not shared
// yet.
func (k *Key) adopt(f keyFile) {
	for _, root := range k.roots {
		root.Wipe()
	}
	k.roots = make(map[int]envelope.Secret, len(f.Versions))
	for _, v := range f.Versions {
		if v.Version < f.MinVersion {
			v.Key.Wipe()
			continue
		}
		k.roots[v.Version] = v.Key.Secret
	}
	k.min, k.last = f.MinVersion, f.last()
}

func (f keyFile) wipe() {
	for _, v := range f.Versions {
		v.Key.Wipe()
	}
}

// Format writes the path and nothing else for every verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// String names the key by the path of its file.
func (k *Key) String() string { return "localkey(" + k.path + ")" }

// GoString is String.
func (k *Key) GoString() string { return k.String() }

// LogValue is String.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String; JSON uses it.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
