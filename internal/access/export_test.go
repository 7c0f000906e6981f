package access

import "context"

// CheckOnly runs the tables of one action and reason, so that a test of many
// mutated policies does not run all tables each time.
func (p *Policy) CheckOnly(ctx context.Context, action Action, reason string) (Report, error) {
	key := bucket{action, reason}
	if reason == "" {
		key.reason = none
	}
	var report Report
	err := p.checkBucket(ctx, key, &report)
	return report, err
}

// MaxKnown is how many answers a bucket remembers.
const MaxKnown = maxKnown

// Remembered is how many answers the fullest bucket remembers.
func (p *Policy) Remembered() int {
	most := 0
	for _, b := range p.engine.buckets {
		if known := b.memo.known.Load(); known != nil {
			most = max(most, len(*known))
		}
	}
	return most
}

// Forget makes p ask Casbin anew.
func (p *Policy) Forget() {
	for _, b := range p.engine.buckets {
		b.memo.known.Store(nil)
	}
}

// Parts are what a question is made of.
var Parts = []string{"entity", "class", "roles", "facts", "lacks", "best"}

// Blur takes one of Parts out of all questions of p.
func (p *Policy) Blur(part string) {
	blur := map[string]func(*question){
		"entity": func(q *question) { q.entity = "" },
		"class":  func(q *question) { q.class = "" },
		"roles":  func(q *question) { q.roles = 0 },
		"facts":  func(q *question) { q.facts = 0 },
		"lacks":  func(q *question) { q.lacks = 0 },
		"best":   func(q *question) { q.best = false },
	}[part]
	for _, b := range p.engine.buckets {
		b.blur = blur
	}
}
