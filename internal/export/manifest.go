package export

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A Manifest says what there is of one day of a log. It is the body of an
// audit.Statement of TitleManifest, one fact in a line:
//
//	day 2026-01-02
//	first 17
//	last 41
//	entries 25
//	size 1000
//	root <base64>
//	kind restore 20
//	kind tokenize 5
//	object <sha256, hex> entries/2026/01/02/000000000000017-000000000000041.jsonl
//
// with a line for each kind that has entries, by name, and for each object in the
// order of writing. The checkpoint of that size and root is beside it; it covers
// the day. A day without entries has entries 0 and a last that is first-1. The
// entries of the next day begin at last+1.
//
// An object below listings/ lists more objects of the day, which were written
// before the others: see ParseListing.
type Manifest struct {
	Day         string
	First, Last int64
	Size        int64
	Root        audit.Hash
	Kinds       map[string]int
	Objects     []Object
}

// Entries is how many entries the day has.
func (m Manifest) Entries() int64 { return m.Last - m.First + 1 }

// MaxManifestObjects bounds the objects that one manifest or listing names.
const MaxManifestObjects = ListAfter + len(extensions)

func (m Manifest) body() string {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + " " + value + "\n") }
	decimal := func(n int64) string { return strconv.FormatInt(n, 10) }
	line("day", m.Day)
	line("first", decimal(m.First))
	line("last", decimal(m.Last))
	line("entries", decimal(m.Entries()))
	line("size", decimal(m.Size))
	line("root", m.Root.String())
	for _, kind := range slices.Sorted(maps.Keys(m.Kinds)) {
		line("kind", kind+" "+strconv.Itoa(m.Kinds[kind]))
	}
	for _, object := range m.Objects {
		line("object", object.SHA256+" "+object.Name)
	}
	return b.String()
}

// Marshal writes the text form. It refuses what ParseManifest would not read.
func (m Manifest) Marshal() (string, error) {
	if err := m.check(); err != nil {
		return "", err
	}
	return m.body(), nil
}

func (m Manifest) check() error {
	switch {
	case !day(m.Day).valid():
		return fmt.Errorf("%w: day", ErrManifest)
	case m.First < 0 || m.Last < m.First-1 || m.Size <= m.Last || m.Size > audit.MaxSize:
		return fmt.Errorf("%w: the indexes and the size do not fit together", ErrManifest)
	case len(m.Objects) > MaxManifestObjects:
		return fmt.Errorf("%w: more than %d objects", ErrManifest, MaxManifestObjects)
	}
	sum := int64(0)
	for kind, n := range m.Kinds {
		if !audit.IsName(kind) || n < 1 {
			return fmt.Errorf("%w: a kind is a name and a count", ErrManifest)
		}
		sum += int64(n)
	}
	if sum != m.Entries() {
		return fmt.Errorf("%w: the counts of the kinds are not those of the entries", ErrManifest)
	}
	for _, object := range m.Objects {
		if err := object.check(); err != nil {
			return err
		}
	}
	return nil
}

// ParseManifest reads exactly what Marshal writes.
func ParseManifest(body string) (Manifest, error) {
	if len(body) > audit.MaxStatement {
		return Manifest{}, fmt.Errorf("%w: longer than %d bytes", ErrManifest, audit.MaxStatement)
	}
	m := Manifest{Kinds: map[string]int{}}
	// Comparing the text at the end settles names, order and form; here only the
	// values are read.
	bad := false
	read := func(n int64, err error) int64 {
		bad = bad || err != nil
		return n
	}
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch name {
		case "day":
			m.Day = value
		case "first":
			m.First = read(strconv.ParseInt(value, 10, 64))
		case "last":
			m.Last = read(strconv.ParseInt(value, 10, 64))
		case "size":
			m.Size = read(strconv.ParseInt(value, 10, 64))
		case "root":
			root, err := base64.StdEncoding.Strict().DecodeString(value)
			if bad = bad || err != nil || len(root) != len(m.Root); !bad {
				m.Root = audit.Hash(root)
			}
		case "kind":
			kind, count, _ := strings.Cut(value, " ")
			m.Kinds[kind] = int(read(strconv.ParseInt(count, 10, 0)))
		case "object":
			sum, object, _ := strings.Cut(value, " ")
			m.Objects = append(m.Objects, Object{Name: object, SHA256: sum})
		}
	}
	if bad || m.body() != body {
		return Manifest{}, fmt.Errorf("%w: a line is missing, moved or malformed", ErrManifest)
	}
	return m, m.check()
}

// OpenManifest checks that a key of the log signed a manifest, and reads it.
func OpenManifest(signed []byte, vkeys ...string) (Manifest, error) {
	s, err := audit.OpenStatement(signed, audit.TitleManifest, vkeys...)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return ParseManifest(s.Body)
}

// says tells whether two manifests say the same of the log.
func (m Manifest) says(other Manifest) bool {
	return m.Day == other.Day && m.First == other.First && m.Last == other.Last && maps.Equal(m.Kinds, other.Kinds) &&
		(m.Size != other.Size || m.Root == other.Root)
}
