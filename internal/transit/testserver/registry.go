package main

import "github.com/hashicorp/vault/sdk/helper/consts"

// registry says that the engines that were compiled in are builtin; there are
// no others, and no plugin is ever run.
type registry map[string]consts.PluginType

var builtins = registry{
	"transit": consts.PluginTypeSecrets, "kv": consts.PluginTypeSecrets, "approle": consts.PluginTypeCredential,
}

func (r registry) Contains(name string, kind consts.PluginType) bool {
	known, ok := r[name]
	return ok && known == kind
}

func (r registry) Get(string, consts.PluginType) (func() (interface{}, error), bool) {
	return nil, false
}

func (r registry) Keys(kind consts.PluginType) (names []string) {
	for name, known := range r {
		if known == kind {
			names = append(names, name)
		}
	}
	return names
}

func (r registry) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, r.Contains(name, kind)
}

func (r registry) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
