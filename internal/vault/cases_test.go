package vault_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// restoreCase is a case from the tests and threads of other products: a text
// in which ⟦0⟧ is our token for values[0], ⟦0:lower⟧ that token as a model may
// have changed it, and ⟦foreign⟧ one that was never issued.
type restoreCase struct {
	ID       string
	Types    []string
	Values   []string
	Output   string
	Expected string
	Expect   string // restore, leave or policy
	Carrier  string
}

func readCases(t *testing.T) []restoreCase {
	t.Helper()
	file, err := os.Open("../../../shared/data/pii/restore_cases.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the shared cases of restoration are not beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var cases []restoreCase
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var c restoreCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if len(cases) < 30 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

var placeholder = regexp.MustCompile(`⟦(\d+|foreign)(?::([a-z_0-9]+))?⟧`)

// changed is a token as a model may write it.
func changed(t *testing.T, tok, how string) string {
	switch how {
	case "":
		return tok
	case "strip_delims":
		return strings.Trim(tok, "[]")
	case "truncate_tail":
		return tok[:len(tok)-4]
	case "drop_id":
		return tok[:len(tok)-12] + "]"
	case "lower":
		return strings.ToLower(tok)
	case "typo1":
		other := byte('7')
		if tok[len(tok)-5] == other {
			other = '8'
		}
		return tok[:len(tok)-5] + string(other) + tok[len(tok)-4:]
	case "inner_space":
		return "[ " + tok[1:len(tok)-1] + " ]"
	}
	t.Fatalf("a change that this test does not know: %s", how)
	return ""
}

// shipped is a copy of the shipped policy, to be changed.
func shipped(t *testing.T) fstest.MapFS {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(authz.FS, path)
		bundle[path] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// withTool is the shipped policy with one tool whose arguments are restored.
func withTool(t *testing.T, tool string) fs.FS {
	t.Helper()
	bundle := shipped(t)
	before := string(bundle["reasons.yaml"].Data)
	after := strings.Replace(before, "places: [prose, code]\n    tools: []", "places: [prose, code, tool]\n    tools: ["+tool+"]", 1)
	if after == before {
		t.Fatal("the policy has no such line to change")
	}
	bundle["reasons.yaml"].Data = []byte(after)
	return bundle
}

// TestRestoreCasesOfOthers: what must restore restores, what must stay stays,
// and where it is a matter of policy it is one of the two: never something
// else, never somebody else's value.
func TestRestoreCasesOfOthers(t *testing.T) {
	v := vaulttest.New(t, vaulttest.WithPolicy(withTool(t, "send_mail")))
	repaired := 0
	for _, c := range readCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			tokens := make([]string, len(c.Values))
			for i, value := range c.Values {
				tokens[i] = tokenizeValue(t, v, v.Gateway(), c.ID, entityOf(t, c.Types[i]), value)
			}
			foreign, err := token.Mint(token.FormatLabel, "PERSON", rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			render := func(text string) string {
				return placeholder.ReplaceAllStringFunc(text, func(s string) string {
					m := placeholder.FindStringSubmatch(s)
					if m[1] == "foreign" {
						return foreign.String()
					}
					var i int
					_, _ = fmt.Sscan(m[1], &i)
					return changed(t, tokens[i], m[2])
				})
			}
			output, expected := render(c.Output), render(c.Expected)
			got := restoreCarried(t, v, c, output)
			switch c.Expect {
			case "restore":
				if got != expected && strings.Contains(c.Output, "mailto:⟦") {
					// Our policy keeps tokens in the links of a model's answer;
					// for a reason that reaches links the value must be there.
					got = *subjectAccess(t, v, c.ID, output).Text
				}
				if got != expected {
					t.Errorf("got %q, want %q", got, expected)
				}
			case "leave":
				if got != output {
					t.Errorf("got %q, want it as it was: %q", got, output)
				}
			case "policy":
				if got == expected {
					repaired++
				} else if got != output {
					t.Errorf("got %q, want %q or %q", got, expected, output)
				}
			default:
				t.Fatalf("an expectation that this test does not know: %s", c.Expect)
			}
		})
	}
	t.Logf("%d of the cases that are a matter of policy were repaired", repaired)
}

// restoreCarried restores a text where the case says that it stands.
func restoreCarried(t *testing.T, v *vaulttest.Vault, c restoreCase, output string) string {
	t.Helper()
	quoted, err := json.Marshal(output)
	if err != nil {
		t.Fatal(err)
	}
	req := vault.DetokenizeRequest{Scope: c.ID, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}}
	switch c.Carrier {
	case "":
		req.Text = &output
	case "anthropic.content[].text":
		req.Payload = []byte(`{"type":"message","role":"assistant","content":[{"type":"text","text":` + string(quoted) + `}]}`)
	case "openai.tool_calls[].function.arguments":
		req.Payload = []byte(`{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"send_mail","arguments":` + string(quoted) + `}}]}}]}`)
	default:
		t.Fatalf("a carrier that this test does not know: %s", c.Carrier)
	}
	got, err := v.Service.Detokenize(context.Background(), v.Gateway(), req)
	if err != nil {
		t.Fatal(err)
	}
	if req.Payload == nil {
		return *got.Text
	}
	var body struct {
		Content []struct{ Text string }
		Choices []struct {
			Message struct {
				ToolCalls []struct {
					Function struct{ Arguments string }
				} `json:"tool_calls"`
			}
		}
	}
	if err := json.Unmarshal(got.Payload, &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Content) > 0 {
		return body.Content[0].Text
	}
	return body.Choices[0].Message.ToolCalls[0].Function.Arguments
}

// entityOf is our entity for a type of the cases.
func entityOf(t *testing.T, name string) string {
	t.Helper()
	policy, err := access.Load(authz.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, known := policy.Entity(name); !known {
		return "CUSTOM_ID"
	}
	return name
}
