package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// spanCache remembers where detection found what in a text that came before: a
// gateway sends the whole history each turn. It holds offsets, entities and
// scores, never the text nor a value, under an HMAC of the text with a key that
// this process made and nobody else has. The HMAC is over the tenant, too: how
// long an answer takes tells nobody what another tenant sent.
//
// What is remembered is what the same detector found in the same bytes with
// the same ranges taken out; what the policy makes of it is decided anew each
// time, still its version is part of the key, so that nothing outlives a
// change of it. A detection that failed is not remembered.
type spanCache struct {
	detector *detect.Detector
	texts    *lru.Cache[[sha256.Size]byte, []detect.Span]
	macs     sync.Pool
}

func newSpanCache(d *detect.Detector) (*spanCache, error) {
	var key [sha256.Size]byte
	// crypto/rand.Read never fails since Go 1.24.
	_, _ = rand.Read(key[:])
	texts, err := lru.New[[sha256.Size]byte, []detect.Span](SpanCacheTexts)
	if err != nil {
		return nil, err
	}
	c := &spanCache{detector: d, texts: texts}
	c.macs.New = func() any { return hmac.New(sha256.New, key[:]) }
	return c, nil
}

// find is detection in a text around ranges that are spoken for, or what it
// gave the last time. The answer is the caller's to read, not to change.
func (c *spanCache) find(ctx context.Context, j *tokenizeJob, text string, reserved [][2]int) ([]detect.Span, error) {
	if len(text) < SpanCacheBytes || j.s.faults.ignoreSpanCache {
		return c.detector.FindReserved(ctx, text, reserved)
	}
	key := c.key(j.call.Caller.Tenant, j.s.rules().Version(), text, reserved)
	if spans, known := c.texts.Get(key); known {
		return spans, nil
	}
	spans, err := c.detector.FindReserved(ctx, text, reserved)
	if err == nil && len(spans) <= SpanCacheSpans {
		c.texts.Add(key, spans)
	}
	return spans, err
}

// key authenticates all that an answer depends on, each part with its length.
func (c *spanCache) key(tenant, policy, text string, reserved [][2]int) (key [sha256.Size]byte) {
	mac, _ := c.macs.Get().(hash.Hash)
	defer c.macs.Put(mac)
	mac.Reset()
	var n [8]byte
	number := func(v int) {
		binary.BigEndian.PutUint64(n[:], uint64(v)) //nolint:gosec // lengths and offsets are not negative
		_, _ = mac.Write(n[:])                      // a hash never fails
	}
	for _, part := range [...]string{tenant, policy, c.detector.Version(), text} {
		number(len(part))
		_, _ = io.WriteString(mac, part)
	}
	for _, r := range reserved {
		number(r[0])
		number(r[1])
	}
	mac.Sum(key[:0])
	return key
}

// forget drops everything.
func (c *spanCache) forget() { c.texts.Purge() }
