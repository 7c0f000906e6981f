package scenario

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/counterfoil/counterfoil/bench/load"
)

const tokenizeWork = "tokenize 5 values" //nolint:gosec // it is what is measured, no credential

// tokenizeValues puts five given values into conversations in rotation, new ones in each
// request.
func (c *core) tokenizeValues(ctx context.Context) error {
	for _, clients := range c.at() {
		var trials []*trial
		for _, f := range c.faces() {
			trials = append(trials, c.trial(f, tokenizeWork, clients, few, func() (load.Do, func(context.Context) error) {
				return c.tokenizing(f, clients, few)
			}))
		}
		if clients == usual {
			trials = append(trials, c.transitEncrypt())
		}
		if err := c.interleave(ctx, trials...); err != nil {
			return err
		}
	}
	return nil
}

// tokenizing sends so many values in each request. When it is over, the last tokens of
// each client are restored: they must give what was sent.
func (c *core) tokenizing(f *face, clients, items int) (load.Do, func(context.Context) error) {
	hands := make([]hand, clients)
	series := c.series.Add(1)
	do := func(ctx context.Context, client int, n int64) error {
		h := &hands[client]
		h.scope = conversation(n)
		h.sent = values(h.sent[:0], series, n, items)
		h.body = valuesBody(h.body[:0], h.scope, h.sent)
		if err := f.post(ctx, f.tokenizePath(), h, http.StatusOK); err != nil {
			return err
		}
		_, err := tokensIn(h.answer.Bytes(), f.tokensMember(), h.sent)
		return err
	}
	after := func(ctx context.Context) error {
		for i := range hands {
			h := &hands[i]
			if len(h.sent) == 0 {
				continue // this client got nothing to do
			}
			tokens, err := tokensIn(h.answer.Bytes(), f.tokensMember(), h.sent)
			if err != nil {
				continue // counted as it happened
			}
			if err := f.restore(ctx, &hand{}, h.scope, tokens, h.sent); err != nil {
				return fmt.Errorf("after the load: %w", err)
			}
		}
		return nil
	}
	return do, after
}

// The two interfaces differ in names only.
func (f *face) tokenizePath() string {
	if f.bearer == "" {
		return "/tokenize"
	}
	return "/v1/tokenize"
}

func (f *face) restorePath() string {
	if f.bearer == "" {
		return "/restore"
	}
	return "/v1/detokenize"
}

func (f *face) tokensMember() string {
	if f.bearer == "" {
		return "tokens"
	}
	return "values"
}

// restore demands that tokens give exactly these values.
func (f *face) restore(ctx context.Context, h *hand, scope string, tokens, want []string) error {
	h.body = f.restoreBody(h.body[:0], scope, tokens)
	if err := f.post(ctx, f.restorePath(), h, http.StatusOK); err != nil {
		return err
	}
	return sameList(h.answer.Bytes(), "values", want)
}

// restoreBody asks for the values of tokens, with a reason where one is asked for.
func (f *face) restoreBody(into []byte, scope string, tokens []string) []byte {
	into = append(append(append(into, `{"scope":"`...), scope...), '"')
	if f.bearer != "" {
		into = append(into, `,"reason":{"code":"LLM_RESPONSE"}`...)
	}
	into = append(into, `,"tokens":[`...)
	for i, t := range tokens {
		if i > 0 {
			into = append(into, ',')
		}
		into = append(append(append(into, '"'), t...), '"')
	}
	return append(into, `]}`...)
}

// conversation is the scope of request n.
func conversation(n int64) string { return "chat-" + strconv.FormatInt(n%conversations, 10) }

// entities of the values, in their order: what a support desk meets.
var entities = [...]string{"EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER", "IBAN_CODE", "LOCATION"}

// values appends values that no other request has: they hold the number of the load and
// of the request. JSON escapes nothing in them.
func values(into []string, series, n int64, items int) []string {
	for i := range items {
		number := strconv.FormatInt(series*1_000_000_000+n*many+int64(i), 10)
		switch i % len(entities) {
		case 0:
			number = "customer." + number + "@example.com"
		case 1:
			number = "Erika Mustermann " + number
		case 2:
			number = "+49 30 " + number
		case 3:
			number = "DE89 3704 0044 " + number
		case 4:
			number = "Long Street " + number + ", Berlin"
		}
		into = append(into, number)
	}
	return into
}

// valuesBody is understood by both faces.
func valuesBody(into []byte, scope string, values []string) []byte {
	into = append(append(append(into, `{"scope":"`...), scope...), `","values":[`...)
	for i, v := range values {
		if i > 0 {
			into = append(into, ',')
		}
		into = append(append(into, `{"entity":"`...), entities[i%len(entities)]...)
		into = append(append(append(into, `","value":"`...), v...), `"}`...)
	}
	return append(into, `]}`...)
}
