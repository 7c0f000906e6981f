package detect_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// dataDir is the folder of labelled texts beside the repository.
const dataDir = "../../../shared/data/pii"

// label is a span of the labelled texts, with byte offsets.
type label struct {
	Start int    `json:"bstart"`
	End   int    `json:"bend"`
	Type  string `json:"type"`
}

// record is one line of a data file; each file uses some of the fields.
type record struct {
	ID          string   `json:"id"`
	Text        string   `json:"text"`
	Spans       []label  `json:"spans"`
	Entity      string   `json:"entity"`
	ExpectedLen int      `json:"expected_len"`
	Positions   [][2]int `json:"positions"`
	Weak        bool     `json:"weak"`
	Value       string   `json:"value"`
	Valid       *bool    `json:"valid"`
	Rule        string   `json:"rule"`
	Expected    bool     `json:"expected"`
	MustNot     []string `json:"must_not"`
}

// readData reads a file of JSON lines, or skips the test where the data are not at hand.
func readData(tb testing.TB, name string) []record {
	tb.Helper()
	f, err := os.Open(filepath.Join(dataDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skipf("labelled data not found: this test needs the folder shared/data beside the repository (%s)", name)
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			tb.Fatal(err)
		}
	}
	var out []record
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		tb.Fatalf("%s: %d records, %v", name, len(out), err)
	}
	return out
}

// newDetector is a Detector with the given options, which must be right.
func newDetector(tb testing.TB, opts detect.Options) *detect.Detector {
	tb.Helper()
	d, err := detect.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// find is Find on a text that must be detectable.
func find(tb testing.TB, d *detect.Detector, text string) []detect.Span {
	tb.Helper()
	spans, err := d.Find(context.Background(), text)
	if err != nil {
		tb.Fatal(err)
	}
	return spans
}

// runeOffsets maps code point offsets of a text to byte offsets.
func runeOffsets(text string) []int {
	offsets := make([]int, 0, len(text)+1)
	for i := range text {
		offsets = append(offsets, i)
	}
	return append(offsets, len(text))
}
