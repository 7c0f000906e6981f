package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const canary = "kanarie-7c1e@example.org"

func TestEveryCodeHasItsPlaceInTheTable(t *testing.T) {
	want := map[vault.Code]int{
		"invalid": 422, "unauthenticated": 401, "denied": 403, "not_found": 404, "conflict": 409,
		"held": 423, "exhausted": 429, "unavailable": 503, "internal": 500,
	}
	if len(table) != len(vault.Codes()) {
		t.Errorf("the table has %d codes, the domain %d", len(table), len(vault.Codes()))
	}
	for _, code := range vault.Codes() {
		p := problemOf(fmt.Errorf("wrapped: %w", vault.Errorf(code, "a public detail")), "id")
		if int(p.Status) != want[code] || string(p.Code) != string(code) {
			t.Errorf("%s: %d %s, want %d", code, p.Status, p.Code, want[code])
		}
		if p.Title == "" || p.Type != problemURN+string(code) || p.Instance != "id" {
			t.Errorf("%s: incomplete: %+v", code, p)
		}
		if (value(p.Detail) == "a public detail") == (code == vault.CodeInternal) {
			t.Errorf("%s: detail %q", code, value(p.Detail))
		}
		if (p.RetryAfter != nil) != (code == "unavailable" || code == "exhausted") {
			t.Errorf("%s: retry after %v", code, p.RetryAfter)
		}
	}
}

func TestWhatHasNoCodeIsInternalAndSilent(t *testing.T) {
	hidden := &vault.Error{
		Code: vault.CodeInternal, Detail: canary, Limit: canary,
		Violations: []vault.Violation{{Field: canary, Rule: canary}},
	}
	for name, err := range map[string]error{
		"plain error":       errors.New(canary),
		"unknown code":      vault.Errorf(vault.Code(canary), canary),
		"internal":          hidden.Because(errors.New(canary)),
		"wrapped":           fmt.Errorf("%s: %w", canary, errors.New(canary)),
		"cause of a public": vault.Errorf(vault.CodeDenied, "no").Because(errors.New(canary)),
	} {
		raw, mErr := json.Marshal(problemOf(err, "id"))
		if mErr != nil {
			t.Fatal(mErr)
		}
		if strings.Contains(string(raw), canary) {
			t.Errorf("%s: leaks: %s", name, raw)
		}
	}
}

// The twin: the detail of a public code does get out, so the test above looks
// in the right place.
func TestWhatHasNoCodeIsInternalAndSilent_Twin(t *testing.T) {
	raw, err := json.Marshal(problemOf(vault.Errorf(vault.CodeDenied, canary), "id"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), canary) {
		t.Error("a detail is not where it was looked for")
	}
}

func TestStatusesOfInvalid(t *testing.T) {
	limited := vault.Errorf(vault.CodeInvalid, "too much")
	limited.Limit = "text_bytes"
	for name, c := range map[string]struct {
		err  error
		want int32
	}{
		"a rule":            {vault.Invalid("/scope", "is required"), 422},
		"a limit":           {limited, 413},
		"at the edge":       {edge(http.StatusUnsupportedMediaType, vault.Errorf(vault.CodeInvalid, "type")), 415},
		"malformed":         {malformed("no JSON"), 400},
		"edge, wrapped":     {fmt.Errorf("x: %w", malformed("no JSON")), 400},
		"a limit elsewhere": {&vault.Error{Code: vault.CodeDenied, Limit: "reason_max_tokens"}, 403},
	} {
		if got := problemOf(c.err, "").Status; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestTimeoutIsUnavailableWithAdvice(t *testing.T) {
	p := problemOf(fmt.Errorf("store: %w", context.DeadlineExceeded), "")
	if p.Status != 503 || value(p.Limit) != limitRequest || value(p.RetryAfter) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestRetryAfterRoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]int32{
		0: 1, -time.Hour: 1, time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2, 90 * time.Second: 90, 1 << 62: 86400,
	} {
		if got := seconds(d); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}

func TestViolationsAreBoundedAndRootIsWrittenAsRFC6901Does(t *testing.T) {
	e := vault.Invalid("/", "exactly one of text and values is required")
	for range MaxViolations + 5 {
		e.Violations = append(e.Violations, vault.Violation{Field: "/text", Rule: "r"})
	}
	p := problemOf(e, "")
	if len(*p.Errors) != MaxViolations || value(p.Detail) != tooManyFailures {
		t.Errorf("%d violations, detail %q", len(*p.Errors), value(p.Detail))
	}
	if (*p.Errors)[0].Field != "" {
		t.Errorf("root is %q", (*p.Errors)[0].Field)
	}
}

func TestCausesAreDescribedWithoutTheirText(t *testing.T) {
	err := vault.Errorf(vault.CodeUnavailable, "store").Because(
		fmt.Errorf("%s: %w", canary, errors.Join(vault.ErrUnavailable, errors.New(canary))))
	said := strings.Join(describeCause(err), " ")
	if strings.Contains(said, canary) {
		t.Errorf("leaks: %s", said)
	}
	if !strings.Contains(said, vault.ErrUnavailable.Error()) || !strings.Contains(said, "*vault.Error") {
		t.Errorf("says too little: %s", said)
	}
}
