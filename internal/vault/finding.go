package vault

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/token"
)

// finding is one part of the text, or one value, and what becomes of it.
type finding struct {
	part       int // index into tokenizeJob.parts
	start, end int // bytes of the part; the index of the value where there is none
	entity     access.Entity
	action     access.EntityAction
	value      string
	subject    string
	score      *float64
	rule       string       // of detection
	caller     bool         // the caller named it
	wrapped    bool         // it reads as a token and is data
	kept       *token.Token // a living token of the scope, left as it is
	read       bool         // kept, and of a read scope
	suppressed bool         // its value was erased and is kept out: masked
	format     token.Format // of the token that is made
	slot       int          // index into tokenizeJob.slots, where it is tokenized
}

// become is the word for entries and answers of what becomes of the finding.
func (f *finding) become() string {
	switch {
	case f.kept != nil:
		return "kept"
	case f.suppressed:
		return "suppressed"
	case f.action == access.ActTokenize:
		return "tokenized"
	case f.action == access.ActMask:
		return "masked"
	case f.action == access.ActWarn:
		return audit.ResultWarned
	case f.action == access.ActAllow:
		return audit.ResultAllowed
	default:
		return "blocked"
	}
}

// find fills j.found: in the order of the parts, sorted and not overlapping in
// each, every finding with its action.
func (j *tokenizeJob) find(ctx context.Context) error {
	ctx, end := stage.Start(ctx, stage.Detect)
	defer end()
	j.found = nil
	if len(j.parts) == 0 && j.doc == nil {
		return j.findValues()
	}
	candidates := make([][]token.Candidate, len(j.parts))
	for i := range j.parts {
		candidates[i] = j.s.words.Scan(j.parts[i].text)
	}
	living, err := j.living(ctx, candidates)
	if err != nil {
		return err
	}
	elsewhere, err := j.livingElsewhere(ctx, candidates)
	if err != nil {
		return err
	}
	byPart, err := j.findAll(ctx, candidates, living, elsewhere)
	if err != nil {
		return err
	}
	if j.doc != nil {
		if err := j.coverRereads(byPart); err != nil {
			return err
		}
	}
	j.found = slices.Concat(byPart...)
	if j.doc != nil {
		j.coverage = j.cover()
	}
	if len(j.found) > MaxFindings {
		return tooLarge(j.field(), "findings", MaxFindings)
	}
	for i := range j.found {
		f := &j.found[i]
		if len(f.value) > MaxValueBytes && f.action == access.ActTokenize {
			return tooLarge(j.field(), "value_bytes", MaxValueBytes)
		}
		if f.subject == "" {
			f.subject = j.req.Subject
		}
	}
	return nil
}

// field is the member of the request that holds what is searched.
func (j *tokenizeJob) field() string {
	if j.doc != nil {
		return "/payload"
	}
	return "/text"
}

// findAll finds what there is in each part.
func (j *tokenizeJob) findAll(ctx context.Context, candidates [][]token.Candidate, living, elsewhere map[string]Mapping) ([][]finding, error) {
	byPart := make([][]finding, len(j.parts))
	atOnce := 1
	if j.s.spans.detection(j.call.Caller.Tenant).Analyze != nil {
		atOnce = AnalysesAtOnce
	}
	j.unanalyzed.Store(0)
	err := each(ctx, len(j.parts), atOnce, func(ctx context.Context, i int) (err error) {
		known := [2]map[string]Mapping{living, nil}
		if j.parts[i].answer {
			known[1] = elsewhere
		}
		byPart[i], err = j.findIn(ctx, i, candidates[i], known)
		return err
	})
	return byPart, err
}

// findIn finds what there is in one part. It changes nothing of the job but
// what is made for several parts at once.
func (j *tokenizeJob) findIn(ctx context.Context, i int, candidates []token.Candidate, living [2]map[string]Mapping) ([]finding, error) {
	text := j.parts[i].text
	kept, wrapped, err := j.existing(text, candidates, living)
	if err != nil {
		return nil, err
	}
	reserved := make([][2]int, len(kept))
	for i, f := range kept {
		reserved[i] = [2]int{f.start, f.end}
	}
	given, err := j.callerSpans(text, kept)
	if err != nil {
		return nil, err
	}
	detected, err := j.detected(ctx, &j.parts[i], reserved)
	if err != nil {
		return nil, err
	}
	found := merge(slices.Concat(given, detected, wrapped))
	if err := j.closeGaps(text, &found, kept); err != nil {
		return nil, err
	}
	return j.complete(i, slices.Concat(found, kept)), nil
}

