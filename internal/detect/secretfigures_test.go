package detect_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// secretEntities are what the rules for secrets report.
var secretEntities = []string{detect.APIKey, detect.PrivateKey, detect.Password}

// TestFiguresOnSecrets prints how much of gitleaks' own samples is found, rule by rule where something is missing. Some of the
// negatives of one rule are samples of another (an origin CA key of Cloudflare is no API key of Cloudflare, but a key all the
// same): what the rule of another name finds there is right, and counted apart.
func TestFiguresOnSecrets(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: secretEntities})
	var all, negatives, others tally
	missed := map[string]int{}
	for _, r := range readData(t, "gitleaks_secrets.jsonl.gz") {
		spans := find(t, d, r.Text)
		sum := &negatives
		switch {
		case r.Expected:
			sum = &all
		case len(spans) > 0 && strings.HasPrefix(spans[0].Rule, "secret/") && spans[0].Rule != "secret/"+r.Rule:
			sum = &others
		}
		sum.wanted++
		switch {
		case len(spans) > 0:
			sum.right++
			if !r.Expected {
				t.Logf("false, %s: %s %q", r.Rule, spans[0].Rule, r.Text[spans[0].Start:spans[0].End])
			}
		case r.Expected:
			missed[r.Rule]++
			t.Logf("missed, %s: %.200q", r.Rule, r.Text)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(missed)) {
		t.Logf("%-40s %d missed", rule, missed[rule])
	}
	t.Logf("positives %.4f of %d, negatives %.4f of %d, and %d keys of another rule found among them",
		all.recall(), all.wanted, negatives.recall(), negatives.wanted, others.right)
	if all.recall() < 0.99 || negatives.recall() > 0.01 || others.right > negatives.wanted/25 {
		t.Error("below the floor of 0.99, or above 0.01 of the negatives")
	}
}
