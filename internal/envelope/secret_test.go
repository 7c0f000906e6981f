package envelope_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// canary is a key that is easily found in a text.
func canary() []byte { return []byte("canary-key-canary-key-canary-key") }

// holders are the types that hold key bytes, alone and inside other structs,
// exported and not.
func holders(t *testing.T) map[string]any {
	secret := envelope.NewSecret(canary())
	data, err := envelope.NewDataKey(tenant, "id", canary())
	if err != nil {
		t.Fatal(err)
	}
	index := envelope.NewIndexKeyOneLabel(secret)
	return map[string]any{
		"Secret": secret, "*Secret": &secret, "Secrets": []envelope.Secret{secret},
		"Secret in a struct":            struct{ S envelope.Secret }{secret},
		"Secret unexported":             struct{ s envelope.Secret }{secret},
		"Secret in an unexported slice": struct{ s []envelope.Secret }{[]envelope.Secret{secret}},
		"DataKey":                       data, "DataKey unexported": struct{ k *envelope.DataKey }{data},
		"IndexKey": index, "IndexKey unexported": struct{ k *envelope.IndexKey }{index},
		"IndexKey by value": struct{ k envelope.IndexKey }{*index},
		"FreshKey":          envelope.FreshKey{ID: "id", Key: data}, "OpenedKey": envelope.OpenedKey{ID: "id", Key: data},
		"Unwrapped": envelope.Unwrapped{Plain: secret}, "Unwraps": []envelope.Unwrapped{{Plain: secret}},
	}
}

// TestInvariant12_KeysAreNotPrinted prints everything that holds key bytes in
// every way there is.
func TestInvariant12_KeysAreNotPrinted(t *testing.T) {
	for name, v := range holders(t) {
		for how, text := range printed(v) {
			if leaks(text) {
				t.Errorf("%s, printed as %s, shows its key: %s", name, how, text)
			}
		}
	}
}

// TestInvariant12_TwinBareKeysAreFound runs the same search over bare bytes.
func TestInvariant12_TwinBareKeysAreFound(t *testing.T) {
	for how, text := range printed(struct{ Key []byte }{canary()}) {
		if !leaks(text) {
			t.Errorf("a bare key, printed as %s, was not found: %s", how, text)
		}
	}
}

// printed is v in every printed form.
func printed(v any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%t"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("made", "key", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("made", "key", v)
	out["slog text"], out["slog JSON"] = text.String(), js.String()
	b, err := json.Marshal(v)
	out["JSON"] = fmt.Sprint(string(b), err)
	if b, err := xml.Marshal(v); err == nil {
		out["XML"] = string(b)
	}
	return out
}

// leaks tells whether text holds the beginning of the canary in a form that Go
// prints bytes in.
func leaks(text string) bool {
	key := canary()[:6]
	forms := []string{
		string(key), hex.EncodeToString(key), strings.ToUpper(hex.EncodeToString(key)),
		base64.StdEncoding.EncodeToString(key), strings.Trim(fmt.Sprintf("%#v", key), "[]byte{}"),
	}
	for _, verb := range []string{"%d", "%o", "%b", "%t"} {
		form := strings.Trim(fmt.Sprintf(verb, key), "[]")
		forms = append(forms, form, strings.ReplaceAll(form, " ", ","))
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestSecretRedaction(t *testing.T) {
	const want = "[redacted]"
	secret := envelope.NewSecret(canary())
	js, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for how, got := range map[string]string{
		"%v": fmt.Sprintf("%v", secret), "%#v": fmt.Sprintf("%#v", secret), "%x": fmt.Sprintf("%x", secret),
		"String": secret.String(), "GoString": secret.GoString(), "slog": secret.LogValue().String(),
		"JSON": strings.Trim(string(js), `"`),
	} {
		if got != want {
			t.Errorf("%s gives %q, not %q", how, got, want)
		}
	}
}

func TestSecret(t *testing.T) {
	var none envelope.Secret
	none.Wipe()
	if none.Len() != 0 || none.Reveal() != nil {
		t.Error("the zero secret holds something")
	}
	a, b := envelope.NewSecret(canary()), envelope.NewSecret(canary())
	if !a.Equal(b) || a.Equal(none) || a.Equal(envelope.RandomSecret()) || a.Len() != 32 {
		t.Error("secrets compare wrongly")
	}
	held, copied := a.Reveal(), a
	a.Wipe()
	if !bytes.Equal(held, make([]byte, 32)) || !bytes.Equal(copied.Reveal(), make([]byte, 32)) {
		t.Error("Wipe left bytes behind")
	}
	if r := envelope.RandomSecret(); r.Len() != envelope.KeySize || r.Equal(envelope.RandomSecret()) {
		t.Error("random secrets are of the wrong size or alike")
	}
}
