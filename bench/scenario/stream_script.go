package scenario

import (
	"fmt"
	"strconv"
	"strings"
)

// deltaKind is what the delta of a frame holds.
type deltaKind uint8

const (
	deltaWord  deltaKind = iota // a word
	deltaValue                  // a token, or what makes one whole that began in the frame before
	deltaOpens                  // the beginning of a token, which is held back until the next frame
)

// answerScript is the answer of a model in chat deltas: words, and in each tenth frame a
// value, every other one of them cut in two. A model cuts tokens as it cuts words.
type answerScript struct {
	token, value string
	frames       int // that it has
	phase        int // how much earlier than others it says its values, in frames
}

// Frames that hold a value, and where those that are cut are.
const (
	valueEvery = 10
	cutAt      = 7 // bytes of the token that stand in the frame before: within its label
)

var answerWords = strings.Fields("the quarterly report went out to every person on the list and most of them answered within a day")

// delta is the text of frame n, and what it is.
func (s answerScript) delta(n int) (string, deltaKind) {
	round, place := (n+s.phase)/valueEvery, (n+s.phase)%valueEvery
	cut, value := round%2 == 1, n+valueEvery-1-place // where the value of this round ends
	switch {
	case value < 2 || value >= s.frames: // it would begin before the answer, or end behind it
	case n == value && cut:
		return s.token[cutAt:] + " ", deltaValue
	case n == value:
		return s.token + " ", deltaValue
	case n == value-1 && cut:
		return s.token[:cutAt], deltaOpens
	}
	return answerWords[n%len(answerWords)] + " ", deltaWord
}

// frame appends frame n: its number is in a member that passes as it is.
func (s answerScript) frame(dst []byte, n int) []byte {
	text, _ := s.delta(n)
	dst = append(dst, `data: {"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_fc9f1d7035",`+
		`"choices":[{"index":0,"delta":{"content":"`...)
	dst = append(dst, text...)
	return append(dst, `"},"logprobs":null,"finish_reason":null}]}`+"\n\n"...)
}

const lastFrame = "data: [DONE]\n\n"

// said is the whole text with the values in it.
func (s answerScript) said() string {
	var b strings.Builder
	for i := range s.frames {
		text, _ := s.delta(i)
		b.WriteString(text)
	}
	return strings.ReplaceAll(b.String(), s.token, s.value)
}

// readFrame takes the number and the text of a frame out of its line. They have no
// escapes, being ours.
func readFrame(line string) (n int, text string, err error) {
	_, rest, _ := strings.Cut(line, `"created":`)
	number, rest, _ := strings.Cut(rest, ",")
	_, rest, numbered := strings.Cut(rest, `"content":"`)
	text, _, whole := strings.Cut(rest, `"`)
	if n, err = strconv.Atoi(number); err != nil || !numbered || !whole {
		return 0, "", fmt.Errorf("scenario: a frame that was not sent so, %d bytes", len(line))
	}
	return n, text, nil
}
