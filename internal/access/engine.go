package access

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/govaluate"
)

// engine finds the rules that match a request. It is read-only once built, and
// an enforcer whose policy does not change may be asked by many goroutines.
type engine struct {
	// buckets by what they are about: a request is held against the few rules
	// of its own action and reason only.
	buckets map[bucket]*bucketRules
	rules   map[string]*rule
	whens   map[string][]condition // by the text of the column
}

// bucketRules are the rules of one action and reason.
type bucketRules struct {
	enforcer   *casbin.Enforcer
	roles      []string    // that the rules name, each once
	conditions []condition // the same
	memo       memo
	// blur takes something out of a question. It is for the tests that show
	// that all of it is needed.
	blur func(*question)
}

// bucket is a comparable key, so that no joining of strings can mix two up.
type bucket struct {
	action Action
	reason string // none where the action takes no reason
}

// evaluation is one request on its way through the matcher: r.caller.
type evaluation struct {
	req  *Request
	best bool // the binding is granted
	// lacks is what the reason demands of every rule and the caller has not.
	lacks shortfall

	matched []*rule
	// How far the rules came, to say why none matched.
	sawRole, sawClass, sawEntity bool
	near                         []shortfall // of allow rules that failed on conditions only
}

// functionArity is the closed registry of what a matcher may call.
var functionArity = map[string]int{
	"has_role": 2, "class_in": 2, "entity_in": 2, "holds": 3, "matched": 2,
}

func newEngine(newModel func() (model.Model, error), rules []*rule) (*engine, error) {
	e := &engine{
		buckets: map[bucket]*bucketRules{},
		rules:   map[string]*rule{},
		whens:   map[string][]condition{},
	}
	buckets := map[bucket][]*rule{}
	for _, r := range rules {
		key := bucket{r.action, r.reason}
		buckets[key] = append(buckets[key], r)
		e.rules[r.id] = r
		e.whens[r.row[slices.Index(columns, "when")]] = r.conditions
	}
	for key, members := range buckets {
		m, err := newModel()
		if err != nil {
			return nil, err
		}
		b := newBucketRules(members)
		if b.enforcer, err = e.enforcer(m, members); err != nil {
			return nil, fmt.Errorf("%s %s: %w", key.action, key.reason, err)
		}
		// Casbin compiles the matcher at the first use: make that now, so
		// that a matcher that does not compile is a load error.
		if _, err := b.run(key, &evaluation{req: &Request{}}); err != nil {
			return nil, fmt.Errorf("%s %s: %w", key.action, key.reason, err)
		}
		e.buckets[key] = b
	}
	return e, nil
}

func newBucketRules(rules []*rule) *bucketRules {
	b := &bucketRules{}
	for _, r := range rules {
		if role := r.role(); !slices.Contains(b.roles, role) {
			b.roles = append(b.roles, role)
		}
		for _, c := range r.conditions {
			if !slices.ContainsFunc(b.conditions, func(have condition) bool { return have.name == c.name }) {
				b.conditions = append(b.conditions, c)
			}
		}
	}
	return b
}

func (e *engine) enforcer(m model.Model, rules []*rule) (*casbin.Enforcer, error) {
	// Casbin stops at the first deny that matches. Those that hold in any
	// context come first, so that a denial does not depend on the binding
	// where it need not; then by id, so that the order of lines does not count.
	slices.SortFunc(rules, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(precedence(a), precedence(b)), strings.Compare(a.id, b.id))
	})
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	for name, function := range e.functions() {
		enforcer.AddFunction(name, function)
	}
	for _, r := range rules {
		if err := m.AddPolicy("p", "p", r.row); err != nil {
			return nil, err
		}
	}
	return enforcer, nil
}

func precedence(r *rule) int {
	switch {
	case r.deny && !r.contextual():
		return 0
	case r.deny:
		return 1
	}
	return 2
}

