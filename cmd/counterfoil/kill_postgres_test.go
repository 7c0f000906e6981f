//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// plain has the site serve without TLS, on the loopback interface: what is
// shown here is not the transport, and 200 processes make as many handshakes.
func (p production) plain() production {
	p.t.Helper()
	text, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(filepath.Base(p.file), []byte(strings.Replace(string(text), "tls: {cert: tls.crt, key: tls.key}\n", "", 1)))
	return p
}

// process starts `counterfoil serve`, the built binary, and waits until it says
// that it serves.
func (p production) process() *service {
	p.t.Helper()
	log := &serveLog{serving: make(chan struct{})}
	s := &service{t: p.t, stderr: &log.syncBuffer, done: make(chan struct{})}
	s.cmd = exec.Command(builtBinary(p.t), "serve", "--config", p.file)
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		s.ended = s.cmd.Wait()
		close(s.done)
	}()
	p.t.Cleanup(s.kill)
	select {
	case <-log.serving:
	case <-s.done:
		p.t.Fatalf("the service ended: %v\n%s", s.ended, log.String())
	}
	s.url = "http://" + log.line("serving")["listen"].(string)
	return s
}

// TestInvariant1And2And15_KillUnderLoadOnPostgres is the loop of
// TestInvariant1And2And15_KillUnderLoad on PostgreSQL and transit: the process
// is killed under load again and again, what its database was doing for it goes
// on or ends by itself, and the next process finds everything that was
// acknowledged.
func TestInvariant1And2And15_KillUnderLoadOnPostgres(t *testing.T) {
	rounds := 20
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		rounds = 200
	}
	p := newProduction(t).plain()
	p.ready()
	file, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	book := &journal{file: file}
	gateway := p.issuer.credential("acme", "llm-gateway")
	checked := 0
	for round := range rounds {
		s := p.process()
		checked = p.checkJournal(s, book, checked)
		killUnderLoad(t, s, book, gateway, round)
	}
	s := p.process()
	p.checkJournal(s, book, 0)
	if err := s.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, s.stderr)
	}
	if out := p.must("verify"); strings.Count(out, "SOUND") != 2 {
		t.Errorf("verify: %s", out)
	}
	t.Logf("%d kills, %d acknowledgements journalled", rounds, len(book.notes))
	if len(book.notes) < rounds {
		t.Fatalf("only %d acknowledgements: the load was no load", len(book.notes))
	}
	p.findsForgeries(book)
}

// killUnderLoad runs clients until the process is killed under them.
func killUnderLoad(t *testing.T, s *service, book *journal, bearer string, round int) {
	t.Helper()
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			scope := fmt.Sprintf("chat-%d-%d", client, round%7)
			for n := 0; oneTurn(t, s, book, bearer, scope, fmt.Sprintf("value %d of %d in %d", n, client, round)); n++ {
			}
		})
	}
	time.Sleep(time.Duration(100+rand.IntN(250)) * time.Millisecond)
	s.kill()
	clients.Wait()
}

// checkJournal holds a process to what was acknowledged from the given line of
// the journal on, which is read from the disk as after a crash of the client.
func (p production) checkJournal(s *service, book *journal, from int) int {
	p.t.Helper()
	file, err := os.Open(book.file.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var notes []note
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var told note
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			p.t.Fatal(err)
		}
		notes = append(notes, told)
	}
	for _, fault := range p.faultsOf(s, notes[from:]) {
		p.t.Fatal(fault)
	}
	return len(notes)
}

// faultsOf says which tokens are lost, and which answers have no entry of their
// own. Many are asked for at a time, so that 200 rounds do not take an hour.
func (p production) faultsOf(s *service, notes []note) (faults []string) {
	p.t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	entries := p.entries(s)
	byScope := make(map[string][]note)
	for _, told := range notes {
		want := map[string]string{"token": "tokenize", "value": "restore"}[told.Kind]
		// A label token ends in its id, two check characters and a bracket.
		id := told.Token[len(told.Token)-11 : len(told.Token)-3]
		got := entries[told.Audit.Index]
		if got.LeafHash != told.Audit.LeafHash || got.Entry.Kind != want || !slices.Contains(got.Entry.Tokens, id) {
			fault("the entry %d of a receipt is another one, or none", told.Audit.Index)
		}
		if told.Kind == "token" {
			byScope[told.Scope] = append(byScope[told.Scope], told)
		}
	}
	const together = 100
	gateway := p.issuer.credential("acme", "llm-gateway")
	for scope, all := range byScope {
		for some := range slices.Chunk(all, together) {
			var tokens []string
			for _, told := range some {
				tokens = append(tokens, told.Token)
			}
			var given detokenized
			status, raw, err := call("POST", s.url+"/v1/detokenize", gateway, object{
				"scope": scope, "reason": object{"code": "LLM_RESPONSE"}, "tokens": tokens,
			}, &given)
			if err != nil || status != 200 || len(given.Values) != len(some) {
				fault("detokenize: %v %d %s", err, status, raw)
				continue
			}
			for i, told := range some {
				if given.Values[i] != told.Value {
					fault("an acknowledged token was lost")
				}
			}
		}
	}
	return faults
}

// recorded is an entry as the API gives it.
type recorded struct {
	Index    int64  `json:"index"`
	LeafHash string `json:"leaf_hash"`
	Entry    struct {
		Kind   string   `json:"kind"`
		Tokens []string `json:"tokens"`
	} `json:"entry"`
}

// entries reads the whole log, as an auditor.
func (p production) entries(s *service) map[int64]recorded {
	p.t.Helper()
	auditor := p.issuer.credential("acme", "audit")
	found := make(map[int64]recorded)
	for query := "?limit=1000&order=asc"; ; {
		var page struct {
			Entries []recorded `json:"entries"`
			Next    string     `json:"next_cursor"`
		}
		status, raw, err := call("GET", s.url+"/v1/audit/entries"+query, auditor, nil, &page)
		if err != nil || status != 200 {
			p.t.Fatalf("entries: %v %d %s", err, status, raw)
		}
		for _, e := range page.Entries {
			found[e.Index] = e
		}
		if page.Next == "" {
			return found
		}
		query = "?limit=1000&order=asc&cursor=" + page.Next
	}
}

// findsForgeries is the twin: acknowledgements that nobody gave are found.
func (p production) findsForgeries(book *journal) {
	p.t.Helper()
	s := p.process()
	good := book.notes[0]
	value, entry, token := good, good, good
	value.Value = "another"
	entry.Audit.Index++
	token.Token = book.notes[len(book.notes)-1].Token
	for name, forged := range map[string]note{"a value": value, "an entry": entry, "a token": token} {
		if len(p.faultsOf(s, []note{forged})) == 0 {
			p.t.Errorf("twin: %s that was never acknowledged is not found", name)
		}
	}
}
