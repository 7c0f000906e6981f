package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample has all that a report can have. The floor comes after the service, and between
// them something else.
func sample() *report.Report {
	r := &report.Report{
		Mode: "quick", Commit: "8b6a429", Runs: 3, Took: 95*time.Second + 300*time.Millisecond,
		Began:    time.Date(2026, 11, 22, 3, 10, 0, 0, time.FixedZone("", 3600)),
		Machine:  map[string]string{"kernel": "6.1", "cpu": "Some CPU", "cores": "2", "swap": "none"},
		Versions: map[string]string{"vault": "1.23", "go": "go1.26", "pgx": "5.12"},
		Measurements: []report.Measurement{
			{
				Work: "restore 5 tokens", Of: "counterfoil", Load: "16 clients", Items: 5,
				PerSecond: report.Figure{4100, 4213, 3988}, P50: report.Figure{3.512, 3.6, 3.4},
				P95: report.Figure{6, 6.1, 5.9}, P99: report.Figure{9, 9.25, 8}, P999: report.Figure{20, 21, 14},
				CPU:    map[string]report.Figure{"counterfoil": {0.21, 0.2, 0.22}, "postgres": {0.15, 0.14, 0.16}, "load": {0.04}},
				RSS:    map[string]report.Figure{"counterfoil": {61.2}, "postgres": {180}},
				Allocs: report.Figure{312}, AllocBytes: report.Figure{40123}, VaultCalls: report.Figure{0.0012},
				Fsyncs: report.Figure{0.13}, WALBytes: report.Figure{1510},
			},
			{Work: "tokenize 5 values", Of: "counterfoil", Load: "1 client", PerSecond: report.Figure{700}, Failed: 1200, Refused: 31},
			{
				Work: "restore 5 tokens", Of: "floor", Load: "16 clients", Items: 5,
				PerSecond: report.Figure{6600, 6700, 6500}, P50: report.Figure{2.2, 2.1, 2.3},
				P95: report.Figure{4}, P99: report.Figure{5}, P999: report.Figure{9},
				CPU: map[string]report.Figure{"floor": {0.08}, "postgres": {0.14}, "other | one": {1}},
			},
			{Work: "restore 5 tokens", Of: "counterfoil", Load: "1 client", PerSecond: report.Figure{0}},
			{Work: "restore 5 tokens", Of: "floor", Load: "1 client", PerSecond: report.Figure{0}},
		},
		Curves: []report.Curve{
			{Name: "soak", Title: "Soak", X: "requests", Y: "MiB", Series: []report.Line{{Name: "rss", X: report.Points{1, 2, nan}, Y: report.Points{60, 61, 62}}}},
			{Name: "growth", Title: "Growth <p50>", X: "mappings", Y: "ms", LogX: true, Series: []report.Line{{Name: "restore", X: report.Points{0, 1e4, 1e7}, Y: report.Points{1, 2, 3}}}},
		},
		Notes: []string{"restore of counterfoil: 1 failed, the first:\nstatus 503 | <nil>", "a second"},
	}
	r.Judge(report.Goal{Work: "tokenize 5 values", Must: "≥ 0.60", Got: "0.63 (0.61–0.64)", Verdict: report.Met})
	r.Judge(report.Goal{Work: "restore 5 tokens", Must: "≥ 0.60", Got: "0.58 (0.57–0.60)", Verdict: report.NotMet})
	r.Judge(report.Goal{Work: "soak", Must: "RSS drift < 5%"})
	return r
}

func TestMarkdown(t *testing.T) {
	const golden = "testdata/report.md"
	got := []byte(sample().Markdown())
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("not as in %s; -update writes it anew (-want +got):\n%s", golden, diff)
	}
}

