package tilelog_test

import (
	"context"
	"os"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/tilelog"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// The verifier that is given to auditors takes a folder as it is, at every size that
// it had, and with a key that another vouched for.
func TestTheVerifierTakesTheFolder(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	w := tilelog.NewWriter(dir)
	for _, n := range []int{1, 255, 1, 400} {
		grow(l, n)
		mustAdvance(t, w, ask(l))
		result, err := verify.Tiles(context.Background(), os.DirFS(dir), verify.Options{VKeys: l.VerifierKeys()})
		if err != nil || result.Entries != l.Size() {
			t.Errorf("%d entries of %d, %v", result.Entries, l.Size(), err)
		}
	}
	l.Rotate()
	l.Append(start, audit.KindLogRotate)
	mustAdvance(t, w, ask(l))
	keys, err := l.Log().Keys(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	options := verify.Options{VKeys: l.VerifierKeys()[:1], Handovers: [][]byte{keys[1].Handover}}
	if result, err := verify.Tiles(context.Background(), os.DirFS(dir), options); err != nil || result.Entries != l.Size() {
		t.Errorf("%d entries of %d, %v", result.Entries, l.Size(), err)
	}
}
