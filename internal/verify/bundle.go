package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// The files of a bundle that mean something to a verifier. What else it holds is
// evidence, of which the manifest has the hash.
const (
	fileManifest   = "manifest"
	fileCheckpoint = "log/checkpoint"
	dirHandovers   = "log/handovers/"
)

// entriesFile are the leaves of a log, one a line, in the order of their names.
var entriesFile = regexp.MustCompile(`^log/entries/[0-9]{6,12}\.jsonl$`)

// maxSmall bounds a file that is kept in memory: a manifest, and all that is
// smaller.
const maxSmall = audit.MaxStatement + audit.MaxCheckpoint

// maxHandovers is the number of keys that a log has had: one a week for twenty
// years.
const maxHandovers = 1000

// Bundle verifies a bundle of evidence with nothing but the keys of the log: a tar,
// which may be compressed with gzip, of
//
//   - manifest: a signed statement whose body has a line for each other file, sorted
//     by path: its SHA-256 in hex, its size, its path, two spaces between them;
//   - log/checkpoint, and log/handovers/NNN where the log changed its key;
//   - log/entries/NNNNNN.jsonl: all leaves from index 0 to the size of the
//     checkpoint, see Lines;
//   - the evidence that was drawn from it, and whatever else the manifest names.
//
// The archive is in the one form in which bundles are written; a key of the log
// signed the manifest; every file is what the manifest says, and none is missing or
// besides (bundle, manifest). Then the log is verified as by Log. That the tables
// follow from the log is said by who signed, and can be had again from the leaves.
//
// The file is read twice. In memory there is a line per file, and the small ones
// among them.
func Bundle(ctx context.Context, file io.ReadSeeker, opts Options) (Result, error) {
	return newVerifier(opts).bundle(ctx, file)
}

// A bundle is what was found on the first reading.
type bundle struct {
	sums    map[string]fileSum
	small   map[string][]byte
	entries []string // in the order in which they stand
}

type fileSum struct {
	sum  [sha256.Size]byte
	size int64
}

func (v *verifier) bundle(ctx context.Context, file io.ReadSeeker) (Result, error) {
	if err := v.name(); err != nil {
		return Result{}, err
	}
	b, err := v.survey(ctx, file)
	if err != nil {
		return Result{}, err
	}
	v.follow(b.handovers())
	checkpoint, ok := b.small[fileCheckpoint]
	if !ok {
		return Result{}, bundleFault("it holds no checkpoint")
	}
	head, err := v.newest(checkpoint, "the checkpoint of the bundle")
	if err != nil {
		return Result{}, err
	}
	if err := v.manifest(b); err != nil {
		return Result{}, err
	}
	v.opts.RequireSigned = true
	result, err := v.run(ctx, func(yield func(Entry) error) error { return v.leaves(b, file, head.Size, yield) })
	result.Files = len(b.sums) - 1
	return result, err
}

// survey reads a bundle once: the sum of each file, and the small ones that are
// needed before the leaves.
func (v *verifier) survey(ctx context.Context, file io.ReadSeeker) (*bundle, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("verify: the bundle: %w", err)
	}
	b := &bundle{sums: make(map[string]fileSum), small: make(map[string][]byte)}
	err := v.walk(file, func(name string, size int64, body io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum := sha256.New()
		if name == fileManifest || name == fileCheckpoint || strings.HasPrefix(name, dirHandovers) {
			if size > maxSmall || len(b.small) > maxHandovers {
				return bundleFault("%s is longer than any, or one of too many", name)
			}
			text, err := io.ReadAll(body)
			if err != nil {
				return archiveError(err)
			}
			b.small[name] = text
			sum.Write(text)
		} else if _, err := io.Copy(sum, body); err != nil {
			return archiveError(err)
		}
		if entriesFile.MatchString(name) {
			if n := len(b.entries); n > 0 && b.entries[n-1] >= name {
				return bundleFault("the entries do not stand in their order")
			}
			b.entries = append(b.entries, name)
		}
		b.sums[name] = fileSum{[sha256.Size]byte(sum.Sum(nil)), size}
		return nil
	})
	return b, err
}

