package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// job is what testdata/chat.mjs does, and got what it says of each call.
type job struct {
	Base         string    `json:"base"`
	Conversation string    `json:"conversation,omitempty"`
	Calls        []request `json:"calls"`
}

type request struct {
	API    string          `json:"api"`
	Stream bool            `json:"stream,omitempty"`
	Body   json.RawMessage `json:"body"`
}

type got struct {
	Pieces  int     `json:"pieces"`
	Message message `json:"message"`
	Finish  string  `json:"finish"`
	Error   string  `json:"error"`
	Status  int     `json:"status"`
}

type message struct {
	Content   string     `json:"content"`
	ToolCalls []toolCall `json:"tool_calls"`
}

type toolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// application runs the official openai package.
func application(t *testing.T, j job) []got {
	t.Helper()
	modules := os.Getenv("OPENAI_MODULES")
	if _, err := os.Stat(filepath.Join(modules, "openai", "package.json")); modules == "" || err != nil {
		t.Skip("OPENAI_MODULES does not name the modules of the openai package: make test installs it where there are npm and its registry")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node here: make deps installs it")
	}
	in, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "chat.mjs"))
	cmd.Env, cmd.Stdin = append(os.Environ(), "OPENAI_MODULES="+modules), bytes.NewReader(in)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	var answers []got
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil || len(answers) != len(j.Calls) {
		t.Fatalf("%d answers, %v\n%s", len(answers), err, out.Bytes())
	}
	return answers
}

const asked = "I am " + mail + ", my card is " + card + " and my account " + iban + ". Tell them."

// chatBody is a chat completion with two tools.
func chatBody(messages ...string) json.RawMessage {
	tool := func(name, properties string) string {
		return `{"type":"function","function":{"name":"` + name + `","description":"Does it.","parameters":{"type":"object","properties":{` + properties + `}}}}`
	}
	return json.RawMessage(`{"model":"gpt-x","messages":[{"role":"system","content":"You are at a help desk."},` + strings.Join(messages, ",") + `],"tools":[` +
		tool("send_mail", `"to":{"type":"string"},"text":{"type":"string"}`) + `,` + tool("look_up", `"email":{"type":"string"}`) + `]}`)
}

func user(text string) string { return `{"role":"user","content":` + quoted(text) + `}` }

// TestOpenAI: to the official package nothing has changed. It has the values in prose,
// in a stream and at once, and in the arguments of the tool that the policy names; a
// link and another tool have tokens. The model has seen no value.
func TestOpenAI(t *testing.T) {
	w := newWorld(t, vaulttest.New(t, vaulttest.WithPolicy(withTool(t, "send_mail"))), toChat)
	answers := application(t, job{Base: w.gateway.URL, Calls: []request{
		{"chat", true, chatBody(user(asked))}, {"chat", false, chatBody(user(asked))},
	}})
	for i, answer := range answers {
		token := tokensIn(w.model.body(i))["EMAIL_ADDRESS"]
		want := message{Content: said(mail, card, iban, token), ToolCalls: make([]toolCall, 2)}
		want.ToolCalls[0].ID, want.ToolCalls[1].ID = "call_0", "call_1"
		want.ToolCalls[0].Function.Name, want.ToolCalls[1].Function.Name = "send_mail", "look_up"
		want.ToolCalls[0].Function.Arguments = sendArguments(mail, card)
		want.ToolCalls[1].Function.Arguments = lookArguments(token)
		if diff := cmp.Diff(want, answer.Message); diff != "" || token == "" {
			t.Errorf("call %d, %+v:\n%s", i, answer, diff)
		}
		for _, c := range answer.Message.ToolCalls {
			if !json.Valid([]byte(c.Function.Arguments)) {
				t.Errorf("call %d: the arguments of %s are no JSON", i, c.Function.Name)
			}
		}
	}
	if answers[0].Pieces < 100 || answers[0].Finish != "tool_calls" {
		t.Errorf("it came in %d pieces and ended with %q", answers[0].Pieces, answers[0].Finish)
	}
	if known := w.model.knows(); len(known) > 0 || !bytes.Contains(w.model.seen.Bytes(), []byte("Bearer "+apiID)) {
		t.Errorf("the model has seen %d values", len(known))
	}
	w.sound(t)
}

