package config

import "testing"

func TestDevListensOnLoopbackOnly(t *testing.T) {
	for listen, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.8.9.1:0": true, "[::1]:8080": true, "localhost:8080": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "192.168.1.4:8080": false,
		"example.com:8080": false, "localhost.example.com:80": false, "127.0.0.1": false, "": false,
		"[::ffff:10.0.0.1]:80": false,
	} {
		if err := (Dev{Listen: listen, Data: "d"}).Validate(); (err == nil) != ok {
			t.Errorf("listen %q: %v, want ok=%v", listen, err, ok)
		}
	}
	if err := (Dev{Listen: DevListen}).Validate(); err == nil {
		t.Error("no data folder: accepted")
	}
}
