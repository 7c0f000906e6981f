package vault

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
)

// splice is a part of a text that is replaced. Everything outside stays as it
// is, byte for byte.
type splice struct {
	start, end int
	with       string
}

// spliced puts the replacements, sorted and not overlapping, into the text.
func spliced(text string, parts []splice) string {
	var b strings.Builder
	b.Grow(len(text))
	at := 0
	for _, p := range parts {
		b.WriteString(text[at:p.start])
		b.WriteString(p.with)
		at = p.end
	}
	b.WriteString(text[at:])
	return b.String()
}

// maxGapRounds bounds closeGaps. Each round covers text that was not covered
// before, and one is nearly always enough.
const maxGapRounds = 8

// errGaps is an impossible state that must not be answered with a text that
// would not come back as it was.
var errGaps = errors.New("vault: a text does not scan as it was rendered")

// closeGaps makes sure that the rendered text reads back exactly: the scanner
// must find our tokens where they were put, and no other. What else it would
// read as a token, because a replacement gave it new neighbours, is data and
// becomes a finding too. So detokenize(tokenize(x)) == x holds by construction
// (invariant 3), whatever the text is.
func (j *tokenizeJob) closeGaps(text string, parts *[]finding, kept []finding) error {
	for range maxGapRounds {
		if j.s.faults.leaveGaps {
			return nil
		}
		all := slices.Concat(*parts, kept)
		slices.SortFunc(all, byStart)
		j.chooseFormats(text, all)
		gaps, err := j.gaps(text, all)
		if err != nil {
			return err
		}
		if len(gaps) == 0 {
			return nil
		}
		*parts = merge(append(*parts, gaps...))
	}
	return errGaps
}

// chooseFormats gives each token its form: what was asked for, save where an
// opaque token would touch a word or another opaque token. There it could not
// be told from its neighbours, so a label token stands.
func (j *tokenizeJob) chooseFormats(text string, all []finding) {
	before := ""
	for i := range all {
		f := &all[i]
		if i == 0 || all[i-1].end < f.start {
			before = text[:f.start]
		}
		after := text[f.end:]
		next := i+1 < len(all) && all[i+1].start == f.end
		if next && all[i+1].action == access.ActTokenize && all[i+1].kept == nil {
			after = "t" // the next one may be opaque
		}
		f.format = j.format(f.entity)
		if !f.format.Stands(before, after) {
			f.format = token.FormatLabel
		}
		switch {
		case f.kept != nil, f.action != access.ActTokenize:
			before = text[:f.end]
		case f.format == token.FormatOpaque:
			before = "t"
		default:
			before = "]"
		}
	}
}

// gaps renders the text as it would be answered and returns what the scanner
// would read as a token but is none of ours.
func (j *tokenizeJob) gaps(text string, all []finding) ([]finding, error) {
	parts := make([]splice, 0, len(all))
	ours := make(map[[2]int]bool)
	shift := 0
	for _, f := range all {
		f.value = text[f.start:f.end]
		with, err := j.standIn(f)
		if err != nil {
			return nil, err
		}
		isToken := f.kept != nil || f.action == access.ActTokenize
		start := f.start + shift
		if isToken {
			ours[[2]int{start, start + len(with)}] = true
		}
		parts = append(parts, splice{f.start, f.end, with})
		shift += len(with) - (f.end - f.start)
	}
	var gaps []finding
	for _, c := range j.s.words.Scan(spliced(text, parts)) {
		if at := [2]int{c.Start, c.End}; c.Strict && ours[at] {
			delete(ours, at)
			continue
		}
		gaps = append(gaps, j.tokenLike(origin(parts, c.Start, false), origin(parts, c.End, true)))
	}
	if len(ours) > 0 && len(gaps) == 0 {
		return nil, errGaps
	}
	return gaps, nil
}

