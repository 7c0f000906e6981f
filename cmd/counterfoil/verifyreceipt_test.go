package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// madeReceipt is the receipt of an erasure that is the only entry of a log.
func madeReceipt(t *testing.T, erased int) (receipt, key string) {
	t.Helper()
	signer, err := audit.NewSigner("vault.example/log/acme", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	leaves, err := audit.Finalise([]audit.Entry{{
		Tenant: "acme", Kind: audit.KindErase, ChangeID: "r7", Decision: audit.Allow, Reference: "DSAR-7",
		Obligations: []string{"identity:in_person"}, Counts: map[string]int{"erased": 1, "keys": 1},
	}}, at)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := audit.Frontier{}.Append(leaves)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := signer.Sign(audit.TreeHead{Origin: signer.Origin(), Size: 1, Root: batch.Root})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"audience": "internal", "request_id": "r7", "kind": "erasure", "status": "completed", "reference": "DSAR-7",
		"identity": map[string]string{"method": "in_person"}, "erased_at": at, "completed_at": at,
		"counts": map[string]int{"erased": erased, "keys": 1}, "methods": []string{"key_destroyed"}, "entry": string(leaves[0]),
		"proof": audit.Receipt{
			Log: signer.Origin(), LeafHash: batch.Leaves[0], TreeSize: 1, RootHash: batch.Root, Proof: []audit.Hash{}, Checkpoint: string(checkpoint),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, string(text)), signer.VerifierKey()
}

// TestVerifyReceiptExitCodes: what is proven, what is false, what was asked in
// the wrong way and what could not be read are told apart.
func TestVerifyReceiptExitCodes(t *testing.T) {
	sound, key := madeReceipt(t, 1)
	wrong, _ := madeReceipt(t, 2)
	keys := write(t, key+"\n")
	comma := filepath.Join(t.TempDir(), "DSAR-7, Doe.json")
	if err := os.Rename(sound, comma); err != nil {
		t.Fatal(err)
	}
	sound = comma
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"sound":          {[]string{"--receipt", sound, "--log-key", key}, exitOK, "request=r7 reference=DSAR-7 erased_at=2026-03-01T09:00:00.000000Z erased=1 "},
		"a file of it":   {[]string{"--receipt", sound, "--log-key", keys}, exitOK, "PROVED tenant=acme entry=0 size=1 "},
		"one of two":     {[]string{"--receipt", sound, "--receipt", wrong, "--log-key", key}, exitError, "counts.erased"},
		"no receipt":     {[]string{"--receipt", keys, "--log-key", key}, exitError, "schema"},
		"no key":         {[]string{"--receipt", sound}, exitUsage, "go together"},
		"a key alone":    {[]string{"--data", t.TempDir(), "--log-key", key}, exitUsage, "go together"},
		"what is none":   {[]string{"--receipt", sound, "--log-key", "jane.doe@example.com"}, exitUsage, "neither a verifier key nor a file"},
		"a file of none": {[]string{"--receipt", sound, "--log-key", sound}, exitUsage, "--log-key"},
		"an empty file":  {[]string{"--receipt", sound, "--log-key", write(t, "")}, exitUsage, "no verifier key"},
		"with a folder":  {[]string{"--receipt", sound, "--log-key", key, "--data", t.TempDir()}, exitUsage, "can't be used together"},
		"no file":        {[]string{"--receipt", filepath.Join(t.TempDir(), "none"), "--log-key", key}, exitUnread, "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"verify"}, c.args...), &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String()+stderr.String(), c.says) || strings.Contains(stderr.String(), "jane") {
			t.Errorf("%s: exit %d: %s%s", name, code, stdout.String(), stderr.String())
		}
	}
}
