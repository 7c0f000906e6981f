package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/detect"
)

const detecting = good + `
detection:
  entities: [EMAIL_ADDRESS, PHONE_NUMBER]
  thresholds: {PHONE_NUMBER: 0.7}
  patterns:
    - {name: contract, entity: CUSTOM_ID, expression: '\bV-\d{4}\b', context: [contract], score: 0.9}
  deny:
    - {name: projects, entity: CUSTOM_ID, phrases: [Blue Heron], phrases_file: projects.txt, match_case: true}
  allow:
    - {phrases: [help@example.com], entities: [EMAIL_ADDRESS], ignore_case: true, even_blocked: true}
  analyzer:
    url: https://analyzer.example.com:5002
    ca: ca.pem
    bearer_file: bearer
    languages: [en, de]
    entities: [PERSON]
    map: {PER: PERSON, NOISE: ""}
    min_score: 0.4
    timeout_ms: 900
    optional: true
  overrides:
    - tenants: [acme]
      entities: [default, DATE_TIME]
      patterns: [{name: desk, entity: LOCATION, expression: '\d{3}[A-F]'}]
      analyzer: {none: true}
`

var besideDetection = map[string]string{"projects.txt": "Red Kite\n\n  Falcon  \n", "bearer": "canary-credential\n"}

func TestDetection(t *testing.T) {
	s, err := loadBeside(t, detecting, besideDetection)
	if err != nil {
		t.Fatal(err)
	}
	all, tenants := s.Detection.Searches()
	custom := detect.Custom{
		Patterns: []detect.Pattern{{Name: "contract", Entity: "CUSTOM_ID", Expression: `\bV-\d{4}\b`, Context: []string{"contract"}, Score: 0.9}},
		Deny:     []detect.DenyList{{Name: "projects", Entity: "CUSTOM_ID", Phrases: []string{"Blue Heron", "Red Kite", "Falcon"}, MatchCase: true}},
		Allow:    []detect.AllowList{{Phrases: []string{"help@example.com"}, Entities: []string{"EMAIL_ADDRESS"}, IgnoreCase: true, EvenBlocked: true}},
	}
	stated := map[string]float64{"PHONE_NUMBER": 0.7}
	want := detect.Options{Entities: []string{"EMAIL_ADDRESS", "PHONE_NUMBER"}, Thresholds: stated, Custom: custom}
	if diff := cmp.Diff(want, all.Options); diff != "" {
		t.Errorf("all: %s", diff)
	}
	if a := all.Analyzer; a == nil || a.Roots == nil || a.Bearer != "canary-credential" || a.Timeout != 900*time.Millisecond ||
		a.MinScore != 0.4 || !all.Optional || a.Map["PER"] != "PERSON" || len(a.Languages) != 2 || len(a.Entities) != 1 {
		t.Errorf("the analyzer: %+v", a)
	}
	acme := tenants["acme"]
	want.Entities = acme.Options.Entities
	want.Custom.Patterns = append(want.Custom.Patterns, detect.Pattern{Name: "desk", Entity: "LOCATION", Expression: `\d{3}[A-F]`})
	if diff := cmp.Diff(want, acme.Options); diff != "" || len(tenants) != 1 || acme.Analyzer != nil || acme.Optional {
		t.Errorf("acme of %d: %+v %s", len(tenants), acme.Analyzer, diff)
	}
	for _, e := range append(detect.DefaultEntities(), "DATE_TIME") {
		n, found := slices.BinarySearch(acme.Options.Entities, e)
		if !found || n+1 < len(acme.Options.Entities) && acme.Options.Entities[n+1] == e {
			t.Errorf("acme: %s is not looked for once", e)
		}
	}
	for _, search := range []config.Search{all, acme} {
		if _, err := detect.New(search.Options); err != nil {
			t.Error(err)
		}
	}
	if all, tenants := (*config.Detection)(nil).Searches(); all.Options.Entities != nil || all.Analyzer != nil || tenants != nil {
		t.Errorf("of no section: %+v %v", all, tenants)
	}
}

