package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/payload"
)

// payloadMember is the member of a request that is not ours to read: a body of
// a provider, whose bytes matter. It may hold what we refuse elsewhere, such
// as duplicate names, 1e400 and unpaired surrogates.
const payloadMember = "payload"

// cutPayload takes the value of the first member "payload" out of a body and
// leaves an empty object in its place, so that the rest can be read strictly.
// A second member of the name stays, and is refused there. A body that cannot
// be cut is left as it is: reading it strictly says what is wrong.
func cutPayload(body []byte) (rest, cut []byte) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return body, nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return body, nil
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return body, nil
		}
		if name != payloadMember {
			continue
		}
		if len(value) == 0 || value[0] != '{' {
			return body, nil // the document says what it must be
		}
		end := int(decoder.InputOffset())
		start := end - len(value)
		rest = append(append(append(make([]byte, 0, len(body)), body[:start]...), "{}"...), body[end:]...)
		return rest, body[start:end]
	}
	return body, nil
}

// withPayload is an answer that holds a body of a provider byte for byte: the
// encoder would take its white space away. The rest is encoded with a stand-in
// that nothing else in the answer can hold, since it is made of the request's
// own random id and quotes, which are escaped everywhere else.
type withPayload struct {
	reply
	payload []byte
}

// answer is the reply to an operation that may have a payload.
func answer(body any, raw []byte) answerReply {
	if raw == nil {
		return ok(body)
	}
	return withPayload{ok(body), raw}
}

// answerReply is what the operations with a payload answer.
type answerReply interface {
	gen.TokenizeResponseObject
	gen.DetokenizeResponseObject
	gen.RedeemRestorationResponseObject
}

// standIn is what is encoded in place of a payload.
func standIn(requestID string) *gen.PayloadAnswer {
	raw := gen.PayloadAnswer(fmt.Sprintf("{%q:%q}", payloadMember, requestID))
	return &raw
}

func (r withPayload) write(w http.ResponseWriter) error {
	encoded, err := encodeJSON(r.body)
	if err != nil {
		return err
	}
	before, after, found := bytes.Cut(encoded, []byte(*r.standsIn()))
	if !found {
		return fmt.Errorf("httpapi: an answer lost its payload")
	}
	return writeBytes(w, r.status, jsonType, bytes.Join([][]byte{before, r.payload, after}, nil))
}

// standsIn is the stand-in of the answer.
func (r withPayload) standsIn() *gen.PayloadAnswer {
	switch body := r.body.(type) {
	case gen.TokenizeAnswer:
		return body.Payload
	case gen.DetokenizeAnswer:
		return body.Payload
	default:
		panic("httpapi: an answer that has no payload")
	}
}

// VisitTokenizeResponse writes the answer.
func (r withPayload) VisitTokenizeResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDetokenizeResponse writes the answer.
func (r withPayload) VisitDetokenizeResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRedeemRestorationResponse writes the answer.
func (r withPayload) VisitRedeemRestorationResponse(w http.ResponseWriter) error { return r.write(w) }

func coverage(m *payload.Manifest) *gen.Coverage {
	if m == nil {
		return nil
	}
	c := &gen.Coverage{
		Shape: string(m.Shape), Scanned: make([]gen.ScannedPart, len(m.Scanned)), Skipped: make([]gen.SkippedPart, len(m.Skipped)),
	}
	for i, s := range m.Scanned {
		c.Scanned[i] = gen.ScannedPart{Pointer: s.Pointer, Kind: gen.ScannedPartKind(s.Kind)}
	}
	for i, s := range m.Skipped {
		c.Skipped[i] = gen.SkippedPart{Pointer: s.Pointer, Why: gen.SkippedPartWhy(s.Why)}
	}
	return c
}
