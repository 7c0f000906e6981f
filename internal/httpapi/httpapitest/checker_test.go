package httpapitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
)

const id = "5d41402abc4b2a76b9719d911017c592"

// exchange is one that the document allows, before a test changes it.
func exchange(t *testing.T) httpapitest.Exchange {
	t.Helper()
	body := `{"scope":"chat-1","text":"x"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://counterfoil.test/v1/tokenize", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return httpapitest.Exchange{
		Request: r, RequestBody: []byte(body), Status: http.StatusOK,
		Header: http.Header{
			"Request-Id": {id}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
			"Content-Type": {"application/json"},
		},
		ResponseBody: []byte(`{"text":"x","tokens":[],"masked":[],"policy_version":"1","request_id":"` + id + `"}`),
	}
}

func problem(x *httpapitest.Exchange, status int, body string) {
	x.Status = status
	x.Header.Set("Content-Type", "application/problem+json")
	x.ResponseBody = []byte(body)
}

func checker(t *testing.T) *httpapitest.Checker {
	t.Helper()
	c, err := httpapitest.NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const invalid = `{"type":"urn:counterfoil:problem:invalid","title":"t","status":422,"code":"invalid","instance":"` + id + `"}`

func TestWhatTheDocumentAllowsPasses(t *testing.T) {
	c := checker(t)
	if err := c.Check(exchange(t)); err != nil {
		t.Errorf("an answer: %v", err)
	}
	x := exchange(t)
	problem(&x, 422, invalid)
	if err := c.Check(x); err != nil {
		t.Errorf("a problem: %v", err)
	}
	x = exchange(t)
	x.Request.URL.Path = "/nowhere"
	problem(&x, 404, `{"type":"urn:counterfoil:problem:not_found","title":"t","status":404,"code":"not_found","instance":"`+id+`"}`)
	if err := c.Check(x); err != nil {
		t.Errorf("a path that is not there: %v", err)
	}
}

// The twin of every test that goes through a checker: each of these turns it
// red.
func TestWhatTheDocumentDoesNotAllowIsNoticed(t *testing.T) {
	c := checker(t)
	replace := func(old, with string) func(*httpapitest.Exchange) {
		return func(x *httpapitest.Exchange) {
			x.ResponseBody = []byte(strings.Replace(string(x.ResponseBody), old, with, 1))
		}
	}
	refusal := func(old, with string) func(*httpapitest.Exchange) {
		return func(x *httpapitest.Exchange) { problem(x, 422, strings.Replace(invalid, old, with, 1)) }
	}
	for name, change := range map[string]func(*httpapitest.Exchange){
		"field that nobody described": replace(`"tokens"`, `"value":"x","tokens"`),
		"field that nobody described, below": replace(`"tokens":[]`,
			`"tokens":[{"entity":"PERSON","class":"public","origin":"new","value":"x"}]`),
		"missing field":             replace(`"masked":[],`, ""),
		"value out of a list":       replace(`"tokens":[]`, `"tokens":[{"entity":"PERSON","class":"secret","origin":"new"}]`),
		"wrong type":                replace(`"text":"x"`, `"text":1`),
		"no JSON":                   replace("{", ""),
		"status not listed":         func(x *httpapitest.Exchange) { x.Status = 202 },
		"wrong content type":        func(x *httpapitest.Exchange) { x.Header.Set("Content-Type", "text/html") },
		"no request id":             func(x *httpapitest.Exchange) { x.Header.Del("Request-Id") },
		"cacheable":                 func(x *httpapitest.Exchange) { x.Header.Del("Cache-Control") },
		"sniffable":                 func(x *httpapitest.Exchange) { x.Header.Del("X-Content-Type-Options") },
		"200 for a wrong request":   func(x *httpapitest.Exchange) { x.RequestBody = []byte(`{"text":"x"}`) },
		"200 for an unknown path":   func(x *httpapitest.Exchange) { x.Request.URL.Path = "/nowhere" },
		"error that is no problem":  func(x *httpapitest.Exchange) { x.Status = 422 },
		"problem of another status": refusal(`422`, `400`),
		"problem without instance":  refusal(id, "other"),
		"problem of two codes":      refusal(`"code":"invalid"`, `"code":"denied"`),
		"problem with more":         refusal(`"title"`, `"value":"x","title"`),
		"advice where there is none": func(x *httpapitest.Exchange) {
			problem(x, 422, invalid)
			x.Header.Set("Retry-After", "1")
		},
		"no advice": func(x *httpapitest.Exchange) {
			problem(x, 503, strings.NewReplacer("422", "503", "invalid", "unavailable").Replace(invalid))
		},
		"no challenge": func(x *httpapitest.Exchange) {
			problem(x, 401, strings.NewReplacer("422", "401", "invalid", "unauthenticated").Replace(invalid))
		},
	} {
		x := exchange(t)
		change(&x)
		if err := c.Check(x); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
