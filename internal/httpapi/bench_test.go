package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/runtime"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
)

// usualRequests are the bodies of the two calls that a gateway makes for each
// prompt, with so many values.
func usualRequests(values int) map[string]string {
	given, tokens := make([]string, values), make([]string, values)
	for i := range values {
		given[i] = fmt.Sprintf(`{"entity":"EMAIL_ADDRESS","value":"customer%d@example.com"}`, i)
		tokens[i] = fmt.Sprintf(`"[EMAIL_ADDRESS_7K3QX9M2%02d]"`, i)
	}
	return map[string]string{
		"tokenize": `{"scope":"chat-1","values":[` + strings.Join(given, ",") + `]}`,
		"detokenize": `{"scope":"chat-1","reason":{"code":"CUSTOMER_SUPPORT","reference":"TICKET-4711"},"tokens":[` +
			strings.Join(tokens, ",") + `]}`,
	}
}

// onUsualRequests runs a stage on the bodies of 5 and 50 values.
func onUsualRequests(b *testing.B, stage func(d description, op *operation, name string, body []byte) func() error) {
	d, err := describe()
	if err != nil {
		b.Fatal(err)
	}
	for _, values := range []int{5, 50} {
		for _, name := range []string{"tokenize", "detokenize"} {
			body := []byte(usualRequests(values)[name])
			run := stage(d, d.operations["POST /v1/"+name], name, body)
			b.Run(fmt.Sprintf("%s-%d", name, values), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDecode reads the bytes of a body strictly.
func BenchmarkDecode(b *testing.B) {
	onUsualRequests(b, func(d description, _ *operation, _ string, body []byte) func() error {
		return func() error {
			_, err := readStrict(body, d.words)
			return err
		}
	})
}

// BenchmarkValidate holds a body that was read against its schema.
func BenchmarkValidate(b *testing.B) {
	onUsualRequests(b, func(d description, op *operation, _ string, body []byte) func() error {
		value, err := readStrict(body, d.words)
		if err != nil {
			b.Fatal(err)
		}
		return func() error {
			return op.body.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsRequest())
		}
	})
}

// BenchmarkBind makes a typed request of a body that was checked.
func BenchmarkBind(b *testing.B) {
	onUsualRequests(b, func(d description, _ *operation, name string, body []byte) func() error {
		value, err := readStrict(body, d.words)
		if err != nil {
			b.Fatal(err)
		}
		if name == "tokenize" {
			return func() error { return runtime.BindJSONValue(value, new(gen.TokenizeRequest)) }
		}
		return func() error { return runtime.BindJSONValue(value, new(gen.DetokenizeRequest)) }
	})
}
