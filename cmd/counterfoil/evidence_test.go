package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

const acmeOrigin = "vault.example/log/acme"

// chronicle is a log of restorations that a test writes itself, and a service that
// shows it, so that it can lie.
type chronicle struct {
	signer     *audit.Signer
	leaves     [][]byte
	batch      *audit.Batch
	checkpoint []byte
	change     func(index int, row map[string]any) // of an entry before it is sent
	controls   []map[string]any
}

// newChronicle has a restoration a minute, for two reasons.
func newChronicle(t *testing.T, entries int) *chronicle {
	t.Helper()
	signer, err := audit.NewSigner(acmeOrigin, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	c := &chronicle{signer: signer}
	for n := range entries {
		reason := "LLM_RESPONSE"
		if n%3 == 0 {
			reason = "CUSTOMER_SUPPORT"
		}
		leaves, err := audit.Finalise([]audit.Entry{{
			Tenant: "acme", Kind: audit.KindRestore, ChangeID: fmt.Sprintf("c%d", n), Actor: "gw-1", Client: audit.Client{ClientID: "gw-1"},
			Channel: "api", Decision: audit.Allow, Reason: reason, PolicyVersion: "5a5a5a5a", RuleIDs: []string{"chat"}, Obligations: []string{"form:full"},
			Tokens: []string{"7K3QX9M2"}, Entities: map[string]int{"PERSON": 1}, ScopeRefs: []string{"aaaaaaaa"}, Environment: "test", Replica: "cf-0",
		}}, time.Date(2026, 3, 1, 9, n, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		c.leaves = append(c.leaves, leaves...)
	}
	if c.batch, err = (audit.Frontier{}).Append(c.leaves); err != nil {
		t.Fatal(err)
	}
	if c.checkpoint, err = signer.Sign(audit.TreeHead{Origin: acmeOrigin, Size: int64(entries), Root: c.batch.Root}); err != nil {
		t.Fatal(err)
	}
	return c
}

// bundle writes the log as evidence without tables.
func (c *chronicle) bundle(t *testing.T) string {
	t.Helper()
	files := map[string][]byte{
		"log/checkpoint": c.checkpoint, "log/keys": []byte(c.signer.VerifierKey() + "\n"),
		"log/entries/000000.jsonl": append(bytes.Join(c.leaves, []byte("\n")), '\n'),
	}
	var body strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		fmt.Fprintf(&body, "%s  %d  %s\n", hex.EncodeToString(sum[:]), len(files[name]), name)
	}
	manifest, err := audit.SignStatement(audit.Statement{Title: audit.TitleEvidence, Origin: acmeOrigin, Body: body.String()}, c.signer)
	if err != nil {
		t.Fatal(err)
	}
	files["manifest"] = manifest
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Format: tar.FormatUSTAR, ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, b.String())
}

// serve shows the log as the service does, in pages of three.
func (c *chronicle) serve(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any
		switch r.URL.Path {
		case "/v1/audit/checkpoint":
			_, _ = w.Write(c.checkpoint)
			return
		case "/v1/audit/keys":
			answer = map[string]any{"keys": []any{map[string]any{"version": 1, "key": c.signer.VerifierKey()}}}
		case "/v1/audit/search":
			answer = c.page(t, r)
		case "/v1/controls", "/v1/controls/check":
			answer = map[string]any{"controls": c.controls}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (c *chronicle) page(t *testing.T, r *http.Request) any {
	var asked struct{ Cursor string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		t.Error(err)
	}
	first, _ := strconv.Atoi(asked.Cursor)
	last := min(first+3, len(c.leaves))
	rows, cursor := []any{}, ""
	for i := first; i < last; i++ {
		row := map[string]any{"index": i, "leaf_hash": c.batch.Leaves[i], "entry": json.RawMessage(c.leaves[i])}
		if c.change != nil {
			c.change(i, row)
		}
		rows = append(rows, row)
	}
	if last < len(c.leaves) {
		cursor = strconv.Itoa(last)
	}
	return map[string]any{"entries": rows, "next_cursor": cursor}
}

// drawing runs a command of a quarter, and returns what it printed.
func drawing(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"evidence"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

var ofQuarter = []string{"--kind", "restorations", "--from", "2026-01-01", "--to", "2026-04-01"}

// TestAPopulationIsTheSameOnlineAndOffline: of one log the same items, digest and
// sample come out, whichever way it is read and in whatever form.
func TestAPopulationIsTheSameOnlineAndOffline(t *testing.T) {
	c := newChronicle(t, 10)
	bearer := write(t, "token")
	online := append(slices.Clone(ofQuarter), "--url", c.serve(t), "--bearer-file", bearer, "--key", c.signer.VerifierKey())
	offline := append(slices.Clone(ofQuarter), "--bundle", c.bundle(t), "--key", c.signer.VerifierKey())
	for _, args := range [][]string{
		{"population"}, {"population", "--by", "reason"}, {"population", "--reason", "CUSTOMER_SUPPORT", "--format", "json"}, {"population", "--format", "csv"},
		{"sample", "--size", "4", "--seed", "2026-Q1"}, {"sample", "--size", "4", "--seed", "2026-Q1", "--format", "json"}, {"sample", "--size", "40", "--seed", "x", "--format", "csv"},
	} {
		code, one, stderr := drawing(t, append(args, online...)...)
		other, two, _ := drawing(t, append(args, offline...)...)
		if code != exitOK || other != exitOK || one != two || one == "" {
			t.Errorf("%v: %d %s\n%s\n%d\n%s", args, code, stderr, one, other, two)
		}
	}
	_, text, _ := drawing(t, append([]string{"population", "--by", "reason"}, offline...)...)
	for _, line := range []string{"items     10\n", "LLM_RESPONSE      6\n", "CUSTOMER_SUPPORT  4\n", "entries   0 to 10 (exclusive)\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

// The proofs of a sample are receipts that the verifier takes.
func TestTheProofsOfASampleAreReceipts(t *testing.T) {
	c := newChronicle(t, 10)
	dir := t.TempDir()
	out, proofs := filepath.Join(dir, "sample.json"), filepath.Join(dir, "receipts")
	args := append([]string{"sample", "--size", "4", "--seed", "s", "--format", "json", "--bundle", c.bundle(t), "--out", out, "--receipts", proofs}, ofQuarter...)
	if code, _, stderr := drawing(t, args...); code != exitOK || !strings.Contains(stderr, "only that it is whole") {
		t.Fatalf("%d: %s", code, stderr)
	}
	text, err := os.ReadFile(proofs)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d receipts", len(lines))
	}
	for _, line := range lines {
		var r audit.Receipt
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Verify(c.signer.VerifierKey()) != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	var sample struct {
		Draws []struct{ Receipt audit.Receipt }
	}
	if text, err = os.ReadFile(out); err != nil || json.Unmarshal(text, &sample) != nil || len(sample.Draws) != 4 {
		t.Fatalf("%v: %s", err, text)
	}
	code, said, stderr := verifying(t, "--bundle", c.bundle(t), "--log-key", c.signer.VerifierKey(), "--receipt", proofs)
	if code != exitOK || !strings.HasPrefix(said, "SOUND tenant=acme entries=10 ") {
		t.Errorf("%d %s%s", code, said, stderr)
	}
}

// TestInvariant11_TwinAServiceThatLiesGivesNoNumbers: an entry that is left out,
// changed, moved or invented leads to no signed root, and so to no population.
func TestInvariant11_TwinAServiceThatLiesGivesNoNumbers(t *testing.T) {
	bearer := write(t, "token")
	other := newChronicle(t, 11)
	for name, lie := range map[string]func(c *chronicle){
		"an entry is left out": func(c *chronicle) { c.leaves = c.leaves[:9] },
		"an entry is changed": func(c *chronicle) {
			c.change = func(index int, row map[string]any) {
				if index == 4 {
					row["entry"], row["leaf_hash"] = json.RawMessage(other.leaves[10]), other.batch.Leaves[10]
				}
			}
		},
		"an entry is not its hash": func(c *chronicle) {
			c.change = func(index int, row map[string]any) {
				if index == 4 {
					row["entry"] = json.RawMessage(c.leaves[5])
				}
			}
		},
		"an index is changed": func(c *chronicle) { c.change = func(index int, row map[string]any) { row["index"] = index ^ 1 } },
		"one is said to be pruned": func(c *chronicle) {
			c.change = func(index int, row map[string]any) {
				if index == 4 {
					delete(row, "entry")
					row["pruned"] = true
				}
			}
		},
		"nothing": func(*chronicle) {},
	} {
		c := newChronicle(t, 10)
		lie(c)
		args := append([]string{"population", "--url", c.serve(t), "--bearer-file", bearer, "--key", c.signer.VerifierKey()}, ofQuarter...)
		if code, stdout, stderr := drawing(t, args...); (code == exitOK) != (name == "nothing") || code != exitOK && stdout != "" {
			t.Errorf("%s: %d %s%s", name, code, stdout, stderr)
		}
	}
}

// A bundle of which a bit is another gives no numbers either, nor one of another key.
func TestInvariant11_TwinABundleThatIsChangedGivesNoNumbers(t *testing.T) {
	c := newChronicle(t, 10)
	path := c.bundle(t)
	args := append([]string{"population", "--bundle", path}, ofQuarter...)
	if code, _, stderr := drawing(t, append(args, "--key", madeKey(t))...); code != exitError || !strings.Contains(stderr, "signature") {
		t.Errorf("another key: %d %s", code, stderr)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte("CUSTOMER_SUPPORT"), []byte("CUSTOMER_SUPPORS"), 1)
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := drawing(t, args...); code != exitError || stdout != "" {
		t.Errorf("a bit: %d %s", code, stdout)
	}
}

func madeKey(t *testing.T) string {
	t.Helper()
	signer, err := audit.NewSigner(acmeOrigin, bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return signer.VerifierKey()
}

func TestEvidenceUsage(t *testing.T) {
	c := newChronicle(t, 1)
	bundle := c.bundle(t)
	for name, args := range map[string][]string{
		"neither":          append([]string{"population"}, ofQuarter...),
		"no credential":    append([]string{"population", "--url", "https://x"}, ofQuarter...),
		"no kind":          {"population", "--from", "2026-01-01", "--to", "2026-04-01", "--bundle", bundle},
		"another kind":     {"population", "--kind", "people", "--from", "2026-01-01", "--to", "2026-04-01", "--bundle", bundle},
		"no time":          {"population", "--kind", "keys", "--from", "January", "--to", "2026-04-01", "--bundle", bundle},
		"a period of none": {"population", "--kind", "keys", "--from", "2026-04-01", "--to", "2026-04-01", "--bundle", bundle},
		"a part of a second": {
			"population", "--kind", "keys", "--from", "2026-01-01T00:00:00.5Z", "--to", "2026-04-01", "--bundle", bundle,
		},
		"counted CSV":  append([]string{"population", "--by", "reason", "--format", "csv", "--bundle", bundle}, ofQuarter...),
		"no seed":      append([]string{"sample", "--size", "1", "--bundle", bundle}, ofQuarter...),
		"a bad key":    append([]string{"population", "--bundle", bundle, "--key", "jane.doe@example.com"}, ofQuarter...),
		"out is there": {"export", "--from", "2026-01-01", "--to", "2026-04-01", "--url", "https://x", "--bearer-file", bundle, "--out", bundle},
	} {
		if code, stdout, stderr := drawing(t, args...); code != exitUsage || stdout != "" || strings.Contains(stderr, "jane") {
			t.Errorf("%s: %d %s%s", name, code, stdout, stderr)
		}
	}
}

// TestControlsExitCodes: whatever asks may go by the exit code.
func TestControlsExitCodes(t *testing.T) {
	c := newChronicle(t, 1)
	bearer := write(t, "token")
	control := func(id, result string) map[string]any {
		return map[string]any{
			"id": id, "title": "T", "query": "Q", "frequency": "daily", "clauses": []string{"CC6.1"}, "result": result,
			"population": 9, "exceptions": 7, "entries": []int{1, 2, 3, 4, 5, 6, 7},
		}
	}
	for name, one := range map[string]struct {
		controls []map[string]any
		code     int
		says     string
	}{
		"none fails": {[]map[string]any{control("access", "pass"), control("keys", "partial"), control("holds", "not_tested")}, exitOK, "access"},
		"one fails":  {[]map[string]any{control("access", "pass"), control("keys", "fail")}, exitError, "controls that fail: keys"},
		"never":      {[]map[string]any{control("access", "")}, exitOK, "access   -       9           7           1,2,3,4,5,...  daily      T"},
	} {
		c.controls = one.controls
		for _, command := range []string{"list", "check"} {
			var out, stderr bytes.Buffer
			args := []string{"controls", command, "--url", c.serve(t), "--bearer-file", bearer, "--log-key", c.signer.VerifierKey()}
			if code := run(context.Background(), args, &out, &stderr); code != one.code || !strings.Contains(out.String()+stderr.String(), one.says) {
				t.Errorf("%s %s: %d\n%s%s", name, command, code, out.String(), stderr.String())
			}
		}
	}
}
