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
// What is remembered is what the same detector, and the same analyzer where one
// is asked, found in the same bytes with the same ranges taken out; what the policy makes of it is decided anew each
// time, still its version is part of the key, so that nothing outlives a
// change of it. A detection that failed is not remembered, nor one that an analyzer
// had no part in that should have had.
type spanCache struct {
	detection func(tenant string) Detection
	texts     *lru.Cache[[sha256.Size]byte, detect.Found]
	macs      sync.Pool
}

func newSpanCache(of func(tenant string) Detection) (*spanCache, error) {
	var key [sha256.Size]byte
	// crypto/rand.Read never fails since Go 1.24.
	_, _ = rand.Read(key[:])
	texts, err := lru.New[[sha256.Size]byte, detect.Found](SpanCacheTexts)
	if err != nil {
		return nil, err
	}
	c := &spanCache{detection: of, texts: texts}
	c.macs.New = func() any { return hmac.New(sha256.New, key[:]) }
	return c, nil
}

// find is detection in a part around ranges that are spoken for, or what it
// gave the last time. The answer is the caller's to read, not to change.
func (c *spanCache) find(ctx context.Context, j *tokenizeJob, p *part, reserved [][2]int) (searched, error) {
	tenant := j.call.Caller.Tenant
	d := c.detection(tenant)
	if len(p.text) < SpanCacheBytes && d.Analyze == nil || j.s.faults.ignoreSpanCache {
		return d.search(ctx, p, reserved, j.refuses)
	}
	analyzer := ""
	if d.asks(p) {
		analyzer = "analyzer " + d.AnalyzerVersion
	}
	key := c.key([...]string{tenant, j.s.rules().Version(), d.Detector.Version(), analyzer, p.text}, reserved)
	if found, known := c.texts.Get(key); known {
		return searched{Found: found}, nil
	}
	out, err := d.search(ctx, p, reserved, j.refuses)
	if err == nil && !out.unanalyzed && !out.refused && len(out.Spans)+len(out.Denied)+len(out.Allowed) <= SpanCacheSpans {
		c.texts.Add(key, out.Found)
	}
	return out, err
}

// key authenticates all that an answer depends on, each part with its length.
func (c *spanCache) key(parts [5]string, reserved [][2]int) (key [sha256.Size]byte) {
	mac, _ := c.macs.Get().(hash.Hash)
	defer c.macs.Put(mac)
	mac.Reset()
	var n [8]byte
	number := func(v int) {
		binary.BigEndian.PutUint64(n[:], uint64(v)) //nolint:gosec // lengths and offsets are not negative
		_, _ = mac.Write(n[:])                      // a hash never fails
	}
	for _, part := range parts {
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
