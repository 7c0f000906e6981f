package verify_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// What the service writes as a bundle is what is verified as one: the two packages
// share no code, and agree on every byte.
func TestBundleOfTheService(t *testing.T) {
	for name, q := range map[string]*evidencetest.Quarter{
		"whole": evidencetest.MadeQuarter(3, 11_000), "pruned": evidencetest.MadePruned(4, 1_000),
	} {
		archive := bundleOfQuarter(t, q)
		for _, keys := range [][]string{q.Keys, {q.Signer.VerifierKey()}} {
			got, err := verify.Bundle(t.Context(), bytes.NewReader(archive), verify.Options{VKeys: keys})
			if err != nil || got.Entries != q.Head().Size || got.Root != q.Head().Root || got.Signed != got.Entries || got.Files == 0 {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if (got.Pruned > 0) != (name == "pruned") {
				t.Errorf("%s: %d leaves are gone", name, got.Pruned)
			}
		}
		archive[len(archive)/2] ^= 1
		var fault *verify.Fault
		if _, err := verify.Bundle(t.Context(), bytes.NewReader(archive), verify.Options{VKeys: q.Keys}); !errors.As(err, &fault) {
			t.Errorf("%s, a bit changed: %v", name, err)
		}
	}
}

func bundleOfQuarter(t testing.TB, q *evidencetest.Quarter) []byte {
	t.Helper()
	e, err := evidence.Build(context.Background(), q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	b := evidence.Bundle{
		Evidence: e, Log: q.Source(), Policies: q.Facts.Policies, Checkpoint: q.Checkpoint, Keys: q.Keys, Handovers: q.Handovers,
		Extra: []evidence.File{{Path: "report.html", Body: []byte("<!doctype html>\n")}},
	}
	var archive bytes.Buffer
	if err := b.Write(context.Background(), &archive, q.Sign); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}
