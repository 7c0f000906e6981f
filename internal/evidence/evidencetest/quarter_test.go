package evidencetest_test

import (
	"context"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

func TestQuarter(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 1000)
	keys, err := audit.FollowHandovers(q.Keys, q.Handovers...)
	if err != nil {
		t.Fatal(err)
	}
	head, err := audit.OpenCheckpoint(q.Checkpoint, keys...)
	if err != nil || head != q.Head() || head.Size < 1000 {
		t.Fatalf("the checkpoint states %+v, %v", head, err)
	}
	e, err := evidence.Build(context.Background(), q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	if e.Root != head.Root || e.Size != head.Size {
		t.Error("the evidence walked another log than the checkpoint states")
	}
	for _, table := range e.Tables {
		t.Logf("%-28s %d", table.Name, len(table.Rows))
		if len(table.Rows) == 0 {
			t.Errorf("the quarter has nothing for the table %s", table.Name)
		}
	}
	if again := evidencetest.MadeQuarter(1, 1000); string(again.Checkpoint) != string(q.Checkpoint) {
		t.Error("the same seed makes another log")
	}
	if other := evidencetest.MadeQuarter(2, 1000); other.Root == q.Root {
		t.Error("another seed makes the same log")
	}
}
