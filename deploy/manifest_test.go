package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"gopkg.in/yaml.v3"
)

// manifest is a resource of Kubernetes, with those fields that the chart uses
// and no others: a field that is misspelt or at the wrong place does not decode.
// What selects and what is passed on from values stays as it is.
type manifest struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   metadata          `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
	Automount  *bool             `yaml:"automountServiceAccountToken"`
	Spec       yaml.Node         `yaml:"spec"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type template struct {
	Metadata metadata `yaml:"metadata"`
	Spec     pod      `yaml:"spec"`
}

type deployment struct {
	Replicas int `yaml:"replicas"`
	History  int `yaml:"revisionHistoryLimit"`
	Strategy struct {
		Type          string `yaml:"type"`
		RollingUpdate struct {
			MaxSurge       int `yaml:"maxSurge"`
			MaxUnavailable int `yaml:"maxUnavailable"`
		} `yaml:"rollingUpdate"`
	} `yaml:"strategy"`
	Selector selector `yaml:"selector"`
	Template template `yaml:"template"`
}

type job struct {
	Backoff  int      `yaml:"backoffLimit"`
	Deadline int      `yaml:"activeDeadlineSeconds"`
	Template template `yaml:"template"`
}

type cronJob struct {
	Schedule    string `yaml:"schedule"`
	Suspend     bool   `yaml:"suspend"`
	TimeZone    string `yaml:"timeZone"`
	Concurrency string `yaml:"concurrencyPolicy"`
	Late        int    `yaml:"startingDeadlineSeconds"`
	Succeeded   int    `yaml:"successfulJobsHistoryLimit"`
	Failed      int    `yaml:"failedJobsHistoryLimit"`
	Template    struct {
		Spec job `yaml:"spec"`
	} `yaml:"jobTemplate"`
}

type pod struct {
	RestartPolicy string      `yaml:"restartPolicy"`
	Account       string      `yaml:"serviceAccountName"`
	Automount     *bool       `yaml:"automountServiceAccountToken"`
	ServiceLinks  *bool       `yaml:"enableServiceLinks"`
	Security      podSecurity `yaml:"securityContext"`
	Grace         int         `yaml:"terminationGracePeriodSeconds"`
	PullSecrets   []struct {
		Name string `yaml:"name"`
	} `yaml:"imagePullSecrets"`
	Priority     string            `yaml:"priorityClassName"`
	NodeSelector map[string]string `yaml:"nodeSelector"`
	Tolerations  []yaml.Node       `yaml:"tolerations"`
	Spread       []struct {
		MaxSkew   int       `yaml:"maxSkew"`
		Key       string    `yaml:"topologyKey"`
		Otherwise string    `yaml:"whenUnsatisfiable"`
		Keys      []string  `yaml:"matchLabelKeys"`
		Selector  *selector `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	Containers []container `yaml:"containers"`
	Volumes    []volume    `yaml:"volumes"`
}

type podSecurity struct {
	NonRoot  bool   `yaml:"runAsNonRoot"`
	User     int    `yaml:"runAsUser"`
	Group    int    `yaml:"runAsGroup"`
	FSGroup  int    `yaml:"fsGroup"`
	FSChange string `yaml:"fsGroupChangePolicy"`
	Seccomp  struct {
		Type string `yaml:"type"`
	} `yaml:"seccompProfile"`
}

type container struct {
	Name   string   `yaml:"name"`
	Image  string   `yaml:"image"`
	Pull   string   `yaml:"imagePullPolicy"`
	Args   []string `yaml:"args"`
	Env    []env    `yaml:"env"`
	Ports  []port   `yaml:"ports"`
	Limits struct {
		Requests map[string]string `yaml:"requests"`
		Limits   map[string]string `yaml:"limits"`
	} `yaml:"resources"`
	Security struct {
		Escalation   *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRoot bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities struct {
			Drop []string `yaml:"drop"`
		} `yaml:"capabilities"`
	} `yaml:"securityContext"`
	Lifecycle struct {
		PreStop struct {
			Sleep struct {
				Seconds int `yaml:"seconds"`
			} `yaml:"sleep"`
		} `yaml:"preStop"`
	} `yaml:"lifecycle"`
	Startup   *probe  `yaml:"startupProbe"`
	Liveness  *probe  `yaml:"livenessProbe"`
	Readiness *probe  `yaml:"readinessProbe"`
	Mounts    []mount `yaml:"volumeMounts"`
}

type env struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
	From  *struct {
		Field struct {
			Path string `yaml:"fieldPath"`
		} `yaml:"fieldRef"`
	} `yaml:"valueFrom"`
}

type port struct {
	Name string `yaml:"name"`
	Port int    `yaml:"containerPort"`
}

type mount struct {
	Name     string `yaml:"name"`
	Path     string `yaml:"mountPath"`
	ReadOnly bool   `yaml:"readOnly"`
}

type probe struct {
	HTTP *struct {
		Path   string `yaml:"path"`
		Port   string `yaml:"port"`
		Scheme string `yaml:"scheme"`
	} `yaml:"httpGet"`
	TCP *struct {
		Port string `yaml:"port"`
	} `yaml:"tcpSocket"`
	Period   int `yaml:"periodSeconds"`
	Timeout  int `yaml:"timeoutSeconds"`
	Failures int `yaml:"failureThreshold"`
}

type volume struct {
	Name      string `yaml:"name"`
	ConfigMap *struct {
		Name string `yaml:"name"`
	} `yaml:"configMap"`
	Claim *struct {
		Name string `yaml:"claimName"`
	} `yaml:"persistentVolumeClaim"`
	Empty *struct {
		Limit string `yaml:"sizeLimit"`
	} `yaml:"emptyDir"`
	Projected *struct {
		Mode    int      `yaml:"defaultMode"`
		Sources []source `yaml:"sources"`
	} `yaml:"projected"`
}

type source struct {
	Secret *struct {
		Name  string `yaml:"name"`
		Items []struct {
			Key  string `yaml:"key"`
			Path string `yaml:"path"`
		} `yaml:"items"`
	} `yaml:"secret"`
	Token *struct {
		Path     string `yaml:"path"`
		Audience string `yaml:"audience"`
		Seconds  int    `yaml:"expirationSeconds"`
	} `yaml:"serviceAccountToken"`
}

// manifests decodes all resources of a stream of YAML documents.
func manifests(text string) ([]manifest, error) {
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	var all []manifest
	for {
		var m manifest
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
}

// spec decodes what a resource of this kind says, strictly.
func spec[T any](m manifest) (out T, err error) {
	// A node does not decode strictly by itself: it goes through its text.
	text, err := yaml.Marshal(&m.Spec)
	if err != nil {
		return out, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&out); err != nil {
		return out, fmt.Errorf("%s %s: %w", m.Kind, m.Metadata.Name, err)
	}
	return out, nil
}

// pods are the pods of all workloads, by kind and name.
func pods(all []manifest) (map[string]template, error) {
	found := map[string]template{}
	for _, m := range all {
		var (
			t   template
			err error
		)
		switch m.Kind {
		case "Deployment":
			var d deployment
			d, err = spec[deployment](m)
			t = d.Template
		case "Job":
			var j job
			j, err = spec[job](m)
			t = j.Template
		case "CronJob":
			var c cronJob
			c, err = spec[cronJob](m)
			t = c.Template.Spec.Template
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		found[m.Kind+" "+m.Metadata.Name] = t
	}
	return found, nil
}

func rendered(t *testing.T, name string) (string, []manifest) {
	t.Helper()
	text := read(t, "helm/testdata/"+name+".golden.yaml")
	all, err := manifests(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return text, all
}
