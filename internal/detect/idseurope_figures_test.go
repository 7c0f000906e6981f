package detect_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// europePrefixes are how the entities of the states of Europe and of Turkey begin.
var europePrefixes = []string{"UK_", "DE_", "ES_", "IT_", "FR_", "PL_", "FI_", "SE_", "CH_", "NL_", "TR_"}

// TestEuropeFalseHits: prompts without personal data hold no identifier of Europe, whatever numbers they hold.
func TestEuropeFalseHits(t *testing.T) {
	var wanted []string
	for _, e := range detect.Entities() {
		for _, p := range europePrefixes {
			if strings.HasPrefix(e, p) {
				wanted = append(wanted, e)
			}
		}
	}
	d := newDetector(t, detect.Options{Entities: wanted})
	for _, r := range append(readData(t, "fp_prompts.jsonl"), readData(t, "issue_negatives.jsonl")...) {
		for _, s := range find(t, d, r.Text) {
			t.Errorf("%s: %s by %s in %q", r.ID, s.Entity, s.Rule, around(r.Text, s.Start, s.End))
		}
	}
}
