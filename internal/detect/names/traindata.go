package names

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// labelled is a text with the spans of its names.
type labelled struct {
	text  string
	spans []span
}

type span struct {
	start, end int
	class      Class
}

// trainingSets may train a model that ships: CC-BY-4.0, credited in MODEL.md. Wikigold counts twice, for it is small and
// the only one of edited prose.
var trainingSets = []string{"wnut17_train.jsonl", "btc.jsonl", "wikigold.jsonl", "wikigold.jsonl"}

// ErrData says that the data for training cannot be used.
var ErrData = errors.New("names: cannot use the data")

// maxRecord is above every record of the sets, the longest of which has 6 kB.
const maxRecord = 1 << 20

// readSet reads JSON lines with labelled spans. A label that is not in classes is no span.
func readSet(path string, classes map[string]Class) ([]labelled, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	defer func() { _ = f.Close() }()
	var out []labelled
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxRecord)
	for lines.Scan() {
		var r struct {
			Text  string `json:"text"`
			Spans []struct {
				Start int    `json:"bstart"`
				End   int    `json:"bend"`
				Type  string `json:"type"`
			} `json:"spans"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%w: record %d of %s: %w", ErrData, len(out)+1, filepath.Base(path), err)
		}
		l := labelled{text: r.Text}
		for _, s := range r.Spans {
			if s.Start < 0 || s.Start >= s.End || s.End > len(r.Text) {
				return nil, fmt.Errorf("%w: record %d of %s: a span outside the text", ErrData, len(out)+1, filepath.Base(path))
			}
			if c, ok := classes[s.Type]; ok {
				l.spans = append(l.spans, span{s.Start, s.End, c})
			}
		}
		out = append(out, l)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrData, filepath.Base(path), err)
	}
	return out, nil
}

var trainingLabels = map[string]Class{"PERSON": Person, "LOCATION": Location, "ORGANIZATION": Organization}

// readTraining reads the sets that a model may be trained on.
func readTraining(dir string) ([]labelled, error) {
	var all []labelled
	for _, name := range trainingSets {
		set, err := readSet(filepath.Join(dir, name), trainingLabels)
		if err != nil {
			return nil, err
		}
		all = append(all, set...)
	}
	return all, nil
}

const (
	// maxCode is how many bytes of source text serve as a negative example: enough for a hit in 100 kB to be rare.
	maxCode = 1500 << 10
	// codeStep takes every so-manieth file, so that all of the tree is seen, and most of it is left to measure on.
	codeStep = 12
	// codePiece is how many lines of code make one example, maxCodeFile what of a file is read.
	codePiece   = 6
	maxCodeFile = 64 << 10
)

// readCode reads Go files below dir as texts without names.
func readCode(dir string) ([]labelled, error) {
	var out []labelled
	files, size := 0, 0
	tree := os.DirFS(dir)
	err := fs.WalkDir(tree, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" || size >= maxCode {
			return err
		}
		files++
		if files%codeStep != 0 {
			return nil
		}
		text, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		text = text[:min(len(text), maxCodeFile)]
		size += len(text)
		for len(text) > 0 {
			var piece []byte
			piece, text = cutLines(text, codePiece)
			out = append(out, labelled{text: strings.ToValidUTF8(string(piece), "")})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	return out, nil
}

func cutLines(text []byte, n int) (piece, rest []byte) {
	end := 0
	for range n {
		i := bytes.IndexByte(text[end:], '\n')
		if i < 0 {
			return text, nil
		}
		end += i + 1
	}
	return text[:end], text[end:]
}
