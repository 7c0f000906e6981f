package analyzer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/analyzer"
)

// server is an analyzer that holds callers to the contract and finds some words, by code points.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []question
	header []http.Header
	words  map[string]string // word -> entity, in English
	answer http.HandlerFunc  // instead
}

type question struct {
	Text      *string  `json:"text"`
	Language  string   `json:"language"`
	Threshold *float64 `json:"score_threshold"`
	Entities  []string `json:"entities"`
}

type result struct {
	Entity string  `json:"entity_type"`
	Start  int     `json:"start"`
	End    int     `json:"end"`
	Score  float64 `json:"score"`
	More   any     `json:"analysis_explanation"`
}

func newServer(t *testing.T, words map[string]string) *server {
	t.Helper()
	s := &server{words: words}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	var q question
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&q); err != nil || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/analyze") ||
		r.Header.Get("Content-Type") != "application/json" || q.Text == nil || q.Language == "" || q.Threshold == nil {
		http.Error(w, "contract", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked, s.header = append(s.asked, q), append(s.header, r.Header)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	found := []result{}
	for word, entity := range s.words {
		if language, only, has := strings.Cut(word, ":"); has {
			if language != q.Language {
				continue
			}
			word = only
		}
		for from := 0; ; {
			i := strings.Index((*q.Text)[from:], word)
			if i < 0 {
				break
			}
			start := utf8.RuneCountInString((*q.Text)[:from+i])
			found = append(found, result{Entity: entity, Start: start, End: start + utf8.RuneCountInString(word), Score: 0.85})
			from += i + len(word)
		}
	}
	_ = json.NewEncoder(w).Encode(found)
}

func (s *server) questions() []question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// says makes the server give one answer.
func (s *server) says(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (s *server) recovers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = nil
}

var known = []string{"PERSON", "LOCATION", "CUSTOM_ID"}

func client(t *testing.T, c analyzer.Config) *analyzer.Client {
	t.Helper()
	c.Known = known
	got, err := analyzer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(got.Close)
	return got
}
