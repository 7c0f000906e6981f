package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/payload"
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
	caller     bool         // the caller named it
	wrapped    bool         // it reads as a token and is data
	kept       *token.Token // a living token of the scope, left as it is
	read       bool         // kept, and of a read scope
	format     token.Format // of the token that is made
	slot       int          // index into tokenizeJob.slots, where it is tokenized
}

// become is the word for entries and answers of what becomes of the finding.
func (f *finding) become() string {
	switch {
	case f.kept != nil:
		return "kept"
	case f.action == access.ActTokenize:
		return "tokenized"
	case f.action == access.ActMask:
		return "masked"
	case f.action == access.ActAllow:
		return "allowed"
	default:
		return "blocked"
	}
}

// find fills j.found: in the order of the parts, sorted and not overlapping in
// each, every finding with its action.
func (j *tokenizeJob) find(ctx context.Context) error {
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
	byPart := make([][]finding, len(j.parts))
	for i := range j.parts {
		known := [2]map[string]Mapping{living, nil}
		if j.parts[i].answer {
			known[1] = elsewhere
		}
		if byPart[i], err = j.findIn(ctx, i, candidates[i], known); err != nil {
			return err
		}
	}
	if j.doc != nil {
		if err := j.coverRereads(byPart); err != nil {
			return err
		}
	}
	j.found = slices.Concat(byPart...)
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

// findIn finds what there is in one part.
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
	detected, err := j.detected(ctx, text, reserved)
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
		if p.kind != payload.KindText && f.kept == nil {
			// A key or a number is not text that a model writes on: with a
			// token in its place the body would mean something else.
			f.action = access.ActBlock
		}
	}
	return found
}

// existing splits what reads as a token, or only looks like one, into living
// tokens of the scope or, second, of a read scope, kept as they are, and data.
func (j *tokenizeJob) existing(text string, candidates []token.Candidate, living [2]map[string]Mapping) (kept, wrapped []finding, err error) {
	stays := make(map[token.Range]bool)
	for _, c := range candidates {
		m, lives := living[0][c.Token.ID]
		read := false
		if !lives {
			m, read = living[1][c.Token.ID]
		}
		if !(lives || read) || !c.Strict || !sameToken(m, c.Token) {
			continue
		}
		entity, known := j.s.policy.Entity(m.Entity)
		if !known {
			return nil, nil, fmt.Errorf("vault: entity of a mapping is not in the catalogue")
		}
		stays[token.Range{Start: c.Start, End: c.End}] = true
		kept = append(kept, finding{start: c.Start, end: c.End, entity: entity, kept: &c.Token, read: read})
	}
	for _, r := range j.s.words.TokenLike(text) {
		if !stays[r] && !j.s.faults.ignoreTokenLike {
			wrapped = append(wrapped, j.tokenLike(r.Start, r.End))
		}
	}
	return kept, wrapped, nil
}

// living reads the mappings of strict candidates that may be kept, for all
// parts at once.
func (j *tokenizeJob) living(ctx context.Context, candidates [][]token.Candidate) (map[string]Mapping, error) {
	if j.newScope {
		return nil, nil
	}
	return j.livingIn(ctx, j.scope, candidates)
}

// livingElsewhere is the same for the read scopes that the caller may use. A
// token that lives in two of them is nobody's.
func (j *tokenizeJob) livingElsewhere(ctx context.Context, candidates [][]token.Candidate) (map[string]Mapping, error) {
	var living map[string]Mapping
	twice := make(map[string]bool)
	for _, name := range unique(slices.Clone(j.req.ReadScopes)) {
		scope, err := j.s.store.Scope(ctx, j.call.Caller.Tenant, Digest(j.keys.index.Scope(name)))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		request := j.s.plainRequest(j.call.Caller, access.ActionTokenize)
		request.SameClient, request.EndUser = binding(scope, j.call.Caller, j.keys)
		if !j.s.policy.Decide(request).Allow {
			continue // as if there were none
		}
		found, err := j.livingIn(ctx, scope, candidates)
		if err != nil {
			return nil, err
		}
		for id, m := range found {
			if _, seen := living[id]; seen {
				twice[id] = true
			}
			if living == nil {
				living = make(map[string]Mapping)
			}
			living[id] = m
		}
	}
	for id := range twice {
		delete(living, id)
	}
	return living, nil
}

