package openapi_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	entriesSchema = "entries.schema.json"
	entriesID     = "urn:counterfoil:audit:entry:v1"
)

const entriesHead = "One entry of the audit log of Counterfoil, version 1 of its schema (v is 1). " +
	"A leaf is the entry in the canonical JSON of RFC 8785: keys sorted, no white space, no escapes, whole numbers only, " +
	"fields that are empty left out. The leaf hash is that of RFC 6962 over exactly these bytes, at most 32 KiB. " +
	"Beside what a schema can say: a leaf parses to itself; linked entries of one change stand next to one another in the " +
	"order of seq, prev is the leaf hash of the one before; times do not decrease within a log."

// A schema is as much of JSON Schema 2020-12 as the entries need. Its fields stand
// in the order in which they are read.
type schema struct {
	Schema            string              `json:"$schema,omitempty"`
	ID                string              `json:"$id,omitempty"`
	Ref               string              `json:"$ref,omitempty"`
	Title             string              `json:"title,omitempty"`
	Description       string              `json:"description,omitempty"`
	Type              string              `json:"type,omitempty"`
	Const             any                 `json:"const,omitempty"`
	Enum              []string            `json:"enum,omitempty"`
	Pattern           string              `json:"pattern,omitempty"`
	Minimum           *int                `json:"minimum,omitempty"`
	Maximum           *int                `json:"maximum,omitempty"`
	MinItems          int                 `json:"minItems,omitempty"`
	MaxItems          int                 `json:"maxItems,omitempty"`
	MinProperties     int                 `json:"minProperties,omitempty"`
	MaxProperties     int                 `json:"maxProperties,omitempty"`
	Items             *schema             `json:"items,omitempty"`
	Required          []string            `json:"required,omitempty"`
	DependentRequired map[string][]string `json:"dependentRequired,omitempty"`
	Properties        map[string]*schema  `json:"properties,omitempty"`
	PropertyNames     *schema             `json:"propertyNames,omitempty"`
	Additional        any                 `json:"additionalProperties,omitempty"`
	Not               *schema             `json:"not,omitempty"`
	If                *schema             `json:"if,omitempty"`
	Then              *schema             `json:"then,omitempty"`
	Else              *schema             `json:"else,omitempty"`
	AllOf             []*schema           `json:"allOf,omitempty"`
	AnyOf             []*schema           `json:"anyOf,omitempty"`
	Defs              map[string]*schema  `json:"$defs,omitempty"`
}

