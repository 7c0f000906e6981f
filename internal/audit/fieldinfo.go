package audit

import (
	"regexp"
	"strconv"
)

// A Shape is what the value of a field looks like in the leaf.
type Shape string

// The shapes of fields.
const (
	ShapeText   Shape = "text"
	ShapeNumber Shape = "number"
	ShapeList   Shape = "list"   // of texts
	ShapeCounts Shape = "counts" // name → count
	ShapeTime   Shape = "time"
	ShapeClient Shape = "client" // an object of texts
)

// FieldInfo describes a field for documentation.
type FieldInfo struct {
	Name  string
	Shape Shape
	// Pattern is a regular expression of all that the text may be, each item of the
	// list or each name of the counts.
	Pattern string
	Most    int         // items or names, or the greatest number
	Parts   []FieldInfo // of ShapeClient
}

// timePattern is that of timeLayout.
const timePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$`

// Fields describes all fields in their order in a leaf.
func Fields() []FieldInfo {
	infos := make([]FieldInfo, len(fields))
	for i := range fields {
		f := &fields[i]
		info := FieldInfo{Name: f.name}
		switch {
		case f.str != nil:
			info.Shape, info.Pattern = ShapeText, f.rule.pattern()
		case f.num != nil:
			info.Shape, info.Most = ShapeNumber, MaxParts
		case f.list != nil:
			info.Shape, info.Pattern, info.Most = ShapeList, f.rule.pattern(), MaxTokens
		case f.counts != nil:
			info.Shape, info.Pattern, info.Most = ShapeCounts, f.rule.pattern(), MaxMap
		case f.name == timeField:
			info.Shape, info.Pattern = ShapeTime, timePattern
		default:
			info.Shape = ShapeClient
			for _, p := range clientParts {
				info.Parts = append(info.Parts, FieldInfo{Name: p.name, Shape: ShapeText, Pattern: p.rule.pattern()})
			}
		}
		infos[i] = info
	}
	return infos
}

// pattern is the rule as a regular expression that means the same in Go, in
// ECMA 262 and so in JSON Schema.
func (r *rule) pattern() string {
	var class string
	// The charsets are ASCII, so that the loop ends before a byte could overflow.
	for c := byte(0); c < maxASCII; c++ {
		if !r.chars[c] {
			continue
		}
		last := c
		for last < maxASCII && r.chars[last+1] {
			last++
		}
		class += classRange(c, last)
		c = last
	}
	return "^[" + class + "]{" + strconv.Itoa(r.min) + "," + strconv.Itoa(r.max) + "}$"
}

const maxASCII = 127

func classRange(first, last byte) string {
	from, to := escapedInClass(first), escapedInClass(last)
	switch last - first {
	case 0:
		return from
	case 1:
		return from + to
	default:
		return from + "-" + to
	}
}

func escapedInClass(c byte) string {
	if c == '-' {
		return `\-`
	}
	return regexp.QuoteMeta(string([]byte{c}))
}
