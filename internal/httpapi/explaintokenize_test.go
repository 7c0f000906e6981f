package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

type explainedAnswer struct {
	Tokens []struct {
		Entity, Rule string
		Score        float64
	}
	Unanalyzed int
}

// TestExplainedFindings: the answer says which rule found what, and how many texts an analyzer did not see that may
// be missing. Who does not ask is told no rule.
func TestExplainedFindings(t *testing.T) {
	detector, err := detect.New(detect.Options{Entities: []string{detect.EmailAddress, detect.APIKey}, Custom: detect.Custom{
		Patterns: []detect.Pattern{{Name: "contract", Entity: "CUSTOM_ID", Expression: `\bV-\d{4}\b`}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	v := vaulttest.New(t, vaulttest.With(func(o *assembly.Options) {
		o.Detection = func(string) vault.Detection {
			return vault.Detection{Detector: detector, Optional: true, Analyze: func(context.Context, string, [][2]int) ([]detect.Span, error) {
				return nil, errors.New(canary)
			}}
		}
	}))
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	for _, explain := range []bool{true, false} {
		var got explainedAnswer
		answer := w.Post("/v1/tokenize", m{"scope": "chat", "text": "V-1234, jane@example.com", "detect": m{"explain": explain}}).Want(http.StatusOK)
		answer.Decode(&got)
		want := [2]string{"custom/contract", "email/address"}
		if !explain {
			want = [2]string{}
		}
		if len(got.Tokens) != 2 || [2]string{got.Tokens[0].Rule, got.Tokens[1].Rule} != want || got.Tokens[0].Score != 1 || got.Unanalyzed != 1 {
			t.Errorf("explain %t: %s", explain, answer.Body)
		}
		refused := w.Post("/v1/tokenize", m{
			"scope": "chat", "text": "key ghp_" + "R4nd0mLy9KqTzXvBn2LmWc8sHd7fGjPoYu1Q", "detect": m{"explain": explain},
		}).Want(http.StatusUnprocessableEntity)
		if strings.Contains(string(refused.Body), "found by secret/github-pat") != explain {
			t.Errorf("explain %t: %s", explain, refused.Body)
		}
	}
}

// TestInvariant18_AnalyzerDown: without the tenant's word the request fails, and nobody hears why.
func TestInvariant18_AnalyzerDown(t *testing.T) {
	v := vaulttest.New(t, vaulttest.With(func(o *assembly.Options) {
		o.Detection = func(string) vault.Detection {
			detector, err := detect.New(detect.Options{Entities: []string{detect.EmailAddress}})
			if err != nil {
				t.Error(err)
			}
			return vault.Detection{Detector: detector, Analyze: func(context.Context, string, [][2]int) ([]detect.Span, error) {
				return nil, errors.New(canary)
			}}
		}
	}))
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	refused := w.Post("/v1/tokenize", m{"scope": "chat", "text": "hello"}).Want(http.StatusServiceUnavailable)
	if p := refused.Problem(); p.Code != "unavailable" || strings.Contains(string(refused.Body), "kanarie") {
		t.Errorf("%s", refused.Body)
	}
}
