package export_test

import (
	"bytes"
	"encoding/csv"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
)

// fieldsOf are the names of all fields of an entry, those of the client in it.
func fieldsOf() []string {
	var names []string
	for field := range reflect.TypeFor[audit.Entry]().Fields() {
		name := field.Tag.Get("json")
		if name != "client" {
			names = append(names, name)
			continue
		}
		for part := range field.Type.Fields() {
			names = append(names, "client."+part.Tag.Get("json"))
		}
	}
	return names
}

func TestCSVHasEveryField(t *testing.T) {
	columns := map[string]bool{}
	for _, name := range export.Columns() {
		if columns[name] {
			t.Errorf("%s is there twice", name)
		}
		columns[name] = true
	}
	for _, name := range fieldsOf() {
		if !columns[name] {
			t.Errorf("%s has no column", name)
		}
		delete(columns, name)
	}
	if len(columns) != 2 || !columns["index"] || !columns["leaf_hash"] {
		t.Errorf("beside fields there are %v", columns)
	}
}

func rows(t *testing.T, w *world) []map[string]string {
	t.Helper()
	var all []map[string]string
	for _, name := range w.objects(t).Names("entries/") {
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		body := w.objects(t)[name]
		if lines := bytes.Count(body, []byte("\n")); lines != bytes.Count(body, []byte("\r\n")) {
			t.Errorf("%s: lines do not end as RFC 4180 says", name)
		}
		read, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range read[1:] {
			cells := map[string]string{}
			for i, cell := range row {
				cells[read[0][i]] = cell
			}
			all = append(all, cells)
		}
	}
	return all
}

func TestCSVHasARowForEachEntry(t *testing.T) {
	w := newWorld()
	w.Append(start, audit.KindTokenize, audit.KindRestore, audit.KindTokenize)
	w.all(t)
	got := rows(t, w)
	if len(got) != 3 {
		t.Fatalf("%d rows", len(got))
	}
	for i, row := range got {
		if row["index"] != strconv.Itoa(i) || row["time"] != "2026-01-02T23:45:00.000000Z" || row["entities"] != "PERSON=1" || row["decision"] != "allow" {
			t.Errorf("row %d: %v", i, row)
		}
	}
	// The actor begins with an at sign, which some spreadsheets take for a formula.
	if actor := got[0]["actor"]; actor != "'@actor" {
		t.Errorf("the actor is %q", actor)
	}
}

// No cell of any row begins as a formula does, whatever callers call themselves.
func TestCSVHoldsNoFormula(t *testing.T) {
	for _, sign := range []string{"=", "+", "-", "@", "\t", "\r", "\n"} {
		if got := export.Defuse(sign + "cmd|x"); got != "'"+sign+"cmd|x" {
			t.Errorf("%q", got)
		}
	}
	for _, cell := range []string{"", "a", "a=b", "0", "'x", "*"} {
		if got := export.Defuse(cell); got != cell {
			t.Errorf("%q became %q", cell, got)
		}
	}
}
