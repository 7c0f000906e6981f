package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// anchorSuffix ends the name of an anchor file; the tenant begins it.
const anchorSuffix = ".anchor"

// AnchorStore keeps the anchors of all tenants in a place that does not fall
// with the store: a folder ([Anchors]) or the KV engine of a key service.
type AnchorStore interface {
	// Write replaces the anchor of a tenant, whole and durably.
	Write(anchor audit.Anchor) error
	// Read returns all anchors. One that cannot be read strictly is an error: a
	// damaged anchor must not count as none.
	Read() ([]audit.Anchor, error)
	// SetAside keeps the anchor of a tenant where Read does not find it, and puts
	// another in its place, also one of a smaller size or of another log; nil puts
	// none there.
	SetAside(tenant string, by *audit.Anchor) error
	// Append adds lines to the journal of erasures of a tenant, durably. Where it
	// has not as many lines as are said to be before: ErrJournalMoved. One that
	// fails otherwise may have been kept.
	Append(tenant string, after int, lines [][]byte) error
	// Journal returns the lines of that journal from the given one on, counted from
	// zero, as they were added.
	Journal(tenant string, from int) ([][]byte, error)
}

// Anchors keeps the anchors of all tenants as files in a folder outside the
// database.
type Anchors struct{ dir string }

// OpenAnchors uses a folder, and makes it where it is missing.
func OpenAnchors(dir string) (*Anchors, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lifecycle: anchors: %w", err)
	}
	return &Anchors{dir: dir}, nil
}

// Write replaces the anchor of a tenant: temporary file, fsync, rename, fsync
// of the folder. After a crash there is the old anchor or the new one, whole;
// either is true, and the old one only knows less.
func (a *Anchors) Write(anchor audit.Anchor) error {
	body, err := anchor.Marshal()
	if err != nil {
		return fmt.Errorf("lifecycle: anchor of %s: %w", anchor.Tenant, err)
	}
	file, err := os.CreateTemp(a.dir, ".anchor-*")
	if err != nil {
		return fmt.Errorf("lifecycle: anchor of %s: %w", anchor.Tenant, err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // fails once it was renamed, as it should
	_, err = file.Write(body)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(a.dir, anchor.Tenant+anchorSuffix))
	}
	if err == nil {
		err = syncDir(a.dir)
	}
	if err != nil {
		return fmt.Errorf("lifecycle: anchor of %s: %w", anchor.Tenant, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Read returns all anchors. A file that cannot be read strictly is an error:
// a damaged anchor must not count as none.
func (a *Anchors) Read() ([]audit.Anchor, error) {
	names, err := filepath.Glob(filepath.Join(a.dir, "*"+anchorSuffix))
	if err != nil {
		return nil, fmt.Errorf("lifecycle: anchors: %w", err)
	}
	anchors := make([]audit.Anchor, 0, len(names))
	for _, name := range names {
		anchor, err := readAnchor(name)
		if err != nil {
			return nil, err
		}
		anchors = append(anchors, anchor)
	}
	return anchors, nil
}

func readAnchor(name string) (audit.Anchor, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > audit.MaxAnchor {
		err = fs.ErrInvalid
	}
	var body []byte
	if err == nil {
		body, err = os.ReadFile(name)
	}
	if err != nil {
		return audit.Anchor{}, fmt.Errorf("lifecycle: anchor file: %w", err)
	}
	anchor, err := audit.ParseAnchor(body)
	if err != nil {
		return audit.Anchor{}, fmt.Errorf("lifecycle: anchor file %s: %w", filepath.Base(name), err)
	}
	if anchor.Tenant != strings.TrimSuffix(filepath.Base(name), anchorSuffix) {
		return audit.Anchor{}, fmt.Errorf("lifecycle: anchor file %s speaks of another tenant", filepath.Base(name))
	}
	return anchor, nil
}

// asideSuffix ends the names of anchors that were set aside.
const asideSuffix = ".aside"

// SetAside keeps the anchor of a tenant under the size that it stated. After a
// crash it may be both there and in its place; doing it again ends the same.
func (a *Anchors) SetAside(tenant string, by *audit.Anchor) error {
	name := filepath.Join(a.dir, tenant+anchorSuffix)
	old, err := readAnchor(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		err = os.Link(name, fmt.Sprintf("%s.%d%s", name, old.Size, asideSuffix))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("lifecycle: anchor of %s: %w", tenant, err)
		}
		if err := syncDir(a.dir); err != nil {
			return fmt.Errorf("lifecycle: anchor of %s: %w", tenant, err)
		}
	}
	if by != nil {
		return a.Write(*by)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("lifecycle: anchor of %s: %w", tenant, err)
	}
	return syncDir(a.dir)
}
