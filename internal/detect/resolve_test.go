package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

func span(start, end int, entity string, score float64) detect.Span {
	return detect.Span{Start: start, End: end, Entity: entity, Score: score, Rule: "test/" + entity}
}

func TestResolve(t *testing.T) {
	a, b := detect.EmailAddress, detect.PhoneNumber
	for name, c := range map[string]struct{ in, want []detect.Span }{
		"nothing":                  {nil, []detect.Span{}},
		"apart":                    {[]detect.Span{span(5, 9, a, .5), span(0, 5, b, .5)}, []detect.Span{span(0, 5, b, .5), span(5, 9, a, .5)}},
		"container wins":           {[]detect.Span{span(2, 4, a, 1), span(0, 9, b, .5)}, []detect.Span{span(0, 9, b, .5)}},
		"longer wins":              {[]detect.Span{span(0, 5, a, 1), span(4, 10, b, .5)}, []detect.Span{span(4, 10, b, .5)}},
		"equal length, score wins": {[]detect.Span{span(0, 5, a, .6), span(0, 5, b, .7)}, []detect.Span{span(0, 5, b, .7)}},
		"equal score, first wins":  {[]detect.Span{span(3, 8, a, .6), span(0, 5, b, .6)}, []detect.Span{span(0, 5, b, .6)}},
		"all equal, name wins":     {[]detect.Span{span(0, 5, b, .6), span(0, 5, a, .6)}, []detect.Span{span(0, 5, a, .6)}},
		"twice the same":           {[]detect.Span{span(0, 5, b, .6), span(0, 5, b, .6)}, []detect.Span{span(0, 5, b, .6)}},
		"chain":                    {[]detect.Span{span(0, 4, a, .6), span(3, 9, a, .6), span(8, 12, b, .6)}, []detect.Span{span(3, 9, a, .6)}},
		"chain, outer ones":        {[]detect.Span{span(0, 5, a, .6), span(4, 8, a, .6), span(7, 12, b, .6)}, []detect.Span{span(0, 5, a, .6), span(7, 12, b, .6)}},
		"reserved wins":            {[]detect.Span{span(0, 99, a, 1), span(10, 12, "", detect.ScoreReserved)}, []detect.Span{span(10, 12, "", detect.ScoreReserved)}},
		"empty is dropped":         {[]detect.Span{span(3, 3, a, 1), span(5, 4, a, 1), span(0, 9, b, .5)}, []detect.Span{span(0, 9, b, .5)}},
	} {
		if diff := cmp.Diff(c.want, detect.Resolve(c.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func spansOf(r *rapid.T) []detect.Span {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) detect.Span {
		start := rapid.IntRange(0, 40).Draw(r, "start")
		s := span(start, start+rapid.IntRange(0, 12).Draw(r, "length"),
			rapid.SampledFrom(detect.Entities()).Draw(r, "entity"),
			rapid.SampledFrom([]float64{.5, .6, 1, detect.ScoreReserved}).Draw(r, "score"))
		s.Rule = rapid.SampledFrom([]string{"x/1", "x/2"}).Draw(r, "rule")
		return s
	}), 0, 30).Draw(r, "spans")
}

// unsettled says what is wrong with the outcome of a resolution; nil if nothing is.
func unsettled(in, out []detect.Span) error {
	for i, s := range out {
		if i > 0 && out[i-1].End > s.Start {
			return fmt.Errorf("%v overlaps %v or comes before it", s, out[i-1])
		}
		if !slices.Contains(in, s) {
			return fmt.Errorf("%v was not in the input", s)
		}
	}
	for _, s := range in {
		if s.Start >= s.End || slices.Contains(out, s) {
			continue
		}
		i := slices.IndexFunc(out, func(k detect.Span) bool {
			better := k.Score > 1 || s.Score <= 1 && k.End-k.Start >= s.End-s.Start
			return k.Start < s.End && s.Start < k.End && better
		})
		if i < 0 {
			return fmt.Errorf("%v is dropped for nothing that is as good", s)
		}
	}
	return nil
}

func TestResolveProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := spansOf(r)
		before := slices.Clone(in)
		out := detect.Resolve(in)
		if !slices.Equal(in, before) {
			r.Fatal("the input was changed")
		}
		if err := unsettled(in, out); err != nil {
			r.Fatal(err)
		}
		if again := detect.Resolve(out); !slices.Equal(out, again) {
			r.Fatalf("resolved twice: %v, %v", out, again)
		}
		shuffle := rand.New(rand.NewPCG(uint64(len(in)), 7))
		shuffle.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		if other := detect.Resolve(in); !slices.Equal(out, other) {
			r.Fatalf("in another order: %v, %v", out, other)
		}
	})
}

// The check of the property goes red for resolutions that leave an overlap, invent or lose a span.
func TestResolveTwin(t *testing.T) {
	in := []detect.Span{span(0, 5, "A", .5), span(4, 8, "B", .5), span(10, 12, "C", .5)}
	for name, out := range map[string][]detect.Span{
		"as it was": in,
		"lost":      {in[0]},
		"invented":  {in[0], span(9, 12, "C", .5)},
		"unsorted":  {in[2], in[0]},
	} {
		if unsettled(in, out) == nil {
			t.Errorf("%s: the check is green", name)
		}
	}
}
