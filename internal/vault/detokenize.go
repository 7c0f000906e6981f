package vault

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/token"
)

// Detokenize gives values back to a caller whom the policy allows it. The
// order is the promise: decide, commit the intent, and only then open values
// (invariant 1). Where the commit fails nothing is restored.
func (s *Service) Detokenize(ctx context.Context, call Call, req DetokenizeRequest) (DetokenizeResult, error) {
	s = s.under(call)
	if req.GrantID != "" {
		return s.detokenizeUnder(ctx, call, req)
	}
	job, err := s.newRestoreJob(ctx, call, req, nil)
	if err != nil {
		return DetokenizeResult{}, err
	}
	job.claim = s.newClaiming(call, job.keys)
	return job.run(ctx)
}

// run tries until nobody comes in between.
func (j *restoreJob) run(ctx context.Context) (DetokenizeResult, error) {
	for range MaxAttempts {
		result, err := j.attempt(ctx)
		switch {
		case err == nil:
			return result, nil
		case errors.Is(err, ErrExhausted):
			return DetokenizeResult{}, j.s.exhausted(ctx, j.call, j.keys, j.describe(), &j.demands)
		case !plannable(err):
			return DetokenizeResult{}, j.s.settle(ctx, j.call.Caller.Tenant, j.entry, err)
		}
		j.contended = true
		if err := j.redeems.again(ctx, j); err != nil {
			return DetokenizeResult{}, err
		}
	}
	return DetokenizeResult{}, public(ErrConflict)
}

// restoreJob is one request on its way.
type restoreJob struct {
	s     *Service
	call  Call
	req   DetokenizeRequest
	at    string // where its reason stands in the request
	keys  *keySet
	entry audit.Entry
	claim claiming
	doc   *payload.Document
	parts []part
	found []occurrence

	scopes []Scope // that stand, of those the request names

	redeems   *redeeming        // the approval that it uses, nil where it has none
	consented map[string]string // who consents to the reason's purpose, and by which consent
	contended bool              // a commit found another world than was read
	suspended []Proceeding
	demands   demands
}

// occurrence is one place where a token stands, and what becomes of it.
type occurrence struct {
	part       int
	start, end int // bytes of the part; the index of the token where there is no text
	written    string
	token      token.Token
	readable   bool // it reads as a token at all
	strict     bool
	place      access.Place
	tool       string // with the place tool
	status     Status
	form       access.Form
	decision   access.Decision // that gives it, or that asks for approvals
	mapping    Mapping         // the one that is restored
	standing   []Mapping       // what the token stands for, in each scope that has it
	value      string          // what stands in the answer, where something was restored
}

// undecided is the status of an occurrence that is still in the running.
const undecided Status = ""

// justify checks the reason before anything else is looked at. A known caller
// without a valid reason is refused with the field and the rule, and recorded.
func (j *restoreJob) justify(ctx context.Context) error {
	if _, known := j.reason(); known {
		j.entry.Reason = j.req.Reason.Code
	}
	tenant := j.call.Caller.Tenant
	if err := j.s.rules().CheckReasonOf(tenant, j.req.Reason.Code, j.req.Reason.Reference); err != nil {
		refusal := Errorf(CodeInvalid, "the reason is not justified").Because(err)
		entry := j.entry
		var broken *access.ReasonError
		if errors.As(err, &broken) {
			refusal.Violations = []Violation{{Field: j.at + broken.Field, Rule: j.s.spell(tenant, j.req.Reason.Code, broken)}}
			entry.Code = path.Base(broken.Field) + "_" + broken.Rule
		}
		return j.s.deny(ctx, j.call.Caller.Tenant, entry, refusal)
	}
	if err := checkIdentifier(j.at+"/reason/reference", j.req.Reason.Reference); err != nil {
		return err
	}
	if len(j.req.Reason.Note) > MaxNoteBytes {
		return tooLarge(j.at+"/reason/note", "note_bytes", MaxNoteBytes)
	}
	j.entry.Reference = j.req.Reason.Reference
	if j.req.Reason.Note != "" {
		// Free text is never in the log: its keyed digest proves later what
		// was written, to whoever has the note.
		j.entry.NoteDigest = hexDigest(j.keys.index.Note(j.req.Reason.Note))
	}
	return nil
}

