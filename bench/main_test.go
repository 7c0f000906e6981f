package main

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args  []string
		mode  string
		parts string
		fails string
	}{
		{args: nil, mode: "quick", parts: "core"},
		{args: []string{"-mode", "quick", "-only", "core"}, mode: "quick", parts: "core"},
		{args: []string{"-mode", "slow"}, fails: "mode"},
		{args: []string{"-only", "core,cores"}, fails: "cores"},
		{args: []string{"core"}, fails: "nothing to do"},
		{args: []string{"-x"}, fails: "-x"},
	} {
		o, err := parse(c.args, io.Discard)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%q: %v", c.args, err)
			}
			continue
		}
		var names []string
		for _, p := range o.parts {
			names = append(names, p.name)
		}
		if d := cmp.Diff([]string{c.mode, c.parts}, []string{o.mode.name, strings.Join(names, ",")}); err != nil || d != "" {
			t.Errorf("%q: %v %s", c.args, err, d)
		}
	}
}

// TestModes: each mode has the parts of the one before.
func TestModes(t *testing.T) {
	before := 0
	for _, m := range modes {
		chosen, err := partsOf(m, "")
		if err != nil || len(chosen) < before || len(chosen) == 0 {
			t.Errorf("%s: %d parts after %d, %v", m.name, len(chosen), before, err)
		}
		before = len(chosen)
	}
	if before != len(parts) {
		t.Errorf("the longest mode has %d of %d parts", before, len(parts))
	}
}
