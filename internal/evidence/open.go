package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// An Opened is a bundle that was found whole: each file is what its manifest says,
// the manifest and the checkpoint are signed, and the entries lead to its root.
type Opened struct {
	Head       audit.TreeHead
	Checkpoint []byte
	Keys       []string // that are good for it, the given ones first
	Handovers  [][]byte
	Tree       *Tree // of its entries, to prove them

	path string
	sums map[string]string // lines of the manifest, by path
}

// OpenBundle reads a bundle, a tar or a tar.gz, and checks that it is whole. Without
// keys that the caller trusts it takes those of the bundle itself: then it is whole,
// and whoever made it may have made it up. What the entries say is for package verify
// to judge.
func OpenBundle(path string, trusted ...string) (*Opened, error) {
	o := &Opened{path: path}
	reader := &bundleReader{opened: o, sums: make(map[string]string), handovers: make(map[string][]byte), tree: &Tree{levels: make([][]audit.Hash, 1)}}
	if err := scan(path, reader.see); err != nil {
		return nil, err
	}
	if err := reader.settle(trusted); err != nil {
		return nil, err
	}
	o.Tree, o.sums = reader.tree, reader.sums
	return o, nil
}

// bundleReader collects what a bundle says of itself.
type bundleReader struct {
	opened    *Opened
	manifest  []byte
	keys      []byte
	sums      map[string]string // lines of the manifest, as they should be
	handovers map[string][]byte
	tree      *Tree
}

func (r *bundleReader) see(path string, size int64, body io.Reader) error {
	if path == fileManifest {
		if size > audit.MaxStatement+audit.MaxCheckpoint {
			return fmt.Errorf("%w: its manifest is too large", ErrBundle)
		}
		var err error
		r.manifest, err = whole(size, body)
		return err
	}
	hash := sha256.New()
	body = io.TeeReader(body, hash)
	if err := r.keep(path, size, body); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return fmt.Errorf("%w: %w", ErrBundle, err)
	}
	r.sums[path] = manifestLine(path, [sha256.Size]byte(hash.Sum(nil)), size)
	return nil
}

// keep takes out of a file what is needed.
func (r *bundleReader) keep(path string, size int64, body io.Reader) (err error) {
	switch {
	case path == fileCheckpoint:
		r.opened.Checkpoint, err = whole(size, body)
	case path == fileKeys:
		r.keys, err = whole(size, body)
	case strings.HasPrefix(path, folderHandover):
		r.handovers[path], err = whole(size, body)
	case strings.HasPrefix(path, folderEntries):
		// Files come in the order of their paths, which is that of the log.
		if path != entriesPath(int(r.tree.Size()/EntriesPerFile)) || r.tree.Size()%EntriesPerFile != 0 {
			return fmt.Errorf("%w: its entries are out of order", ErrBundle)
		}
		err = eachLine(body, func(line []byte) error {
			leaf, hash, err := readLine(line)
			if leaf != nil {
				hash = audit.LeafHash(leaf)
			}
			r.tree.add(hash)
			return err
		})
	}
	return err
}

// settle judges it once everything was read.
func (r *bundleReader) settle(trusted []string) error {
	o := r.opened
	var err error
	if o.Keys = slices.Clone(trusted); len(trusted) == 0 {
		o.Keys = strings.Fields(string(r.keys))
	}
	for i := range len(r.handovers) {
		o.Handovers = append(o.Handovers, r.handovers[handoverPath(i)])
	}
	if o.Keys, err = r.follow(len(trusted) > 0); err != nil {
		return err
	}
	if err := r.checkManifest(); err != nil {
		return err
	}
	if o.Head, err = audit.OpenCheckpoint(o.Checkpoint, o.Keys...); err != nil {
		return fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if r.tree.Size() != o.Head.Size {
		return fmt.Errorf("%w: it has %d entries, its checkpoint speaks for %d", ErrBundle, r.tree.Size(), o.Head.Size)
	}
	if root, err := audit.RootAt(o.Head.Size, r.tree.Node); err != nil || root != o.Head.Root {
		return fmt.Errorf("%w: its entries are not those of its checkpoint", ErrBundle)
	}
	return nil
}

// follow lets trusted keys vouch for later ones. Those of the bundle are all there.
func (r *bundleReader) follow(trusted bool) ([]string, error) {
	if !trusted {
		return r.opened.Keys, nil
	}
	keys := r.opened.Keys
	for i, signed := range r.opened.Handovers {
		more, err := audit.FollowHandovers(keys, signed)
		switch {
		case err == nil:
			keys = more
		case !errors.Is(err, audit.ErrSignature):
			return nil, fmt.Errorf("%w: handover %d: %w", ErrBundle, i+1, err)
		}
		// One before the trusted key is of no use, and of no harm.
	}
	return keys, nil
}

func (r *bundleReader) checkManifest() error {
	s, err := audit.OpenStatement(r.manifest, audit.TitleEvidence, r.opened.Keys...)
	if err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrBundle, err)
	}
	var lines strings.Builder
	for _, path := range slices.Sorted(maps.Keys(r.sums)) {
		lines.WriteString(r.sums[path])
	}
	if s.Body != lines.String() {
		return fmt.Errorf("%w: its files are not those of its manifest", ErrBundle)
	}
	return nil
}