// origin maps an offset of the rendered text back to the original. Inside a
// replacement it is the replaced part's start, or its end.
func origin(parts []splice, at int, end bool) int {
	shift := 0
	for _, p := range parts {
		start := p.start + shift
		if at < start || (end && at == start) {
			break
		}
		if at < start+len(p.with) || (end && at == start+len(p.with)) {
			if end {
				return p.end
			}
			return p.start
		}
		shift += len(p.with) - (p.end - p.start)
	}
	return at - shift
}

// result renders the answer from the ids that the commit returned. Without a
// commit (a dry run) it tells what would be done and shows no token.
func (j *tokenizeJob) result(o Outcome, committed *Committed) (TokenizeResult, error) {
	result := TokenizeResult{PolicyVersion: j.s.rules().Version(), Unanalyzed: int(j.unanalyzed.Load())}
	if committed != nil {
		receipt, err := j.s.receipt(j.keys, *committed)
		if err != nil {
			return TokenizeResult{}, err
		}
		result.Audit = receipt
	}
	names, err := j.standing(o)
	if err != nil {
		return TokenizeResult{}, err
	}
	byPart := make([][]splice, len(j.parts))
	touched := j.touchedExpiry(o)
	for i := range j.found {
		f := &j.found[i]
		with := f.value
		switch {
		case f.kept != nil:
			result.Tokens = append(result.Tokens, TokenInfo{
				Token: f.value, Entity: f.entity.Name, Class: string(f.entity.Class), Origin: OriginKept,
				ExpiresAt: j.keptExpiry(f, touched),
			})
		case f.action == access.ActTokenize:
			info := j.tokenInfo(f, o, names)
			with = info.Token
			result.Tokens = append(result.Tokens, info)
		default:
			if f.action == access.ActMask {
				with = detect.Masked(f.entity.Name)
			}
			result.Masked = append(result.Masked, j.maskInfo(f))
		}
		if len(j.parts) == 0 {
			result.Values = append(result.Values, with)
		} else if with != f.value {
			byPart[f.part] = append(byPart[f.part], splice{f.start, f.end, with})
		}
	}
	if len(j.parts) > 0 {
		j.place(&result)
	}
	return result, j.rendered(&result, byPart)
}

// rendered puts the text or the body into the answer.
func (j *tokenizeJob) rendered(result *TokenizeResult, byPart [][]splice) (err error) {
	if j.doc != nil {
		result.Coverage = &j.coverage
	}
	switch {
	case j.req.DryRun:
		result.Values = nil
	case j.doc != nil:
		if result.Payload, err = j.doc.Splice(editsOf(byPart)); err != nil {
			return fmt.Errorf("vault: splice: %w", err)
		}
	case j.req.Text != nil:
		text := spliced(*j.req.Text, byPart[0])
		result.Text = &text
	}
	return nil
}

// cover says what of the payload was searched, with the keys redacted in
// which something was found.
func (j *tokenizeJob) cover() payload.Manifest {
	hit := make(map[int]bool)
	for i := range j.found {
		hit[j.found[i].part] = true
	}
	return j.doc.Manifest(func(leaf int) bool { return hit[leaf] })
}

// maxRereadRounds bounds coverRereads. Each round covers leaves that were not
// covered before, and none is nearly always enough.
const maxRereadRounds = 4

// coverRereads makes sure that the body with tokens is read as the body was: a
// string that only the tokens make into JSON, or into what stands where an
// identifier belongs, would not be found or be escaped otherwise when values
// are put back. Such a leaf is tokenized whole.
func (j *tokenizeJob) coverRereads(byPart [][]finding) error {
	for range maxRereadRounds {
		edits := make([][]splice, len(byPart))
		for i, found := range byPart {
			for _, f := range found {
				with, err := j.standIn(f)
				if err != nil {
					return err
				}
				if with != f.value {
					edits[i] = append(edits[i], splice{f.start, f.end, with})
				}
			}
		}
		leaves, err := j.doc.Rereads(editsOf(edits))
		if err != nil {
			return fmt.Errorf("vault: payload: %w", err)
		}
		if len(leaves) == 0 {
			return nil
		}
		for _, leaf := range leaves {
			whole := append(slices.Clone(byPart[leaf]), j.tokenLike(0, len(j.parts[leaf].text)))
			for n := range whole {
				whole[n].kept = nil // what stands in it is sealed with it
				whole[n].action = cmp.Or(whole[n].action, access.ActTokenize)
			}
			byPart[leaf] = j.complete(leaf, merge(whole))
		}
	}
	return errGaps
}

