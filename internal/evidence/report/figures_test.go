package report_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/report"
)

// A shown figure is what somebody reads in the table beside a chart, and what is
// drawn in it.
type shown struct {
	heads []string
	rows  map[string][]int64
	total []int64
	boxes map[string]int // by drawing
	texts []string
}

// readFigure reads a chart out of a page; there is none of that id, or it is empty,
// where ok is false.
func readFigure(all []element, id string) (f shown, ok bool) {
	f = shown{rows: make(map[string][]int64), boxes: make(map[string]int)}
	at := slices.IndexFunc(all, func(e element) bool { return e.name == "figure" && e.attrs["id"] == id })
	if at < 0 {
		return f, false
	}
	for i := at; i < all[at].end; i++ {
		switch one := all[i]; one.name {
		case "svg":
			for _, in := range all[i:one.end] {
				if class := one.attrs["class"]; in.name == "rect" && class != "swatch" {
					f.boxes[class]++
				}
				if in.name == "text" {
					f.texts = append(f.texts, in.text)
				}
			}
		case "th":
			if one.attrs["class"] == "number" {
				f.heads = append(f.heads, one.text)
			}
		case "tr":
			var name string
			var cells []int64
			for _, in := range all[i:one.end] {
				if in.name == "th" {
					name = in.text
				}
				if in.name == "td" {
					n, _ := strconv.ParseInt(strings.ReplaceAll(in.text, ",", ""), 10, 64)
					cells = append(cells, n)
				}
			}
			if name == "Together" && one.attrs["class"] == "" && len(cells) > 0 {
				f.total = cells
			} else if len(cells) > 0 {
				f.rows[name] = cells
			}
		}
	}
	return f, len(f.rows) > 0
}

// faults hold the figure to itself: lines and columns add up, and each number above
// 0 is drawn once in each drawing. The sum is that of all.
func (f shown) faults() (sum int64, bad []string) {
	several, drawn := len(f.heads) > 1, 0
	sums := make([]int64, len(f.heads))
	for name, cells := range f.rows {
		if len(cells) != len(f.heads) {
			return 0, []string{"cells of " + name}
		}
		var line int64
		for i, n := range cells {
			sums[i] += n
			if last := i == len(cells)-1; several && last {
				continue
			}
			line += n
			if n > 0 {
				drawn++
			}
		}
		if several && line != cells[len(cells)-1] {
			bad = append(bad, "the line "+name)
		}
	}
	if !cmp.Equal(sums, f.total) {
		bad = append(bad, "the columns")
	}
	if f.boxes["wide"] != drawn || f.boxes["narrow"] != drawn {
		bad = append(bad, "the drawing")
	}
	return f.total[len(f.total)-1], bad
}

// drawnTable makes rows of a table whose every row is to be counted once.
func drawnTable(t *rapid.T, name string, row func() []string) [][]string {
	var rows [][]string
	for range rapid.IntRange(0, 20).Draw(t, name) {
		rows = append(rows, row())
	}
	return rows
}

