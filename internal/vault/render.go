package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
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
		with := text[f.start:f.end]
		isToken := f.kept != nil
		switch {
		case f.kept != nil, f.action == access.ActAllow, f.action == access.ActBlock:
		case f.action == access.ActMask:
			with = detect.Masked(f.entity.Name)
		default:
			stand, err := token.Mint(f.format, f.entity.Name, rand.Reader)
			if err != nil {
				return nil, fmt.Errorf("vault: mint: %w", err)
			}
			with, isToken = stand.String(), true
		}
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
	result := TokenizeResult{PolicyVersion: j.s.policy.Version()}
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
	parts := make([]splice, 0, len(j.found))
	touched := j.touchedExpiry(o)
	for i := range j.found {
		f := &j.found[i]
		part := splice{f.start, f.end, f.value}
		switch {
		case f.kept != nil:
			result.Tokens = append(result.Tokens, TokenInfo{
				Token: f.value, Entity: f.entity.Name, Class: string(f.entity.Class), Origin: OriginKept,
				ExpiresAt: expiry(touched[f.kept.ID]),
			})
		case f.action == access.ActTokenize:
			info := j.tokenInfo(f, o, names)
			part.with = info.Token
			result.Tokens = append(result.Tokens, info)
		default:
			if f.action == access.ActMask {
				part.with = detect.Masked(f.entity.Name)
			}
			result.Masked = append(result.Masked, MaskInfo{Entity: f.entity.Name, Action: string(f.action)})
		}
		parts = append(parts, part)
	}
	if j.req.Text == nil {
		if !j.req.DryRun {
			result.Values = make([]string, len(parts))
			for i, p := range parts {
				result.Values[i] = p.with
			}
		}
		return result, nil
	}
	j.place(&result)
	if !j.req.DryRun {
		text := spliced(*j.req.Text, parts)
		result.Text = &text
	}
	return result, nil
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

func (j *tokenizeJob) touchedExpiry(o Outcome) map[string]time.Time {
	expiries := make(map[string]time.Time, len(o.Touched))
	seen := 0
	for _, f := range j.found {
		if f.kept == nil {
			continue
		}
		if _, done := expiries[f.kept.ID]; !done && seen < len(o.Touched) {
			expiries[f.kept.ID] = o.Touched[seen]
			seen++
		}
	}
	return expiries
}

// place adds the offsets of the request's text, in code points.
func (j *tokenizeJob) place(result *TokenizeResult) {
	text, points, at, tokens, masked := *j.req.Text, 0, 0, 0, 0
	for _, f := range j.found {
		start := points + utf8.RuneCountInString(text[at:f.start])
		end := start + utf8.RuneCountInString(text[f.start:f.end])
		points, at = end, f.end
		if f.kept != nil || f.action == access.ActTokenize {
			result.Tokens[tokens].Start, result.Tokens[tokens].End = &start, &end
			tokens++
			continue
		}
		result.Masked[masked].Start, result.Masked[masked].End = &start, &end
		masked++
	}
}
