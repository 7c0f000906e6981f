//go:build tools

package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
	"github.com/counterfoil/counterfoil/internal/evidence/report"
)

// quarterSize is the number of entries in the quarter that is opened: what a busy
// tenant writes.
const quarterSize = 100_000

// found is what testdata/check.mjs says.
type found struct {
	Console, Failed, Requests []string
	Wide, Axe                 map[string][]string
	AxePasses                 int
	Millis                    map[string]int
}

// A page over a quarter in a real browser: nothing in the console, nothing loaded,
// nothing wider than the page, nothing that axe-core has to say, and it prints.
func TestPageInChromium(t *testing.T) {
	q := evidencetest.MadeQuarter(1, quarterSize)
	e, err := evidence.Build(t.Context(), q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := controls.Load(authz.Controls)
	if err != nil {
		t.Fatal(err)
	}
	results, err := controls.Run(t.Context(), catalogue, q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	e.Tables = append(e.Tables, controls.Table(results))
	for name, one := range map[string]*evidence.Evidence{"quarter": e, "made": made(2, 3000), "empty": empty()} {
		t.Run(name, func(t *testing.T) {
			var page bytes.Buffer
			if err := report.Write(&page, one); err != nil {
				t.Fatal(err)
			}
			got, pdf := open(t, page.Bytes())
			t.Logf("%d bytes, %d pages of A4, %d rules of axe-core passed, milliseconds %v", page.Len(), pages(pdf), got.AxePasses, got.Millis)
			for what, list := range map[string][]string{
				"console": got.Console, "failed requests": got.Failed, "requests": got.Requests,
				"wider than 1280": got.Wide["1280"], "wider than 390": got.Wide["390"], "axe at 1280": got.Axe["1280"], "axe at 390": got.Axe["390"],
			} {
				if len(list) > 0 {
					t.Errorf("%s: %q", what, list)
				}
			}
			if got.AxePasses == 0 || len(got.Axe) != 2 || len(got.Wide) != 2 {
				t.Errorf("the page was not looked at: %+v", got)
			}
			if n := pages(pdf); n < 2 {
				t.Errorf("printed on %d pages", n)
			}
		})
	}
}

// A page with a script, a picture from elsewhere, something too wide and a table
// without a head is seen to be bad, or the test above proves nothing.
func TestPageInChromium_Twin(t *testing.T) {
	var page bytes.Buffer
	if err := report.Write(&page, empty()); err != nil {
		t.Fatal(err)
	}
	bad := bytes.Replace(page.Bytes(), []byte("</main>"), []byte(`<img src="https://pictures.example/x.png"/><script>document.title = "x"</script><pre>`+
		string(bytes.Repeat([]byte("wide"), 500))+`</pre></main>`), 1)
	got, _ := open(t, bad)
	if len(got.Console) < 2 || len(got.Wide["390"]) == 0 || len(got.Wide["1280"]) == 0 || len(got.Axe["1280"]) == 0 {
		t.Errorf("%+v", got)
	}
}

// open runs the browser on a page.
func open(t *testing.T, page []byte) (found, []byte) {
	t.Helper()
	modules, browser := os.Getenv("NODE_MODULES"), os.Getenv("CHROMIUM")
	if modules == "" {
		t.Skip("NODE_MODULES does not name the modules of playwright-core and axe-core; see make check-report")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Fatal("there is no Chromium here, and CHROMIUM names none")
	}
	dir := t.TempDir()
	if keep := os.Getenv("SHOTS"); keep != "" {
		dir = filepath.Join(keep, filepath.Base(t.Name()))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "check.mjs"), file, dir)
	cmd.Env = append(os.Environ(), "NODE_MODULES="+modules, "CHROMIUM="+browser)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	var got found
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	pdf, err := os.ReadFile(filepath.Join(dir, "page.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	return got, pdf
}

var pageObject = regexp.MustCompile(`/Type\s*/Page\b`)

// pages counts those of a PDF.
func pages(pdf []byte) int { return len(pageObject.FindAll(pdf, -1)) }
