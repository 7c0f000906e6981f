package sqlite

// Hooks are the hooks of a store under test; see hooks.
type Hooks struct {
	Gate          func()
	Rewrite       func(text string) string
	Before, After func(text string) error
	Prunes        int
}

// WithHooks returns options with hooks.
func WithHooks(o Options, h Hooks) Options {
	o.hooks = hooks{gate: h.Gate, rewrite: h.Rewrite, before: h.Before, after: h.After, prunes: h.Prunes}
	return o
}