// spell says in words which rule a reason breaks.
func (s *Service) spell(tenant, code string, broken *access.ReasonError) string {
	reason, _ := s.rules().ReasonOf(tenant, code)
	switch broken.Rule {
	case "required":
		return "is required"
	case "unknown":
		return "is not in the catalogue of reasons"
	case "pattern":
		return "must match " + reason.Reference.Pattern
	default:
		return broken.Rule
	}
}

// scan finds the tokens of the request.
func (j *restoreJob) scan() {
	for i := range j.parts {
		p := &j.parts[i]
		for _, c := range j.s.words.Scan(p.text) {
			o := occurrence{
				part: i, start: c.Start, end: c.End, written: p.text[c.Start:c.End],
				token: c.Token, readable: true, strict: c.Strict,
			}
			o.place, o.tool = p.placeOf(access.Place(c.Place))
			j.found = append(j.found, o)
		}
	}
	for i, written := range j.req.Tokens {
		o := occurrence{start: i, end: i, written: written, place: access.PlaceProse}
		// A token on its own may be written as a model changed it, but it must
		// be all that there is.
		if cs := j.s.words.Scan(written); len(cs) == 1 && cs[0].Start == 0 && cs[0].End == len(written) {
			o.token, o.readable, o.strict = cs[0].Token, true, cs[0].Strict
		}
		j.found = append(j.found, o)
	}
}

// attempt decides against the mappings as they are read now, commits the
// intent on the condition that they still stand, and opens the values.
func (j *restoreJob) attempt(ctx context.Context) (DetokenizeResult, error) {
	if err := j.claim.read(ctx, j.s, j.call.Caller.Tenant, &j.entry); err != nil {
		return DetokenizeResult{}, err
	}
	if err := j.readMappings(ctx); err != nil {
		return DetokenizeResult{}, err
	}
	refs := j.decideMappings()
	if err := j.failFast(ctx); err != nil {
		return DetokenizeResult{}, err
	}
	opened, err := j.openKeys(ctx)
	if err != nil {
		return DetokenizeResult{}, err
	}
	var committed Committed
	commit := func() error {
		committed, err = j.commit(ctx, refs)
		return err
	}
	if j.s.faults.openBeforeCommit {
		if err := j.open(ctx, opened, ""); err != nil {
			return DetokenizeResult{}, err
		}
		_ = commit()
		return j.result(committed)
	}
	if err := commit(); err != nil {
		return DetokenizeResult{}, err
	}
	// From here on the intent is durable. A crash leaves an entry for values
	// that nobody received.
	if err := j.open(ctx, opened, committed.changeID); err != nil {
		return DetokenizeResult{}, err
	}
	return j.result(committed)
}

// commit writes the intent, with what it counts, uses and opens. Where nothing is
// given it is the record of that, and uses nothing.
func (j *restoreJob) commit(ctx context.Context, refs []RestoreRef) (Committed, error) {
	ctx, end := stage.Start(ctx, stage.Commit)
	defer end()
	tenant, entry := j.call.Caller.Tenant, j.describe()
	if len(refs) == 0 {
		return j.s.commitRiding(ctx, tenant, Record{}, entry, &j.claim, nil)
	}
	reason := j.req.Reason.Code
	effect := Restore{
		Refs: refs, By: by(j.call.Caller, j.keys, reason), Spends: j.demands.spends(j.call.Caller, j.keys, reason), Standing: j.standing(),
	}
	if j.demands.review > 0 {
		effect.MaxOverdue = MaxOverdueReviews
	}
	ride := j.s.riders(&j.demands, entry, person(j.call.Caller, j.keys))
	return j.s.commitRiding(ctx, tenant, effect, entry, &j.claim, func(c Change) Change { return j.redeems.on(ride(c)) })
}

// standing are the consents that what is given rests on.
func (j *restoreJob) standing() []string {
	var ids []string
	for i := range j.found {
		if o := &j.found[i]; o.gives() && o.decision.Purpose != "" {
			for _, ref := range o.mapping.SubjectRefs {
				ids = append(ids, j.consented[ref])
			}
		}
	}
	return unique(ids)
}

