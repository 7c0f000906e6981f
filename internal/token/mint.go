package token

import (
	"fmt"
	"io"
)

// maxDraws bounds the draws of one Mint. A good source needs more than one draw
// in 6% of the cases and 64 never (0.06^64); a broken one that repeats itself
// must end in an error and not in a loop.
const maxDraws = 64

// Mint makes a token with a random id from rand, which is crypto/rand.Reader
// outside tests. Ids without a digit from 2 to 9 or without a letter are drawn
// again, so that every minted token can be repaired: see telling. That leaves 39.9 of 40 and 127.99 of 128 bits.
func Mint(f Format, entity string, rand io.Reader) (Token, error) {
	for range maxDraws {
		id, err := drawID(f, rand)
		if err != nil {
			return Token{}, err
		}
		t, err := FromID(f, entity, id)
		if err != nil {
			return Token{}, err
		}
		var room [maxIDChars]byte
		if telling(t.symbols(&room)) {
			return t, nil
		}
	}
	return Token{}, fmt.Errorf("%w: it repeats itself", ErrRandom)
}

// telling says whether id and check characters hold a digit from 2 to 9 and a
// letter, as tolerant reading demands: words of prose have no digits (0 and 1
// may be letters that were repaired), telephone numbers have no letters.
func telling(symbols []byte) bool {
	var digit, letter bool
	for _, s := range symbols {
		digit = digit || s >= 2 && s <= 9
		letter = letter || s > 9
	}
	return digit && letter
}

// drawID reads as many random bits as the format holds.
func drawID(f Format, rand io.Reader) (string, error) {
	var raw [16]byte
	switch f {
	case FormatLabel:
		if _, err := io.ReadFull(rand, raw[:5]); err != nil {
			return "", fmt.Errorf("%w: %w", ErrRandom, err)
		}
		return encode(raw[:5], labelIDChars, false), nil
	case FormatOpaque:
		if _, err := io.ReadFull(rand, raw[:]); err != nil {
			return "", fmt.Errorf("%w: %w", ErrRandom, err)
		}
		return encode(raw[:], opaqueIDChars, true), nil
	default:
		return "", ErrFormat
	}
}

// encode writes a big-endian number in base 32, padded with zero bits in front.
func encode(raw []byte, length int, small bool) string {
	out := make([]byte, length)
	for i := range out {
		var symbol byte
		first := (length-i)*bitsPerSymbol - 1 // the highest bit of this symbol, counted from the end
		for bit := first; bit > first-bitsPerSymbol; bit-- {
			symbol <<= 1
			if at := len(raw) - 1 - bit/8; at >= 0 {
				symbol |= raw[at] >> (bit % 8) & 1
			}
		}
		out[i] = crockford[symbol]
		if small {
			out[i] = lower(out[i])
		}
	}
	return string(out)
}
