package export

import (
	"encoding/json"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// WithSum is a cursor whose intent has another body for the object with an
// extension, as an older program would have written it.
func WithSum(c Cursor, extension, body string) Cursor {
	var s state
	if err := json.Unmarshal(c.Body, &s); err != nil {
		panic(err)
	}
	for i, object := range s.Intent.Objects {
		if strings.HasSuffix(object.Name, extension) {
			s.Intent.Objects[i] = seal(object.Name, []byte(body)).Object
		}
	}
	var err error
	if c.Body, err = json.Marshal(s); err != nil {
		panic(err)
	}
	return c
}

// Mapped and Columns are what the formats take of an entry.
var Mapped = mapped

// Columns are the names of the columns.
func Columns() []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// HasActivity tells whether a kind has a line in the table.
func HasActivity(kind string) bool {
	for known := range activities {
		if string(known) == kind {
			return true
		}
	}
	return false
}

// Defuse is what is done to each cell.
var Defuse = defuse

// OCSF is the event of one leaf.
func OCSF(origin string, index int64, leaf []byte) ([]byte, error) {
	entry, err := audit.ParseLeaf(leaf)
	if err != nil {
		return nil, err
	}
	return ocsfOf(origin, []record{{index: index, leaf: leaf, hash: audit.LeafHash(leaf), entry: entry}})
}

// BreakDir is called before each step of the disk.
func BreakDir(d *Dir, before func(step string) error) { d.files.Before = before }
