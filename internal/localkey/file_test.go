package localkey_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/counterfoil/counterfoil/internal/localkey"
)

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.key")
	if err := localkey.Create(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("the mode is %v, not 0600", info.Mode())
	}
	before := read(t, path)
	if err := localkey.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Create: %v, not ErrExist", err)
	}
	if read(t, path) != before {
		t.Error("a second Create changed the file")
	}
	onlyFile(t, path)
}

// TestCreateLeavesLinksAlone: a link that leads nowhere is something too.
func TestCreateLeavesLinksAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "local.key")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), path); err != nil {
		t.Fatal(err)
	}
	if err := localkey.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a link: %v, not ErrExist", err)
	}
}

// TestRefusedText opens what Create and Rotate never write. No message may
// quote a key.
func TestRefusedText(t *testing.T) {
	good := readVectors(t).File
	key := "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	for name, text := range map[string]string{
		"empty":              "",
		"not JSON":           "key: " + key + "\n",
		"another format":     replace(t, good, "local-key/1", "local-key/2"),
		"unknown field":      replace(t, good, `"min_version"`, `"note": "x",`+"\n  "+`"min_version"`),
		"unknown key field":  replace(t, good, `"created"`, `"use": "x",`+"\n      "+`"created"`),
		"repeated field":     replace(t, good, `"min_version": 3`, `"min_version": 4,`+"\n  "+`"min_version": 3`),
		"another case":       replace(t, good, `"min_version"`, `"Min_Version"`),
		"another order":      "{" + `"min_version":3,` + strings.TrimPrefix(replace(t, good, ",\n  \"min_version\": 3", ""), "{"),
		"trailing bytes":     good + "x",
		"trailing newline":   good + "\n",
		"second value":       good + good,
		"no last newline":    strings.TrimSuffix(good, "\n"),
		"compact":            strings.NewReplacer("\n", "", " ", "").Replace(good),
		"duplicated version": replace(t, good, `"version": 4`, `"version": 3`),
		"version left out":   replace(t, good, `"version": 4`, `"version": 5`),
		"versions swapped":   replace(t, replace(t, replace(t, good, `"version": 4`, `"version": x`), `"version": 3`, `"version": 4`), `"version": x`, `"version": 3`),
		"version 0":          replace(t, replace(t, replace(t, good, `"version": 3`, `"version": 0`), `"version": 4`, `"version": 1`), `_version": 3`, `_version": 0`),
		"no versions":        "{\n  \"format\": \"counterfoil-local-key/1\",\n  \"versions\": [],\n  \"min_version\": 1\n}\n",
		"minimum below":      replace(t, good, `_version": 3`, `_version": 2`),
		"minimum above":      replace(t, good, `_version": 3`, `_version": 5`),
		"short key":          replace(t, good, key, "AAECAw=="),
		"no key":             replace(t, good, key, ""),
		"key not base64":     replace(t, good, key, strings.Replace(key, "A", "!", 1)),
		"loose base64":       replace(t, good, key, strings.Replace(key, "h8=", "h9=", 1)),
		"key with newline":   replace(t, good, key, key[:8]+`\n`+key[8:]),
		"key is a number":    replace(t, good, `"`+key+`"`, "12345678"),
		"no time":            replace(t, good, "2026-01-02T03:04:05Z", "yesterday"),
		"too large":          good + strings.Repeat(" ", 256<<10),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := localkey.Open(writeFile(t, text))
			if !errors.Is(err, localkey.ErrFile) {
				t.Fatalf("%v, not ErrFile", err)
			}
			if strings.Contains(err.Error(), key[:6]) || strings.Contains(err.Error(), "12345678") {
				t.Errorf("the message quotes the key: %v", err)
			}
		})
	}
}

// TestRefusedCut opens every beginning of a good file.
func TestRefusedCut(t *testing.T) {
	good := readVectors(t).File
	path := writeFile(t, good)
	open(t, path)
	for n := range len(good) {
		if err := os.WriteFile(path, []byte(good[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := localkey.Open(path); !errors.Is(err, localkey.ErrFile) {
			t.Fatalf("the first %d bytes: %v, not ErrFile", n, err)
		}
	}
}

// TestRefusedFile opens files that are not kept as a key must be.
func TestRefusedFile(t *testing.T) {
	good := readVectors(t).File
	for _, mode := range []os.FileMode{0o640, 0o620, 0o604, 0o602, 0o610, 0o601, 0o777} {
		path := writeFile(t, good)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := localkey.Open(path)
		if !errors.Is(err, localkey.ErrFile) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v, not ErrFile with what to do", mode, err)
		}
		if err := os.Chmod(path, 0o600); err != nil { // the twin: only the mode was wrong
			t.Fatal(err)
		}
		open(t, path)
	}
	dir := t.TempDir()
	link, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := os.Symlink(writeFile(t, good), link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, pipe, dir} {
		if _, err := localkey.Open(path); !errors.Is(err, localkey.ErrFile) {
			t.Errorf("%s: %v, not ErrFile", filepath.Base(path), err)
		}
	}
	if _, err := localkey.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, not ErrNotExist", err)
	}
}

// FuzzOpen: what opens was printed by this package, to the byte.
func FuzzOpen(f *testing.F) {
	good := readVectors(f).File
	for _, seed := range []string{good, good[:len(good)/2], good + " ", strings.ReplaceAll(good, "\n", ""), "{}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		again, err := localkey.Reprint(text)
		if err != nil {
			if !errors.Is(err, localkey.ErrFile) {
				t.Fatalf("%v, not ErrFile", err)
			}
			return
		}
		if string(again) != string(text) {
			t.Fatalf("%q was accepted as %q", text, again)
		}
	})
}

func replace(t *testing.T, text, old, with string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the file in testdata has no %s", old)
	}
	return strings.Replace(text, old, with, 1)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// onlyFile fails where a write left something beside the file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("%d files beside %s", len(entries)-1, filepath.Base(path))
	}
}
