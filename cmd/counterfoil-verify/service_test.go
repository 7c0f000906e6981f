package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A server answers as the service does. The fields that tests set are ways in
// which it lies.
type server struct {
	*made
	checkpoint []byte
	limit      int                             // its own page limit
	answered   int                             // pages
	change     func(index int, r *answeredRow) // of a row before it is sent
	before     func(w http.ResponseWriter, r *http.Request) bool
}

type answeredRow struct {
	Index    any             `json:"index,omitempty"`
	LeafHash string          `json:"leaf_hash"`
	Entry    json.RawMessage `json:"entry,omitempty"`
	Pruned   bool            `json:"pruned,omitempty"`
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before != nil && s.before(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+bearer {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.URL.Path {
	case "/v1/audit/checkpoint":
		_, _ = w.Write(s.checkpoint)
	case "/v1/audit/entries":
		s.page(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *server) page(w http.ResponseWriter, r *http.Request) {
	s.answered++
	q := r.URL.Query()
	from := 0
	if after, err := strconv.Atoi(q.Get("cursor")); err == nil {
		from = after + 1
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	limit = min(limit, s.limit)
	var answer struct {
		Entries    []answeredRow `json:"entries"`
		NextCursor string        `json:"next_cursor,omitempty"`
		More       string        `json:"a_later_field"`
	}
	for i := from; i < min(from+limit, len(s.leaves)); i++ {
		h := audit.LeafHash(s.leaves[i])
		row := answeredRow{Index: i, LeafHash: h.String(), Entry: s.leaves[i]}
		if s.change != nil {
			s.change(i, &row)
		}
		answer.Entries = append(answer.Entries, row)
	}
	if next := from + limit; next < len(s.leaves) && q.Get("order") == "asc" {
		answer.NextCursor = strconv.Itoa(next - 1)
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "   ") // not the bytes that were hashed
	_ = e.Encode(answer)
}

// pageEntries is how many entries a page has at most, by the API.
const pageEntries = 1000

const bearer = "eyJ0.test.token"

func serve(t *testing.T, s *server) string {
	t.Helper()
	if s.checkpoint == nil {
		s.checkpoint = s.newest()
	}
	if s.limit == 0 {
		s.limit = pageEntries
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h.URL
}

func againstService(t *testing.T, s *server, more ...string) (int, string, string) {
	t.Helper()
	args := append([]string{"--url", serve(t, s), "--bearer-file", put(t, "bearer", []byte(bearer+"\n")), "--key", s.signer.VerifierKey()}, more...)
	return command(t, args...)
}

func TestSoundService(t *testing.T) {
	s := &server{made: newLog(t, 1, 20), limit: 7}
	code, stdout, stderr := againstService(t, s, "--checkpoint", put(t, "earlier", s.checkpoints[4]))
	if code != exitSound || !strings.HasPrefix(stdout, "SOUND tenant=acme entries=23 ") || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if s.answered != 4 {
		t.Errorf("%d pages were read, want 4", s.answered)
	}
}

// Entries that arrive after the checkpoint was signed are left for next time.
func TestServiceThatGrowsMeanwhile(t *testing.T) {
	s := &server{made: newLog(t, 1, 20), limit: 7}
	s.checkpoint = s.checkpoints[9]
	want := "entries=" + strconv.FormatInt(s.sizes[9], 10) + " "
	if code, stdout, stderr := againstService(t, s); code != exitSound || !strings.Contains(stdout, want) {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}

// Order of keys, white space and escapes on the way do not matter.
func TestServiceThatWritesEntriesItsOwnWay(t *testing.T) {
	s := &server{made: newLog(t, 1, 20), change: func(_ int, r *answeredRow) {
		var fields map[string]any
		d := json.NewDecoder(strings.NewReader(string(r.Entry)))
		d.UseNumber()
		if err := d.Decode(&fields); err != nil {
			t.Error(err)
		}
		var out []string
		for name, value := range fields { // in the order of a Go map: any
			v, err := json.Marshal(value)
			if err != nil {
				t.Error(err)
			}
			out = append(out, `"`+name+`" : `+string(v))
		}
		r.Entry = json.RawMessage("{ " + strings.ReplaceAll(strings.Join(out, ",\n"), "svc-1", `\u0073vc-1`) + " }")
	}}
	if code, stdout, stderr := againstService(t, s); code != exitSound {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}

func TestInvariant11_LyingService(t *testing.T) {
	replace := func(old, with string) func(int, *answeredRow) {
		return func(_ int, r *answeredRow) { r.Entry = json.RawMessage(strings.Replace(string(r.Entry), old, with, 1)) }
	}
	for _, lie := range []struct {
		want   string
		change func(int, *answeredRow)
	}{
		{"entry 5: hash: ", replace(`"svc-1"`, `"svc-2"`)},
		{"entry 5: schema: ", replace(`"v":1`, `"v":1,"note":"x"`)},
		{"entry 5: schema: ", replace(`"v":1`, `"v":1,"v":1`)},
		{"entry 5: hash: ", func(_ int, r *answeredRow) { r.LeafHash = strings.Repeat("A", 43) + "=" }},
		{"entry 5: hash: ", func(_ int, r *answeredRow) { r.LeafHash = "" }},
		{"entry 5: gap: ", func(i int, r *answeredRow) { r.Index = i + 1 }},
		{"entry 5: gap: ", func(_ int, r *answeredRow) { r.Index = nil }},
		{"root: ", func(i int, r *answeredRow) {
			replace(`"actor":"svc-1"`, `"actor":"svc-2"`)(i, r)
			h := audit.LeafHash(r.Entry)
			r.LeafHash = h.String()
		}},
	} {
		s := &server{made: newLog(t, 1, 20), change: func(i int, r *answeredRow) {
			if i == 5 {
				lie.change(i, r)
			}
		}}
		code, stdout, stderr := againstService(t, s)
		if code != exitFault || !strings.Contains(stdout, lie.want) || stderr != "" {
			t.Errorf("want %q: %d %q %q", lie.want, code, stdout, stderr)
		}
	}
}

func TestInvariant11_ServiceWithAnotherHistory(t *testing.T) {
	m := newLog(t, 1, 20)
	for name, s := range map[string]*server{
		"entries missing":   {made: &made{signer: m.signer, leaves: m.leaves[:11]}, checkpoint: m.newest()},
		"none at all":       {made: &made{signer: m.signer}, checkpoint: m.newest()},
		"checkpoint forged": {made: m, checkpoint: newLog(t, 2, 20).newest()},
		"no checkpoint":     {made: m, checkpoint: []byte("none")},
	} {
		if code, stdout, stderr := againstService(t, s); code != exitFault || stderr != "" {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
	}
	// It went back to an older copy, and the auditor has a newer checkpoint.
	older := &server{made: &made{signer: m.signer, leaves: m.leaves[:m.sizes[9]]}, checkpoint: m.checkpoints[9]}
	if code, stdout, _ := againstService(t, older, "--checkpoint", put(t, "kept", m.newest())); code != exitFault || !strings.Contains(stdout, "checkpoint-behind") {
		t.Errorf("older copy: %d %q", code, stdout)
	}
}

func TestServiceThatCannotBeRead(t *testing.T) {
	answer := func(path, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	refuse := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("a secret of the service"))
			return true
		}
	}
	for name, before := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"unauthorised":    refuse(http.StatusUnauthorized),
		"unavailable":     refuse(http.StatusServiceUnavailable),
		"redirect":        refuse(http.StatusFound),
		"huge checkpoint": answer("/v1/audit/checkpoint", strings.Repeat("a", audit.MaxCheckpoint+1)),
		"no page":         answer("/v1/audit/entries", "<html>a secret of the service</html>"),
		"empty pages":     answer("/v1/audit/entries", `{"entries":[],"next_cursor":"again"}`),
		"too many rows":   answer("/v1/audit/entries", `{"entries":[`+strings.Repeat(`{},`, pageEntries)+`{}]}`),
	} {
		s := &server{made: newLog(t, 1, 3), before: before}
		code, stdout, stderr := againstService(t, s)
		if code != exitUnreadable || stdout != "" || stderr == "" || strings.Contains(stderr, "secret") || strings.Contains(stderr, bearer) {
			t.Errorf("%s: %d %q %q", name, code, stdout, stderr)
		}
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	m := newLog(t, 1, 1)
	code, _, stderr := command(t, "--url", gone.URL, "--bearer-file", put(t, "b", []byte(bearer)), "--key", m.signer.VerifierKey())
	if code != exitUnreadable || strings.Contains(stderr, bearer) {
		t.Errorf("%d %q", code, stderr)
	}
}
