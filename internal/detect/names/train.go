package names

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
)

// Training says what to train on. The same data give the same model, byte for byte.
type Training struct {
	Data  string    // folder of the labelled sets
	Lists string    // folder of the lists
	Code  string    // folder of Go sources, in which there are no names
	Log   io.Writer // how it goes
}

const (
	// seed makes training repeatable. It was not chosen for its figures.
	seed = 20251121
	// runs are averaged, for one differs from the next by 0.01 of F1.
	runs = 3
	// epochs is how often a run sees each example; after five little changes.
	epochs = 8
)

// example is a text as the buckets of its features and the right tags.
type example struct {
	features []uint32 // of all tokens
	ends     []uint32 // where the features of each token end
	gold     []tag
}

// Train makes a model, and its file.
func Train(ctx context.Context, opts Training) (*Model, []byte, error) {
	ls, err := readLists(opts.Lists)
	if err != nil {
		return nil, nil, err
	}
	texts, err := readTraining(opts.Data)
	if err != nil {
		return nil, nil, err
	}
	code, err := readCode(opts.Code)
	if err != nil {
		return nil, nil, err
	}
	rng := rand.New(rand.NewPCG(seed, runs)) //nolint:gosec // repeatable, not secret
	texts = append(augment(rng, texts, ls), code...)
	return learn(ctx, rng, ls.table, texts, opts.Log)
}

// learn trains on labelled texts.
func learn(ctx context.Context, rng *rand.Rand, table *listTable, texts []labelled, log io.Writer) (*Model, []byte, error) {
	examples, size := make([]example, 0, len(texts)), 0
	for _, l := range texts {
		e := makeExample(table, l)
		size += len(e.gold)
		examples = append(examples, e)
	}
	if err := tell(log, "%d examples, %d tokens\n", len(examples), size); err != nil {
		return nil, nil, err
	}
	p := newPerceptron(rng)
	for run := range runs {
		wrong := 0
		for range epochs {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			rng.Shuffle(len(examples), func(i, j int) { examples[i], examples[j] = examples[j], examples[i] })
			wrong = 0
			for i := range examples {
				wrong += p.learn(&examples[i])
			}
		}
		p.finish()
		if err := tell(log, "run %d: %d tokens wrong in the last round\n", run+1, wrong); err != nil {
			return nil, nil, err
		}
	}
	data := p.model(table).bytes()
	m, err := ReadModel(data)
	return m, data, err
}

func tell(log io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(log, format, args...); err != nil {
		return fmt.Errorf("names: %w", err)
	}
	return nil
}

// makeExample cuts a text into tokens and takes its labels over. A token that lies partly in a label belongs to it.
func makeExample(table *listTable, l labelled) example {
	var b buffers
	b.tokenizer = tokenizer{text: l.text, lists: table}
	tokens := b.cut(0, len(l.text))
	table.markPlaces(tokens)
	var e example
	at, last := 0, -1
	for i := window; i < len(tokens)-window; i++ {
		t := &tokens[i]
		for at < len(l.spans) && l.spans[at].end <= int(t.start) {
			at++
		}
		gold := outside
		if !t.alwaysOutside() {
			b.features.extract(tokens, i)
			e.features = append(e.features, b.features.at[:b.features.n]...)
			if at < len(l.spans) && l.spans[at].start < int(t.end) {
				gold = inside(l.spans[at].class)
				if at != last || !follows(e.gold[len(e.gold)-1], gold) {
					gold = begin(l.spans[at].class)
				}
				last = at
			}
		}
		e.ends = append(e.ends, uint32(len(e.features))) //nolint:gosec // an example is small
		e.gold = append(e.gold, gold)
	}
	return e
}
