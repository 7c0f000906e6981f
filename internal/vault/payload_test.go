package vault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func tokenizeBody(t interface{ Fatalf(string, ...any) }, v *vaulttest.Vault, scope, body, shape string) vault.TokenizeResult {
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: scope, Payload: []byte(body), Shape: shape})
	return must(t, got, err)
}

// restoreBody asks as a privacy officer, or as a gateway for a model's answer.
func restoreBody(v *vaulttest.Vault, call vault.Call, scope, code, body, shape string) (vault.DetokenizeResult, error) {
	return v.Service.Detokenize(context.Background(), call, vault.DetokenizeRequest{
		Scope: scope, Reason: vault.ReasonGiven{Code: code, Reference: "DSAR-1"}, Payload: []byte(body), Shape: shape,
	})
}

const chat = `{"model" : "m", "temperature":1e400,"x":-0, "messages":[
 {"role":"user","content":[{"type":"text","text":"Mail jane.doe@example.com \ud83d\ude00 \"now\" <b>\/ caf\u00e9"}]},
 {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"send_mail","arguments":"{\"to\": \"jane.doe@example.com\",  \"n\":1}"}}]},
 {"role":"tool","tool_call_id":"c1","content":"sent to jane.doe@example.com from 10.1.2.3"}]}`

// TestPayloadKeepsItsBytes: what is not replaced stays as it was sent, JSON in
// a string too, one value has one token wherever it stands, and the entry
// holds the digest of what was searched.
func TestPayloadKeepsItsBytes(t *testing.T) {
	v := vaulttest.New(t)
	out := tokenizeBody(t, v, "chat", chat, "")
	if out.Coverage == nil || out.Coverage.Shape != "openai.chat.request" || len(out.Tokens) != 4 {
		t.Fatalf("coverage %+v, tokens %+v", out.Coverage, out.Tokens)
	}
	mail := out.Tokens[0].Token
	want := strings.ReplaceAll(strings.Replace(chat, "10.1.2.3", out.Tokens[3].Token, 1), "jane.doe@example.com", mail)
	if string(out.Payload) != want {
		t.Fatalf("got\n%s\nwant\n%s", out.Payload, want)
	}
	entries := entriesFrom(t, v, 0)
	if last := entries[len(entries)-1]; last.CoverageDigest != out.Coverage.Digest() || last.Kind != audit.KindTokenize {
		t.Fatalf("the entry %+v does not hold the digest %s", last, out.Coverage.Digest())
	}
}

// TestToolArgumentsStayTokens: for a model's answer a tool's arguments are
// restored only for tools that the policy names, and it names none.
func TestToolArgumentsStayTokens(t *testing.T) {
	v := vaulttest.New(t)
	out := tokenizeBody(t, v, "chat", chat, "")
	back, err := restoreBody(v, v.Gateway(), "chat", "LLM_RESPONSE", string(out.Payload), "")
	if err != nil {
		t.Fatal(err)
	}
	mail := out.Tokens[0].Token
	want := strings.Replace(chat, `\"to\": \"jane.doe@example.com\"`, `\"to\": \"`+mail+`\"`, 1)
	if string(back.Payload) != want {
		t.Fatalf("got\n%s\nwant\n%s", back.Payload, want)
	}
	if back.Results[1].Status != vault.StatusPlace || !strings.HasSuffix(back.Results[1].Pointer, "/arguments/to") {
		t.Fatalf("result %+v", back.Results[1])
	}
}

// TestKeysAndNumbersAreBlocked: a value in the name of a member or in a number
// is refused, and the refusal does not show it.
func TestKeysAndNumbersAreBlocked(t *testing.T) {
	v := vaulttest.New(t)
	for name, c := range map[string]struct{ body, pointer string }{
		"key":    {`{"model":"m","messages":[],"metadata":{"jane.doe@example.com":"x"}}`, "/payload/metadata/<redacted>"},
		"number": {`{"model":"m","messages":[],"metadata":{"card":4111111111111111}}`, "/payload/metadata/card"},
	} {
		_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Payload: []byte(c.body)})
		var public *vault.Error
		if !errors.As(err, &public) || public.Code != vault.CodeInvalid || len(public.Violations) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		if got := public.Violations[0]; got.Field != c.pointer || strings.Contains(got.Rule, "jane") {
			t.Errorf("%s: %+v, want the field %s", name, got, c.pointer)
		}
	}
}

// TestPayloadsThatAreRefused: the rule and the place, never the content.
func TestPayloadsThatAreRefused(t *testing.T) {
	v := vaulttest.New(t)
	for name, req := range map[string]vault.TokenizeRequest{
		"not json":        {Payload: []byte(`{"canary`)},
		"duplicate":       {Payload: []byte(`{"model":"m","messages":[],"messages":["canary"]}`)},
		"unknown shape":   {Payload: []byte(`{}`), Shape: "canary"},
		"deep":            {Payload: []byte(strings.Repeat(`{"canary":`, 500) + "1" + strings.Repeat("}", 500))},
		"with text":       {Payload: []byte(`{}`), Text: vaulttest.Ptr("canary")},
		"shape, no body":  {Text: vaulttest.Ptr("canary"), Shape: "json"},
		"spans in a body": {Payload: []byte(`{}`), Spans: []vault.Span{{Start: 0, End: 1, Entity: "PERSON"}}},
	} {
		req.Scope = "chat"
		_, err := v.Service.Tokenize(context.Background(), v.Gateway(), req)
		var public *vault.Error
		if !errors.As(err, &public) || public.Code != vault.CodeInvalid || len(public.Violations) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(fmt.Sprint(public.Violations), "canary") {
			t.Errorf("%s: the content is in the error", name)
		}
	}
}

