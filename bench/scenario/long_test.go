package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/bench/report"
)

func TestLengths(t *testing.T) {
	env := map[string]string{}
	getenv := func(name string) string { return env[name] }
	got, err := lengthsFrom(getenv)
	if err != nil || got != goals {
		t.Errorf("%+v %v, want what the goals speak of", got, err)
	}
	env[envSoakRequests], env[envMappings], env[envEntries], env[envOverload] = "5", "6", "7", "8s"
	got, err = lengthsFrom(getenv)
	if err != nil || got != (lengths{soak: 5, mappings: 6, entries: 7, overload: 8 * time.Second}) {
		t.Errorf("%+v %v", got, err)
	}
	for name, text := range map[string]string{envSoakRequests: "0", envMappings: "many", envOverload: "1ms", envEntries: "-1"} {
		clear(env)
		env[name] = text
		if _, err := lengthsFrom(getenv); err == nil {
			t.Errorf("%s=%s is accepted", name, text)
		}
	}
}

func TestAxesEndWhereTheyAreTold(t *testing.T) {
	for _, a := range axes(goals) {
		if a.sizes[len(a.sizes)-1] != largest || !slices.Contains(a.sizes, a.from) {
			t.Errorf("%s: %v do not hold what the goal speaks of", a.name, a.sizes)
		}
	}
	small := axes(lengths{mappings: 100_000, entries: 20_000})
	if diff := gocmp.Diff([][]int64{{10_000, 100_000}, {10_000}}, [][]int64{small[0].sizes, small[1].sizes}); diff != "" {
		t.Error(diff)
	}
}

// TestRoom: ten million of each fit into twenty gigabytes and what is spared beside.
func TestRoom(t *testing.T) {
	for _, a := range axes(goals) {
		if got, left := fitting(a.name, a.sizes, 28<<30); left > 0 || len(got) != len(a.sizes) {
			t.Errorf("%s: %v, %d left out", a.name, got, left)
		}
		got, left := fitting(a.name, a.sizes, 15<<30)
		if diff := gocmp.Diff([]int64{10_000, 100_000, 1_000_000}, got); diff != "" || left != 1 {
			t.Errorf("%s: %d left out, %s", a.name, left, diff)
		}
	}
}

func TestRoomOfASoak(t *testing.T) {
	if most := lasting(20 << 30); most < goals.soak {
		t.Errorf("twenty gigabytes are enough for %d requests, not for %d", most, goals.soak)
	}
	if most := lasting(5 << 30); most > 0 {
		t.Errorf("%d requests on a disk that is nearly full", most)
	}
}

func TestRecovered(t *testing.T) {
	const length, before = 10 * time.Second, 4.0
	second := func(at int, p99 float64, refused float64) overSecond {
		return overSecond{at: time.Duration(at) * time.Second, good: 100, refused: refused, p99: p99, after: at > 10}
	}
	for _, test := range []struct {
		name    string
		seconds []overSecond
		want    time.Duration
		ok      bool
	}{
		{"at once", []overSecond{second(10, 900, 5), second(11, 5, 0), second(12, 5, 0), second(13, 5, 0)}, time.Second, true},
		{"what was before the end does not count", []overSecond{second(9, 1, 0), second(10, 1, 0), second(11, 1, 0)}, 0, false},
		{"one slow second begins it anew", []overSecond{
			second(11, 5, 0), second(12, 8, 0), second(13, 5, 0), second(14, 5, 0), second(15, 5, 0)}, 3 * time.Second, true},
		{"and so does a refusal", []overSecond{
			second(11, 5, 0), second(12, 5, 1), second(13, 5, 0), second(14, 5, 0), second(15, 5, 0)}, 3 * time.Second, true},
		{"never", []overSecond{second(11, 9, 0), second(12, 9, 0), second(13, 9, 0), second(14, 9, 0)}, 0, false},
	} {
		got, ok := recovered(test.seconds, length, before)
		if got != test.want || ok != test.ok {
			t.Errorf("%s: %v %v, want %v %v", test.name, got, ok, test.want, test.ok)
		}
	}
}

