package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/report"
)

var update = flag.Bool("update", false, "write the golden pages anew")

func draw(t interface {
	Helper()
	Fatal(...any)
}, e *evidence.Evidence) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, e); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGoldenPages(t *testing.T) {
	for name, e := range map[string]*evidence.Evidence{"empty": empty(), "small": made(1, 60)} {
		path, got := filepath.Join("testdata", name+".html"), draw(t, e)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got); -update writes it anew:\n%s", name, diff)
		}
		if draw(t, e) != got {
			t.Errorf("%s: drawn twice, it is not the same", name)
		}
	}
}

// An element of a page, as far as tests look at it.
type element struct {
	name  string
	attrs map[string]string
	text  string // of it and what is in it, where that is not the whole page
	end   int    // the element after the last one in it
}

// parse reads the page as strict XML, which fails where an element is not closed,
// an attribute not quoted or a character not escaped.
func parse(page string) ([]element, error) {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict = true
	var all []element
	var open []int
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			one := element{name: token.Name.Local, attrs: make(map[string]string)}
			for _, a := range token.Attr {
				one.attrs[a.Name.Local] = a.Value
			}
			open, all = append(open, len(all)), append(all, one)
		case xml.EndElement:
			all[open[len(open)-1]].end = len(all)
			open = open[:len(open)-1]
		case xml.CharData:
			for _, i := range open[max(len(open)-3, 0):] {
				all[i].text += string(token)
			}
		}
	}
}

func elements(t *testing.T, page string) []element {
	t.Helper()
	all, err := parse(page)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// hostile are names that would get out of their place in a page that let them.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><script>1</script>`, `</style><b>`, `javascript:alert(1)`,
	`' onmouseover='x`, `&lt;b&gt;`, `]]>`, `{{.Policy}}`, `<!--`, `-->`, "\u202egnp.exe", `https://elsewhere.example/x`, `url(https://elsewhere.example)`,
}

// dressed is evidence in which every text is hostile.
func dressed(bad string) *evidence.Evidence {
	e := made(3, 60)
	e.Tenant, e.Origin, e.ToolVersion = bad, bad, bad
	for i := range e.Tables {
		t := &e.Tables[i]
		t.Title, t.Query, t.Notes = bad, bad, []string{bad}
		for j := range t.Columns {
			t.Columns[j].Title = bad
		}
		for _, row := range t.Rows {
			for j, c := range t.Columns {
				if c.Kind == evidence.KindText || c.Kind == evidence.KindRef {
					row[j] = bad
				}
			}
		}
	}
	e.Tables = append(e.Tables, evidence.Table{Name: "further", Title: bad, Columns: columns(evidence.KindText, bad), Rows: [][]string{{bad}}})
	return e
}

// Whatever a name is, the page has the elements and attributes that it has with any
// other name, and the name as text.
func TestNamesStayText(t *testing.T) {
	shape := func(page string) (names []string) {
		for _, one := range elements(t, page) {
			// Where a line may end, and whether a name was cut, depends on the name.
			if one.name != "wbr" && one.attrs["class"] != "more" && one.attrs["class"] != "code" {
				names = append(names, one.name)
			}
		}
		return names
	}
	want := shape(draw(t, dressed("harmless")))
	for _, bad := range hostile {
		page := draw(t, dressed(bad))
		if diff := cmp.Diff(want, shape(page)); diff != "" {
			t.Errorf("%q changes the page: %s", bad, diff)
		}
		for _, one := range elements(t, page) {
			if one.name == "p" && one.attrs["class"] == "whose" && one.text != bad {
				t.Errorf("%q is shown as %q", bad, one.text)
			}
		}
	}
}

// outside are references that would make a browser ask for something.
func outside(all []element) (bad []string) {
	for _, one := range all {
		for name, value := range one.attrs {
			switch {
			case name == "href" && strings.HasPrefix(value, "#"):
			case name == "href", name == "src", name == "srcset", name == "action", name == "data", name == "style", strings.HasPrefix(name, "on"):
				bad = append(bad, one.name+" "+name)
			}
		}
		switch one.name {
		case "script", "link", "img", "iframe", "object", "embed", "form", "base", "foreignObject", "use", "image":
			bad = append(bad, one.name)
		case "style":
			if regexp.MustCompile(`url\(|@import|//`).MatchString(one.text) {
				bad = append(bad, "style that loads")
			}
		}
	}
	return bad
}

