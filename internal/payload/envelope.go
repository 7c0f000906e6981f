package payload

import (
	"cmp"
	"slices"
)

// envelope reads an object that the shape knows.
func (w *walker) envelope(r *rule, n uint32, at spot) {
	h, ok := w.head(r, n)
	if !ok {
		return
	}
	if typed, ok := r.byType[h.kind]; ok {
		w.apply(typed, n, at)
		return
	}
	if role, ok := roles[h.role]; ok && r.roleKey {
		at.role = role
	}
	if r.toolKey {
		at.tool = cmp.Or(h.name, h.kind)
	}
	for k := range w.members(n) {
		key := w.str(k)
		back := w.down(key)
		switch field, known := r.fields[key]; {
		case known:
			w.apply(field, k+1, at)
		case w.doc.faults.trustAll:
			w.skip(WhyStructure)
		default:
			w.emitKey(k, key, at)
			w.free(k+1, at.unknown(key, h))
		}
		w.path = w.path[:back]
		if w.failed != nil {
			return
		}
	}
}

// unknown is the spot of a member that the shape does not know. Formats grow
// new ways to call a tool; all of them name what they pass like this.
func (at spot) unknown(key string, h head) spot {
	switch key {
	case "arguments", "args", "input", "parameters", "params", "action":
		at.place = PlaceTool
		at.tool = cmp.Or(h.name, at.tool)
	}
	return at
}

// roles are the providers' names of them.
var roles = map[string]string{
	"system": RoleSystem, "developer": RoleSystem,
	"user":      RoleUser,
	"assistant": RoleAssistant, "model": RoleAssistant,
	"tool": RoleTool, "function": RoleTool,
}

// head is what an envelope says about itself.
type head struct{ kind, role, name string }

// head reads it, and refuses an envelope that has a key twice: two readers
// could take two different ones of them. The pointer of the error names the
// key if the shape knows it.
func (w *walker) head(r *rule, n uint32) (h head, ok bool) {
	const few = 16 // up to here comparing all with all is faster than a map
	var room [few]string
	seen := room[:0]
	var many map[string]bool
	for k := range w.members(n) {
		key := w.str(k)
		if (many[key] || slices.Contains(seen, key)) && !w.doc.faults.anyKeys {
			if _, known := r.fields[key]; known {
				w.down(key)
			}
			w.fail(RuleDuplicate)
			return h, false
		}
		if len(seen) < few {
			seen = append(seen, key)
		} else {
			if many == nil {
				many = make(map[string]bool)
			}
			many[key] = true
		}
		if w.nodes[k+1].kind != nodeString {
			continue
		}
		switch key {
		case "type":
			h.kind = w.str(k + 1)
		case "role":
			h.role = w.str(k + 1)
		case "name":
			h.name = w.str(k + 1)
		}
	}
	return h, true
}
