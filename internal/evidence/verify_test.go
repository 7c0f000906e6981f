package evidence_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// TestBundleVerifies shows that what is written here is what the verifier, which
// shares no code with it but the format, finds whole and true.
func TestBundleVerifies(t *testing.T) {
	quarters := map[string]*evidencetest.Quarter{
		"a file":    evidencetest.MadeQuarter(4, 1_000),
		"two files": evidencetest.MadeQuarter(5, 10_050),
		"pruned":    evidencetest.MadePruned(6, 1_000),
	}
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		quarters["large"] = evidencetest.MadeQuarter(7, 100_000)
	}
	for name, q := range quarters {
		t.Run(name, func(t *testing.T) {
			bundle := written(t, bundleOf(t, q), q)
			opts := verify.Options{Tenant: evidencetest.Tenant, VKeys: q.Keys, RequireSigned: true}
			result, err := verify.Bundle(context.Background(), bytes.NewReader(bundle), opts)
			if err != nil {
				t.Fatal(err)
			}
			if result.Entries != q.Head().Size || result.Signed != result.Entries || result.Root != q.Root {
				t.Errorf("it verified another log: %+v", result)
			}
			if err := q.Source()(func(one evidence.Entry) error {
				if one.Leaf == nil {
					return nil
				}
				return audit.CheckKind(&one.Entry)
			}); err != nil {
				t.Errorf("an entry is not as its kind has it: %v", err)
			}
		})
	}
}
