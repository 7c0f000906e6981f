package payload_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// restoreCase is a line of restore_cases.jsonl; see the README beside it.
type restoreCase struct {
	ID, Output, Expected, Expect, Carrier string
	Values                                []string
}

// carrierOf puts a model's output where the case says a provider has it: in
// the content of a message where it says nothing.
func carrierOf(t *testing.T, c restoreCase) (body []byte, place payload.Place, tool string) {
	t.Helper()
	text, err := json.Marshal(c.Output)
	if err != nil {
		t.Fatal(err)
	}
	switch c.Carrier {
	case "":
		return []byte(`{"choices":[{"message":{"role":"assistant","content":` + string(text) + `}}]}`), payload.PlaceProse, ""
	case "anthropic.content[].text":
		return []byte(`{"type":"message","role":"assistant","content":[{"type":"text","text":` + string(text) + `}]}`), payload.PlaceProse, ""
	case "openai.tool_calls[].function.arguments":
		return []byte(`{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",` +
			`"function":{"arguments":` + string(text) + `,"name":"send"}}]}}]}`), payload.PlaceTool, "send"
	}
	t.Fatalf("%s: unknown carrier %q", c.ID, c.Carrier)
	return nil, "", ""
}

// TestRestoreCases finds the text of each case in a leaf at the right place,
// and puts the values where the tokens stand.
func TestRestoreCases(t *testing.T) {
	const path = "../../../shared/data/pii/restore_cases.jsonl"
	file, err := os.Open(path)
	if err != nil {
		t.Skipf("the cases are not beside this tree: %s", path)
	}
	defer func() { _ = file.Close() }()
	cases := 0
	for lines := bufio.NewScanner(file); lines.Scan(); cases++ {
		var c restoreCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.ID, func(t *testing.T) { restores(t, c) })
	}
	if cases < 30 {
		t.Errorf("only %d cases", cases)
	}
}

func restores(t *testing.T, c restoreCase) {
	body, place, tool := carrierOf(t, c)
	d := parse(t, body, payload.Options{})
	var edits []payload.Edit
	for _, l := range d.Leaves() {
		if l.Kind == payload.KindText && (l.Role != payload.RoleAssistant || l.Place != place || l.Tool != tool) {
			t.Errorf("%s is by %s, in %s of %q", l.Pointer, l.Role, l.Place, l.Tool)
		}
	}
	for i, value := range c.Values {
		token := "\u27e6" + string(rune('0'+i)) + "\u27e7"
		if n := strings.Count(c.Output, token); n > 0 {
			found := editsOf(d, token, value)
			if len(found) != n {
				t.Errorf("%d of %d found", len(found), n)
			}
			edits = append(edits, found...)
		}
	}
	got := outputOf(t, splice(t, d, edits), c.Carrier)
	if c.Expect != "policy" && got != c.Expected { // what is policy is not decided here
		t.Errorf("%q, not %q", got, c.Expected)
	}
}

// outputOf reads the output back, as the client of a provider does.
func outputOf(t *testing.T, body []byte, carrier string) string {
	t.Helper()
	pointer := map[string]string{
		"":                                       "/choices/0/message/content",
		"anthropic.content[].text":               "/content/0/text",
		"openai.tool_calls[].function.arguments": "/choices/0/message/tool_calls/0/function/arguments",
	}[carrier]
	got, err := follow(body, pointer)
	if err != nil {
		t.Fatal(err)
	}
	return got.(string)
}
