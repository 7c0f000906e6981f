package stream

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// form is the frame in which a tail goes out: what stands before it and behind.
type form struct{ before, after string }

// The members that the frame for a tail takes over from the channel's last
// delta: those that say which text it is. Everything else, names and ids of calls
// above all, was said before, and clients that join what they get would have it
// twice.
var (
	keptAtRoot = names(`id object created model system_fingerprint service_tier provider type item_id output_index
		content_index summary_index sequence_number index responseId modelVersion created_at done`)
	keptBelow = names("index type role thought")
)

func names(list string) map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(list) {
		out[name] = true
	}
	return out
}

// formOf makes the form of the frame that has a delta at a node. It is that frame
// with nothing in it but what is on the way to the delta.
func formOf(f *frame, t *payload.Tree, node payload.Node) form {
	before, after := "data: ", f.eol+f.eol
	if f.bare {
		before, after = "", f.eol
	}
	if kind := wordOf(t, payload.Root, "type"); kind == anthropicStart {
		return startForm(t, before, after, f)
	}
	if f.event != "" && len(f.event) <= MaxName {
		before = "event: " + f.event + f.eol + before
	}
	var b strings.Builder
	at, _ := t.Span(node)
	p := pruner{tree: t, target: at, out: &b}
	p.value(payload.Root, keptAtRoot)
	text := b.String()
	return form{before + text[:p.cut], text[p.cut:] + after}
}

// startForm is the form of a block whose only text so far stood where it starts.
// A copy would start it again.
func startForm(t *payload.Tree, before, after string, f *frame) form {
	index := "0"
	if n, ok := t.Member(payload.Root, "index"); ok && t.IsScalar(n) && len(t.Raw(n)) <= MaxName {
		index = t.Raw(n)
	}
	if f.event != "" {
		before = "event: " + anthropicDelta + f.eol + before
	}
	return form{
		before + `{"type":"` + anthropicDelta + `","index":` + index + `,"delta":{"type":"text_delta","text":"`,
		`"}}` + after,
	}
}

// pruner writes the way to a value.
type pruner struct {
	tree   *payload.Tree
	target int // where the value begins
	out    *strings.Builder
	cut    int // where in out its text belongs
}

// value writes a value that the target is in, or is. It recurses no deeper than
// the frames of the APIs go.
func (p *pruner) value(n payload.Node, kept map[string]bool) {
	t := p.tree
	switch {
	case t.IsArray(n):
		p.out.WriteByte('[')
		for i := range t.Items(n) {
			if p.holds(i) {
				p.value(i, keptBelow)
			}
		}
		p.out.WriteByte(']')
	case t.IsObject(n):
		p.out.WriteByte('{')
		comma := ""
		for k := range t.Members(n) {
			on := p.holds(k + 1)
			if name, _ := t.Text(k); !on && !keeps(t, k, name, kept) {
				continue
			}
			p.out.WriteString(comma + t.Raw(k) + ":")
			if comma = ","; on {
				p.value(k+1, keptBelow)
			} else {
				p.out.WriteString(t.Raw(k + 1))
			}
		}
		p.out.WriteByte('}')
	default:
		p.out.WriteByte('"')
		p.cut = p.out.Len()
		p.out.WriteByte('"')
	}
}

// keeps says whether a member that is not on the way is taken over.
func keeps(t *payload.Tree, k payload.Node, name string, kept map[string]bool) bool {
	raw := t.Raw(k + 1)
	if name == "finish_reason" {
		return raw == "null" || raw == `""`
	}
	return kept[name] && t.IsScalar(k+1) && len(raw) <= MaxName
}

func (p *pruner) holds(n payload.Node) bool {
	start, end := p.tree.Span(n)
	return start <= p.target && p.target < end
}