// TestMarkdownTablesAreWhole: whatever stands in a cell, a row has the cells of its head.
func TestMarkdownTablesAreWhole(t *testing.T) {
	r := sample()
	for i := range r.Measurements {
		r.Measurements[i].Work += " |\n| b"
	}
	r.Goals[0].Got = "|\r\n|"
	cells, rows := 0, 0
	for line := range strings.Lines(r.Markdown()) {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if cells != 0 && n != cells {
			t.Errorf("a row has %d cells, its head %d: %s", n, cells, line)
		}
		cells = n
		rows++
	}
	if rows != 22 {
		t.Errorf("%d rows of tables, want 22", rows)
	}
}

func TestEmptyReportHasNoEmptyTables(t *testing.T) {
	if got := (&report.Report{}).Markdown(); strings.Contains(got, "|") {
		t.Errorf("%s", got)
	}
}

func TestFindAndJudge(t *testing.T) {
	r := sample()
	if m := r.Find("restore 5 tokens", "floor", "16 clients"); m != &r.Measurements[2] {
		t.Errorf("%+v", m)
	}
	if m := r.Find("restore 5 tokens", "floor", "64 clients"); m != nil {
		t.Errorf("%+v", m)
	}
	if g := r.Goals[2]; g.Verdict != report.NotMeasured {
		t.Errorf("%+v", g)
	}
}

func TestWrite(t *testing.T) {
	r, dir := sample(), filepath.Join(t.TempDir(), "new", "folder")
	if err := r.Write(dir, "REPORT"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "REPORT.md"))
	if err != nil || string(text) != r.Markdown() {
		t.Errorf("the Markdown is another: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "REPORT.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back report.Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	r.Began = r.Began.UTC()
	back.Began = back.Began.UTC()
	if diff := cmp.Diff(*r, back, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("the JSON reads otherwise (-written +read):\n%s", diff)
	}
	for _, c := range r.Curves {
		b, err := os.ReadFile(filepath.Join(dir, c.Name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil || picture.Width != 1200 || picture.Height != 700 {
			t.Errorf("%s: %v, %+v", c.Name, err, picture)
		}
	}
}

// TestWriteKeepsTheTextWithoutAPicture: a folder that bars one picture costs this one.
func TestWriteKeepsTheTextWithoutAPicture(t *testing.T) {
	r, dir := sample(), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "soak.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(dir, "r"); err == nil {
		t.Error("a picture is missing, and nothing was said")
	}
	for _, name := range []string{"r.md", "r.json", "growth.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryCurveCanBeDrawn(t *testing.T) {
	line := func(x, y report.Points) []report.Line { return []report.Line{{Name: "l", X: x, Y: y}} }
	many := make([]report.Line, 12)
	for i := range many {
		many[i] = report.Line{Name: strings.Repeat("long ", 8), X: report.Points{1, 2}, Y: report.Points{float64(i), 3}}
	}
	for name, series := range map[string][]report.Line{
		"nothing": nil, "no points": line(nil, nil), "not a number": line(report.Points{nan}, report.Points{1}),
		"one point": line(report.Points{3}, report.Points{5}), "zero": line(report.Points{0}, report.Points{0}),
		"flat": line(report.Points{1, 2}, report.Points{7, 7}), "upright": line(report.Points{2, 2}, report.Points{1, 7}),
		"negative": line(report.Points{-5, -1}, report.Points{-7, -3}), "tiny": line(report.Points{1e-9, 2e-9}, report.Points{1e-12, 2e-12}),
		"huge": line(report.Points{1, 1e15}, report.Points{1, 1e300}), "infinite": line(report.Points{inf, 1}, report.Points{1, inf}),
		"fine": line(report.Points{-1e17, -1e17 + 16}, report.Points{-1e17, -1e17 + 16}), "longest": line(report.Points{1, 1.7e308}, report.Points{1, 1.7e308}),
		"longer": line(report.Points{1, 2, 3}, report.Points{1}), "many": many,
	} {
		for _, logX := range []bool{false, true} {
			if _, err := (report.Curve{Name: name, LogX: logX, Series: series}).DrawSmall(); err != nil {
				t.Errorf("%s, log %v: %v", name, logX, err)
			}
		}
	}
}
