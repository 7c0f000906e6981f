package authn

// Ready tells whether requests should be sent here, as far as that depends on
// the keys of the issuers. It never waits. What it returns is [ErrKeysUnavailable]
// with the code unavailable, and names no issuer: which one it is, and since
// when, the logger has been told.
func (v *Verifier) Ready() error {
	counting := len(v.issuers) > len(v.remote) // keys of the configuration always count
	starting := v.settings.now().Sub(v.started) < StartWait
	for _, remote := range v.remote {
		if starting && remote.current.Load() == nil {
			return unavailable()
		}
		counting = counting || remote.known()
	}
	if !counting {
		return unavailable() // nobody's credentials could be told from anybody's
	}
	return nil
}

// known tells whether there is a set of keys that still counts.
func (r *remoteKeys) known() bool {
	set := r.current.Load()
	return set != nil && r.now().Sub(set.asked) < KeepKeysFor
}
