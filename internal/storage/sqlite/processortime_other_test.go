//go:build !unix

package sqlite_test

import (
	"testing"
	"time"
)

var processorBegan = time.Now()

func processorTime(testing.TB) time.Duration { return time.Since(processorBegan) }
