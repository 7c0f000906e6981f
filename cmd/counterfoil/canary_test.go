package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canaries are values that must never be seen outside an answer that restores
// them, each found by what it is recognised by, however it was written.
var canaries = []string{
	"canary.dove@example.com", "5105105105105100", "Canary Q. Finch", "canary-scope-9931", "canary-subject-4471",
	"canary-user-5582", "canary note: she said", "+1 212 555 0142",
	"AKIACANARYCANARY2345", "canary-header-1184", "canary-query-7726", "CANARY_Q_FINCH",
}

// traces are the forms in which a canary might hide.
func traces(canary string) [][]byte {
	forms := [][]byte{
		[]byte(canary), []byte(url.QueryEscape(canary)), []byte(hex.EncodeToString([]byte(canary))),
		[]byte(strings.ToUpper(hex.EncodeToString([]byte(canary)))),
	}
	// Base 64 has three alignments; the middle of each is the same wherever it
	// stands.
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + canary))
		forms = append(forms, []byte(encoded[4:len(encoded)-4]))
	}
	return forms
}

func findCanary(text []byte) string {
	for _, canary := range canaries {
		for _, form := range traces(canary) {
			if bytes.Contains(text, form) {
				return canary
			}
		}
	}
	return ""
}

// TestInvariant12_CanariesStayInside drives every operation, right and wrong,
// with canary values, and then looks for them everywhere they must not be: the
// folder with the write-ahead log as it lies there after a kill, the output of
// the process, the metrics, and every answer that is not a restoration.
func TestInvariant12_CanariesStayInside(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	seen := driveCanaries(t, s)
	s.kill() // no clean end: whatever lies on the disk lies there
	for name, text := range seen {
		if canary := findCanary(text); canary != "" {
			t.Errorf("%s shows %q", name, canary)
		}
	}
	if canary := findCanary([]byte(s.stderr.String() + s.banner)); canary != "" {
		t.Errorf("the output of the process shows %q", canary)
	}
	files := 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if canary := findCanary(text); canary != "" {
			t.Errorf("%s shows %q", filepath.Base(path), canary)
		}
		return err
	})
	if err != nil || files < 5 {
		t.Fatalf("%d files looked at: %v", files, err)
	}
	// The twin of the search: it finds what is there.
	for _, canary := range canaries {
		for i, form := range traces(canary) {
			if findCanary(append([]byte("....."), form...)) == "" {
				t.Fatalf("the search is blind for form %d of %q", i, canary)
			}
		}
	}
}

// driveCanaries returns every answer but the restorations.
func driveCanaries(t *testing.T, s *service) map[string][]byte {
	t.Helper()
	gateway := credential(t, s.data, "--role", "gateway")
	seen := make(map[string][]byte)
	post := func(name, path, body string, want int) []byte {
		t.Helper()
		status, raw := send(t, s, gateway, "POST", path, body)
		if status != want {
			t.Fatalf("%s: %d, want %d: %s", name, status, want, raw)
		}
		return raw
	}
	const scope = `"scope":"canary-scope-9931"`
	seen["scope"] = post("scope", "/v1/scopes", `{`+scope+`,"kind":"case","end_user":"canary-user-5582"}`, 201)
	made := post("tokenize", "/v1/tokenize", `{`+scope+`,"subject":"canary-subject-4471","text":"Canary Q. Finch, canary.dove@example.com, 5105105105105100, call +1 212 555 0142","spans":[{"start":0,"end":15,"entity":"PERSON"}]}`, 200)
	seen["tokenize"] = made
	tokens := string(made[bytes.Index(made, []byte(`"text":"`))+8:])
	tokens = tokens[:strings.IndexByte(tokens, '"')]
	restored := post("detokenize", "/v1/detokenize", `{`+scope+`,"reason":{"code":"LLM_RESPONSE","note":"canary note: she said"},"text":"`+tokens+`"}`, 200)
	if !bytes.Contains(restored, []byte("Canary Q. Finch")) {
		t.Fatalf("nothing was restored: the canaries were never there: %s", restored)
	}
	seen["values"] = post("values", "/v1/tokenize", `{`+scope+`,"values":[{"entity":"PERSON","value":"Canary Q. Finch"}]}`, 200)
	seen["blocked"] = post("blocked", "/v1/tokenize", `{`+scope+`,"text":"key AKIACANARYCANARY2345 and"}`, 422)
	for name, body := range malformed {
		_, seen["malformed "+name] = send(t, s, gateway, "POST", "/v1/tokenize", body)
		_, seen["malformed restore "+name] = send(t, s, gateway, "POST", "/v1/detokenize", body)
		_, seen["malformed scope "+name] = send(t, s, gateway, "POST", "/v1/scopes", body)
	}
	_, seen["query"] = send(t, s, gateway, "GET", "/v1/audit/entries?actor=canary-query-7726&limit=canary-query-7726", "")
	_, seen["path"] = send(t, s, gateway, "GET", "/v1/canary-query-7726", "")
	_, seen["bearer"] = send(t, s, "canary-header-1184", "POST", "/v1/tokenize", "{}")
	auditor := credential(t, s.data, "--role", "auditor", "--subject", "ann")
	for _, path := range []string{"/v1/audit/entries?limit=1000", "/v1/audit/checkpoint", "/v1/audit/keys", "/v1/policy", "/v1/limits", "/v1/preamble", "/metrics", "/readyz", "/healthz"} {
		status, raw := send(t, s, auditor, "GET", path, "")
		if status != 200 {
			t.Fatalf("%s: %d %s", path, status, raw)
		}
		seen[path] = raw
	}
	// A canary is found by what it is; a label that could hold one, by the list.
	if wrong := beyond(t, string(seen["/metrics"])); len(wrong) > 0 {
		t.Errorf("the metrics have labels that are in no list: %v", wrong)
	}
	return seen
}