// complete sorts what was found in a part and fills in what follows from it.
func (j *tokenizeJob) complete(i int, found []finding) []finding {
	p := &j.parts[i]
	slices.SortFunc(found, byStart)
	j.chooseFormats(p.text, found)
	for n := range found {
		f := &found[n]
		f.part, f.value = i, p.text[f.start:f.end]
		if j.blockedAs(p.kind) && f.kept == nil {
			f.action = access.ActBlock
		}
	}
	return found
}

// blockedAs tells whether findings in a part of a kind are blocked whatever
// they are. A key or a number is not text that a model writes on: with a token
// in its place the body means something else, so a policy has to ask for it.
func (j *tokenizeJob) blockedAs(kind payload.Kind) bool {
	switch kind {
	case payload.KindKey:
		return j.route.Payload().Keys == access.ActBlock
	case payload.KindNumber:
		return j.route.Payload().Numbers == access.ActBlock
	default:
		return false
	}
}

// detected runs detection around the reserved ranges. A detector that fails
// fails the request; it never lets the text through (invariant 18).
func (j *tokenizeJob) detected(ctx context.Context, p *part, reserved [][2]int) ([]finding, error) {
	if j.req.Detect.Off {
		return nil, nil
	}
	out, err := j.s.spans.find(ctx, j, p, reserved)
	if err != nil && !j.s.faults.ignoreDetector {
		return nil, err
	}
	if out.unanalyzed {
		j.unanalyzed.Add(1)
	}
	found := make([]finding, 0, len(out.Spans)+len(out.Denied))
	for _, list := range []struct {
		spans  []detect.Span
		counts func(detect.Span, access.EntityAction) bool
	}{
		// A caller may narrow what is tokenized, never what is blocked.
		{out.Spans, func(s detect.Span, a access.EntityAction) bool { return j.wants(s.Entity) || a == access.ActBlock }},
		// A deny list is the tenant's word, and a caller's narrows nothing of it.
		{out.Denied, func(detect.Span, access.EntityAction) bool { return true }},
		// An allow list lets nothing through that is blocked, unless it says so.
		{out.Allowed, func(_ detect.Span, a access.EntityAction) bool { return a == access.ActBlock }},
	} {
		for _, span := range list.spans {
			entity, known := j.s.rules().Entity(span.Entity)
			if !known {
				return nil, fmt.Errorf("vault: entity of a detector is not in the catalogue")
			}
			if action := j.actionOf(entity); list.counts(span, action) {
				found = append(found, finding{
					start: span.Start, end: span.End, entity: entity, action: action, score: &span.Score, rule: span.Rule,
				})
			}
		}
	}
	return found, nil
}

// refuses tells whether a text is refused for what was found in it: by an allow
// list, too, nothing goes that is blocked.
func (j *tokenizeJob) refuses(found detect.Found) bool {
	for _, span := range slices.Concat(found.Spans, found.Denied, found.Allowed) {
		if entity, known := j.s.rules().Entity(span.Entity); known && j.actionOf(entity) == access.ActBlock {
			return true
		}
	}
	return false
}

// wants tells whether the caller looks for an entity.
func (j *tokenizeJob) wants(entity string) bool {
	return len(j.req.Detect.Entities) == 0 || slices.Contains(j.req.Detect.Entities, entity)
}

// explained is the rule that found it, where the caller wants to know.
func (j *tokenizeJob) explained(f *finding) string {
	if !j.req.Detect.Explain {
		return ""
	}
	return f.rule
}

func (j *tokenizeJob) actionOf(e access.Entity) access.EntityAction {
	if e.Name == access.EntityTokenLike {
		return access.ActTokenize // invariant 3 rests on it, whatever the destination says
	}
	return j.route.Action(e)
}

func (j *tokenizeJob) entityOf(field, name string) (access.Entity, error) {
	entity, known := j.s.rules().Entity(name)
	if !known {
		return access.Entity{}, Invalid(field, "is not in the list of entities")
	}
	return entity, nil
}

// findValues makes a finding of every value.
func (j *tokenizeJob) findValues() error {
	j.found = make([]finding, 0, len(j.req.Values))
	for i, v := range j.req.Values {
		at := "/values/" + strconv.Itoa(i)
		entity, err := j.entityOf(at+"/entity", v.Entity)
		if err != nil {
			return err
		}
		switch {
		case v.Value == "":
			return Invalid(at+"/value", "must not be empty")
		case len(v.Value) > MaxValueBytes:
			return tooLarge(at+"/value", "value_bytes", MaxValueBytes)
		case !utf8.ValidString(v.Value):
			return Invalid(at+"/value", "must be valid UTF-8")
		}
		if err := checkName(at+"/subject", v.Subject, false); err != nil {
			return err
		}
		subject := cmp.Or(v.Subject, j.req.Subject)
		j.found = append(j.found, finding{
			start: i, end: i, entity: entity, action: j.actionOf(entity), value: v.Value, subject: subject, caller: true,
			format: j.format(entity),
		})
	}
	return nil
}
