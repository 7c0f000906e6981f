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

// TestModes: every part runs in some mode, and each mode knows its parts.
func TestModes(t *testing.T) {
	ran := make(map[string]bool)
	for _, m := range modes {
		chosen, err := partsOf(m, "")
		if err != nil || len(chosen) != len(m.parts) || len(chosen) == 0 {
			t.Errorf("%s: %d of %d parts, %v", m.name, len(chosen), len(m.parts), err)
		}
		for _, p := range chosen {
			ran[p.name] = true
		}
	}
	for _, name := range partNames() {
		if !ran[name] {
			t.Errorf("no mode has %s", name)
		}
	}
}
