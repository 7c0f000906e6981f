package payload_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gowebpki/jcs"

	"github.com/counterfoil/counterfoil/internal/payload"
)

const keyed = `{"metadata":{"jane@x.example":{"a/jane@x.example":["b",4155550132,1],"n":1},"ok":"jane"},` +
	`"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"jane@x.example\":\"[{\\\"jane@x.example\\\":1}]\"}"}}]}]}`

// mails says which leaves hold an address.
func mails(d *payload.Document) func(int) bool {
	return func(i int) bool { return strings.Contains(d.Leaves()[i].Text, "@x") }
}

func TestManifestRedactsKeys(t *testing.T) {
	d := parse(t, []byte(keyed), payload.Options{})
	want := payload.Manifest{
		Shape: payload.OpenAIChatRequest,
		Scanned: []payload.Scanned{
			{Pointer: "/metadata/<redacted>", Kind: payload.KindKey},
			{Pointer: "/metadata/<redacted>/<redacted>", Kind: payload.KindKey},
			{Pointer: "/metadata/<redacted>/<redacted>/0", Kind: payload.KindText},
			{Pointer: "/metadata/<redacted>/<redacted>/1", Kind: payload.KindNumber},
			{Pointer: "/metadata/<redacted>/n", Kind: payload.KindKey},
			{Pointer: "/metadata/ok", Kind: payload.KindKey},
			{Pointer: "/metadata/ok", Kind: payload.KindText},
			{Pointer: "/messages/0/tool_calls/0/function/arguments/<redacted>", Kind: payload.KindKey},
			{Pointer: "/messages/0/tool_calls/0/function/arguments/<redacted>/0/<redacted>", Kind: payload.KindKey},
		},
		Skipped: []payload.Skip{
			{Pointer: "/metadata/<redacted>/<redacted>/2", Why: payload.WhyNumberShort},
			{Pointer: "/metadata/<redacted>/n", Why: payload.WhyNumberShort},
			{Pointer: "/messages/0/role", Why: payload.WhyStructure},
			{Pointer: "/messages/0/tool_calls/0/function/name", Why: payload.WhyStructure},
			{Pointer: "/messages/0/tool_calls/0/function/arguments/<redacted>/0/<redacted>", Why: payload.WhyNumberShort},
		},
	}
	m := d.Manifest(mails(d))
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(string(m.Canonical()), "@x") {
		t.Error("a key is shown")
	}
}

// TestTwinManifest shows that the keys would be in it.
func TestTwinManifest(t *testing.T) {
	d := parse(t, []byte(keyed), payload.Options{})
	for name, redact := range map[string]func(int) bool{"none": nil, "never": func(int) bool { return false }} {
		m := d.Manifest(redact)
		if !strings.Contains(string(m.Canonical()), "@x") {
			t.Errorf("%s: nothing to redact", name)
		}
	}
}

// TestManifestIsCanonical compares with another writer of RFC 8785.
func TestManifestIsCanonical(t *testing.T) {
	all := append(fixtures(t), fixture{name: "odd keys", opts: plainJSON, body: []byte(
		`{"":1,"\"\\\b\f\n\r\t\u0000\u001f\u007f":1,"<>&\u2028":1,"\ud83d\ude00":1,"\ud800":"x","~/":2}`)})
	for _, f := range all {
		m := parse(t, f.body, f.opts).Manifest(nil)
		plain, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		want, err := jcs.Transform(plain)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(m.Canonical())); diff != "" {
			t.Errorf("%s\n%s", f.name, diff)
		}
		if sum := sha256.Sum256(want); m.Digest() != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: digest %s", f.name, m.Digest())
		}
	}
}

// TestManifestCoversAll: each string and number of a fixture is in it, by its
// own pointer or by that of something around it.
func TestManifestCoversAll(t *testing.T) {
	for _, f := range fixtures(t) {
		m := parse(t, f.body, f.opts).Manifest(nil)
		listed := map[string]bool{}
		for _, s := range m.Scanned {
			if s.Kind != payload.KindKey {
				listed[s.Pointer] = true
			}
		}
		for _, s := range m.Skipped {
			listed[s.Pointer] = true
		}
		var body any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(f.body), "1e400", "1e4")), &body); err != nil {
			t.Fatal(err)
		}
		uncovered(body, "", listed, func(pointer string) { t.Errorf("%s: %s is not covered", f.name, pointer) })
	}
}

// uncovered reports the strings and numbers that no listed pointer covers.
func uncovered(v any, pointer string, listed map[string]bool, report func(string)) {
	if listed[pointer] {
		return
	}
	switch in := v.(type) {
	case map[string]any:
		for key, item := range in {
			uncovered(item, pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), listed, report)
		}
	case []any:
		for i, item := range in {
			uncovered(item, pointer+"/"+strconv.Itoa(i), listed, report)
		}
	case string:
		inside := false // JSON in a string is covered by its own leaves
		for p := range listed {
			inside = inside || strings.HasPrefix(p, pointer+"/")
		}
		if !inside {
			report(pointer)
		}
	case float64:
		report(pointer)
	}
}
