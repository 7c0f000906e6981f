package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
)

func TestSoundExport(t *testing.T) {
	m := newLog(t, 1, 20)
	log, newest := put(t, "log.jsonl", m.export()), put(t, "newest", m.newest())
	earlier := put(t, "earlier", m.checkpoints[4])
	key := m.signer.VerifierKey()
	keys := put(t, "keys", []byte(key+"\n"))
	want := "SOUND tenant=acme entries=23 root=" + rootOf(t, m) + " checkpoint=23 first=2026-03-01T08:00:00.12Z last=2026-03-01T08:00:19.12Z\n"
	for name, args := range map[string][]string{
		"key as text": {"--log", log, "--checkpoint", newest, "--key", key},
		"key in file": {"--log", log, "--checkpoint", newest, "--key", keys},
		"earlier too": {"--log", log, "--checkpoint", newest, "--checkpoint", earlier, "--key", key},
	} {
		code, stdout, stderr := command(t, args...)
		if code != exitSound || stdout != want || stderr != "" {
			t.Errorf("%s: %d\n%q\n%q", name, code, stdout, stderr)
		}
	}
}

func rootOf(t *testing.T, m *made) string {
	t.Helper()
	b, err := audit.Frontier{}.Append(m.leaves)
	if err != nil {
		t.Fatal(err)
	}
	return b.Root.String()
}

