package report

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

//go:embed reading.md
var reading string

// Markdown is the report for people: what it was measured on, what was to be reached and
// was or was not, what was measured, what it cost, and how to read all that.
func (r *Report) Markdown() string {
	var b strings.Builder
	r.head(&b)
	r.goals(&b)
	r.latencies(&b)
	r.costs(&b)
	r.curves(&b)
	r.notes(&b)
	b.WriteString("\n## How to read this\n\n" + reading)
	return b.String()
}

func (r *Report) head(b *strings.Builder) {
	fmt.Fprintf(b, "# What Counterfoil does in a second\n\n")
	fmt.Fprintf(b, "Mode %s, commit %s, begun %s, took %v; %d runs of each measurement.\n\n",
		text(r.Mode), text(r.Commit), r.Began.UTC().Format("2006-01-02 15:04 UTC"), r.Took.Round(time.Second), r.Runs)
	fmt.Fprintf(b, "- Machine: %s\n", pairs(r.Machine, "cpu", "cores", "memory", "disk", "kernel"))
	fmt.Fprintf(b, "- Versions: %s\n", pairs(r.Versions, "counterfoil", "go", "postgresql", "vault"))
}

func (r *Report) goals(b *strings.Builder) {
	if len(r.Goals) == 0 {
		return
	}
	b.WriteString("\n## What had to be reached\n\n")
	count := map[string]int{}
	for _, g := range r.Goals {
		count[g.Verdict]++
	}
	fmt.Fprintf(b, "%d met, %d not met, %d not measured in this mode.\n\n", count[Met], count[NotMet], count[NotMeasured])
	t := newTable(b, "work", "must", "got", "verdict")
	for _, g := range r.Goals {
		verdict := g.Verdict
		if verdict == NotMet {
			verdict = "**" + NotMet + "**" // the ones to look for
		}
		t.row(text(g.Work), text(g.Must), text(orNone(g.Got)), verdict)
	}
}

func (r *Report) latencies(b *strings.Builder) {
	if len(r.Measurements) == 0 {
		return
	}
	b.WriteString("\n## Throughput and latency\n\nLatencies in milliseconds.\n\n")
	t := newTable(b, "work", "load", "of", ">per second", ">share of floor", ">p50", ">p95", ">p99", ">p99.9", ">failed")
	for _, m := range r.byWork() {
		share := none
		if floor := r.floor(m); floor != nil {
			share = Ratio(m.PerSecond, floor.PerSecond).String()
		}
		failed := thousands(fmt.Sprint(m.Failed))
		if m.Refused > 0 {
			failed += ", refused " + thousands(fmt.Sprint(m.Refused))
		}
		t.row(text(m.Work), text(m.Load), text(m.Of), m.PerSecond.String(), share,
			m.P50.String(), m.P95.String(), m.P99.String(), m.P999.String(), failed)
	}
}

// byWork keeps what was measured together together: works and loads in the order in
// which they came first.
func (r *Report) byWork() []*Measurement {
	type key struct{ work, load string }
	order, works := map[key]int{}, map[string]int{}
	out := make([]*Measurement, len(r.Measurements))
	for i := range r.Measurements {
		m := &r.Measurements[i]
		out[i] = m
		if _, ok := works[m.Work]; !ok {
			works[m.Work] = i
		}
		if k := (key{m.Work, m.Load}); order[k] == 0 {
			order[k] = i + 1
		}
	}
	slices.SortStableFunc(out, func(a, b *Measurement) int {
		if d := works[a.Work] - works[b.Work]; d != 0 {
			return d
		}
		return order[key{a.Work, a.Load}] - order[key{b.Work, b.Load}]
	})
	return out
}

func (r *Report) curves(b *strings.Builder) {
	if len(r.Curves) == 0 {
		return
	}
	b.WriteString("\n## Curves\n")
	for _, c := range r.Curves {
		fmt.Fprintf(b, "\n![%s](%s)\n", text(c.Title), c.file())
	}
}

func (r *Report) notes(b *strings.Builder) {
	if len(r.Notes) == 0 {
		return
	}
	b.WriteString("\n## Notes\n\n")
	for _, n := range r.Notes {
		fmt.Fprintf(b, "- %s\n", text(n))
	}
}

// pairs are "key value" of a map, the named keys first.
func pairs(m map[string]string, first ...string) string {
	keys := slices.DeleteFunc(first, func(k string) bool { _, ok := m[k]; return !ok })
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = text(k) + " " + text(m[k])
	}
	return orNone(strings.Join(out, ", "))
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

// text keeps what was not written here, an error above all, from being read as Markdown
// that ends a cell or vanishes.
func text(s string) string { return escape.Replace(strings.TrimSpace(s)) }

var escape = strings.NewReplacer("|", `\|`, "\r\n", " ", "\n", " ", "< ", "< ", "<", "&lt;")

// table is a table of Markdown. A name that begins with > is of a column of numbers.
type table struct{ b *strings.Builder }

func newTable(b *strings.Builder, names ...string) table {
	t := table{b}
	rule := make([]string, len(names))
	for i, name := range names {
		rule[i] = "---"
		if after, ok := strings.CutPrefix(name, ">"); ok {
			names[i], rule[i] = after, "---:"
		}
	}
	t.row(names...)
	t.row(rule...)
	return t
}

func (t table) row(cells ...string) {
	t.b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
