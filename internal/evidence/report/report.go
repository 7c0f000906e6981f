package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// ErrTable says that a table is not what its columns say. It names the table and
// the row.
var ErrTable = errors.New("report: a row has not as many cells as the table has columns")

//go:embed page.html
var pageText string

//go:embed chart.html
var chartText string

//go:embed page.css
var pageStyle string

var pageTemplate = func() *template.Template {
	t := template.New("page").Funcs(template.FuncMap{"px": px, "count": func(n int) string { return count(int64(n)) }, "lines": func(n int) string { return plural(int64(n), "line", "lines") }})
	template.Must(t.Parse(chartText))
	return template.Must(t.Parse(pageText))
}()

// pagePolicy is the Content-Security-Policy of the page: its own style, by its hash,
// and nothing else. In a page it cannot say more: frame-ancestors and sandbox are
// for headers.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}()

// Write draws the evidence as one page of HTML.
func Write(w io.Writer, e *evidence.Evidence) error {
	for _, t := range e.Tables {
		for i, row := range t.Rows {
			if len(row) != len(t.Columns) {
				return fmt.Errorf("%w: %s, row %d", ErrTable, t.Name, i)
			}
		}
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, newPage(e)); err != nil {
		return fmt.Errorf("report: draw the page: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("report: write the page: %w", err)
	}
	return nil
}

// px writes a measure of a drawing, with a tenth of a pixel.
func px(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
