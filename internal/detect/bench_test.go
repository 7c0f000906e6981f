package detect_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

const prompt = `Please summarise the minutes of Tuesday's meeting in three paragraphs: what was decided, who does what, and
which of the 14 open points moved to the next sprint. Keep the tone of our last newsletter. The budget of $12,500 was
approved (see page 3); the vendor asked for 30 days. Ada will send the revised plan to the team by 2023-11-24, 10:30.
`

// sized repeats a text up to a size.
func sized(text string, size int) string {
	return strings.Repeat(text, size/len(text)+1)[:size]
}

func benchmark(b *testing.B, text string) { benchmarkWith(b, detect.Options{}, text) }

func benchmarkWith(b *testing.B, opts detect.Options, text string) {
	d := newDetector(b, opts)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Find(context.Background(), text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPrompt2kB is a usual prompt, with and without names: what has digits
// and prefixes costs little beside what has only words.
func BenchmarkPrompt2kB(b *testing.B) {
	text := sized(prompt+letter, 2<<10)
	b.Run("structured", func(b *testing.B) {
		var structured []string
		for _, e := range detect.DefaultEntities() {
			if e != detect.Person && e != detect.Location {
				structured = append(structured, e)
			}
		}
		benchmarkWith(b, detect.Options{Entities: structured}, text)
	})
	b.Run("names", func(b *testing.B) { benchmark(b, text) })
}

func BenchmarkFindProse4kB(b *testing.B) { benchmark(b, sized(prompt, 4<<10)) }

// Typographic quotes and hyphens make every offset of the text move.
func BenchmarkFindUnicode4kB(b *testing.B) {
	benchmark(b, strings.ToValidUTF8(sized(strings.ReplaceAll(prompt, " ", "\u00a0"), 4<<10), ""))
}

func BenchmarkFindLetters4kB(b *testing.B) { benchmark(b, sized(letter, 4<<10)) }

func BenchmarkFindCode(b *testing.B) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		b.Fatal("no sources beside the test", err)
	}
	var code strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		code.Write(text)
	}
	benchmark(b, code.String())
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := detect.New(detect.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Every other letter of Russian looks like a Latin one.
func BenchmarkFindCyrillic4kB(b *testing.B) {
	benchmark(b, strings.ToValidUTF8(sized("Позвоните, пожалуйста, завтра утром в наш новый офис: там расскажут, как всё устроено. ", 4<<10), ""))
}
