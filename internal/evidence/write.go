package evidence

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// fileMode is that of every file of a bundle.
const fileMode = 0o644

// part is a file that is drawn when it is its turn.
type part struct {
	path string
	draw func() ([]byte, error)
}

// Write writes the bundle as one tar: its files sorted by path, the manifest, signed,
// as the last. The same evidence of the same log makes the same bytes. Where it fails
// what was written is no bundle: it has no manifest.
func (b *Bundle) Write(ctx context.Context, w io.Writer, sign func(audit.Statement) ([]byte, error)) error {
	keys, err := b.check()
	if err != nil {
		return err
	}
	parts, err := b.parts(keys)
	if err != nil {
		return err
	}
	out := &writer{tar: tar.NewWriter(w), bundle: b}
	walked := false
	for _, p := range parts {
		if !walked && p.path > folderEntries {
			if walked = true; b.Evidence.Size > 0 {
				if err := out.entries(ctx, b.Log); err != nil {
					return err
				}
			}
		}
		body, err := p.draw()
		if err == nil {
			err = out.file(p.path, body)
		}
		if err != nil {
			return err
		}
	}
	manifest, err := sign(audit.Statement{Title: audit.TitleEvidence, Origin: b.Evidence.Origin, Body: out.manifest()})
	if err != nil {
		return err
	}
	// It has to be good for whoever reads it with the keys of the bundle.
	if _, err := audit.OpenStatement(manifest, audit.TitleEvidence, keys...); err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrBundle, err)
	}
	if err := out.put(fileManifest, manifest); err != nil {
		return err
	}
	return out.tar.Close()
}

// parts are the files of a bundle but the entries and the manifest, sorted by path.
// log/keys is among them, so that something always follows the entries.
func (b *Bundle) parts(keys []string) ([]part, error) {
	e := b.Evidence
	given := func(path string, body []byte) part {
		return part{path, func() ([]byte, error) { return body, nil }}
	}
	parts := []part{
		{fileIndex, e.index}, given(fileCheckpoint, b.Checkpoint), given(fileKeys, []byte(strings.Join(keys, "\n")+"\n")),
	}
	for _, t := range e.Tables {
		parts = append(parts,
			part{tablePath(t.Name, "csv"), func() ([]byte, error) { return e.csv(t) }},
			part{tablePath(t.Name, "json"), func() ([]byte, error) { return e.json(t) }})
	}
	for i, handover := range b.Handovers {
		parts = append(parts, given(handoverPath(i), handover))
	}
	for _, p := range b.Policies {
		if p.Packed != nil {
			parts = append(parts, given(PolicyPath(p.Version), p.Packed))
		}
	}
	for _, f := range b.Extra {
		parts = append(parts, given(f.Path, f.Body))
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.path, b.path) })
	for i, p := range parts {
		switch {
		case !safePath(p.path), p.path == fileManifest, strings.HasPrefix(p.path, folderEntries):
			return nil, fmt.Errorf("%w: a file cannot have that path", ErrBundle)
		case i > 0 && p.path == parts[i-1].path:
			return nil, fmt.Errorf("%w: %s is there twice", ErrBundle, p.path)
		}
	}
	return parts, nil
}

// writer puts files into a tar and remembers their digests.
type writer struct {
	tar    *tar.Writer
	bundle *Bundle
	lines  []string
}

// file puts in a file that the manifest speaks for.
func (w *writer) file(path string, body []byte) error {
	if len(w.lines) == maxFiles {
		return fmt.Errorf("%w: more than %d files", ErrBundle, maxFiles)
	}
	w.lines = append(w.lines, manifestLine(path, sha256.Sum256(body), int64(len(body))))
	return w.put(path, body)
}

func (w *writer) put(path string, body []byte) error {
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: path, Size: int64(len(body)), Mode: fileMode, ModTime: w.bundle.Evidence.Made, Format: tar.FormatUSTAR,
	}
	if err := w.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.tar.Write(body)
	return err
}

func manifestLine(path string, sum [sha256.Size]byte, size int64) string {
	return fmt.Sprintf("%x  %d  %s\n", sum, size, path)
}

// manifest is the body of the manifest. The files were put in by path, and so the
// lines are.
func (w *writer) manifest() string { return strings.Join(w.lines, "") }

// entries puts in the log, file by file. It is walked a second time here, so its root
// is compared with that of the log that the evidence was drawn from.
func (w *writer) entries(ctx context.Context, log Source) error {
	var body bytes.Buffer
	var tree frontier
	size := w.bundle.Evidence.Size
	flush := func() error {
		n := int((tree.size - 1) / EntriesPerFile)
		defer body.Reset()
		return w.file(entriesPath(n), body.Bytes())
	}
	err := tree.watching(ctx, log)(func(one Entry) error {
		switch {
		case one.Index >= size:
			return fmt.Errorf("%w: it is longer than its checkpoint", ErrSource)
		case one.Pruned():
			body.WriteString(prunedLine + one.Hash.String())
		case audit.LeafHash(one.Leaf) != one.Hash || bytes.IndexByte(one.Leaf, '\n') >= 0:
			return fmt.Errorf("%w: entry %d is not what its hash says", ErrSource, one.Index)
		default:
			body.Write(one.Leaf)
		}
		body.WriteByte('\n')
		if tree.size%EntriesPerFile == 0 {
			return flush()
		}
		return nil
	})
	if err == nil && body.Len() > 0 {
		err = flush()
	}
	if err != nil {
		return err
	}
	root, err := tree.root()
	if err == nil && (tree.size != size || root != w.bundle.Evidence.Root) {
		err = fmt.Errorf("%w: it is not the one that the evidence was drawn from", ErrSource)
	}
	return err
}
