package envelope_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

func BenchmarkSeal64(b *testing.B) {
	k, at, plain := knownKey(b, "key"), place(), make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(at, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen64(b *testing.B) {
	k, at := knownKey(b, "key"), place()
	sealed, err := k.Seal(at, make([]byte, 64))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(at, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentity(b *testing.B) {
	k, value := newIndexKey(b), []byte("somebody@example.com")
	b.ReportAllocs()
	for b.Loop() {
		k.Identity("5c0pe5c0pe5c0pe5c0pe5c0pe5c0pe5c", "EMAIL_ADDRESS", "label", value)
	}
}

func BenchmarkCacheHit(b *testing.B) {
	w := wraptest.NewMemory()
	keys := stored(fresh(b, w, tenant, 1))
	c := newCache(b, envelope.CacheConfig{})
	b.ReportAllocs()
	for b.Loop() {
		if opened := get(b, c, w, tenant, keys...); opened[0].Err != nil {
			b.Fatal(opened[0].Err)
		}
	}
}

// BenchmarkPoolTake takes faster than any service would: it measures the
// refills too, which then are the most of it.
func BenchmarkPoolTake(b *testing.B) {
	p := newPool(b, wraptest.NewMemory(), envelope.PoolConfig{})
	b.ReportAllocs()
	for b.Loop() {
		take(b, p, tenant)
	}
}
