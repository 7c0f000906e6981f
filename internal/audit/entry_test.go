package audit_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
)

func TestTableHoldsEveryField(t *testing.T) {
	for _, table := range []struct {
		of    reflect.Type
		names []string
	}{
		{reflect.TypeFor[audit.Entry](), audit.FieldNames()},
		{reflect.TypeFor[audit.Client](), audit.ClientNames()},
	} {
		var tags []string
		for i := range table.of.NumField() {
			tags = append(tags, table.of.Field(i).Tag.Get("json"))
		}
		slices.Sort(tags)
		if !slices.Equal(tags, table.names) {
			t.Errorf("%v: the table has %v, the struct %v", table.of, table.names, tags)
		}
		if len(table.names) >= 64 {
			t.Errorf("%v: the decoder's set of seen fields holds 64 bits", table.of)
		}
	}
}

func TestKindsHaveSentences(t *testing.T) {
	seen := map[audit.Kind]bool{}
	for _, k := range audit.Kinds() {
		if seen[k.Kind] || !strings.HasSuffix(k.Sentence, ".") {
			t.Errorf("%s: twice in the table, or without a sentence", k.Kind)
		}
		seen[k.Kind] = true
		e := sample()
		e.Kind = k.Kind
		if err := e.Validate(); err != nil {
			t.Errorf("%s: %v", k.Kind, err)
		}
	}
}

func TestValidate(t *testing.T) {
	const canary = "Jane Doe <jane@example.com>"
	tests := map[string]func(*audit.Entry){
		"tenant: is missing":    func(e *audit.Entry) { e.Tenant = "" },
		"change_id: is missing": func(e *audit.Entry) { e.ChangeID = "" },
		"kind: is missing":      func(e *audit.Entry) { e.Kind = "" },
		"kind: is not":          func(e *audit.Entry) { e.Kind = "Tokenize" },
		"decision":              func(e *audit.Entry) { e.Decision = "Allow" },
		"v: must be 1":          func(e *audit.Entry) { e.V = 2 },
		"parts":                 func(e *audit.Entry) { e.Parts = 1 },
		"seq":                   func(e *audit.Entry) { e.Seq = 1 },
		"time: must be whole":   func(e *audit.Entry) { e.Time = at.Add(1) },
		"time: must be in":      func(e *audit.Entry) { e.Time = at.AddDate(8000, 0, 0) },
		"tenant":                func(e *audit.Entry) { e.Tenant = "a/b" },
		"actor":                 func(e *audit.Entry) { e.Actor = canary },
		"reference":             func(e *audit.Entry) { e.Reference = strings.Repeat("a", audit.MaxIdentifier+1) },
		"session":               func(e *audit.Entry) { e.Session = "a\x00" },
		"model":                 func(e *audit.Entry) { e.Model = "modèle" },
		"note_digest":           func(e *audit.Entry) { e.NoteDigest = "jane@example.com" },
		"on_behalf_of":          func(e *audit.Entry) { e.OnBehalfOf = "jane" },
		"client.client_id":      func(e *audit.Entry) { e.Client.ClientID = canary },
		"client.jti_digest":     func(e *audit.Entry) { e.Client.JTIDigest = "x" },
		"prev":                  func(e *audit.Entry) { e.Prev = strings.Repeat("A", 64) },
		"tokens: an item":       func(e *audit.Entry) { e.Tokens = []string{"7K3QX9M2", "[PERSON_A]"} },
		"tokens: an item must":  func(e *audit.Entry) { e.Tokens = []string{""} },
		"tokens: has more":      func(e *audit.Entry) { e.Tokens = make([]string, audit.MaxListed+1) },
		"entities: a name":      func(e *audit.Entry) { e.Entities = map[string]int{canary: 1} },
		"entities: a count":     func(e *audit.Entry) { e.Entities = map[string]int{"PERSON": -1} },
		"results: a count":      func(e *audit.Entry) { e.Results = map[string]int{"restored": audit.MaxCount + 1} },
		"counts: has more": func(e *audit.Entry) {
			e.Counts = map[string]int{}
			for i := range audit.MaxMap + 1 {
				e.Counts[strings.Repeat("a", i/8+1)+string(rune('a'+i%8))] = 1
			}
		},
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			e := sample()
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
			change(&e)
			err := e.Validate()
			if !errors.Is(err, audit.ErrSchema) || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want a schema error that says %q", err, want)
			}
			for _, part := range []string{"Jane", "jane", "modèle", "PERSON_A"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error quotes the value: %v", err)
				}
			}
		})
	}
}

// freeText sets every text of an entry, one at a time, to a sentence.
func freeText(text string) (entries map[string]audit.Entry) {
	entries = map[string]audit.Entry{}
	base := sample()
	typ := reflect.TypeFor[audit.Entry]()
	for i := range typ.NumField() {
		e := base
		switch v, tag := reflect.ValueOf(&e).Elem().Field(i), typ.Field(i).Tag.Get("json"); v.Interface().(type) {
		case audit.Kind, audit.Decision: // closed lists, not guarded by a charset
		case string:
			if tag == "prev" {
				continue
			}
			v.SetString(text)
			entries[tag] = e
		case []string:
			v.Set(reflect.ValueOf([]string{text}))
			entries[tag] = e
		case map[string]int:
			v.Set(reflect.ValueOf(map[string]int{text: 1}))
			entries[tag] = e
		case audit.Client:
			e.Client.ClientID = text
			entries[tag] = e
		}
	}
	return entries
}

func TestInvariant12_EntryHoldsNoFreeText(t *testing.T) {
	const canary = "call Jane Doe at 030 1234567"
	entries := freeText(canary)
	if len(entries) < 30 {
		t.Fatalf("only %d fields tried", len(entries))
	}
	for name, e := range entries {
		if _, err := audit.Link(e); !errors.Is(err, audit.ErrSchema) {
			t.Errorf("%s took free text: %v", name, err)
		}
	}
}

func TestInvariant12_Twin_WithoutTheCharsetTheTextIsInTheLeaf(t *testing.T) {
	audit.AllowAnyText(t)
	const canary = "call Jane Doe at 030 1234567"
	for name, e := range freeText(canary) {
		if leaf := leafOf(t, e); !strings.Contains(string(leaf), canary) {
			t.Errorf("%s: the guard is out and the text is still not in the leaf", name)
		}
	}
}
