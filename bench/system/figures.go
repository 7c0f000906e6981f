package system

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// runtimeFigures are what a service says of its memory at /metrics.
type runtimeFigures struct {
	allocs, allocBytes, goroutines, heapInUse int64
}

func (f *runtimeFigures) add(g runtimeFigures) {
	f.allocs += g.allocs
	f.allocBytes += g.allocBytes
	f.goroutines += g.goroutines
	f.heapInUse += g.heapInUse
}

var errFigures = errors.New("system: the metrics lack a figure")

// figures reads those of a service.
func (v *Service) figures(ctx context.Context) (runtimeFigures, error) {
	status, text, err := get(ctx, v.URL+"/metrics")
	if err != nil {
		return runtimeFigures{}, fmt.Errorf("system: metrics of %s: %w", v.Name, err)
	}
	if status != http.StatusOK {
		return runtimeFigures{}, fmt.Errorf("system: metrics of %s: status %d", v.Name, status)
	}
	return parseFigures(text)
}

// parseFigures reads the Prometheus text format; a figure without labels is a line of
// its name and a number.
func parseFigures(text []byte) (runtimeFigures, error) {
	var f runtimeFigures
	wanted := map[string]*int64{
		"go_memstats_mallocs_total":     &f.allocs,
		"go_memstats_alloc_bytes_total": &f.allocBytes,
		"go_goroutines":                 &f.goroutines,
		"go_memstats_heap_inuse_bytes":  &f.heapInUse,
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		into := wanted[name]
		if into == nil {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return f, fmt.Errorf("system: metrics: %w", err)
		}
		*into = int64(n)
		delete(wanted, name)
	}
	if err := lines.Err(); err != nil {
		return f, fmt.Errorf("system: metrics: %w", err)
	}
	for name := range wanted {
		return f, fmt.Errorf("%w: %s", errFigures, name)
	}
	return f, nil
}
