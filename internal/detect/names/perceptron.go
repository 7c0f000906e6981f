package names

import (
	"math"
	"math/rand/v2"
	"slices"
)

// perceptron is the averaged structured perceptron (Collins, EMNLP 2002): find the best sequence of tags, and where it is
// not the right one, move the weights of both. What is kept is the average of the weights over all steps, computed from
// the changes and the steps at which they were made.
type perceptron struct {
	weights [][tags]float32
	moved   [][tags]float64 // changes times their steps
	links   [tags][tags]float64
	linked  [tags][tags]float64
	trans   [tags][tags]int32 // links in units of the decoder
	step    float64
	decoder decoder
	rng     *rand.Rand
	kept    []uint32 // features of the example that were not dropped
	ends    []uint32

	runs     int
	sum      [][tags]float64 // of the averages of the runs
	sumLinks [tags][tags]float64
}

const (
	// fine is how many units of the decoder one step of learning is.
	fine = 64
	// dropped is the share of features that learning does not see, another one each time, so that none is relied upon
	// alone: names that no list knows are found by what stands around them. Without it F1 on uner dev is 0.03 less.
	dropped = 0.5
	// maxMove bounds how far one text moves the weights, in tokens: a long text that is wrong all over (a table, code)
	// would outweigh hundreds of others, and learning swings without end.
	maxMove = 3
)

func newPerceptron(rng *rand.Rand) *perceptron {
	p := &perceptron{
		weights: make([][tags]float32, 1<<featureBits), moved: make([][tags]float64, 1<<featureBits),
		sum: make([][tags]float64, 1<<featureBits), rng: rng, step: 1,
	}
	p.decoder.trans = &p.trans
	p.forget()
	return p
}

// forget begins a run.
func (p *perceptron) forget() {
	clear(p.weights)
	clear(p.moved)
	p.links, p.linked, p.step = [tags][tags]float64{}, [tags][tags]float64{}, 1
	for a := range tags {
		for b := range tags {
			p.trans[a][b] = 0
			if !follows(tag(a), tag(b)) {
				p.trans[a][b] = impossible
			}
		}
	}
}

// finish adds the averages of a run up.
func (p *perceptron) finish() {
	p.runs++
	for i := range p.weights {
		for t := range tags {
			p.sum[i][t] += float64(p.weights[i][t]) - p.moved[i][t]/p.step
		}
	}
	for a := range tags {
		for b := range tags {
			p.sumLinks[a][b] += p.links[a][b] - p.linked[a][b]/p.step
		}
	}
	p.forget()
}

// learn takes one example and reports how many of its tokens were wrong.
func (p *perceptron) learn(e *example) int {
	p.step++
	p.rate(e)
	d := &p.decoder
	d.decode()
	wrong := 0
	for i, gold := range e.gold {
		if d.tags[i] != gold {
			wrong++
		}
	}
	if wrong > 0 {
		p.correct(e, min(1, maxMove/float32(wrong)))
	}
	return wrong
}

// rate scores the tokens with the features that are not dropped.
func (p *perceptron) rate(e *example) {
	d := &p.decoder
	d.size(len(e.gold))
	p.kept, p.ends = p.kept[:0], p.ends[:0]
	from := uint32(0)
	for i, end := range e.ends {
		if end == from {
			d.rows[i] = outsideRow
			p.ends = append(p.ends, uint32(len(p.kept))) //nolint:gosec // an example is small
			continue
		}
		var sum [tags]float32
		for _, at := range e.features[from:end] {
			if p.rng.Float64() < dropped {
				continue
			}
			p.kept = append(p.kept, at)
			w := &p.weights[at]
			for t := range tags {
				sum[t] += w[t]
			}
		}
		for t := range tags {
			d.rows[i][t] = int32(sum[t] * fine)
		}
		p.ends = append(p.ends, uint32(len(p.kept))) //nolint:gosec // an example is small
		from = end
	}
}

// correct moves the weights from the tags that were found to the right ones.
func (p *perceptron) correct(e *example, by float32) {
	from, was, wasGold := uint32(0), outside, outside
	for i, gold := range e.gold {
		got := p.decoder.tags[i]
		if got != gold {
			for _, at := range p.kept[from:p.ends[i]] {
				p.weights[at][gold] += by
				p.weights[at][got] -= by
				p.moved[at][gold] += p.step * float64(by)
				p.moved[at][got] -= p.step * float64(by)
			}
		}
		if got != gold || was != wasGold {
			p.link(wasGold, gold, float64(by))
			p.link(was, got, -float64(by))
		}
		from, was, wasGold = p.ends[i], got, gold
	}
}

func (p *perceptron) link(a, b tag, by float64) {
	p.trans[a][b] += int32(by * fine)
	p.links[a][b] += by
	p.linked[a][b] += by * p.step
}

// clipped is the share of weights that one byte does not hold; they are cut off there.
const clipped = 0.0005

// model is the mean of the runs in whole numbers.
func (p *perceptron) model(table *listTable) *Model {
	m := &Model{weights: make([]uint64, len(p.sum)), lists: table}
	var sizes []float64
	for i := range p.sum {
		for _, w := range p.sum[i] {
			if w != 0 {
				sizes = append(sizes, math.Abs(w))
			}
		}
	}
	slices.Sort(sizes)
	scale := 1.0
	if n := len(sizes); n > 0 {
		scale = sizes[int((1-clipped)*float64(n-1))] / (weightZero - 1)
	}
	for i := range p.sum {
		for t := range tags {
			q := max(1-weightZero, min(weightZero-1, math.Round(p.sum[i][t]/scale)))
			m.weights[i] |= uint64(int(q)+weightZero) << (8 * t) //nolint:gosec // 1 to 255
		}
	}
	for a := range tags {
		for b := range tags {
			m.trans[a][b] = impossible
			if follows(tag(a), tag(b)) {
				m.trans[a][b] = int32(max(math.MinInt16, min(math.MaxInt16, math.Round(p.sumLinks[a][b]/scale))))
			}
		}
	}
	return m
}
