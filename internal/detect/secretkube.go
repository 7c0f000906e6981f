package detect

import "strings"

const (
	// maxKubeGap is how far the data of a Kubernetes Secret may be from the line that says its kind: between them
	// stand name, labels and annotations.
	maxKubeGap = 4096
	// maxKubeValue is the limit of a Secret, 1 MiB in base64, cut to what a text holds.
	maxKubeValue = 64 << 10
	// minKubeValue is gitleaks': six bytes in base64.
	minKubeValue = 8
)

const (
	kubeKind = iota
	kubeData
)

func kubernetesRecogniser() recogniser {
	return recogniser{
		name: "kubernetes-secret", entity: APIKey, on: onLiteral,
		literals: []string{"kind: secret", "\ndata:", "\nstringdata:"}, find: findKubernetes,
	}
}

// findKubernetes takes the values below "data:" of a manifest in YAML whose kind is Secret; kubectl writes the data first.
func findKubernetes(s *scan, at, literal int) {
	if literal == kubeKind {
		if next := s.byteAt(at); next > ' ' {
			return
		}
		if data := s.secrets.data; data > 0 && at-data < maxKubeGap {
			s.kubeValues(data)
			s.secrets.data = 0
			return
		}
		s.secrets.kind = at
		return
	}
	if kind := s.secrets.kind; kind > 0 && at-kind < maxKubeGap && !strings.Contains(s.text[kind:at], "\n---") {
		s.kubeValues(at)
		s.secrets.kind = 0
		return
	}
	s.secrets.data = at
}

// kubeValues reads the lines below "data:" as far as they are indented, and reports their values.
func (s *scan) kubeValues(i int) {
	for {
		n := strings.IndexByte(s.text[i:], '\n')
		if n < 0 || i+n+1 == len(s.text) {
			return
		}
		i += n + 1
		line, _, _ := strings.Cut(s.text[i:], "\n")
		content := strings.TrimSpace(line)
		if content == "" {
			continue
		}
		if line[0] != ' ' {
			return
		}
		s.kubeLine(i+strings.Index(line, content), content)
	}
}

// kubeLine reports the value of "name: value".
func (s *scan) kubeLine(start int, line string) {
	name, value, ok := strings.Cut(line, ":")
	if !ok || strings.ContainsAny(name, " \x00") {
		return
	}
	start += len(name) + 1 + len(value) - len(strings.TrimLeft(value, ` "'`))
	value = strings.Trim(value, ` "'`)
	if len(value) < minKubeValue || len(value) > maxKubeValue || strings.ContainsAny(value, " {}<>$\x00") || forShow(value) {
		return
	}
	s.report(APIKey, "kubernetes-secret/data", start, start+len(value), 0.8)
}
