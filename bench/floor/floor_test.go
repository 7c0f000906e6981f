package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// childOf has this test binary be the program: its value is what wraps the store.
const childOf = "COUNTERFOIL_FLOOR_CHILD"

func TestMain(m *testing.M) {
	if wrap := os.Getenv(childOf); wrap != "" {
		os.Exit(child(wrap))
	}
	os.Exit(pgtest.Main(m).Run())
}

// backend is one of the two databases, and another connection to it.
type backend struct {
	name  string
	flags []string
	store func(*testing.T) store
	// rows counts the mappings and records that others see.
	rows func(*testing.T) (mappings, records int)
}

const countRows = `SELECT (SELECT count(*) FROM %[1]smappings), (SELECT count(*) FROM %[1]srecords)`

func backends(t *testing.T) []backend {
	dsn := pgtest.New(t).Admin
	path := filepath.Join(t.TempDir(), "floor.db")
	return []backend{
		{
			name: "postgres", flags: []string{"-postgres", dsn},
			store: func(t *testing.T) store {
				s, err := openPostgres(t.Context(), dsn)
				return opened(t, s, err)
			},
			rows: func(t *testing.T) (mappings, records int) {
				conn, err := pgx.Connect(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
				if err := conn.QueryRow(t.Context(), fmt.Sprintf(countRows, "floor.")).Scan(&mappings, &records); err != nil {
					t.Fatal(err)
				}
				return mappings, records
			},
		},
		{
			name: "sqlite", flags: []string{"-sqlite", path},
			store: func(t *testing.T) store {
				s, err := openSQLite(t.Context(), path)
				return opened(t, s, err)
			},
			rows: func(t *testing.T) (mappings, records int) {
				db, err := sql.Open("sqlite", path)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = db.Close() }()
				if err := db.QueryRowContext(t.Context(), fmt.Sprintf(countRows, "")).Scan(&mappings, &records); err != nil {
					t.Fatal(err)
				}
				return mappings, records
			},
		},
	}
}

func opened(t *testing.T, s store, err error) store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// served serves a store as the program does, and returns its address.
func served(t *testing.T, s store, workers int) string {
	g := newGroup(s, workers)
	server := httptest.NewServer(handler(s, g))
	t.Cleanup(func() {
		server.Close()
		g.close()
	})
	return server.URL
}

func post(t *testing.T, url, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(b)
}

// values are those that a request of so many has, some of them awkward.
func values(n int) []string {
	v := []string{"a@example.com", "", "a\x00b\"\\\n", "Zoë 名", strings.Repeat("long ", 1000)}
	for len(v) < n {
		v = append(v, fmt.Sprint("value ", len(v)))
	}
	return v[:n]
}

func tokenize(t *testing.T, url, scope string, values []string) []string {
	t.Helper()
	q := tokenizeRequest{Scope: scope}
	for _, v := range values {
		q.Values = append(q.Values, struct {
			Entity string `json:"entity"`
			Value  string `json:"value"`
		}{"PERSON", v})
	}
	status, answer := post(t, url+"/tokenize", encode(t, q))
	var a tokenizeAnswer
	if err := json.Unmarshal([]byte(answer), &a); err != nil || status != http.StatusOK {
		t.Fatalf("tokenize: %d %s %v", status, answer, err)
	}
	return a.Tokens
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRestoresWhatWasTokenized(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			url := served(t, b.store(t), 1)
			var mappings, records int
			for _, n := range []int{1, 5, 50, 200} {
				want := values(n)
				tokens := tokenize(t, url, "s", want)
				status, answer := post(t, url+"/restore", encode(t, restoreRequest{"s", tokens}))
				var got restoreAnswer
				if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK {
					t.Fatalf("restore: %d %s %v", status, answer, err)
				}
				if diff := cmp.Diff(want, got.Values); diff != "" {
					t.Error(diff)
				}
				mappings, records = mappings+n, records+2
			}
			tokens := tokenize(t, url, "s", values(2))
			q := encode(t, restoreRequest{"s", []string{tokens[0], tokens[0]}})
			if status, answer := post(t, url+"/restore", q); status != http.StatusOK || strings.Count(answer, "a@example.com") != 2 {
				t.Errorf("the same token twice: %d %s", status, answer)
			}
			if status, _ := post(t, url+"/deny", q); status != http.StatusForbidden {
				t.Errorf("deny: %d, want 403", status)
			}
			if status, answer := post(t, url+"/echo", "anything"); status != http.StatusOK || answer != "anything" {
				t.Errorf("echo: %d %s", status, answer)
			}
			m, r := b.rows(t)
			if diff := cmp.Diff([]int{mappings + 2, records + 3}, []int{m, r}); diff != "" {
				t.Errorf("mappings and records: %s", diff)
			}
		})
	}
}

