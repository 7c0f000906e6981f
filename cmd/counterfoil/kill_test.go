package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

type object = map[string]any

// The parts of answers that the journal keeps.
type (
	receipt struct {
		Index    int64  `json:"index"`
		LeafHash string `json:"leaf_hash"`
	}
	tokenized struct {
		Values []string `json:"values"`
		Audit  receipt  `json:"audit"`
	}
	detokenized struct {
		Values []string `json:"values"`
		Audit  receipt  `json:"audit"`
	}
)

// note is one line of the client's journal: what the service acknowledged.
type note struct {
	Kind  string `json:"kind"` // "token" or "value"
	Scope string `json:"scope"`
	Token string `json:"token"`
	Value string `json:"value"`
	Audit receipt
}

// journal is written and synced before the client believes what it was told.
type journal struct {
	mu    sync.Mutex
	file  *os.File
	notes []note
}

func (j *journal) write(n note) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.notes = append(j.notes, n)
	return nil
}

// TestInvariant1And2And15_KillUnderLoad kills the process under load again
// and again. Every token that was acknowledged restores afterwards, every
// value that was received has its entry, and the log verifies.
func TestInvariant1And2And15_KillUnderLoad(t *testing.T) {
	rounds := 20
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		rounds = 200
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	file, err := os.Create(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	book := &journal{file: file}
	checked := 0
	for round := range rounds {
		s := start(t, data)
		checked = checkJournal(t, s, book, checked)
		loadAndKill(t, s, book, round)
	}
	s := start(t, data)
	checkJournal(t, s, book, 0)
	if err := s.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, s.stderr)
	}
	var out, stderr bytes.Buffer
	if code := run(context.Background(), []string{"verify", "--data", data}, &out, &stderr); code != 0 {
		t.Fatalf("verify: %d\n%s%s", code, out.String(), stderr.String())
	}
	t.Logf("%d kills, %d acknowledgements journalled\n%s", rounds, len(book.notes), out.String())
	if len(book.notes) < rounds {
		t.Fatalf("only %d acknowledgements: the load was no load", len(book.notes))
	}
}

// loadAndKill runs clients until the process is killed under them.
func loadAndKill(t *testing.T, s *service, book *journal, round int) {
	t.Helper()
	bearer := credential(t, s.data, "--role", "gateway")
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for client := range 8 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if !oneTurn(t, s, book, bearer, fmt.Sprintf("chat-%d", client), fmt.Sprintf("value %d of %d in %d", n, client, round)) {
					return
				}
			}
		})
	}
	time.Sleep(time.Duration(100+rand.IntN(250)) * time.Millisecond)
	s.kill()
	close(stop)
	clients.Wait()
}

// oneTurn tokenizes and restores one value, and journals what it was told.
// An error means that the process is gone.
func oneTurn(t *testing.T, s *service, book *journal, bearer, scope, value string) bool {
	var made tokenized
	status, raw, err := call("POST", s.url+"/v1/tokenize", bearer, object{
		"scope": scope, "values": []object{{"entity": "PERSON", "value": value}},
	}, &made)
	if err != nil {
		return false
	}
	if status != 200 {
		t.Errorf("tokenize: %d %s", status, raw)
		return false
	}
	if err := book.write(note{"token", scope, made.Values[0], value, made.Audit}); err != nil {
		t.Error(err)
		return false
	}
	var given detokenized
	status, raw, err = call("POST", s.url+"/v1/detokenize", bearer, object{
		"scope": scope, "reason": object{"code": "LLM_RESPONSE"}, "tokens": made.Values,
	}, &given)
	if err != nil {
		return false
	}
	if status != 200 || given.Values[0] != value {
		t.Errorf("detokenize: %d %s", status, raw)
		return false
	}
	if err := book.write(note{"value", scope, made.Values[0], value, given.Audit}); err != nil {
		t.Error(err)
		return false
	}
	return true
}

// checkJournal holds the service to what it acknowledged, from the given line
// of the journal on.
func checkJournal(t *testing.T, s *service, book *journal, from int) int {
	t.Helper()
	// The journal is read from the disk, as after a crash of the client.
	file, err := os.Open(book.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	gateway := credential(t, s.data, "--role", "gateway")
	auditor := credential(t, s.data, "--role", "auditor", "--subject", "ann")
	lines := bufio.NewScanner(file)
	n := 0
	for ; lines.Scan(); n++ {
		if n < from {
			continue
		}
		var told note
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			t.Fatal(err)
		}
		if told.Kind == "token" {
			checkToken(t, s, gateway, told)
		}
		checkEntry(t, s, auditor, told)
	}
	return n
}

func checkToken(t *testing.T, s *service, bearer string, told note) {
	t.Helper()
	var given detokenized
	status, raw, err := call("POST", s.url+"/v1/detokenize", bearer, object{
		"scope": told.Scope, "reason": object{"code": "LLM_RESPONSE"}, "tokens": []string{told.Token},
	}, &given)
	if err != nil || status != 200 || given.Values[0] != told.Value {
		t.Fatalf("an acknowledged token was lost: %v %d %s", err, status, raw)
	}
}

func checkEntry(t *testing.T, s *service, bearer string, told note) {
	t.Helper()
	var got struct {
		LeafHash string `json:"leaf_hash"`
		Entry    struct {
			Kind   string   `json:"kind"`
			Tokens []string `json:"tokens"`
		} `json:"entry"`
	}
	status, raw, err := call("GET", fmt.Sprintf("%s/v1/audit/entries/%d", s.url, told.Audit.Index), bearer, nil, &got)
	if err != nil || status != 200 {
		t.Fatalf("the entry of a receipt is not there: %v %d %s", err, status, raw)
	}
	want := map[string]string{"token": "tokenize", "value": "restore"}[told.Kind]
	// A label token ends in its id, two check characters and a bracket.
	id := told.Token[len(told.Token)-11 : len(told.Token)-3]
	if got.LeafHash != told.Audit.LeafHash || got.Entry.Kind != want || !slices.Contains(got.Entry.Tokens, id) {
		t.Fatalf("the entry of a receipt is another one: %s", raw)
	}
}
