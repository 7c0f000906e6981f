//go:build tools

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs the program that the environment names, on copies of the files.
func promtool(t *testing.T, change func(name, text string) string, args ...string) (string, error) {
	t.Helper()
	program := os.Getenv("PROMTOOL")
	if program == "" {
		t.Fatal("PROMTOOL must name the program (make check-deploy)")
	}
	dir := t.TempDir()
	for _, name := range []string{"rules.yaml", "alerts.yaml", "rules_test.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(change(name, read(t, "prometheus/"+name))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func asItIs(_, text string) string { return text }

func TestRulesAreRules(t *testing.T) {
	if out, err := promtool(t, asItIs, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml", "alerts.yaml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	if out, err := promtool(t, asItIs, "test", "rules", "rules_test.yaml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The twin: whatever is changed in a rule, a test of it fails.
func TestAlertsFireWhenTheyShould_Twin(t *testing.T) {
	for name, change := range map[string][3]string{
		"a factor":       {"two in a hundred", "> 14.4 * 0.001", "> 1440 * 0.001"},
		"the other way":  {"nothing is wrong", "> 6 * 0.001", "< 6 * 0.001"},
		"a window":       {"until it ends", `ratio_rate5m{objective="tokenize_availability"}`, `ratio_rate3d{objective="tokenize_availability"}`},
		"no condition":   {"very first value", "counterfoil_integrity_failures_total[10m]) > 0", "counterfoil_integrity_failures_total[10m]) > 1"},
		"4xx are faults": {"nothing is wrong", `operation="tokenize",status=~"5.."}`, `operation="tokenize",status=~"[45].."}`},
		"divided by all": {"a restoration that fails", `{operation=~"detokenize|redeemRestoration"}[1h])) > 0)`, `[1h])) > 0)`},
		"any replica":    {"those who follow", `max by (stage) (counterfoil_log_lag_seconds{stage=~"checkpoint|anchor"})`, `min(counterfoil_log_lag_seconds{stage=~"checkpoint|anchor"})`},
		"a state":        {"what people", `state="due_soon"`, `state="open"`},
		"a key":          {"keys, breakers", `{key="wrapping"}`, `{key="log"} - 90000000`},
	} {
		changed := false
		out, err := promtool(t, func(file, text string) string {
			if file == "rules_test.yaml" {
				return text
			}
			after := strings.ReplaceAll(text, change[1], change[2])
			changed = changed || after != text
			return after
		}, "test", "rules", "--run="+change[0], "rules_test.yaml")
		if !changed {
			t.Errorf("%s: there is nothing to change", name)
		}
		if err == nil {
			t.Errorf("%s: no test fails\n%s", name, out)
		}
	}
}
