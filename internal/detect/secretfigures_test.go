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

// TestSecretsInProse asks the texts of people: those that hold labelled passwords and tokens for all of them, the
// others for nothing at all.
func TestSecretsInProse(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: secretEntities})
	labels := map[string]string{"PASSWORD": detect.Password, "SECURITYTOKEN": detect.APIKey}
	size := 0
	for _, file := range []string{
		"kiji_e2e.jsonl", "datafog_corpus.jsonl", "pasteguard.jsonl", "presidio_research.jsonl", "presidio_research_generated_large.jsonl",
		"uner_ewt_dev.jsonl", "wikigold.jsonl", "wnut17_dev.jsonl", "wnut17_train.jsonl", "btc.jsonl",
	} {
		for _, r := range readData(t, file) {
			size += len(r.Text)
			spans := find(t, d, r.Text)
			for _, l := range r.Spans {
				if e := labels[l.Type]; e != "" {
					i := slices.IndexFunc(spans, func(s detect.Span) bool { return s.Entity == e && s.Start == l.Start && s.End == l.End })
					if i < 0 {
						t.Errorf("%s: missed %s %q", r.ID, e, r.Text[l.Start:l.End])
						continue
					}
					spans = slices.Delete(spans, i, i+1)
				}
			}
			for _, s := range spans {
				t.Errorf("%s: %s %s %q", r.ID, s.Entity, s.Rule, r.Text[s.Start:s.End])
			}
		}
	}
	t.Logf("%d bytes", size)
}
