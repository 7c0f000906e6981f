package evidence_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// TestSampleJSON shows that whoever has the file alone can verify each of its proofs
// with the key of the log.
func TestSampleJSON(t *testing.T) {
	q := evidencetest.MadeQuarter(2, 600)
	p := populated(t, q.Source(), q.Period, evidence.PopulationBreakGlass)
	draws, err := evidence.Sample(p, 3, "s")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := evidence.NewTree(q.Source())
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := evidence.Receipts(draws, q.Head(), q.Checkpoint, tree.Prove)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := evidence.WriteSampleJSON(&b, p, draws, receipts, "s"); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Population struct {
			Items  int    `json:"items"`
			SHA256 string `json:"sha256"`
		} `json:"population"`
		Draws []struct {
			Index    int64         `json:"index"`
			LeafHash audit.Hash    `json:"leaf_hash"`
			Receipt  audit.Receipt `json:"receipt"`
		} `json:"draws"`
	}
	if err := json.Unmarshal(b.Bytes(), &file); err != nil || len(file.Draws) != 3 || file.Population.Items != len(p.Items) {
		t.Fatalf("the file has %d draws of %d: %v", len(file.Draws), file.Population.Items, err)
	}
	for _, d := range file.Draws {
		if err := d.Receipt.Verify(q.Signer.VerifierKey()); err != nil || d.Receipt.Index != d.Index || d.Receipt.LeafHash != d.LeafHash {
			t.Errorf("the proof of entry %d: %v", d.Index, err)
		}
	}
	if evidence.WriteSampleJSON(&b, p, draws, receipts[:2], "s") == nil {
		t.Error("a sample was written without all its proofs")
	}
	b.Reset()
	if err := p.WriteJSON(&b); err != nil || !json.Valid(b.Bytes()) || bytes.Count(b.Bytes(), []byte(`"leaf_hash"`)) != len(p.Items) {
		t.Errorf("the population is not written whole: %v", err)
	}
}