func TestRefusesWithoutWriting(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`"A",`, maxValues+1), ",")
	cases := []struct {
		name, path, body string
		want             int
	}{
		{"no JSON", "/tokenize", `{"scope"`, 400},
		{"no body", "/restore", ``, 400},
		{"another type", "/restore", `{"scope":"s","tokens":"A"}`, 400},
		{"no scope", "/tokenize", `{"values":[{"entity":"E","value":"v"}]}`, 400},
		{"no values", "/tokenize", `{"scope":"s","values":[]}`, 400},
		{"a scope that is no text", "/tokenize", `{"scope":"\u0000","values":[{"entity":"E","value":"v"}]}`, 400},
		{"an entity that is no text", "/tokenize", `{"scope":"s","values":[{"entity":"\u0000","value":"v"}]}`, 400},
		{"a token that is no text", "/restore", `{"scope":"s","tokens":["\u0000"]}`, 400},
		{"too many tokens", "/restore", `{"scope":"s","tokens":[` + many + `]}`, 400},
		{"no tokens", "/deny", `{"scope":"s"}`, 400},
		{"too long", "/echo", strings.Repeat("x", maxBody+1), 400},
		{"an unknown token", "/restore", `{"scope":"s","tokens":["TOKEN","AAAAAAAAAAAAAAAA"]}`, 404},
		{"a token of another scope", "/restore", `{"scope":"other","tokens":["TOKEN"]}`, 404},
	}
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			url := served(t, b.store(t), 1)
			token := tokenize(t, url, "s", values(1))[0]
			for _, c := range cases {
				status, answer := post(t, url+c.path, strings.Replace(c.body, "TOKEN", token, 1))
				if status != c.want {
					t.Errorf("%s: %d %s, want %d", c.name, status, answer, c.want)
				}
			}
			if m, r := b.rows(t); m != 1 || r != 1 {
				t.Errorf("%d mappings and %d records, want those of one request", m, r)
			}
		})
	}
}

// Under 16 clients there are fewer transactions than requests. PostgreSQL knows which
// transaction wrote a row.
func TestCommitsAreShared(t *testing.T) {
	const clients, each = 16, 20
	dsn := pgtest.New(t).Admin
	s, err := openPostgres(t.Context(), dsn)
	url := served(t, opened(t, s, err), postgresCommitters)
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for range each {
				_ = tokenize(t, url, fmt.Sprint("s", client), values(2))
			}
		})
	}
	all.Wait()
	var transactions, records int
	err = s.pool.QueryRow(t.Context(), `SELECT count(DISTINCT xmin::text), count(*) FROM floor.records`).Scan(&transactions, &records)
	if err != nil {
		t.Fatal(err)
	}
	if records != clients*each || transactions >= records/2 {
		t.Errorf("%d transactions wrote %d records, want %d records in fewer than half as many", transactions, records, clients*each)
	}
}

// program starts this test binary as the program.
func program(t *testing.T, wrap string, flags ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], flags...)
	cmd.Env = append(os.Environ(), childOf+"="+wrap)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	if err != nil || !ok {
		_ = cmd.Wait()
		t.Fatalf("it said %q and %q: %v", line, stderr.String(), err)
	}
	return cmd, url
}
