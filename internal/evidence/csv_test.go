package evidence_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

func TestWriteCSV(t *testing.T) {
	table := evidence.Table{
		Name: "t", Columns: []evidence.Column{{Name: "a"}, {Name: "b"}},
		Rows: [][]string{{"plain", `a "quoted", cell`}, {"=1+1", "+x"}, {"-1", "@f"}, {"\t=1", "\r"}, {" =1", "＝1"}, {"", "a=b"}},
	}
	var b bytes.Buffer
	if err := evidence.WriteCSV(&b, table); err != nil {
		t.Fatal(err)
	}
	want := "a,b\r\nplain,\"a \"\"quoted\"\", cell\"\r\n'=1+1,'+x\r\n'-1,'@f\r\n'\t=1,\"'\"\r\n' =1,'＝1\r\n,a=b\r\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestCSVRunsNothing shows that no cell begins as a formula does, whatever it holds.
func TestCSVRunsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ =+@\-\t＝A-Z]{0,4}`)).Draw(t, "cell")
		var b bytes.Buffer
		if err := evidence.WriteCSV(&b, evidence.Table{Columns: []evidence.Column{{Name: "a"}, {Name: "b"}}, Rows: [][]string{{cell, "end"}}}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		got := []byte(rows[1][0])
		if text := bytes.TrimLeft(got, " "); len(text) > 0 && bytes.IndexByte([]byte("=+-@\t"), text[0]) >= 0 {
			t.Fatalf("a cell begins with %q", text[0])
		}
	})
}