func TestEmptyLogIsSound(t *testing.T) {
	m := newLog(t, 1, 0)
	root, err := audit.Frontier{}.Root()
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.signer.Sign(audit.TreeHead{Origin: origin, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := command(t, "--log", put(t, "log", nil), "--checkpoint", put(t, "c", c), "--key", m.signer.VerifierKey())
	if code != exitSound || !strings.Contains(stdout, "entries=0 ") || !strings.Contains(stdout, "first=- last=-") {
		t.Errorf("%d %s", code, stdout)
	}
}

func TestInvariant11_FaultyExport(t *testing.T) {
	m := newLog(t, 1, 20)
	export := m.export()
	lines := bytes.SplitAfter(export, []byte("\n"))
	other := newLog(t, 2, 20)
	for name, c := range map[string]struct {
		log        []byte
		checkpoint []byte
		want       string
	}{
		"flipped":          {bytes.Replace(export, []byte("svc-1"), []byte("svc-2"), 1), m.newest(), "FAULT entry 22: root: "},
		"line removed":     {bytes.Join(append(append([][]byte{}, lines[:9]...), lines[10:]...), nil), m.newest(), "checkpoint-behind"},
		"cut":              {bytes.Join(lines[:9], nil), m.newest(), "FAULT entry 9: checkpoint-behind: "},
		"cut in a line":    {export[:len(export)-9], m.newest(), "FAULT entry 22: schema: "},
		"extra entry":      {append(bytes.Clone(export), other.leaves[0]...), m.newest(), "FAULT entry 23: time: "},
		"unsigned tail":    {export, m.checkpoints[5], "unsigned: "},
		"second history":   {other.export(), m.newest(), "FAULT entry 22: root: "},
		"other key":        {export, other.newest(), "FAULT signature: "},
		"not a checkpoint": {export, []byte("x"), "FAULT signature: "},
	} {
		code, stdout, stderr := command(t, "--log", put(t, "log", c.log), "--checkpoint", put(t, "c", c.checkpoint), "--key", m.signer.VerifierKey())
		if code != exitFault || !strings.Contains(stdout, c.want) || strings.Count(stdout, "\n") != 1 || stderr != "" {
			t.Errorf("%s: %d\n%s%s", name, code, stdout, stderr)
		}
	}
}

// The twin: the newest checkpoint of a rewritten log says that all is well; the
// earlier one that the auditor kept is what finds it.
func TestInvariant11_Twin_EarlierCheckpointFindsRewrittenHistory(t *testing.T) {
	m, thief := newLog(t, 1, 20), newLog(t, 1, 20)
	for i := range thief.leaves {
		thief.leaves[i] = bytes.Replace(thief.leaves[i], []byte(`"actor":"svc-1"`), []byte(`"actor":"svc-9"`), 1)
	}
	var f audit.Frontier
	var linked [][]byte
	for _, leaf := range thief.leaves {
		if !bytes.Contains(leaf, []byte(`"parts"`)) {
			linked = append(linked, leaf) // the thief drops what he cannot chain again
		}
	}
	b, err := f.Append(linked)
	if err != nil {
		t.Fatal(err)
	}
	c, err := thief.signer.Sign(audit.TreeHead{Origin: origin, Size: b.Frontier.Size, Root: b.Root})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--log", put(t, "log", append(bytes.Join(linked, []byte("\n")), '\n')), "--checkpoint", put(t, "c", c), "--key", m.signer.VerifierKey()}
	if code, stdout, _ := command(t, args...); code != exitSound {
		t.Fatalf("the forged log alone: %d %s", code, stdout)
	}
	code, stdout, _ := command(t, append(args, "--checkpoint", put(t, "kept", m.checkpoints[2]))...)
	if code != exitFault || !strings.Contains(stdout, "root: ") {
		t.Errorf("%d %s", code, stdout)
	}
}

func TestUsage(t *testing.T) {
	m := newLog(t, 1, 2)
	key := m.signer.VerifierKey()
	log, c := put(t, "log", m.export()), put(t, "c", m.newest())
	empty := put(t, "empty", nil)
	other, err := audit.NewSigner("counterfoil.local/log/globex", make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	two := put(t, "two", []byte(key+"\n"+other.VerifierKey()+"\n"))
	for name, args := range map[string][]string{
		"nothing":            {},
		"unknown flag":       {"--logs", log},
		"argument":           {"--log", log, "--checkpoint", c, "--key", key, "more"},
		"log and url":        {"--log", log, "--url", "https://x", "--checkpoint", c, "--key", key},
		"log and tiles":      {"--log", log, "--tiles", ".", "--checkpoint", c, "--key", key},
		"bundle and tiles":   {"--bundle", log, "--tiles", ".", "--key", key},
		"bearer with bundle": {"--bundle", log, "--key", key, "--bearer-file", c},
		"no key":             {"--log", log, "--checkpoint", c},
		"no checkpoint":      {"--log", log, "--key", key},
		"bearer with log":    {"--log", log, "--checkpoint", c, "--key", key, "--bearer-file", c},
		"url without bearer": {"--url", "https://x", "--key", key},
		"plain http":         {"--url", "http://counterfoil.example", "--key", key, "--bearer-file", c},
		"other scheme":       {"--url", "ftp://127.0.0.1", "--key", key, "--bearer-file", c},
		"credentials in url": {"--url", "https://a:b@x", "--key", key, "--bearer-file", c},
		"no url":             {"--url", "::", "--key", key, "--bearer-file", c},
		"empty key file":     {"--log", log, "--checkpoint", c, "--key", empty},
		"not a key in file":  {"--log", log, "--checkpoint", c, "--key", c},
		"keys of two logs":   {"--log", log, "--checkpoint", c, "--key", two},
	} {
		if code, stdout, stderr := command(t, args...); code != exitUsage || stdout != "" || stderr == "" {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
	}
	if code, _, stderr := command(t, "--help"); code != exitSound || !strings.Contains(stderr, "-checkpoint") {
		t.Errorf("help: %d %s", code, stderr)
	}
}

func TestUnreadable(t *testing.T) {
	m := newLog(t, 1, 2)
	key := m.signer.VerifierKey()
	log, c := put(t, "log", m.export()), put(t, "c", m.newest())
	for name, args := range map[string][]string{
		"no log":         {"--log", log + "x", "--checkpoint", c, "--key", key},
		"log is a dir":   {"--log", t.TempDir(), "--checkpoint", c, "--key", key},
		"no checkpoint":  {"--log", log, "--checkpoint", c + "x", "--key", key},
		"no bundle":      {"--bundle", log + "x", "--key", key},
		"no receipt":     {"--tiles", ".", "--key", key, "--receipt", c + "x"},
		"no handover":    {"--tiles", ".", "--key", key, "--handover", c + "x"},
		"no since":       {"--tiles", ".", "--key", key, "--since", c + "x"},
		"no key":         {"--log", log, "--checkpoint", c, "--key", c + "x"},
		"huge file":      {"--log", log, "--checkpoint", put(t, "huge", make([]byte, audit.MaxCheckpoint+1)), "--key", key},
		"no bearer file": {"--url", "http://127.0.0.1:1", "--bearer-file", c + "x", "--key", key},
	} {
		if code, stdout, stderr := command(t, args...); code != exitUnreadable || stdout != "" || stderr == "" {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
	}
}