// malformed are bodies with canaries at every place where an error might quote.
var malformed = map[string]string{
	"not json":      `canary.dove@example.com`,
	"cut":           `{"scope":"canary-scope-9931","text":"canary.dove@example.com`,
	"type":          `{"scope":"canary-scope-9931","text":["canary.dove@example.com"]}`,
	"number":        `{"scope":"canary-scope-9931","text":5105105105105100}`,
	"field":         `{"scope":"canary-scope-9931","canary.dove@example.com":1,"text":"x"}`,
	"duplicate":     `{"scope":"canary-scope-9931","text":"x","text":"canary.dove@example.com"}`,
	"enum":          `{"scope":"canary-scope-9931","text":"x","format":"canary.dove@example.com"}`,
	"kind":          `{"scope":"canary-scope-9931","kind":"canary.dove@example.com"}`,
	"reason":        `{"scope":"canary-scope-9931","text":"x","reason":{"code":"canary.dove@example.com"}}`,
	"made up":       `{"scope":"canary-scope-9931","text":"x","reason":{"code":"CANARY_Q_FINCH"}}`,
	"reference":     `{"scope":"canary-scope-9931","text":"x","reason":{"code":"CUSTOMER_SUPPORT","reference":"canary.dove@example.com"}}`,
	"recipient":     `{"scope":"canary-scope-9931","text":"x","reason":{"code":"LLM_RESPONSE"},"recipient":"Canary Q. Finch"}`,
	"long":          `{"scope":"` + strings.Repeat("canary-scope-9931", 40) + `","text":"x"}`,
	"entity":        `{"scope":"canary-scope-9931","values":[{"entity":"canary.dove@example.com","value":"Canary Q. Finch"}]}`,
	"span":          `{"scope":"canary-scope-9931","text":"canary.dove@example.com","spans":[{"start":5,"end":900,"entity":"PERSON"}]}`,
	"destination":   `{"scope":"canary-scope-9931","text":"x","destination":"canary.dove@example.com"}`,
	"bad utf-8":     "{\"scope\":\"canary-scope-9931\",\"text\":\"canary.dove@example.com\xff\"}",
	"control":       `{"scope":"canary-scope-9931\u0000","text":"canary.dove@example.com"}`,
	"deep":          strings.Repeat(`{"canary.dove@example.com":`, 200) + `1` + strings.Repeat(`}`, 200),
	"trailing data": `{"scope":"canary-scope-9931","text":"x"} canary.dove@example.com`,
}

// send sends raw bytes with a header that may be of no use.
func send(t *testing.T, s *service, bearer, method, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "canary-header-1184")
	if method == "POST" { // an auditor may not name an end user
		req.Header.Set("Counterfoil-End-User", "canary-user-5582")
	}
	req.Header.Set("X-Request-Id", "canary-header-1184")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w", method, path, err))
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, raw
}