func TestPageLoadsNothing(t *testing.T) {
	pages := []string{draw(t, empty()), draw(t, made(1, 300))}
	for _, bad := range hostile {
		pages = append(pages, draw(t, dressed(bad)))
	}
	for _, page := range pages {
		if bad := outside(elements(t, page)); len(bad) > 0 {
			t.Errorf("%q", bad)
		}
	}
}

func TestPageLoadsNothing_Twin(t *testing.T) {
	page := draw(t, empty())
	for _, bad := range []string{`<img src="x"/>`, `<a href="https://x.example/">x</a>`, `<p style="x">x</p>`, `<p onclick="x">x</p>`, `<style>@import "x"</style>`, `<script></script>`} {
		if len(outside(elements(t, strings.Replace(page, "</main>", bad+"</main>", 1)))) == 0 {
			t.Errorf("%s is not seen", bad)
		}
	}
	if _, err := parse(strings.Replace(page, "</main>", "<b></main>", 1)); err == nil {
		t.Error("an element that is not closed is not seen")
	}
}

// The policy of the page admits its own style and nothing else.
func TestPolicyAdmitsItsStyle(t *testing.T) {
	all := elements(t, draw(t, made(1, 60)))
	policy, style := "", ""
	for _, one := range all {
		if one.attrs["http-equiv"] == "Content-Security-Policy" {
			policy = one.attrs["content"]
		}
		if one.name == "style" {
			style = one.text
		}
	}
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("%q, want %q", policy, want)
	}
}

// unreadable are what keeps somebody who does not see the page from reading it.
func unreadable(all []element) (bad []string) {
	ids, level, marks := make(map[string]bool), 0, make(map[string]int)
	for _, one := range all {
		if id := one.attrs["id"]; id != "" {
			if ids[id] {
				bad = append(bad, "twice: "+id)
			}
			ids[id] = true
		}
		marks[one.name]++
		marks["role:"+one.attrs["role"]]++
		if len(one.name) == 2 && one.name[0] == 'h' && one.name[1] >= '1' && one.name[1] <= '6' {
			at := int(one.name[1] - '0')
			if at > level+1 {
				bad = append(bad, "heading "+one.text+" is too deep")
			}
			level = at
		}
		if one.name == "th" && one.attrs["scope"] == "" {
			bad = append(bad, "head of nothing: "+one.text)
		}
	}
	for _, one := range all {
		for _, name := range []string{"aria-labelledby", "aria-describedby"} {
			if id := one.attrs[name]; id != "" && !ids[id] {
				bad = append(bad, "nothing has the id "+id)
			}
		}
		if target, is := strings.CutPrefix(one.attrs["href"], "#"); is && !ids[target] {
			bad = append(bad, "a link to nothing: "+target)
		}
	}
	if marks["table"] != marks["caption"] || marks["main"] != 1 || marks["nav"] != 1 || marks["h1"] != 1 || marks["header"] != 1 || marks["footer"] != 1 {
		bad = append(bad, "landmarks or captions are missing")
	}
	if marks["title"] != marks["desc"]+1 || marks["role:img"] != marks["desc"] {
		bad = append(bad, "a chart has no title or description")
	}
	return bad
}

func TestPageIsAccessible(t *testing.T) {
	for _, e := range []*evidence.Evidence{empty(), made(1, 500)} {
		if bad := unreadable(elements(t, draw(t, e))); len(bad) > 0 {
			t.Errorf("%q", bad)
		}
	}
}

func TestPageIsAccessible_Twin(t *testing.T) {
	page := draw(t, made(1, 60))
	for from, to := range map[string]string{
		"caption": "p", "desc": "p", ` scope="col"`: ``, ` role="img"`: ``, "h2": "h5", `id="summary"`: `id="contents"`, `aria-describedby="c-denials-wide-desc"`: `aria-describedby="x"`,
	} {
		if broken := strings.ReplaceAll(page, from, to); len(unreadable(elements(t, broken))) == 0 {
			t.Errorf("without %s nothing is seen", from)
		}
	}
}

func TestRowThatDoesNotFitIsRefused(t *testing.T) {
	e := made(1, 60)
	rows := table(e, evidence.TableDenials).Rows
	rows[1] = rows[1][:2]
	var out bytes.Buffer
	err := report.Write(&out, e)
	if !errors.Is(err, report.ErrTable) || !strings.Contains(err.Error(), "denials, row 1") || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

// A writer that fails half way is heard of.
func TestWriterThatFails(t *testing.T) {
	if err := report.Write(full{}, empty()); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

var errFull = errors.New("report_test: full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
