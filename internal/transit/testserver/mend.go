package main

import (
	"context"
	"reflect"
	_ "unsafe" // for go:linkname

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/vault"
)

// Version 1.14.1 of the server was made with an SDK between two releases. Of
// those that the module proxy has only 0.9.2 fits, which refuses, with a panic,
// paths that can create and cannot tell whether something exists. Without such
// a check the server never asks them to create, so taking that operation away
// changes nothing but that.

// mended wraps the factory of an engine.
func mended(make logical.Factory) logical.Factory {
	return func(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
		b, err := make(ctx, config)
		if err != nil {
			return nil, err
		}
		engine, ok := reflect.Indirect(reflect.ValueOf(b)).FieldByName("Backend").Interface().(*framework.Backend)
		if !ok {
			panic("testserver: an engine that is not made with the SDK")
		}
		for _, p := range engine.Paths {
			if p.ExistenceCheck == nil {
				delete(p.Operations, logical.CreateOperation)
				delete(p.Callbacks, logical.CreateOperation)
			}
		}
		return b, nil
	}
}

// entPaths lists paths of the system that only answer that they are for
// enterprises. Nobody asks for them here.
//
//go:linkname entPaths github.com/hashicorp/vault/vault.entPaths
var entPaths func(*vault.SystemBackend) []*framework.Path

func init() {
	entPaths = func(*vault.SystemBackend) []*framework.Path { return nil }
}
