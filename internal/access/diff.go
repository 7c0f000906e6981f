package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Effect says what a difference does.
type Effect string

// The effects. What widens in one way and narrows in another is Widened, and so
// is what cannot be shown to narrow: nothing that gives more passes as less.
const (
	Widened  Effect = "widened"  // somebody may have more, or something is asked of them less
	Narrowed Effect = "narrowed" // the reverse, and nothing else
	Changed  Effect = "changed"  // neither: a text, or what the decisions tell better
)

// effects in the order in which people must see them.
var effects = []Effect{Widened, Narrowed, Changed}

// Difference is one thing in which two policies differ.
type Difference struct {
	Effect   Effect `json:"effect"`
	Area     string `json:"area"` // "decision", "reason", "rule", "overlay", ...
	Name     string `json:"name"`
	Field    string `json:"field,omitempty"`
	Old      string `json:"old"`
	New      string `json:"new"`
	Sentence string `json:"sentence"`
}

// The areas of differences.
const (
	areaDecision    = "decision"
	areaReason      = "reason"
	areaRule        = "rule"
	areaOverlay     = "overlay"
	areaEntity      = "entity"
	areaDestination = "destination"
	areaRetention   = "retention"
	areaSeparation  = "separation"
	areaOperation   = "operation"
)

// Diff says in what two policies differ, what widens first: every decision of
// every combination that the tables must cover, for all tenants and for those
// with an overlay, and field by field what stands in the files. Allow rules are
// told as changed only, since the decisions say what came of them; a deny rule
// that went or shrank is told as widened even where no decision of one role
// shows it, since it also holds for callers with several.
func Diff(old, new *Policy) []Difference {
	d := differ{old: old, new: new}
	d.decisions()
	d.reasons()
	d.overlays()
	d.rules()
	d.entities()
	d.destinations()
	d.retention()
	d.separations()
	d.operations()
	slices.SortStableFunc(d.found, func(a, b Difference) int {
		return cmp.Compare(slices.Index(effects, a.Effect), slices.Index(effects, b.Effect))
	})
	return d.found
}

type differ struct {
	old, new *Policy
	found    []Difference
}

func (d *differ) add(found ...Difference) { d.found = append(d.found, found...) }

// named compares two sets of named things. What one of them lacks is told as a
// whole, by what that does.
func named[T any](d *differ, area string, old, new map[string]T, added, removed Effect, aspects func(T) []aspect) {
	names := slices.AppendSeq(slices.Collect(maps.Keys(old)), maps.Keys(new))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		before, was := old[name]
		after, is := new[name]
		switch {
		case !was:
			d.add(Difference{
				Effect: added, Area: area, Name: name, New: texts(aspects(after)),
				Sentence: area + " " + name + " is new: " + texts(aspects(after)),
			})
		case !is:
			d.add(Difference{
				Effect: removed, Area: area, Name: name, Old: texts(aspects(before)),
				Sentence: area + " " + name + " is gone: " + texts(aspects(before)),
			})
		default:
			d.add(compared(area, name, aspects(before), aspects(after))...)
		}
	}
}

// compared compares two lists of the same aspects.
func compared(area, name string, old, new []aspect) []Difference {
	var out []Difference
	for i, before := range old {
		after := new[i]
		if before.text == after.text {
			continue
		}
		out = append(out, Difference{
			Effect: before.effect(before, after), Area: area, Name: name, Field: before.field,
			Old: before.text, New: after.text,
			Sentence: area + " " + name + ": " + before.field + " is " + after.text + ", before " + before.text,
		})
	}
	return out
}

// texts puts aspects into one line, but for those that say nothing.
func texts(aspects []aspect) string {
	var out []string
	for _, a := range aspects {
		if a.text != nothing {
			out = append(out, a.field+" "+a.text)
		}
	}
	return strings.Join(out, "; ")
}
