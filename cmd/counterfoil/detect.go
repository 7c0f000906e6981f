package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/detect"
)

type detectCommands struct {
	Scan  detectScanCommand  `cmd:"" help:"Find personal data and secrets in texts: JSON lines in, JSON lines out."`
	Train detectTrainCommand `cmd:"" help:"Make the model that finds names and places."`
}

type detectScanCommand struct {
	Entities []string `placeholder:"ENTITY" help:"Only these, as in PERSON,URL; 'all' takes the opt-in ones, too."`
	Explain  bool     `help:"Say which rule found a span."`
}

const (
	// maxScanLine has room for the longest text that is looked at, each byte of it escaped as JSON at its widest, and
	// for the id beside it.
	maxScanLine = 6*detect.DefaultMaxText + 64<<10
	// allEntities is the word for everything that can be found.
	allEntities = "all"
)

// Help says what goes in and what comes out.
func (detectScanCommand) Help() string {
	return "Reads lines {\"id\",\"text\"} from standard input and answers each, in their order, with a line\n" +
		"{\"id\",\"spans\":[{\"start\",\"end\",\"entity\",\"score\"}]}. Offsets count Unicode code points; the id is any JSON value and\n" +
		"comes back as it was; other members and empty lines are passed over. It keeps nothing, and asks no service."
}

// Validate refuses entities that nobody finds before anything is read.
func (c detectScanCommand) Validate() error {
	_, err := c.detector()
	return err
}

// Run answers each line of standard input.
func (c detectScanCommand) Run(ctx context.Context, s streams) error {
	return c.scan(ctx, os.Stdin, s.out)
}

func (c detectScanCommand) detector() (*detect.Detector, error) {
	var opts detect.Options
	switch {
	case slices.Contains(c.Entities, allEntities):
		opts = detect.Everything()
	case len(c.Entities) > 0:
		opts.Entities = c.Entities
		known := detect.Everything().Thresholds
		for _, e := range c.Entities {
			if _, ok := known[e]; !ok {
				return nil, fmt.Errorf("--entities: nothing finds %q", e)
			}
		}
	}
	return detect.New(opts)
}

// scan answers the lines of in. What was answered is written out whenever no further line is at hand, so that
// whoever writes line by line reads line by line.
func (c detectScanCommand) scan(ctx context.Context, in io.Reader, out io.Writer) error {
	d, err := c.detector()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := readLines(ctx, in)
	w := bufio.NewWriter(out)
	for n := 1; ; n++ {
		line, ok := next(ctx, lines, w)
		if !ok {
			return errors.Join(w.Flush(), ctx.Err())
		}
		if line.err == nil {
			line.err = c.answer(ctx, d, line.text, w)
		}
		if line.err != nil {
			return errors.Join(fmt.Errorf("line %d: %w", n, line.err), w.Flush())
		}
	}
}

// scanLine is a line of the input, or why there is none.
type scanLine struct {
	text []byte
	err  error
}

// next is the next line. It writes out what is waiting before it waits itself.
func next(ctx context.Context, lines <-chan scanLine, w *bufio.Writer) (scanLine, bool) {
	select {
	case line, ok := <-lines:
		return line, ok
	default:
	}
	if err := w.Flush(); err != nil {
		return scanLine{err: err}, true
	}
	select {
	case line, ok := <-lines:
		return line, ok
	case <-ctx.Done():
		return scanLine{}, false
	}
}

// readLines reads in a goroutine of its own, since a read of standard input cannot be interrupted. At most two
// lines are in memory: the one that is looked at, and the one after it.
func readLines(ctx context.Context, in io.Reader) <-chan scanLine {
	lines := make(chan scanLine)
	go func() {
		defer close(lines)
		put := func(l scanLine) bool {
			select {
			case lines <- l:
				return true
			case <-ctx.Done():
				return false
			}
		}
		read := bufio.NewScanner(in)
		read.Buffer(nil, maxScanLine)
		for read.Scan() {
			if !put(scanLine{text: bytes.Clone(read.Bytes())}) {
				return
			}
		}
		switch err := read.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			put(scanLine{err: fmt.Errorf("longer than %d bytes", maxScanLine)})
		case err != nil:
			put(scanLine{err: err})
		}
	}()
	return lines
}

// answer writes what was found in one line. Its errors say where and why, never what stands there.
func (c detectScanCommand) answer(ctx context.Context, d *detect.Detector, line []byte, w *bufio.Writer) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	var asked struct {
		ID   json.RawMessage `json:"id"`
		Text *string         `json:"text"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field == "text" {
			return errors.New("the text is not a string")
		}
		return errors.New("not a JSON object")
	}
	if asked.Text == nil {
		return errors.New("there is no text")
	}
	spans, err := d.Find(ctx, *asked.Text)
	if err != nil {
		return err
	}
	if asked.ID == nil {
		asked.ID = json.RawMessage("null")
	}
	_, _ = w.WriteString(`{"id":`) // the writer keeps its first error for Flush
	_, _ = w.Write(asked.ID)
	_, _ = w.WriteString(`,"spans":[`)
	_, _ = w.Write(c.render(*asked.Text, spans))
	_, err = w.WriteString("]}\n")
	return err
}

// scoreDigits is how far the scores of rules differ.
const scoreDigits = 1e3

// render is the spans as members of a JSON list, with offsets in code points. Names of entities and rules need no
// escaping beyond Go's own.
func (c detectScanCommand) render(text string, spans []detect.Span) []byte {
	var out []byte
	at, points := 0, 0
	count := func(to int) int {
		points += utf8.RuneCountInString(text[at:to])
		at = to
		return points
	}
	for i, s := range spans {
		if i > 0 {
			out = append(out, ',')
		}
		score := strconv.FormatFloat(math.Round(s.Score*scoreDigits)/scoreDigits, 'f', -1, 64)
		out = fmt.Appendf(out, `{"start":%d,"end":%d,"entity":%q,"score":%s`, count(s.Start), count(s.End), s.Entity, score)
		if c.Explain {
			out = fmt.Appendf(out, `,"rule":%q`, s.Rule)
		}
		out = append(out, '}')
	}
	return out
}