// standIn is what would stand for a finding, with a token that is never used.
func (j *tokenizeJob) standIn(f finding) (string, error) {
	switch {
	case f.kept != nil, f.action.InClear(), f.action == access.ActBlock:
		return f.value, nil
	case f.action == access.ActMask:
		return detect.Masked(f.entity.Name), nil
	}
	stand, err := token.Mint(f.format, f.entity.Name, rand.Reader)
	if err != nil {
		return "", fmt.Errorf("vault: mint: %w", err)
	}
	return stand.String(), nil
}

// standing builds the token that stands for each slot.
func (j *tokenizeJob) standing(o Outcome) ([]string, error) {
	names := make([]string, len(j.slots))
	for i := range o.Standing {
		t, err := token.FromID(j.slots[i].token.Format, j.slots[i].entity.Name, o.Standing[i].TokenID)
		if err != nil {
			return nil, fmt.Errorf("vault: the token that stands: %w", err)
		}
		names[i] = t.String()
	}
	return names, nil
}

func (j *tokenizeJob) tokenInfo(f *finding, o Outcome, names []string) TokenInfo {
	info := TokenInfo{
		Token: names[f.slot], Entity: f.entity.Name, Class: string(f.entity.Class), Origin: OriginNew, Score: f.score,
		Rule: j.explained(f),
	}
	if f.slot < len(o.Standing) {
		info.ExpiresAt = expiry(o.Standing[f.slot].ExpiresAt)
		if o.Standing[f.slot].Reused {
			info.Origin = OriginReused
		}
	}
	if f.wrapped {
		info.Origin = OriginWrapped
	}
	return info
}

func (j *tokenizeJob) maskInfo(f *finding) MaskInfo {
	info := MaskInfo{Entity: f.entity.Name, Action: string(f.action), Rule: j.explained(f)}
	if info.Rule != "" {
		info.Score = f.score
	}
	return info
}

func (j *tokenizeJob) touchedExpiry(o Outcome) map[string]time.Time {
	expiries := make(map[string]time.Time, len(o.Touched))
	seen := 0
	for _, f := range j.found {
		if f.kept == nil || f.read {
			continue
		}
		if _, done := expiries[f.kept.ID]; !done && seen < len(o.Touched) {
			expiries[f.kept.ID] = o.Touched[seen]
			seen++
		}
	}
	return expiries
}

// keptExpiry is until when a kept token lives. Those of a read scope are not
// extended, and how long they live is not this scope's to tell.
func (j *tokenizeJob) keptExpiry(f *finding, touched map[string]time.Time) *time.Time {
	if f.read {
		return nil
	}
	return expiry(touched[f.kept.ID])
}

// expiry returns a pointer to t, or nil for the zero time.
func expiry(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// place adds the offsets in the request's strings, in code points, and where
// the strings stand.
func (j *tokenizeJob) place(result *TokenizeResult) {
	points, at, last, tokens, masked := 0, 0, -1, 0, 0
	for _, f := range j.found {
		p := &j.parts[f.part]
		if f.part != last {
			points, at, last = 0, 0, f.part
		}
		start := points + utf8.RuneCountInString(p.text[at:f.start])
		end := start + utf8.RuneCountInString(p.text[f.start:f.end])
		points, at = end, f.end
		if f.kept != nil || f.action == access.ActTokenize {
			info := &result.Tokens[tokens]
			info.Start, info.End, info.Pointer = &start, &end, p.pointer
			tokens++
			continue
		}
		info := &result.Masked[masked]
		info.Start, info.End, info.Pointer = &start, &end, p.pointer
		masked++
	}
}
