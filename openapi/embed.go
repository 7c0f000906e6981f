// Package openapi holds the description of the HTTP interface. It is written
// first and the code follows it: types and routes are generated from it, every
// request is validated against it, and in the tests every answer too.
//
// What it cannot say is said in its prose and enforced in package vault: that
// exactly one of text and values is sent, and that a restoration has a reason
// (a schema that demanded one would refuse the request before it could be
// recorded).
//
// Schemas of requests use no allOf, anyOf or oneOf: the validator renders the
// values of a failed combination into its error.
package openapi

import _ "embed" // for the document

// Document is openapi.yaml, as it is.
//
//go:embed openapi.yaml
var Document []byte