// Whatever the tables hold, each chart has all of it and no more.
func TestChartsAreSumsOfTheirTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := empty()
		from := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		long := time.Duration(rapid.IntRange(1, 24*1200).Draw(t, "hours")) * time.Hour
		e.Period = evidence.Period{From: from, To: from.Add(long)}
		at := func() string {
			return from.Add(time.Duration(rapid.Int64Range(-int64(long)/20, int64(long)+int64(long)/20).Draw(t, "at"))).Format(time.RFC3339Nano)
		}
		word := rapid.SampledFrom([]string{"", "A", "B", "C", "D", "E", "F", "G", "H", "I"})
		number := func() string { return strconv.Itoa(rapid.IntRange(0, 5000).Draw(t, "number")) }
		reasons := drawnTable(t, "restorations", func() []string {
			return []string{"1", at(), "c", "restore", "allow", word.Draw(t, "reason"), "a", "2"}
		})
		denials := drawnTable(t, "denials", func() []string { return []string{"1", at(), "denied", number()} })
		entities := drawnTable(t, "entities", func() []string {
			return []string{rapid.StringMatching(`[A-Z]{1,9}`).Draw(t, "entity"), "1", number()}
		})
		approvals := drawnTable(t, "approvals", func() []string {
			return []string{rapid.SampledFrom([]string{"used", "approved", "rejected", "open"}).Draw(t, "state"), rapid.SampledFrom([]string{"", "0", "899", "900", "14400", "999999"}).Draw(t, "took")}
		})
		uses := drawnTable(t, "break-glass", func() []string {
			return []string{at(), rapid.SampledFrom([]string{"in_time", "late", "overdue", "open", "new"}).Draw(t, "state")}
		})
		exposed := drawnTable(t, "exposure", func() []string {
			return []string{rapid.StringMatching(`[a-z]/[a-e]`).Draw(t, "destination"), word.Draw(t, "action"), number()}
		})
		table(e, evidence.TableRestorations).Rows = reasons
		table(e, evidence.TableDenials).Rows = denials
		table(e, evidence.TableRestorationsEntity).Rows = entities
		table(e, evidence.TableApprovals).Rows = approvals
		table(e, evidence.TableBreakGlass).Rows = uses
		e.Tables = append(e.Tables, evidence.Table{
			Name: evidence.TableExposureActions, Columns: append(text("destination", "action"), columns(evidence.KindCount, "values")...), Rows: exposed,
		})
		all, err := parse(draw(t, e))
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]int64{
			"c-restorations": int64(len(reasons)), "c-denials": sumOf(denials, 3), "c-entities": sumOf(entities, 2),
			"c-approvals": int64(len(approvals)), "c-break-glass": int64(len(uses)), "c-exposure": sumOf(exposed, 2),
		} {
			f, ok := readFigure(all, id)
			if ok != (want > 0) {
				t.Fatalf("%s: of %d there is a chart: %v", id, want, ok)
			}
			if !ok {
				continue
			}
			if got, bad := f.faults(); got != want || len(bad) > 0 {
				t.Fatalf("%s: %d of %d, wrong in %q", id, got, want, bad)
			}
		}
	})
}

func sumOf(rows [][]string, column int) (sum int64) {
	for _, row := range rows {
		n, _ := strconv.ParseInt(row[column], 10, 64)
		sum += n
	}
	return sum
}

// A chart that says another number than its table, or draws another, is seen.
func TestChartsAreSumsOfTheirTables_Twin(t *testing.T) {
	page := draw(t, made(1, 60))
	at := strings.Index(page, `id="c-restorations"`)
	for name, c := range map[string]struct{ from, to string }{
		"a number": {`<td class="number">1</td>`, `<td class="number">11</td>`}, "a bar": {`<rect class="shade1"`, `<path class="shade1"`},
	} {
		broken := page[:at] + strings.Replace(page[at:], c.from, c.to, 1)
		all, err := parse(broken)
		if err != nil || broken == page {
			t.Fatalf("%s: %v", name, err)
		}
		f, _ := readFigure(all, "c-restorations")
		if _, bad := f.faults(); len(bad) == 0 {
			t.Errorf("%s: nothing is seen", name)
		}
	}
}

// An empty period has a sentence in the place of each chart and of each table.
func TestNothingIsSaidToBeNone(t *testing.T) {
	page := draw(t, empty())
	if n := strings.Count(page, "none in this period.</p>"); n != 5 {
		t.Errorf("%d charts say that there is nothing", n)
	}
	if n := strings.Count(page, ">None in this period.</p>"); n != 5 {
		t.Errorf("%d tables say that there is nothing", n)
	}
	if strings.Contains(page, "<td") || strings.Contains(page, "<rect") {
		t.Error("something is drawn of nothing")
	}
}