func TestBodiesOfTheMix(t *testing.T) {
	var body struct {
		TTL    int
		Scope  string
		Values []struct{ Entity, Value string }
	}
	raw := lastingBody([]byte("x")[:0], "s", []string{"a", "b"})
	if err := json.Unmarshal(raw, &body); err != nil || body.TTL != 300 || body.Scope != "s" || len(body.Values) != 2 {
		t.Errorf("%v %+v", err, body)
	}
	f := &face{bearer: "b"}
	of := holding{request: f.restoreBody(nil, "s", []string{"t"})}
	var refused struct {
		Reason struct{ Code, Reference string }
	}
	if err := json.Unmarshal(refusedBody(of), &refused); err != nil || refused.Reason.Code != "CUSTOMER_SUPPORT" || refused.Reason.Reference == "" {
		t.Errorf("%v %+v", err, refused)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 10_000_000: "10,000,000"} {
		if got := grouped(n); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestLongWorks runs the long works on a real site, short ones. Growth ends with the
// verifier, which has to find what was filled in sound.
func TestLongWorks(t *testing.T) {
	if os.Getenv("COUNTERFOIL_LONG") != "1" {
		t.Skip("takes some minutes: COUNTERFOIL_LONG=1 runs it")
	}
	for name, short := range map[string]string{
		envSoakRequests: "20000", envOverload: "10s", envMappings: "100000", envEntries: "100000"} {
		if os.Getenv(name) == "" {
			t.Setenv(name, short)
		}
	}
	for _, work := range []struct {
		name          string
		run           func(context.Context, *Env) error
		goals, curves int
	}{{"growth", Growth, 5, 2}, {"soak", Soak, 2, 3}, {"overload", Overload, 3, 1}} {
		t.Run(work.name, func(t *testing.T) {
			e := &Env{Report: &report.Report{Mode: "trial"}, Runs: 1, Warm: time.Second, For: 2 * time.Second, Say: t.Logf}
			if err := work.run(t.Context(), e); err != nil {
				t.Error(err)
			}
			t.Log(e.Report.Markdown())
			for _, m := range e.Report.Measurements {
				if m.Failed > 0 {
					t.Errorf("%s, %s: %d failed", m.Work, m.Load, m.Failed)
				}
			}
			if len(e.Report.Goals) != work.goals || len(e.Report.Curves) != work.curves {
				t.Errorf("%d goals, %d curves", len(e.Report.Goals), len(e.Report.Curves))
			}
			if err := e.Report.Write(cmp.Or(os.Getenv("COUNTERFOIL_BENCH_OUT"), t.TempDir()), work.name); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGrowthIsJudgedByWhatTheGoalSpeaksOf: other sizes, however good, do not meet it.
func TestGrowthIsJudgedByWhatTheGoalSpeaksOf(t *testing.T) {
	at := func(size int64, p50 float64) point {
		return point{size: size, tokenize: report.Figure{p50}, floor: report.Figure{1}}
	}
	for _, test := range []struct {
		points  []point
		verdict string
	}{
		{nil, report.NotMeasured},
		{[]point{at(10_000, 2)}, report.NotMeasured},
		{[]point{at(10_000, 2), at(1_000_000, 2)}, report.NotMeasured},
		{[]point{at(100_000, 2), at(largest, 2)}, report.NotMeasured},
		{[]point{at(10_000, 2), at(100_000, 9), at(largest, 2.9)}, report.Met},
		{[]point{at(10_000, 2), at(100_000, 2), at(largest, 3.1)}, report.NotMet},
	} {
		g := &growth{core: &core{Env: &Env{Report: &report.Report{}}}, axis: axes(goals)[0], points: test.points}
		g.judge(tokenizeWork, func(p point) report.Figure { return p.tokenize })
		if got := g.Report.Goals[0].Verdict; got != test.verdict {
			t.Errorf("%v: %s, want %s", test.points, got, test.verdict)
		}
	}
}
