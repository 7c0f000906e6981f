package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A tableFile is a table as its JSON file has it: what was asked, of which log, by
// which tool, and the digest of the CSV with the same rows.
type tableFile struct {
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	Query       string       `json:"query"`
	Tenant      string       `json:"tenant"`
	ToolVersion string       `json:"tool_version"`
	Made        time.Time    `json:"made"`
	Period      periodFile   `json:"period"`
	Checkpoint  headFile     `json:"checkpoint"`
	CSV         digestFile   `json:"csv"`
	Notes       []string     `json:"notes"`
	Columns     []columnFile `json:"columns"`
	Rows        [][]string   `json:"rows"`
	Entries     []int64      `json:"entries"` // null where rows are sums
}

type periodFile struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // exclusive
}

type headFile struct {
	Origin string     `json:"origin"`
	Size   int64      `json:"size"`
	Root   audit.Hash `json:"root"`
}

type digestFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

type columnFile struct {
	Name  string     `json:"name"`
	Title string     `json:"title"`
	Kind  ColumnKind `json:"kind"`
}

// An indexFile lists the tables of a bundle in the order of the report.
type indexFile struct {
	Tenant      string     `json:"tenant"`
	ToolVersion string     `json:"tool_version"`
	Made        time.Time  `json:"made"`
	Period      periodFile `json:"period"`
	Checkpoint  headFile   `json:"checkpoint"`
	First       int64      `json:"first"` // index of the first entry of the period
	Last        int64      `json:"last"`  // and of that after its last
	Definition  string     `json:"restoration"`
	Tables      []listed   `json:"tables"`
}

type listed struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Rows  int    `json:"rows"`
}

func (e *Evidence) head() headFile     { return headFile{e.Origin, e.Size, e.Root} }
func (e *Evidence) period() periodFile { return periodFile{e.Period.From, e.Period.To} }

// csv draws a table as CSV.
func (e *Evidence) csv(t Table) ([]byte, error) {
	var b bytes.Buffer
	err := WriteCSV(&b, t)
	return b.Bytes(), err
}

// json draws a table as JSON.
func (e *Evidence) json(t Table) ([]byte, error) {
	table, err := e.csv(t)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(table)
	out := tableFile{
		Name: t.Name, Title: t.Title, Query: t.Query, Tenant: e.Tenant, ToolVersion: e.ToolVersion, Made: e.Made,
		Period: e.period(), Checkpoint: e.head(), CSV: digestFile{tablePath(t.Name, "csv"), hex.EncodeToString(sum[:])},
		Notes: t.Notes, Rows: t.Rows, Entries: t.Entries,
	}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, columnFile(c))
	}
	if out.Rows == nil {
		out.Rows = [][]string{} // an empty list is a list
	}
	if out.Notes == nil {
		out.Notes = []string{}
	}
	return json.Marshal(out)
}

// index draws the list of tables.
func (e *Evidence) index() ([]byte, error) {
	out := indexFile{
		Tenant: e.Tenant, ToolVersion: e.ToolVersion, Made: e.Made, Period: e.period(), Checkpoint: e.head(),
		First: e.First, Last: e.Last, Definition: Definition,
	}
	for _, t := range e.Tables {
		out.Tables = append(out.Tables, listed{t.Name, t.Title, len(t.Rows)})
	}
	return json.Marshal(out)
}

// table reads what json writes.
func (f *tableFile) table() (Table, error) {
	t := Table{Name: f.Name, Title: f.Title, Query: f.Query, Rows: f.Rows, Entries: f.Entries, Notes: f.Notes}
	for _, c := range f.Columns {
		t.Columns = append(t.Columns, Column(c))
	}
	return t, t.check()
}

// ErrTable says that a table is not one that can be drawn.
var ErrTable = errors.New("evidence: a table is malformed")

// check tells whether every row has a cell for each column, and an entry where the
// table has entries.
func (t *Table) check() error {
	if !audit.IsName(t.Name) || len(t.Columns) == 0 {
		return fmt.Errorf("%w: it has no name or no columns", ErrTable)
	}
	if t.Entries != nil && len(t.Entries) != len(t.Rows) {
		return fmt.Errorf("%w: %s: entries and rows differ in number", ErrTable, t.Name)
	}
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("%w: %s: row %d has %d cells for %d columns", ErrTable, t.Name, i, len(row), len(t.Columns))
		}
	}
	return nil
}
