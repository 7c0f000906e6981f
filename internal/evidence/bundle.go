package evidence

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// The files of a bundle beside the tables.
const (
	fileManifest   = "manifest"
	fileCheckpoint = "log/checkpoint"
	fileKeys       = "log/keys"
	fileIndex      = "evidence/index.json"
	folderEntries  = "log/entries/"
	folderHandover = "log/handovers/"
	folderTables   = "evidence/"
	// prunedLine begins the line of an entry of which only the hash is left. No leaf
	// begins so: it is a JSON object.
	prunedLine = "pruned "
)

const (
	// EntriesPerFile is how many entries a file of a bundle has: five megabytes of
	// usual ones, which both who writes and who reads has in memory.
	EntriesPerFile = 10_000
	// maxFiles bounds the files of a bundle: what a manifest has room for (see
	// audit.MaxStatement), and with entries 20 million of them.
	maxFiles = 2_000
	// maxPath is the longest path that every tar has room for.
	maxPath = 100
)

// ErrBundle says that a bundle is none, or cannot be made of what was given.
var ErrBundle = errors.New("evidence: not a bundle")

// A File is a small file of a bundle.
type File struct {
	Path string
	Body []byte
}

// PolicyPath is the file of a policy version in a bundle.
func PolicyPath(version string) string { return "policies/" + version + ".tar" }

func tablePath(name, format string) string { return folderTables + name + "." + format }

func entriesPath(n int) string  { return fmt.Sprintf("%s%06d.jsonl", folderEntries, n) }
func handoverPath(n int) string { return fmt.Sprintf("%s%03d", folderHandover, n+1) }

// safePath tells whether a path leads to a place below a folder, and nowhere else,
// on every system.
func safePath(path string) bool {
	if path == "" || len(path) > maxPath || strings.Trim(path, safeChars) != "" {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool {
		return strings.Trim(part, ".") == ""
	})
}

// safeChars are those of paths: none that a system or a manifest reads in a way of
// its own.
const safeChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/"

// A Bundle is what is written: evidence, and the log that it was drawn from.
type Bundle struct {
	Evidence   *Evidence
	Log        Source
	Policies   []PolicyFile
	Checkpoint []byte
	Keys       []string // that are trusted
	Handovers  [][]byte // from these to the key that signed the checkpoint
	Extra      []File   // the report
}

// check refuses to write what would not verify.
func (b *Bundle) check() (keys []string, err error) {
	if keys, err = audit.FollowHandovers(b.Keys, b.Handovers...); err != nil {
		return nil, err
	}
	head, err := audit.OpenCheckpoint(b.Checkpoint, keys...)
	if err != nil {
		return nil, err
	}
	if e := b.Evidence; head != (audit.TreeHead{Origin: e.Origin, Size: e.Size, Root: e.Root}) {
		return nil, fmt.Errorf("%w: the checkpoint is not of the log that the evidence was drawn from", ErrBundle)
	}
	for i := range b.Evidence.Tables {
		if err := b.Evidence.Tables[i].check(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
