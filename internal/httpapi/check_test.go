package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/runtime"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
)

// Every operation of the document is routed, and nothing else is.
func TestEveryOperationOfTheDocumentIsKnown(t *testing.T) {
	d, err := describe()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.operations) != 92 {
		t.Errorf("%d operations", len(d.operations))
	}
	for where, o := range d.operations {
		if (o.body != nil || o.stream) != strings.HasPrefix(where, "POST ") || o.secured != strings.Contains(where, "/v1/") {
			t.Errorf("%s: body %v, secured %v", where, o.body != nil, o.secured)
		}
	}
	if op := d.operations["GET /v1/audit/entries/:index/proof"]; op == nil || op.id != "auditProof" {
		t.Errorf("path parameters: %+v", op)
	}
	if op := d.operations["GET /v1/audit/tile/*path"]; op == nil || op.id != "auditTile" || len(d.rest) != 1 {
		t.Errorf("all that follows: %+v, %v", op, d.rest)
	}
}

// A key of a body that looks like an index, or that nobody knows, ends every
// pointer.
func TestPointersHoldKnownWordsAndIndexesOnly(t *testing.T) {
	for _, c := range []struct {
		path []string
		want string
	}{
		{nil, ""},
		{[]string{"scope"}, "/scope"},
		{[]string{"spans", "17", "start"}, "/spans/17/start"},
		{[]string{"spans", "123456", "start"}, "/spans"},
		{[]string{"secret", "scope"}, ""},
		{[]string{"spans", testWords.segment("47160"), "start"}, "/spans"},
		{[]string{"spans", "1/../x"}, "/spans"},
	} {
		if got := testWords.pointer(c.path); got != c.want {
			t.Errorf("%q: %q, want %q", c.path, got, c.want)
		}
	}
}

// BenchmarkCheck is what the strict reading costs: UTF-8, JSON, duplicates,
// surrogates, the schema, and binding the value that was checked.
func BenchmarkCheck(b *testing.B) {
	d, err := describe()
	if err != nil {
		b.Fatal(err)
	}
	op := d.operations["POST /v1/tokenize"]
	values := strings.Repeat(`{"entity":"PERSON","value":"Erika Mustermann"},`, 9_999) + `{"entity":"PERSON","value":"x"}`
	for name, body := range map[string]string{
		"text-2KB":      `{"scope":"chat-1","text":"` + strings.Repeat("word ", 400) + `"}`,
		"text-30KB":     `{"scope":"chat-1","text":"` + strings.Repeat("word ", 6_000) + `"}`,
		"text-1MB":      `{"scope":"chat-1","text":"` + strings.Repeat("word ", 200_000) + `"}`,
		"values-10,000": `{"scope":"chat-1","values":[` + values + `]}`,
		"hostile":       `{"scope":"chat-1","spans":[` + strings.Repeat("{},", 9_999) + `{}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				value, err := readStrict([]byte(body), d.words)
				if err != nil {
					b.Fatal(err)
				}
				if err := op.body.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsRequest()); (err != nil) != (name == "hostile") {
					b.Fatal(err)
				}
				var into gen.TokenizeRequest
				if err := runtime.BindJSONValue(value, &into); err != nil {
					b.Fatal(fmt.Errorf("bind: %w", err))
				}
			}
		})
	}
}
