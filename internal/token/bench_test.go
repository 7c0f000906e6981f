package token_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
)

const benchProse = "The quarterly report went out to every person on the list, and most of them " +
	"answered within a day. If you can\u2019t find yours, ask the location manager: she keeps copies " +
	"of all e-mail addresses, phone numbers and passport scans in the US office (third floor). " +
	"See https://example.com/help for details; it costs 12.50 EUR a month, or 3% less per year.\n\n"

// benchText is 4 KB of prose with some tokens in it.
func benchText(b *testing.B, tokens int) string {
	m := newMinter(b, shippedLabels(b))
	text := strings.Repeat(benchProse, 1+4096/len(benchProse))[:4096]
	if tokens == 0 {
		return text
	}
	step := len(text) / tokens
	var out strings.Builder
	for i := range tokens {
		part := text[i*step : (i+1)*step]
		cut := strings.LastIndexByte(part, ' ') + 1
		out.WriteString(part[:cut] + m.label().String() + " " + part[cut:])
	}
	return out.String()
}

func benchScan(b *testing.B, text string) {
	v := vocabulary(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		v.Scan(text)
	}
}

func BenchmarkScanProse(b *testing.B) { benchScan(b, benchText(b, 0)) }

func BenchmarkScan20Tokens(b *testing.B) { benchScan(b, benchText(b, 20)) }

func BenchmarkScanNearTokens(b *testing.B) {
	for name, text := range nearTokens(1 << 20) {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) { benchScan(b, text) })
	}
}

func BenchmarkTokenLikeProse(b *testing.B) {
	v, text := vocabulary(b), benchText(b, 0)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		v.TokenLike(text)
	}
}

// BenchmarkStream pushes chunks as long as the deltas of a model.
func BenchmarkStream(b *testing.B) {
	v, text := vocabulary(b), []byte(benchText(b, 20))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := v.Stream()
		for i := 0; i < len(text); i += 16 {
			s.Push(text[i:min(i+16, len(text))])
		}
		s.Flush()
	}
}

func BenchmarkMint(b *testing.B) {
	source := seed(b.Name())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := token.Mint(token.FormatLabel, "EMAIL_ADDRESS", source); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanOne(b *testing.B) {
	v, text := vocabulary(b), newMinter(b, shippedLabels(b)).label().String()
	b.ReportAllocs()
	for b.Loop() {
		if found := v.Scan(text); len(found) != 1 {
			b.Fatal(len(found), "tokens")
		}
	}
}
