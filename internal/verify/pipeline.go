package verify

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// How much is read at a time before it is parsed. A batch is large enough that
// handing it over costs nothing beside parsing it.
const (
	batchEntries = 256
	batchBytes   = 256 << 10 // and at most one leaf more
)

// A read is an entry with what can be said of it alone.
type read struct {
	index      int64
	start, end int // of the leaf, in the bytes of the batch
	pruned     bool
	stored     []byte // the hash beside it, nil where there is none
	hash       audit.Hash
	entry      audit.Entry
	broken     error // it is no entry
	misshapen  error // it is one, and not of its kind
}

// A batch is a run of entries. Whoever has it from a channel owns it.
type batch struct {
	bytes []byte
	reads []read
	ready chan struct{} // one message when it is parsed
}

func (b *batch) add(e Entry) {
	r := read{index: e.Index, pruned: e.Leaf == nil, start: len(b.bytes)}
	b.bytes = append(b.bytes, e.Leaf...)
	r.end = len(b.bytes)
	if e.LeafHash != nil {
		r.stored = append([]byte{}, e.LeafHash...)
	}
	b.reads = append(b.reads, r)
}

func (b *batch) full() bool { return len(b.reads) >= batchEntries || len(b.bytes) >= batchBytes }

// errStopped ends the reading where a fault was found in what came before.
var errStopped = errors.New("verify: a fault was found before this entry")

// A pipeline hands batches from the source, which runs in the goroutine of the
// caller, to the parsers, and in the order of the log to the judge.
type pipeline struct {
	v              *verifier
	current        *batch
	unparsed, line chan *batch
	free           chan *batch
	stopped        chan struct{}
	err            error // of the judge; good once judged is over
	parsers, judge sync.WaitGroup
}

// read judges what the source gives. The first fault by the order of the log is
// returned, before an error of the source.
func (v *verifier) read(ctx context.Context, src Source) error {
	processors := runtime.GOMAXPROCS(0)
	ahead := 2 * processors
	p := &pipeline{
		v: v, unparsed: make(chan *batch, ahead), line: make(chan *batch, ahead),
		free: make(chan *batch, 2*ahead), stopped: make(chan struct{}),
	}
	for range processors {
		p.parsers.Go(p.parse)
	}
	p.judge.Go(p.judgeAll)
	end := sync.OnceFunc(func() {
		close(p.unparsed)
		close(p.line)
		p.parsers.Wait()
		p.judge.Wait()
	})
	defer end() // also where the source panics
	err := src(func(e Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return p.add(e)
	})
	if flushed := p.flush(); err == nil {
		err = flushed
	}
	end()
	if p.err != nil {
		return p.err
	}
	return err
}

func (p *pipeline) add(e Entry) error {
	if p.current == nil {
		select {
		case p.current = <-p.free:
		default:
			p.current = &batch{ready: make(chan struct{}, 1)}
		}
	}
	p.current.add(e)
	if !p.current.full() {
		return nil
	}
	return p.flush()
}

func (p *pipeline) flush() error {
	b := p.current
	p.current = nil
	if b == nil {
		return nil
	}
	// A place in the line first: whatever is parsed is judged.
	select {
	case p.line <- b:
	case <-p.stopped:
		return errStopped
	}
	p.unparsed <- b // the parsers take all, whatever the judge does
	return nil
}

func (p *pipeline) parse() {
	for b := range p.unparsed {
		for i := range b.reads {
			p.v.readOne(&b.reads[i], b.bytes)
		}
		b.ready <- struct{}{}
	}
}

// readOne says of an entry what can be said of it alone.
func (v *verifier) readOne(r *read, bytes []byte) {
	if r.pruned {
		return
	}
	leaf := bytes[r.start:r.end]
	r.hash = audit.LeafHash(leaf)
	if r.entry, r.broken = v.parse(leaf); r.broken == nil {
		r.misshapen = v.kind(&r.entry)
	}
}

func (p *pipeline) judgeAll() {
	for b := range p.line {
		<-b.ready
		for i := range b.reads {
			if p.err = p.v.entry(&b.reads[i]); p.err != nil {
				close(p.stopped)
				return
			}
		}
		b.bytes, b.reads = b.bytes[:0], b.reads[:0]
		select {
		case p.free <- b:
		default:
		}
	}
}
