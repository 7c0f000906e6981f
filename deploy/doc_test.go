// Package deploy_test checks what this folder gives to operators, without a
// cluster, an engine or a network.
//
// The chart is checked as it renders: helm/testdata has the values of three
// installations and what helm makes of them. That these are up to date, and that
// the chart refuses what it must, is checked with helm itself, by the tests with
// the build tag tools (make check-deploy). What is checked here is that the
// rendered configuration is one that the service accepts, that no pod may do more
// than it needs, and that no secret is anywhere but in a Secret.
package deploy_test
