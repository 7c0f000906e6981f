package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

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
	Rule        string   `json:"rule"`
	Expected    bool     `json:"expected"`
}

// maxLine is far above the longest record.
const maxLine = 16 << 20

// read reads a file of JSON lines.
func read(dir, name string) ([]record, error) {
	text, err := os.ReadFile(filepath.Join(dir, "pii", name))
	if err != nil {
		return nil, err
	}
	var in io.Reader = bytes.NewReader(text)
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	var out []record
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		return nil, fmt.Errorf("%s: %d records, %w", name, len(out), err)
	}
	return out, nil
}

func readAll(dir string, names []string) ([]record, error) {
	var all []record
	for _, name := range names {
		records, err := read(dir, name)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return all, nil
}

// goroot is the toolchain's folder of sources.
func goroot() string {
	return filepath.Join(runtime.GOROOT(), "src") //nolint:staticcheck // the tree of the toolchain that runs this is what is wanted
}

// codeShare: one file in so many is read, about 5 MB of the tree, chosen by name so that it is the same each time.
const codeShare = 12

// eachSource calls f with the chosen Go sources below root.
func eachSource(root string, f func(path, text string) error) error {
	tree := os.DirFS(root)
	return fs.WalkDir(tree, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		h := fnv.New32a()
		_, _ = h.Write([]byte(path)) // a hash takes everything
		if h.Sum32()%codeShare != 0 {
			return nil
		}
		text, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		return f(path, string(text))
	})
}
