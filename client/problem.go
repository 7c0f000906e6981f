package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Code is one of the closed list of error codes of the service. Each is an
// error of its own, for errors.Is; the error that is returned is a *Problem.
type Code string

// The codes.
const (
	ErrInvalid         Code = "invalid"
	ErrUnauthenticated Code = "unauthenticated"
	ErrDenied          Code = "denied"
	ErrNotFound        Code = "not_found"
	ErrConflict        Code = "conflict"
	ErrHeld            Code = "held"
	ErrExhausted       Code = "exhausted"
	ErrUnavailable     Code = "unavailable"
	ErrInternal        Code = "internal"
)

// Error returns the code.
func (c Code) Error() string { return "counterfoil: " + string(c) }

// Problem is a refusal of the service (RFC 9457). Of an answer that says no
// and is not one of the service, such as that of a proxy, there is the Status
// and perhaps RetryAfter, and no Code.
type Problem struct {
	Code       Code
	Status     int
	Title      string
	Detail     string      // for people. Not in the text of the error
	Violations []Violation // where the request breaks which rule
	Limit      string      // the name of the limit that was passed
	RequestID  string      // to quote; the log has it too
	RetryAfter time.Duration
}

// Violation is a place in a request and the rule that it breaks.
type Violation struct {
	Field string `json:"field"` // a JSON pointer, or the kind and name of a parameter
	Rule  string `json:"rule"`
}

// Error is made of what can hold no value: code, status, the first place, the
// limit and the request id, each only in the letters that it may have.
func (p *Problem) Error() string {
	var b strings.Builder
	code := string(p.Code)
	if code == "" {
		code = "refused"
	}
	fmt.Fprintf(&b, "counterfoil: %s (%d)", code, p.Status)
	if len(p.Violations) > 0 {
		b.WriteString(" at " + only(p.Violations[0].Field, "/:_-", maxPlace))
	}
	if p.Limit != "" {
		b.WriteString(", limit " + p.Limit)
	}
	if p.RequestID != "" {
		b.WriteString(", request " + p.RequestID)
	}
	return b.String()
}

// Is compares the code.
func (p *Problem) Is(target error) bool {
	code, ok := target.(Code)
	return ok && p.Code != "" && p.Code == code
}

const (
	// maxWord and maxPlace are longer than any code, limit, id or place.
	maxWord  = 64
	maxPlace = 128
)

// problemOf reads a refusal. One that cannot be read is still a refusal.
func problemOf(response *http.Response, media string, now time.Time) *Problem {
	p := &Problem{
		Status: response.StatusCode, RetryAfter: retryAfter(response.Header.Get("Retry-After"), now),
		RequestID: only(response.Header.Get("Request-Id"), "", maxWord),
	}
	raw, err := readAtMost(response.Body, maxProblem)
	if err != nil || media != problemType {
		return p
	}
	var body struct {
		Code     string      `json:"code"`
		Title    string      `json:"title"`
		Detail   string      `json:"detail"`
		Instance string      `json:"instance"`
		Limit    string      `json:"limit"`
		Errors   []Violation `json:"errors"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return p
	}
	p.Code, p.Limit = Code(only(body.Code, "_", maxWord)), only(body.Limit, "_", maxWord)
	p.Title, p.Detail, p.Violations = body.Title, body.Detail, body.Errors
	if p.RequestID == "" {
		p.RequestID = only(body.Instance, "", maxWord)
	}
	return p
}

// retryAfter reads both forms of RFC 9110: seconds, and a date.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(0, time.Duration(n)*time.Second)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// only returns s if it is made of small letters, digits and the further signs
// given, and nothing of it otherwise: a value hardly is.
func only(s, signs string, most int) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune(signs, r)
	}
	if len(s) > most || strings.ContainsFunc(s, odd) {
		return ""
	}
	return s
}
