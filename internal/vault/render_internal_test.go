package vault

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRender puts values over the tokens of a text of about 2 KB.
func BenchmarkRender(b *testing.B) {
	const token, value = "[EMAIL_ADDRESS_##########]", "erika.mustermann@example.org"
	for _, count := range []int{5, 50} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			part := strings.Repeat("word ", (2<<10)/5/count) + token
			text := strings.Repeat(part, count)
			var parts []splice
			for end := len(part); end <= len(text); end += len(part) {
				parts = append(parts, splice{end - len(token), end, value})
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if got := spliced(text, parts); len(got) != len(text)+count*(len(value)-len(token)) {
					b.Fatal(len(got), "bytes")
				}
			}
		})
	}
}
