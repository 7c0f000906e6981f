package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDetectTrain trains on next to nothing: the model is written, and the same the second time.
func TestDetectTrain(t *testing.T) {
	dir := t.TempDir()
	record := `{"text":"Ada met Bob.","spans":[{"bstart":0,"bend":3,"type":"PERSON"},{"bstart":8,"bend":11,"type":"PERSON"}]}` + "\n"
	for _, name := range []string{"wnut17_train.jsonl", "btc.jsonl", "wikigold.jsonl"} {
		writeTraining(t, filepath.Join(dir, name), record)
	}
	for _, name := range []string{
		"smashew_first_all", "moby_first-names", "smashew_surnames_all", "wc_cities", "moby_places", "wc_country", "wc_sub", "eng20k",
	} {
		writeTraining(t, filepath.Join(dir, name+".txt"), "Ada\n")
	}
	var models [][]byte
	for _, out := range []string{"one.model", "two.model"} {
		path := filepath.Join(dir, out)
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), []string{"detect", "train", "--data", dir, "--lists", dir, "--code", dir, "--out", path}, &stdout, &stderr)
		if code != exitOK || !strings.HasPrefix(stdout.String(), "model ") {
			t.Fatalf("exit %d: %s%s", code, stdout.String(), stderr.String())
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, data)
	}
	if len(models[0]) == 0 || !bytes.Equal(models[0], models[1]) {
		t.Error("two models of the same data differ, or are empty")
	}
}

func TestDetectTrainWithoutData(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	out := filepath.Join(dir, "x.model")
	if code := run(context.Background(), []string{"detect", "train", "--data", dir, "--lists", dir, "--code", dir, "--out", out}, &stdout, &stderr); code != exitError {
		t.Errorf("exit %d", code)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a model was written")
	}
}

func writeTraining(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