// Of a long table the first lines are printed, and how many more are in which file.
func TestLongTablesEndInASentence(t *testing.T) {
	e := made(1, 1234)
	page := draw(t, e)
	for _, want := range []string{
		"Restorations: the first 200 of 1,234 lines", `In <span class="code">evidence/restorations.csv</span> are 1,034 more lines`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(page, `data-head="Actor"`); n != 200 {
		t.Errorf("%d lines are printed", n)
	}
	if !strings.Contains(draw(t, made(1, 201)), `evidence/restorations.csv</span> are 1 more line`) {
		t.Error("of 201 lines one is left")
	}
}

func TestWeeksOfAPeriod(t *testing.T) {
	date := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		from, to time.Time
		want     []string
	}{
		"a day":          {date(2026, 7, 1), date(2026, 7, 2), []string{"1 Jul 2026"}},
		"part of a day":  {date(2026, 7, 1).Add(time.Hour), date(2026, 7, 2).Add(time.Second), []string{"1 Jul 2026", "2 Jul 2026"}},
		"weeks":          {date(2026, 7, 1), date(2026, 7, 20), []string{"1 Jul 2026", "6 Jul 2026", "13 Jul 2026"}},
		"from a Monday":  {date(2026, 7, 6), date(2026, 7, 27), []string{"6 Jul 2026", "13 Jul 2026", "20 Jul 2026"}},
		"from a Sunday":  {date(2026, 7, 5), date(2026, 7, 22), []string{"5 Jul 2026", "6 Jul 2026", "13 Jul 2026", "20 Jul 2026"}},
		"months":         {date(2026, 1, 31), date(2026, 9, 1), []string{"January 2026", "February 2026", "March 2026", "April 2026", "May 2026", "June 2026", "July 2026", "August 2026"}},
		"years":          {date(2020, 6, 1), date(2024, 1, 1), []string{"2020", "2021", "2022", "2023"}},
		"many years":     {date(1900, 1, 1), date(2000, 1, 1), nil},
		"all that is to": {date(1, 1, 1), date(9999, 1, 1), nil},
	} {
		p := evidence.Period{From: c.from, To: c.to}
		got := report.Buckets(p)
		if c.want != nil && !cmp.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
		if len(got) > 40 {
			t.Errorf("%s: %d columns", name, len(got))
		}
		for at, want := range map[time.Time]int{c.from: 0, c.to.Add(-time.Second): len(got) - 1, c.to: len(got), c.from.Add(-time.Second): len(got)} {
			if i := report.BucketOf(p, at.Format(time.RFC3339)); i != want {
				t.Errorf("%s: %s is in column %d, not %d", name, at, i, want)
			}
		}
	}
}

func TestScalesAreRound(t *testing.T) {
	for most, want := range map[int64][2]int64{0: {1, 1}, 1: {1, 1}, 5: {1, 5}, 6: {2, 6}, 74: {20, 80}, 381: {100, 400}, 1000: {200, 1000}, 1001: {500, 1500}, 99_999: {20_000, 100_000}} {
		if s := report.NewScale(most); s.Step != want[0] || s.Top != want[1] {
			t.Errorf("%d: %+v", most, s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(0, 1<<53).Draw(t, "most")
		if s := report.NewScale(most); s.Top < most || s.Top%s.Step != 0 || s.Top/s.Step > 5 || s.Top > max(2*most+s.Step, 5) {
			t.Fatalf("%d: %+v", most, s)
		}
	})
}

func TestWordsOfNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := report.Count(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 %", 10_000: "100 %", 9_750: "97.5 %", 9_999: "99.99 %"} {
		if got := report.Percent(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 s", 59: "59 s", 60: "1 min", 61: "1 min 1 s", 3600: "1 h", 7260: "2 h 1 min", 90_000: "1 d 1 h", 86_461: "1 d", -5: "-5 s"} {
		if got := report.Span(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		parts := report.Pieces(s)
		if strings.Join(parts, "") != s {
			t.Fatalf("%q in %q", s, parts)
		}
		for _, part := range parts {
			for _, word := range strings.Fields(part) {
				if n := len([]rune(word)); n > 16 {
					t.Fatalf("%q: %d together", part, n)
				}
			}
		}
		room := rapid.Float64Range(20, 300).Draw(t, "room")
		if short := report.Shorten(s, room); report.Width(short) > room {
			t.Fatalf("%q is wider than %.0f", short, room)
		}
		if n := len([]rune(report.Cut(s, 7))); n > 7 {
			t.Fatalf("%d characters", n)
		}
	})
}

// Whoever did something is named in full; what a machine made up is shortened.
func TestNamesArePrintedWhole(t *testing.T) {
	e := empty()
	digest := strings.Repeat("0123456789abcdef", 4)
	refs := []string{"someone.with.a.long.name@example.org", "TICKET-2026-000123", "team/privacy-officers-2", digest}
	for _, ref := range refs {
		rows := &table(e, evidence.TableRestorations).Rows
		*rows = append(*rows, []string{"1", "2026-07-02T00:00:00Z", ref, "restore", "allow", "A", ref, "1"})
	}
	var got []string
	for _, one := range elements(t, draw(t, e)) {
		if one.name == "td" && one.attrs["data-head"] == "Actor" {
			got = append(got, one.text)
		}
	}
	if diff := cmp.Diff([]string{refs[0], refs[1], refs[2], "0123456789a…"}, got); diff != "" {
		t.Error(diff)
	}
}
