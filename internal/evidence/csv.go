package evidence

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

// formulaStarts are what makes a spreadsheet run a cell: the beginnings that OWASP
// names for CSV injection, and their full-width forms.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// inert puts an apostrophe before what a spreadsheet would run, which shows the rest
// as text. Blanks before it are no protection.
func inert(cell string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " \u00a0"))
	if first != utf8.RuneError && strings.ContainsRune(formulaStarts, first) {
		return "'" + cell
	}
	return cell
}

// WriteCSV writes a table as RFC 4180 has it: a header with the names of the columns,
// and a line for each row, ended by CRLF. Cells that a spreadsheet would run begin
// with an apostrophe; a carriage return within a cell is left out.
func WriteCSV(w io.Writer, t Table) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	row := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		row[i] = inert(c.Name)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for _, cells := range t.Rows {
		row = row[:0]
		for _, cell := range cells {
			row = append(row, inert(cell))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