// handovers are those of the bundle, in the order of their names.
func (b *bundle) handovers() (signed [][]byte) {
	var names []string
	for name := range b.small {
		if strings.HasPrefix(name, dirHandovers) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		signed = append(signed, b.small[name])
	}
	return signed
}

// follow takes the handovers that lead on from keys that are good. Others in a
// bundle are of keys before: whoever has a later key needs not trust them.
func (v *verifier) follow(handovers [][]byte) {
	keys, given := v.trusted(), slices.Clone(v.opts.Handovers)
	for _, signed := range handovers {
		if h, err := v.take(signed, keys...); err == nil && !slices.Contains(keys, h.New) {
			keys, given = append(keys, h.New), append(given, signed)
		}
	}
	v.opts.Handovers = given
}

// manifest holds every file against the signed list of them.
func (v *verifier) manifest(b *bundle) error {
	signed, ok := b.small[fileManifest]
	if !ok {
		return bundleFault("it holds no manifest")
	}
	statement, err := audit.OpenStatement(signed, audit.TitleEvidence, v.trusted()...)
	if err == nil && statement.Origin != v.opts.Origin {
		err = errOtherLog
	}
	if err != nil {
		if err := v.report(NoIndex, RuleSignature, "the manifest: "+reason(err)); err != nil {
			return err
		}
		statement.Body = unsignedBody(signed)
	}
	listed, last := 0, ""
	for line := range strings.Lines(statement.Body) {
		name, of, ok := manifestLine(strings.TrimSuffix(line, "\n"))
		if !ok || name <= last {
			return v.report(NoIndex, RuleManifest, fmt.Sprintf("line %d is not one, or out of order", listed+1))
		}
		if there, ok := b.sums[name]; name == fileManifest || !ok || there != of {
			if err := v.report(NoIndex, RuleManifest, name+" is missing, or not what the manifest says"); err != nil {
				return err
			}
		}
		listed, last = listed+1, name
	}
	if listed != len(b.sums)-1 {
		return v.report(NoIndex, RuleManifest, "there are files that the manifest does not name")
	}
	return nil
}

// unsignedBody is the body of a statement that nobody vouches for.
func unsignedBody(signed []byte) string {
	text, _, _ := strings.Cut(string(signed), "\n\n")
	lines := strings.SplitN(text+"\n", "\n", 3)
	return lines[len(lines)-1]
}

// manifestLine reads a line in its one form.
func manifestLine(line string) (name string, of fileSum, ok bool) {
	parts := strings.SplitN(line, "  ", 3)
	if len(parts) != 3 || !cleanPath(parts[2]) {
		return "", of, false
	}
	sum, err := hex.DecodeString(parts[0])
	size, sizeErr := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || sizeErr != nil || len(sum) != sha256.Size {
		return "", of, false
	}
	of = fileSum{[sha256.Size]byte(sum), size}
	return parts[2], of, hex.EncodeToString(sum)+"  "+strconv.FormatInt(size, 10) == parts[0]+"  "+parts[1]
}

// leaves gives the entries on a second reading, in which the files are what they were
// on the first.
func (v *verifier) leaves(b *bundle, file io.ReadSeeker, size int64, yield func(Entry) error) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("verify: the bundle: %w", err)
	}
	index := int64(0)
	return v.walk(file, func(name string, _ int64, body io.Reader) error {
		if !slices.Contains(b.entries, name) {
			return nil
		}
		sum := sha256.New()
		next, err := readLines(io.TeeReader(body, sum), index, yield)
		if err != nil {
			return err
		}
		if [sha256.Size]byte(sum.Sum(nil)) != b.sums[name].sum {
			return errChanging
		}
		if index = next; index > size {
			return bundleFault("it holds more entries than its checkpoint")
		}
		return nil
	})
}

var errChanging = errors.New("verify: the bundle changes while it is read")
