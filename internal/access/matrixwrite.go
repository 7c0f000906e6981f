package access

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The formats of WriteMatrix.
const (
	FormatMarkdown = "markdown"
	FormatCSV      = "csv"
	FormatJSON     = "json"
)

// MatrixFormats returns the closed list.
func MatrixFormats() []string { return []string{FormatMarkdown, FormatCSV, FormatJSON} }

// WriteMatrix writes rights as a table for people (GitHub's Markdown), for a
// spreadsheet (RFC 4180) or for programs. Names and patterns come from outside:
// none of them becomes markup of the one or a formula of the other.
func WriteMatrix[R Right | PrincipalRight](w io.Writer, format string, rights []R) error {
	switch format {
	case FormatJSON:
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		if rights == nil {
			rights = []R{} // an empty list is a list
		}
		return out.Encode(rights)
	case FormatCSV:
		return writeCSV(w, tabled(rights))
	case FormatMarkdown:
		return writeMarkdown(w, tabled(rights))
	}
	return fmt.Errorf("access: unknown format %q: it is one of %s", format, strings.Join(MatrixFormats(), ", "))
}

var rightColumns = []string{
	"role", "reason", "class", "entities", "form", "conditions",
	"approvals", "mfa", "reference", "places", "budgets", "rule",
}

// tabled is a header and a row for each right.
func tabled[R Right | PrincipalRight](rights []R) [][]string {
	var rows [][]string
	header := rightColumns
	for _, right := range rights {
		switch r := any(right).(type) {
		case Right:
			rows = append(rows, r.cells())
		case PrincipalRight:
			rows = append(rows, append([]string{r.Principal, r.Refused}, r.cells()...))
		}
	}
	if _, ok := any(rights).([]PrincipalRight); ok {
		header = append([]string{"principal", "refused"}, rightColumns...)
	}
	return append([][]string{header}, rows...)
}

// cells of an empty right are empty.
func (r Right) cells() []string {
	if r.Rule == "" {
		return make([]string, len(rightColumns))
	}
	const all = "; "
	entities := strings.Join(r.Entities, all)
	if r.Entities == nil {
		entities = everyEntity
	}
	return []string{
		r.Role, r.Reason, string(r.Class), entities, string(r.Form), strings.Join(r.Conditions, all),
		strconv.Itoa(r.Approvals), strconv.FormatBool(r.MFA), r.Reference,
		strings.Join(r.Places, all), strings.Join(r.Budgets, all), r.Rule,
	}
}

func writeCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, row := range rows {
		cells := slices.Clone(row)
		for i, cell := range cells {
			cells[i] = inert(cell)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// formulaStarts are what makes a spreadsheet run a cell: the beginnings that
// OWASP names for CSV injection, and their full-width forms.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// inert puts an apostrophe before what a spreadsheet would run, which shows the
// rest as text. Blanks before it are no protection.
func inert(cell string) string {
	first := strings.TrimLeft(cell, " \u00a0")
	if first != "" && strings.ContainsAny(firstRune(first), formulaStarts) {
		return "'" + cell
	}
	return cell
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

func writeMarkdown(w io.Writer, rows [][]string) error {
	var out strings.Builder
	for i, row := range rows {
		out.WriteString("|")
		for _, cell := range row {
			out.WriteString(" " + markdownText.Replace(cell) + " |")
		}
		out.WriteString("\n")
		if i == 0 {
			out.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// markdownText keeps text from being markup, a new row or HTML.
var markdownText = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`, "!", `\!`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "\r", " ", "\n", " ", "\t", " ",
)
