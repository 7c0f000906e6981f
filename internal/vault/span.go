package vault

import (
	"strconv"
)

// callerSpans checks the caller's spans and turns code points into bytes.
func (j *tokenizeJob) callerSpans(text string, kept []finding) ([]finding, error) {
	if len(j.req.Spans) == 0 {
		return nil, nil
	}
	offsets := byteOffsets(text, j.req.Spans)
	found := make([]finding, 0, len(j.req.Spans))
	for i, span := range j.req.Spans {
		at := "/spans/" + strconv.Itoa(i)
		start, okStart := offsets[span.Start]
		end, okEnd := offsets[span.End]
		if !okStart || !okEnd || start >= end {
			return nil, Invalid(at, "must begin before it ends, within the text")
		}
		entity, err := j.entityOf(at+"/entity", span.Entity)
		if err != nil {
			return nil, err
		}
		if err := checkName(at+"/subject", span.Subject, false); err != nil {
			return nil, err
		}
		for _, k := range kept {
			if start < k.end && k.start < end {
				return nil, Invalid(at, "must not overlap a living token of the scope")
			}
		}
		found = append(found, finding{
			start: start, end: end, entity: entity, action: j.actionOf(entity), subject: span.Subject, caller: true,
		})
	}
	return found, nil
}

// byteOffsets maps the code point offsets that spans name to byte offsets.
// Offsets outside the text are not in the answer.
func byteOffsets(text string, spans []Span) map[int]int {
	wanted := make(map[int]int, 2*len(spans))
	for _, s := range spans {
		wanted[s.Start], wanted[s.End] = -1, -1
	}
	points := 0
	for i := range text {
		if _, ok := wanted[points]; ok {
			wanted[points] = i
		}
		points++
	}
	if _, ok := wanted[points]; ok {
		wanted[points] = len(text)
	}
	for point, at := range wanted {
		if at < 0 {
			delete(wanted, point)
		}
	}
	return wanted
}
