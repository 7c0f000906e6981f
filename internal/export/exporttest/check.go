package exporttest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/durable"
	"github.com/counterfoil/counterfoil/internal/export"
)

// Objects are those of one tenant, by name below its folder.
type Objects map[string][]byte

// ReadDir reads the objects of a tenant from a folder that is a sink.
func ReadDir(dir, tenant string) (Objects, error) {
	objects := Objects{}
	folder := os.DirFS(filepath.Join(dir, tenant))
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if name == "." && errors.Is(err, fs.ErrNotExist) {
			return fs.SkipAll
		}
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), durable.TemporaryPrefix) {
			return err
		}
		objects[name], err = fs.ReadFile(folder, name)
		return err
	})
	return objects, err
}

// Found is what a check found.
type Found struct {
	Entries  int64 // from 0 on, without a gap
	Repeated int64 // those that were there more than once
	Days     []export.Manifest
	Lines    string // of all entries, each once
}

// Check looks at objects as an auditor who has the first key of the log: keys and
// handovers, checkpoints, manifests day by day, every object that they name, and
// every entry. It returns the first thing that is wrong.
func (o Objects) Check(first string) (Found, error) {
	vkeys, err := o.keys(first)
	if err != nil {
		return Found{}, err
	}
	found, hashes, err := o.entries()
	if err != nil {
		return Found{}, err
	}
	if err := o.checkpoints(hashes, vkeys); err != nil {
		return Found{}, err
	}
	found.Days, err = o.manifests(vkeys)
	return found, err
}

// Names lists the names of objects in a folder, in order.
func (o Objects) Names(folder string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if strings.HasPrefix(name, folder) {
			names = append(names, name)
		}
	}
	return names
}

func (o Objects) keys(first string) ([]string, error) {
	var handovers [][]byte
	for n := 1; o["keys/"+strconv.Itoa(n)] != nil; n++ {
		if n == 1 && string(o["keys/1"]) != first+"\n" {
			return nil, fmt.Errorf("the first key is another")
		}
		if n > 1 {
			handovers = append(handovers, o[fmt.Sprintf("keys/%d.handover", n)])
		}
	}
	return audit.FollowHandovers([]string{first}, handovers...)
}

// entries reads the lines in the order of names. Batches that were divided anew
// may lie over one another; what they hold must be the same.
func (o Objects) entries() (Found, []audit.Hash, error) {
	var found Found
	var lines strings.Builder
	var leaves []string
	for _, name := range o.Names("entries/") {
		if !strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".ocsf.jsonl") {
			continue
		}
		parts := strings.Split(strings.TrimSuffix(name, ".jsonl"), "/")
		span := strings.Split(parts[4], "-")
		from, _ := strconv.Atoi(span[0])
		to, _ := strconv.Atoi(span[1])
		text := strings.Split(strings.TrimSuffix(string(o[name]), "\n"), "\n")
		if len(text) != to-from+1 || from > len(leaves) {
			return found, nil, fmt.Errorf("%s: %d lines after %d entries", name, len(text), len(leaves))
		}
		for i, line := range text {
			switch at := from + i; {
			case at == len(leaves):
				leaves = append(leaves, line)
				lines.WriteString(line + "\n")
			case leaves[at] != line:
				return found, nil, fmt.Errorf("%s: entry %d is another than before", name, at)
			default:
				found.Repeated++
			}
		}
	}
	var hashes []audit.Hash
	var last time.Time
	for i, leaf := range leaves {
		entry, err := audit.ParseLeaf([]byte(leaf))
		if err != nil || entry.Time.Before(last) {
			return found, nil, fmt.Errorf("entry %d: out of order, or %w", i, err)
		}
		last = entry.Time
		hashes = append(hashes, audit.LeafHash([]byte(leaf)))
	}
	found.Entries, found.Lines = int64(len(leaves)), lines.String()
	return found, hashes, nil
}

