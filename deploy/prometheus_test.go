package deploy_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
)

// ruleFile is a file of rules, strictly.
type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rules(text string) (all []rule, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	var file ruleFile
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(ruleFile)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all, nil
}

// served is what the service serves under the shipped policy, and what the recording
// rules make of it.
func served(t *testing.T) metricstest.Closed {
	t.Helper()
	policy := must(access.Load(authz.FS))
	var c metricstest.Catalogue
	for _, r := range policy.Reasons() {
		c.Reasons = append(c.Reasons, r.Code)
	}
	for _, e := range policy.Entities() {
		c.Entities = append(c.Entities, e.Name)
	}
	list := metricstest.List(t, c)
	for _, r := range must(rules(read(t, "prometheus/rules.yaml"))) {
		if list[r.Record] == nil {
			list[r.Record] = make(metricstest.Labels)
		}
		for name, value := range r.Labels {
			list[r.Record][name] = append(list[r.Record][name], value)
		}
	}
	return list
}

// ruleFaults is what is wrong with a file of rules.
func ruleFaults(list metricstest.Closed, text string) (broken []string) {
	all, err := rules(text)
	if err != nil {
		return []string{err.Error()}
	}
	var seen []string
	for _, r := range all {
		name := r.Alert + r.Record
		for _, fault := range list.CheckExpression(r.Expr) {
			broken = append(broken, name+": "+fault)
		}
		switch {
		case (r.Alert == "") == (r.Record == ""):
			broken = append(broken, name+" is neither an alert nor a record")
		case r.Alert == "":
			continue
		case slices.Contains(seen, name):
			broken = append(broken, name+" comes twice")
		case r.Labels["severity"] != "page" && r.Labels["severity"] != "ticket":
			broken = append(broken, name+" wakes nobody and is no ticket")
		case r.Annotations["summary"] == "":
			broken = append(broken, name+" says nothing")
		}
		seen = append(seen, name)
	}
	return broken
}

// An alert on what nobody serves never fires, and looks like one that need not.
func TestRulesNameWhatIsServed(t *testing.T) {
	list := served(t)
	for _, file := range []string{"rules.yaml", "alerts.yaml"} {
		for _, fault := range ruleFaults(list, read(t, "prometheus/"+file)) {
			t.Errorf("%s: %s", file, fault)
		}
	}
}

func TestRulesNameWhatIsServed_Twin(t *testing.T) {
	list, text := served(t), read(t, "prometheus/alerts.yaml")
	for name, change := range map[string][2]string{
		"a metric":      {"counterfoil_integrity_failures_total", "counterfoil_integrity_failure_total"},
		"a record":      {"counterfoil:failures:ratio_rate1h{", "counterfoil:failures:ratio_rate2h{"},
		"a value":       {`{key="wrapping"}`, `{key="wraping"}`},
		"a label":       {`by (breaker)`, `by (breakers)`},
		"a severity":    {"severity: page", "severity: pager"},
		"a field":       {"        for: 5m", "        within: 5m"},
		"a name":        {"alert: CounterfoilPanic", "alert: CounterfoilAbsent"},
		"an annotation": {"          summary: A request ended", "          description: A request ended"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Errorf("%s: there is nothing to change", name)
		}
		if len(ruleFaults(list, changed)) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
	}
}

// Every recorded share is compared by an alert, and both windows are of one objective.
func TestObjectivesAreWatched(t *testing.T) {
	alerts := read(t, "prometheus/alerts.yaml")
	burns := regexp.MustCompile(`ratio_rate(\w+)\{objective="(\w+)"\} > ([0-9.]+) \* ([0-9.]+)`)
	watched := make(map[[2]string]bool)
	for _, r := range must(rules(alerts)) {
		found := burns.FindAllStringSubmatch(r.Expr, -1)
		if found == nil {
			continue
		}
		if len(found) != 2 || found[0][2] != found[1][2] || found[0][3] != found[1][3] || found[0][4] != found[1][4] || found[0][2] != r.Labels["objective"] {
			t.Errorf("%s compares two things", r.Alert)
			continue
		}
		windows := found[0][1] + "/" + found[1][1] + " " + found[0][3]
		if !slices.Contains([]string{"1h/5m 14.4", "6h/30m 6", "3d/6h 1"}, windows) {
			t.Errorf("%s: %s", r.Alert, windows)
		}
		for _, one := range found {
			watched[[2]string{one[1], one[2]}] = true
		}
	}
	for _, r := range must(rules(read(t, "prometheus/rules.yaml"))) {
		window := strings.TrimPrefix(r.Record, "counterfoil:failures:ratio_rate")
		if !watched[[2]string{window, r.Labels["objective"]}] {
			t.Errorf("nobody watches %s of %s", r.Record, r.Labels["objective"])
		}
		if !strings.Contains(r.Expr, "["+window+"]") || strings.Count(r.Expr, "[") != strings.Count(r.Expr, "["+window+"]") {
			t.Errorf("%s of %s looks at another window", r.Record, r.Labels["objective"])
		}
	}
}

// Whoever is woken finds what to do, and nothing is described that is not there.
func TestObjectivesNameEveryAlert(t *testing.T) {
	text := read(t, "prometheus/objectives.md")
	var alerts []string
	for _, r := range must(rules(read(t, "prometheus/alerts.yaml"))) {
		alerts = append(alerts, r.Alert)
		if strings.Count(text, "`"+r.Alert+"`") != 1 {
			t.Errorf("objectives.md does not say what to do about %s", r.Alert)
		}
	}
	for _, match := range regexp.MustCompile("`(Counterfoil[A-Za-z]+)`").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(alerts, match[1]) {
			t.Errorf("there is no alert %s", match[1])
		}
	}
	for _, r := range must(rules(read(t, "prometheus/rules.yaml"))) {
		if !strings.Contains(text, "| `"+r.Labels["objective"]+"` |") {
			t.Errorf("the objective %s is written down nowhere", r.Labels["objective"])
		}
	}
	list := served(t)
	for _, match := range regexp.MustCompile("`(counterfoil_[a-z_]+)`").FindAllStringSubmatch(text, -1) {
		if _, known := list[match[1]]; !known {
			t.Errorf("nobody serves %s", match[1])
		}
	}
	// Every alert is tried by promtool.
	tests := read(t, "prometheus/rules_test.yaml")
	for _, alert := range alerts {
		if !strings.Contains(tests, `alertname="`+alert+`"`) {
			t.Errorf("no test has %s fire", alert)
		}
	}
}