// jsonText writes a string as JSON in one of the spellings that there are.
func jsonText(t *rapid.T, s string) string {
	switch rapid.IntRange(0, 2).Draw(t, "spelling") {
	case 0:
		plain, _ := json.Marshal(s)
		return string(plain)
	case 1:
		var b strings.Builder
		for _, r := range s {
			if r > 0xffff {
				r -= 0x10000
				fmt.Fprintf(&b, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
				continue
			}
			fmt.Fprintf(&b, `\u%04X`, r)
		}
		return `"` + b.String() + `"`
	default:
		var buf bytes.Buffer
		encoder := json.NewEncoder(&buf)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(s)
		return strings.ReplaceAll(strings.TrimSuffix(buf.String(), "\n"), "/", `\/`)
	}
}

// TestInvariant3_PayloadRoundTrip: random bodies, with values in strings of
// every spelling and in JSON within strings, come back. Outside of what was
// replaced that is byte for byte; where a value stood, the decoded text is the
// same.
func TestInvariant3_PayloadRoundTrip(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorld(t, v)
	cases := 2_000
	if long() {
		cases = 20_000
	}
	check(t, cases, func(t *rapid.T) {
		body, plain := "{", make([]string, 0, 4)
		for i := range rapid.IntRange(1, 4).Draw(t, "members") {
			text, want := w.text(t)
			plain = append(plain, want)
			if rapid.IntRange(0, 3).Draw(t, "nested") == 0 {
				inner, _ := json.Marshal(map[string]string{"deep": text})
				text = string(inner)
				outer, _ := json.Marshal(map[string]string{"deep": want})
				plain[i] = string(outer)
			}
			if i > 0 {
				body += ", "
			}
			body += fmt.Sprintf("%q :%s", fmt.Sprintf("m%d", i), jsonText(t, text))
		}
		body += rapid.SampledFrom([]string{"}", " }\n", `,"n":1e400,"n":-0}`}).Draw(t, "end")
		out := tokenizeBody(t, v, w.scope, body, "json")
		back := must2r(t)(restoreBody(v, vaulttest.Call("pia", "privacy_officer"), w.scope, "SUBJECT_ACCESS", string(out.Payload), "json"))
		var got map[string]any
		if err := json.Unmarshal([]byte(strings.Replace(string(back.Payload), "1e400", "1", 1)), &got); err != nil {
			t.Fatalf("what came back is no JSON: %v\n%s", err, back.Payload)
		}
		for i, want := range plain {
			text, _ := got[fmt.Sprintf("m%d", i)].(string)
			if text != want && !sameJSON(text, want) {
				t.Fatalf("member %d came back as %q, want %q\nbody %s\ntokens %s", i, text, want, body, out.Payload)
			}
		}
	})
}

// sameJSON compares JSON in a string: around replaced values its escapes may
// be spelled in another way.
func sameJSON(a, b string) bool {
	var x, y map[string]string
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && x["deep"] == y["deep"] && len(x) == 1
}

func must2r(t *rapid.T) func(vault.DetokenizeResult, error) vault.DetokenizeResult {
	return func(got vault.DetokenizeResult, err error) vault.DetokenizeResult { return must(t, got, err) }
}

// TestAgentConversation: twenty turns with a tool, the whole body sent again
// each turn, against a model that echoes, quotes, reorders, truncates and
// invents tokens. Right value or none, no growth, no nesting.
func TestAgentConversation(t *testing.T) {
	v := vaulttest.New(t)
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var history []message
	tokens := make(map[string]bool)
	for turn := range 20 {
		mail := fmt.Sprintf("user%d@example.com", turn%5)
		history = append(history, message{"user", "Write to " + mail + " please"})
		body, err := json.Marshal(map[string]any{"model": "m", "messages": history})
		if err != nil {
			t.Fatal(err)
		}
		out := tokenizeBody(t, v, "agent", string(body), "")
		for _, tok := range out.Tokens {
			tokens[tok.Token] = true
		}
		var seen struct {
			Messages []message `json:"messages"`
		}
		if err := json.Unmarshal(out.Payload, &seen); err != nil {
			t.Fatal(err)
		}
		for _, m := range seen.Messages {
			if strings.Contains(m.Content, "@example.com") {
				t.Fatalf("turn %d: the model saw a value", turn)
			}
		}
		tok := seen.Messages[len(seen.Messages)-1].Content
		tok = tok[strings.IndexByte(tok, '[') : strings.IndexByte(tok, ']')+1]
		other := "0"
		if tok[len(tok)-4] == '0' {
			other = "1"
		}
		invented := tok[:len(tok)-4] + other + tok[len(tok)-3:]
		answer := fmt.Sprintf("> %s\n%s, `%s`; %s %s", tok, tok, strings.ToLower(tok), tok[:len(tok)-4], invented)
		response, err := json.Marshal(map[string]any{"id": "r", "object": "chat.completion", "choices": []any{
			map[string]any{"index": 0, "finish_reason": "stop", "message": message{"assistant", answer}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		back, err := restoreBody(v, v.Gateway(), "agent", "LLM_RESPONSE", string(response), "")
		if err != nil {
			t.Fatal(err)
		}
		left := strings.Count(string(back.Payload), "EMAIL_ADDRESS")
		if n := strings.Count(string(back.Payload), mail); n != 3 || left > 2 || strings.Count(string(back.Payload), "@example.com") != 3 {
			t.Fatalf("turn %d: %d right values in %s", turn, n, back.Payload)
		}
		history = append(seen.Messages, message{"assistant", answer})
	}
	if len(tokens) > 5+20 {
		t.Fatalf("%d different tokens for 5 values and 20 inventions", len(tokens))
	}
}