// TestDetectionOfAll: everything that is known, at the thresholds of those who ask for it.
func TestDetectionOfAll(t *testing.T) {
	s, err := loadBeside(t, good+"detection: {entities: [all], thresholds: {EMAIL_ADDRESS: 0.9}}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := s.Detection.Searches()
	want := detect.Everything()
	want.Thresholds["EMAIL_ADDRESS"] = 0.9
	if diff := cmp.Diff(want, all.Options); diff != "" {
		t.Error(diff)
	}
}

func TestDetectionIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"an entity":           {"[EMAIL_ADDRESS,", "[CANARY,", "detection.entities[0]: must be an entity that detection knows, default or all"},
		"a threshold":         {"PHONE_NUMBER: 0.7", "PHONE_NUMBER: 1.7", "detection.thresholds: must be of entities that detection knows, each over 0 and up to 1"},
		"a threshold of":      {"{PHONE_NUMBER: 0.7", "{CANARY: 0.7", "detection.thresholds: must be of entities that detection knows, each over 0 and up to 1"},
		"an expression":       {`'\bV-\d{4}\b'`, `'(canary'`, "detection.patterns[0]: the expression is not RE2: missing closing )"},
		"one that is empty":   {`'\bV-\d{4}\b'`, `'(canary)?'`, "detection.patterns[0]: the expression must not match nothing"},
		"an entity to be":     {"{name: contract, entity: CUSTOM_ID", "{name: contract, entity: canary", "detection.patterns[0]: the entity must be one of the catalogue"},
		"no such setting":     {"match_case: true", "case: true", "detection.deny[0].case: is no setting"},
		"no such file":        {"projects.txt", "none.txt", ""},
		"no phrases":          {"phrases: [help@example.com], ", "", "detection.allow[0]: there must be phrases"},
		"a number for a list": {"entities: [PERSON]", "entities: 1", "detection.analyzer.entities: must be a list"},
		"plain HTTP":          {"https://analyzer", "http://canary", "detection.analyzer.url: must be https off the loopback interface, or plain HTTP asked for"},
		"a timeout":           {"timeout_ms: 900", "timeout_ms: 900000", "detection.analyzer.timeout_ms: must be from 1 to 20000"},
		"a language":          {"[en, de]", "[en, Canary]", "detection.analyzer.languages[1]: must be a language such as en, once"},
		"a credential":        {"bearer_file: bearer", "bearer_file: projects.txt", "detection.analyzer.bearer_file: must be one word of printable ASCII"},
		"none, and one":       {"{none: true}", "{none: true, url: https://a.example}", "detection.overrides[0].analyzer.none: cannot go with url"},
		"nobody's override":   {"- tenants: [acme]\n      entities", "- entities", "detection.overrides[0].tenants: is required"},
		"a tenant of nobody":  {"- tenants: [acme]\n      entities", "- tenants: [canary]\n      entities", "detection.overrides[0].tenants[0]: must be a tenant that an issuer speaks for"},
		"a tenant twice":      {"- tenants: [acme]\n      entities", "- tenants: [acme, acme]\n      entities", "detection.overrides[0].tenants[1]: must stand in one override only"},
		"an override of one":  {"analyzer: {none: true}", "analyzer: {none: true}\n      overrides: [{tenants: [globex]}]", "detection.overrides[0].overrides: cannot stand in an override"},
		"all of a tenant":     {"  entities: [EMAIL_ADDRESS, PHONE_NUMBER]", "  tenants: [acme]\n  entities: [EMAIL_ADDRESS, PHONE_NUMBER]", "detection.tenants: is for overrides: the section itself is for all"},
		"a name, once more":   {"{name: desk,", "{name: contract,", "detection.overrides[0]: with what stands above: patterns[1]: the name is given twice"},
	} {
		text := strings.Replace(detecting, test.from, test.to, 1)
		if text == detecting {
			t.Fatalf("%s: nothing was changed", name)
		}
		_, err := loadBeside(t, text, besideDetection)
		if test.want == "" {
			if err == nil || !strings.Contains(err.Error(), "detection.deny[0].phrases_file: cannot be read") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantFaults(t, name, err, test.want)
	}
}
