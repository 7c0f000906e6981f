package httpapi_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/httpapi"
)

// TestAPayloadKeepsItsBytes: white space, spellings and duplicate names of a
// provider's body go through both ways as they are.
func TestAPayloadKeepsItsBytes(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	const body = "{\"model\" : \"m\",\n \"x\": {\"d\":1, \"d\":2, \"z\":-0}, \"messages\":[ {\"role\":\"user\",\"content\":\"<b>\\/ caf\\u00e9 erika@example.org\"} ]}"
	sent := `{"scope":"chat-1", "payload": ` + body + ` }`
	answer := w.Send(http.MethodPost, "/v1/tokenize", []byte(sent)).Want(http.StatusOK)
	var out struct {
		Tokens []struct{ Token, Pointer string }
	}
	answer.Decode(&out)
	if len(out.Tokens) != 1 || out.Tokens[0].Pointer != "/messages/0/content" {
		t.Fatalf("tokens %+v", out.Tokens)
	}
	tokenized := strings.Replace(body, "erika@example.org", out.Tokens[0].Token, 1)
	if !bytes.Contains(answer.Body, []byte(`"payload":`+tokenized)) {
		t.Fatalf("the payload was changed:\n%s\nwant\n%s", answer.Body, tokenized)
	}
	back := w.Send(http.MethodPost, "/v1/detokenize", []byte(
		`{"scope":"chat-1","reason":{"code":"LLM_RESPONSE"},"payload":`+tokenized+`}`)).Want(http.StatusOK)
	if !bytes.Contains(back.Body, []byte(`"payload":`+body)) {
		t.Fatalf("what came back is another body:\n%s\nwant\n%s", back.Body, body)
	}
	for name, bad := range map[string]string{
		"two payloads":                  `{"scope":"s","payload":{},"payload":{}}`,
		"a list":                        `{"scope":"s","payload":[]}`,
		"an envelope with a name twice": `{"scope":"s","payload":{"model":"m","model":"n","messages":[]}}`,
	} {
		if status := w.Send(http.MethodPost, "/v1/tokenize", []byte(bad)).Status; status < 400 || status > 422 {
			t.Errorf("%s: %d", name, status)
		}
	}
}