// generated is the schema that follows from the tables of package audit.
func generated(t testing.TB) []byte {
	t.Helper()
	whole := &schema{
		Schema: "https://json-schema.org/draft/2020-12/schema", ID: entriesID,
		Title: "Entry of the audit log", Description: entriesHead, Type: "object", Required: []string{"kind"}, Defs: make(map[string]*schema),
	}
	for _, f := range audit.Fields() {
		whole.Defs["field_"+f.Name] = fieldSchema(f)
	}
	sentences := make(map[audit.Kind]string)
	for _, k := range audit.Kinds() {
		sentences[k.Kind] = k.Sentence
	}
	var kinds []string
	for _, r := range audit.KindFields() {
		whole.Defs["kind_"+string(r.Kind)] = kindSchema(r, sentences[r.Kind])
		kinds = append(kinds, string(r.Kind))
		// By its kind an entry is held against one definition, and an error is of that.
		whole.AllOf = append(whole.AllOf, &schema{
			If:   &schema{Properties: map[string]*schema{"kind": {Const: string(r.Kind)}}, Required: []string{"kind"}},
			Then: &schema{Ref: "#/$defs/kind_" + string(r.Kind)},
		})
	}
	whole.Properties = map[string]*schema{"kind": {Enum: kinds}}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(whole); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func whole(n int) *int { return &n }

func fieldSchema(f audit.FieldInfo) *schema {
	counted := &schema{Type: "integer", Minimum: whole(0), Maximum: whole(audit.MaxCount)}
	switch f.Shape {
	case audit.ShapeList:
		return &schema{Type: "array", MinItems: 1, MaxItems: f.Most, Items: &schema{Type: "string", Pattern: f.Pattern}}
	case audit.ShapeCounts:
		return &schema{Type: "object", MinProperties: 1, MaxProperties: f.Most, PropertyNames: &schema{Pattern: f.Pattern}, Additional: counted}
	case audit.ShapeNumber:
		return numberSchema(f)
	case audit.ShapeClient:
		s := &schema{Type: "object", MinProperties: 1, Properties: make(map[string]*schema), Additional: false}
		for _, p := range f.Parts {
			s.Properties[p.Name] = fieldSchema(p)
		}
		return s
	default:
		return &schema{Type: "string", Pattern: f.Pattern}
	}
}

func numberSchema(f audit.FieldInfo) *schema {
	switch f.Name {
	case "v":
		return &schema{Const: audit.Version}
	case "parts":
		return &schema{Type: "integer", Minimum: whole(2), Maximum: whole(f.Most)}
	default:
		return &schema{Type: "integer", Minimum: whole(1), Maximum: whole(f.Most - 1)}
	}
}

// kindSchema says of a kind what audit.CheckKind checks.
func kindSchema(r audit.KindRule, sentence string) *schema {
	every, linked, first, lists := audit.CommonFields()
	s := &schema{
		Title: string(r.Kind), Description: sentence, Type: "object", Properties: make(map[string]*schema), Additional: false,
		Required:          every,
		DependentRequired: map[string][]string{"seq": {"parts", "prev"}, "prev": {"seq"}},
	}
	for _, name := range slices.Concat(every, linked, r.Must, r.May) {
		s.Properties[name] = &schema{Ref: "#/$defs/field_" + name}
	}
	s.Properties["kind"] = &schema{Const: string(r.Kind)}
	if s.Properties["decision"] != nil {
		s.Properties["decision"] = &schema{Enum: decisionsOf(r)}
	}
	if s.Properties["obligations"] != nil {
		s.Properties["obligations"] = &schema{
			Ref: "#/$defs/field_obligations", Items: &schema{Pattern: wordsPattern(r.Obligations)},
		}
	}
	if s.Properties["results"] != nil && len(r.Results) > 0 {
		s.Properties["results"] = &schema{Ref: "#/$defs/field_results", PropertyNames: &schema{Enum: r.Results}}
	}
	after := &schema{Required: without(r.Must, slices.Concat(first, lists)), Not: anyOf(first)}
	cut := &schema{Required: r.Must}
	if divided := without(r.Must, lists); len(divided) < len(r.Must) {
		cut = &schema{If: &schema{Required: []string{"parts"}}, Then: &schema{Required: divided}, Else: cut}
	}
	given := &schema{If: &schema{Required: []string{"seq"}}, Then: after, Else: cut}
	given = &schema{AllOf: append([]*schema{given}, wordsOf(r, false)...)}
	denial := &schema{AllOf: append([]*schema{{
		If: &schema{Required: []string{"seq"}}, Then: &schema{Not: anyOf(first)}, Else: anyOf([]string{"code", "results"}),
	}}, wordsOf(r, true)...)}
	switch decisions := decisionsOf(r); {
	case !slices.Contains(decisions, string(audit.Deny)):
		s.AllOf = given.AllOf
	default:
		s.If = &schema{Properties: map[string]*schema{"decision": {Const: string(audit.Deny)}}, Required: []string{"decision"}}
		s.Then, s.Else = denial, given
	}
	if !slices.Contains(r.Decisions, audit.NoDecision) {
		s.Required = append(slices.Clone(s.Required), "decision")
		slices.Sort(s.Required)
	}
	return s
}

// wordsOf are the closed lists that a denial has others of.
func wordsOf(r audit.KindRule, denial bool) (parts []*schema) {
	fields := slices.Concat(r.Must, r.May)
	if slices.Contains(fields, "code") {
		codes := &schema{Enum: r.Codes}
		if denial {
			codes = &schema{Pattern: "^(" + strings.Join(audit.RefusalCodes(), "|") + ")(:|$)"}
		}
		if denial || len(r.Codes) > 0 {
			parts = append(parts, &schema{Properties: map[string]*schema{"code": codes}})
		}
	}
	if slices.Contains(fields, "counts") && len(r.Counts) > 0 {
		counts := slices.Clone(r.Counts)
		if denial && !slices.Contains(counts, "denials") {
			counts = append(counts, "denials")
		}
		parts = append(parts, &schema{Properties: map[string]*schema{"counts": {PropertyNames: &schema{Enum: counts}}}})
	}
	return parts
}

func anyOf(names []string) *schema {
	s := &schema{}
	for _, name := range names {
		s.AnyOf = append(s.AnyOf, &schema{Required: []string{name}})
	}
	return s
}

func without(names, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(gone, name) })
}

func decisionsOf(r audit.KindRule) (words []string) {
	for _, d := range r.Decisions {
		if d != audit.NoDecision {
			words = append(words, string(d))
		}
	}
	return words
}

// wordsPattern is that of the words of obligations; one that ends with a colon is
// followed by a name.
func wordsPattern(words []string) string {
	var alone, about []string
	for _, w := range words {
		if rest, is := strings.CutSuffix(w, ":"); is {
			about = append(about, regexp.QuoteMeta(rest))
		} else {
			alone = append(alone, regexp.QuoteMeta(w)+"$")
		}
	}
	if len(about) > 0 {
		alone = append(alone, "("+strings.Join(about, "|")+"):.")
	}
	return "^(" + strings.Join(alone, "|") + ")"
}

