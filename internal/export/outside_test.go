package export_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// The verifier that is given to auditors takes what was exported, with every
// checkpoint that lies beside it, and with the first key alone.
func TestTheVerifierTakesTheExport(t *testing.T) {
	w := newWorld()
	w.Append(start, audit.KindTenantCreate)
	for hour := range 40 {
		w.Append(start.Add(time.Duration(hour)*time.Hour), audit.KindTokenize, audit.KindRestore)
		if hour == 20 {
			w.Rotate()
			w.Append(start.Add(time.Duration(hour)*time.Hour), audit.KindLogRotate)
		}
		w.all(t)
	}
	found, objects := w.check(t), w.objects(t)
	options := verify.Options{
		VKeys:     []string{strings.TrimSpace(string(objects["keys/1"]))},
		Handovers: [][]byte{objects["keys/2.handover"]}, RequireSigned: true,
	}
	for _, name := range objects.Names("checkpoints/") {
		options.Checkpoints = append(options.Checkpoints, objects[name])
	}
	result, err := verify.Log(context.Background(), verify.Lines(strings.NewReader(found.Lines)), options)
	if err != nil || result.Entries != w.Size() {
		t.Errorf("%d entries of %d, %v", result.Entries, w.Size(), err)
	}
	// Twin: without an entry it does not.
	_, err = verify.Log(context.Background(), verify.Lines(strings.NewReader(found.Lines[strings.Index(found.Lines, "\n")+1:])), options)
	if err == nil {
		t.Error("without the first entry it takes it, too")
	}
}
