package httpapi

import (
	"testing"
)

// TestCutPayload: the first payload is taken out byte for byte, whatever is in
// it; what cannot be cut is left for the strict reader to refuse.
func TestCutPayload(t *testing.T) {
	for _, c := range []struct{ body, rest, cut string }{
		{`{"scope":"s","payload": {"a" : 1e400, "a":-0} ,"x":1}`, `{"scope":"s","payload": {} ,"x":1}`, `{"a" : 1e400, "a":-0}`},
		{`{"pa\u0079load":{"s":"\ud800"}}`, `{"pa\u0079load":{}}`, `{"s":"\ud800"}`},
		{`{"payload":{},"payload":{"b":2}}`, `{"payload":{},"payload":{"b":2}}`, `{}`},
		{`{"text":"payload"}`, `{"text":"payload"}`, ""},
		{`{"in":{"payload":{"c":3}}}`, `{"in":{"payload":{"c":3}}}`, ""},
		{`{"payload":[1]}`, `{"payload":[1]}`, ""},
		{`{"payload":{"cut`, `{"payload":{"cut`, ""},
		{`[{"payload":{}}]`, `[{"payload":{}}]`, ""},
		{``, ``, ""},
	} {
		rest, cut := cutPayload([]byte(c.body))
		if string(rest) != c.rest || string(cut) != c.cut {
			t.Errorf("%s: got %s and %s", c.body, rest, cut)
		}
	}
}

func FuzzCutPayload(f *testing.F) {
	f.Add([]byte(`{"scope":"s","payload":{"a":1}}`))
	f.Add([]byte(`{"payload":{"payload":{}},"payload":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rest, cut := cutPayload(body)
		if cut == nil && string(rest) != string(body) {
			t.Fatal("nothing was cut, and the body is another")
		}
		if cut != nil && len(rest)+len(cut) != len(body)+len("{}") {
			t.Fatal("bytes were lost")
		}
	})
}
