package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// policy runs `counterfoil policy ...` in this process.
func policy(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, fault bytes.Buffer
	code = run(t.Context(), append([]string{"policy"}, args...), &out, &fault)
	return code, out.String(), fault.String()
}

// What is wrong with the flags is said before anything is decided, as a wrong use.
func TestPolicyExplainFlags(t *testing.T) {
	good := []string{"explain", "--role", "restorer", "--reason", "CUSTOMER_SUPPORT", "--entity", "PERSON", "--approved", "1"}
	if code, out, fault := policy(t, good...); code != exitOK || !strings.HasPrefix(out, "restorer may restore confidential data (PERSON)") {
		t.Fatalf("%d: %s%s", code, out, fault)
	}
	for _, wrong := range [][]string{
		{"--role", "admin"}, {"--class", "secret"}, {"--end-user", "me"}, {"--place", "mail"}, {"--action", "read"},
		{"--entity", "NAME"}, {"--reason", "FUN"}, {"--at", "today"}, {"--address", "here"}, {"--reason", ""}, {"--attribute", "team"},
	} {
		code, out, fault := policy(t, append(good, wrong...)...)
		if code != exitUsage || out != "" || !strings.Contains(fault, wrong[0][2:]) {
			t.Errorf("%v: %d: %s%s", wrong, code, out, fault)
		}
	}
}

// Each flag of explain reaches the decision: with it, something else comes out.
func TestPolicyExplainReads(t *testing.T) {
	dir := t.TempDir()
	if code, _, fault := policy(t, "pack", "-o", filepath.Join(dir, "p.tar.gz")); code != exitOK {
		t.Fatal(fault)
	}
	support := []string{"explain", "--role", "restorer", "--reason", "CUSTOMER_SUPPORT", "--entity", "PERSON"}
	answer := []string{"explain", "--role", "gateway", "--reason", "LLM_RESPONSE", "--entity", "PERSON"}
	emergency := []string{"explain", "--role", "restorer", "--reason", "BREAK_GLASS", "--entity", "PERSON", "--attribute", "on_call=true", "--mfa"}
	without := func(args []string, n int) []string { return args[: len(args)-n : len(args)-n] }
	marketing := []string{"explain", "--role", "restorer", "--reason", "MARKETING_CONTACT", "--entity", "PERSON"}
	for name, c := range map[string][2][]string{
		"approved":     {append(support, "--approved", "1"), support},
		"class":        {append(support, "--approved", "1"), append(support, "--approved", "1", "--class", "restricted")},
		"held":         {answer, append(answer, "--held")},
		"restricted":   {answer, append(answer, "--restricted")},
		"other client": {answer, append(answer, "--other-client")},
		"end user":     {answer, append(answer, "--end-user", "other")},
		"place":        {answer, append(answer, "--place", "url")},
		"tool":         {answer, append(answer, "--place", "tool", "--tool", "send_mail")},
		"mfa":          {emergency, without(emergency, 1)},
		"attribute":    {emergency, append(without(emergency, 3), "--mfa")},
		"consented":    {append(marketing, "--consented"), marketing},
	} {
		_, allowed, _ := policy(t, c[0]...)
		_, denied, _ := policy(t, c[1]...)
		if strings.Contains(allowed, "may not") || !strings.Contains(denied, "may not") {
			t.Errorf("%s:\n%s%s", name, allowed, denied)
		}
	}
}

// A key is made once, for its owner alone, and under a name that a reader takes.
func TestPolicyKeygen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	code, public, fault := policy(t, "keygen", "policy.example", "-o", path)
	if code != exitOK || !strings.HasPrefix(public, "policy.example+") {
		t.Fatalf("%d: %s%s", code, public, fault)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	before, _ := os.ReadFile(path)
	if code, _, _ := policy(t, "keygen", "policy.example", "-o", path); code != exitError {
		t.Errorf("a second key: %d", code)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the key was replaced")
	}
	if strings.Contains(public, "PRIVATE") {
		t.Error("the private key is printed")
	}
	for _, name := range []string{"a b", "a+b", ""} {
		if code, out, _ := policy(t, "keygen", name, "-o", path+"2"); code == exitOK || out != "" {
			t.Errorf("%q: %d: %s", name, code, out)
		}
	}
}

// A file that cannot be written leaves the one that is there.
func TestPolicyPackReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.tar.gz")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, fault := policy(t, "pack", "-o", path); code != exitOK {
		t.Fatal(fault)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
	if code, _, fault := policy(t, "pack", "-o", filepath.Join(dir, "absent", "p.tar.gz")); code != exitError || fault == "" {
		t.Errorf("%d: %s", code, fault)
	}
}

// Hostile files are refused in plain words by every command that reads one.
func TestPolicyHostile(t *testing.T) {
	dir := t.TempDir()
	var link bytes.Buffer
	w := tar.NewWriter(&link)
	if err := w.WriteHeader(&tar.Header{Name: "policy.csv", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "key")
	_, public, _ := policy(t, "keygen", "policy.example", "-o", key)
	for name, text := range map[string][]byte{"empty": nil, "words": []byte("no policy"), "link": link.Bytes(), "gzip": {0x1f, 0x8b, 8}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"test", "--dir", path}, {"diff", path, path}, {"matrix", "--dir", path}, {"pack", path, "-o", filepath.Join(dir, "out")},
			{"sign", path, "--key", key}, {"verify", path, "--key", strings.TrimSpace(public)},
			{"explain", "--dir", path, "--action", "erase"},
		} {
			if code, out, fault := policy(t, args...); code != exitError || out != "" || !strings.Contains(fault, "the policy bundle is refused") {
				t.Errorf("%s: %v: %d: %s%s", name, args, code, out, fault)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("something was packed")
	}
	for _, list := range []string{"absent", "words"} {
		if code, _, fault := policy(t, "matrix", "--principals", filepath.Join(dir, list)); code != exitError || fault == "" {
			t.Errorf("principals %s: %d: %s", list, code, fault)
		}
	}
}
