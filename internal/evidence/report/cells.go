package report

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Limits of what is printed of a table. The CSV file beside has all of it.
const (
	// maxRows is how many rows are printed: four sheets, which is more than anybody
	// reads, and the page stays small enough for a browser.
	maxRows = 200
	// maxCell is how many characters are printed of a cell: a third of a sheet.
	maxCell = 400
	// maxRef is how many are printed of an identifier that a machine made: enough to
	// tell apart and to find again, as a short commit is. One of up to longRef is
	// printed whole, and so is a name of whatever length.
	maxRef  = 12
	longRef = 20
	// maxUnbroken is how many characters stand together before a line may end
	// between them, so that no column has to be wider.
	maxUnbroken = 16
	// minUnbroken is how many stand before a place of that kind at least.
	minUnbroken = 3
)

// A sheet is a table as it is printed.
type sheet struct {
	ID, Name, Title, Query string
	Notes                  []string
	Heads                  []head
	Rows                   [][]cell
	Total                  int
	Left                   int  // columns that are in the file alone
	Wide, Cut              bool // many columns; cells were cut
}

// More is how many rows are in the file alone.
func (s sheet) More() int { return s.Total - len(s.Rows) }

// A head is that of a column.
type head struct{ Class, Title string }

// A cell is what stands in one. Pieces are its text, with a place where a line may
// end between each two.
type cell struct {
	Class, Head string
	Badge       *badge
	Pieces      []string
}

// wideColumns is from how many columns on a table is set smaller.
const wideColumns = 9

// newSheet prints a table. Rows beyond limit are left to the file.
func newSheet(t evidence.Table, limit int) sheet {
	s := sheet{
		ID: "t-" + t.Name, Name: t.Name, Title: t.Title, Query: t.Query, Notes: t.Notes,
		Total: len(t.Rows), Rows: make([][]cell, 0, min(limit, len(t.Rows))),
	}
	shown := printed(t)
	s.Left = len(t.Columns) - len(shown)
	indexed := len(t.Entries) == len(t.Rows) && len(t.Rows) > 0 && column(t, entryColumn) < 0
	if indexed {
		s.Heads = append(s.Heads, head{"number", "Entry"})
	}
	for _, j := range shown {
		s.Heads = append(s.Heads, head{columnClass(t, t.Columns[j]), t.Columns[j].Title})
	}
	s.Wide = len(s.Heads) >= wideColumns
	for i, row := range t.Rows[:min(limit, len(t.Rows))] {
		cells := make([]cell, 0, len(s.Heads))
		if indexed {
			cells = append(cells, cell{Class: "number", Head: "Entry", Pieces: []string{strconv.FormatInt(t.Entries[i], 10)}})
		}
		for _, j := range shown {
			one := newCell(t, t.Columns[j], row, j)
			s.Cut = s.Cut || strings.HasSuffix(one.text(), "…")
			cells = append(cells, one)
		}
		s.Rows = append(s.Rows, cells)
	}
	return s
}

func (c cell) text() string { return strings.Join(c.Pieces, "") }

// columnClass is how the cells of a column look.
func columnClass(t evidence.Table, c evidence.Column) string {
	switch {
	case c.Name == entryColumn, c.Kind == evidence.KindCount, c.Kind == evidence.KindDuration, c.Kind == evidence.KindPercent:
		return "number"
	case c.Kind == evidence.KindTime:
		return "time"
	case c.Kind == evidence.KindRef:
		return "code"
	case t.Name == evidence.TableServiceLevels && c.Name == levelValue:
		return "number"
	case t.Name == evidence.TablePolicyDiffs && c.Name == "text":
		return "diff"
	default:
		return ""
	}
}

// newCell writes a value as its column wants it. A value that is not what its
// column says is written as it is: the page hides nothing.
func newCell(t evidence.Table, c evidence.Column, row []string, place int) cell {
	value := row[place]
	out := cell{Class: columnClass(t, c), Head: c.Title}
	switch {
	case value == "":
		out.Pieces = []string{"–"}
		return out
	case t.Name == evidence.TableControls && c.Name == resultColumn:
		out.Badge = newBadge(value)
		return out
	}
	kind := kindOf(t, c, row)
	out.Pieces = []string{written(kind, value)}
	if kind == evidence.KindText || kind == evidence.KindRef {
		out.Pieces = pieces(out.Pieces[0])
	}
	return out
}

// kindOf is the kind of a cell: that of its column, but for levels, where each line
// has a unit of its own.
func kindOf(t evidence.Table, c evidence.Column, row []string) evidence.ColumnKind {
	unit := column(t, levelUnit)
	if t.Name != evidence.TableServiceLevels || c.Name != levelValue || unit < 0 {
		return c.Kind
	}
	switch row[unit] {
	case unitSeconds:
		return evidence.KindDuration
	case unitPercent:
		return evidence.KindPercent
	default:
		return evidence.KindCount
	}
}

func written(kind evidence.ColumnKind, value string) string {
	switch kind {
	case evidence.KindCount:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return count(n)
		}
	case evidence.KindDuration:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return span(n)
		}
	case evidence.KindPercent:
		return value + " %"
	case evidence.KindTime:
		if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return at.UTC().Format("2006-01-02 15:04:05")
		}
	case evidence.KindRef:
		refs := strings.Fields(value)
		for i, ref := range refs {
			if machineMade(ref) {
				refs[i] = cut(ref, maxRef)
			}
		}
		return cut(strings.Join(refs, " "), maxCell)
	case evidence.KindText:
	}
	return cut(value, maxCell)
}

// machineMade tells whether an identifier is a digest, a random id or the like: long,
// with digits, and without what stands in the names of people and of tickets.
func machineMade(ref string) bool {
	return len(ref) > longRef && strings.ContainsAny(ref, "0123456789") && !strings.ContainsAny(ref, "@./")
}

// cut ends a text that is too long with an ellipsis.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// pieces are a text in parts between which a line may end: after what joins words,
// and within a word that is too long.
func pieces(text string) []string {
	var out []string
	runes := []rune(text)
	from, since := 0, 0
	for i, r := range runes {
		if since++; unicode.IsSpace(r) {
			since = 0
			continue
		}
		joins := since >= minUnbroken && strings.ContainsRune("_:/;=@|", r)
		if (joins || since >= maxUnbroken) && i+1 < len(runes) {
			out, from, since = append(out, string(runes[from:i+1])), i+1, 0
		}
	}
	return append(out, string(runes[from:]))
}
