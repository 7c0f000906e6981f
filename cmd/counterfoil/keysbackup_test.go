package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDisasterDrill: the database and the key file are lost; elsewhere the service
// serves again from a copy of the database, a backup of the key file with shares
// of its recovery key, and the anchors.
func TestDisasterDrill(t *testing.T) {
	s := newSite(t)
	s.must("keys", "init")
	s.must("tenant", "create", "--tenant", "acme")
	keys, copied := filepath.Join(t.TempDir(), "key.backup"), filepath.Join(t.TempDir(), "copy.db")
	shares := strings.Split(strings.TrimSpace(s.must("keys", "backup", "--to", keys, "--shares", "3", "--threshold", "2")), "\n")
	if len(shares) != 3 {
		t.Fatalf("%d shares", len(shares))
	}
	s.must("backup", "--to", copied)
	for _, again := range [][]string{{"backup", "--to", copied}, {"keys", "backup", "--to", keys}} {
		if code, _, stderr := s.run(again...); code != exitError || !strings.Contains(stderr, "stays as it is") && !strings.Contains(stderr, "exists") {
			t.Errorf("%v overwrites: %d %s", again, code, stderr)
		}
	}
	s.must("tenant", "suspend", "--tenant", "acme") // what is lost
	for _, lost := range []string{"store", "secret"} {
		if err := os.RemoveAll(filepath.Join(s.dir, lost)); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(s.dir, lost), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(s.dir, "secret", "local.key")
	for name, given := range map[string]string{"one share": shares[0], "one twice": shares[0] + "\n" + shares[0], "none": ""} {
		if err := (keysRestoreCommand{From: keys, To: file}).restore(strings.NewReader(given), &bytes.Buffer{}); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
	var out bytes.Buffer
	if err := (keysRestoreCommand{From: keys, To: file}).restore(strings.NewReader(shares[2]+"\n\n "+shares[0]+" \n"), &out); err != nil || out.String() != "made "+file+"\n" {
		t.Fatalf("%q, %v", out.String(), err)
	}
	body, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	s.write("store/counterfoil.db", body)
	if code, _, stderr := s.run("tenant", "resume", "--tenant", "acme"); code != exitError || !strings.Contains(stderr, "counterfoil recover") {
		t.Errorf("an older copy is used: %d %s", code, stderr)
	}
	if out := s.must("recover", "--reference", "INCIDENT-1", "--dry-run"); !strings.Contains(out, "acme: has ") {
		t.Errorf("dry run: %q", out)
	}
	if out := s.must("recover", "--reference", "INCIDENT-1"); !strings.Contains(out, "acme: has ") || strings.Contains(out, "again: 1") {
		t.Errorf("recover: %q", out)
	}
	if out := s.must("recover", "--reference", "INCIDENT-1"); !strings.Contains(out, "acme: is as its anchor says") {
		t.Errorf("recover again: %q", out)
	}
	if out := s.must("verify"); !strings.Contains(out, "SOUND tenant=acme") {
		t.Errorf("verify: %q", out)
	}
	if out := s.must("keys", "rotate") + s.must("keys", "rewrap") + s.must("keys", "trim", "--dry-run"); !strings.Contains(out, "acme: versions below 2 end") ||
		!strings.Contains(out, "not yet: ") {
		t.Errorf("the keys: %q", out)
	}
	if code, _, stderr := s.run("keys", "trim", "--now"); code != exitUsage {
		t.Errorf("trimmed on nobody's word: %d %s", code, stderr)
	}
	if out := s.must("keys", "trim", "--now", "--reference", "INCIDENT-2"); !strings.Contains(out, "acme: versions below 2 are destroyed, 0 erasures are final") {
		t.Errorf("trim: %q", out)
	}
	if out := s.must("verify") + s.must("keys", "trim", "--dry-run"); !strings.Contains(out, "acme: nothing ends, no version is older than 2") {
		t.Errorf("after: %q", out)
	}
	v := s.serve()
	var tokenized struct{ Text string }
	gateway := s.issuer.credential("acme", "llm-gateway")
	status, raw, err := callWith(s.client(), "POST", v.url+"/v1/tokenize", gateway, object{"scope": "chat-1", "text": plainText}, &tokenized)
	if err != nil || status != 200 || tokenized.Text == plainText {
		t.Fatalf("it does not serve: %d %s %v", status, raw, err)
	}
	back := object{"scope": "chat-1", "text": tokenized.Text, "reason": object{"code": "LLM_RESPONSE"}}
	if status, raw, err = callWith(s.client(), "POST", v.url+"/v1/detokenize", gateway, back, &tokenized); err != nil || status != 200 || tokenized.Text != plainText {
		t.Errorf("what it keeps does not come back: %d %s %v", status, raw, err)
	}
	v.end()
}