// decide is what the rules of the bucket say to the request: what is known of
// them, or what Casbin says. A fault is not remembered.
func (e *engine) decide(key bucket, r *Request, lacks shortfall, best bool) (Decision, error) {
	b, ok := e.buckets[key]
	if !ok {
		return denied(WhyNoRule), nil
	}
	q, comparable := b.question(r, lacks, best)
	if comparable {
		if f, ok := b.memo.get(q); ok {
			return f.decision(), nil
		}
	}
	ev := &evaluation{req: r, lacks: lacks, best: best}
	allowed, err := b.run(key, ev)
	if err != nil {
		return Decision{}, err
	}
	d := ev.decision(allowed)
	if comparable {
		b.memo.put(q, found{allow: d.Allow, form: d.Form, why: d.Why, rules: slices.Clone(d.RuleIDs)})
	}
	return d, nil
}

// run holds the request against the rules. It fills ev.matched and says
// whether Casbin allows.
func (b *bucketRules) run(key bucket, ev *evaluation) (bool, error) {
	allowed, err := b.enforcer.Enforce(string(key.action), key.reason, ev)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errMatcher, err)
	}
	return allowed, nil
}

var (
	errMatcher  = errors.New("access: the matcher failed")
	errArgument = errors.New("access: a matcher function got an argument of another type")
)

// functions are the registered functions of the matcher. Every value of the
// request is compared with whole elements of a column that was checked at
// load, so a separator inside a value of the request matches nothing.
func (e *engine) functions() map[string]govaluate.ExpressionFunction {
	return map[string]govaluate.ExpressionFunction{
		"has_role": onCaller(func(ev *evaluation, column string) bool {
			if !slices.Contains(ev.req.Roles, column) {
				return false
			}
			ev.sawRole = true
			return true
		}),
		"class_in": onCaller(func(ev *evaluation, column string) bool {
			if !inColumn(string(ev.req.Class), column) {
				return false
			}
			ev.sawClass = true
			return true
		}),
		"entity_in": onCaller(func(ev *evaluation, column string) bool {
			if column != everyEntity && !inColumn(ev.req.Entity, column) {
				return false
			}
			ev.sawEntity = true
			return true
		}),
		"holds": e.holds,
		"matched": onCaller(func(ev *evaluation, column string) bool {
			r, ok := e.rules[column]
			if ok {
				ev.matched = append(ev.matched, r)
			}
			return ok
		}),
	}
}

// onCaller adapts a function of the request and one column.
func onCaller(f func(*evaluation, string) bool) govaluate.ExpressionFunction {
	return func(args ...any) (any, error) {
		ev, okCaller := args[0].(*evaluation)
		column, okColumn := args[1].(string)
		if !okCaller || !okColumn {
			return false, errArgument
		}
		return f(ev, column), nil
	}
}

// inColumn says whether the value is one of the elements; a column that does
// not apply takes the empty value only.
func inColumn(value, column string) bool {
	if column == none {
		return value == ""
	}
	for element := range strings.SplitSeq(column, "|") {
		if element == value {
			return true
		}
	}
	return false
}

// holds checks the conditions of a rule, and for an allow what the reason
// demands of every rule. In the best case a deny that asks for the binding
// does not apply, since there is a binding for which it would not.
func (e *engine) holds(args ...any) (any, error) {
	ev, okCaller := args[0].(*evaluation)
	when, okWhen := args[1].(string)
	effect, okEffect := args[2].(string)
	if !okCaller || !okWhen || !okEffect {
		return false, errArgument
	}
	conditions, known := e.whens[when]
	if !known {
		return false, errArgument
	}
	if effect == effectDeny {
		return missing(conditions, ev.req, false) == 0 && (!ev.best || !bound(conditions)), nil
	}
	lacks := ev.lacks | missing(conditions, ev.req, ev.best)
	if lacks != 0 {
		ev.near = append(ev.near, lacks)
		return false, nil
	}
	return true, nil
}
