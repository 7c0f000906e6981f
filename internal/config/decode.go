package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// decode reads one YAML document into out, a pointer to a struct. yaml.v3 has
// the line of a fault and quotes the value; walk has its path and does not.
func decode(text []byte, out *Serve, report func(path, rule string)) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return errors.New("is empty")
	} else if err != nil {
		return syntax(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("must be one YAML document")
	}
	whole := true
	walk(document.Content[0], reflect.TypeFor[Serve](), "", func(path, rule string) {
		whole = false
		report(path, rule)
	})
	if !whole {
		// What does not fit is left out, so that the rest is checked too.
		_ = document.Decode(out)
		return nil
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(out); err != nil {
		return syntax(err)
	}
	return nil
}

// syntax keeps of an error of yaml.v3 the line, which is what comes first; the
// rest may quote the file.
func syntax(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var line int
	if _, scanned := fmt.Sscanf(text, "line %d:", &line); scanned != nil {
		return errors.New("is no YAML")
	}
	return fmt.Errorf("is no YAML in or before line %d", line)
}

// walk compares a node with the type that it is for.
func walk(node *yaml.Node, t reflect.Type, path string, report func(path, rule string)) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		report(path, "must be written out: anchors and aliases are not read")
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		report(path, "must not be left empty")
	case t.Kind() == reflect.Struct:
		walkStruct(node, t, path, report)
	case t.Kind() == reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			report(path, "must be a list")
			return
		}
		for n, element := range node.Content {
			walk(element, t.Elem(), fmt.Sprintf("%s[%d]", path, n), report)
		}
	case t.Kind() == reflect.Map:
		walkMap(node, t, path, report)
	default:
		// yaml.v3 cuts the fraction off a number that is for a whole one.
		cut := (t.Kind() == reflect.Int64 || t.Kind() == reflect.Int32) && t != reflect.TypeFor[Period]() && node.ShortTag() != "!!int"
		if node.Kind != yaml.ScalarNode || cut || node.Decode(reflect.New(t).Interface()) != nil {
			report(path, "must be "+kindName(t))
		}
	}
}

func walkStruct(node *yaml.Node, t reflect.Type, path string, report func(path, rule string)) {
	if node.Kind != yaml.MappingNode {
		report(path, "must be a group of settings")
		return
	}
	fields := map[string]reflect.Type{}
	for field := range t.Fields() {
		if name := field.Tag.Get("yaml"); name != "" {
			fields[name] = field.Type
		}
	}
	seen := map[string]bool{}
	var once []*yaml.Node
	for n := 0; n+1 < len(node.Content); n += 2 {
		name := node.Content[n].Value
		inner := strings.TrimPrefix(path+"."+name, ".")
		switch field, known := fields[name]; {
		case !known:
			report(inner, "is no setting")
		case seen[name]:
			report(inner, "is given twice")
		default:
			walk(node.Content[n+1], field, inner, report)
			once = append(once, node.Content[n], node.Content[n+1])
		}
		seen[name] = true
	}
	node.Content = once // yaml.v3 leaves a group with a name twice out as a whole
}

// walkMap names no key in a path: keys of maps are data.
func walkMap(node *yaml.Node, t reflect.Type, path string, report func(path, rule string)) {
	if node.Kind != yaml.MappingNode {
		report(path, "must be a group of names with values")
		return
	}
	seen := map[string]bool{}
	for n := 0; n+1 < len(node.Content); n += 2 {
		if seen[node.Content[n].Value] {
			report(path, "has a name twice")
		}
		seen[node.Content[n].Value] = true
		walk(node.Content[n], t.Key(), path, report)
		walk(node.Content[n+1], t.Elem(), path, report)
	}
}

func kindName(t reflect.Type) string {
	if t == reflect.TypeFor[Period]() {
		return "a time span such as 36h or 21d"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int64, reflect.Int32:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "a text"
	}
}
