package access

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// TextCase is a text and what must become of it on the way to a destination.
// This package reads it and does not run it: what is found in a text is for
// whoever has a detector. The texts are made up; a real one has no place here.
type TextCase struct {
	File        string
	Line        int
	Text        string
	Destination string // "" is DefaultDestination
	Environment string // "" is any
	// At is when the text is sent, since an agreement that has run out changes
	// what becomes of it. Zero is now.
	At     time.Time
	Expect []TextExpect // everything that is found; none where nothing may be
}

// TextExpect is so many values of an entity to which the same is done.
type TextExpect struct {
	Entity string
	Action EntityAction
	Count  int
}

const (
	dirTexts = "texts"
	// maxTextCases keeps a run of all of them within seconds.
	maxTextCases = 2_000
	// maxTextCount is more findings of one kind than a case can be read with.
	maxTextCount = 1_000
)

// Texts returns the cases of texts/*.yaml, by file and line.
func (p *Policy) Texts() []TextCase {
	out := slices.Clone(p.texts)
	for i := range out {
		out[i].Expect = slices.Clone(out[i].Expect)
	}
	return out
}

type textsDoc struct {
	Cases []textDoc `yaml:"cases"`
}

type textDoc struct {
	Text        string      `yaml:"text"`
	Destination string      `yaml:"destination"`
	Environment string      `yaml:"environment"`
	At          string      `yaml:"at"`
	Expect      *[]wantsDoc `yaml:"expect"`
}

type wantsDoc struct {
	Entity string       `yaml:"entity"`
	Action EntityAction `yaml:"action"`
	Count  int          `yaml:"count"`
}

// readTexts reads texts/*.yaml. A bundle without any loads: its decisions are
// tested by the tables all the same.
func (p *Policy) readTexts(fsys fs.FS) ([]TextCase, error) {
	names, err := fs.Glob(fsys, dirTexts+"/*")
	if err != nil {
		return nil, err
	}
	if len(names) > maxTables {
		return nil, fmt.Errorf("%s: more than %d files", dirTexts, maxTables)
	}
	slices.Sort(names)
	var out []TextCase
	for _, name := range names {
		text, err := readFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if path.Ext(name) != ".yaml" {
			return nil, fmt.Errorf("%s is not a file of texts", name)
		}
		cases, err := p.textCases(name, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if out = append(out, cases...); len(out) > maxTextCases {
			return nil, fmt.Errorf("%s: more than %d cases", dirTexts, maxTextCases)
		}
	}
	return out, nil
}

func (p *Policy) textCases(file string, text []byte) ([]TextCase, error) {
	var doc textsDoc
	if err := decodeYAML(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Cases) == 0 {
		return nil, fmt.Errorf("there must be cases")
	}
	lines, err := caseLines(text)
	if err != nil {
		return nil, err
	}
	if len(lines) != len(doc.Cases) {
		return nil, fmt.Errorf("the lines of its cases cannot be told")
	}
	var out []TextCase
	for i, d := range doc.Cases {
		c, err := p.textCase(d)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lines[i], err)
		}
		c.File, c.Line = file, lines[i]
		out = append(out, c)
	}
	return out, nil
}

// caseLines are the lines on which the cases begin. The decoder that refuses
// unknown keys does not tell them.
func caseLines(text []byte) ([]int, error) {
	var doc struct {
		Cases []yaml.Node `yaml:"cases"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	var out []int
	for _, node := range doc.Cases {
		out = append(out, node.Line)
	}
	return out, nil
}

func (p *Policy) textCase(d textDoc) (TextCase, error) {
	out := TextCase{Text: d.Text, Destination: d.Destination, Environment: d.Environment}
	if d.Text == "" || d.Expect == nil {
		return out, fmt.Errorf("text and expect are required; expect is [] where nothing may be found")
	}
	if d.Destination != "" && !has(p.destinations, d.Destination) {
		return out, fmt.Errorf("unknown destination %q", d.Destination)
	}
	if d.Environment != "" && !slices.Contains(knownEnvironments, d.Environment) {
		return out, fmt.Errorf("unknown environment %q", d.Environment)
	}
	if d.At != "" {
		at, err := time.Parse(time.RFC3339, d.At)
		if err != nil {
			return out, fmt.Errorf("at: it must be a time as in 2026-07-01T12:00:00Z")
		}
		out.At = at
	}
	seen := map[[2]string]bool{}
	for _, w := range *d.Expect {
		key := [2]string{w.Entity, string(w.Action)}
		switch {
		case !has(p.entities, w.Entity):
			return out, fmt.Errorf("expect: unknown entity %q", w.Entity)
		case !slices.Contains(EntityActions(), w.Action):
			return out, fmt.Errorf("expect: unknown action %q", w.Action)
		case w.Count < 1 || w.Count > maxTextCount:
			return out, fmt.Errorf("expect: count must be 1 to %d", maxTextCount)
		case seen[key]:
			return out, fmt.Errorf("expect: %s %s is given twice", w.Entity, w.Action)
		}
		seen[key] = true
		out.Expect = append(out.Expect, TextExpect(w))
	}
	return out, nil
}
