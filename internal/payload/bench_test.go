package payload_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/payload"
)

const (
	benchWords = "The quarterly report went out to every person on the list, and most of them answered\\nwithin " +
		"a day. If you can\u2019t find yours, ask \\\"Jane\\\" at jane.roe@example.com: she keeps copies of all. "
	benchChinese = "\u5b63\u5ea6\u62a5\u544a\u5df2\u53d1\u9001\u7ed9\u540d\u5355\u4e0a\u7684\u6bcf\u4e00\u4e2a\u4eba\uff0c\\n"
)

// chatBody is a conversation of an agent with tools, about size bytes long.
func chatBody(size int, words string) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-4o","messages":[{"role":"system","content":"You are a helpful agent."}`)
	per := min(max(size/20, 200), 8000) / len(words) * len(words)
	for i := 0; b.Len() < size-400; i++ {
		said := strings.Repeat(words, max(per/len(words), 1))
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"}`, said)
		fmt.Fprintf(&b, `,{"role":"assistant","content":null,"tool_calls":[{"id":"call_%d","type":"function",`+
			`"function":{"name":"send_mail","arguments":"{\"to\":\"jane.roe@example.com\",\"subject\":\"Report %d\"}"}}]}`, i, i)
		fmt.Fprintf(&b, `,{"role":"tool","tool_call_id":"call_%d","content":"{\"ok\":true,\"id\":%d}"}`, i, i)
	}
	b.WriteString(`],"temperature":0.2,"stream":false}`)
	return []byte(b.String())
}

// tableBody is plain JSON with many small leaves.
func tableBody(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"rows":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"Jane Roe","email":"jane%d@example.com","phone":4155550%03d}`, i, i, i%1000)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

type benchCase struct {
	name string
	body []byte
	opts payload.Options
}

func benchCases() []benchCase {
	table := payload.Options{Shape: payload.JSON}
	return []benchCase{
		{"chat_2KB", chatBody(2<<10, benchWords), payload.Options{}},
		{"chat_30KB", chatBody(30<<10, benchWords), payload.Options{}},
		{"chat_1MB", chatBody(1<<20, benchWords), payload.Options{}},
		{"chinese_1MB", chatBody(1<<20, benchChinese), payload.Options{}},
		{"table_1MB", tableBody(1 << 20), table},
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			leaves := 0
			for b.Loop() {
				d, err := payload.Parse(c.body, c.opts)
				if err != nil {
					b.Fatal(err)
				}
				leaves = len(d.Leaves())
			}
			b.ReportMetric(float64(leaves), "leaves")
		})
	}
}

// BenchmarkSplice puts a token over every address.
func BenchmarkSplice(b *testing.B) {
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) {
			d := parse(b, c.body, c.opts)
			edits := editsOf(d, "jane.roe@example.com", "[EMAIL_ADDRESS_##########]")
			if c.opts.Shape == payload.JSON {
				edits = editsOf(d, "Jane Roe", "[PERSON_##########]")
			}
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Splice(edits); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(edits)), "edits")
		})
	}
}