func (j *tokenizeJob) livingIn(ctx context.Context, scope Scope, candidates [][]token.Candidate) (map[string]Mapping, error) {
	if j.req.Existing == ExistingWrap {
		return nil, nil
	}
	var ids []string
	for _, c := range slices.Concat(candidates...) {
		if c.Strict {
			ids = append(ids, c.Token.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	mappings, err := j.s.store.Mappings(ctx, j.call.Caller.Tenant, MappingQuery{ScopeID: scope.ID, TokenIDs: unique(ids)})
	if err != nil {
		return nil, err
	}
	living := make(map[string]Mapping, len(mappings))
	for _, m := range mappings {
		if m.State == MappingLive && !m.Expired && m.KeyAlive {
			living[m.TokenID] = m
		}
	}
	return living, nil
}

// sameToken tells whether a mapping is the one that a token names: the same
// id under another label or in another format is another token.
func sameToken(m Mapping, t token.Token) bool {
	return m.TokenID == t.ID && m.Format == string(t.Format) && (t.Format == token.FormatOpaque || m.Entity == t.Entity)
}

// tokenLike is text that would read as a token and is not a living one of the
// scope: it comes back as it was and can never be restored as somebody's value.
func (j *tokenizeJob) tokenLike(start, end int) finding {
	entity, _ := j.s.policy.Entity(access.EntityTokenLike) // New has checked that it is there
	return finding{start: start, end: end, entity: entity, action: access.ActTokenize, wrapped: true}
}

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

// detected runs detection around the reserved ranges. A detector that fails
// fails the request; it never lets the text through (invariant 18).
func (j *tokenizeJob) detected(ctx context.Context, text string, reserved [][2]int) ([]finding, error) {
	if j.req.Detect.Off {
		return nil, nil
	}
	spans, err := j.s.detector.FindReserved(ctx, text, reserved)
	if err != nil && !j.s.faults.ignoreDetector {
		return nil, err
	}
	found := make([]finding, 0, len(spans))
	for _, span := range spans {
		entity, known := j.s.policy.Entity(span.Entity)
		if !known {
			return nil, fmt.Errorf("vault: entity of a detector is not in the catalogue")
		}
		action := j.actionOf(entity)
		wanted := len(j.req.Detect.Entities) == 0 || slices.Contains(j.req.Detect.Entities, span.Entity)
		// A caller may narrow what is tokenized, never what is blocked.
		if wanted || action == access.ActBlock {
			found = append(found, finding{start: span.Start, end: span.End, entity: entity, action: action, score: &span.Score})
		}
	}
	return found, nil
}

func (j *tokenizeJob) actionOf(e access.Entity) access.EntityAction {
	if e.Name == access.EntityTokenLike {
		return access.ActTokenize // invariant 3 rests on it, whatever the destination says
	}
	return j.destination.Action(e)
}

func (j *tokenizeJob) entityOf(field, name string) (access.Entity, error) {
	entity, known := j.s.policy.Entity(name)
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

// blocked refuses a request that holds what may not pass: with the types and
// the places, never the values. The refusal is an entry.
func (j *tokenizeJob) blocked(ctx context.Context) error {
	var violations []Violation
	entry := j.entry
	entry.Entities = make(map[string]int)
	for i := range j.found {
		f := &j.found[i]
		if f.kept != nil || f.action != access.ActBlock {
			continue
		}
		entry.Entities[f.entity.Name]++
		if len(violations) < maxViolations {
			violations = append(violations, j.violation(f))
		}
	}
	if len(violations) == 0 {
		return nil
	}
	entry.Results = map[string]int{"blocked": sum(entry.Entities)}
	entry.Decision = audit.Deny
	return j.s.deny(ctx, j.call.Caller.Tenant, entry, &Error{
		Code: CodeInvalid, Detail: "the request holds what may not be sent there", Violations: violations,
	})
}

// violation says where something stands that may not pass. The place of a key
// does not show the key.
func (j *tokenizeJob) violation(f *finding) Violation {
	rule := f.entity.Name + " is blocked for this destination"
	if len(j.parts) == 0 {
		return Violation{Field: "/values/" + strconv.Itoa(f.start), Rule: rule}
	}
	p := &j.parts[f.part]
	field := j.field()
	if j.doc != nil {
		field += j.coverage().Scanned[f.part].Pointer
	}
	switch p.kind {
	case payload.KindKey:
		return Violation{Field: field, Rule: f.entity.Name + " is blocked in the name of a member"}
	case payload.KindNumber:
		return Violation{Field: field, Rule: f.entity.Name + " is blocked as a number"}
	}
	start := utf8.RuneCountInString(p.text[:f.start])
	return Violation{Field: field, Rule: fmt.Sprintf("%s, code points %d to %d", rule, start, start+utf8.RuneCountInString(f.value))}
}

// maxViolations bounds an error body; the entry counts all.
const maxViolations = 100

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// expiry returns a pointer to t, or nil for the zero time.
func expiry(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// merge joins findings that overlap into one that covers them all, so that no
// byte of any of them stays in the text. What the union counts as is what
// treats it most strictly: the strictest action, then the most sensitive
// class, then what the caller named, then the longest.
func merge(found []finding) []finding {
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var out []finding
	for _, f := range found {
		if n := len(out); n > 0 && f.start < out[n-1].end {
			out[n-1] = stricter(out[n-1], f)
			continue
		}
		out = append(out, f)
	}
	return out
}

func stricter(a, b finding) finding {
	winner := a
	if cmp.Or(
		cmp.Compare(severity(b.action), severity(a.action)),
		cmp.Compare(sensitivity(b.entity.Class), sensitivity(a.entity.Class)),
		cmp.Compare(rank(b.caller), rank(a.caller)),
		cmp.Compare(b.end-b.start, a.end-a.start),
	) > 0 {
		winner = b
	}
	winner.start, winner.end = min(a.start, b.start), max(a.end, b.end)
	winner.subject = cmp.Or(winner.subject, a.subject, b.subject)
	winner.caller = a.caller || b.caller
	winner.wrapped = a.wrapped && b.wrapped
	return winner
}

func byStart(a, b finding) int { return cmp.Compare(a.start, b.start) }

func severity(a access.EntityAction) int {
	return slices.Index([]access.EntityAction{
		access.ActAllow, access.ActTokenize, access.ActMask, access.ActBlock,
	}, a)
}

func sensitivity(c access.Class) int { return slices.Index(access.Classes(), c) }

func rank(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
