package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// maxResident is what the process may ever have had in memory: the limit of
// bodies in flight (128 MiB), some copies of each, and the runtime's slack.
const maxResident = 1 << 30

// hostile are texts of a megabyte that look for the slow path of something.
func hostile() map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, (1<<20)/len(unit)) }
	return map[string]string{
		"at signs":        fill("@"),
		"almost mail":     fill("a@a."),
		"one long mail":   fill("a") + "@example.com",
		"digits":          fill("4111 "),
		"one number":      fill("1"),
		"plus":            fill("+1 (2"),
		"dots":            fill("1.2.3."),
		"colons":          fill("fe80::"),
		"pem":             fill("-----BEGIN PRIVATE KEY-----\n"),
		"brackets":        fill("["),
		"near tokens":     fill("[PERSON_7K3QX9M2Z] "),
		"near opaque":     fill("tok_0123456789abcdef"),
		"labels":          fill("PERSON_"),
		"spread token":    fill("P E R S O N _ 7 K 3 "),
		"escapes":         fill("\\_"),
		"percent":         fill("%5BPERSON"),
		"wide":            fill("［PERSON＿"),
		"combining":       fill("e\u0301\u200b"),
		"links":           fill("](http://"),
		"tags":            fill("<a href=\""),
		"ibans":           fill("DE89 3704 "),
		"zero width":      fill("\u200b"),
		"right to left":   fill("\u202e1"),
		"four byte runes": fill("𝟜"),
	}
}

// TestInvariant17_HostileTexts: each is served or refused within the named
// limits, and the memory of the process stays bounded.
func TestInvariant17_HostileTexts(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"))
	gateway := credential(t, s.data, "--role", "gateway")
	var group sync.WaitGroup
	slots := make(chan struct{}, 4)
	for name, text := range hostile() {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if len(text) > 1<<20 {
				text = text[len(text)-1<<20:]
			}
			began := time.Now()
			status, raw, err := call("POST", s.url+"/v1/tokenize", gateway, object{"scope": "h-" + strings.ReplaceAll(name, " ", "-"), "text": text}, nil)
			if err != nil || (status != 200 && status != 422) {
				t.Errorf("%s: tokenize: %d %v %.300s", name, status, err, raw)
			}
			took := time.Since(began)
			began = time.Now()
			status, raw, err = call("POST", s.url+"/v1/detokenize", gateway, object{
				"scope": "h", "reason": object{"code": "LLM_RESPONSE"}, "text": text,
			}, nil)
			if err != nil || (status != 200 && status != 403) {
				t.Errorf("%s: detokenize: %d %v %.300s", name, status, err, raw)
			}
			t.Logf("%-16s tokenize %v, detokenize %v", name, took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		})
	}
	group.Wait()
	checkResident(t, s)
}

// TestInvariant17_Sizes: what is at a limit is served, what is over it is
// refused, and the answer names the limit.
func TestInvariant17_Sizes(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"))
	gateway := credential(t, s.data, "--role", "gateway")
	values := func(n int) []object {
		out := make([]object, n)
		for i := range out {
			out[i] = object{"entity": "PERSON", "value": fmt.Sprintf("person %d", i)}
		}
		return out
	}
	var made tokenized
	status, raw, err := call("POST", s.url+"/v1/tokenize", gateway, object{"scope": "big", "values": values(10_000)}, &made)
	if err != nil || status != 200 || len(made.Values) != 10_000 {
		t.Fatalf("10,000 values: %d %v %.300s", status, err, raw)
	}
	legal := credential(t, s.data, "--role", "legal", "--subject", "lex")
	matter := object{"scope": "big", "reason": object{"code": "LEGAL_DISCOVERY", "reference": "MATTER-7"}, "tokens": made.Values}
	var asked struct{ ID string }
	if status, raw, err = call("POST", s.url+"/v1/restorations", legal, matter, &asked); err != nil || status != 202 {
		t.Fatalf("10,000 tokens are asked for: %d %v %.300s", status, err, raw)
	}
	anna := credential(t, s.data, "--role", "approver", "--subject", "anna")
	if status, raw, err = call("POST", s.url+"/v1/restorations/"+asked.ID+"/approvals", anna, object{"decision": "approve"}, nil); err != nil || status != 200 {
		t.Fatalf("10,000 tokens are approved: %d %v %.300s", status, err, raw)
	}
	var given detokenized
	status, raw, err = call("POST", s.url+"/v1/restorations/"+asked.ID+"/redeem", legal, matter, &given)
	if err != nil || status != 200 || given.Values[9_999] != "person 9999" {
		t.Fatalf("10,000 tokens: %d %v %.300s", status, err, raw)
	}
	for name, c := range map[string]struct {
		body   any
		status int
	}{
		"10,001 values":   {object{"scope": "big", "values": values(10_001)}, 413},
		"a text over":     {object{"scope": "big", "text": strings.Repeat("x", 1<<20+1)}, 413},
		"a body over":     {object{"scope": "big", "text": strings.Repeat("x", 5<<20)}, 413},
		"a value over":    {object{"scope": "big", "values": []object{{"entity": "PERSON", "value": strings.Repeat("x", 16<<10+1)}}}, 413},
		"501 for an LLM":  {object{"scope": "big", "reason": object{"code": "LLM_RESPONSE"}, "tokens": made.Values[:501]}, 403},
		"a name too long": {object{"scope": strings.Repeat("x", 257), "text": "x"}, 422},
	} {
		path := "/v1/tokenize"
		if c.body.(object)["tokens"] != nil {
			path = "/v1/detokenize"
		}
		status, raw, err := call("POST", s.url+path, gateway, c.body, nil)
		if err != nil || status != c.status {
			t.Errorf("%s: %d %v, want %d: %.300s", name, status, err, c.status, raw)
		}
	}
	checkResident(t, s)
}

// checkResident reads the most that the process ever had in memory.
func checkResident(t *testing.T, s *service) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skipf("the memory of a process cannot be read here: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil || kib<<10 > maxResident {
				t.Fatalf("the process had %d MiB in memory (%v)", kib>>10, err)
			}
			t.Logf("at most %d MiB in memory", kib>>10)
		}
	}
}

// TestDrain: SIGTERM under load. What was accepted is answered, nothing after
// it is, and the log verifies with its stop.
func TestDrain(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"))
	gateway := credential(t, s.data, "--role", "gateway")
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for n := 0; ; n++ {
				status, raw, err := call("POST", s.url+"/v1/tokenize", gateway, object{
					"scope": fmt.Sprintf("chat-%d", client), "text": fmt.Sprintf("mail user%d@example.com", n),
				}, nil)
				if err != nil {
					return // the listener is closed
				}
				if status != 200 {
					t.Errorf("%d %s", status, raw)
					return
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	clients.Wait()
	if <-s.done; s.ended != nil {
		t.Fatalf("the process did not end well: %v\n%s", s.ended, s.stderr)
	}
	if results, err := verifyFolder(s.data); err != nil || results == 0 {
		t.Fatalf("verify: %d %v", results, err)
	}
}