func (o Objects) checkpoints(hashes []audit.Hash, vkeys []string) error {
	roots := rootsOf(hashes)
	names := o.Names("checkpoints/")
	covered := 0
	for _, name := range names {
		head, err := audit.OpenCheckpoint(o[name], vkeys...)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if fmt.Sprintf("checkpoints/%015d", head.Size) != name {
			return fmt.Errorf("%s: it is of size %d", name, head.Size)
		}
		// One may be of a head that the export has not reached.
		if head.Size <= int64(len(hashes)) && roots(head.Size) != head.Root {
			return fmt.Errorf("%s: the entries have another root", name)
		}
		covered = max(covered, int(head.Size))
	}
	if covered < len(hashes) {
		return fmt.Errorf("no checkpoint covers the last of %d entries", len(hashes))
	}
	return nil
}

// rootsOf computes the roots of a log from its leaf hashes alone.
func rootsOf(hashes []audit.Hash) func(size int64) audit.Hash {
	levels := [][]audit.Hash{hashes}
	for n := len(levels) - 1; len(levels[n]) > 1; n++ {
		var above []audit.Hash
		for i := 0; i+1 < len(levels[n]); i += 2 {
			above = append(above, sha256.Sum256(append(append([]byte{1}, levels[n][i][:]...), levels[n][i+1][:]...)))
		}
		levels = append(levels, above)
	}
	return func(size int64) audit.Hash {
		root, err := audit.RootAt(size, func(level int, n int64) (audit.Hash, error) { return levels[level][n], nil })
		must(err)
		return root
	}
}

func (o Objects) manifests(vkeys []string) ([]export.Manifest, error) {
	var days []export.Manifest
	for _, name := range o.Names("manifests/") {
		m, err := export.OpenManifest(o[name], vkeys...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if "manifests/"+m.Day != name {
			return nil, fmt.Errorf("%s: it is of %s", name, m.Day)
		}
		if err := o.follows(days, m); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		head, err := audit.OpenCheckpoint(o[fmt.Sprintf("checkpoints/%015d", m.Size)], vkeys...)
		if err != nil || head.Root != m.Root {
			return nil, fmt.Errorf("%s: its checkpoint is not there, %w", name, err)
		}
		if err := o.named(m); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		days = append(days, m)
	}
	return days, nil
}

// follows tells whether a day is the next one, in time and by its indexes.
func (o Objects) follows(days []export.Manifest, m export.Manifest) error {
	if len(days) == 0 {
		if m.First != 0 {
			return fmt.Errorf("the first day begins with entry %d", m.First)
		}
		return nil
	}
	before := days[len(days)-1]
	date, err := time.Parse(time.DateOnly, before.Day)
	must(err)
	if m.Day != date.AddDate(0, 0, 1).Format(time.DateOnly) || m.First != before.Last+1 {
		return fmt.Errorf("it does not follow %s", before.Day)
	}
	return nil
}

// named checks every object of a day, and that they hold its entries.
func (o Objects) named(m export.Manifest) error {
	lines := int64(0)
	kinds := map[string]int{}
	for objects := slices.Clone(m.Objects); len(objects) > 0; {
		object := objects[0]
		objects = objects[1:]
		body, there := o[object.Name]
		sum := sha256.Sum256(body)
		if !there || hex.EncodeToString(sum[:]) != object.SHA256 {
			return fmt.Errorf("%s is not there as it was", object.Name)
		}
		if object.IsListing() {
			listed, err := export.ParseListing(string(body))
			if err != nil {
				return err
			}
			objects = append(listed, objects...)
			continue
		}
		if strings.HasSuffix(object.Name, ".csv") || strings.HasSuffix(object.Name, ".ocsf.jsonl") {
			continue
		}
		for line := range strings.Lines(string(body)) {
			entry, err := audit.ParseLeaf([]byte(strings.TrimSuffix(line, "\n")))
			if err != nil {
				return err
			}
			kinds[string(entry.Kind)]++
			lines++
		}
	}
	if lines != m.Entries() || !maps.Equal(kinds, m.Kinds) {
		return fmt.Errorf("its objects hold %d entries, %v", lines, kinds)
	}
	return nil
}