// result splices the values over the original bytes.
func (j *restoreJob) result(committed Committed) (DetokenizeResult, error) {
	result := DetokenizeResult{PolicyVersion: j.s.rules().Version(), Reason: j.req.Reason.Code, Results: make([]TokenResult, len(j.found))}
	if committed.Tree != nil {
		receipt, err := j.s.receipt(j.keys, committed)
		if err != nil {
			return DetokenizeResult{}, err
		}
		result.Audit = receipt
	}
	byPart := make([][]splice, len(j.parts))
	for i := range j.found {
		o := &j.found[i]
		result.Results[i] = TokenResult{
			Token: o.written, Status: o.status, Form: string(o.form), Repaired: o.gives() && !o.strict,
		}
		with := j.standIn(o)
		if len(j.parts) == 0 {
			result.Values = append(result.Values, with)
			continue
		}
		result.Results[i].Pointer = j.parts[o.part].pointer
		if with != o.written {
			byPart[o.part] = append(byPart[o.part], splice{o.start, o.end, with})
		}
	}
	var err error
	switch {
	case j.doc != nil:
		if result.Payload, err = j.doc.Splice(editsOf(byPart)); err != nil {
			err = fmt.Errorf("vault: splice: %w", err)
		}
	case j.req.Text != nil:
		text := spliced(*j.req.Text, byPart[0])
		result.Text = &text
	}
	return result, err
}

// standIn is what the answer shows for an occurrence.
func (j *restoreJob) standIn(o *occurrence) string {
	switch {
	case o.gives():
		return o.value
	case j.req.OnRefused == RefusedLabel && o.token.Entity != "":
		return "<" + o.token.Entity + ">"
	default:
		return o.written
	}
}

// gives tells whether the answer holds anything of the value.
func (o *occurrence) gives() bool { return o.status.gives() }

func (s Status) gives() bool { return s == StatusRestored || s == StatusPartial || s == StatusMasked }

// describe completes the intent entry.
func (j *restoreJob) describe() audit.Entry {
	entry := j.entry
	entry.Results = make(map[string]int)
	entry.Entities = make(map[string]int)
	var ids, subjects, rules, duties []string
	given := 0
	for i := range j.found {
		o := &j.found[i]
		entry.Results[string(o.status)]++
		if !o.gives() {
			continue
		}
		given++
		ids = append(ids, o.token.ID)
		entry.Entities[o.mapping.Entity]++
		subjects = append(subjects, o.mapping.SubjectRefs...)
		rules = append(rules, o.decision.RuleIDs...)
		duties = append(append(duties, o.decision.Obligations...), "form:"+string(o.form))
	}
	entry.Tokens, entry.SubjectRefs = unique(ids), unique(subjects)
	entry.RuleIDs, entry.Obligations = unique(rules), unique(append(duties, j.redeems.obligations()...))
	entry.ScopeRefs = j.scopeRefs()
	switch {
	case given == len(j.found):
		entry.Decision = audit.Allow
	case given == 0:
		entry.Decision = audit.Deny
	default:
		entry.Decision = audit.Partial
	}
	return entry
}

// scopeRefs names the scopes that the request is about, for its entries.
func (j *restoreJob) scopeRefs() []string {
	refs := make([]string, len(j.scopes))
	for i, s := range j.scopes {
		refs[i] = s.ID
	}
	return refs
}

func checkDetokenize(req *DetokenizeRequest) error {
	if err := checkScopeNames(req.Scope, req.ReadScopes); err != nil {
		return err
	}
	if err := checkIdentifier("/recipient", req.Recipient); err != nil {
		return err
	}
	switch {
	case req.Partial:
		return Invalid("/partial", "goes with grant only")
	case req.GrantID != "":
		return Invalid("/grant", "goes with detokenize only")
	case rank(req.Text != nil)+rank(len(req.Tokens) > 0)+rank(req.Payload != nil) != 1:
		return Invalid("/", "exactly one of text, tokens and payload is required")
	case req.Payload == nil && req.Shape != "":
		return Invalid("/shape", "goes with payload only")
	case len(req.Tokens) > MaxFindings:
		return tooLarge("/tokens", "findings", MaxFindings)
	}
	switch req.OnRefused {
	case "", RefusedKeep, RefusedLabel, RefusedFail:
	default:
		return Invalid("/on_refused", "must be keep, label or fail")
	}
	if req.Text != nil {
		return checkText("/text", *req.Text)
	}
	for i, t := range req.Tokens {
		if len(t) > token.MaxCandidate*4 {
			return Invalid("/tokens/"+strconv.Itoa(i), "is longer than any token")
		}
	}
	return nil
}
