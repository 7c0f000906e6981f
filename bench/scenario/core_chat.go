package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/internal/detect"
)

const (
	chatWork   = "tokenize a chat of 2 KB"
	growWork   = "tokenize a chat that grows"
	detectWork = "detection in a chat of 2 KB"
	// inProcess is what the harness measures in itself.
	inProcess = "in process"
	// turns of a chat that grows: thirteen messages at its end, 2 KB on average.
	turns = 7
	// texts that detection is measured on, in rotation.
	texts = 512
)

// instruction is the first message of each chat, as of an application: short, and the
// same each time.
const instruction = "You help a support desk. Answer in the language of the question, and keep to what you are told."

// chatHand is what one client of chats works with.
type chatHand struct {
	hand
	text  strings.Builder
	chat  []string // the messages of a chat that grows
	turn  int
	prior []byte // the payload that was sent last
}

// chats tokenizes chats in which the service has to find the values, and what the floor
// does for values that it is given.
func (c *core) chats(ctx context.Context) error {
	for _, w := range []struct {
		work string
		next func(h *chatHand, series int64, client int, n int64) (payload []byte, fresh int)
	}{
		{chatWork, freshChat},
		{growWork, growingChat},
	} {
		var trials []*trial
		for _, f := range c.faces() {
			trials = append(trials, c.trial(f, w.work, usual, 0, func() (load.Do, func(context.Context) error) {
				return c.chatting(f, w.next)
			}))
		}
		if err := c.interleave(ctx, trials...); err != nil {
			return err
		}
	}
	return c.detection(ctx)
}

// chatting sends chats. The floor is given the values that are new in each, and so writes
// as many rows as the service.
func (c *core) chatting(f *face, next func(*chatHand, int64, int, int64) ([]byte, int)) (load.Do, func(context.Context) error) {
	hands := make([]chatHand, usual)
	series := c.series.Add(1)
	do := func(ctx context.Context, client int, n int64) error {
		h := &hands[client]
		payload, fresh := next(h, series, client, n)
		if f == c.floor {
			h.body = valuesBody(h.body[:0], h.scope, h.sent[len(h.sent)-fresh:])
			if err := f.post(ctx, f.tokenizePath(), &h.hand, http.StatusOK); err != nil {
				return err
			}
			_, err := tokensIn(h.answer.Bytes(), f.tokensMember(), h.sent[len(h.sent)-fresh:])
			return err
		}
		h.prior = append(h.prior[:0], payload...)
		h.body = payloadBody(h.body[:0], h.scope, payload)
		if err := f.post(ctx, f.tokenizePath(), &h.hand, http.StatusOK); err != nil {
			return err
		}
		return noneOf(h.answer.Bytes(), h.sent)
	}
	after := func(ctx context.Context) error {
		if f == c.floor {
			return nil // what it gives back is checked by the works that restore
		}
		for i := range hands {
			if len(hands[i].prior) == 0 {
				continue // this client got nothing to do
			}
			if err := f.restorePayload(ctx, &hands[i]); err != nil {
				return fmt.Errorf("after the load: %w", err)
			}
		}
		return nil
	}
	return do, after
}

// noneOf demands a token for each value of a chat, and no value.
func noneOf(answer []byte, values []string) error {
	if got := bytes.Count(answer, []byte(`"origin":"`)); got != len(values) {
		return fmt.Errorf("%w: %d tokens for %d values", errAnswer, got, len(values))
	}
	for i, v := range values {
		if bytes.Contains(answer, []byte(v)) {
			return fmt.Errorf("%w: value %d stands in it", errAnswer, i)
		}
	}
	return nil
}

// restorePayload demands the last chat of a client back, byte for byte.
func (f *face) restorePayload(ctx context.Context, h *chatHand) error {
	var made, given struct {
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(h.answer.Bytes(), &made); err != nil || len(made.Payload) == 0 {
		return nil // it was counted as it happened
	}
	asked := &hand{body: append(append([]byte(`{"scope":"`+h.scope+`","reason":{"code":"LLM_RESPONSE"},"payload":`), made.Payload...), '}')}
	if err := f.post(ctx, f.restorePath(), asked, http.StatusOK); err != nil {
		return err
	}
	if err := json.Unmarshal(asked.answer.Bytes(), &given); err != nil {
		return fmt.Errorf("%w: it is no JSON", errAnswer)
	}
	if !bytes.Equal(given.Payload, h.prior) {
		return fmt.Errorf("%w: the chat that came back is another", errAnswer)
	}
	return nil
}

// freshChat is a chat that nobody has seen, with three to five values.
func freshChat(h *chatHand, series int64, _ int, n int64) (payload []byte, fresh int) {
	h.text.Reset()
	h.scope = conversation(n)
	h.sent = message(&h.text, series*1_000_000_000+n, longMessage, 3+int(n%3))
	return chatPayload(nil, h.text.String()), len(h.sent)
}

// growingChat is the next turn of the client's chat: what was said before, an answer, and
// a question with one new value. A gateway sends all of it each time. The floor writes
// the new value.
func growingChat(h *chatHand, series int64, client int, n int64) (payload []byte, fresh int) {
	number := series*1_000_000_000 + n*2
	say := func(values int, number int64) {
		h.text.Reset()
		h.sent = append(h.sent, message(&h.text, number, shortMessage, values)...)
		h.chat = append(h.chat, strings.Clone(h.text.String()))
	}
	if h.turn%turns == 0 {
		h.chat, h.sent = h.chat[:0], h.sent[:0]
		h.scope = "talk-" + strconv.FormatInt(series, 10) + "-" + strconv.Itoa(client) + "-" + strconv.Itoa(h.turn)
	} else {
		say(0, number+1)
	}
	say(1, number)
	h.turn++
	return chatPayload(nil, h.chat...), 1
}

// chatPayload is a request to a model, as OpenAI takes it.
func chatPayload(into []byte, messages ...string) []byte {
	into = append(into, `{"model":"gpt-4o","messages":[{"role":"system","content":"`...)
	into = append(append(into, instruction...), `"}`...)
	for i, text := range messages {
		into = append(into, `,{"role":"`...)
		into = append(into, [...]string{"user", "assistant"}[i%2]...)
		into = append(append(append(into, `","content":"`...), text...), `"}`...)
	}
	return append(into, `]}`...)
}

func payloadBody(into []byte, scope string, payload []byte) []byte {
	into = append(append(append(into, `{"scope":"`...), scope...), `","payload":`...)
	return append(append(into, payload...), '}')
}

// detection measures the detector by itself, in this process and on one core, on texts as
// the chats have them: their share of a request's time.
func (c *core) detection(ctx context.Context) error {
	detector, err := detect.New(detect.Options{})
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	chats := make([]string, texts)
	series := c.series.Add(1)
	for n := range chats {
		var h chatHand
		freshChat(&h, series, 0, int64(n))
		chats[n] = h.text.String()
	}
	do := func(ctx context.Context, _ int, n int64) error {
		for _, text := range []string{instruction, chats[n%texts]} {
			if _, err := detector.Find(ctx, text); err != nil {
				return errors.New("detection failed")
			}
		}
		return nil
	}
	return c.measure(ctx, report.Measurement{Work: detectWork, Of: inProcess, Load: loadOf(1)}, nil,
		func(ctx context.Context, plan load.Plan) (load.Result, error) {
			plan.Clients = 1
			return load.Closed(ctx, plan, do)
		})
}
