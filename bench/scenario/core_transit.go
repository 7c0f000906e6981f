package scenario

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	encryptWork = "transit alone: encrypt, one call for each value"
	decryptWork = "transit alone: decrypt 50, one call"
	transitKey  = "bench"
	// batches of ciphertexts that are decrypted in rotation.
	batches = 100
)

// transit is the key service by itself, as people use it who have no service before it:
// no store, no policy, and its own audit file, which it does not sync.
func (c *core) transit() *face {
	return &face{
		of: system.Transit, on: &system.Service{Name: system.Transit, URL: c.Site.TransitURL()},
		client: c.service.client, bearer: c.Site.TransitToken(),
	}
}

func (c *core) newTransitKey(ctx context.Context) error {
	if err := c.transit().post(ctx, "/v1/transit/keys/"+transitKey, &hand{body: []byte(`{"type":"aes256-gcm96"}`)}, http.StatusOK); err != nil {
		return fmt.Errorf("scenario: the key of transit: %w", err)
	}
	return nil
}

// transitEncrypt encrypts the values that tokenize 5 values sends, each with a call of
// its own.
func (c *core) transitEncrypt() *trial {
	f := c.transit()
	once := func() (load.Do, func(context.Context) error) {
		hands := make([]hand, usual)
		series := c.series.Add(1)
		return func(ctx context.Context, client int, n int64) error {
			h := &hands[client]
			h.sent = values(h.sent[:0], series, n/few, few)
			h.body = append(plaintext(append(h.body[:0], '{'), h.sent[n%few]), '}')
			if err := f.post(ctx, "/v1/transit/encrypt/"+transitKey, h, http.StatusOK); err != nil {
				return err
			}
			if !bytes.Contains(h.answer.Bytes(), []byte(ciphertextMark)) {
				return fmt.Errorf("%w: there is no ciphertext", errAnswer)
			}
			return nil
		}, nil
	}
	return c.trial(f, encryptWork, usual, 1, once)
}

// transitDecrypt decrypts fifty values with each call.
func (c *core) transitDecrypt(ctx context.Context) (*trial, error) {
	f := c.transit()
	requests, wants := make([][]byte, batches), make([][]byte, batches)
	series := c.series.Add(1)
	h := &hand{}
	for n := range requests {
		h.sent = values(h.sent[:0], series, int64(n), many)
		h.body = batch(h.body[:0], h.sent)
		if err := f.post(ctx, "/v1/transit/encrypt/"+transitKey, h, http.StatusOK); err != nil {
			return nil, fmt.Errorf("scenario: what transit decrypts: %w", err)
		}
		sealed := members(h.answer.Bytes(), ciphertextMark)
		if len(sealed) != many {
			return nil, fmt.Errorf("scenario: transit: %w: %d ciphertexts", errAnswer, len(sealed))
		}
		requests[n], wants[n] = decryptBody(sealed), batch(nil, h.sent)
	}
	once := func() (load.Do, func(context.Context) error) {
		hands := make([]hand, usual)
		return func(ctx context.Context, client int, n int64) error {
			h := &hands[client]
			h.body = requests[n%batches]
			if err := f.post(ctx, "/v1/transit/decrypt/"+transitKey, h, http.StatusOK); err != nil {
				return err
			}
			got, want := members(h.answer.Bytes(), plaintextMark), members(wants[n%batches], plaintextMark)
			if len(got) != many || len(want) != many {
				return fmt.Errorf("%w: %d plaintexts", errAnswer, len(got))
			}
			for i := range got {
				if !bytes.Equal(got[i], want[i]) {
					return fmt.Errorf("%w: plaintext %d is another", errAnswer, i)
				}
			}
			return nil
		}, nil
	}
	return c.trial(f, decryptWork, usual, many, once), nil
}

// How the interesting member of an answer begins. A ciphertext has its prefix, so that an
// error that names the member is none.
const (
	plaintextMark  = `"plaintext":"`
	ciphertextMark = `"ciphertext":"vault:`
)

func plaintext(into []byte, value string) []byte {
	into = append(into, plaintextMark...)
	into = base64.StdEncoding.AppendEncode(into, []byte(value))
	return append(into, '"')
}

// batch is a batch_input of plaintexts.
func batch(into []byte, values []string) []byte {
	into = append(into, `{"batch_input":[`...)
	for i, v := range values {
		if i > 0 {
			into = append(into, ',')
		}
		into = append(plaintext(append(into, '{'), v), '}')
	}
	return append(into, `]}`...)
}

func decryptBody(sealed [][]byte) []byte {
	into := []byte(`{"batch_input":[`)
	for i, s := range sealed {
		if i > 0 {
			into = append(into, ',')
		}
		into = append(append(append(into, `{"ciphertext":"vault:`...), s...), `"}`...)
	}
	return append(into, `]}`...)
}

// members are what follows each mark, up to the quote.
func members(text []byte, mark string) [][]byte {
	all := make([][]byte, 0, many)
	for {
		_, rest, more := bytes.Cut(text, []byte(mark))
		if !more {
			return all
		}
		value, tail, _ := bytes.Cut(rest, []byte{'"'})
		all, text = append(all, value), tail
	}
}
