package access

import (
	"slices"
	"strconv"
	"time"
)

// Route is where a prompt goes: one destination or several, as they are at one
// time. What is done to a value is the strictest of what they all say.
type Route struct {
	at           time.Time
	destinations []Destination
}

// RouteError names the first destination of a list that is not known. It never
// holds the name.
type RouteError struct{ Index int }

func (e *RouteError) Error() string {
	return "access: /destinations/" + strconv.Itoa(e.Index) + ": unknown"
}

// Route returns the route over these destinations, DefaultDestination where
// none is named. The error, if any, is a *RouteError.
func (p *Policy) Route(names []string, at time.Time) (Route, error) {
	r := Route{at: at}
	if len(names) == 0 {
		names = []string{DefaultDestination}
	}
	for i, name := range names {
		d, ok := p.destinations[name]
		if !ok {
			return Route{}, &RouteError{Index: i}
		}
		if !slices.Contains(names[:i], name) {
			r.destinations = append(r.destinations, d)
		}
	}
	return r, nil
}

// Names are those of the destinations, each once, in the order that was given.
func (r Route) Names() []string {
	out := make([]string, 0, len(r.destinations))
	for _, d := range r.destinations {
		out = append(out, d.Name)
	}
	return out
}

// strictness orders the actions, from the laxest.
var strictness = []EntityAction{ActAllow, ActWarn, ActTokenize, ActMask, ActBlock}

// Action is the strictest of what the destinations do to an entity. A route
// without any, which Route never returns, blocks.
func (r Route) Action(e Entity) EntityAction {
	most := -1
	for _, d := range r.destinations {
		most = max(most, slices.Index(strictness, d.Action(e, r.at)))
	}
	if most < 0 {
		return ActBlock
	}
	return strictness[most]
}

// Payload is the strictest of each rule of the destinations, and that of
// DefaultDestination's defaults for a route without any.
func (r Route) Payload() PayloadRules {
	if len(r.destinations) == 0 {
		return PayloadRules{Keys: ActBlock, Numbers: ActBlock, Unknown: UnknownRefuse}
	}
	out := r.destinations[0].Payload
	for _, d := range r.destinations[1:] {
		out = out.stricter(d.Payload)
	}
	return out
}
