package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// Bundle is the files of a policy, read and bounded, not yet believed. It is
// taken whole or refused whole: Policy gives the policy only if everything in
// it holds, and whoever had another one before keeps it otherwise.
//
// The files are those that decide (see Version), decisions/*.yaml and
// texts/*.yaml, which test what is decided, change.yaml, which says where the
// bundle comes from, and bundle.sig. A bundle is not written to once it is
// read, but for its signature by Sign.
type Bundle struct {
	files  map[string][]byte
	change Change
}

const (
	fileChange    = "change.yaml"
	fileSignature = "bundle.sig"
	// maxBundleFiles is every table and every file of texts that a policy may
	// have, and some for the rest.
	maxBundleFiles = 2*maxTables + 50
	// maxBundleBytes bounds what is held in memory for a bundle, a hundred
	// times what is shipped.
	maxBundleBytes = 16 << 20
	maxNameLength  = 100
)

// OpenBundle reads a bundle from a directory, a .tar or a .tar.gz. Links of a
// directory are followed as long as they stay in it.
func OpenBundle(name string) (*Bundle, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, refused(err)
	}
	if info.IsDir() {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, refused(err)
		}
		defer func() { _ = root.Close() }() // read only: nothing can be lost
		return BundleOf(root.FS())
	}
	if !info.Mode().IsRegular() || info.Size() > maxBundleBytes {
		return nil, refused(fmt.Errorf("%s must be a directory, or a file of at most %d bytes", name, maxBundleBytes))
	}
	packed, err := os.ReadFile(name)
	if err != nil {
		return nil, refused(err)
	}
	return ReadBundle(packed)
}

// BundleOf reads the files of a directory. Other files may be among them, as a
// README, but no data file of another name. It reads all of it twice: of a
// directory that is just being replaced two halves could fit together.
func BundleOf(fsys fs.FS) (*Bundle, error) {
	files, err := filesOf(fsys)
	if err != nil {
		return nil, refused(err)
	}
	again, err := filesOf(fsys)
	if err != nil {
		return nil, refused(err)
	}
	if !maps.EqualFunc(files, again, bytes.Equal) {
		return nil, refused(errors.New("the files change while they are read"))
	}
	return newBundle(files)
}

func newBundle(files map[string][]byte) (*Bundle, error) {
	b := &Bundle{files: files}
	if len(files) == 0 {
		return nil, refused(errors.New("it has no files"))
	}
	var err error
	if b.change, err = b.readChange(); err != nil {
		return nil, refused(fmt.Errorf("%s: %w", fileChange, err))
	}
	return b, nil
}

func refused(err error) error { return fmt.Errorf("%w: %w", ErrBundle, err) }

func filesOf(fsys fs.FS) (map[string][]byte, error) {
	files, total := map[string][]byte{}, 0
	for _, dir := range []string{".", dirDecisions, dirTexts} {
		entries, err := fs.ReadDir(fsys, dir)
		if dir != "." && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			if !bundleName(name) {
				if dir != "." || isData(name) {
					return nil, fmt.Errorf("%q is not a file of a bundle", name)
				}
				continue
			}
			text, err := readFile(fsys, name)
			if err != nil {
				return nil, err
			}
			files[name] = text
			if total += len(text); total > maxBundleBytes || len(files) > maxBundleFiles {
				return nil, errTooLarge
			}
		}
	}
	return files, nil
}

var errTooLarge = fmt.Errorf("more than %d files or %d bytes", maxBundleFiles, maxBundleBytes)

// bundleName says whether a bundle may have a file of this name.
func bundleName(name string) bool {
	if name == fileChange || name == fileSignature || slices.Contains(bundleFiles, name) {
		return true
	}
	dir, base := path.Split(name)
	return (dir == dirDecisions+"/" || dir == dirTexts+"/") && tableName(base)
}

// tableName admits what any file system keeps as it is.
func tableName(base string) bool {
	stem, ok := strings.CutSuffix(base, ".yaml")
	return ok && len(base) <= maxNameLength && toolName.MatchString(stem) && !strings.HasPrefix(stem, ".")
}

// isData says whether somebody may believe a file to be in force. The catalogue of
// controls, which is not of a bundle, decides nothing.
func isData(name string) bool {
	return name != fileControls && slices.Contains([]string{".yaml", ".yml", ".csv", ".conf", ".sig"}, path.Ext(name))
}

// Load reads what the bundle says without asking the decision tables. It is for
// those who work on a policy; what is to decide comes from Policy.
func (b *Bundle) Load() (*Policy, error) { return Load(b.FS()) }

// Policy is the checked policy: every name in it is known and every decision
// table holds. The error wraps ErrBundle, and ErrTables where a table fails,
// and names the file and the sentence; it is that of the context otherwise.
func (b *Bundle) Policy(ctx context.Context) (*Policy, error) {
	p, err := b.Load()
	if err != nil {
		return nil, err
	}
	report, err := p.Check(ctx)
	if err != nil {
		return nil, err
	}
	if err := report.Err(); err != nil {
		return nil, refused(fmt.Errorf("%w: %s", err, report.Failures[0]))
	}
	return p, nil
}

// Version is the version of the policy that the bundle holds: see
// Policy.Version.
func (b *Bundle) Version() string { return digest(b.files) }

// TestsDigest is the lower hex SHA-256 over the names and bytes of decisions/
// and texts/: which tests the policy has passed.
func (b *Bundle) TestsDigest() string {
	return b.sum(func(name string) bool { return path.Dir(name) != "." })
}

// filesDigest is the same over all files but the signature.
func (b *Bundle) filesDigest() string {
	return b.sum(func(name string) bool { return name != fileSignature })
}

// sum is the SHA-256 over the names and bytes of some files, by name, each
// preceded by its length in eight bytes, so that no two sets of files run into
// the same input.
func (b *Bundle) sum(which func(name string) bool) string {
	h := sha256.New()
	part := func(text []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		h.Write(text)
	}
	for _, name := range b.names() {
		if which(name) {
			part([]byte(name))
			part(b.files[name])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (b *Bundle) names() []string { return slices.Sorted(maps.Keys(b.files)) }