// maxLine is the longest line of entries.
const maxLine = audit.MaxLeaf + 1

// eachLine reads lines, each of which is ended by a line feed.
func eachLine(body io.Reader, do func([]byte) error) error {
	in := bufio.NewReaderSize(body, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("%w: a line of its entries is too long or has no end", ErrBundle)
		}
		if err := do(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// readLine reads what writer.entries writes.
func readLine(line []byte) (leaf []byte, hash audit.Hash, err error) {
	text, pruned := bytes.CutPrefix(line, []byte(prunedLine))
	if !pruned {
		return line, audit.Hash{}, nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(b) != len(hash) {
		return nil, hash, fmt.Errorf("%w: a line of a pruned entry", ErrBundle)
	}
	return nil, audit.Hash(b), nil
}

// errChanged says that the file is not the one any more that was found whole.
var errChanged = fmt.Errorf("%w: it changed while it was read", ErrBundle)

// Source walks the entries of the bundle.
func (o *Opened) Source() Source {
	return func(yield func(Entry) error) error {
		index := int64(0)
		return scan(o.path, func(path string, _ int64, body io.Reader) error {
			if !strings.HasPrefix(path, folderEntries) {
				return nil
			}
			return eachLine(body, func(line []byte) error {
				one := Entry{Index: index}
				var err error
				if one.Leaf, one.Hash, err = readLine(line); err == nil && one.Leaf != nil {
					one.Hash = audit.LeafHash(one.Leaf)
					one.Entry, err = audit.ParseLeaf(one.Leaf)
				}
				if err != nil {
					return fmt.Errorf("entry %d: %w", index, err)
				}
				if known, err := o.Tree.Node(0, index); err != nil || known != one.Hash {
					return errChanged
				}
				index++
				return yield(one)
			})
		})
	}
}

// Evidence reads the tables of the bundle.
func (o *Opened) Evidence() (*Evidence, error) {
	var index indexFile
	tables := make(map[string]Table)
	err := scan(o.path, func(path string, size int64, body io.Reader) error {
		if !strings.HasPrefix(path, folderTables) || !strings.HasSuffix(path, ".json") {
			return nil
		}
		b, err := whole(size, body)
		if err != nil {
			return err
		}
		if manifestLine(path, sha256.Sum256(b), size) != o.sums[path] {
			return errChanged
		}
		if path == fileIndex {
			return json.Unmarshal(b, &index)
		}
		var file tableFile
		if err := json.Unmarshal(b, &file); err != nil {
			return err
		}
		tables[file.Name], err = file.table()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: its tables: %w", ErrBundle, err)
	}
	e := &Evidence{
		Tenant: index.Tenant, Origin: index.Checkpoint.Origin, ToolVersion: index.ToolVersion, Made: index.Made,
		Period: Period{index.Period.From.UTC(), index.Period.To.UTC()}, Size: index.Checkpoint.Size, Root: index.Checkpoint.Root,
		First: index.First, Last: index.Last,
	}
	for _, l := range index.Tables {
		t, there := tables[l.Name]
		if !there {
			return nil, fmt.Errorf("%w: the table %s is missing", ErrBundle, l.Name)
		}
		e.Tables = append(e.Tables, t)
	}
	return e, nil
}
