package localkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// rootKey is the first root key of the file in testdata: the bytes 0 to 31.
func rootKey() []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// TestInvariant12_KeysAreNotPrinted prints an open key file in every way there
// is.
func TestInvariant12_KeysAreNotPrinted(t *testing.T) {
	k := open(t, writeFile(t, readVectors(t).File))
	for how, text := range printed(k) {
		if leaks(text, rootKey()) {
			t.Errorf("%s prints a root key: %s", how, text)
		}
	}
	for how, text := range printed(struct{ inner any }{k}) {
		if leaks(text, rootKey()) {
			t.Errorf("%s of a struct that holds it prints a root key: %s", how, text)
		}
	}
}

// TestRedaction: what stands in place of the keys is the path of the file.
func TestRedaction(t *testing.T) {
	path := writeFile(t, readVectors(t).File)
	k := open(t, path)
	text, err := k.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for how, got := range map[string]string{
		"String": k.String(), "GoString": k.GoString(), "slog": k.LogValue().String(), "text": string(text),
		"%v": fmt.Sprintf("%v", k), "%#v": fmt.Sprintf("%#v", k),
	} {
		if want := "localkey(" + path + ")"; got != want {
			t.Errorf("%s gives %q, not %q", how, got, want)
		}
	}
}

// TestInvariant12_TwinBareKeysAreFound runs the same search over a key that
// does not redact itself.
func TestInvariant12_TwinBareKeysAreFound(t *testing.T) {
	for how, text := range printed(struct{ Root []byte }{rootKey()}) {
		if !leaks(text, rootKey()) {
			t.Errorf("%s of a bare key was not found: %s", how, text)
		}
	}
}

// printed is v in every printed form.
func printed(v any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("open", "key", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("open", "key", v)
	out["slog text"], out["slog JSON"] = text.String(), js.String()
	b, err := json.Marshal(v)
	out["JSON"] = fmt.Sprint(string(b), err)
	return out
}

// leaks tells whether text holds the first eight bytes of a key in a form that
// Go prints bytes in.
func leaks(text string, key []byte) bool {
	decimal := strings.Trim(fmt.Sprintf("%d", key[:8]), "[]")
	for _, form := range []string{
		string(key[:8]), hex.EncodeToString(key[:8]), strings.ToUpper(hex.EncodeToString(key[:8])),
		base64.StdEncoding.EncodeToString(key)[:10], decimal, strings.ReplaceAll(decimal, " ", ","),
		strings.Trim(fmt.Sprintf("%#v", key[:8]), "[]byte{}"), strings.Trim(fmt.Sprintf("%q", key[:8]), `"`),
		strings.ReplaceAll(strings.Trim(fmt.Sprintf("%q", key[:8]), `"`), `\`, `\\`), // quoted twice
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
