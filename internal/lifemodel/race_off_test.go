//go:build !race

package lifemodel_test

const underRace = false