func compiled(t testing.TB, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(entriesID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(entriesID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func committed(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(entriesSchema)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// conforms holds a leaf against the schema.
func conforms(t testing.TB, s *jsonschema.Schema, leaf []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(leaf))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// With COUNTERFOIL_WRITE=1 the schema is written.
func TestEntriesSchemaIsThatOfTheTable(t *testing.T) {
	want := generated(t)
	if os.Getenv("COUNTERFOIL_WRITE") == "1" {
		if err := os.WriteFile(entriesSchema, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(want), string(committed(t))); diff != "" {
		t.Errorf("%s is not what the table says; write it with COUNTERFOIL_WRITE=1 (-want +got):\n%s", entriesSchema, diff)
	}
}

func TestEntriesSchemaIsValidAndDescribesEveryKind(t *testing.T) {
	compiled(t, committed(t))
	var doc schema
	if err := json.Unmarshal(committed(t), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.ID != entriesID || !strings.Contains(doc.Description, "RFC 8785") || !strings.Contains(doc.Description, "v is 1") {
		t.Errorf("the head says %q, %q", doc.ID, doc.Description)
	}
	for _, k := range audit.Kinds() {
		if def := doc.Defs["kind_"+string(k.Kind)]; def == nil || def.Description != k.Sentence {
			t.Errorf("%s has no definition with its sentence", k.Kind)
		}
	}
	if len(doc.AllOf) != len(audit.Kinds()) {
		t.Errorf("%d kinds to choose from, want %d", len(doc.AllOf), len(audit.Kinds()))
	}
}

// drawn is an entry that may be right or wrong in any way that a leaf can be.
func drawn(t *rapid.T, rules []audit.KindRule) audit.Entry {
	r := rules[rapid.IntRange(0, len(rules)-1).Draw(t, "kind")]
	e := audit.Entry{
		V: audit.Version, Tenant: "acme", Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Kind: r.Kind, ChangeID: "c1",
		Channel: "api", Environment: "test", Replica: "r1", PolicyVersion: "p1",
	}
	texts := map[string]*string{
		"actor": &e.Actor, "reason": &e.Reason, "reference": &e.Reference, "request_id": &e.RequestID, "destination": &e.Destination,
		"note_digest": &e.NoteDigest, "source_digest": &e.SourceDigest, "replay_of": &e.ReplayOf, "channel": &e.Channel, "replica": &e.Replica,
	}
	lists := map[string]*[]string{
		"tokens": &e.Tokens, "key_ids": &e.KeyIDs, "hold_ids": &e.HoldIDs, "scope_refs": &e.ScopeRefs, "subject_refs": &e.SubjectRefs,
	}
	has := func(name string) bool {
		likely := slices.Contains(r.Must, name) || slices.Contains(r.May, name) && rapid.Bool().Draw(t, "may "+name)
		return likely != (rapid.IntRange(0, 40).Draw(t, "flip "+name) == 0)
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		s := texts[name]
		if name == "channel" || name == "replica" {
			if rapid.IntRange(0, 60).Draw(t, "no "+name) == 0 {
				*s = ""
			}
		} else if has(name) {
			*s = "0123456789abcdef"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if has(name) {
			*lists[name] = []string{"7K3QX9M2"}
		}
	}
	if has("client") {
		e.Client.ClientID = "svc-1"
	}
	words := func(name string, closed []string) string {
		if len(closed) > 0 && rapid.IntRange(0, 20).Draw(t, "other "+name) > 0 {
			return rapid.SampledFrom(closed).Draw(t, name)
		}
		return rapid.SampledFrom([]string{"else", "denials", "keys", "restored", "denied", "denied:", "conflict:x", "deniedly"}).Draw(t, name)
	}
	e.Decision = audit.Decision(rapid.SampledFrom(append(decisionsOf(r), "", "allow", "deny")).Draw(t, "decision"))
	if has("code") || e.Decision == audit.Deny {
		e.Code = words("code", r.Codes)
	}
	if has("counts") {
		e.Counts = map[string]int{words("count", r.Counts): rapid.IntRange(0, 3).Draw(t, "n")}
	}
	if has("results") {
		e.Results = map[string]int{words("result", r.Results): 1}
	}
	if has("entities") {
		e.Entities = map[string]int{"PERSON": 1}
	}
	if has("obligations") {
		o := words("obligation", r.Obligations)
		if strings.HasSuffix(o, ":") && rapid.IntRange(0, 9).Draw(t, "bare") > 0 {
			o += rapid.SampledFrom([]string{"x", "a:b"}).Draw(t, "about")
		}
		e.Obligations = []string{o}
	}
	switch rapid.IntRange(0, 4).Draw(t, "linked") {
	case 0:
		e.Parts = 3
	case 1:
		e.Seq, e.Parts, e.Prev = 1, 3, strings.Repeat("0a", 32)
	}
	return e
}

// The schema and audit.CheckKind are two readings of one table: of any leaf they say
// the same.
func TestEntriesSchemaAgreesWithCheckKind(t *testing.T) {
	s, rules := compiled(t, committed(t)), audit.KindFields()
	passed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		e := drawn(t, rules)
		leaf, err := e.Leaf()
		if err != nil {
			t.Skip(err.Error())
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(leaf))
		if err != nil {
			t.Fatal(err)
		}
		byKind, bySchema := audit.CheckKind(&e), s.Validate(doc)
		if (byKind == nil) != (bySchema == nil) {
			t.Fatalf("%s\nby its kind: %v\nby the schema: %v", leaf, byKind, bySchema)
		}
		if byKind == nil {
			passed++
		} else {
			refused++
		}
	})
	if passed == 0 || refused == 0 {
		t.Errorf("%d passed and %d were refused: nothing was compared", passed, refused)
	}
}