// TestOpenAI_Twin: without the gateway the model knows all of it, so what is looked
// for would be found; and where the policy names no tool, no tool has a value.
func TestOpenAI_Twin(t *testing.T) {
	w := newWorld(t, vaulttest.New(t), toChat)
	answer := application(t, job{Base: w.gateway.URL, Calls: []request{{"chat", true, chatBody(user(asked))}}})[0]
	tokens := tokensIn(w.model.body(0))
	if calls := answer.Message.ToolCalls; len(calls) != 2 || calls[0].Function.Arguments != sendArguments(tokens["EMAIL_ADDRESS"], tokens["CREDIT_CARD"]) {
		t.Errorf("%+v", answer)
	}
	if known := w.model.knows(); len(known) > 0 {
		t.Errorf("the model has seen %d values", len(known))
	}
	application(t, job{Base: w.behind.URL, Calls: []request{{"chat", true, chatBody(user(asked))}}})
	if known := w.model.knows(); len(known) != len(values) {
		t.Errorf("without the gateway the model has seen %d values", len(known))
	}
}

// TestOpenAIResponses: the other API of the package, whose events repeat the text.
func TestOpenAIResponses(t *testing.T) {
	w := newWorld(t, vaulttest.New(t), toResponses)
	answer := application(t, job{Base: w.gateway.URL, Calls: []request{
		{"responses", true, json.RawMessage(`{"model":"gpt-x","input":` + quoted(asked) + `}`)},
	}})[0]
	want := said(mail, card, iban, tokensIn(w.model.body(0))["EMAIL_ADDRESS"])
	if answer.Message.Content != want || answer.Pieces < 50 {
		t.Errorf("%+v\nwant %q", answer, want)
	}
	if known := w.model.knows(); len(known) > 0 {
		t.Errorf("the model has seen %d values", len(known))
	}
	w.sound(t)
}

// TestOpenAIConversation: the application sends its history with the values in it, as
// it got them. In a conversation that has a name they have the tokens that they had;
// under the name of somebody else's conversation, or without one, they have others.
func TestOpenAIConversation(t *testing.T) {
	w := newWorld(t, vaulttest.New(t), toChat)
	first := chatBody(user(asked))
	second := chatBody(user(asked), `{"role":"assistant","content":`+quoted(said(mail, card, iban, "x"))+`}`, user("Again, to "+mail))
	for _, j := range []job{
		{Conversation: "desk-7", Calls: []request{{"chat", true, first}, {"chat", true, second}}},
		{Calls: []request{{"chat", true, first}, {"chat", true, first}}},
	} {
		j.Base = w.gateway.URL
		for i, answer := range application(t, j) {
			if !strings.Contains(answer.Message.Content, mail) {
				t.Errorf("call %d: %+v", i, answer)
			}
		}
	}
	var tokens []string
	for i := range w.model.requests() {
		tokens = append(tokens, tokensIn(w.model.body(i))["EMAIL_ADDRESS"])
	}
	if len(tokens) != 4 || tokens[0] != tokens[1] || tokens[1] == tokens[2] || tokens[2] == tokens[3] {
		t.Errorf("%q", tokens)
	}
	of := func(key, conversation string) string {
		h := http.Header{}
		h.Set("Authorization", key)
		h.Set("X-Conversation", conversation)
		return scopeOf(h)
	}
	names := map[string]bool{}
	for i := range 3 {
		names[of("Bearer a", "desk-7")], names[of("Bearer b", "desk-7")], names[of("Bearer a", "desk-8")] = true, true, true
		names[of("", "desk-7")+fmt.Sprint(i)], names[of("Bearer a", "")+fmt.Sprint(i)] = true, true
	}
	if len(names) != 3+6 {
		t.Errorf("%d scopes", len(names))
	}
	if known := w.model.knows(); len(known) > 0 {
		t.Errorf("the model has seen %d values", len(known))
	}
	w.sound(t)
}
